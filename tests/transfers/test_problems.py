"""问题学籍 handled by cases: routes, dispositions, arbitration, judgements (R-PRB-01 … R-PRB-06)."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.db.models.functions import Now
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import User
from audit.models import Event
from audit.sentences import sentence
from audit.services import System
from config.clock import today
from config.errors import NotFound
from config.models import Outbox
from config.rules import rule
from config.scope import NATION, scope
from config.workdays import add_workdays
from registry.models import Enrolment, IdentityDocument, ProblemRecord, Student, StudentNumber
from registry.services.changing import Change, change_status, move_pupil
from registry.services.duplicates import SAME_PERSON, Suspicion, blocking_problems, note_problem
from registry.services.numbering import check_and_number
from registry.services.refusals import EvidenceMissing, RecordRefused
from registry.status import SUSPENDED
from tests import make
from tests.transfers.filing import file_pupil as register_pupil
from tests.transfers.filing import finish, make_material
from tests.transfers.moving import sign
from transfers.completion import perform_owed
from transfers.filing import file_pupil
from transfers.key_data import propose
from transfers.kind import Kind
from transfers.kinds.problem_deletion import PROBLEM_DELETION
from transfers.kinds.problem_proof import PROBLEM_PROOF
from transfers.models import Case
from transfers.problem_progress import read_progress
from transfers.refusals import RequirementFailed
from transfers.services import decide

pytestmark = pytest.mark.usefixtures("nation")
SYSTEM = System(acting_path=NATION)


def change(number: str = "XX1") -> Change:
    return Change("suspension", "休学", number, "11", today(), today())


def pupil(path: str = make.SCHOOL, number: str = "", **values: str) -> Student:
    number = number or f"L440305{make.identity_number(make.first_grader_birth())[6:]}"[:19]
    return make.make_student(make.make_class(path), number=number, **values)


def pair_of(first: Student, path: str, **values: str) -> tuple[Student, Student, ProblemRecord]:
    """Another record of the same name, sex and birth date at `path`, and the problem that the check finds."""
    other = pupil(path, name=first.name, birth_on=first.birth_on.isoformat(), **values)
    found = note_problem(
        first,
        Suspicion(SAME_PERSON, other, False, "姓名、性别、出生日期相同"),
        actor=SYSTEM,
        found_by="全国查重",
    )
    assert found is not None
    return first, other, found


def file(
    kind: Kind, student: Student, problem: ProblemRecord, papers: tuple[str, ...] = ("01",), **given: str
) -> Case:
    """Filed by the registrar of the pupil's school, under her scope."""
    registrar = make.make_registrar(student.org_path)
    with scope(student.org_path):
        return file_pupil(
            kind, registrar.acting_office, student,
            {"problem": str(problem.pk), "verified": "已与监护人核对证件原件"} | given,
            actor=registrar, materials=[make_material(registrar, code) for code in papers],
        )  # fmt: skip


def prove(
    student: Student, problem: ProblemRecord, papers: tuple[str, ...] = ("01",), how: str = "right"
) -> Case:
    return file(PROBLEM_PROOF, student, problem, papers, conclusion=how)


def delete(
    student: Student, problem: ProblemRecord, papers: tuple[str, ...] = (), how: str = "there"
) -> Case:
    return file(PROBLEM_DELETION, student, problem, papers, attends=how)


def through(case: Case) -> list[str]:
    """Everybody in turn agrees, then the worker; answers the offices that decided."""
    while case.steps.filter(is_current=True).exists():
        case = sign(case)
    finish(case)
    settle()
    return list(case.steps.order_by("ordinal").values_list("office_path", flat=True))


def settle() -> None:
    for pk in Outbox.objects.filter(kind="settle_problem", done_at=None).values_list("pk", flat=True):
        perform_owed(pk)


def state(problem: ProblemRecord) -> str:
    problem.refresh_from_db()
    return problem.disposition if problem.closed_at else "open"


