"""退学, 自动退学, 开除学籍, 死亡, 失踪, 其他离校 (HANDBOOK A6; R-CHG-01, R-CHG-04, R-CHG-05, G-11, G-20)."""

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import Organization
from accounts.roles import Right
from audit.services import Actor
from config.clock import today
from config.rules import rule
from registry.models import Student
from registry.services.state_rules import age
from registry.status import (
    ABROAD,
    DEAD,
    DROPPED_OUT,
    EXPELLED,
    LEFT,
    MISSING,
    NORMAL,
    SUSPENDED,
    WITHDRAWN,
)
from transfers.asking import Ask, Asking, Choices
from transfers.kind import About, Advice, EvidenceNeed, Facts, Kind, Party, Requirement, Stop
from transfers.kinds.answers import reopen
from transfers.kinds.conditions import COMPULSORY, NOT_FROZEN, senior_only
from transfers.kinds.effects import undo
from transfers.kinds.own_pupil import SCHOOL_ALONE, SCHOOL_AND_AUTHORITY, pupil_of
from transfers.kinds.state import (
    BY_GUARDIAN,
    CONTACT_PAPER,
    ON_REQUEST,
    REQUEST_PAPER,
    RULE_2013,
    STATEMENT,
    after_birth,
    among,
    become,
    filed_on,
    in_time,
    number_asked,
    proposing,
)
from transfers.kinds.suspension import overdue_for
from transfers.models import Case

GROUP = "离校"
_ART_12, _ART_21 = f"{RULE_2013}第十二条", f"{RULE_2013}第二十一条"
SENIOR_ONLY = Requirement(
    "senior", "仅限普通高中阶段", "R-CHG-01", "《中华人民共和国义务教育法》第二十七条", senior_only
)

# A senior's withdrawal goes on to the city where the province asks for it (ROUTE_EXTRA_LEVELS).
SENIOR_ROUTE = (
    *SCHOOL_AND_AUTHORITY,
    Stop(
        Party.TAKE_OVER_CITY, Right.DECIDE, "市级教育行政部门核办", "CHANGE_STEP_DAYS",
        only_if=lambda payload: bool(payload.get("by_city")),
    ),
)  # fmt: skip
# Where the authority only takes note, the school's own decision is the last one.
LEAVER_ROUTE = SCHOOL_ALONE + tuple(
    Stop(one.party, one.right, one.label, one.days, only_if=lambda payload: not payload.get("is_note"))
    for one in SCHOOL_AND_AUTHORITY[1:]
)


def note_city(school: Organization, student: Student, payload: dict[str, Any]) -> None:
    words = rule("ROUTE_EXTRA_LEVELS", at=school.path, on=today()).words
    payload["by_city"] = "city_senior" in words


def note_approval(school: Organization, student: Student, payload: dict[str, Any]) -> None:
    payload["is_note"] = rule("LEAVER_APPROVAL", at=school.path, on=today()).word == "file"


# ── 退学 ──────────────────────────────────────────────────────────────────────────────────────────────────
def withdraw(case: Case, actor: Actor) -> None:
    become(case, actor, WITHDRAWN, "31", basis="R-CHG-05")


WITHDRAWAL = Kind(
    code="withdrawal",
    name="退学",
    prefix="TX",
    article="2013年办法第十二条",
    started_by=Party.TAKE_OVER_SCHOOL,
    about=About.OWN_PUPIL,
    group=GROUP,
    summary="仅限普通高中：经监护人申请，学籍终止。义务教育阶段不得退学。",
    statuses=(NORMAL, SUSPENDED, ABROAD),
    asks=(
        Ask("reason", gettext_lazy("退学情形"), "choice",
            among("status_change_reason", "10", "25", "26", "27", "30", "34", "39")),
        Ask("happened_on", gettext_lazy("离校日期"), "date", when="past"),
        ON_REQUEST,
        Ask("destination", gettext_lazy("退学去向"), most=60),
        Ask("notice_served_on", gettext_lazy("告知送达日"), "date", when="past"),
        STATEMENT,
    ),
    evidence=(REQUEST_PAPER, CONTACT_PAPER),
    open=pupil_of(NORMAL, SUSPENDED, ABROAD, note=note_city),
    reopen=reopen,
    requirements=(
        SENIOR_ONLY,
        BY_GUARDIAN,
        Requirement("day", "离校日期", "A6.1", _ART_12, after_birth("happened_on")),
        NOT_FROZEN,
    ),
    route=SENIOR_ROUTE,
    effect=withdraw,
    undo=undo,
    proposes=proposing(WITHDRAWN),
    prints=("withdrawal_form",),
)  # fmt: skip

