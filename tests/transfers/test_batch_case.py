"""学籍注册 of a whole intake batch as one case: what its pages show, deciding it, returning single pupils."""

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from archives.services import count_unattached
from audit.models import AccessEntry, Event
from config.clock import now
from config.models import RuleValue
from registry.models import (
    Enrolment,
    IdentityDocument,
    ImportBatch,
    ImportFinding,
    ImportRow,
    OpenBusiness,
    SchoolClass,
    Student,
)
from tests import make
from tests.transfers.filing import decide_all, file_batch, file_pupil, finish, finish_batch, make_material
from transfers.intake import file_batch_case, return_rows
from transfers.models import Case, Step, rows_of
from transfers.refusals import CaseLocked, RequirementFailed, SecondSignature
from transfers.services import decide

pytestmark = pytest.mark.usefixtures("nation")
QUEUE, CASES, HOME = (reverse(name) for name in ("transfers:queue", "transfers:cases", "home"))


@pytest.fixture
def office() -> dict[str, Any]:
    return {
        "registrar": make.make_registrar(),
        "leader": make.make_leader(),
        "reviewer": make.make_reviewer(),
    }


def page(name: str, case: Case) -> str:
    return reverse(f"transfers:{name}", args=[case.number])


def fresh(case: Case) -> Case:
    return Case.objects.get(pk=case.pk)


def statuses(ids: list[int]) -> set[tuple[str, bool]]:
    return set(Enrolment.objects.filter(student_id__in=ids).values_list("status", "is_void"))


def returned(client: Client, case: Case, *rows: int, text: str = "姓名与户口簿不一致") -> Any:
    sent = {"rows": [str(row) for row in rows], "chosen": "信息与材料不一致", "text": text}
    return client.post(page("return_rows", case), sent)


# ── Seeing ────────────────────────────────────────────────────────────────────────────────────────────────
@pytest.mark.rule("R-EST-04", "R-EST-02", "R-EST-03")
def test_the_reviewer_sees_checks_figures_and_a_sample(client: Client, office: dict[str, Any]) -> None:
    case = file_batch(office, 8, ethnic_group="11", migrant_child="1", left_behind="1")
    client.force_login(office["leader"])
    text = client.get(page("case", case)).text
    assert "批量学籍注册：8 人" in text
    for said in ("学籍待核准：符合", "凭有效身份证件登记：符合", "班额未超：符合", "随机抽查 5 人"):
        assert said in text
    assert "已逐一核验本批学生的有效身份证件原件" in text
    assert "证件复印件须在首次注册后 2个月内归入学籍档案" in text
    batch = client.get(page("case", case)).context["file"].batch
    counted = {key: count for key, _name, count in batch.groups}
    assert counted == {
        "minority": 8, "migrant": 8, "left_behind": 8, "no_number": 0, "continued": 0, "distinct": 0,
    }  # fmt: skip
    assert [(line.boys, line.girls, line.seats.taken) for line in batch.classes] == [(0, 8, 8)]
    assert sum(count for _age, count in batch.ages) == 8


@pytest.mark.rule("RD-3", "RD-1")
def test_a_sample_is_random_masked_recorded_and_can_be_drawn_again(
    client: Client, office: dict[str, Any]
) -> None:
    case = file_batch(office, 30)
    client.force_login(office["reviewer"])
    drawn = [client.get(page("case", case)).context["sample"] for _n in range(6)]
    assert len({sample.seed for sample in drawn}) == 6
    assert len({tuple(row["row"] for row in sample.rows) for sample in drawn}) > 1
    traces = AccessEntry.objects.filter(
        actor_id=office["reviewer"].pk, outcome="list", subject_type="student"
    )
    last = traces.order_by("-id")[0]
    assert str(drawn[-1].seed) in last.purpose
    assert last.subject_ids == [row["student_id"] for row in drawn[-1].rows]
    again = client.get(f"{page('case', case)}?seed={drawn[0].seed}")
    assert [row["row"] for row in again.context["sample"].rows] == [row["row"] for row in drawn[0].rows]
    assert client.get(f"{page('case', case)}?seed=x").status_code == 404
    for row in drawn[0].rows:
        mask = Student.objects.get(pk=row["student_id"]).documents.get().mask
        assert row["document"] == mask[-4:]
        assert mask not in again.text


