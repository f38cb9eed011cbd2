"""转学 from the look-up to the receipt: every route end to end, every requirement's refusal beside its
success (R-TRF, G-02, G-10, G-14, G-15, G-19).
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse

from accounts.models import Notice
from archives.models import Handover, Material
from audit.models import AccessEntry, Event
from audit.services import System
from config.clock import today
from config.errors import NotAllowed, Refusal
from config.scope import scope
from registry.entries.kinds import SANCTION
from registry.entries.services import add_entry, lift_sanction
from registry.models import (
    Enrolment,
    EnrolmentSnapshot,
    HostNote,
    IntakePlan,
    OpenBusiness,
    ProblemRecord,
    School,
    StudentNumber,
)
from registry.record import school_year_start
from registry.services.allowances import last_day, permit_seats, set_quota
from registry.services.editing import update_normal
from registry.services.refusals import RecordRefused
from registry.status import ABROAD, LEFT, MOVED, NORMAL, SUSPENDED
from tests import make
from tests.transfers.filing import finish, make_material
from tests.transfers.moving import (
    GRADE,
    answers,
    far_period,
    file_move,
    open_season,
    period_now,
    pupil_at,
    sign,
    sign_all,
)
from transfers import across, filing
from transfers.casefile import open_file
from transfers.kinds import KINDS
from transfers.kinds.grounds import GROUNDS, papers_for
from transfers.kinds.return_elsewhere import RETURN_ELSEWHERE
from transfers.kinds.transfer import TRANSFER
from transfers.kinds.transfer_conditions import grades_open
from transfers.models import Case
from transfers.refusals import CaseLocked, ExceptionUnknown
from transfers.services import decide, refile, withdraw

DIRECT = "CN.44.03.2144000009."  # run by the city, lies in 南山区
SPECIAL = "CN.44.03.05.2144000077."
OTHER_CITY_COUNTY, OTHER_CITY = "CN.44.01.06.", "CN.44.01.06.2144000021."


@pytest.fixture(autouse=True)
def season(nation: None) -> None:
    open_season()


def review(path: str) -> tuple[str, str]:
    return path, "review_case"


def decision(path: str) -> tuple[str, str]:
    return path, "decide_case"


@dataclass(frozen=True)
class Way:
    """One route: where from, where to, who decides in which order, and what is special about it."""

    name: str
    origin: str
    target: str
    steps: list[tuple[str, str]]
    lane: str
    given: dict[str, str] = field(default_factory=dict)
    papers: tuple[str, ...] = ("01", "08")


WAYS = [
    Way("one authority", make.SISTER, make.SCHOOL,
        [review(make.SCHOOL), review(make.SISTER), decision(make.COUNTY)], "transfer.same.2"),
    Way("two counties of a city", make.NEIGHBOUR, make.SCHOOL,
        [review(make.SCHOOL), decision(make.COUNTY), review(make.NEIGHBOUR),
         decision(make.NEIGHBOUR_COUNTY)], "transfer.city.2"),
    Way("two cities", OTHER_CITY, make.SCHOOL,
        [review(make.SCHOOL), decision(make.COUNTY), review(OTHER_CITY), decision(OTHER_CITY_COUNTY)],
        "transfer.province.2"),
    Way("two provinces", make.FAR, make.SCHOOL,
        [review(make.SCHOOL), decision(make.COUNTY), review(make.FAR), decision(make.FAR_COUNTY)],
        "transfer.across.2", papers=("01", "08", "22")),
    Way("directly run", DIRECT, make.NEIGHBOUR,
        [review(make.NEIGHBOUR), decision(make.NEIGHBOUR_COUNTY), review(DIRECT), decision(make.CITY)],
        "transfer.city.2"),
]  # fmt: skip


@pytest.mark.parametrize("way", WAYS, ids=[way.name for way in WAYS])
@pytest.mark.rule("R-TRF-01", "R-TRF-02", "R-TRF-17", "R-TRF-18", "R-TRF-20", "R-TRF-22", "R-UPD-04")
def test_a_transfer_goes_its_way_and_the_status_follows_the_pupil(way: Way, client: Client) -> None:
    make.make_office(DIRECT, division="440305")
    make.make_office(make.COUNTY)
    student = pupil_at(way.origin)
    photo = make_material(make.make_registrar(way.origin), "02")
    Material.objects.filter(pk=photo.pk).update(student=student)
    Enrolment.objects.filter(student=student).update(number_in_class="7")
    target = make.make_class(way.target, grade=GRADE)
    case = file_move(student, target, papers=way.papers, **way.given)
    steps = list(case.steps.order_by("ordinal").values_list("office_path", "right"))
    assert (steps, case.lane) == (way.steps, way.lane)
    assert {days for days in case.steps.values_list("days", flat=True)} == {10}

    # Whoever waits sees by whom the pending step is held, with telephone (R-TRF-22).
    case = sign(case)
    waiting = case.steps.get(is_current=True)
    holder = make.make_user("leader" if waiting.right == "review_case" else "reviewer", waiting.office_path,
                            phone="0755-1234", name="王经办")  # fmt: skip
    with scope(way.target):
        current = open_file(case, make.make_registrar(way.target)).current
    assert current is not None
    assert (holder.name, holder.phone) in current.people

    case = sign_all(case)
    assert case.state == Case.State.DONE
    student.refresh_from_db()
    old, new = Enrolment.objects.filter(student=student).order_by("valid")
    assert (old.status, new.status, old.valid.upper) == (MOVED, NORMAL, new.valid.lower)
    assert (new.school.path, new.school_class, new.grade) == (way.target, target, GRADE)
    assert {student.org_path, old.org_path, new.org_path} == {way.target}
    assert (student.number, StudentNumber.objects.get(student=student).number) == (case.student.number,) * 2
    assert not OpenBusiness.objects.filter(student=student).exists()
    change = student.changes.get()
    assert (change.from_school_id, change.to_school_id) == (old.school_id, new.school_id)
    assert (change.category, change.reason) == ("22", "02")

    # The former school keeps the day's record, the file went with a receipt, the new one confirms it.
    snapshot = EnrolmentSnapshot.objects.get(student=student)
    assert (snapshot.org_path, snapshot.as_of, snapshot.to_name) == (way.origin, today(), case.to_name)
    handed = Handover.objects.get(student=student)
    assert handed.materials == 1 + len(way.papers)
    assert set(Material.objects.filter(student=student).values_list("org_path", flat=True)) == {way.target}
    assert handed.due_on > today() + timedelta(days=26)
    registrar = make.make_registrar(way.target)
    client.force_login(registrar)
    assert client.get(reverse("transfers:handovers")).text.count(student.name) == 1
    address = reverse("transfers:receive", args=[handed.pk])
    (listed,) = client.get(reverse("handover-list")).json()["results"]
    assert (listed["id"], listed["materials"], listed["received_at"]) == (handed.pk, handed.materials, None)
    assert client.post(address, {"remark": "齐全"}).status_code == 302
    again = reverse("handover-receive", args=[handed.pk])
    assert client.post(again, {"remark": "又齐全"}, content_type="application/json").status_code == 409
    handed.refresh_from_db()
    assert (handed.received_by_name, handed.remark) == (registrar.name, "齐全")
    # The record continues: B sees the spell at A among its own (R-TRF-18).
    record = client.get(reverse("registry:student", args=[student.public_id]), {"tab": "history"}).text
    assert old.school.name in record
    assert new.school.name in record

    notes = HostNote.objects.filter(student=student)
    if way.origin != DIRECT:
        assert not notes.exists()
        return
    (note,) = notes
    assert (note.org_path, note.direction, note.school.path) == (make.COUNTY, "out", DIRECT)
    client.force_login(make.make_reviewer(make.COUNTY))
    assert student.name in client.get(reverse("registry:host_notes")).text
    client.force_login(make.make_reviewer(make.NEIGHBOUR_COUNTY))
    assert student.name not in client.get(reverse("registry:host_notes")).text


@pytest.mark.rule("R-TRF-01", "R-TRF-16", "A14", "R-CHG-09")
def test_from_an_ordinary_to_a_special_school_the_status_may_stay(client: Client) -> None:
    """The sixth way: the pupil goes, the status stays where it is, by agreement."""
    student = pupil_at(make.NEIGHBOUR)
    School.objects.filter(organization=make.make_office(SPECIAL)).update(running_type="513")
    given = {"reason": "09", "same_register": "", "status_stays": "1"}
    with pytest.raises(Refusal, match="特殊教育学校与普通学校之间"):
        file_move(student, make.make_class(make.SISTER, grade=GRADE), papers=("15",), **given)
    case = sign_all(file_move(student, make.make_class(SPECIAL, grade=GRADE), papers=("15",), **given))
    student.refresh_from_db()
    stay = student.attendances.get()
    assert (case.state, student.org_path, student.enrolments.get().status) == ("done", make.NEIGHBOUR, NORMAL)
    assert (stay.org_path, stay.home_path) == (SPECIAL, make.NEIGHBOUR)
    assert not EnrolmentSnapshot.objects.filter(student=student).exists()
    # Without the answer "stays", the same ground moves the status.
    other = pupil_at(make.NEIGHBOUR)
    given["status_stays"] = "0"
    sign_all(file_move(other, make.make_class(SPECIAL, grade=GRADE), papers=("15",), **given))
    assert other.enrolments.get(status=NORMAL).school.path == SPECIAL


@pytest.mark.rule("ROUTE_EXTRA_LEVELS", "R-TRF-02", "TRANSFER_STEP_DAYS")
def test_extra_levels_enter_the_route_where_a_locality_asks_for_them() -> None:
    """Township, city for senior pupils, province for moves across; each side asks for its own."""
    town, rural = "CN.51.01.04.101.", "CN.51.01.04.101.2151000009."
    make.make_office(town, kind="township", is_authority=False)
    make.make_rule("ROUTE_EXTRA_LEVELS", ["township", "city_senior", "province_across"], "CN.51.")
    make.make_rule("TRANSFER_STEP_DAYS", 5, "CN.51.")
    student = pupil_at(rural, grade="32")
    papers = ("01", "08", "22")
    case = file_move(
        student, make.make_class(make.SCHOOL, grade="32"), papers=papers, score="600", line="600"
    )
    steps = list(case.steps.order_by("ordinal").values_list("office_path", "days"))
    assert steps == [
        (make.SCHOOL, 10), (make.COUNTY, 10), (rural, 5), (town, 5), ("CN.51.01.04.", 5), ("CN.51.01.", 5),
        ("CN.51.", 5),
    ]  # fmt: skip
    # Nothing of it for a primary pupil inside a province that asks for nothing.
    plain = file_move(pupil_at(make.NEIGHBOUR), make.make_class(make.SCHOOL, grade=GRADE))
    assert plain.steps.count() == 4


# ── Look-up: the national consistency check before filing ─────────────────────────────────────────────────
def _lock(student: Any) -> None:
    file_move(student, make.make_class(make.SISTER, grade=GRADE), papers=("01", "08", "22"))


def _left(student: Any) -> None:
    Enrolment.objects.filter(student=student).update(status=LEFT)


def _graduated(student: Any) -> None:
    Enrolment.objects.filter(student=student).update(status="07")


def _problem(student: Any) -> None:
    ProblemRecord.objects.create(
        org_path=student.org_path, other_path=student.org_path, type="1", side="single", student=student,
        found_by="测试", detail="测试",
    )  # fmt: skip


CHECKS: list[tuple[str, dict[str, str], Callable[[Any], None] | None, str]] = [
    ("another name", {"name": "林不存"}, None, "check_2001"),
    ("unknown number", {"number": "G440305201510150019"}, None, "check_2001"),
    ("identity number beside a G", {"number": "identity"}, None, "check_2001"),
    ("open business", {}, _lock, "check_2002"),
    ("marked as left", {}, _left, "check_2002"),
    ("graduated", {}, _graduated, "pupil_status_ended"),
    ("problem record", {}, _problem, "check_2003"),
]


@pytest.mark.parametrize(("what", "asked", "spoil", "code"), CHECKS, ids=[row[0] for row in CHECKS])
@pytest.mark.rule("R-TRF-06", "R-TRF-07", "R-TRF-08", "AZ-9", "RD-6")
def test_what_stops_a_transfer_is_said_before_filing(
    client: Client, what: str, asked: dict[str, str], spoil: Callable[[Any], None] | None, code: str
) -> None:
    values = make.valid_values()
    student = pupil_at(make.FAR, **values)
    registrar = make.make_registrar()
    client.force_login(registrar)
    sent = {"kind": "transfer", "name": student.name, "number": student.number} | asked
    if sent["number"] == "identity":
        sent["number"] = values["id_number"]
    page = reverse("transfers:move_in")
    right = sent | {"name": student.name, "number": student.number}
    assert client.post(page, right).status_code == 200
    if spoil:
        spoil(student)
    refused = client.post(page, sent)
    assert refused.status_code == 409
    assert code in refused.text
    assert (student.number not in refused.text) or sent["number"] == student.number
    assert make.make_office(make.FAR).name not in refused.text  # the county at most
    made = AccessEntry.objects.filter(actor_id=registrar.pk, outcome="look_up").order_by("id")
    assert [entry.code for entry in made] == ["found", "none" if code == "check_2001" else "found"]


@pytest.mark.rule("R-TRF-08", "R-NUM-05", "R-NUM-03")
def test_any_number_she_ever_had_finds_her_and_an_identity_number_until_she_has_a_g() -> None:
    values = make.valid_values(name="欧阳·小海")
    student = pupil_at(make.FAR, number="L440305201510159999", **values)
    registrar = make.make_registrar()

    def finds(number: str, name: str = values["name"]) -> str:
        with scope(make.SCHOOL):
            found = across.find_pupil(registrar, name=name, number=number, route="test")
            pupil, school = across.found(found.token, registrar)
        assert (pupil, school.path) == (student, make.FAR)
        assert (found.name_masked, found.stage, found.status) == ("欧＊", "2", NORMAL)
        assert school.name not in found.school_words
        return found.token

    for number in ("L440305201510159999", "ｌ440305201510159999", values["id_number"]):
        token = finds(number, "欧阳•小海 ")  # interpunct, width and blanks are folded
    StudentNumber.objects.filter(student=student).update(is_current=False)
    StudentNumber.objects.create(org_path=make.FAR, student=student, number="G440305201510150019")
    type(student).objects.filter(pk=student.pk).update(number="G440305201510150019")
    for number in ("G440305201510150019", "L440305201510159999"):
        finds(number)
    with pytest.raises(Refusal, match="2001"):
        finds(values["id_number"])
    # A token is its finder's own, and of the name that was found.
    with pytest.raises(Refusal, match="不是您本人"):
        across.found(token, make.make_registrar())
    with pytest.raises(Refusal, match="查找结果"):
        across.found(token + "x", registrar)
    type(student).objects.filter(pk=student.pk).update(name_fold="另一姓名")
    with pytest.raises(Refusal, match="查找结果"):
        across.found(token, registrar)
    for role, path in (("leader", make.SCHOOL), ("auditor", make.CITY), ("head_teacher", make.SCHOOL)):
        with pytest.raises(NotAllowed):
            across.find_pupil(make.make_user(role, path), name="a", number="b", route="test")


# ── Requirements: each refusal beside its success ─────────────────────────────────────────────────────────
@dataclass
class Scene:
    """A transfer that would go through; a row of the table spoils it in one place."""

    student: Any = None
    target: Any = None
    given: dict[str, str] = field(default_factory=dict)
    papers: tuple[str, ...] = ("01", "08")
    grade: str = GRADE
    origin: str = make.NEIGHBOUR


Spoil = Callable[[Scene], None]


def spell_of(scene: Scene, **columns: Any) -> None:
    Enrolment.objects.filter(student=scene.student).update(**columns)


def regrade(scene: Scene, grade: str) -> None:
    spell_of(scene, grade=grade)
    scene.target = make.make_class(make.SCHOOL, grade=grade)


def set_rule(key: str, value: object, path: str = make.NATION) -> Spoil:
    return lambda scene: [make.make_rule(key, value, path), None][1]


def say(**given: str) -> Spoil:
    return lambda scene: scene.given.update(given)


def with_papers(*papers: str, **given: str) -> Spoil:
    def spoil(scene: Scene) -> None:
        scene.papers = papers
        scene.given.update(given)

    return spoil


def days_ago(count: int) -> str:
    return (today() - timedelta(days=count)).isoformat()


def full_class(scene: Scene) -> None:
    scene.target = make.make_class(make.SCHOOL, grade=GRADE, cap=0)


def full_quota(scene: Scene) -> None:
    make.make_rule("QUOTA_ENABLED", True, make.CITY)
    set_quota(scene.target.school, "2", 0, document="教基〔2025〕9号", actor=make.make_reviewer())


def senior(line: str) -> Spoil:
    def spoil(scene: Scene) -> None:
        regrade(scene, "32")
        scene.given |= {"score": "600", "line": line}

    return spoil


def full_plan(scene: Scene) -> None:
    senior("600")(scene)
    year = school_year_start(today()).year - 1
    IntakePlan.objects.create(
        org_path=make.SCHOOL, school=scene.target.school, school_year=year, stage="4", planned=0,
        office_name="市局", document="教基〔2025〕9号", set_by=make.make_reviewer(), set_by_name="李",
    )  # fmt: skip


def first_term(scene: Scene) -> None:
    regrade(scene, "11")
    make.make_rule("PROMOTION_AT", f"{today() - timedelta(days=2):%m%d} 00:00", make.NATION)


def paper_before_the_spell(scene: Scene) -> None:
    scene.papers = ("01", "08", "13")
    scene.given |= {"recorded_later": "1", "paper_on": "2001-09-01", "recorded_why": "系统故障停机"}


def sanction(scene: Scene, *, is_lifted: bool) -> None:
    """The old school has entered a sanction; with `is_lifted` it stands no longer."""
    registrar = make.make_registrar(scene.student.org_path)
    typed = {"when": today().isoformat(), "type": "3", "reason": "考试作弊"}
    entry = add_entry(scene.student, SANCTION, typed, actor=registrar)
    if is_lifted:
        lift_sanction(entry, reason="已满考察期限", actor=registrar)


REFUSED: list[tuple[str, Spoil, str]] = [
    ("R-TRF-06", lambda scene: spell_of(scene, status=LEFT), "2002"),
    ("R-CHG-07", lambda scene: spell_of(scene, status=SUSPENDED), "休学期间不能转学"),
    ("R-CHG-07", lambda scene: spell_of(scene, status=ABROAD), "恢复正常在校"),
    ("R-TRF-07", lambda scene: _problem(scene.student), "问题学籍"),
    ("R-TRF-10", full_class, "上限 0 人"),
    ("R-TRF-10", full_quota, "由主管部门另行安排学校"),
    ("R-TRF-11", lambda scene: regrade(scene, "16"), "毕业年级学生不予转学"),
    ("R-TRF-11", first_term, "起始年级第一学期"),
    ("R-TRF-11", say(under_sanction="1"), "处分"),
    ("R-TRF-11", lambda scene: sanction(scene, is_lifted=False), "登记的处分尚未解除"),
    ("R-TRF-12", set_rule("TRANSFER_BAN_MID_TERM", "windows"), "转学"),
    ("R-TRF-13", set_rule("TRANSFER_FREEZE", period_now()), "停止受理"),
    ("R-TRF-13", lambda scene: [regrade(scene, "16"), make.make_rule("GRADUATING_FREEZE", period_now(),
     make.NATION), make.make_rule("TRANSFER_BAN_GRADUATING", False, make.PROVINCE)][0], "停止受理"),
    ("R-TRF-15", say(is_voluntary="0"), "不得要求学生转学"),
    ("R-TRF-16", with_papers("01"), "工作单位证明"),
    ("R-TRF-16", with_papers("01", "08", same_register="0"), "亲属关系证明"),
    ("R-TRF-16", with_papers("01", reason="04", is_collective_hukou="1", hukou_since=days_ago(300)), "满期"),
    ("R-TRF-16", with_papers("01", "05", reason="05", handed_over_on=days_ago(-30)), "不以购房日期为准"),
    ("R-TRF-16", with_papers("01", "05", "11", "12", reason="06", business_since=days_ago(300)), "满期"),
    ("R-TRF-16", with_papers("01", "08", reason="08", lives_with_relatives="0"), "随亲属居住"),
    ("R-TRF-19", senior("601"), "低于转入学校当年录取线"),
    ("R-TRF-19", full_plan, "没有空余计划"),
    ("R-TRF-21", paper_before_the_spell, "不在该生在原学校就读期间"),
]  # fmt: skip
RIGHT: list[tuple[str, Spoil]] = [
    ("R-TRF-11 sanction lifted", lambda scene: sanction(scene, is_lifted=True)),
    ("R-TRF-16 hukou a year", with_papers("01", reason="04", is_collective_hukou="1",
                                          hukou_since=days_ago(370))),
    ("R-TRF-16 family hukou", with_papers("01", reason="04", is_collective_hukou="0")),
    ("R-TRF-16 home handed over", with_papers("01", "05", reason="05", handed_over_on=days_ago(1))),
    ("R-TRF-16 business a year", with_papers("01", "05", "11", "12", reason="06",
                                             business_since=days_ago(370))),
    ("R-TRF-16 with relatives", with_papers("01", "08", reason="08", lives_with_relatives="1")),
    ("R-TRF-16 other register", with_papers("01", "04", "08", same_register="0")),
    ("R-TRF-19", senior("600")),
]  # fmt: skip


def scene_of(spoil: Spoil) -> Scene:
    scene = Scene()
    scene.student = pupil_at(scene.origin)
    scene.target = make.make_class(make.SCHOOL, grade=GRADE)
    spoil(scene)
    return scene


def file_scene(scene: Scene) -> Case:
    """Filed as the page would, but past the look-up: what it said may have changed in the meantime."""
    registrar = make.make_registrar()
    with scope(make.SCHOOL):
        return filing.file_pupil(
            TRANSFER, registrar.acting_office, scene.student, answers(scene.target, **scene.given),
            actor=registrar, materials=[make_material(registrar, code) for code in scene.papers],
        )  # fmt: skip


@pytest.mark.rule(
    "R-TRF-06", "R-TRF-07", "R-TRF-09", "R-TRF-10", "R-TRF-11", "R-TRF-12", "R-TRF-13", "R-TRF-15",
    "R-TRF-16", "R-TRF-19", "R-TRF-21", "R-CHG-07", "TRANSFER_BAN_GRADUATING", "TRANSFER_BAN_FIRST_TERM",
    "TRANSFER_BAN_MID_TERM", "TRANSFER_BAN_SANCTION", "HUKOU_MONTHS", "BUSINESS_MONTHS", "TRANSFER_FREEZE",
    "GRADUATING_FREEZE", "QUOTA",
)  # fmt: skip
@pytest.mark.parametrize(("rule", "spoil", "why"), REFUSED, ids=[f"{r[0]} {r[2]}" for r in REFUSED])
def test_each_requirement_refuses(rule: str, spoil: Spoil, why: str) -> None:
    scene = scene_of(spoil)
    with pytest.raises(Refusal, match=why) as refused:
        file_scene(scene)
    assert refused.value.rule in (rule, "R-EST-03")  # a missing paper is the engine's own refusal
    assert not Case.objects.filter(student=scene.student).exists()


@pytest.mark.rule("R-TRF-16", "R-TRF-19", "HUKOU_MONTHS", "BUSINESS_MONTHS")
@pytest.mark.parametrize(("what", "spoil"), RIGHT, ids=[row[0] for row in RIGHT])
def test_each_requirement_lets_through_what_meets_it(what: str, spoil: Spoil) -> None:
    assert file_scene(scene_of(spoil)).is_open


@pytest.mark.rule("R-TRF-16", "R-TRF-14")
def test_only_proof_of_the_ground_is_asked_for_and_nothing_about_an_exam() -> None:
    """The stamped form is no proof: the leader's confirmation replaces the stamp. Marks are not asked for."""
    for ground in GROUNDS:
        for code in ground.codes:
            needs = papers_for({"reason": code, "same_register": "1"}, is_across=False)
            assert needs, code
            assert "13" not in {one for need in needs for one in need.types}
    asked = {ask.key for ask in TRANSFER.asks}
    assert not {key for key in asked if "exam" in key or "test" in key}
    assert {ask.key for ask in TRANSFER.asks if ask.widget == "number"} == {"score", "line"}  # 中考 alone


