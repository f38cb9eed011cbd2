"""休学, 续休, 复学 (HANDBOOK A6; R-CHG-01 to R-CHG-04, R-CHG-06, R-CHG-11)."""

from collections.abc import Mapping
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
from registry.services.intake_rules import present_term
from registry.services.seasons import is_graduating
from registry.services.state_rules import running_suspension, suspended_since
from registry.status import NORMAL, SUSPENDED
from transfers.asking import Ask, from_list
from transfers.kind import About, Advice, EvidenceNeed, Facts, Kind, Party, Requirement, Stop
from transfers.kinds.answers import reopen
from transfers.kinds.conditions import COMPULSORY, NOT_FROZEN, SEAT_FREE
from transfers.kinds.effects import undo
from transfers.kinds.own_pupil import SCHOOL_AND_AUTHORITY, pupil_of
from transfers.kinds.state import (
    BY_GUARDIAN,
    DIAGNOSIS_PAPER,
    ON_REQUEST,
    PASSPORT_PAPER,
    REQUEST_PAPER,
    RULE_2013,
    SAME_STAGE,
    STATEMENT,
    become,
    by_exception,
    class_ask,
    filed_on,
    grade_asked,
    number_asked,
    proposing,
)
from transfers.models import Case

GROUP = "休学与复学"
ILLNESS, INFECTIOUS, ABROAD = ("01", "02", "03"), "02", "04"
_ART_12, _ART_19 = f"{RULE_2013}第十二条", f"{RULE_2013}第十九条"
OTHER_PROOF = EvidenceNeed("证明材料", ("20", "99", "03", "18", "19"), "R-CHG-02")
RECOVERY_PAPER = EvidenceNeed("县级以上医院康复证明", ("16",), "R-CHG-11")


def is_ill(answers: Mapping[str, str]) -> bool:
    return answers.get("reason") in ILLNESS


_WHY = Ask("reason", gettext_lazy("休学原因"), "choice", from_list("suspension_reason"))
_UNTIL = Ask("until", gettext_lazy("休学期满日期"), "date", when="future")
_ILLNESS_ASKS = (
    Ask("hospital", gettext_lazy("诊断医院"), most=60, only_if=is_ill),
    Ask("diagnosed_on", gettext_lazy("诊断日期"), "date", when="past", only_if=is_ill),
    Ask("rest_days", gettext_lazy("诊断建议休养天数"), "number", only_if=is_ill),
)


def papers_by_reason(payload: Mapping[str, Any]) -> tuple[EvidenceNeed, ...]:
    """The guardian's request, unless the school has to ask itself (R-CHG-03), and the proof of the reason."""
    answers = payload.get("asked", {})
    proof = DIAGNOSIS_PAPER if is_ill(answers) else OTHER_PROOF
    if answers.get("reason") == ABROAD:
        proof = PASSPORT_PAPER
    return (REQUEST_PAPER, proof) if answers.get("on_request") == "1" else (proof,)


# ── 休学 ──────────────────────────────────────────────────────────────────────────────────────────────────
def suspend(case: Case, actor: Actor) -> None:
    until = date.fromisoformat(case.payload["asked"]["until"])
    become(case, actor, SUSPENDED, "11", happened="starts_on", until=until, basis="R-CHG-02")


def requested(facts: Facts) -> str:
    """On the guardian's request; with a notifiable disease under long treatment the school itself asks."""
    if facts.asked("on_request") == "1":
        return ""
    begins, until = facts.day_asked("starts_on"), facts.day_asked("until")
    if facts.asked("reason") == INFECTIOUS and begins and until:
        held = rule("SUSPENSION_INFECTIOUS_MONTHS", at=facts.to_path, on=filed_on(facts.payload))
        if until > held.days_after(begins):
            return Advice(_("由学校提出休学。{why}").format(why=held.explain()))
    if facts.payload["grade"][0] in COMPULSORY:
        return _("义务教育阶段不得责令学生休学，须由监护人书面申请。")
    return _("休学须由监护人书面申请，经学校同意。")


def within_months(facts: Facts) -> str:
    """One suspension is no longer than the rule; it runs from its first day, an extension from the last one
    of the period that ends.
    """
    until = facts.day_asked("until")
    begins = facts.day_asked("starts_on") or _ends(facts.payload) or filed_on(facts.payload)
    if until is None:
        return ""
    if until <= begins:
        return _("期满日期应在{day}之后，请重新填写。").format(day=f"{begins:%Y-%m-%d}")
    held = rule("SUSPENSION_MONTHS", at=facts.to_path, on=filed_on(facts.payload))
    last = held.days_after(begins)
    if until <= last:
        return ""
    said = _("最迟到{last}。").format(last=f"{last:%Y-%m-%d}")
    return held.explain() + said + _("期满仍不能到校的，可以申请续休。")