@pytest.mark.rule("R-PRB-01", "A9")
def test_who_decides_goes_by_how_far_the_sides_are_apart() -> None:
    for where, offices in (
        (make.SCHOOL, [make.SCHOOL]),
        (make.SISTER, [make.SCHOOL, make.SISTER, make.COUNTY]),
        (make.NEIGHBOUR, [make.SCHOOL, make.COUNTY]),
    ):
        first, other, problem = pair_of(pupil(), where)
        assert blocking_problems(first) == blocking_problems(other) == [problem]
        assert through(prove(first, problem)) == offices
        if where == make.NEIGHBOUR:  # both counties: each side proves for itself
            assert state(problem) == "open"
            assert through(prove(other, problem)) == [make.NEIGHBOUR, make.NEIGHBOUR_COUNTY]
        assert state(problem) == "proven"
        assert blocking_problems(first) == blocking_problems(other) == []


def page(client: Any, user: User, name: str, *args: Any) -> str:
    client.force_login(user)
    answer = client.get(reverse(name, args=args))
    assert answer.status_code == 200, answer.status_code
    return str(answer.content.decode())


@pytest.mark.rule("R-PRB-01", "R-PRB-03", "R-PRB-04")
def test_two_provinces_that_both_prove_go_before_the_nation(client: Any) -> None:
    first, other, problem = pair_of(pupil(), make.FAR)
    with pytest.raises(EvidenceMissing):
        prove(first, problem)
    registrar = make.make_registrar()
    shown = page(client, registrar, "transfers:problem", problem.pk)
    assert "等待学校提出佐证、变更或删除" in shown
    assert "佐证 · 问题学籍佐证" in shown
    assert other.name not in shown.replace(first.name, "") or str(other.public_id) not in shown
    case = prove(first, problem, ("01", "20"))
    assert "该生有在办业务" in page(client, registrar, "transfers:problem", problem.pk)
    through(case)
    assert "本方已办结处置" in page(client, registrar, "transfers:problem", problem.pk)
    through(prove(other, problem, ("01", "20")))
    problem.refresh_from_db()
    assert (problem.closed_at, bool(problem.arbitration_no)) == (None, True)
    nation = make.make_user("national_operator", make.NATION)
    shown = page(client, nation, "transfers:problem", problem.pk)
    for words in (first.org_path.split(".")[-2], other.org_path.split(".")[-2], "作出裁定", "在校就读证明"):
        assert words in shown
    assert problem.arbitration_no in page(client, nation, "transfers:queue")
    handling = reverse("transfers:problem", args=[problem.pk])
    assert handling in page(client, registrar, "transfers:case", case.number)
    shown = page(client, nation, "transfers:case", problem.arbitration_no)
    assert handling in shown
    proofs = shown[shown.index('id="proofs"') :]
    proofs = proofs[: proofs.index("</section>")]
    for words in ("南山区教育局", "在校就读证明", "登记信息无误"):
        assert words in proofs
    assert proofs.count("在校就读证明") == proofs.count("不是同一人</td>") == 2
    assert not [words for words in ("采纳", "监护人", "异议") if words in shown]
    assert "不予裁定，双方重新佐证" in shown
    told = client.get(reverse("problem-detail", args=[problem.pk])).json()
    assert (told["in_arbitration"], told["may_arbitrate"], told["state"]) == (True, True, "problem")
    assert [side["standing"] for side in told["sides"]] == ["proven", "proven"]
    assert [len(side["cases"]) for side in told["sides"]] == [1, 1]
    listed = client.get(reverse("problem-list")).json()["results"]
    assert [(row["id"], row["in_arbitration"]) for row in listed] == [(problem.pk, True)]
    assert client.get(reverse("problem-progress")).json()["own"]["arbitration"] == 1
    act = reverse("transfers:problem_arbitrate", args=[problem.pk])
    for user, sent, status in (
        (registrar, {"verdict": "first", "reason": "经核实"}, 403),
        (nation, {"verdict": "none", "reason": "经公安核实"}, 400),
        (nation, {"verdict": "first", "reason": ""}, 422),
    ):
        client.force_login(user)
        assert client.post(act, sent).status_code == status
    decide_address = reverse("transfers:decide", args=[problem.arbitration_no])
    answer = client.post(decide_address, {"decision": "approve", "text": "不写裁定直接同意"})
    assert answer.status_code == 409
    assert client.post(decide_address, {"decision": "return", "text": "退回双方补正"}).status_code == 422
    sent = {"verdict": "first", "reason": "经公安核实为同一人"}
    said = client.post(reverse("problem-arbitrate", args=[problem.pk]), sent, content_type="application/json")
    assert said.status_code == 200
    assert client.post(act, sent).status_code == 409
    finish(Case.objects.get(number=problem.arbitration_no))
    problem.refresh_from_db()
    assert (problem.verdict, problem.closed_at) == ("first", None)
    assert "已裁定：经公安核实为同一人" in page(client, nation, "transfers:case", problem.arbitration_no)
    assert blocking_problems(first) == [problem]
    # The side that lost may only delete; the one that stays is settled.
    with pytest.raises(RequirementFailed, match="已裁定保留另一方学籍"):
        prove(other, problem, ("01", "20"))
    with pytest.raises(RequirementFailed, match="已办结处置"):
        delete(first, problem)
    through(delete(other, problem))
    assert state(problem) == "deleted"
    assert blocking_problems(first) == []
    spell = Enrolment.objects.get(student=other)
    assert (spell.is_void, StudentNumber.objects.filter(student=other).exists()) == (True, True)
    assert Enrolment.objects.get(student=first).is_void is False