@pytest.mark.rule("R-TRF-09")
@pytest.mark.parametrize(
    ("grade", "before", "after", "able"),
    [
        ("21", "5-4", "6-3", ("16", "21")),
        ("21", "6-3", "5-4", ("21", "22")),
        ("13", "5-4", "6-3", ("13",)),
        ("22", "5-4", "6-3", ("22",)),
        ("21", "6-3", "6-3", ("21",)),
        ("16", "6-3", "5-4", ()),
        ("24", "5-4", "6-3", ()),
    ],
)
def test_the_grade_stays_but_between_lengths_of_stages(
    grade: str, before: str, after: str, able: tuple[str, ...]
) -> None:
    assert grades_open(grade, before, after) == able


@pytest.mark.rule("R-TRF-09")
def test_the_form_offers_classes_of_the_mapped_grades_only(client: Client) -> None:
    student = pupil_at(make.FAR, grade="21")
    School.objects.filter(organization__path=make.FAR).update(schooling="5-4")
    offered = {grade: make.make_class(make.SCHOOL, grade=grade) for grade in ("16", "21", "22")}
    client.force_login(make.make_registrar())
    sent = {"kind": "transfer", "name": student.name, "number": student.number}
    page = client.post(reverse("transfers:move_in"), sent).text
    assert [grade for grade, one in offered.items() if f'value="{one.pk}"' in page] == ["16", "21"]
    papers = ("01", "08", "22")
    with pytest.raises(RecordRefused) as refused:
        file_move(student, offered["22"], papers=papers)
    assert [one.field for one in refused.value.findings] == ["class_id"]
    case = file_move(student, offered["16"], papers=papers, exempt=("first_term",))
    type(offered["16"]).objects.filter(pk=offered["16"].pk).update(grade="15")  # meanwhile
    with pytest.raises(Refusal, match="只能转入小学六年级、初中一年级"):
        sign(case)


