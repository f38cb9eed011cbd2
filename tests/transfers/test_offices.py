"""学校与机构: the six procedures end to end, and what each refuses (HANDBOOK B3, G-05, G-17)."""

from collections import Counter
from typing import Any

import pytest
from django.apps import apps
from django.db import connection
from django.db.models import ForeignKey
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import Organization, Post, User
from audit.models import Event
from config.clock import today
from config.models import Job, Outbox, RuleValue
from registry.models import (
    Enrolment,
    FamilyMember,
    IntakePlan,
    OfficeVersion,
    Reorganization,
    School,
    SchoolClass,
    StatusChange,
    Student,
)  # fmt: skip
from registry.reorganizing import refuse_if_moving
from registry.reorganizing.execute import gather_stragglers
from registry.reorganizing.moving import BY_HAND, STAYS, carriers, stays, tables
from registry.reorganizing.plan import ALTER, CLOSE, FOUND, MERGE, REHANG, RENAME
from registry.reorganizing.refusals import OfficeBusy, OfficeMoving, PlanRefused, RehearsalGone
from registry.reorganizing.rehearse import rehearse
from registry.reorganizing.schools import REPOINTED
from registry.status import MOVED, NORMAL, PENDING, SUSPENDED
from tests import make
from tests.transfers.filing import decide_all, file_pupil, finish, make_material
from transfers.completion import MOST_ATTEMPTS, perform_owed
from transfers.kinds.offices import follow
from transfers.models import Case, Step
from transfers.offices import file_change, try_again
from transfers.refusals import RequirementFailed
from transfers.services import decide

pytestmark = [pytest.mark.usefixtures("nation")]
DOCUMENT = {"document_no": "深教〔2026〕12号", "document_by": "深圳市教育局", "document_on": "2026-01-05"}
RULES = ("B3", "R-TRF-17")


@pytest.fixture
def county() -> dict[str, User]:
    """The county's reviewer and leader, the city's and the province's reviewers."""
    make.make_office(make.SCHOOL)
    return {
        "reviewer": make.make_reviewer(make.COUNTY),
        "leader": make.make_user("bureau_leader", make.COUNTY),
        "city": make.make_reviewer(make.CITY),
        "province": make.make_reviewer(make.PROVINCE),
    }


@pytest.fixture
def city() -> dict[str, User]:
    make.make_office(make.SCHOOL)
    return {
        "reviewer": make.make_reviewer(make.CITY),
        "leader": make.make_user("bureau_leader", make.CITY),
        "province": make.make_reviewer(make.PROVINCE),
    }


def tried(kind: str, office: Organization | None, staff: dict[str, User], **given: Any) -> Reorganization:
    at = staff["reviewer"].own_office
    assert at is not None
    words = {key: str(value) for key, value in given.items()}
    return rehearse(kind, at, office, DOCUMENT | words, actor=staff["reviewer"], after=follow)


def filed(kind: str, office: Organization | None, staff: dict[str, User], **given: Any) -> Case:
    row = tried(kind, office, staff, **given)
    paper = make_material(staff["reviewer"], "27")
    return file_change(row, row.digest, actor=staff["reviewer"], materials=[paper])


def signed(case: Case, staff: dict[str, User]) -> Case:
    """Leader, city and province approve."""
    for person in list(staff.values())[1:]:
        decide(Case.objects.get(pk=case.pk), "approve", actor=person, ticked=["27"])
    return Case.objects.get(pk=case.pk)


def performed(case: Case, most: int = 60) -> Case:
    """What the worker does, batch after batch."""
    row = Outbox.objects.get(kind="complete_case", subject_id=case.pk, done_at=None)
    for _batch in range(most):
        perform_owed(row.pk)
        row.refresh_from_db()
        if row.done_at is not None:
            return Case.objects.get(pk=case.pk)
    raise AssertionError("it does not come to an end")


def done(kind: str, office: Organization | None, staff: dict[str, User], **given: Any) -> Case:
    case = performed(signed(filed(kind, office, staff, **given), staff))
    assert case.state == Case.State.DONE, case.steps.order_by("-ordinal").first().reason
    return case


def faults(kind: str, office: Organization | None, staff: dict[str, User], **given: Any) -> set[str]:
    with pytest.raises(PlanRefused) as caught:
        tried(kind, office, staff, **given)
    return {finding.code for finding in caught.value.findings}