@pytest.mark.rule("R-PRB-02", "R-PRB-04")
def test_a_child_in_two_schools_keeps_one_record_by_her_guardians_word(client: Any) -> None:
    """The school of attendance deletes its duplicate and takes the original over; nothing merges."""
    here, there, problem = pair_of(pupil(), make.NEIGHBOUR, number="G440304201910150017")
    with pytest.raises(EvidenceMissing, match="监护人签字的书面意见"):
        delete(here, problem, ("20",), "here")
    with pytest.raises(RequirementFailed, match="另一条学籍不在本校"):
        delete(here, problem, how="twice")
    assert through(delete(here, problem, ("20", "99"), "here")) == [make.SCHOOL, make.COUNTY]
    assert state(problem) == "deleted"
    shown = page(client, make.make_registrar(), "transfers:problem", problem.pk)
    assert reverse("transfers:move_in") in shown
    assert StudentNumber.objects.get(number=here.number).student_id == here.pk  # void for ever
    assert IdentityDocument.objects.get(student=here).is_claimed is False
    assert Student.objects.get(pk=there.pk).version == there.version  # never merged
    assert Enrolment.objects.get(student=there).is_void is False
    county = Event.objects.within(make.COUNTY).filter(action="registry.student.void", subject_id=here.pk)
    assert county.count() == 1
    # Both want to delete at once: the second would leave the child without a record.
    one, two, problem = pair_of(pupil(), make.NEIGHBOUR)
    cases = [delete(one, problem), delete(two, problem)]
    for case in cases:
        while case.steps.filter(is_current=True).exists():
            case = sign(case)
    for case in cases:
        finish(case)
    settle()
    assert [Case.objects.get(pk=case.pk).state for case in cases] == ["done", "refused"]
    assert Enrolment.objects.get(student=two).is_void is False
    # Nor by two problem records of one pair, though a guardian's paper lies with the second: she spoke of
    # another record that was to stay.
    one, two, problem = pair_of(pupil(), make.NEIGHBOUR)
    twin = note_problem(one, Suspicion("2", two, False, "身份证件号相同"), actor=SYSTEM, found_by="全国查重")
    assert twin
    cases = [delete(one, problem), delete(two, twin, ("20", "99"), "here")]
    assert [case.reach for case in cases] == [make.SCHOOL, make.NEIGHBOUR]  # a refile looks no further
    for case in cases:
        while case.steps.filter(is_current=True).exists():
            case = sign(case)
    with CaptureQueriesContext(connection) as asked:
        for case in cases:
            finish(case)
    locked = [sql["sql"] for sql in asked if "FOR " in sql["sql"] and "UPDATE" in sql["sql"]]
    pupils, problems = (
        next(place for place, sql in enumerate(locked) if f'FROM "registry_{table}"' in sql)
        for table in ("student", "problemrecord")
    )
    assert pupils < problems  # as whoever moves a pupil locks them, else both wait for ever
    assert [Case.objects.get(pk=case.pk).state for case in cases] == ["done", "refused"]
    assert Enrolment.objects.get(student=two).is_void is False
    # Said at filing already, before anybody signs: the other record is gone, though nothing is settled yet.
    with pytest.raises(RequirementFailed, match="最后一条学籍"):
        delete(two, twin, ("20", "99"), "here")
    settle()
    assert (state(problem), state(twin)) == ("deleted", "deleted")
    # The only record: not without the guardian; a G can be deleted with her word.
    alone = pupil(number="G440305201910150012")
    single = note_problem(
        alone, Suspicion("1", None, False, "证件号码存疑"), actor=SYSTEM, found_by="全国查重"
    )
    assert single
    with pytest.raises(RequirementFailed, match="监护人坚持"):
        delete(alone, single)
    through(delete(alone, single, ("99",)))
    assert (state(single), Enrolment.objects.get(student=alone).is_void) == ("deleted", True)


