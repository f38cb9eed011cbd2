"""学籍核准: campaign, findings as tasks, sign-off, samples, orders (HANDBOOK A8, A13)."""

from datetime import date, timedelta
from typing import Any

import pytest
from django.db.backends.postgresql.psycopg_any import DateRange
from django.test import Client
from django.urls import reverse

from accounts.models import Notice, User
from archives.models import Material
from audit.models import Event
from config.clock import now, today
from config.models import Job
from registry.models import (
    Campaign,
    Enrolment,
    FamilyMember,
    Finding,
    ProblemRecord,
    ReportIn,
    SampleRow,
    SchoolClass,
    SchoolVerification,
    StatusChange,
    Student,
)
from registry.record import school_year_start
from registry.verification import queries, running
from registry.verification.acts import close, plan
from registry.verification.campaigns import campaign_for, open_campaign
from registry.verification.overdue import escalate
from registry.verification.refusals import (
    CampaignOpenAlready,
    FindingsUnplanned,
    NothingChosen,
    OwnPlanSigned,
    PlanUnclear,
    RollsUnconfirmed,
    SignedAlready,
)
from registry.verification.rolls import confirm_roll
from registry.verification.sampling import draw, note_result, place_of
from registry.verification.signing import sign
from reports.evaluation import evaluate
from reports.folding import Unit, count_unit, fold
from tests import make
from tests.transfers.filing import file_pupil, make_material
from transfers.models import Step

pytestmark = pytest.mark.usefixtures("nation")


def opened(due_days: int = 20, by: User | None = None) -> Campaign:
    """A campaign of the province whose first run has ended."""
    campaign = open_campaign(
        actor=by or make.make_reviewer(make.PROVINCE), due_on=today() + timedelta(days=due_days)
    )
    running.verify(campaign.job_id)
    return campaign


def school_of(campaign: Campaign, path: str = make.SCHOOL) -> SchoolVerification:
    return SchoolVerification.objects.get(campaign=campaign, org_path=path)


def kinds_of(student: Student) -> set[str]:
    return set(Finding.objects.filter(student=student).exclude(state="closed").values_list("kind", flat=True))


def report(student: Student, campaign: Campaign | None = None, **fields: Any) -> None:
    """Note that the pupil came this term."""
    from registry.services.intake_rules import present_term

    spell = Enrolment.objects.get(student=student)
    term = present_term(spell.org_path, today())
    values = {"school_year": term.school_year, "semester": term.semester, "is_present": True} | fields
    ReportIn.objects.create(
        org_path=spell.org_path, student=student, school_class=spell.school_class, noted_on=today(),
        noted_by=make.make_registrar(spell.org_path), noted_by_name="登记", **values,
    )  # fmt: skip


def photographed(*without: Student) -> None:
    """Everybody has a photo but these."""
    missing = Student.objects.exclude(materials__kind="photo").exclude(pk__in=[one.pk for one in without])
    Material.objects.bulk_create(
        Material(
            org_path=pupil.org_path, student=pupil, kind="photo", content_type="image/jpeg", size=1,
            digest="0" * 64, stored_as=f"photo {pupil.pk}", created_by=0, created_by_name="测试",
        )
        for pupil in missing
    )  # fmt: skip


def post(client: Client, user: User, route: str, pk: int | None, data: dict[str, Any]) -> Any:
    client.force_login(user)
    return client.post(reverse(f"verification:{route}", args=[pk] if pk else []), data)