def rows_under(path: str) -> Counter[str]:
    """Rows of every moving table with a path under `path`."""
    found: Counter[str] = Counter()
    with connection.cursor() as cursor:
        for table in tables():
            inside = " OR ".join(f"({column} >= %s AND {column} < %s)" for column in table.columns)
            cursor.execute(
                f"SELECT count(*) FROM {table.name} WHERE {inside}", [path, f"{path}~"] * len(table.columns)
            )
            found[table.name] += cursor.fetchone()[0]
    return +found


NEW_SCHOOL = {
    "office_kind": "school", "name": "南山区新苑小学", "code": "2144000077", "running_type": "211",
    "ownership": "21", "stages": "2", "schooling": "6-3", "address": "新苑路1号",
}  # fmt: skip


# ── 设立, 更名, 关键信息变更 ──────────────────────────────────────────────────────────────────────────────
@pytest.mark.rule("B3")
def test_a_school_is_founded_and_no_code_is_ever_used_twice(county: dict[str, User]) -> None:
    parent = make.make_office(make.COUNTY).pk
    given = NEW_SCHOOL | {"parent": parent}
    wrong = {
        "code_form": {"code": "21440000"},
        "code_category": {"code": "3644000077", "stages": "4"},
        "code_province": {"code": "2145000077"},
        "code_stages": {"code": "3144000077"},
        "code_used": {"code": "2144000001"},
        "missing": {"document_no": ""},
        "no_day": {"document_on": "2099-01-01"},
        "not_below": {"parent": make.make_office(make.NEIGHBOUR_COUNTY).pk},
        "unknown_choice": {"running_type": "9x9"},
    }
    for code, change in wrong.items():
        assert code in faults(FOUND, None, county, **(given | change)), code
    case = done(FOUND, None, county, **given)
    school = School.objects.get(code="2144000077")
    assert school.organization.path == f"{make.COUNTY}2144000077."
    assert (school.organization.parent_id, school.organization.division) == (parent, "440305")
    assert Event.objects.filter(action="registry.office.found", detail__number=case.number).count() == 1
    assert "code_used" in faults(FOUND, None, county, **given)
    assert "name_taken" in faults(FOUND, None, county, **(given | {"code": "2144000078"}))


@pytest.mark.rule("B3")
def test_a_renamed_school_keeps_its_code_and_its_former_name(county: dict[str, User]) -> None:
    office = make.make_office(make.SCHOOL)
    before = office.name
    assert faults(RENAME, office, county, name=before) == {"same_name"}
    case = done(RENAME, office, county, name="南山区育才小学")
    office.refresh_from_db()
    version = OfficeVersion.objects.get(office=office)
    assert (office.name, office.path, version.name, version.case_no) == (
        "南山区育才小学", make.SCHOOL, before, case.number,
    )  # fmt: skip
    assert version.valid.upper == today()


@pytest.mark.rule("B3")
def test_a_change_of_category_voids_the_code_and_moves_the_school(county: dict[str, User]) -> None:
    office = make.make_office(make.SCHOOL)
    pupil = make.make_student(make.make_class(make.SCHOOL))
    assert faults(ALTER, office, county, stages="3") == {"stages_missing", "code_stages"}
    assert faults(ALTER, office, county, schooling="6-3") == {"nothing_new"}
    given = {"code": "3144000055", "stages": "2,3", "running_type": "312"}
    done(ALTER, office, county, **given)
    office.refresh_from_db()
    pupil.refresh_from_db()
    there = f"{make.COUNTY}3144000055."
    assert (office.path, office.school.code, office.school.stages) == (there, "3144000055", ["2", "3"])
    assert pupil.org_path == pupil.enrolments.get().org_path == there
    assert rows_under(make.SCHOOL) == Counter()
    assert "code_used" in faults(FOUND, None, county, **(NEW_SCHOOL | {
        "parent": make.make_office(make.COUNTY).pk, "code": "2144000001"}))  # fmt: skip