# ── Exceptions, entered later, same place ─────────────────────────────────────────────────────────────────
@pytest.mark.rule("R-TRF-11", "R-TRF-12", "R-TRF-13", "ROUTE_EXTRA_LEVELS")
def test_an_exception_is_granted_by_the_office_that_may_and_no_other() -> None:
    make.make_rule("TRANSFER_BAN_MID_TERM", "windows", make.NATION)
    make.make_rule("TRANSFER_WINDOWS", [far_period()], make.NATION)
    make.make_rule("TRANSFER_FREEZE", period_now(), make.NATION)
    student, target = pupil_at(make.NEIGHBOUR), make.make_class(make.SCHOOL, grade=GRADE)
    with pytest.raises(Refusal, match="转学窗口"):
        file_move(student, target)
    with pytest.raises(ExceptionUnknown):  # class size has its own permission (G-19), never an exception
        file_move(student, target, exempt=("seat",))
    case = file_move(student, target, exempt=("window", "freeze"))
    offices = list(case.steps.order_by("ordinal").values_list("office_path", flat=True))
    assert offices[1:3] == [make.COUNTY, make.PROVINCE]  # the freeze is the province's to lift
    case = sign(case)
    with pytest.raises(Refusal, match="准予例外"):
        sign(case, reason="确有特殊情况")
    case = sign(case, granted=["window"], reason="确有特殊情况")
    with pytest.raises(Refusal, match="准予例外"):
        sign(case, granted=["window"], reason="确有特殊情况")
    case = sign(case, granted=["freeze"], reason="依据教育部通知")
    assert {code: by["office"] for code, by in case.payload["granted"].items()} == {
        "window": make.make_office(make.COUNTY).name, "freeze": make.make_office(make.PROVINCE).name,
    }  # fmt: skip
    assert sign_all(case).state == Case.State.DONE


