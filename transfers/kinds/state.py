"""What the changes of state share: questions, the effect, current beside proposed."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from audit.services import Actor
from config.clock import today
from config.rules import rule
from registry.codes import choices, label
from registry.models import SchoolClass
from registry.record import latest_spell
from registry.services.changing import Change, change_class, change_status
from registry.services.dropouts import close_entry, settle_absence
from registry.services.guests import end_running
from registry.status import IN_SCHOOL, MISSING, NORMAL, STATUSES
from transfers.asking import Ask, Asking, Choices, yes_no
from transfers.kind import Advice, EvidenceNeed, Facts, Proposed, Requirement
from transfers.kinds.answers import class_asked
from transfers.kinds.effects import change_of
from transfers.models import Case

RULE_2013 = "《中小学生学籍管理办法》（教基一〔2013〕7号）"

REQUEST_PAPER = EvidenceNeed("监护人书面申请", ("31",), "R-CHG-01")
CONTACT_PAPER = EvidenceNeed("送达回证或联系记录", ("29",), "R-CHG-05")
DIAGNOSIS_PAPER = EvidenceNeed("县级以上医院诊断证明", ("15",), "R-CHG-02")
PASSPORT_PAPER = EvidenceNeed("护照签证或出境证明", ("17",), "A6.1")

ON_REQUEST = Ask("on_request", gettext_lazy("由监护人书面申请"), "choice", yes_no)
STATEMENT = Ask("statement", gettext_lazy("申请理由"), "textarea", most=300)


def among(code_list: str, *codes: str) -> Callable[[Asking], Choices]:
    """Some values of a code list as choices, in official order."""
    return lambda asking: choices(code_list, codes)


# ── Questions ────────────────────────────────────────────────────────────────────────────────────────────
def stage_classes(asking: Asking) -> Choices:
    """Classes of the filing school in the stage that the pupil is in."""
    held = latest_spell(asking.student) if asking.student else None
    grades = [code for code, _name in choices("grade") if held and code[0] == held.grade[0]]
    return asking.classes(grades=grades)


def class_ask(name: Any, hint: Any = "") -> Ask:
    return Ask("class_id", name, "choice", stage_classes, hint=hint)


# ── Days ─────────────────────────────────────────────────────────────────────────────────────────────────
def filed_on(payload: Mapping[str, Any]) -> date:
    """The day of filing: a correction in October makes no late case."""
    return date.fromisoformat(payload.get("filed_on", "") or today().isoformat())


def number_asked(facts: Facts, key: str) -> int:
    return int(facts.asked(key) or 0)


# ── Effect ───────────────────────────────────────────────────────────────────────────────────────────────
def become(
    case: Case, actor: Actor, status: str, category: str, *, happened: str = "", basis: str = "", **more: Any
) -> None:
    """The change to `status` with what it brings: a class where one was asked for, the end of guest study,
    the end of an entry in the dropout ledger. `happened` is the question that gives the day.

    Raises ChangeNotPossible when the pupil's state has moved on since filing, ClassFull, ClassUnknown.
    """
    assert case.student is not None
    student, class_id = case.student, case.payload.get("asked", {}).get("class_id", "")
    change_status(
        student,
        status,
        _dated(case, change_of(case, category, basis=basis, **more), happened),
        actor=actor,
        school_class=class_asked(case.to_path, class_id) if class_id else None,
        allowed=(case.payload["from_status"],),
    )
    if status not in IN_SCHOOL:
        end_running(student, today())
    if status != MISSING:
        settle_absence(student, today(), actor=actor)
    # Missing, a dropout stays on the ledger: only her return or a legal end strikes her off.
    if status == NORMAL:
        close_entry(student, case.number, today())
    elif not STATUSES[status].is_open:
        close_entry(student, case.number, today(), legal_end=STATUSES[status].name)


def regrade(case: Case, actor: Actor, category: str, *, basis: str) -> None:
    """The change to the class asked for, of another grade or the same."""
    assert case.student is not None
    target = class_asked(case.to_path, case.payload["asked"]["class_id"])
    change_class(case.student, target, change_of(case, category, basis=basis), actor=actor)


def _dated(case: Case, change: Change, key: str) -> Change:
    day = case.payload.get("asked", {}).get(key, "")
    return replace(change, happened_on=date.fromisoformat(day)) if day else change


# ── Current beside proposed ──────────────────────────────────────────────────────────────────────────────
def proposing(status: str = "") -> Callable[[Case, Mapping[str, str]], list[Proposed]]:
    """State, class and last day of a suspension before and after, as far as the kind changes them."""

    def propose(case: Case, card: Mapping[str, str]) -> list[Proposed]:
        payload = case.payload
        answers = payload.get("asked", {})
        found = []
        if status and status != payload["from_status"]:
            before = STATUSES[payload["from_status"]].name
            found.append(Proposed(_("学籍状态"), before, STATUSES[status].name))
        if class_id := answers.get("class_id"):
            one = SchoolClass.objects.filter(pk=int(class_id), org_path=case.to_path).first()
            after = _class_in_words(one.grade, one.name) if one else ""
            found.append(Proposed(_("班级"), _class_in_words(payload["grade"], payload["from_class"]), after))
        if until := answers.get("until"):
            found.append(Proposed(_("休学期满"), payload.get("until", ""), until))
        return found

    return propose


def _class_in_words(grade: str, name: str) -> str:
    return f"{label('grade', grade)} {name}".strip()


# ── Conditions: an empty text when met, else what is wrong and what to do ─────────────────────────────────
def by_exception() -> str:
    """Who may decide otherwise."""
    return _("确有特殊情况的，由学籍主管部门作出例外决定，并写明理由。")


def by_guardian(facts: Facts) -> str:
    if facts.asked("on_request") == "1":
        return ""
    return _("须由监护人书面申请；不得责令学生休学、退学、留级或降级。请取得监护人书面申请后再办。")


def same_stage(facts: Facts) -> str:
    grade = grade_asked(facts)
    if not grade or grade[0] == facts.payload["grade"][0]:
        return ""
    return _("所选班级不在原学段。升入下一学段请按招生入学办理。")


def grade_asked(facts: Facts) -> str:
    """The grade of the class asked for as it is today: a promotion may have come since filing."""
    return facts.school_class.grade if facts.school_class else ""


def after_birth(key: str) -> Callable[[Facts], str]:
    """The day asked lies within the pupil's life."""

    def check(facts: Facts) -> str:
        day = facts.day_asked(key)
        if day is None or day >= facts.student.birth_on:
            return ""
        return _("日期早于学生出生日期，请核对。")

    return check


def in_time(key: str, days: str) -> Callable[[Facts], str]:
    """Whether the matter was filed within the term `days` after the day asked; late ones go on, marked."""

    def check(facts: Facts) -> str:
        day = facts.day_asked(key)
        if day is None:
            return ""
        held = rule(days, at=facts.to_path, on=filed_on(facts.payload))
        last = held.days_after(day)
        if filed_on(facts.payload) <= last:
            return ""
        said = _("应在{last}前办理，已逾期。可以办理，将标记为逾期。").format(last=f"{last:%Y-%m-%d}")
        return Advice(said + held.explain())

    return check


BY_GUARDIAN = Requirement("request", "监护人书面申请", "R-CHG-01", f"{RULE_2013}第十九条", by_guardian)
SAME_STAGE = Requirement("stage", "在本校原学段内", "A6.1", f"{RULE_2013}第十二条", same_stage)