# ── 合并 ──────────────────────────────────────────────────────────────────────────────────────────────────
def two_schools() -> tuple[Organization, Organization, list[Student]]:
    """A school with pupils in every state a merger meets, and the one that takes it over."""
    here, there = make.make_office(make.SCHOOL), make.make_office(make.SISTER)
    one = make.make_class(make.SCHOOL, number="2025001", name="一(1)班")
    make.make_class(make.SISTER, number="2025001", name="一(1)班")
    make.make_class(make.SISTER, number="2025002", name="一(2)班")
    pupils = [
        make.make_student(one, number="G440305201801010011"),
        make.make_student(one, status=SUSPENDED),
        make.make_student(one, status=PENDING),
        make.make_student(make.make_class(make.SCHOOL, "12", number="2024001", name="二(1)班")),
    ]
    gone = make.make_student(one, status="07")  # a graduate's file is the successor's too
    return here, there, [*pupils, gone]


@pytest.mark.rule("B3", "R-TRF-17", "G-17")
def test_two_schools_become_one_and_nobody_is_lost(county: dict[str, User]) -> None:
    here, there, pupils = two_schools()
    registrar = make.make_registrar(make.SCHOOL)
    make.make_rule("CLASS_SIZE_MAX_PRIMARY", 50, make.SCHOOL)
    for school, planned in ((here.school, 90), (there.school, 40)):
        IntakePlan.objects.create(
            org_path=school.organization.path, school=school, school_year=2026, stage="2", planned=planned,
            document="x", set_by=registrar, set_by_name="x", office_name="x",
        )  # fmt: skip
    paper = make_material(registrar)
    before = rows_under(make.SCHOOL) + rows_under(make.SISTER)
    row = tried(MERGE, here, county, target=there.pk)
    assert rows_under(make.SCHOOL) + rows_under(make.SISTER) == before  # it was taken back
    assert row.shown["pupils"] == 4
    assert [number for _pk, _old, number, _name, _title in row.shown["classes"]] == ["2024001", "2025003"]
    case = file_change(
        row, row.digest, actor=county["reviewer"], materials=[make_material(county["reviewer"], "27")]
    )
    case = performed(signed(case, county))
    assert case.state == Case.State.DONE

    assert set(rows_under(make.SCHOOL)) == {"config_rulevalue"}
    after = rows_under(make.SISTER)
    assert after["registry_student"] == before["registry_student"] == len(pupils)
    for table in ("registry_identitydocument", "registry_familymember", "registry_studentnumber",
                  "registry_schoolclass", "archives_material"):  # fmt: skip
        assert after[table] == before[table], table
    assert after["registry_enrolment"] == before["registry_enrolment"] + 3
    assert after["registry_statuschange"] == 3

    spells = {(s.student_id, s.school_id, s.status): s for s in Enrolment.objects.all()}
    normal, suspended, pending, second, graduate = pupils
    for pupil, status in ((normal, NORMAL), (suspended, SUSPENDED), (second, NORMAL)):
        old, new = spells[pupil.pk, here.pk, MOVED], spells[pupil.pk, there.pk, status]
        assert old.valid.upper == new.valid.lower == today()
        assert new.valid.upper is None
        assert (new.grade, new.school_class_id, new.entry_month) == (
            old.grade,
            old.school_class_id,
            old.entry_month,
        )
        assert new.class_number == new.school_class.number
        assert new.school_class.school_id == there.pk
    assert (pending.pk, there.pk, PENDING) in spells
    assert (graduate.pk, here.pk, "07") in spells
    assert Student.objects.get(pk=normal.pk).number == "G440305201801010011"
    names = set(SchoolClass.objects.filter(school=there.school).values_list("name", flat=True))
    assert names == {"一(1)班", "一(2)班", "二(1)班", f"一(1)班（原{here.name}）"}

    here.refresh_from_db()
    assert here.valid.upper == today()
    assert list(there.predecessors.all()) == [here]
    assert IntakePlan.objects.get(school_year=2026, stage="2").planned == 130
    assert RuleValue.objects.get(path=make.SCHOOL).valid.upper == today()
    assert {(p.office_id, p.role) for p in Post.objects.filter(user=registrar, valid__contains=today())} == {
        (there.pk, "registrar")
    }
    paper.refresh_from_db()
    assert paper.org_path == make.SISTER
    told = Event.objects.filter(action="registry.student.merge", detail__number=case.number)
    assert told.count() == 3
    change = StatusChange.objects.get(student=normal)
    assert (change.from_school_id, change.to_school_id, change.category, change.reason) == (
        here.pk, there.pk, "99", "12",
    )  # fmt: skip
    assert "code_used" in faults(FOUND, None, county, **(NEW_SCHOOL | {
        "parent": make.make_office(make.COUNTY).pk, "code": "2144000001"}))  # fmt: skip