@pytest.mark.rule("R-PRB-01", "R-PRB-04", "R-PRB-05")
def test_what_was_judged_comes_back_only_with_other_data_or_by_the_authority(client: Any) -> None:
    guardian = {"member1_id_type": "1", "member1_id_number": "11010519491231002X"}
    here, there, problem = pair_of(pupil(), make.SISTER, id_type="Z", id_number="", **guardian)
    change_status(there, SUSPENDED, change(), actor=SYSTEM)  # attendance and state are nobody's hostage
    assert check_and_number(there.pk, actor=SYSTEM)[0] == "L"
    through(prove(here, problem))
    assert (state(problem), problem.judged_by, len(problem.judged_digest)) == ("proven", "南山区教育局", 64)
    numbered = Student.objects.get(pk=there.pk)
    perform_owed(Outbox.objects.get(kind="number_student", subject_id=there.pk, done_at=None).pk)
    numbered.refresh_from_db()
    assert numbered.number[0] == "J"
    assert ProblemRecord.objects.filter(closed_at=None, student=here).count() == 0
    # Other identity data: the same pair is found again.
    Student.objects.filter(pk=there.pk).update(sex="1")
    Student.objects.filter(pk=here.pk).update(sex="1")
    check_and_number(there.pk, actor=SYSTEM)
    again = ProblemRecord.objects.get(closed_at=None, student=here)
    assert again.pk != problem.pk
    act = reverse("transfers:problem_reopen", args=[problem.pk])
    reviewer = make.make_reviewer()
    for user, reason, status in (
        (make.make_registrar(), "佐证不实", 403),
        (reviewer, "不", 422),
        (reviewer, "佐证材料不实", 409),  # the pair is open already
    ):
        client.force_login(user)
        assert client.post(act, {"reason": reason}).status_code == status
    ProblemRecord.objects.filter(pk=again.pk).update(closed_at=problem.closed_at, disposition="changed")
    assert "重新打开" in page(client, reviewer, "transfers:problem", problem.pk)
    assert client.post(act, {"reason": "佐证材料不实"}).status_code == 302
    assert (state(problem), problem.judged_digest) == ("open", "")
    assert blocking_problems(here) == [problem]
    assert client.post(act, {"reason": "佐证材料不实"}).status_code == 409


@pytest.mark.rule("R-PRB-04", "R-PRB-01", "AZ-9")
def test_what_is_opened_again_stands_where_the_pupils_are_now(client: Any) -> None:
    """Each side goes along with its pupil: both present schools see it, the former ones do not."""
    here, there, problem = pair_of(pupil(), make.SISTER)
    ProblemRecord.objects.filter(pk=problem.pk).update(closed_at=Now(), disposition="proven")
    move_pupil(here, make.make_class(make.NEIGHBOUR), change("ZX1"), actor=SYSTEM)
    move_pupil(there, make.make_class(make.FAR), change("ZX2"), actor=SYSTEM)
    act = reverse("transfers:problem_reopen", args=[problem.pk])
    for path, status in ((make.COUNTY, 404), (make.FAR_COUNTY, 302)):  # whoever answers for her now
        client.force_login(make.make_reviewer(path))
        assert client.post(act, {"reason": "佐证材料不实"}).status_code == status
    problem.refresh_from_db()
    assert (problem.org_path, problem.other_path, problem.closed_at) == (make.NEIGHBOUR, make.FAR, None)
    for path, status in ((make.NEIGHBOUR, 200), (make.FAR, 200), (make.SCHOOL, 404), (make.SISTER, 404)):
        client.force_login(make.make_registrar(path))
        assert client.get(reverse("transfers:problem", args=[problem.pk])).status_code == status
    with pytest.raises(EvidenceMissing):  # two provinces now
        prove(there, problem)
    case = prove(here, problem, ("01", "20"))
    offices = [make.NEIGHBOUR, make.NEIGHBOUR_COUNTY]  # each side for itself
    assert list(case.steps.order_by("ordinal").values_list("office_path", flat=True)) == offices