@pytest.mark.rule("R-VER-01")
def test_a_province_opens_it_once_a_term_and_the_job_checks_every_school(client: Client) -> None:
    make.make_student()
    make.make_student(make.make_class(make.NEIGHBOUR))
    reviewer, due = make.make_reviewer(make.PROVINCE), today() + timedelta(days=20)
    form = {"key": "open-one-campaign", "due_on": due.isoformat()}
    assert post(client, make.make_reviewer(), "open", None, form).status_code == 409  # no county opens one
    assert post(client, reviewer, "open", None, form | {"due_on": ""}).status_code == 422
    answer = post(client, reviewer, "open", None, form)
    campaign = Campaign.objects.get(path=make.PROVINCE)
    assert answer.status_code == 302
    assert post(client, reviewer, "open", None, form).url == answer.url  # pressed twice: the first answer
    again = post(client, reviewer, "open", None, form | {"key": "another-campaign"})
    assert again.status_code == 409
    assert "不能重复组织" in again.content.decode()
    running.verify(campaign.job_id)
    assert Job.objects.get(pk=campaign.job_id).state == Job.State.DONE
    paths = SchoolVerification.objects.filter(campaign=campaign).values_list("org_path", flat=True)
    assert {make.SCHOOL, make.NEIGHBOUR} <= set(paths)
    client.force_login(reviewer)
    page = client.get(answer.url).content.decode()
    assert "深圳市教育局" in page
    # A county that gets its first school after the opening is checked by the next run.
    late = make.make_class("CN.44.01.05.2144000099.")
    run_again(campaign, reviewer)
    assert school_of(campaign, late.org_path).checked_at


@pytest.mark.rule("R-VER-02", "R-VER-03", "R-VER-05", "ARCHIVE_DEADLINE")
def test_every_kind_is_found_once_and_closed_when_it_is_put_right() -> None:
    school_class, year = make.make_class(), make.first_grader_birth().year
    sound, born_late = make.make_student(school_class), date(year + 4, 3, 1)
    wrong: dict[str, Student] = {
        kind: make.make_student(school_class)
        for kind in ("data", "guardian", "document", "no_class", "pending", "suspension", "problem",
                     "duplicate", "unmoved", "absent", "vacant", "paper")
    }  # fmt: skip
    wrong["age"] = make.make_student(school_class, birth_on=born_late.isoformat())
    spells = {kind: Enrolment.objects.get(student=pupil) for kind, pupil in wrong.items()}
    Student.objects.filter(pk=wrong["data"].pk).update(hukou_division="", ethnic_group="")
    FamilyMember.objects.filter(student=wrong["guardian"]).update(is_guardian=False)
    wrong["document"].documents.update(is_claimed=False)
    change(spells["no_class"], school_class=None)
    change(spells["pending"], status="00", created_at=now_less(60))
    change(spells["suspension"], status="02")
    for kind in ("suspension", "paper"):
        suspended(wrong[kind], today() - timedelta(days=3))
    StatusChange.objects.filter(student=wrong["paper"]).update(closed_on=today())
    paper = make_material(make.make_registrar())
    Material.objects.filter(pk=paper.pk).update(student=wrong["suspension"], kind="document")
    for kind, is_hint in (("problem", False), ("duplicate", True)):
        ProblemRecord.objects.create(
            org_path=make.SCHOOL, other_path=make.SCHOOL, type="3", side="record", student=wrong[kind],
            other=sound, is_hint=is_hint, found_by="查重",
        )  # fmt: skip
    change(spells["unmoved"], entry_month=f"{int(spells['unmoved'].entry_month[:4]) - 1}-09")
    change(spells["vacant"], valid=DateRange(today() - timedelta(days=600), None))  # both terms
    bare = make.make_student(school_class)  # without photo
    newcomer = make.make_student(school_class)  # hers is not due yet
    change(Enrolment.objects.get(student=newcomer), valid=DateRange(today() - timedelta(days=50), None))
    empty = make.make_class(name="一(2)班")
    silent = make.make_student(empty)
    for pupil in (
        *(sound, bare, newcomer),
        *(one for kind, one in wrong.items() if kind not in ("absent", "vacant", "no_class")),
    ):
        report(pupil)
    old = (make.first_grader_birth() + timedelta(days=1)).isoformat()
    crowd = make.make_class(name="一(3)班", cap=1)
    full = [make.make_student(crowd, birth_on=old) for _n in range(2)]
    for pupil in full:
        report(pupil)
    before = term_before()
    for pupil in (sound, wrong["absent"]):
        report(pupil, school_year=before[0], semester=before[1])
    photographed(bare, newcomer)

    campaign = opened()
    for kind, pupil in wrong.items():
        assert kinds_of(pupil) == {kind}, kind
    assert kinds_of(sound) == {"problem"}  # the other side of it
    assert not kinds_of(silent) | kinds_of(newcomer)
    assert not kinds_of(full[0])
    of_classes = Finding.objects.filter(campaign=campaign, student=None)
    assert {(one.kind, one.school_class) for one in of_classes} == {
        ("unreported", empty), ("class_over", crowd), ("photo", school_class),
    }  # fmt: skip
    facts = dict(Finding.objects.filter(campaign=campaign).values_list("kind", "facts"))
    assert facts["data"] == {"fields": ["ethnic_group", "hukou_division"]}
    assert facts["class_over"] == {"pupils": 2, "cap": 1}
    assert facts["photo"] == {"pupils": 1}
    named = queries.without_photo(of_classes.get(kind="photo"), make.make_registrar())
    assert [one["pk"] for one in named] == [bare.pk]  # as many as are counted
    assert facts["suspension"] == {"until": (today() - timedelta(days=3)).isoformat()}

    # Twice: nothing new. Put right: closed by the run. Wrong again: open again.
    again = make.make_reviewer(make.PROVINCE)
    count, newest = Finding.objects.count(), Finding.objects.latest("pk").pk
    run_again(campaign, again)
    assert (Finding.objects.count(), Finding.objects.latest("pk").pk) == (count, newest)
    Finding.objects.filter(student=wrong["guardian"]).update(state="planned", plan="联系家长补登")
    FamilyMember.objects.filter(student=wrong["guardian"]).update(is_guardian=True)
    run_again(campaign, again)
    found = Finding.objects.get(student=wrong["guardian"])
    assert (found.state, found.gone_at is None, found.closed_by) == ("closed", False, None)
    FamilyMember.objects.filter(student=wrong["guardian"]).update(is_guardian=False)
    run_again(campaign, again)
    found.refresh_from_db()
    assert (found.state, found.gone_at) == ("open", None)
    school = school_of(campaign)
    assert school.findings_open == school.unplanned == count == school.findings_total
    assert (school.pupils, school.rolls_total) == (len(wrong) + 6, 3)
    checked = Event.objects.filter(action="registry.verification.check", subject_id=school.pk)
    assert checked.count() == 4