@pytest.mark.rule("R-TRF-21", "R-TRF-12")
def test_what_was_handled_on_paper_is_entered_later_under_the_day_of_the_paper() -> None:
    make.make_rule("TRANSFER_BAN_MID_TERM", "windows", make.NATION)
    paper = today() - timedelta(days=40)
    window = f"{paper - timedelta(days=3):%m%d}..{paper + timedelta(days=3):%m%d}"
    make.make_rule("TRANSFER_WINDOWS", [window], make.NATION)
    student, target = pupil_at(make.NEIGHBOUR), make.make_class(make.SCHOOL, grade=GRADE)
    later = {"recorded_later": "1", "paper_on": paper.isoformat(), "recorded_why": "九月系统停机"}
    with pytest.raises(Refusal, match="窗口"):
        file_move(student, target)
    with pytest.raises(Refusal, match="签章的转学申请表"):
        file_move(student, target, **later)
    case = file_move(student, target, papers=("01", "08", "13"), **later)
    with scope(make.SCHOOL):
        file = open_file(case, make.make_leader(make.SCHOOL))
    assert any("线下办理" in why and one.code == "recorded" for one, why in file.checks)
    sign_all(case)
    change = student.changes.get()
    assert (change.happened_on, change.effective_on) == (paper, today())