@pytest.mark.rule("RD-3")
def test_all_rows_are_paged_by_key_and_leave_their_trace(client: Client, office: dict[str, Any]) -> None:
    case = file_batch(office, 60)
    client.force_login(office["leader"])
    first = client.get(page("case_rows", case))
    rows = [row["row"] for row in first.context["page"].rows]
    assert rows == list(range(2, 52))
    rest = client.get(f"{page('case_rows', case)}?after={first.context['page'].after}").context["page"]
    assert [row["row"] for row in rest.rows] == list(range(52, 62))
    assert (rest.after, rest.total) == (None, 60)
    trace = AccessEntry.objects.filter(
        actor_id=office["leader"].pk, route="transfers:case_rows", outcome="list"
    )
    assert [len(entry.subject_ids) for entry in trace.order_by("id")] == [50, 10]
    for nonsense in ("x", "9999", "-1", "9" * 12):
        assert client.get(f"{page('case_rows', case)}?after={nonsense}").status_code == 404


def test_lists_say_how_many_instead_of_who(client: Client, office: dict[str, Any]) -> None:
    case = file_batch(office, 3)
    client.force_login(office["leader"])
    for address in (QUEUE, CASES, HOME):
        text = client.get(address).text
        assert "3 人" in text
        assert "批量学籍注册" in text
    assert "信息已清除" not in client.get(CASES).text
    assert client.get(f"{CASES}?kind=registration").context["page"].rows == []
    assert client.get("/api/v1/cases/").json()["results"][0]["pupil"] == "3 人"
    assert case.card is None


def test_pages_ask_as_much_for_5_pupils_as_for_50(client: Client, office: dict[str, Any]) -> None:
    few, many = file_batch(office, 5), file_batch(office, 50)
    client.force_login(office["leader"])

    def count(address: str) -> int:
        with CaptureQueriesContext(connection) as found:
            assert client.get(address).status_code == 200
        return len(found)

    count(page("case", few))
    assert count(page("case", few)) == count(page("case", many)) < 70
    assert count(page("case_rows", few)) == count(page("case_rows", many)) < 70


@pytest.mark.rule("AZ-4")
def test_warnings_are_counted_by_rule_and_health_is_for_who_may_see_it(
    client: Client, office: dict[str, Any]
) -> None:
    case = file_batch(office, 4)
    rows = list(rows_of(case.batch_id).order_by("number"))
    for row, field, message in (
        (rows[0], "entry_month", "入学年月请核对。"),
        (rows[1], "entry_month", "入学年月请核对。"),
        (rows[1], "health_status", "健康状况请核对。"),
    ):
        ImportFinding.objects.create(
            org_path=make.SCHOOL, batch=case.batch, row=row, number=row.number, field=field, code="doubt",
            level="warning", rule="C5", message=message,
        )  # fmt: skip
    client.force_login(office["leader"])  # no right to health
    seen = client.get(page("case_rows", case))
    assert [(doubt.message, doubt.rows) for doubt in seen.context["file"].batch.doubts] == [
        ("入学年月请核对。", 2)
    ]
    assert [row["doubts"] for row in seen.context["page"].rows[:3]] == [["入学年月请核对。"]] * 2 + [[]]
    client.force_login(office["registrar"])
    assert len(client.get(page("case_rows", case)).context["file"].batch.doubts) == 2


@pytest.mark.rule("AZ-1", "AZ-2")
def test_other_offices_see_nothing_and_a_single_case_has_no_rows(
    client: Client, office: dict[str, Any]
) -> None:
    case = file_batch(office, 3)
    single = file_pupil(office | {"class": make.make_class()})
    for user in (make.make_registrar(make.SISTER), make.make_reviewer(make.FAR_COUNTY)):
        client.force_login(user)
        for name in ("case", "case_rows"):
            assert client.get(page(name, case)).status_code == 404
        assert returned(client, case, 2).status_code == 404
    client.force_login(office["leader"])
    assert client.get(page("case_rows", single)).status_code == 404
    assert returned(client, single, 2).status_code == 404