def change(spell: Enrolment, **columns: Any) -> None:
    Enrolment.objects.filter(pk=spell.pk).update(**columns)


def now_less(days: int) -> Any:
    return now() - timedelta(days=days)


def term_before() -> tuple[int, str]:
    from registry.services.intake_rules import present_term

    term = present_term(make.SCHOOL, today())
    return (term.school_year, "1") if term.semester == "2" else (term.school_year - 1, "2")


def suspended(student: Student, until: date) -> None:
    school = Enrolment.objects.get(student=student).school
    StatusChange.objects.create(
        from_path=school.path, to_path=school.path, counted_path=school.path, student=student,
        case_no=f"XX{student.pk}", kind="suspension", category="11", from_school=school, to_school=school,
        from_status="01", to_status="02", from_grade="11", to_grade="11",
        happened_on=until - timedelta(days=90), effective_on=until - timedelta(days=90), until=until,
    )  # fmt: skip


def run_again(campaign: Campaign, actor: User) -> None:
    from registry.verification.campaigns import check_again

    check_again(campaign, actor=actor)
    campaign.refresh_from_db()
    running.verify(campaign.job_id)


# ── Findings as tasks, and the signature ─────────────────────────────────────────────────────────────────
def ready() -> tuple[SchoolVerification, User, User, list[Finding]]:
    """A checked school with two findings: guardian missing, two pupils; its rolls are confirmed."""
    school_class = make.make_class()
    pupils = [make.make_student(school_class) for _n in range(2)]
    for pupil in pupils:
        report(pupil)
    FamilyMember.objects.filter(student__in=pupils).update(is_guardian=False)
    photographed()
    school = school_of(opened())
    registrar = make.make_registrar()
    confirm_roll(school_class, [pupil.pk for pupil in pupils], [], [], version=0, actor=registrar)
    return school, registrar, make.make_leader(), list(Finding.objects.order_by("pk"))