# ── 自动退学 ──────────────────────────────────────────────────────────────────────────────────────────────
CONTINUOUS, IN_TERM, OVERAGE, EXPIRED = "continuous", "in_term", "overage", "expired"
_FACTS: tuple[tuple[str, Any], ...] = (
    (CONTINUOUS, gettext_lazy("连续旷课，联系无果")),
    (IN_TERM, gettext_lazy("一学期累计旷课，联系无果")),
    (OVERAGE, gettext_lazy("多次留级且超过规定年龄")),
    (EXPIRED, gettext_lazy("休学期满未申请复学")),
)
_DAYS = {CONTINUOUS: "TRUANCY_DAYS_CONTINUOUS", IN_TERM: "TRUANCY_DAYS_TERM"}
_REASONS = {CONTINUOUS: "21", IN_TERM: "21", OVERAGE: "33", EXPIRED: "31"}
_OFTEN = 2  # 多次 (HANDBOOK R-CHG-05)


def withdrawal_facts(asking: Asking) -> Choices:
    return _FACTS


def fact_is(*facts: str) -> Callable[[Mapping[str, str]], bool]:
    return lambda answers: answers.get("fact") in facts


def withdraw_for_facts(case: Case, actor: Actor) -> None:
    reason = _REASONS[case.payload["asked"]["fact"]]
    become(case, actor, WITHDRAWN, "31", reason=reason, basis="R-CHG-05")


def fact_holds(facts: Facts) -> str:
    """What the school says is what the province counts as a fact of withdrawal (R-CHG-05, R-CHG-04)."""
    fact, spell = facts.asked("fact"), facts.spell
    if spell is None or (spell.status == SUSPENDED) != (fact == EXPIRED):
        return _("所选情形与该生学籍状态不符：休学期满的为休学学生，其他情形为在校学生。")
    if fact == EXPIRED:
        return overdue_for(facts.student, "SUSPENSION_EXPIRED_MONTHS", facts.to_path, filed_on(facts.payload))
    if fact == OVERAGE:
        return _overage(facts)
    held = rule(_DAYS[fact], at=facts.to_path, on=filed_on(facts.payload))
    days = number_asked(facts, "days")
    if days >= held.number:
        return ""
    return _("旷课 {days} 天，未满规定天数。{why}").format(days=days, why=held.explain())


def _overage(facts: Facts) -> str:
    held = rule("OVERAGE_WITHDRAWAL", at=facts.to_path, on=filed_on(facts.payload))
    years, times = age(facts.student.birth_on, filed_on(facts.payload)), number_asked(facts, "repeats")
    if years > held.number and times >= _OFTEN:
        return ""
    said = _("该生 {years} 周岁，留级 {times} 次，未同时符合多次留级和超过规定年龄两项条件。")
    return said.format(years=years, times=times) + held.explain()


AUTOMATIC_WITHDRAWAL = Kind(
    code="automatic_withdrawal",
    name="自动退学",
    prefix="ZT",
    article="2013年办法第十二条",
    started_by=Party.TAKE_OVER_SCHOOL,
    about=About.OWN_PUPIL,
    group=GROUP,
    summary="仅限普通高中：出现规定情形且多次联系无果，由学校提出，学籍终止。",
    statuses=(NORMAL, SUSPENDED),
    asks=(
        Ask("fact", gettext_lazy("自动退学情形"), "choice", withdrawal_facts),
        Ask("days", gettext_lazy("旷课天数"), "number", only_if=fact_is(CONTINUOUS, IN_TERM)),
        Ask("repeats", gettext_lazy("留级次数"), "number", only_if=fact_is(OVERAGE)),
        Ask("happened_on", gettext_lazy("最后在校日期"), "date", when="past"),
        Ask("notice_served_on", gettext_lazy("告知送达日"), "date", when="past"),
        STATEMENT,
    ),
    evidence=(CONTACT_PAPER,),
    open=pupil_of(NORMAL, SUSPENDED, note=note_city),
    reopen=reopen,
    requirements=(
        SENIOR_ONLY,
        Requirement("fact", "符合自动退学情形", "R-CHG-05", _ART_12, fact_holds),
        NOT_FROZEN,
    ),
    route=SENIOR_ROUTE,
    effect=withdraw_for_facts,
    undo=undo,
    proposes=proposing(WITHDRAWN),
    prints=("withdrawal_form",),
)