@pytest.mark.rule("R-PRB-02", "R-PRB-05", "R-EST-05")
def test_a_hint_is_judged_by_both_schools_or_becomes_a_problem(client: Any) -> None:
    def hint_of(path: str) -> tuple[Student, Student, ProblemRecord]:
        one = pupil()
        other = pupil(path, name=one.name, birth_on=one.birth_on.isoformat())
        check_and_number(one.pk, actor=SYSTEM)
        return one, other, ProblemRecord.objects.get(student=one, other=other, type="3")

    def say(user: User, hint: ProblemRecord, is_same: str, reason: str = "父母与户籍均不同") -> int:
        client.force_login(user)
        address = reverse("transfers:problem_hint", args=[hint.pk])
        answer = client.post(address, {"is_same": is_same, "reason": reason})
        settle()
        return int(answer.status_code)

    one, other, hint = hint_of(make.FAR)
    assert (hint.is_hint, blocking_problems(one)) == (True, [])
    school, far = make.make_registrar(), make.make_registrar(make.FAR)
    assert "提交核对结果" in page(client, school, "transfers:problem", hint.pk)
    for user, told, reason, status in (
        (make.make_leader(), "0", "父母与户籍均不同", 403),
        (make.make_registrar(make.SISTER), "0", "父母与户籍均不同", 404),
        (school, "0", "不同", 422),
        (school, "2", "父母与户籍均不同", 400),
        (school, "0", "父母与户籍均不同", 302),
        (school, "0", "父母与户籍均不同", 409),  # said already
    ):
        assert say(user, hint, told, reason) == status
    assert state(hint) == "open"  # the other school has not looked yet
    assert say(far, hint, "0") == 302
    assert (state(hint), len(hint.judged_digest)) == ("proven", 64)
    (said,) = Event.objects.within(make.SCHOOL).filter(action="registry.problem.judge_hint")
    assert (said.reason, sentence(said).endswith("核对了线索：不是同一人")) == ("父母与户籍均不同", True)
    check_and_number(one.pk, actor=SYSTEM)
    assert not ProblemRecord.objects.filter(student=one, closed_at=None).exists()
    # What schools say of a hint keeps no problem away, and other identity data bring the hint back.
    IdentityDocument.objects.filter(student=one).update(is_disputed=True)
    check_and_number(one.pk, actor=SYSTEM)
    assert ProblemRecord.objects.filter(student=one, other=other, type="3", is_hint=False).count() == 1
    one, other, hint = hint_of(make.SCHOOL)
    assert say(school, hint, "0") == 302  # both sides are hers
    assert state(hint) == "proven"
    Student.objects.filter(pk__in=(one.pk, other.pk)).update(sex="1")
    check_and_number(other.pk, actor=SYSTEM)
    again = ProblemRecord.objects.get(student=one, other=other, closed_at=None)
    sent = {"is_same": True, "reason": "监护人确认是同一人"}
    answer = client.post(reverse("problem-hint", args=[again.pk]), sent, content_type="application/json")
    assert (answer.status_code, answer.json()["state"], answer.json()["may_judge"]) == (200, "problem", False)
    again.refresh_from_db()
    assert (again.is_hint, again.due_on is None, blocking_problems(one)) == (False, False, [again])
    assert say(school, again, "1") == 409
    check_and_number(one.pk, actor=SYSTEM)  # no second line about the same pair
    assert ProblemRecord.objects.filter(student=one, other=other, closed_at=None).count() == 1
    through(delete(other, again, how="twice"))
    assert state(again) == "deleted"