@pytest.mark.rule("R-VER-05", "R-VER-01", "G-16", "AZ-7")
def test_nobody_signs_while_a_finding_has_no_plan(client: Client) -> None:
    school, registrar, leader, (first, second) = ready()
    due, soon = (today() + timedelta(days=days) for days in (30, 5))
    form = {"act": "plan", "finding": [first.pk], "text": "联系家长补登监护人", "due_on": soon.isoformat()}
    refused = post(client, leader, "school_act", school.pk, {"act": "sign"})
    assert refused.status_code == 409
    assert "还有 2 条问题没有整改计划（没有监护人 2）" in refused.content.decode()
    assert not SchoolVerification.objects.exclude(signed_at=None).exists()
    assert post(client, leader, "school_act", school.pk, form).status_code == 403  # acting is the registrar's
    assert post(client, registrar, "school_act", school.pk, form | {"due_on": ""}).status_code == 422
    for ids, text, day, refusal in (
        ([first.pk], "会补", soon, PlanUnclear),
        ([first.pk], "联系家长补登监护人", due, PlanUnclear),
        ([], "联系家长补登监护人", soon, NothingChosen),
    ):
        with pytest.raises(refusal):
            plan(school.campaign, make.SCHOOL, ids, actor=registrar, text=text, due_on=day)
    assert post(client, registrar, "school_act", school.pk, form).status_code == 302
    first.refresh_from_db()
    assert (first.state, first.plan, first.due_on) == ("planned", "联系家长补登监护人", soon)
    with pytest.raises(FindingsUnplanned):
        sign(school, actor=leader)
    closing = {"act": "close", "finding": [second.pk], "text": "监护人已当面登记"}
    assert post(client, registrar, "school_act", school.pk, closing).status_code == 302
    late = post(client, registrar, "school_act", school.pk, closing)  # somebody was quicker
    assert late.status_code == 409
    assert "已由他人处理" in late.content.decode()

    both = make.make_registrar()
    make.add_post(both, "leader", make.SCHOOL)
    Finding.objects.filter(pk=first.pk).update(planned_by=both)
    both.acting_post = both.posts.get(role="leader")
    with pytest.raises(OwnPlanSigned):
        sign(school, actor=User.objects.get(pk=both.pk))
    assert post(client, leader, "school_act", school.pk, {"act": "sign"}).status_code == 302
    school.refresh_from_db()
    assert (school.state, school.signed_by, school.counts) == ("signed", leader, {
        "pupils": 2, "rolls": 1, "findings": 2, "open": 1, "kinds": {"guardian": {"closed": 1, "planned": 1}},
    })  # fmt: skip
    with pytest.raises(SignedAlready):
        sign(school, actor=leader)
    acts = ["registry.finding.plan", "registry.finding.close", "registry.verification.sign"]
    assert [Event.objects.filter(action=act).count() for act in acts] == [1, 1, 1]

    # Signed: a later run writes nothing new, what is frozen stays.
    make.make_student(SchoolClass.objects.get(), birth_on=f"{today().year - 14}-05-05")
    run_again(school.campaign, make.make_reviewer(make.PROVINCE))
    assert Finding.objects.count() == 2
    school.refresh_from_db()
    assert school.counts["pupils"] == 2


@pytest.mark.rule("R-VER-02")
def test_nobody_signs_before_the_rolls_are_confirmed() -> None:
    school, _registrar, leader, findings = ready()
    Finding.objects.update(state="closed")
    report(make.make_student(make.make_class(name="一(2)班")))
    with pytest.raises(RollsUnconfirmed):
        sign(school, actor=leader)
    assert len(findings) == 2


@pytest.mark.rule("R-VER-05")
def test_overdue_findings_are_told_to_the_office_above_once() -> None:
    school, registrar, _leader, (first, second) = ready()
    reviewer, clerk = make.make_reviewer(), make.make_user("bureau_leader", make.COUNTY)
    Finding.objects.filter(pk=first.pk).update(due_on=today() - timedelta(days=1))
    Finding.objects.filter(pk=second.pk).update(due_on=today())
    assert escalate([make.PROVINCE]) == 1
    assert escalate([make.PROVINCE]) == 0
    told = Notice.objects.filter(kind="verification")
    assert reviewer.pk in set(told.values_list("user_id", flat=True))
    assert clerk.pk not in set(told.values_list("user_id", flat=True))
    school.refresh_from_db()
    assert school.overdue == 1
    soon = today() + timedelta(days=3)
    plan(school.campaign, make.SCHOOL, [first.pk], actor=registrar, text="本周内补登监护人", due_on=soon)
    school.refresh_from_db()
    assert (school.overdue, school.unplanned) == (0, 1)