@pytest.mark.rule("R-TRF-11", "TRANSFER_BAN_SAME_CATCHMENT")
def test_two_schools_of_one_division_are_advised_about() -> None:
    student = pupil_at(make.SISTER)
    case = file_move(student, make.make_class(make.SCHOOL, grade=GRADE))
    said = {one.code: why for one, why in open_file(case, make.make_reviewer()).checks}
    assert "同一学区" in said["catchment"]


@pytest.mark.rule("R-TRF-01")
def test_a_school_does_not_take_over_its_own_pupil_and_nobody_else_begins() -> None:
    own = pupil_at(make.SCHOOL)
    with pytest.raises(Refusal, match="学籍就在本校"):
        file_move(own, make.make_class(make.SCHOOL, grade=GRADE))
    away, target = pupil_at(make.NEIGHBOUR), make.make_class(make.SCHOOL, grade=GRADE)
    for person in (make.make_registrar(make.NEIGHBOUR), make.make_leader(), make.make_reviewer()):
        with scope(make.NATION), pytest.raises(NotAllowed):
            filing.file_pupil(TRANSFER, make.make_office(make.SCHOOL), away, answers(target), actor=person)


# ── One open business, both sides, seats ─────────────────────────────────────────────────────────────────
@pytest.mark.rule("G-02", "G-10", "R-TRF-04", "R-TRF-05", "R-TRF-06")
def test_one_open_business_until_it_ends(client: Client) -> None:
    student = pupil_at(make.NEIGHBOUR)
    first = file_move(student, make.make_class(make.SCHOOL, grade=GRADE))
    # Found before the other filed: the constraint answers the second filing (G-02).
    scene = Scene(student=student, target=make.make_class(make.SCHOOL, grade=GRADE))
    with pytest.raises(CaseLocked) as locked:
        file_scene(scene)
    assert (locked.value.code, locked.value.status) == ("open_business", 409)
    with pytest.raises(Refusal, match="2002"):
        file_move(student, make.make_class(make.SISTER, grade=GRADE))
    # Withdrawn by its starter, or refused with a reason: unlocked, the card gone, and filed again.
    starter = make.make_registrar()
    client.force_login(starter)
    withdraw(first, actor=starter, reason="家长改变主意")
    first.refresh_from_db()
    assert (first.card, OpenBusiness.objects.filter(student=student).exists()) == (None, False)
    second = sign(file_scene(scene))
    reviewer = make.make_reviewer()
    with pytest.raises(Refusal, match="理由"):
        decide(Case.objects.get(pk=second.pk), "refuse", actor=reviewer)
    decide(Case.objects.get(pk=second.pk), "refuse", actor=reviewer, reason="材料与事实不符")
    assert not OpenBusiness.objects.filter(student=student).exists()
    third = file_scene(scene)
    assert third.is_open
    # Returned for correction: another class, and the same case goes on.
    third = sign(third)
    decide(third, "return", actor=make.make_reviewer(), reason="班级选择有误")
    other = make.make_class(make.SCHOOL, grade=GRADE, name="三(9)班")
    returned = Case.objects.get(pk=third.pk)
    refile(returned, actor=starter, payload={"answers": answers(other)})
    assert Case.objects.get(pk=third.pk).payload["to_class"] == "三(9)班"
    done = sign_all(Case.objects.get(pk=third.pk))
    assert student.enrolments.get(status=NORMAL).school_class == other
    with pytest.raises(Refusal):
        withdraw(done, actor=starter, reason="办结后再撤回")