@pytest.mark.rule("G-05")
def test_a_case_of_a_merged_school_finishes_under_the_successor(county: dict[str, User]) -> None:
    here, there = make.make_office(make.SCHOOL), make.make_office(make.SISTER)
    staff = {
        "class": make.make_class(), "registrar": make.make_registrar(), "leader": make.make_leader(),
        "reviewer": make.make_reviewer(),
    }  # fmt: skip
    case = file_pupil(staff)
    done(MERGE, here, county, target=there.pk)
    case.refresh_from_db()
    step = case.steps.get(is_current=True)
    assert (case.from_path, case.to_path) == (make.SISTER, make.SISTER)
    assert (step.office_path, step.office_name) == (make.SISTER, there.name)
    for name in ("leader", "registrar"):  # their posts are the successor's now
        staff[name] = User.objects.get(pk=staff[name].pk)
    decide_all(case, staff)
    finish(case)
    case.refresh_from_db()
    spell = Enrolment.objects.get(student=case.student)
    assert (case.state, spell.status, spell.school_id, spell.org_path) == (
        "done",
        NORMAL,
        there.pk,
        make.SISTER,
    )


@pytest.mark.rule("G-05")
def test_a_county_merges_into_another_and_open_cases_finish(city: dict[str, User]) -> None:
    here, there = make.make_office(make.COUNTY), make.make_office(make.NEIGHBOUR_COUNTY)
    make.make_office(make.NEIGHBOUR)
    staff = {
        "class": make.make_class(), "registrar": make.make_registrar(), "leader": make.make_leader(),
        "reviewer": make.make_reviewer(),
    }  # fmt: skip
    case = file_pupil(staff)
    decide(Case.objects.get(pk=case.pk), "approve", actor=staff["leader"], ticked=["01"])
    make.make_rule("CLASS_SIZE_MAX_PRIMARY", 50, make.COUNTY)
    before = rows_under(make.COUNTY)
    assert faults(MERGE, here, city, target=make.make_office(make.SCHOOL).pk) == {"same_office"}
    done(MERGE, here, city, target=there.pk)
    moved = f"{make.NEIGHBOUR_COUNTY}2144000001."
    assert rows_under(moved)["registry_student"] == before["registry_student"]
    assert set(rows_under(make.COUNTY)) == {"config_rulevalue"}
    school = Organization.objects.get(path=moved)
    assert school.parent_id == there.pk
    assert OfficeVersion.objects.get(office=school).path == make.SCHOOL
    reviewer = User.objects.get(pk=staff["reviewer"].pk)
    decide(Case.objects.get(pk=case.pk), "approve", actor=reviewer, ticked=["01"])
    finish(case)
    assert Enrolment.objects.get(student=case.student).status == NORMAL
    assert Step.objects.get(case=case, right="decide_case").office_path == make.NEIGHBOUR_COUNTY


# ── 撤销, 变更主管部门 ────────────────────────────────────────────────────────────────────────────────────
@pytest.mark.rule("G-17", "B3")
def test_a_school_closes_when_every_pupil_has_left_and_its_archives_have_a_keeper(
    county: dict[str, User],
) -> None:
    here, keeper = make.make_office(make.SCHOOL), make.make_office(make.COUNTY)
    pupil = make.make_student(make.make_class())
    registrar = make.make_registrar()
    assert faults(CLOSE, here, county, target=keeper.pk) == {"pupils_left"}
    assert "missing" in faults(CLOSE, here, county)
    Enrolment.objects.filter(student=pupil).update(status="07")
    case = done(CLOSE, here, county, target=keeper.pk)
    here.refresh_from_db()
    pupil.refresh_from_db()
    assert (here.valid.upper, pupil.org_path) == (today(), make.COUNTY)
    assert not Post.objects.filter(user=registrar, valid__contains=today()).exists()
    assert not SchoolClass.objects.filter(school=here.school, is_open=True).exists()
    assert rows_under(make.SCHOOL) == Counter()
    assert OfficeVersion.objects.get(case_no=case.number).code == "2144000001"


