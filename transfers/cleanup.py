"""在办业务清理: before graduation the competent authority ends what a school has not finished, and the pupil
goes back to the state before (R-GRD-02, G-10).
"""

from dataclasses import dataclass
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy

from accounts.models import User
from accounts.rights import explain
from accounts.roles import Right
from audit.services import Actor, System, record
from config.clock import today
from config.errors import NotFound, Refusal
from config.paging import count_up_to
from config.rules import rules
from registry.codes import label
from registry.models import Enrolment, OpenBusiness
from registry.services.blockers import graduating_spells
from registry.services.duplicates import blocking
from registry.services.seasons import freeze_days
from transfers import across
from transfers.examining import is_reason
from transfers.kinds import KINDS
from transfers.kinds.conditions import NOT_FROZEN
from transfers.kinds.identity_change import IDENTITY_CHANGE
from transfers.models import Case
from transfers.notify import case_cleaned
from transfers.queries import PAGE, open_case
from transfers.refusals import CaseClosed, ReasonNeeded
from transfers.route import authority_of
from transfers.services import end_case

MOST = 500  # cases ended together, each with its own event
PACK = 100
UNFINISHED = (Case.State.WAITING, Case.State.RETURNED)


class NotGraduating(Refusal):
    code, status = "not_graduating", 409
    rule = "R-GRD-02"
    message = _lazy(
        "在办业务清理只适用于毕业年级学生；其他学生的办件请由发起单位撤回，或由办理单位作出决定。"
    )


class NotOnePupil(Refusal):
    code, status = "not_one_pupil", 409
    rule = "R-GRD-02"
    message = _lazy(
        "该办件不是单个学生的办件，不能整件清理。涉及一批学生的，请在办件中退回该生，再单独处理。"
    )


# ── What stands in the way ────────────────────────────────────────────────────────────────────────────────
@dataclass(slots=True)
class Blockers:
    """Open business of pupils in graduating grades, oldest first; `after` leads to the next page."""

    rows: list[dict[str, Any]]
    after: int | None
    total: int


def graduating_business(user: User, after: str = "", size: int = PAGE) -> Blockers:
    """The list for the office she acts for and below. Raises NotFound for an unknown cursor.

    Three queries; the cursor is a row's id, resolved in scope.
    """
    seen = OpenBusiness.objects.visible_to(user, Right.VIEW_CASE)
    spells = Enrolment.objects.visible_to(user, Right.VIEW_CASE).filter(graduating_spells())
    held = seen.filter(student__enrolments__in=spells)
    total = count_up_to(held)
    if after:
        if not (after.isascii() and after.isdigit() and len(after) < 19 and seen.filter(pk=after).exists()):
            raise NotFound()
        held = held.filter(pk__gt=int(after))
    rows = list(
        held.order_by("pk").values(
            "pk", "case_no", "kind_name", "student__name", "student__public_id", "student__enrolments__grade",
            "student__enrolments__school__name", "student__enrolments__school_class__name",
        )[: size + 1]
    )  # fmt: skip
    found = Blockers(rows[:size], rows[size - 1]["pk"] if len(rows) > size else None, total)
    _add_cases(found)
    return found


def _add_cases(found: Blockers) -> None:
    """State, office and deadline of each case, in one query."""
    wanted = [row["case_no"] for row in found.rows]
    cases = {case.number: case for case in Case.objects.filter(number__in=wanted).prefetch_related("steps")}
    for row in found.rows:
        case = cases.get(row["case_no"])
        step = next((one for one in case.steps.all() if one.is_current), None) if case else None
        row["grade_name"] = label("grade", row["student__enrolments__grade"])
        row["state"] = case.state if case else ""
        row["state_name"] = case.get_state_display() if case else ""
        row["at"] = step.office_name if step else ""
        row["filed_at"] = case.filed_at if case else None
        row["may_clean"] = case is not None and case.student_id is not None and case.state in UNFINISHED