# ── 开除学籍 ──────────────────────────────────────────────────────────────────────────────────────────────
def expel(case: Case, actor: Actor) -> None:
    become(case, actor, EXPELLED, "42", basis="R-CHG-01")


def notified_after_decision(facts: Facts) -> str:
    decided, told = facts.day_asked("happened_on"), facts.day_asked("notice_served_on")
    if decided is None or told is None or told >= decided:
        return ""
    return _("处分决定应在作出后送达监护人，送达日不应早于决定日，请核对。")


EXPULSION = Kind(
    code="expulsion",
    name="开除学籍",
    prefix="KC",
    article="2013年办法第十二条",
    started_by=Party.TAKE_OVER_SCHOOL,
    about=About.OWN_PUPIL,
    group=GROUP,
    summary="仅限普通高中的极个别情形：学校作出处分决定并送达监护人，学籍终止。",
    statuses=(NORMAL, SUSPENDED),
    asks=(
        Ask("reason", gettext_lazy("开除原因"), "choice", among("status_change_reason", "23", "99")),
        Ask("happened_on", gettext_lazy("处分决定日期"), "date", when="past"),
        Ask("notice_served_on", gettext_lazy("告知送达日"), "date", when="past"),
        Ask("statement", gettext_lazy("处分事由和依据"), "textarea", most=300),
    ),
    evidence=(EvidenceNeed("处分决定书", ("30",), "A6.1"), CONTACT_PAPER),
    open=pupil_of(NORMAL, SUSPENDED),
    reopen=reopen,
    requirements=(
        SENIOR_ONLY,
        Requirement("notice", "已送达监护人", "A6.1", _ART_12, notified_after_decision),
        NOT_FROZEN,
    ),
    route=SCHOOL_AND_AUTHORITY,
    effect=expel,
    undo=undo,
    proposes=proposing(EXPELLED),
)

# ── 死亡 ──────────────────────────────────────────────────────────────────────────────────────────────────
_DEATHS = tuple(f"{n}" for n in (*range(40, 48), *range(50, 55), *range(60, 69), 70, 71, 72, 79, 81, 89))
_ALIVE = (NORMAL, SUSPENDED, ABROAD, MISSING, DROPPED_OUT)
death_in_time = in_time("happened_on", "DEATH_CANCEL_DAYS")


def cancel_the_dead(case: Case, actor: Actor) -> None:
    """The status ends; a report beyond the term is kept as late (G-20)."""
    held = rule("DEATH_CANCEL_DAYS", at=case.to_path, on=filed_on(case.payload))
    died = date.fromisoformat(case.payload["asked"]["happened_on"])
    late = filed_on(case.payload) > held.days_after(died)
    become(case, actor, DEAD, "51", is_late=late, basis="2013年办法第二十一条")


DEATH = Kind(
    code="death",
    name="死亡",
    prefix="SW",
    article="2013年办法第二十一条",
    started_by=Party.TAKE_OVER_SCHOOL,
    about=About.OWN_PUPIL,
    group=GROUP,
    summary="凭证明注销学籍，应在十个工作日内办理；逾期的仍受理并标记。",
    statuses=_ALIVE,
    asks=(
        Ask("reason", gettext_lazy("死亡原因"), "choice", among("status_change_reason", *_DEATHS)),
        Ask("happened_on", gettext_lazy("死亡日期"), "date", when="past"),
        Ask("statement", gettext_lazy("情况说明"), "textarea", is_required=False, most=300),
    ),
    evidence=(EvidenceNeed("死亡证明", ("18", "03"), "A6.1"),),
    open=pupil_of(*_ALIVE, note=note_approval),
    reopen=reopen,
    requirements=(
        Requirement("day", "死亡日期", "A6.1", _ART_21, after_birth("happened_on")),
        Requirement("in_time", "十个工作日内办理", "DEATH_CANCEL_DAYS", _ART_21, death_in_time),
    ),
    route=LEAVER_ROUTE,
    effect=cancel_the_dead,
    undo=undo,
    proposes=proposing(DEAD),
)