@pytest.mark.rule("R-PRB-01", "R-UPD-06")
def test_a_change_of_key_data_is_checked_again_and_closes_what_is_gone() -> None:
    """变更: a pupil without a number and her namesake; her number arrives, so that they are told apart."""
    guardian = {"member1_id_type": "1", "member1_id_number": "11010519491231002X"}
    there = pupil(make.FAR)
    here = pupil(name=there.name, birth_on=there.birth_on.isoformat(), id_type="Z", id_number="", **guardian)
    check_and_number(here.pk, actor=SYSTEM)
    problem = ProblemRecord.objects.get(student=there, other=here, is_hint=False)
    registrar = make.make_registrar()
    make.make_rule(
        "KEY_FIELDS", [*rule("KEY_FIELDS", at=NATION, on=today()).value, "ethnic_group"], make.PROVINCE
    )
    for proposed, closed in (
        ({"ethnic_group": "11"}, False),  # tells them apart in nothing that the check looks at
        ({"id_type": "1", "id_number": make.identity_number(there.birth_on)}, True),
    ):
        with scope(make.SCHOOL):
            case = propose(
                here, registrar.acting_office, proposed, actor=registrar,
                materials=[make_material(registrar, "01")],
            )  # fmt: skip
        while case.steps.filter(is_current=True).exists():
            case = sign(case)
        finish(case)
        problem.refresh_from_db()
        assert problem.changed_no == case.number
        perform_owed(Outbox.objects.get(kind="number_student", subject_id=here.pk, done_at=None).pk)
        assert (state(problem) == "changed") is closed
    assert problem.case_no == case.number
    assert Student.objects.get(pk=here.pk).number[0] == "G"
    assert Outbox.objects.filter(kind="number_student", subject_id=there.pk, done_at=None).exists()


@pytest.mark.rule("G-01", "R-PRB-01")
def test_a_refused_registration_is_settled_by_proof_or_by_the_move() -> None:
    here = pupil()
    attempt = note_problem(
        here, Suspicion("2", None, False, "另一学校登记同一证件号码"), actor=SYSTEM, found_by="新生注册",
        other_path=make.make_office(make.NEIGHBOUR).path,
    )  # fmt: skip
    assert attempt
    assert blocking_problems(here) == []  # no fault of the pupil who holds the number
    with pytest.raises(RequirementFailed, match="没有另一条学籍"):
        prove(here, attempt, ("01", "20", "23"), "kept")
    through(prove(here, attempt, ("01", "20")))
    assert state(attempt) == "proven"
    mover = pupil()
    attempt = note_problem(
        mover, Suspicion("2", None, False, "另一学校登记同一证件号码"), actor=SYSTEM, found_by="新生注册",
        other_path=make.NEIGHBOUR,
    )  # fmt: skip
    assert attempt
    move_pupil(mover, make.make_class(make.NEIGHBOUR), change("ZX9"), actor=SYSTEM)
    assert (state(attempt), attempt.case_no) == ("moved", "ZX9")


@pytest.mark.rule("R-PRB-06")
def test_a_child_without_a_document_comes_with_a_signed_proof_and_a_relatives_number(client: Any) -> None:
    office = {"class": make.make_class(), "registrar": make.make_registrar()}
    without = {"id_type": "Z", "id_number": ""}
    relative = {"member1_id_type": "1", "member1_id_number": "11010519491231002X"}

    def register(papers: tuple[str, ...], **values: str) -> Case:
        materials = [make_material(office["registrar"], code) for code in papers]
        return register_pupil(office, values=make.valid_values(**values), materials=materials)

    with pytest.raises(RecordRefused) as refused:
        register(("20",), **without)
    assert [one.code for one in refused.value.findings] == ["family_number_missing"]
    with pytest.raises(EvidenceMissing, match="在校就读证明"):
        register(("01",), **without, **relative)
    with pytest.raises(EvidenceMissing, match="身份证件"):
        register(("20",))  # who has a number shows its paper
    case = register(("20",), **without, **relative)
    assert case.steps.filter(office_path=make.COUNTY).exists()  # filed upward
    while case.steps.filter(is_current=True).exists():
        case = sign(case)
    finish(case)
    assert case.student
    client.force_login(office["registrar"])
    assert "学校盖章的在校就读证明" in client.get(reverse("transfers:register")).text  # said beforehand
    form = client.post(reverse("transfers:register_form"), {"action": "show", "id_type": "Z"}).text
    assert "须上传在校就读证明（学生、监护人签字，学校盖章）" in form
    bare = pupil(name="林无证", **without)
    listed = page(client, make.make_reviewer(), "transfers:numberless")
    row = listed[listed.index(case.student.name) :]
    assert "已有" in row[: row.index("</tr>")]
    row = listed[listed.index(bare.name) :]
    assert row[: row.index("</tr>")].count("缺少") == 2
    assert bare.name not in page(client, make.make_reviewer(make.NEIGHBOUR_COUNTY), "transfers:numberless")