# ── The act ───────────────────────────────────────────────────────────────────────────────────────────────
@transaction.atomic
def clean_up(number: str, *, actor: User, reason: str) -> Case:
    """End the unfinished case `number` of a pupil in a graduating grade.

    Only the competent authority of the pupil's school may. The case counts as withdrawn, its payload says by
    whom; the kind takes its rows back. Raises NotFound, NotAllowed, NotOnePupil, NotGraduating, CaseClosed,
    ReasonNeeded.
    """
    case = open_case(actor, number)
    if case.student_id is None:
        raise NotOnePupil()
    with across.reaching(case.from_path, case.to_path):
        spells = Enrolment.objects.filter(graduating_spells(), student_id=case.student_id)
        spell = spells.first()
        if spell is None or KINDS[case.kind].is_answered:  # a guardian's dispute is answered, not cleared
            raise NotGraduating()
        authority = authority_of(spell.org_path)
        explain(actor, Right.DECIDE, at=authority.path).or_raise()
        if case.state not in UNFINISHED:
            raise CaseClosed(state=case.get_state_display())
        if not is_reason(reason):
            raise ReasonNeeded()
        _end(case, authority.name, actor.signing_name, actor=actor, reason=reason.strip())
    return case


def _end(case: Case, office: str, name: str, *, actor: Actor, reason: str) -> None:
    """`office` is empty where nobody's office but the calendar ended it."""
    kind = KINDS[case.kind]
    case.payload["cleaned"] = {"office": office, "name": name, "on": today().isoformat()}
    Case.objects.filter(pk=case.pk).update(payload=case.payload)
    end_case(kind, case, Case.State.WITHDRAWN, actor=actor, reason=reason)
    record(
        "transfers.case.clean_up", case, actor=actor, reason=reason, basis="R-GRD-02", number=case.number,
        kind=kind.name,
    )  # fmt: skip
    case_cleaned(case, office or name)


# ── On its day, by itself ─────────────────────────────────────────────────────────────────────────────────
def due(path: str) -> QuerySet[Case]:
    """What the freeze of the graduating grades stops, was filed before it began and is not finished on the
    day of cleaning (A7.4); nothing on other days than those from then to the end of the freeze. What is never
    frozen (deaths, dropouts, problem records and the change that answers one) stays, and so does what was
    filed since, by exception.
    """
    held, on = rules(("GRADUATING_CLEAN_ON", "GRADUATING_FREEZE"), at=path), today()
    freeze = freeze_days(held["GRADUATING_FREEZE"], on)
    day = held["GRADUATING_CLEAN_ON"].date_in(on.year)
    if freeze is None or on < day:
        return Case.objects.none()
    stopped = [
        code for code, kind in KINDS.items() if NOT_FROZEN.code in {one.code for one in kind.requirements}
    ]
    spells = Enrolment.objects.filter(graduating_spells(), org_path__within=path)
    cases = Case.objects.filter(kind__in=stopped, state__in=UNFINISHED, student__in=spells.values("student"))
    cases = cases.filter(filed_at__date__lt=freeze.first)
    changing = list(cases.filter(kind=IDENTITY_CHANGE.code).values_list("student_id", flat=True))
    sides = blocking(changing).values_list("student_id", "other_id")
    return cases.exclude(kind=IDENTITY_CHANGE.code, student__in={pk for pair in sides for pk in pair})


@transaction.atomic
def clean_due(path: str) -> int:
    """End a pack of what is due under `path`; how many. Safe to repeat, and to run twice at once."""
    pack = list(due(path).select_for_update(skip_locked=True, of=("self",)).order_by("pk")[:PACK])
    actor = System(path)
    for case in pack:
        with across.reaching(case.from_path, case.to_path):
            _end(case, "", actor.name, actor=actor, reason=_("毕业年级停办，到期未办结"))
    return len(pack)


def cleaned_in_words(case: Case) -> str:
    """Who cleaned it up, or an empty text."""
    by = case.payload.get("cleaned")
    if not by:
        return ""
    if not by["office"]:
        return _("毕业年级停办，到期未办结，系统于 {on} 终止了本办件，学生恢复到办理前的状态。").format(**by)
    return _("经主管部门清理：{office}于 {on} 终止了本办件，学生恢复到办理前的状态。").format(**by)