@pytest.mark.rule("R-VER-07", "R-VER-05")
def test_an_order_under_article_26_is_closed_by_the_office_that_gave_it(client: Client) -> None:
    school, registrar, leader, (first, _second) = ready()
    county, auditor = make.make_reviewer(), make.make_user("auditor", make.PROVINCE)
    soon = (today() + timedelta(days=7)).isoformat()
    order = {"act": "order", "offence": "3", "text": "补办手续并归档", "due_on": soon}
    for user, expected in ((leader, 403), (registrar, 403), (make.make_reviewer(make.NEIGHBOUR_COUNTY), 404)):
        assert post(client, user, "finding_act", first.pk, order).status_code == expected
    assert post(client, auditor, "finding_act", first.pk, order | {"offence": "10"}).status_code == 422
    assert post(client, auditor, "finding_act", first.pk, order).status_code == 302
    assert post(client, county, "finding_act", first.pk, order).status_code == 409  # one order stands
    assert Notice.objects.filter(user=registrar, kind="verification").exists()
    closing = {"act": "close", "finding": [first.pk], "text": "已经补登监护人"}
    refused = post(client, registrar, "school_act", school.pk, closing)
    assert refused.status_code == 409
    assert "广东省教育厅责令整改" in refused.content.decode()
    later = today() + timedelta(days=15)
    plan(school.campaign, make.SCHOOL, [first.pk], actor=registrar, text="年底前补登监护人", due_on=later)
    first.refresh_from_db()
    assert first.due_on.isoformat() == soon  # a plan does not move the ordered day
    Finding.objects.filter(pk=first.pk).update(due_on=today() - timedelta(days=1))
    assert escalate([make.PROVINCE]) == 1
    assert Notice.objects.filter(user=auditor, kind="verification", text__contains="责令整改").exists()
    assert Notice.objects.filter(user=county, kind="verification", text__contains="督促").exists()
    answer = {"act": "answer", "text": "已补登监护人，材料已归档"}
    assert post(client, registrar, "finding_act", first.pk, answer).status_code == 302
    run_again(school.campaign, make.make_reviewer(make.PROVINCE))
    first.refresh_from_db()
    assert (first.state, first.offence) == ("planned", 3)
    done = {"act": "close", "text": "实地核对属实，同意销号"}
    assert post(client, county, "finding_act", first.pk, done).status_code == 403
    assert post(client, auditor, "finding_act", first.pk, done).status_code == 302
    first.refresh_from_db()
    assert (first.state, first.closed_by) == ("closed", auditor)


# ── Levels and samples ───────────────────────────────────────────────────────────────────────────────────
@pytest.mark.rule("R-VER-07")
def test_a_sample_can_be_drawn_again_from_its_seed(client: Client) -> None:
    make.make_rule("VERIFY_SAMPLE_PERCENT", 50, make.PROVINCE)
    make.make_rule("VERIFY_SAMPLE_SCHOOLS", 1, make.PROVINCE)
    near, far = make.make_class(), make.make_class(make.SISTER)
    for school_class in (near, far):
        for _n in range(5):
            make.make_student(school_class)
    campaign, auditor = opened(), make.make_user("auditor", make.PROVINCE)
    client.force_login(auditor)
    answer = client.post(reverse("verification:samples") + f"?campaign={campaign.pk}")
    assert answer.status_code == 302
    rows = list(SampleRow.objects.select_related("sample", "student").order_by("ordinal"))
    seed = rows[0].sample.seed
    school = min((make.SCHOOL, make.SISTER), key=lambda path: place_of(seed, path))
    pupils = Student.objects.filter(org_path=school)
    expected = sorted(pupils, key=lambda pupil: place_of(seed, str(pupil.public_id)))[:3]
    assert [row.student for row in rows] == expected
    assert (rows[0].sample.schools, rows[0].sample.pupils) == (1, 5)

    page = client.get(answer.url).content.decode()
    assert all(pupil.name in page for pupil in expected)
    noted = {"row": rows[0].pk, "result": "disagrees", "note": ""}
    assert client.post(answer.url, noted).status_code == 422
    assert client.post(answer.url, noted | {"note": "班上没有此人"}).status_code == 302
    assert client.post(answer.url, noted | {"note": "班上没有此人"}).status_code == 409
    assert client.post(answer.url, {"row": rows[1].pk, "result": "agrees"}).status_code == 302
    found = Finding.objects.get(kind="sample")
    assert (found.student, found.org_path, found.state) == (expected[0], school, "open")
    assert today() < found.due_on <= campaign.due_on
    # Another sample opens it again: a day that was ordered stands.
    Finding.objects.filter(pk=found.pk).update(
        student=rows[2].student, order_due_on=today(), state="closed", closed_at=now()
    )
    assert client.post(answer.url, noted | {"row": rows[2].pk, "note": "班上没有此人"}).status_code == 302
    found.refresh_from_db()
    assert (found.state, found.due_on) == ("open", today())
    sheet = client.get(reverse("reports:evaluation"), {"year": campaign.school_year}).content.decode()
    assert "抽查相符的学生" in sheet
    assert f'aria-current="page">{campaign.school_year}</a>' in sheet
    client.force_login(make.make_reviewer(make.NEIGHBOUR_COUNTY))
    assert client.get(answer.url).status_code == 404