def started(facts: Facts) -> str:
    begins, spell = facts.day_asked("starts_on"), facts.spell
    if begins is None or spell is None or begins >= spell.valid.lower:
        return ""
    return _("休学开始日期早于该生在本校的学籍起始日期，请核对。")


def long_enough(facts: Facts) -> str:
    if not is_ill(facts.payload.get("asked", {})):
        return ""
    held = rule("SUSPENSION_ILLNESS_DAYS", at=facts.to_path, on=filed_on(facts.payload))
    if number_asked(facts, "rest_days") >= held.number:
        return ""
    return held.explain() + _("短期病假不必休学。") + by_exception()


def not_about_to_graduate(facts: Facts) -> str:
    spell = facts.spell
    if spell is None or not is_graduating(spell.grade, spell.school.school.schooling):
        return ""
    if present_term(facts.to_path, filed_on(facts.payload)).semester != "2":
        return ""
    return _("毕业年级第二学期一般不办理休学。") + by_exception()


SUSPENSION = Kind(
    code="suspension",
    name="休学",
    prefix="XX",
    article="2013年办法第十九条",
    started_by=Party.TAKE_OVER_SCHOOL,
    about=About.OWN_PUPIL,
    group=GROUP,
    summary="保留学籍，状态变为“休学”；休学期间不占班级学位，不参加升级和毕业。",
    statuses=(NORMAL,),
    asks=(
        _WHY,
        Ask("starts_on", gettext_lazy("休学开始日期"), "date", when="past"),
        _UNTIL,
        ON_REQUEST,
        *_ILLNESS_ASKS,
        STATEMENT,
    ),
    papers=papers_by_reason,
    open=pupil_of(NORMAL),
    reopen=reopen,
    requirements=(
        Requirement("request", "监护人书面申请", "R-CHG-01", _ART_19, requested),
        Requirement("months", "休学期限", "R-CHG-02", _ART_12, within_months),
        Requirement("begins", "休学开始日期", "R-CHG-02", _ART_12, started),
        Requirement("illness", "病休时间", "R-CHG-02", _ART_12, long_enough, Party.TAKE_OVER_AUTHORITY),
        Requirement(
            "graduating", "不是毕业年级第二学期", "R-CHG-02", _ART_12, not_about_to_graduate,
            Party.TAKE_OVER_AUTHORITY,
        ),
        NOT_FROZEN,
    ),
    # The school answers the guardian within a term of its own (R-CHG-06).
    route=(
        Stop(Party.TAKE_OVER_SCHOOL, Right.REVIEW, "学校领导审核", "SUSPENSION_ANSWER_DAYS"),
        *SCHOOL_AND_AUTHORITY[1:],
    ),
    effect=suspend,
    undo=undo,
    proposes=proposing(SUSPENDED),
    prints=("suspension_form",),
)  # fmt: skip


# ── 续休 ──────────────────────────────────────────────────────────────────────────────────────────────────
def note_running(school: Organization, student: Student, payload: dict[str, Any]) -> None:
    """What the system knows of the suspension: its first and last day, and whether illness was the reason."""
    running, since = running_suspension(student), suspended_since(student)
    payload["until"] = running.until.isoformat() if running and running.until else ""
    payload["since"] = since.isoformat() if since else ""
    payload["was_ill"] = bool(running and running.reason in ILLNESS)


def _ends(payload: Mapping[str, Any]) -> date | None:
    """The last day of the suspension that runs, as it was at filing."""
    text = payload.get("until", "")
    return date.fromisoformat(text) if text else None


def extend(case: Case, actor: Actor) -> None:
    until = date.fromisoformat(case.payload["asked"]["until"])
    become(case, actor, SUSPENDED, "11", until=until, basis="R-CHG-02")


def within_months_in_a_row(facts: Facts) -> str:
    until, since = facts.day_asked("until"), facts.payload.get("since", "")
    if until is None or not since:
        return ""
    held = rule("SUSPENSION_MONTHS_MAX", at=facts.to_path, on=filed_on(facts.payload))
    last = held.days_after(date.fromisoformat(since))
    if until <= last:
        return ""
    said = _("该生自{since}起休学，最迟到{last}。").format(since=since, last=f"{last:%Y-%m-%d}")
    return held.explain() + said