# ── Filing ────────────────────────────────────────────────────────────────────────────────────────────────
@pytest.mark.rule("R-EST-04", "R-TRF-06")
def test_filing_locks_every_pupil_or_changes_nothing(office: dict[str, Any]) -> None:
    case = file_batch(office, 3)
    event = Event.objects.get(action="transfers.case.file", subject_id=case.pk)
    assert event.detail["count"] == 3
    assert ImportBatch.objects.get(pk=case.batch_id).case_no == case.number
    assert OpenBusiness.objects.filter(case_no=case.number).count() == 3
    batch = make.make_committed_batch(make.SCHOOL, 3)
    busy = rows_of(batch.pk)[1].student_id
    OpenBusiness.objects.filter(case_no=case.number, student_id=case.pupil_ids()[0]).update(student_id=busy)
    with pytest.raises(CaseLocked):
        file_batch_case(batch, actor=office["registrar"], reach=make.SCHOOL, attested=True)
    assert not Case.objects.filter(batch=batch).exists()
    assert ImportBatch.objects.get(pk=batch.pk).case_no == ""


@pytest.mark.rule("R-EST-03")
def test_without_the_registrars_word_on_the_documents_nothing_is_filed(office: dict[str, Any]) -> None:
    batch = make.make_committed_batch(make.SCHOOL, 2)
    with pytest.raises(RequirementFailed, match="有效身份证件原件"):
        file_batch_case(batch, actor=office["registrar"], reach=make.SCHOOL, attested=False)
    case = file_batch_case(batch, actor=office["registrar"], reach=make.SCHOOL, attested=True)
    documents = IdentityDocument.objects.filter(student_id__in=case.pupil_ids())
    documents.filter(pk=documents.first().pk).update(mask="")
    with pytest.raises(RequirementFailed, match="第 2 行的学生没有登记有效身份证件"):
        decide(case, "approve", actor=office["leader"])


@pytest.mark.rule("C5", "R-EST-08")
def test_full_classes_and_disputed_numbers_stop_the_batch_and_name_what_to_do(
    client: Client, office: dict[str, Any]
) -> None:
    case = file_batch(office, 4)
    client.force_login(office["leader"])
    school_class = SchoolClass.objects.filter(pk=rows_of(case.batch_id)[0].school_class_id)
    school_class.update(cap=3)
    assert "一(1)班已有 4 人，上限 3 人" in client.get(page("case", case)).text
    assert client.post(page("decide", case), {"decision": "approve"}).status_code == 409
    school_class.update(cap=None)
    disputed = rows_of(case.batch_id).order_by("number")[1]
    IdentityDocument.objects.filter(student=disputed.student_id).update(is_disputed=True, is_claimed=False)
    refused = client.post(page("decide", case), {"decision": "approve"})
    assert refused.status_code == 409
    assert f"第 {disputed.number} 行的证件号码存疑，没有佐证" in refused.text
    assert returned(client, case, disputed.number).status_code == 302
    assert client.post(page("decide", case), {"decision": "approve"}).status_code == 302
    single = Case.objects.get(student=disputed.student_id)
    assert single.payload["is_disputed"] is True


# ── Deciding ──────────────────────────────────────────────────────────────────────────────────────────────
@pytest.mark.rule("R-EST-04", "R-EST-10", "R-NUM-02", "R-ACC-02")
def test_two_offices_bring_a_batch_in(client: Client, office: dict[str, Any]) -> None:
    case = file_batch(office, 6)
    ids = case.pupil_ids()
    client.force_login(office["leader"])
    assert client.post(page("decide", case), {"decision": "approve"}).status_code == 302
    client.force_login(office["reviewer"])  # from the bar of the queue
    bar = client.post(reverse("transfers:approve"), {"case": [case.number], "looked": "1"})
    assert "同意 1 件" in bar.text
    assert (fresh(case).state, statuses(ids)) == (Case.State.APPROVED, {("00", False)})
    finish_batch(case)
    assert (fresh(case).state, statuses(ids)) == (Case.State.DONE, {("01", False)})
    pupils = Student.objects.filter(pk__in=ids)
    assert {pupil.number[0] for pupil in pupils} == {"G"}
    for pupil in pupils:
        history = [(row.number[0], row.is_current) for row in pupil.numbers.order_by("id")]
        assert history == [("L", False), ("G", True)]
    assert not OpenBusiness.objects.filter(student_id__in=ids).exists()
    events = Event.objects.filter(subject_type="student", subject_id__in=ids)
    assert events.filter(action="registry.student.register").count() == 6
    assert events.filter(action="registry.number.issue").count() == 12
    assert "已办结" in client.get(page("case", case)).text


