"""The second wall: what the database itself refuses, under the application role (AZ-8, ARCHITECTURE 2)."""

import pytest
from django.apps import apps
from django.db import DatabaseError, ProgrammingError, connection, transaction
from django.db.models import Model

from config.scope import NoScope, PathField, common_path, current_scope, scope, scoped_transaction
from registry.models import Enrolment, Student
from tests import make

pytestmark = pytest.mark.rule("AZ-8")

# The reviewed list: who is behind the wall, and who carries a path without being walled.
WALLED = {
    "audit_accessentry", "audit_event", "audit_earlywarning",
    "registry_protection", "registry_revealrequest",
    "registry_promotionschool",
    "registry_absence", "registry_suspecteddropout", "registry_persuasionvisit", "registry_dropoutreport",
    "registry_dropoutlist",
    "registry_handeddropout", "registry_watchentry", "registry_householdlist", "registry_householdrow",
    "registry_student", "registry_studentevent",
    "registry_identitydocument", "registry_identitydocumentevent",
    "registry_studentnumber",
    "registry_familymember", "registry_familymemberevent",
    "registry_enrolment", "registry_enrolmentevent",
    "registry_schoolclass", "registry_openbusiness", "registry_problemrecord",
    "registry_importbatch", "registry_importrow", "registry_importfinding",
    "registry_intakeplan", "registry_statusquota", "registry_seatpermission", "registry_reportin",
    "registry_statuschange", "registry_enrolmentsnapshot", "registry_attendance", "registry_attendancereport",
    "registry_aidrecognition", "registry_dropoutentry", "registry_hostnote", "archives_handover",
    "registry_export", "registry_classroll", "registry_rollmark", "registry_confirmationsheet",
    "reports_summary", "reports_summarydelta", "reports_unitstate", "reports_reportfile",
    "registry_graduationlist", "registry_graduationrow", "registry_graduationrecord",
    "registry_certificateprint", "registry_certificateproof",
    "registry_recordentry", "registry_entrysheet", "registry_admissionlist", "registry_admission",
    "registry_schoolverification", "registry_finding", "registry_sample", "registry_samplerow",
    "archives_material", "archives_photobatch", "archives_photofile", "archives_sheetprint",
    "transfers_case", "transfers_step", "transfers_evidence",
}  # fmt: skip
NOT_WALLED = {
    "accounts_organization",
    "config_rulevalue",
    "config_job",
    "config_massrun",
    "accounts_sealing",
    "config_outbox",
    "registry_term",
    "registry_campaign",
    "transfers_tracking",
    "registry_reorganization",
    "registry_promotionpart",
    "registry_officeversion",
    "exchange_datagrant",
    "exchange_guardiancode",
}