@pytest.mark.rule("R-VER-07", "G-21")
def test_the_evaluation_is_the_same_live_and_folded() -> None:
    school, registrar, leader, (first, second) = ready()
    campaign = school.campaign
    close(campaign, make.SCHOOL, [first.pk], actor=registrar, how="监护人已当面登记")
    Finding.objects.filter(pk=first.pk).update(closed_at=now())  # of the test's clock
    plan(campaign, make.SCHOOL, [second.pk], actor=registrar, text="本周补登监护人", due_on=today())
    sign(school, actor=leader)
    reviewer, inspector = make.make_reviewer(), make.make_reviewer(make.PROVINCE)
    sample = draw(campaign, actor=inspector)  # lies at the province: its rows are counted in the county
    note_result(sample.rows.get(), actor=inspector, result="agrees", note="")
    sample.rows.update(inspected_at=now())
    people = {"class": make.make_class(), "registrar": registrar, "leader": leader, "reviewer": reviewer}
    for days in (0, -1):  # one case in time, one waiting beyond its day
        step = file_pupil(people).steps.get(is_current=True)
        decided = {} if days else {"is_current": False, "decided_at": now()}
        Step.objects.filter(pk=step.pk).update(due_on=today() + timedelta(days=days), **decided)
    count_unit(Unit(make.COUNTY))
    fold()
    school_year = school_year_start(today()).year
    for path in (make.COUNTY, make.PROVINCE):
        office = make.make_office(path)
        found: dict[tuple[str, int], tuple[int, int | None]] = {}
        for year in (campaign.school_year, school_year):
            for _title, figures in evaluate(office, str(year), reviewer).parts:
                found |= {(one.label, year): (one.part, one.whole) for one in figures}
        for label, year, expected in (
            ("完成核准签署的学校", campaign.school_year, (1, 1)),
            ("核准未发现问题的比例（按人次）", campaign.school_year, (0, 2)),
            ("核准问题已销号", campaign.school_year, (1, 2)),
            ("核准问题按期销号", campaign.school_year, (1, 1)),
            ("抽查相符的学生", school_year, (1, 1)),
            ("办件各环节按时办结", school_year, (1, 2)),
        ):
            assert found[label, year] == expected, (path, label)