@pytest.mark.rule("R-PRB-01", "A9", "PROBLEM_DAYS", "ARBITRATION_DAYS")
def test_progress_by_office_goes_down_and_asks_the_same_of_many(client: Any) -> None:
    make.make_rule("PROBLEM_DAYS", 5, make.PROVINCE)
    make.make_rule("ARBITRATION_DAYS", 7, make.NATION)
    _first, _other, late = pair_of(pupil(), make.NEIGHBOUR)
    assert late.due_on == add_workdays(today(), 5)
    ProblemRecord.objects.filter(pk=late.pk).update(due_on=today() - timedelta(days=1))
    one, _two, waits = pair_of(pupil(), make.FAR)
    sign(prove(one, waits, ("01", "20")))
    alone, _sister, closed = pair_of(pupil(), make.SISTER)
    through(prove(alone, closed))
    far, there, fought = pair_of(pupil(), make.FAR)
    for side in (far, there):
        through(prove(side, fought, ("01", "20", "23"), "kept"))
    fought.refresh_from_db()
    assert Case.objects.get(number=fought.arbitration_no).steps.get().days == 7
    auditor = make.make_user("auditor", make.PROVINCE)

    def read(path: str) -> tuple[list[int], dict[str, list[int]]]:
        found = read_progress(auditor, path)
        return _figures(found.own), {office.path: _figures(counts) for office, counts in found.below}

    # found, school, authority, arbitration, closed, overdue
    own, below = read("")
    assert (own, list(below)) == ([4, 1, 1, 1, 1, 1], [make.CITY])
    own, below = read(make.CITY)
    assert own == [4, 1, 1, 1, 1, 1]
    assert below == {make.NEIGHBOUR_COUNTY: [1, 1, 0, 0, 0, 1], make.COUNTY: [4, 1, 1, 1, 1, 1]}
    own, below = read(make.COUNTY)
    assert below[make.SISTER] == [1, 0, 0, 0, 1, 0]
    assert read_progress(make.make_reviewer()).own.found == 4
    with pytest.raises(NotFound):
        read(make.FAR_COUNTY)
    client.force_login(auditor)
    address = reverse("transfers:problem_progress")
    city = f"{address}?office={make.make_office(make.CITY).pk}"
    assert "南山区教育局" in client.get(city).text
    assert client.get(f"{address}?office={make.make_office(make.FAR).pk}").status_code == 404
    nation = make.make_user("national_operator", make.NATION)
    decide(Case.objects.get(number=fought.arbitration_no), "refuse", actor=nation, reason="双方材料不足")
    assert _figures(read_progress(auditor).own) == [4, 2, 1, 0, 1, 1]  # both sides begin anew
    pupil(id_type="Z", id_number="")
    lists = (city, reverse("transfers:numberless"))
    before = [asked(client, one) for one in lists]
    for _n in range(4):
        pair_of(pupil(), make.NEIGHBOUR)
        pupil(id_type="Z", id_number="")
    assert [asked(client, one) for one in lists] == before


def asked(client: Any, address: str) -> int:
    client.get(address)
    with CaptureQueriesContext(connection) as queries:
        assert client.get(address).status_code == 200
    return len(queries)


def _figures(counts: Any) -> list[int]:
    return [counts.found, counts.school, counts.authority, counts.arbitration, counts.closed, counts.overdue]