@pytest.mark.rule("G-14", "AZ-2", "AZ-8")
def test_both_sides_see_the_case_and_a_third_county_does_not(client: Client) -> None:
    case = file_move(pupil_at(make.NEIGHBOUR), make.make_class(make.SCHOOL, grade=GRADE))
    page = reverse("transfers:case", args=[case.number])
    paper = case.evidence.first()
    assert paper is not None
    for person, status in (
        (make.make_reviewer(make.COUNTY), 200),
        (make.make_reviewer(make.NEIGHBOUR_COUNTY), 200),
        (make.make_leader(make.NEIGHBOUR), 200),
        (make.make_reviewer(OTHER_CITY_COUNTY), 404),
        (make.make_reviewer(make.FAR_COUNTY), 404),
    ):
        client.force_login(person)
        assert client.get(page).status_code == status, person.acting_path
    # The release side opens the papers of the case, though they lie at the other school.
    with scope(make.NEIGHBOUR):
        assert not Material.objects.filter(pk=paper.material_id).exists()
        material = across.material_of(paper)
    assert material is not None
    assert material.pk == paper.material_id


@pytest.mark.rule("G-15", "R-TRF-17", "RD-3")
def test_the_former_school_sees_the_day_of_the_transfer_and_no_later_edit(client: Client) -> None:
    student = pupil_at(make.NEIGHBOUR, talent="书法")
    sign_all(file_move(student, make.make_class(make.SCHOOL, grade=GRADE)))
    student.refresh_from_db()
    update_normal(
        student, {"talent": "围棋"}, version=student.version, actor=make.make_registrar(make.SCHOOL)
    )
    snapshot = EnrolmentSnapshot.objects.get(student=student)
    page = reverse("registry:snapshot", args=[snapshot.pk])
    client.force_login(make.make_registrar(make.NEIGHBOUR))
    school = client.get(reverse("registry:school", args=[make.make_office(make.NEIGHBOUR).pk]))
    assert reverse("registry:snapshots") in school.text
    assert student.name in client.get(reverse("registry:snapshots")).text
    kept = client.get(page)
    assert kept.status_code == 200
    assert "书法" in kept.text
    assert "围棋" not in kept.text
    assert "13800138000" not in kept.text  # masked as everywhere
    assert client.get(reverse("registry:student", args=[student.public_id])).status_code == 404
    assert AccessEntry.objects.filter(route="registry:snapshot", subject_id=student.pk).count() == 1
    for stranger in (make.make_registrar(make.SCHOOL), make.make_reviewer(make.COUNTY)):
        client.force_login(stranger)
        assert client.get(page).status_code == 404
    client.force_login(make.make_registrar(make.SCHOOL))
    assert "围棋" in client.get(reverse("registry:student", args=[student.public_id])).text