@pytest.mark.rule("R-ACC-02", "AZ-7")
def test_who_filed_the_batch_neither_signs_it_nor_returns_rows(office: dict[str, Any]) -> None:
    make.add_post(office["registrar"], "leader", make.SCHOOL)
    case = file_batch(office, 3)
    with pytest.raises(SecondSignature):
        decide(case, "approve", actor=office["registrar"])
    with pytest.raises(SecondSignature):
        return_rows(case, [2], actor=office["registrar"], reason="姓名有误请核对")


@pytest.mark.rule("R-EST-04")
def test_a_refused_batch_is_taken_back_whole(client: Client, office: dict[str, Any]) -> None:
    case = file_batch(office, 4)
    ids = case.pupil_ids()
    client.force_login(office["leader"])
    sent = {"decision": "refuse", "chosen": "不符合入学条件"}
    assert client.post(page("decide", case), sent).status_code == 302
    assert (fresh(case).state, statuses(ids)) == (Case.State.REFUSED, {("98", True)})
    assert not IdentityDocument.objects.filter(student_id__in=ids, is_claimed=True).exists()
    assert not OpenBusiness.objects.filter(student_id__in=ids).exists()
    taken = Event.objects.filter(action="registry.student.take_back", subject_id__in=ids)
    assert {event.reason for event in taken} == {"不符合入学条件"}
    assert taken.count() == 4
    assert ImportBatch.objects.get(pk=case.batch_id).state == ImportBatch.State.CANCELLED
    assert "不予通过" in client.get(page("case", case)).text


@pytest.mark.rule("R-TRF-05", "R-EST-04")
def test_the_school_withdraws_its_batch(client: Client, office: dict[str, Any]) -> None:
    case = file_batch(office, 3)
    ids = case.pupil_ids()
    client.force_login(office["leader"])
    assert client.post(page("withdraw", case), {"reason": "文件选错"}).status_code == 403
    client.force_login(office["registrar"])
    assert client.post(page("withdraw", case), {"reason": "文件选错"}).status_code == 302
    assert (fresh(case).state, statuses(ids)) == (Case.State.WITHDRAWN, {("98", True)})
    assert client.get(page("case_rows", case)).status_code == 200