def asked_in_time(facts: Facts) -> str:
    ends = _ends(facts.payload)
    if ends is None:
        return ""
    held = rule("SUSPENSION_WARN_DAYS", at=facts.to_path, on=filed_on(facts.payload))
    last = held.days_before(ends)
    if filed_on(facts.payload) <= last:
        return ""
    said = _("续休应在{last}前申请，已逾期，可以办理。").format(last=f"{last:%Y-%m-%d}")
    return Advice(said + held.explain())


EXTENSION = Kind(
    code="extension",
    name="续休",
    prefix="XY",
    article="2013年办法第十九条",
    started_by=Party.TAKE_OVER_SCHOOL,
    about=About.OWN_PUPIL,
    group=GROUP,
    summary="休学期满仍不能到校的，延长休学期限，学籍继续保留。",
    statuses=(SUSPENDED,),
    asks=(_WHY, _UNTIL, ON_REQUEST, *_ILLNESS_ASKS, STATEMENT),
    papers=papers_by_reason,
    open=pupil_of(SUSPENDED, note=note_running),
    reopen=reopen,
    requirements=(
        BY_GUARDIAN,
        Requirement("months", "续休期限", "R-CHG-02", _ART_12, within_months),
        Requirement("months_max", "连续休学期限", "R-CHG-02", _ART_12, within_months_in_a_row),
        Requirement("in_time", "期满前申请", "R-CHG-04", _ART_12, asked_in_time),
    ),
    route=SCHOOL_AND_AUTHORITY,
    effect=extend,
    undo=undo,
    proposes=proposing(SUSPENDED),
    prints=("suspension_form",),
)


# ── 复学 ──────────────────────────────────────────────────────────────────────────────────────────────────
def resume(case: Case, actor: Actor) -> None:
    become(case, actor, NORMAL, "12", reason="", basis="R-CHG-11")


def papers_of_return(payload: Mapping[str, Any]) -> tuple[EvidenceNeed, ...]:
    """Whether the suspension was for illness is the record's to say: known once the case is opened."""
    return (REQUEST_PAPER, RECOVERY_PAPER) if payload.get("was_ill") else (REQUEST_PAPER,)


def original_or_lower(facts: Facts) -> str:
    """The grade is asked, never inferred; beyond the one she left in, the authority has to allow it."""
    grade, held = grade_asked(facts), facts.payload["grade"]
    if grade <= held:
        return ""
    said = _("复学原则上编入原年级，或者根据康复情况和学习程度编入较低年级，所选班级高于原年级。")
    return said + by_exception()


def not_before_leaving(facts: Facts) -> str:
    back, since = facts.day_asked("happened_on"), facts.payload.get("since", "")
    if back is None or not since or back > date.fromisoformat(since):
        return ""
    return _("复学日期应在休学开始（{since}）之后，请核对。").format(since=since)


RESUMPTION = Kind(
    code="resumption",
    name="复学",
    prefix="FX",
    article="2013年办法第十九条",
    started_by=Party.TAKE_OVER_SCHOOL,
    about=About.OWN_PUPIL,
    group=GROUP,
    summary="休学学生返校，编入原年级或较低年级，状态恢复为“正常在校”。",
    statuses=(SUSPENDED,),
    asks=(
        Ask("happened_on", gettext_lazy("复学日期"), "date"),
        class_ask(gettext_lazy("编入班级"), gettext_lazy("年级由监护人与学校商定，不随升级推定")),
        STATEMENT,
    ),
    papers=papers_of_return,
    open=pupil_of(SUSPENDED, note=note_running),
    reopen=reopen,
    requirements=(
        Requirement(
            "grade", "原年级或较低年级", "R-CHG-11", _ART_12, original_or_lower, Party.TAKE_OVER_AUTHORITY
        ),
        SAME_STAGE,
        Requirement("since", "复学日期", "R-CHG-11", _ART_12, not_before_leaving),
        NOT_FROZEN,
        SEAT_FREE,
    ),
    route=SCHOOL_AND_AUTHORITY,
    effect=resume,
    undo=undo,
    proposes=proposing(NORMAL),
    prints=("resumption_form",),
)


def overdue_for(student: Student, months_key: str, path: str, on: date | None = None) -> str:
    """Empty when the pupil's suspension ran out longer ago than the rule says, else why not yet."""
    running = running_suspension(student)
    day = on or today()
    if running is None or running.until is None:
        return _("系统中没有该生在期的休学记录。")
    held = rule(months_key, at=path, on=day)
    due = held.days_after(running.until)
    if day > due:
        return ""
    said = _("该生休学于{until}期满，{due}之后方可办理。").format(
        until=f"{running.until:%Y-%m-%d}", due=f"{due:%Y-%m-%d}"
    )
    return said + held.explain()