@pytest.mark.rule("G-19", "R-TRF-10")
def test_a_seat_beyond_the_limit_needs_the_county_s_permission_and_the_last_is_taken_once() -> None:
    target = make.make_class(make.SCHOOL, grade=GRADE, cap=None)
    make.make_rule("CLASS_SIZE_MAX_PRIMARY", 1, make.COUNTY)
    pupil_here = make.make_student(target)
    assert pupil_here.org_path == make.SCHOOL
    first, second = pupil_at(make.NEIGHBOUR), pupil_at(make.NEIGHBOUR)
    with pytest.raises(Refusal, match="上限 1 人") as full:
        file_move(first, target)
    assert full.value.rule == "R-TRF-10"
    permit_seats(
        target, 1, until=last_day(today()), reason="随军子女集中入学", document="教基〔2025〕9号",
        actor=make.make_reviewer(),
    )  # fmt: skip
    cases = [file_move(first, target), file_move(second, target)]
    for case in cases:
        while case.steps.filter(is_current=True).exists():
            case = sign(case)
    for case in cases:
        finish(case)
    # The last seat went to the first; the second ends by itself and is told why, nothing of it moved.
    assert [Case.objects.get(pk=case.pk).state for case in cases] == ["done", "refused"]
    assert second.enrolments.get().status == NORMAL
    assert not Handover.objects.filter(student=second).exists()