# ── Returning single pupils ───────────────────────────────────────────────────────────────────────────────
@pytest.mark.rule("R-EST-04", "R-TRF-04")
def test_single_pupils_are_returned_corrected_and_brought_in_while_the_others_go_on(
    client: Client, office: dict[str, Any]
) -> None:
    case = file_batch(office, 5)
    decide(case, "approve", actor=office["leader"])
    client.force_login(office["reviewer"])
    assert returned(client, case, 2, 4).status_code == 302
    back = list(Case.objects.filter(kind="registration", state="returned").order_by("id"))
    rows = list(ImportRow.objects.filter(batch=case.batch_id).exclude(returned_case="").order_by("number"))
    assert [(row.number, row.returned_case) for row in rows] == [(2, back[0].number), (4, back[1].number)]
    assert [one.student_id for one in back] == [row.student_id for row in rows]
    assert [(s.decision, s.decided_by_id) for s in back[0].steps.order_by("ordinal")] == [
        ("approve", office["leader"].pk),
        ("return", office["reviewer"].pk),
    ]
    assert {lock.case_no for lock in OpenBusiness.objects.filter(student__in=[r.student for r in rows])} == {
        one.number for one in back
    }
    batch = client.get(page("case", case)).context["file"].batch
    assert (batch.count, batch.returned, batch.classes[0].total) == (3, 2, 3)
    split = Event.objects.filter(action="transfers.case.return_row", subject_id__in=[one.pk for one in back])
    assert {event.reason for event in split} == {"信息与材料不一致：姓名与户口簿不一致"}
    assert split.count() == 2

    decide(fresh(case), "approve", actor=office["reviewer"])
    finish_batch(case)
    assert fresh(case).state == Case.State.DONE
    assert statuses([row.student_id for row in rows]) == {("00", False)}

    single = back[0]
    client.force_login(office["registrar"])
    assert client.get(HOME).context["desk"].returned_count >= 2
    sheet = client.get(page("correct", single)).context["sheet"]
    sent = {
        **sheet.values,
        "name": "林改正",
        "class_id": sheet.class_id,
        "version": str(sheet.version),
        "action": "file",
        "key": sheet.key,
        "document": [str(make_material(office["registrar"]).public_id)],
    }
    assert client.post(page("correct", single), sent).status_code == 302
    decide_all(single, office)  # who has signed the batch may look at her own step again
    finish(single)
    pupil = Student.objects.get(pk=single.student_id)
    finish(pupil)
    pupil.refresh_from_db()
    assert (pupil.name, pupil.number[0], fresh(single).state) == ("林改正", "G", Case.State.DONE)


@pytest.mark.parametrize(
    ("rows", "status", "code"),
    [
        (range(2, 5), 422, "all_rows"),
        ([2, 9], 409, "rows_gone"),
        (range(2, 300), 422, "rows_unclear"),
        ([], 422, "rows_unclear"),
    ],
)
def test_what_cannot_be_returned_is_refused_with_all_kept(
    client: Client, office: dict[str, Any], rows: Any, status: int, code: str
) -> None:
    case = file_batch(office, 3)
    client.force_login(office["leader"])
    answer = returned(client, case, *rows)
    assert (answer.status_code, answer.context["refusal"].code) == (status, code)
    assert 'value="姓名与户口簿不一致"' in answer.text
    assert "、".join(map(str, rows)) in answer.text
    assert fresh(case).count == 3
    assert not Case.objects.filter(student_id__in=case.pupil_ids()).exists()
    refused = AccessEntry.objects.filter(actor_id=office["leader"].pk, outcome="refused")
    assert [entry.code for entry in refused] == [code]


@pytest.mark.rule("R-TRF-04")
def test_returning_needs_a_reason_known_rows_and_her_turn(client: Client, office: dict[str, Any]) -> None:
    case = file_batch(office, 3)
    client.force_login(office["leader"])
    assert client.post(page("return_rows", case), {"rows": "2", "text": "错"}).status_code == 422
    assert client.post(page("return_rows", case), {"rows": "第二行", "text": "姓名有误"}).status_code == 422
    assert client.post(page("return_rows", case), {"rows": "2", "other": "x"}).status_code == 400
    client.force_login(office["reviewer"])
    assert returned(client, case, 2).status_code == 409  # not her turn yet
    client.force_login(office["registrar"])
    assert returned(client, case, 2).status_code == 403
    client.force_login(office["leader"])
    typed = client.post(page("return_rows", case), {"rows": " 2，3 ", "text": "姓名有误"})
    assert typed.status_code == 302
    assert returned(client, case, 2).status_code == 409
    assert fresh(case).count == 1


def test_an_approval_of_a_batch_that_lost_rows_meanwhile_is_refused(office: dict[str, Any]) -> None:
    from transfers.refusals import CaseChanged

    stale = file_batch(office, 3)
    return_rows(fresh(stale), [2], actor=office["leader"], reason="姓名有误请核对")
    with pytest.raises(CaseChanged):
        decide(stale, "approve", actor=office["leader"])


