"""Suspensions that run out: who is told when, and the school's list of them (R-CHG-04).

Nothing here changes a status: what follows, 复学, 续休, 辍学 or 自动退学, is a case that the school files.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.db.models import Q
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.notices import Line, notify_each
from accounts.rights import seated
from accounts.roles import Right
from config.clock import today
from config.paging import count_up_to
from config.rules import RuleInForce, rules
from registry.codes import label
from registry.models import StatusChange
from registry.status import SUSPENDED
from transfers.kinds.conditions import COMPULSORY
from transfers.queries import PAGE, Page, workdays_left

SOON, OVER, DROPPED, EXPIRED = "soon", "over", "dropout", "withdrawal"
RULES = ("SUSPENSION_WARN_DAYS", "DROPOUT_WEEKS", "SUSPENSION_EXPIRED_MONTHS")


@dataclass(frozen=True, slots=True)
class Watch:
    """The days that decide what is due for a suspension, by the rules in force at one office today."""

    day: date
    warned_until: date  # suspensions that end until then are near their end
    in_force: Mapping[str, RuleInForce]

    def stage(self, grade: str, until: date) -> str:
        """Empty, or what is due: a reminder, an urging, the ledger of dropouts, an automatic withdrawal."""
        if until > self.warned_until:
            return ""
        if until >= self.day:
            return SOON
        if grade[:1] in COMPULSORY:
            due = until + timedelta(weeks=self.in_force["DROPOUT_WEEKS"].number)
            return DROPPED if self.day >= due else OVER
        due = self.in_force["SUSPENSION_EXPIRED_MONTHS"].days_after(until)
        return EXPIRED if self.day > due else OVER


def watch_at(path: str) -> Watch:
    day = today()
    in_force = rules(RULES, at=path, on=day)
    return Watch(day, in_force["SUSPENSION_WARN_DAYS"].days_after(day), in_force)


def running() -> Any:
    """Suspensions that nothing has ended yet, of pupils who are still suspended."""
    rows = StatusChange.objects.filter(until__isnull=False, closed_on=None)
    return rows.filter(student__enrolments__status=SUSPENDED, student__enrolments__is_void=False)


# ── Each night ───────────────────────────────────────────────────────────────────────────────────────────
def remind(path: str) -> int:
    """Tell the registrars of one province what is due, each of them once for each suspension and stage.

    Answers how many suspensions are due. Nobody is withdrawn or entered as a dropout here.
    """
    watch = watch_at(path)
    near = running().filter(until__lte=watch.warned_until)
    rows = list(near.values_list("pk", "to_path", "to_grade", "until", "case_no"))
    people = seated((to_path, Right.FILE) for _pk, to_path, _grade, _until, _number in rows)
    lines = []
    for pk, to_path, grade, until, number in rows:
        stage = watch.stage(grade, until)
        # Under a name of its own for each row: an extension is reminded of anew.
        once, words = f"suspension:{stage}:{pk}", _in_words(stage, grade, until)
        target = reverse("transfers:suspensions")
        lines += [Line(one, words, target, number, once) for one in people[to_path, Right.FILE]]
    notify_each("suspension_ending", lines)
    return len(rows)


def _in_words(stage: str, grade: str, until: date) -> str:
    # Notices speak Chinese, whatever language a job runs in; no name stands in one.
    who, day = f"{label('grade', grade)}一名学生的休学", f"{until:%Y-%m-%d}"
    return {
        SOON: f"{who}将于 {day} 期满，请联系监护人办理复学或续休",
        OVER: f"{who}已于 {day} 期满，请催促复学或办理续休",
        DROPPED: f"{who}已于 {day} 期满且劝返无果，核实后请办理“辍学”登记",
        EXPIRED: f"{who}已于 {day} 期满且未申请复学，可以办理“自动退学”",
    }[stage]


# ── The school's list ────────────────────────────────────────────────────────────────────────────────────
_COLUMNS = (
    "id", "student_id", "student__name", "student__public_id", "to_grade", "to_class", "happened_on", "until",
)  # fmt: skip


def read_suspensions(user: User, after: str = "", size: int = PAGE) -> Page:
    """The running suspensions of her school, the first to end on top. The cursor is a row's id."""
    seen = running().visible_to(user, Right.FILE).filter(to_path=user.acting_path)
    total = count_up_to(seen)
    last = seen.filter(pk=int(after)).first() if after.isdecimal() and len(after) < 19 else None
    if last is not None:
        seen = seen.filter(Q(until__gt=last.until) | Q(until=last.until, pk__gt=last.pk))
    keys = list(seen.order_by("until", "id").values_list("pk", flat=True)[: size + 1])
    rows = list(StatusChange.objects.filter(pk__in=keys[:size]).order_by("until", "id").values(*_COLUMNS))
    watch, left = watch_at(user.acting_path), workdays_left(row["until"] for row in rows)
    said = {SOON: _("将满"), OVER: _("已期满"), DROPPED: _("应登记辍学"), EXPIRED: _("可办自动退学")}
    for row in rows:
        row["left"] = left[row["until"]]
        row["stage"] = watch.stage(row["to_grade"], row["until"])
        row["said"] = said.get(row["stage"], "")
        row["grade_name"] = label("grade", row["to_grade"])
    return Page(rows, keys[size - 1] if len(keys) > size else None, total)
