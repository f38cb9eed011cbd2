"""The log only grows: by grant, and by plain triggers that no setting switches off (AU-1, AU-2)."""

from datetime import date

import pytest
from django.db import DatabaseError, connection, transaction

from audit.models import AccessEntry, Event
from audit.partitions import months_from
from audit.services import record, record_read
from config.scope import scope
from tests import make

pytestmark = pytest.mark.usefixtures("nation")


def run(sql: str) -> list[tuple[object, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchall() if cursor.description else []


@pytest.mark.rule("AU-2")
@pytest.mark.parametrize("table", ["audit_event", "audit_accessentry"])
def test_nothing_in_the_log_can_be_changed(table: str) -> None:
    student, registrar = make.make_student(), make.make_registrar()
    record("registry.student.update", student, actor=registrar)
    record_read(student, actor=registrar, route="test")
    partition = run(
        f"SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = '{table}'::regclass ORDER BY 1"
    )[0][0]
    for target in (table, partition):
        for statement in (
            f"UPDATE {target} SET actor_name = 'x'",
            f"DELETE FROM {target}",
            f"TRUNCATE {target}",
            f"SET LOCAL pgtrigger.ignore = '{target}:refuse_change'; UPDATE {target} SET actor_name = 'x'",
            f"ALTER TABLE {target} DISABLE TRIGGER ALL",
        ):
            with pytest.raises(DatabaseError), transaction.atomic():
                run(statement)


@pytest.mark.rule("AU-2")
def test_every_partition_carries_its_refusing_triggers() -> None:
    """The owner, too, is refused: the trigger asks nobody who she is."""
    missing = run(
        """SELECT c.relname FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
           WHERE i.inhparent IN ('audit_event'::regclass, 'audit_accessentry'::regclass) AND c.relkind = 'r'
             AND (SELECT count(*) FROM pg_trigger t WHERE t.tgrelid = c.oid
                  AND t.tgname IN ('refuse_change', 'refuse_truncate') AND t.tgenabled = 'O') < 2"""
    )
    assert missing == []


@pytest.mark.rule("AU-1")
def test_an_act_carries_who_where_what_and_the_request() -> None:
    student, registrar = make.make_student(), make.make_registrar(name="王登记")
    event = record(
        "registry.student.update", student, actor=registrar, fields=["phone"], values="13800138000"
    )
    event.refresh_from_db()
    assert (event.actor_name, event.office_path, event.org_path) == ("王登记", make.SCHOOL, make.SCHOOL)
    assert event.digest
    assert "13800138000" not in event.digest
    assert event.at
    assert str(event.xid).isdigit()


@pytest.mark.rule("AU-6", "AZ-8")
def test_the_log_is_scoped_like_everything_else() -> None:
    here, there = make.make_student(), make.make_student(make.make_class(make.NEIGHBOUR))
    for student in (here, there):
        reader = make.make_registrar(student.org_path)
        record("registry.student.update", student, actor=reader)
        record_read(student, actor=reader, route="test")
    with scope(make.COUNTY):
        assert set(Event.objects.values_list("subject_id", flat=True)) >= {here.pk}
        assert not Event.objects.filter(subject_id=there.pk, subject_type="student").exists()
        assert not AccessEntry.objects.filter(subject_id=there.pk, subject_type="student").exists()


def test_partitions_are_whole_months_over_the_new_year() -> None:
    assert months_from(date(2026, 11, 21), 3) == [
        date(2026, 11, 1),
        date(2026, 12, 1),
        date(2027, 1, 1),
        date(2027, 2, 1),
    ]