@pytest.mark.rule("G-17")
def test_a_school_with_an_open_case_is_not_closed(county: dict[str, User]) -> None:
    here, keeper = make.make_office(make.SCHOOL), make.make_office(make.COUNTY)
    staff = {"class": make.make_class(), "registrar": make.make_registrar()}
    case = file_pupil(staff)
    Enrolment.objects.filter(student=case.student).update(status="98", is_void=True)
    with pytest.raises(RequirementFailed, match="1 个在办业务"):
        filed(CLOSE, here, county, target=keeper.pk)


@pytest.mark.rule("B3")
def test_a_school_changes_to_the_city_with_everything_under_it(city: dict[str, User]) -> None:
    here, parent = make.make_office(make.SCHOOL), make.make_office(make.CITY)
    assert faults(REHANG, here, city, parent=make.make_office(make.COUNTY).pk) == {"same_parent"}
    assert faults(REHANG, here, city, parent=make.make_office(make.SISTER).pk) == {"no_authority"}
    pupil = make.make_student(make.make_class())
    registrar = make.make_registrar()
    make.make_rule("CLASS_SIZE_MAX_PRIMARY", 50, make.SCHOOL)
    before = rows_under(make.SCHOOL)
    done(REHANG, here, city, parent=parent.pk)
    there = f"{make.CITY}2144000001."
    pupil.refresh_from_db()
    moved = rows_under(there)
    for table in ("transfers_case", "transfers_step", "transfers_evidence"):
        del moved[table]  # the change's own case went along
    assert (pupil.org_path, moved) == (there, before)
    assert rows_under(make.SCHOOL) == Counter()
    here.refresh_from_db()
    assert (here.path, here.parent_id, here.division) == (there, parent.pk, "440305")
    assert User.objects.get(pk=registrar.pk).may_act_at("file_case", there)


# ── What was shown is what is done ────────────────────────────────────────────────────────────────────────
@pytest.mark.rule("B3")
def test_what_has_changed_since_the_rehearsal_is_rehearsed_again(county: dict[str, User]) -> None:
    here, there, _pupils = two_schools()
    row = tried(MERGE, here, county, target=there.pk)
    first = row.digest
    make.make_student(SchoolClass.objects.get(school=here.school, number="2025001"))
    paper = make_material(county["reviewer"], "27")
    with pytest.raises(RequirementFailed, match="重新演练"):
        file_change(row, first, actor=county["reviewer"], materials=[paper])
    row = tried(MERGE, here, county, target=there.pk)
    with pytest.raises(RehearsalGone):
        file_change(row, first, actor=county["reviewer"], materials=[paper])
    case = file_change(row, row.digest, actor=county["reviewer"], materials=[paper])
    with pytest.raises(OfficeBusy):
        filed(RENAME, here, county, name="另一名称")
    make.make_student(SchoolClass.objects.get(school=here.school, number="2025001"))
    with pytest.raises(RequirementFailed, match="重新演练"):
        decide(case, "approve", actor=county["leader"], ticked=["27"])
    assert try_again(case, actor=county["leader"]).shown["pupils"] == 6
    case = signed(case, county)
    make.make_student(SchoolClass.objects.get(school=here.school, number="2025001"))
    case = performed(case)
    assert case.state == Case.State.REFUSED
    assert Enrolment.objects.filter(school=here, status=NORMAL).count() == 5
    assert Event.objects.filter(action="transfers.case.refuse", reason__contains="重新演练").exists()
    refuse_if_moving(make.SCHOOL)  # nothing is locked any more