@pytest.mark.rule("R-TRF-17", "RE-1")
def test_completion_repeats_without_doing_anything_twice() -> None:
    student = pupil_at(make.NEIGHBOUR)
    case = sign_all(file_move(student, make.make_class(make.SCHOOL, grade=GRADE)))
    with scope(make.CITY):
        KINDS["transfer"].effect(case, System(acting_path=make.CITY))
    assert (student.enrolments.count(), Handover.objects.filter(student=student).count()) == (2, 1)
    assert EnrolmentSnapshot.objects.filter(student=student).count() == 1
    acts = Event.objects.filter(subject_type="student", subject_id=student.pk, action="registry.student.move")
    assert acts.count() == 1
    assert Notice.objects.filter(kind="handover", about=case.number).exists()
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('app.scope', true)")
        assert cursor.fetchone() == (make.NATION,)


@pytest.mark.rule("A6.1", "R-TRF-08")
def test_a_pupil_who_comes_back_from_abroad_to_another_school() -> None:
    student, target = pupil_at(make.FAR), make.make_class(make.SCHOOL, grade="14")
    given = {"class_id": str(target.pk), "returned_on": days_ago(3), "country": "JPN"}
    with pytest.raises(Refusal, match="出国|正常在校"):
        file_move(student, target, kind=RETURN_ELSEWHERE, papers=("17", "20"), given=given)
    Enrolment.objects.filter(student=student).update(status=ABROAD)
    with pytest.raises(Refusal, match="尚未回国"):
        file_move(student, target, kind=RETURN_ELSEWHERE, papers=("17", "20"),
                  given=given | {"returned_on": days_ago(-3)})  # fmt: skip
    junior = make.make_class(make.SCHOOL, grade="21")
    with pytest.raises(Refusal, match="学段"):
        file_move(student, junior, kind=RETURN_ELSEWHERE, papers=("17", "20"),
                  given=given | {"class_id": str(junior.pk)})  # fmt: skip
    case = sign_all(file_move(student, target, kind=RETURN_ELSEWHERE, papers=("17", "20"), given=given))
    assert [step.office_path for step in case.steps.order_by("ordinal")] == [make.SCHOOL, make.COUNTY]
    spell = student.enrolments.get(status=NORMAL)
    assert (spell.grade, spell.org_path, student.changes.get().category) == ("14", make.SCHOOL, "08")
