"""The rules as an office reads them, and how it sets its own (ARCHITECTURE 5): value, who set it, by what."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.db import transaction
from django.db.models import Count, Q, QuerySet
from django.utils.translation import override

from accounts.models import Organization, User
from accounts.rights import Answer, explain, who_can
from accounts.roles import Right
from audit.services import record
from config.clock import today
from config.models import RuleValue
from config.rules import (
    PARAMETERS,
    SUBJECTS,
    Parameter,
    RuleInForce,
    end_rule,
    in_force,
    rule,
    rules,
    set_rule,
    values_set,
)
from config.rules.parameter import freeze
from config.scope import ancestors

MOST_SHOWN = 20
CHINESE = "zh-hans"  # the log speaks Chinese, whatever language the person reads


# --- Reading -------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Line:
    """One parameter as it holds at an office, and the office's own value that waits for its day."""

    held: RuleInForce
    is_own: bool
    is_settable: bool
    coming: RuleInForce | None

    @property
    def parameter(self) -> Parameter:
        return self.held.parameter

    def speaks_of(self, words: str) -> bool:
        p = self.parameter
        said = (
            p.key,
            str(p.text),
            p.citation,
            self.held.display(),
            self.held.set_by_name,
            self.held.document,
        )
        return any(words.casefold() in text.casefold() for text in said)


@dataclass(frozen=True, slots=True)
class Rung:
    """What one level says: its own value in force today, or nothing."""

    office: Organization
    held: RuleInForce | None


@dataclass(frozen=True, slots=True)
class Entry:
    """One act on the own value: set for a time, or ended (`held` is None)."""

    row: RuleValue
    held: RuleInForce | None
    state: str

    @property
    def first(self) -> date | None:
        day: date | None = self.row.valid.lower
        return day

    @property
    def last(self) -> date | None:
        after: date | None = self.row.valid.upper
        return after - timedelta(days=1) if after else None

    @property
    def is_open(self) -> bool:
        """Whether there is something to end or to withdraw."""
        return self.state in ("now", "coming")


@dataclass(frozen=True, slots=True)
class Reach:
    """How many offices a value of this office reaches, and those that keep a value of their own."""

    offices: int
    schools: int
    kept_offices: int
    kept_schools: int
    own: list[tuple[Organization, RuleInForce]]
    own_count: int


def lines(at: Organization) -> list[tuple[Any, list[Line]]]:
    """Every parameter at `at` today, by subject. Two queries, however many parameters there are."""
    held = rules(PARAMETERS, at.path)
    coming: dict[str, RuleInForce] = {}
    waiting = values_set().filter(path=at.path, valid__startswith__gt=today()).order_by("-valid")
    for row in waiting:  # the earliest comes last and stays
        if row.key in PARAMETERS:
            coming[row.key] = in_force(PARAMETERS[row.key], row)
    return [
        (
            subject.title,
            [
                Line(held[p.key], held[p.key].set_at == at.path, p.may_be_set_by(at.kind), coming.get(p.key))
                for p in parameters
            ],
        )
        for subject, parameters in SUBJECTS
    ]


def chain(parameter: Parameter, at: Organization) -> list[Rung]:
    """What each level from the nation down to `at` says today. Two queries."""
    path = ancestors(at.path)
    rows = values_set().filter(key=parameter.key, path__in=path, valid__contains=today())
    said = {row.path: in_force(parameter, row) for row in rows}
    offices = Organization.objects.filter(path__in=path).order_by("path")
    return [Rung(office, said.get(office.path)) for office in offices]


def history(parameter: Parameter, at: Organization) -> list[Entry]:
    """Everything this office ever set, newest act first."""
    rows = RuleValue.objects.filter(key=parameter.key, path=at.path).order_by("-id")
    return [
        Entry(row, None if row.value is None else in_force(parameter, row), _state(row))
        for row in rows
        if row.value is None or parameter.is_well_formed(freeze(row.value))
    ]


def _state(row: RuleValue) -> str:
    if row.value is None:
        return "end"
    if row.valid.isempty:
        return "withdrawn"
    if row.valid.upper is not None and row.valid.upper <= today():
        return "past"
    return "coming" if row.valid.lower > today() else "now"