@pytest.mark.rule("RE-1", "B3")
def test_a_long_merger_goes_on_in_equal_batches_and_locks_the_schools(
    county: dict[str, User], monkeypatch: pytest.MonkeyPatch
) -> None:
    here, there, _pupils = two_schools()
    many = make.make_class(make.SCHOOL, "13", number="2023001")
    for _n in range(14):
        make.make_student(many)
    monkeypatch.setattr("registry.reorganizing.execute.BATCH", 5)
    case = signed(filed(MERGE, here, county, target=there.pk), county)
    row = Outbox.objects.get(kind="complete_case", subject_id=case.pk)
    perform_owed(row.pk)  # the lock
    for path in (make.SCHOOL, make.SISTER):
        with pytest.raises(OfficeMoving):
            refuse_if_moving(path)
    refuse_if_moving(make.NEIGHBOUR)
    counts: dict[str, list[int]] = {}
    while (now := Reorganization.objects.get(case_no=case.number)).done_at is None:
        with CaptureQueriesContext(connection) as queries:
            perform_owed(row.pk)
        counts.setdefault(now.cursor["stage"], []).append(len(queries))
    # Batches of one stage ask the same; the last one of a stage goes on with the next.
    assert len(set(counts["spells"][:-1])) == len(set(counts["registry_student"][:-1])) == 1
    assert len(counts["spells"]) + len(counts["registry_student"]) == 7
    assert Case.objects.get(pk=case.pk).state == Case.State.DONE
    assert Enrolment.objects.filter(school=there, status=NORMAL).count() == 16
    refuse_if_moving(make.SCHOOL)


@pytest.mark.rule("RE-1")
def test_a_move_waits_for_the_jobs_that_write_there(county: dict[str, User]) -> None:
    here, there, _pupils = two_schools()
    case = signed(filed(MERGE, here, county, target=there.pk), county)
    row = Outbox.objects.get(kind="complete_case", subject_id=case.pk)
    job = Job.objects.create(kind="x", path=make.SCHOOL, started_by_name="x", state=Job.State.RUNNING)
    perform_owed(row.pk)
    for _minute in range(MOST_ATTEMPTS + 1):  # waiting is no failed attempt: it is not set aside
        assert not perform_owed(row.pk)
    Job.objects.filter(pk=job.pk).update(state=Job.State.DONE)
    assert performed(case).state == Case.State.DONE


@pytest.mark.rule("RE-1")
def test_what_was_written_behind_a_move_is_gathered(county: dict[str, User]) -> None:
    here, there, pupils = two_schools()
    done(MERGE, here, county, target=there.pk)
    FamilyMember.objects.filter(student=pupils[0]).update(org_path=make.SCHOOL)  # as a slow request would
    assert gather_stragglers(today()) == 1
    assert gather_stragglers(today()) == 0
    assert FamilyMember.objects.get(student=pupils[0]).org_path == make.SISTER


# ── Pages ─────────────────────────────────────────────────────────────────────────────────────────────────
@pytest.mark.rule("B3", "G-17")
def test_a_merger_is_filed_on_the_pages_with_the_hash_that_was_shown(
    county: dict[str, User], client: Client
) -> None:
    here, there, _pupils = two_schools()
    client.force_login(county["reviewer"])
    page = reverse("transfers:offices_new")
    assert "单位合并" in client.get(page).content.decode()
    assert "承接单位" in client.get(page, {"kind": MERGE}).content.decode()
    form = DOCUMENT | {"kind": MERGE, "office": here.school.code, "target": "没有这所学校"}
    answer = client.post(page, form)
    assert (answer.status_code, "不是本机关管理范围内" in answer.content.decode()) == (422, True)
    assert client.post(page, form | {"surprise": "1"}).status_code == 400
    answer = client.post(page, form | {"target": f"{there.code} {there.name}"})
    assert answer.status_code == 302
    shown = client.get(answer.url).content.decode()
    row = Reorganization.objects.get(case_no="")
    for words in (row.digest, "2025003", "小学一年级", "办理前"):
        assert words in shown
    paper = make_material(county["reviewer"], "27")
    assert client.post(answer.url, {"digest": row.digest}).status_code == 422  # no paper
    assert client.post(answer.url, {"digest": "x", "document": [paper.public_id]}).status_code == 409
    filed_at = client.post(answer.url, {"digest": row.digest, "document": [paper.public_id]})
    case = Case.objects.get(number=filed_at.url.rpartition("/")[2])
    assert case.steps.get(is_current=True).label == "主管领导审核"
    for person in ("leader", "city"):
        client.force_login(county[person])
        shown = client.get(filed_at.url).content.decode()
        assert row.digest in shown
        again = reverse("transfers:office_rehearse", args=[case.number])
        assert client.post(again).status_code == 302
        decision = {"decision": "approve", "ticked": "27"}
        assert client.post(reverse("transfers:decide", args=[case.number]), decision).status_code == 302
    client.force_login(county["city"])
    assert client.post(again).status_code in (403, 409)  # her turn is over
    returned = {"decision": "return", "text": "批复文件缺页"}
    client.force_login(county["province"])
    assert client.post(reverse("transfers:decide", args=[case.number]), returned).status_code == 302
    client.force_login(county["reviewer"])
    assert (
        client.post(again, {"document": [make_material(county["reviewer"], "27").public_id]}).status_code
        == 302
    )
    case.refresh_from_db()
    assert (case.state, case.evidence.count()) == (Case.State.WAITING, 2)


