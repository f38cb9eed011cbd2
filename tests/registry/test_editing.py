"""Data maintenance: who may change what, and what it leaves behind (HANDBOOK A4.2)."""

import pytest
from django.db import IntegrityError, transaction
from django.db.backends.postgresql.psycopg_any import DateRange

from audit.models import Event
from config.errors import NotAllowed
from config.scope import scope
from registry.models import Enrolment, Student
from registry.record import load_record, values_of
from registry.services.editing import update_normal
from registry.services.refusals import ChangedMeanwhile, KeyFieldLocked, RecordFrozen, RecordRefused
from tests import make

pytestmark = pytest.mark.usefixtures("nation")


@pytest.mark.rule("R-UPD-05", "R-UPD-04")
def test_a_normal_field_changes_at_once_with_event_and_history() -> None:
    student, registrar = make.make_student(), make.make_registrar()
    changed = update_normal(
        student, {"home_address": "深圳市南山区桃园路2号", "phone": "13700137000"}, version=1, actor=registrar
    )
    assert set(changed) == {"home_address", "phone"}
    assert values_of(load_record(student))["phone"] == "13700137000"
    event = Event.objects.get(action="registry.student.update", subject_id=student.pk)
    assert set(event.fields) == {"home_address", "phone"}
    assert "13700137000" not in str(event.detail) + event.digest  # D4 only as a salted digest (AU-1)
    history = list(student.events.order_by("pgh_id").values_list("version", flat=True))
    assert history == [1, 2, 2]


@pytest.mark.rule("R-UPD-05", "R-UPD-10")
@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", "王改名"),
        ("sex", "1"),
        ("birth_on", "2018-01-01"),
        ("id_number", "11010519491231002X"),
        ("id_type", "A"),
        ("class_number", "2020009"),
        ("grade", "12"),
        ("former_name", "旧名"),
        ("status_number", "L1"),
    ],
)
def test_a_key_field_is_refused_by_this_door(field: str, value: str) -> None:
    student, registrar = make.make_student(), make.make_registrar()
    if field in ("former_name", "status_number"):
        with pytest.raises(KeyFieldLocked):
            update_normal(student, {field: value}, version=1, actor=registrar)
    else:
        with pytest.raises((KeyFieldLocked, RecordRefused)):
            update_normal(student, {field: value}, version=1, actor=registrar)
    assert Student.objects.get(pk=student.pk).version == 1


def test_an_invalid_value_is_refused_and_nothing_changes() -> None:
    student, registrar = make.make_student(), make.make_registrar()
    with pytest.raises(RecordRefused) as refusal:
        update_normal(student, {"phone": "123", "talent": "围棋"}, version=1, actor=registrar)
    assert [finding.field for finding in refusal.value.findings] == ["phone"]
    assert Student.objects.get(pk=student.pk).talent == ""


def test_the_second_of_two_who_save_the_same_version_is_told() -> None:
    student = make.make_student()
    update_normal(student, {"talent": "围棋"}, version=1, actor=make.make_registrar())
    late = Student.objects.get(pk=student.pk)
    with pytest.raises(ChangedMeanwhile):
        update_normal(late, {"talent": "书法"}, version=1, actor=make.make_registrar())
    assert Student.objects.get(pk=student.pk).talent == "围棋"


def test_only_the_school_s_registrar_edits() -> None:
    student = make.make_student()
    for person in (make.make_leader(), make.make_reviewer(), make.make_registrar(make.SISTER)):
        with pytest.raises(NotAllowed):
            update_normal(student, {"talent": "围棋"}, version=1, actor=person)


@pytest.mark.rule("R-UPD-09")
def test_after_graduation_the_data_are_frozen() -> None:
    student = make.make_student(status="07")
    with pytest.raises(RecordFrozen):
        update_normal(student, {"talent": "围棋"}, version=1, actor=make.make_registrar())


@pytest.mark.rule("R-UPD-04", "AU-2")
def test_history_is_never_overwritten_not_even_by_raw_sql() -> None:
    from django.db import DatabaseError, connection

    student = make.make_student()
    update_normal(student, {"talent": "围棋"}, version=1, actor=make.make_registrar())
    for statement in ("UPDATE registry_studentevent SET name = 'x'", "DELETE FROM registry_studentevent"):
        with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(statement)


@pytest.mark.rule("R-EST-01", "RE-2")
def test_the_database_keeps_one_active_status_and_no_overlap() -> None:
    student = make.make_student()
    first = student.enrolments.get()

    def second(**fields: object) -> Enrolment:
        copy = Enrolment.objects.get(pk=first.pk)
        copy.pk = None
        for name, value in fields.items():
            setattr(copy, name, value)
        with transaction.atomic():
            copy.save(force_insert=True)
        return copy

    from datetime import date

    for refused in (
        {"valid": DateRange(date(2031, 1, 1), None)},  # a second open status
        {"status": "07"},  # closed, but at the same time
    ):
        with pytest.raises(IntegrityError):
            second(**refused)
    assert second(status="07", valid=DateRange(date(2010, 9, 1), date(2016, 7, 1))).pk
    assert second(is_void=True).pk  # a voided spell does not block the true one


@pytest.mark.rule("R-EST-14")
def test_a_record_cannot_be_deleted() -> None:
    from django.db.models import ProtectedError

    student = make.make_student(number="L4403052019010100" + "01")
    with pytest.raises(ProtectedError):
        student.delete()
    with scope(make.SCHOOL):
        assert Student.objects.filter(pk=student.pk).exists()