@pytest.mark.rule("R-VER-07", "R-VER-01")
def test_progress_by_level_equals_the_lists_and_costs_the_same(
    client: Client,
) -> None:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    def asked(user: User, address: str) -> int:
        client.force_login(user)
        with CaptureQueriesContext(connection) as seen:
            assert client.get(address).status_code == 200
        return len(seen)

    for path in (make.SCHOOL, make.NEIGHBOUR):
        pupil = make.make_student(make.make_class(path))
        report(pupil)
        FamilyMember.objects.filter(student=pupil).update(is_guardian=False)
    photographed()
    campaign = opened()
    nation = make.make_user("national_operator", make.NATION)
    people = (nation, make.make_reviewer(make.PROVINCE), make.make_reviewer(make.CITY), make.make_reviewer())
    address = reverse("verification:home") + f"?campaign={campaign.pk}"
    askers = (nation, people[-1])
    few = [asked(user, address) for user in askers]
    listing = reverse("verification:findings") + f"?campaign={campaign.pk}"
    few_listed = [asked(user, listing) for user in askers]
    for user, expected in zip(people, (2, 2, 2, 1), strict=True):
        office = user.own_office
        assert office is not None
        lines = queries.progress(campaign, office, user)
        assert lines.total["findings_open"] == expected
        assert queries.read_findings(campaign, office.path, user, {}).total == expected
    for path in (f"CN.44.03.05.21440001{n:02d}." for n in range(3)):
        pupil = make.make_student(make.make_class(path))
        FamilyMember.objects.filter(student=pupil).update(is_guardian=False)
    run_again(campaign, people[1])
    assert [asked(user, address) for user in askers] == few
    assert [asked(user, listing) for user in askers] == few_listed
    # The neighbour's own county only; another province's campaign is hidden like a missing one.
    client.force_login(make.make_reviewer(make.FAR_COUNTY))
    assert client.get(address).status_code == 404
    client.force_login(make.make_reviewer(make.NEIGHBOUR_COUNTY))
    assert client.get(reverse("verification:school", args=[school_of(campaign).pk])).status_code == 404


@pytest.mark.rule("R-VER-01")
def test_the_nation_leaves_out_a_province_with_its_own(client: Client) -> None:
    make.make_student()
    make.make_student(make.make_class(make.FAR))
    own = opened()
    national = opened(by=make.make_user("national_operator", make.NATION))
    paths = SchoolVerification.objects.filter(campaign=national).values_list("org_path", flat=True)
    assert make.FAR in paths
    assert make.SCHOOL not in paths
    assert campaign_for(make.COUNTY, None) == own
    assert campaign_for(make.FAR_COUNTY, None) == national
    with pytest.raises(CampaignOpenAlready):
        opened(by=make.make_reviewer("CN.51."))


@pytest.mark.rule("R-VER-01", "R-VER-05", "AP-4")
def test_the_api_does_the_same(client: Client) -> None:
    school, registrar, leader, (first, second) = ready()
    county, root = make.make_reviewer(), "/api/v1/"

    def sent(user: User, path: str, body: dict[str, Any]) -> Any:
        client.force_login(user)
        return client.post(root + path, body, content_type="application/json")

    client.force_login(county)
    listed = client.get(f"{root}findings/?campaign={school.campaign_id}&show=open").json()
    assert [row["id"] for row in listed["results"]] == [second.pk, first.pk]
    assert listed["results"][0]["student_name"] == second.student.name
    (line,) = client.get(f"{root}campaigns/{school.campaign_id}/progress/").json()["results"]
    assert (line["school"], line["findings_open"], line["signed"]) == (school.pk, 2, 0)
    body = {"findings": [first.pk, second.pk], "plan": "本周内补登监护人", "due_on": f"{today():%Y-%m-%d}"}
    assert sent(leader, f"verifications/{school.pk}/plan/", body).status_code == 403
    assert sent(leader, f"verifications/{school.pk}/sign/", {}).json()["code"] == "findings_unplanned"
    assert sent(registrar, f"verifications/{school.pk}/plan/", body).json()["unplanned"] == 0
    order = {"offence": 9, "order": "限期补登监护人", "due_on": f"{today():%Y-%m-%d}"}
    assert sent(county, f"findings/{first.pk}/order/", order).json()["offence"] == 9
    closing = {"findings": [second.pk], "how": "已经补登监护人"}
    assert sent(registrar, f"verifications/{school.pk}/close/", closing).json()["findings_open"] == 1
    answer = sent(registrar, f"findings/{first.pk}/answer/", {"answer": "已经补登监护人"}).json()
    assert answer["state"] == "planned"
    ended = sent(county, f"findings/{first.pk}/close-order/", {"how": "核对属实，销号"})
    assert ended.json()["state"] == "closed"
    assert sent(registrar, f"verifications/{school.pk}/check/", {}).json()["findings_open"] == 0
    assert sent(leader, f"verifications/{school.pk}/sign/", {}).json()["state"] == "signed"