# ── Nobody is forgotten ───────────────────────────────────────────────────────────────────────────────────
@pytest.mark.rule("B3", "R-TRF-17")
def test_every_table_with_a_path_moves_or_is_known_to_stay() -> None:
    """A new table with a path moves by itself; one that stays, or is moved by hand, is named."""
    names = {model._meta.db_table for model in carriers()}
    moving = {table.name for table in tables()}
    history = {model._meta.db_table for model in carriers() if hasattr(model, "pgh_id")}
    assert names == moving | BY_HAND | STAYS | history
    assert all(stays(model) for model in carriers() if model._meta.db_table in STAYS | history)
    assert {table.name: table.parent for table in tables() if table.parent} == FOLLOWING


# Rows found by the row they belong to, because their own path has no index.
FOLLOWING = {
    "registry_identitydocument": "registry_student", "registry_familymember": "registry_student",
    "registry_studentnumber": "registry_student", "registry_importrow": "registry_importbatch",
    "registry_recordentry": "registry_student", "registry_rollmark": "registry_classroll",
    "registry_graduationrow": "registry_graduationlist", "registry_householdrow": "registry_householdlist",
    "registry_certificateproof": "registry_graduationrecord",
    "registry_importfinding": "registry_importbatch", "registry_seatpermission": "registry_schoolclass",
    "registry_attendancereport": "registry_attendance", "archives_photofile": "archives_photobatch",
    "transfers_step": "transfers_case", "transfers_evidence": "transfers_case",
    "archives_material": "registry_student",  # loose: an upload may belong to nobody yet
}  # fmt: skip
# Foreign keys to a school that a merger leaves as they are: the past, or rows with statements of their own.
KEPT = {
    ("accounts_organization", "parent_id"), ("accounts_organization_predecessors", "from_organization_id"),
    ("accounts_organization_predecessors", "to_organization_id"), ("accounts_post", "office_id"),
    ("accounts_officegrant", "content_object_id"), ("registry_school", "organization_id"),
    ("registry_enrolment", "school_id"), ("registry_schoolclass", "school_id"),
    ("registry_intakeplan", "school_id"), ("registry_statusquota", "school_id"),
    ("registry_statuschange", "from_school_id"), ("registry_statuschange", "to_school_id"),
    ("registry_hostnote", "school_id"), ("registry_officeversion", "office_id"),
    ("registry_reorganization", "office_id"),
    # Accounts are the administrators' affair: what was asked, uploaded or sealed there stays as it was.
    ("accounts_coderequest", "office_id"), ("accounts_accountlist", "office_id"),
    ("accounts_sealing", "office_id"),
    ("registry_promotionschool", "school_id"),  # what a promotion did there is told under that name
    ("registry_admission", "school_id"),  # who took her in, as it was called then
    # What a term or a year was signed for, and by whom, is told under the name of then.
    ("registry_campaignunit", "office_id"), ("registry_schoolverification", "school_id"),
    ("registry_finding", "order_office_id"), ("registry_dropoutreport", "office_id"),
    ("registry_graduationlist", "school_id"),
}  # fmt: skip


@pytest.mark.rule("B3")
def test_every_key_to_a_school_follows_a_merger_or_is_known_to_stay() -> None:
    keys = {
        (model._meta.db_table, str(one.column))
        for model in apps.get_models(include_auto_created=True)
        for one in model._meta.fields
        if isinstance(one, ForeignKey)
        and one.related_model in (Organization, School)
        and not hasattr(model, "pgh_id")
    }
    assert keys == KEPT | {(table, column) for table, column, _more in REPOINTED}