def reach(parameter: Parameter, at: Organization, on: date) -> Reach:
    """Whom a value of `at` reaches on the day `on`; the same queries however many keep their own."""
    kept = values_below(parameter.key, at.path, on).order_by("path")
    top: list[str] = []
    for path in kept.values_list("path", flat=True):
        if not top or not path.startswith(top[-1]):
            top.append(path)
    below = Organization.objects.within(at.path).filter(valid__contains=today()).exclude(path=at.path)  # type: ignore[attr-defined]
    whole = _count(below)
    kept_offices, kept_schools = _count_under(below, top)
    shown = list(kept[:MOST_SHOWN])
    offices = {one.path: one for one in Organization.objects.filter(path__in=[row.path for row in shown])}
    own = [(offices[row.path], in_force(parameter, row)) for row in shown if row.path in offices]
    return Reach(
        *whole, kept_offices, kept_schools, own, kept.count() if len(shown) == MOST_SHOWN else len(own)
    )


def values_below(key: str, path: str, on: date) -> "QuerySet[RuleValue]":
    """Values that offices under `path` keep for themselves on the day `on`."""
    return values_set().filter(key=key, path__within=path, valid__contains=on).exclude(path=path)


def _count(offices: "QuerySet[Organization]") -> tuple[int, int]:
    is_school = Q(kind=Organization.Kind.SCHOOL)
    found = offices.aggregate(offices=Count("pk", filter=~is_school), schools=Count("pk", filter=is_school))
    return found["offices"], found["schools"]


def _count_under(below: "QuerySet[Organization]", paths: Iterable[str]) -> tuple[int, int]:
    """Offices and schools at or under any of `paths`; none of the paths lies under another."""
    inside = Q()
    for path in paths:
        inside |= Q(path__within=path)
    return _count(below.filter(inside)) if inside else (0, 0)


def setters(parameter: Parameter, at: Organization) -> list[Organization]:
    """The offices on the way up from `at` whose level may set the parameter, nearest first."""
    above = Organization.objects.filter(path__in=ancestors(at.path), kind__in=parameter.set_by)
    return sorted(above, key=lambda office: -len(office.path))


# --- Acting --------------------------------------------------------------------------------------------


@transaction.atomic
def set_value(
    parameter: Parameter,
    value: object,
    *,
    at: Organization,
    actor: User,
    document: str,
    starts: date,
    until: date | None = None,
    reason: str = "",
) -> RuleValue:
    """Set a parameter for the office that `actor` acts for, from `starts` until before `until`.

    Raises NotAllowed, and whatever `config.rules.set_rule` refuses.
    """
    _may_set(actor, at)
    before = rule(parameter, at.path, starts)
    row = set_rule(
        parameter,
        value,
        at=at.path,
        level=at.kind,
        document=document,
        set_by_name=at.name,
        created_by_name=actor.name,
        starts=starts,
        until=until,
    )
    with override(CHINESE):
        words = {
            "old": before.display(),
            "new": parameter.display(freeze(value)),
            "title": str(parameter.text),
        }
    record(
        "config.rule.set",
        row,
        actor=actor,
        reason=reason,
        basis=parameter.citation[:100],
        key=parameter.key,
        document=document.strip(),
        starts=starts.isoformat(),
        until=until.isoformat() if until else "",
        **words,
    )
    return row


def rehearse(
    parameter: Parameter, value: object, *, at: Organization, starts: date, **given: Any
) -> RuleInForce:
    """What would hold from `starts` on: the act itself, undone before anybody sees it, its log entry too.

    Raises what `set_value` raises.
    """
    with transaction.atomic():
        set_value(parameter, value, at=at, starts=starts, **given)
        after = rule(parameter, at.path, starts)
        transaction.set_rollback(True)
    return after


@transaction.atomic
def end_value(
    row: RuleValue, *, at: Organization, actor: User, ends: date, document: str, reason: str = ""
) -> None:
    """End a value of the office that `actor` acts for before `ends`, or withdraw one that waits for its day.

    Raises NotAllowed, and whatever `config.rules.end_rule` refuses.
    """
    _may_set(actor, at)
    parameter = PARAMETERS[row.key]
    with override(CHINESE):
        words = {"old": in_force(parameter, row).display(), "title": str(parameter.text)}
    is_coming = not row.valid.isempty and row.valid.lower > today()
    mark = end_rule(row, ends=ends, document=document, set_by_name=at.name, created_by_name=actor.name)
    record(
        "config.rule.withdraw" if is_coming else "config.rule.end",
        mark,
        actor=actor,
        reason=reason,
        basis=parameter.citation[:100],
        key=parameter.key,
        document=document.strip(),
        ends=ends.isoformat(),
        **words,
    )


def _may_set(actor: User, at: Organization) -> None:
    """Setting is done for the office one acts for, and for no other: the log must name the office rightly."""
    if at.path == actor.acting_path:
        explain(actor, Right.SET_RULES, at=at.path).or_raise()
    else:
        Answer(False, Right.SET_RULES, who_can(Right.SET_RULES, at=at.path)).or_raise()