def rows(sql: str, *params: object) -> list[tuple[object, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return cursor.fetchall() if cursor.description else []


def tables_with_paths() -> set[str]:
    models: list[type[Model]] = list(apps.get_models(include_auto_created=True))
    return {m._meta.db_table for m in models if any(isinstance(f, PathField) for f in m._meta.fields)}


def test_every_table_with_a_path_is_on_one_of_the_two_lists(db: None) -> None:
    assert tables_with_paths() == WALLED | NOT_WALLED


def test_walled_tables_force_their_policy_on_everybody(db: None) -> None:
    found = rows(
        """SELECT c.relname FROM pg_class c JOIN pg_policy p ON p.polrelid = c.oid
           WHERE c.relrowsecurity AND c.relforcerowsecurity AND c.relispartition = false"""
    )
    assert {name for (name,) in found} == WALLED


def test_every_partition_has_the_wall_and_no_grants(db: None) -> None:
    found = rows(
        """SELECT c.relname, c.relrowsecurity AND c.relforcerowsecurity, has_table_privilege(c.oid,
        'SELECT') FROM pg_class c JOIN pg_inherits i ON i.inhrelid = c.oid WHERE i.inhparent IN
        ('audit_event'::regclass, 'audit_accessentry'::regclass) AND c.relkind = 'r'
        """
    )
    assert len(found) >= 2 * 24
    assert all(is_walled and not may_read for _name, is_walled, may_read in found)


def test_this_role_owns_nothing_and_cannot_pass_the_wall(db: None) -> None:
    from config.roles import dangers

    assert dangers() == []


@pytest.fixture
def two_pupils(nation: None) -> tuple[Student, Student]:
    here = make.make_student(make.make_class(make.SCHOOL))
    there = make.make_student(make.make_class(make.NEIGHBOUR))
    return here, there


def seen() -> set[int]:
    return set(Student.objects.values_list("pk", flat=True))


def test_raw_sql_sees_the_scope_and_nothing_else(two_pupils: tuple[Student, Student]) -> None:
    here, there = two_pupils
    for path, expected in (
        (make.SCHOOL, {here.pk}),
        (make.COUNTY, {here.pk}),
        (make.NEIGHBOUR_COUNTY, {there.pk}),
        (make.CITY, {here.pk, there.pk}),
        ("CN.51.", set()),
        ("CN.44.03.0.", set()),  # a prefix that is no office is no wider scope
    ):
        with scope(path):
            pks = {
                pk
                for (pk,) in rows("SELECT id FROM registry_student WHERE id IN (%s, %s)", here.pk, there.pk)
            }
            assert pks == expected, path


def test_an_unset_or_empty_scope_gives_no_rows(two_pupils: tuple[Student, Student]) -> None:
    for value in ("", "   ", "~", "XX."):
        rows("SELECT set_config('app.scope', %s, true)", value)
        assert seen() & {s.pk for s in two_pupils} == set(), repr(value)


def test_writing_outside_the_scope_is_refused_by_the_database(two_pupils: tuple[Student, Student]) -> None:
    here, there = two_pupils
    with scope(make.SCHOOL):
        assert Student.objects.filter(pk=there.pk).update(talent="x") == 0
        with pytest.raises(ProgrammingError, match="row-level security"), transaction.atomic():
            Student.objects.filter(pk=here.pk).update(org_path=make.NEIGHBOUR)
        assert Student.objects.filter(pk=here.pk).update(talent="围棋") == 1


def test_the_application_may_not_switch_the_wall_off(db: None) -> None:
    for statement in (
        "ALTER TABLE registry_student DISABLE ROW LEVEL SECURITY",
        "DROP POLICY scope_wall ON registry_student",
        "SET LOCAL row_security = off",
    ):
        with pytest.raises(DatabaseError), transaction.atomic(), scope(make.SCHOOL):
            rows(f"{statement}; SELECT count(*) FROM registry_student")


# ── Setting the scope ──────────────────────────────
def test_the_old_scope_comes_back_after_success_failure_and_nesting(nation: None) -> None:
    with scope(make.CITY):
        with scope(make.SCHOOL):
            assert current_scope() == make.SCHOOL
        assert current_scope() == make.CITY
        with pytest.raises(KeyError), scope(make.SCHOOL):
            raise KeyError
        assert current_scope() == make.CITY
        with pytest.raises(DatabaseError), transaction.atomic(), scope(make.SCHOOL):
            rows("SELECT 1 / 0")
        assert current_scope() == make.CITY
    assert current_scope() == "CN."


@pytest.mark.parametrize("path", ["", "CN", "44.03.", "CN.44.03"])
def test_an_unfinished_path_is_no_scope(db: None, path: str) -> None:
    with pytest.raises(NoScope), scope(path):
        pass


def test_without_a_transaction_there_is_no_scope_and_nothing_leaks_into_the_next_one(
    committed_db: None,
) -> None:
    with pytest.raises(NoScope), scope(make.SCHOOL):
        pass
    with scoped_transaction(make.SCHOOL):
        assert current_scope() == make.SCHOOL
    assert current_scope() == ""
    with pytest.raises(RuntimeError), scoped_transaction(make.SCHOOL):
        raise RuntimeError
    with transaction.atomic():
        assert current_scope() == ""


def test_the_common_path_of_two_schools() -> None:
    assert common_path(make.SCHOOL, make.NEIGHBOUR) == make.CITY
    assert common_path(make.SCHOOL, make.FAR) == "CN."
    assert common_path(make.SCHOOL, make.SCHOOL) == make.SCHOOL


def test_an_enrolment_list_of_a_school_reads_one_index(nation: None) -> None:
    """With the wall's condition as index condition: a range over org_path, never a filter over the table."""
    with scope(make.SCHOOL):
        rows("SET LOCAL enable_seqscan = off")
        rows("SET LOCAL enable_sort = off")
        order = ("org_path", "grade", "class_number", "name_py", "id")
        plan = Enrolment.objects.within(make.SCHOOL).in_school().order_by(*order)[:50].explain()
    assert "Index Cond" in plan
    assert "enrolment_list" in plan
    assert "Sort" not in plan


def test_a_pooled_connection_comes_back_without_the_scope_of_who_used_it_before(db: None) -> None:
    """The setting is local to its transaction: the next borrower of the same backend finds none."""
    from django.db.backends.postgresql.base import DatabaseWrapper

    options = {"pool": {"min_size": 1, "max_size": 1, "timeout": 5}}
    pooled = DatabaseWrapper(
        connection.settings_dict | {"OPTIONS": options, "CONN_MAX_AGE": 0}, alias="default"
    )
    seen = []
    try:
        for commits in (True, False):
            with pooled.cursor() as cursor:
                cursor.execute("BEGIN")
                cursor.execute("SELECT pg_backend_pid(), set_config('app.scope', %s, true)", [make.SCHOOL])
                seen.append(cursor.fetchone()[0])
                cursor.execute("COMMIT" if commits else "ROLLBACK")
            pooled.close()  # back to the pool
            with pooled.cursor() as cursor:
                cursor.execute("SELECT pg_backend_pid(), coalesce(current_setting('app.scope', true), '')")
                pid, scope_left = cursor.fetchone()
                cursor.execute("SELECT count(*) FROM registry_student")
                assert (scope_left, cursor.fetchone()[0]) == ("", 0)
                seen.append(pid)
            pooled.close()
    finally:
        pooled.close_pool()
    assert len(set(seen)) == 1  # one backend served all of them