# ── A batch that came back ────────────────────────────────────────────────────────────────────────────────
@pytest.mark.rule("R-EST-04", "R-ACC-02")
def test_a_returned_batch_gives_up_single_pupils_takes_papers_and_is_sent_again(
    client: Client, office: dict[str, Any]
) -> None:
    make.add_post(office["registrar"], "leader", make.SCHOOL)
    case = file_batch(office, 4)
    client.force_login(office["leader"])
    sent = {"decision": "return", "chosen": "材料不全或不清晰", "text": "补盖章名册"}
    assert client.post(page("decide", case), sent).status_code == 302
    assert returned(client, case, 3).status_code == 403  # it lies at the school
    client.force_login(office["registrar"])
    assert "先单独退回" in client.get(page("case", case)).text
    assert returned(client, case, 3).status_code == 302
    single = Case.objects.get(student_id=ImportRow.objects.get(batch=case.batch_id, number=3).student_id)
    assert [step.decision for step in single.steps.all()] == ["return"]
    assert client.get(page("correct", single)).status_code == 200
    assert client.get(page("correct", case)).status_code == 200
    paper = make_material(office["registrar"], "99")
    loose = count_unattached(now())
    assert client.post(page("correct", case), {"document": [str(paper.public_id)]}).status_code == 302
    assert client.post(reverse("archives:remove", args=[paper.public_id])).status_code == 409
    assert count_unattached(now()) == loose - 1
    with pytest.raises(SecondSignature):
        decide(fresh(case), "approve", actor=office["registrar"])
    decide(fresh(case), "approve", actor=office["leader"])
    client.force_login(office["reviewer"])
    assert client.get(reverse("archives:material", args=[paper.public_id])).status_code == 200
    decide(fresh(case), "approve", actor=office["reviewer"])
    finish_batch(case)
    assert statuses(case.pupil_ids()) == {("01", False)}
    assert len(case.pupil_ids()) == 3
    assert Step.objects.filter(case=case, decision="return").count() == 1


@pytest.mark.rule("INTAKE_PLAN")
def test_the_plan_is_advice_where_it_warns_and_stops_where_it_blocks(
    client: Client, office: dict[str, Any]
) -> None:
    case = file_batch(office, 2)
    client.force_login(office["leader"])
    assert client.get(page("case", case)).context["file"].failed == 0
    RuleValue.objects.create(
        path=make.COUNTY, key="INTAKE_PLAN", value="block", valid=make.ALWAYS, document="测试",
        set_by_name="测试", created_by_name="测试",
    )  # fmt: skip
    blocked = client.post(page("decide", case), {"decision": "approve"})
    assert blocked.status_code == 409
    assert "超出计划 2 人" in blocked.text


# ── Over the API ──────────────────────────────────────────────────────────────────────────────────────────
@pytest.mark.rule("R-EST-04")
def test_the_api_says_and_does_the_same(client: Client, office: dict[str, Any]) -> None:
    case = file_batch(office, 4)
    client.force_login(office["leader"])
    detail = client.get(reverse("case-detail", args=[case.number])).json()
    assert (detail["kind"], detail["student"], detail["pupil"]["name"]) == ("registration_batch", None, "")
    assert (detail["batch"]["count"], detail["batch"]["ages"]) == (4, {"6": 4})
    assert detail["batch"]["groups"]["no_number"] == 0
    assert [(line["girls"], line["taken"]) for line in detail["batch"]["classes"]] == [(4, 4)]
    address = reverse("case-return-rows", args=[case.number])
    for body, status in (
        ({"rows": [], "reason": "姓名有误"}, 422),
        ({"rows": ["2"], "reason": "姓名有误"}, 422),
        ({"rows": [2], "reason": "错"}, 422),
        ({"rows": [77], "reason": "姓名有误"}, 409),
    ):
        answer = client.post(address, body, content_type="application/json")
        assert answer.status_code in (status, 400), body
        assert fresh(case).count == 4
    done = client.post(address, {"rows": [2], "reason": "姓名有误"}, content_type="application/json")
    assert (done.status_code, done.json()["batch"]["count"], done.json()["batch"]["returned"]) == (200, 3, 1)
    single = Case.objects.get(kind="registration", payload__batch_case=case.number)
    assert client.get(reverse("case-detail", args=[single.number])).json()["batch"] is None
