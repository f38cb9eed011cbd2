"""控辍保学报告: school each month, county each quarter, city each semester, province each school year; the
counts are frozen when the period is over, a person of the office signs, and zero is a report (R-DRP-06).
"""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.db import connection, transaction
from django.db.models import F, Q
from django.db.models.functions import Now
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from accounts.models import Organization, User
from accounts.notices import Line, notify_each
from accounts.offices import visible_offices
from accounts.rights import explain, seated
from accounts.roles import Right
from audit.services import System, record, record_many
from config.clock import today
from config.errors import Refusal
from config.paging import count_up_to
from config.rules import rule
from config.scope import scoped_transaction
from registry.dropout.alarm import NOTICE
from registry.dropout.ledgers import count_under
from registry.models import DropoutReport
from registry.services.seasons import term_days

Kind = DropoutReport.Kind
_DAY = timedelta(days=1)
# Primary, junior, vocational junior and special schools: who teaches compulsory grades reports.
COMPULSORY_STAGES = ["2", "3", "5", "A"]
LABELS = {
    "absent": _("期末未返校"),
    "suspected_new": _("新增疑似"),
    "suspected_closed": _("疑似销号"),
    "suspected": _("期末疑似"),
    "dropped_new": _("新增辍学"),
    "dropped_closed": _("辍学销号"),
    "dropped": _("期末辍学"),
    "visits": _("劝返次数"),
}


class SignedAlready(Refusal):
    code, status, rule = "dropout_report_signed", 409, "R-DRP-06"
    message = _("该报告已由{who}签报，不能再改。请刷新后查看。")


# ── Periods ──────────────────────────────────────────────────────────────────────────────────────────────
_CIVIL = {Kind.MONTH: range(1, 13), Kind.QUARTER: range(1, 13, 3)}  # the months in which a period begins


def latest_period(kind: str, day: date, path: str) -> tuple[date, date]:
    """First and last day of the latest period of the kind that was over before `day`, for the office of
    `path`.
    """
    years = range(day.year - 2, day.year + 1)
    begins = [one for year in years for one in _begins(Kind(kind), year, path)]
    first, following = [one for one in begins if one <= day][-2:]
    return first, following - _DAY


def _begins(kind: Kind, year: int, path: str) -> list[date]:
    """The days on which periods of the school year that begins in `year`, or of the civil year, begin.

    The autumn term parts the school year: no day lies between two periods.
    """
    if months := _CIVIL.get(kind):
        return [date(year, month, 1) for month in months]
    first, last = term_days(path, year, "1")
    return [first] if kind == Kind.YEAR else [first, last + _DAY]


@dataclass(frozen=True, slots=True)
class Plan:
    """One kind of report: which offices owe it, and who signs."""

    kind: str
    office: str
    right: Right


PLANS = {
    plan.kind: plan
    for plan in (
        Plan(Kind.MONTH, "school", Right.REVIEW),
        Plan(Kind.QUARTER, "county", Right.DECIDE),
        Plan(Kind.SEMESTER, "city", Right.DECIDE),
        Plan(Kind.YEAR, "province", Right.DECIDE),
    )
}


# ── Each day ─────────────────────────────────────────────────────────────────────────────────────────────
_INSIDE = "{0}.org_path >= o.path AND {0}.org_path < o.path || '~'"
_LEDGER = """(SELECT jsonb_build_object(
    '{name}_new', count(*) FILTER (WHERE r.opened_on BETWEEN %(first)s AND %(last)s),
    '{name}_closed', count(*) FILTER (WHERE r.closed_on BETWEEN %(first)s AND %(last)s),
    '{name}', count(*) FILTER (WHERE r.opened_on <= %(last)s AND coalesce(r.closed_on > %(last)s, true)))
  FROM {table} r WHERE {inside})"""
_MAKE = f"""
INSERT INTO registry_dropoutreport
  (org_path, office_id, kind, starts_on, ends_on, due_on, remark, signed_by_name, counts)
SELECT o.path, o.id, %(kind)s, %(first)s, %(last)s, %(due)s, '', '',
  {_LEDGER.format(name="suspected", table="registry_suspecteddropout", inside=_INSIDE.format("r"))}
  || {_LEDGER.format(name="dropped", table="registry_dropoutentry", inside=_INSIDE.format("r"))}
  || jsonb_build_object(
    'absent', (SELECT count(*) FROM registry_absence a WHERE {_INSIDE.format("a")}
       AND a.from_on <= %(last)s AND coalesce(a.ended_on > %(last)s, true) AND NOT a.is_excused),
    'visits', (SELECT count(*) FROM registry_persuasionvisit v WHERE {_INSIDE.format("v")}
       AND v."on" BETWEEN %(first)s AND %(last)s))
FROM accounts_organization o LEFT JOIN registry_school s ON s.organization_id = o.id
WHERE o.kind = %(office)s AND o.path >= %(path)s AND o.path < %(path)s || '~' AND o.valid @> %(day)s
  AND (o.kind <> 'school' OR s.stages && %(stages)s::varchar[])
  AND NOT EXISTS (SELECT FROM registry_dropoutreport d WHERE d.office_id = o.id AND d.kind = %(kind)s
    AND %(middle)s BETWEEN d.starts_on AND d.ends_on)
RETURNING id, org_path"""  # noqa: S608


