"""What one person may look at in an hour and in a day (RD-6), counted from the log itself.

At the notice share she is told; at the whole she proves her second factor once and may go on a little; then
she is refused until time has passed.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from time import time
from typing import TYPE_CHECKING, Any

from django.db import connection
from django.utils.translation import gettext_lazy as _

from audit.models import AccessEntry
from audit.models_warnings import BudgetStretch
from audit.warning_rules import LOOK_UPS, REVEALS
from audit.warnings import refuse_stopped, stopped, warn
from config.clock import today
from config.errors import Refusal
from config.rules import PARAMETERS
from config.rules.catalogue import STEP_UP_MINUTES
from config.scope import ancestors

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

FRESH_SECONDS = int(str(STEP_UP_MINUTES.value)) * 60  # AC-7, as accounts.step_up has it
NOTICE, EXTRA = "BUDGET_NOTICE_PERCENT", "BUDGET_EXTRA_PERCENT"

# Who tells people: notices lie above, accounts puts its function here at start. Called with the person's id,
# the budget, and how much of how many is used.
TELLERS: "list[Callable[[int, Budget, int, int], None]]" = []


@dataclass(frozen=True, slots=True)
class Budget:
    """One budget: the reads it counts, its two parameters, and the one beyond which an hour needs a
    step-up.
    """

    code: str
    outcome: str
    hour: str
    day: str
    name: "StrOrPromise"
    stop: str = ""
    step_up: str = ""


BUDGETS: dict[str, Budget] = {
    one.code: one
    for one in (
        Budget(
            "records", AccessEntry.Outcome.READ, "RECORDS_PER_HOUR", "RECORDS_PER_DAY", _("查阅学籍记录")
        ),
        Budget(
            "reveals", AccessEntry.Outcome.REVEAL, "REVEALS_PER_HOUR", "REVEALS_PER_DAY", _("查看明文"),
            step_up="REVEALS_STEP_UP",
        ),
        Budget(
            "look_ups", AccessEntry.Outcome.LOOK_UP, "LOOKUPS_PER_HOUR", "LOOKUPS_PER_DAY", _("全国查重"),
            stop=LOOK_UPS,
        ),
    )
}  # fmt: skip


class BudgetSpent(Refusal):
    code, status, rule, article = "budget_spent", 429, "RD-6", "第二十四条"
    message = _(
        "您{name}的次数已达上限（每小时 {hour} 次、每日 {day} 次）。请稍后再试；如确需继续，请联系主管领导。"
    )


class BudgetStepUp(Refusal):
    """The budget is used up; a second factor proved now stretches it once."""

    code, status, rule, article = "step_up_needed", 403, "RD-6", "第二十四条"
    message = _(
        "您{name}的次数已达限额（每小时 {hour} 次、每日 {day} 次）。如确需继续，请先再次验证身份"
        "（动态口令或通行密钥）；验证后当日仅可再使用限额的 {extra}%。"
    )


class RevealStepUp(Refusal):
    """Many reveals, or a warning about her reveals: each needs a second factor of the last minutes (AC-7)."""

    code, status, rule, article = "step_up_needed", 403, "AC-7", "第二十四条"
    message = _(
        "一小时内查看明文超过 {most} 次，或系统已对您查看明文的情况发出预警。继续查看须先再次验证身份"
        "（动态口令或通行密钥），验证后五分钟内有效。"
    )


@dataclass(frozen=True, slots=True)
class _Spent:
    hour: int
    day: int
    is_stretched: bool
    limits: dict[str, int]


def spend(actor: Any, budget: str, count: int = 1) -> None:
    """Let `actor` make `count` more reads of a budget, or refuse; the caller then writes them to the log,
    which is what is counted.

    One indexed query, and one more where a warning may have stopped the act. Raises BudgetStepUp,
    BudgetSpent, RevealStepUp or Stopped; KeyError for an unknown budget.
    """
    one = BUDGETS[budget]
    if one.stop:
        refuse_stopped(one.stop, person_key(actor.pk))
    spent = _spent(actor, one)
    hour, day = spent.limits[one.hour], spent.limits[one.day]
    words: dict[str, Any] = {"name": one.name, "hour": hour, "day": day, "extra": spent.limits[EXTRA]}
    report = partial(
        warn, "W3", path=_own_path(actor), key=person_key(actor.pk), subject_user=actor.pk,
        budget=budget, hour=spent.hour, day=spent.day,
    )  # fmt: skip
    for used, limit in ((spent.hour, hour), (spent.day, day)):
        if used + count <= limit:
            continue
        if spent.is_stretched:
            if used + count > limit * (100 + spent.limits[EXTRA]) // 100:
                raise BudgetSpent(afterwards=report, **words)
        elif not is_fresh(actor):
            raise BudgetStepUp(afterwards=report, **words)
        else:
            BudgetStretch.objects.create(actor_id=actor.pk, budget=budget)
            report()
            break
    if one.step_up and not is_fresh(actor):
        most = spent.limits[one.step_up]
        if spent.hour + count > most or stopped(REVEALS, person_key(actor.pk)):
            raise RevealStepUp(most=most)
    _notify(actor, one, spent, count)


def person_key(user_id: int) -> str:
    """What a warning about one person, and its stop, are filed under."""
    return f"user:{user_id}"


def is_fresh(actor: Any) -> bool:
    """Whether she proved a second factor in the last five minutes; the middleware puts the moment on her."""
    return time() - getattr(actor, "factor_at", 0.0) < FRESH_SECONDS


def _own_path(actor: Any) -> str:
    return str(actor.own_office.path if actor.own_office else actor.acting_path)


def _notify(actor: Any, one: Budget, spent: _Spent, count: int) -> None:
    share = spent.limits[NOTICE]
    for used, limit in ((spent.hour, spent.limits[one.hour]), (spent.day, spent.limits[one.day])):
        if used * 100 < limit * share <= (used + count) * 100:
            for tell in TELLERS:
                tell(actor.pk, one, used + count, limit)
            return


def _spent(actor: Any, one: Budget) -> _Spent:
    """What is used, whether it was stretched today, and the limits at her office: one statement.

    `audit_spent` counts what she did under each of her posts, also outside the present scope.
    """
    wanted = [one.hour, one.day, NOTICE, EXTRA, *([one.step_up] if one.step_up else [])]
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT spent.hour, spent.day,"
            " EXISTS (SELECT FROM audit_budgetstretch s WHERE s.actor_id = %(actor)s"
            "  AND s.budget = %(budget)s AND s.at > now() - interval '1 day'),"
            " (SELECT json_agg(json_build_array(r.key, r.path, r.value)) FROM config_rulevalue r"
            "  WHERE r.key = ANY(%(keys)s) AND r.path = ANY(%(paths)s) AND r.valid @> %(day)s"
            "  AND r.value <> 'null'::jsonb)"
            " FROM audit_spent(%(actor)s, %(outcome)s) AS spent",
            {
                "actor": actor.pk, "budget": one.code, "outcome": str(one.outcome), "keys": wanted,
                "paths": ancestors(_own_path(actor)), "day": today(),
            },
        )  # fmt: skip
        hour, day, is_stretched, stored = cursor.fetchone()
    limits = {key: int(str(PARAMETERS[key].value)) for key in wanted}
    nearest: dict[str, str] = {}
    for key, path, value in stored or []:
        parameter = PARAMETERS[key]
        if parameter.is_well_formed(value) and len(path) > len(nearest.get(key, "")):
            nearest[key] = path
            limits[key] = int(str(parameter.bound.clamp(value)))
    return _Spent(hour, day, is_stretched, limits)