# ── 失踪 ──────────────────────────────────────────────────────────────────────────────────────────────────
def note_missing(case: Case, actor: Actor) -> None:
    become(case, actor, MISSING, "19", basis="A6.1")


MISSING_PUPIL = Kind(
    code="missing",
    name="失踪",
    prefix="SZ",
    article="2013年办法第十二条",
    started_by=Party.TAKE_OVER_SCHOOL,
    about=About.OWN_PUPIL,
    group=GROUP,
    summary="凭公安机关报案回执登记，学籍保留，状态变为“失踪”；返校后办理“返校复学”。",
    statuses=(NORMAL, SUSPENDED, ABROAD, DROPPED_OUT),
    asks=(
        Ask("happened_on", gettext_lazy("失踪日期"), "date", when="past"),
        Ask("reported_on", gettext_lazy("报案日期"), "date", when="past"),
        Ask("statement", gettext_lazy("情况说明"), "textarea", most=300),
    ),
    evidence=(EvidenceNeed("公安机关报案回执", ("28",), "A6.1"),),
    open=pupil_of(NORMAL, SUSPENDED, ABROAD, DROPPED_OUT, note=note_approval),
    reopen=reopen,
    requirements=(Requirement("day", "失踪日期", "A6.1", _ART_12, after_birth("happened_on")),),
    route=LEAVER_ROUTE,
    effect=note_missing,
    undo=undo,
    proposes=proposing(MISSING),
)


# ── 其他离校 ──────────────────────────────────────────────────────────────────────────────────────────────
def leave(case: Case, actor: Actor) -> None:
    become(case, actor, LEFT, "99", basis="A6.1")


def no_hidden_dropout(facts: Facts) -> str:
    """During the compulsory years a pupil who simply stays away has dropped out, and keeps the status."""
    if facts.payload["grade"][0] not in COMPULSORY:
        return ""
    if facts.asked("is_taught") == "1":
        return Advice(_("义务教育阶段学生离校，请核对其在别处继续接受义务教育的证明。"))
    return _(
        "义务教育阶段学生离校后没有在别处继续接受义务教育的，不得终止学籍，请劝返复学；劝返无果的办理“辍学”。"
    )


def is_taught_choices(asking: Asking) -> Choices:
    return (("1", _("在别处继续接受教育")), ("0", _("不再就读或去向不明")))


OTHER_LEAVING = Kind(
    code="other_leaving",
    name="其他离校",
    prefix="LX",
    article="2013年办法第十二条",
    started_by=Party.TAKE_OVER_SCHOOL,
    about=About.OWN_PUPIL,
    group=GROUP,
    summary="转学、退学等以外的离校，学籍终止，状态变为“其他离校”。",
    statuses=(NORMAL, SUSPENDED, ABROAD, MISSING),
    asks=(
        Ask("happened_on", gettext_lazy("离校日期"), "date", when="past"),
        Ask("is_taught", gettext_lazy("离校后就读情况"), "choice", is_taught_choices),
        Ask("destination", gettext_lazy("离校去向"), most=60),
        Ask("statement", gettext_lazy("情况说明"), "textarea", most=300),
    ),
    evidence=(EvidenceNeed("监护人说明或其他证明", ("31", "20", "99"), "A6.1"),),
    open=pupil_of(NORMAL, SUSPENDED, ABROAD, MISSING, note=note_approval),
    reopen=reopen,
    requirements=(
        Requirement("taught", "义务教育不中断", "R-DRP-03", f"{RULE_2013}第二十二条", no_hidden_dropout),
        Requirement("day", "离校日期", "A6.1", _ART_12, after_birth("happened_on")),
        NOT_FROZEN,
    ),
    route=LEAVER_ROUTE,
    effect=leave,
    undo=undo,
    proposes=proposing(LEFT),
)