def make(path: str) -> int:
    """The reports of the latest periods that are over, for every office under `path` that lacks one."""
    return sum(_make(path, plan) for plan in PLANS.values())


def _make(path: str, plan: Plan) -> int:
    with scoped_transaction(path):
        day = today()
        first, last = latest_period(plan.kind, day, path)
        middle = first + (last - first) / 2  # a term that is set anew makes no second report of it
        due = last + timedelta(days=rule("DROPOUT_REPORT_DUE_DAYS", at=path).number)
        with connection.cursor() as cursor:
            cursor.execute(
                _MAKE,
                {
                    "kind": plan.kind, "first": first, "last": last, "due": due, "office": plan.office,
                    "middle": middle, "path": path, "day": day, "stages": COMPULSORY_STAGES,
                },
            )  # fmt: skip
            made: list[tuple[int, str]] = cursor.fetchall()
        actor = System(acting_path=path)
        record_many("registry.dropout.make", "dropoutreport", made, actor=actor, basis="R-DRP-06")
        people = seated((office, plan.right) for _pk, office in made)
        span = f"{first:%Y-%m-%d} 至 {last:%Y-%m-%d}"
        words = f"{Kind(plan.kind).label}（{span}）已生成，请于 {due:%Y-%m-%d} 前签报"
        target = reverse("dropout:reports")
        notify_each(
            NOTICE,
            [
                Line(person, words, target, "", f"dropout:owed:{pk}")
                for pk, office in made
                for person in people[office, plan.right]
            ],
        )
        return len(made)


# ── Signing ──────────────────────────────────────────────────────────────────────────────────────────────
@transaction.atomic
def sign(report: DropoutReport, *, actor: User, remark: str = "") -> None:
    """A person of the office signs its report upward; the counts stay as they were.

    Raises NotAllowed, SignedAlready.
    """
    explain(actor, PLANS[report.kind].right, at=report.org_path).or_raise()
    waiting = DropoutReport.objects.filter(pk=report.pk, signed_at=None)
    if not waiting.update(
        signed_at=Now(), signed_by_name=actor.signing_name, remark=" ".join(remark.split())[:300]
    ):
        raise SignedAlready(who=DropoutReport.objects.get(pk=report.pk).signed_by_name)
    record(
        "registry.dropout.sign", report, actor=actor, basis="R-DRP-06", kind=report.get_kind_display(),
        period=f"{report.starts_on} — {report.ends_on}", is_late=today() > report.due_on,
    )  # fmt: skip


# ── The page ─────────────────────────────────────────────────────────────────────────────────────────────
SHOWS = {"all": _("全部"), "open": _("未签报"), "overdue": _("逾期未报")}


def may_sign(user: User, report: DropoutReport) -> bool:
    return report.signed_at is None and user.may_act_at(PLANS[report.kind].right, report.org_path)


def seen_by(user: User) -> Any:
    return DropoutReport.objects.visible_to(user, Right.VIEW_REPORT)


def is_overdue(report: DropoutReport) -> bool:
    return report.signed_at is None and report.due_on < today()


def read_reports(
    user: User, office: Organization, *, show: str, kind: str, after: int, size: int
) -> tuple[list[DropoutReport], int | None, int]:
    """Reports of an office and of those below, newest first, key-set paged: rows, the id to go on after, how
    many.
    """
    rows = seen_by(user).within(office.path)
    if kind:
        rows = rows.filter(kind=kind)
    if show != "all":
        rows = rows.filter(signed_at=None)
    if show == "overdue":
        rows = rows.filter(due_on__lt=today())
    total = count_up_to(rows)
    if after:
        rows = rows.filter(Q(pk__lt=after))
    ids = list(rows.newest_first(office.path).values_list("pk", flat=True)[: size + 1])
    found = DropoutReport.objects.filter(pk__in=ids[:size]).select_related("office").order_by("-pk")
    return list(found), ids[size - 1] if len(ids) > size else None, total


def read_below(user: User, office: Organization) -> list[dict[str, Any]]:
    """The offices right below with the reports that they and those below them owe: one query."""
    owed = DropoutReport.objects.filter(signed_at=None)
    below = visible_offices(user).filter(parent=office)
    counted = below.annotate(owed=count_under(owed), overdue=count_under(owed.filter(due_on__lt=today())))
    rows: Any = counted.order_by(F("overdue").desc(), "path").values("pk", "name", "owed", "overdue")
    return list(rows[:200])
