"""年度评价: how accurate, how easy to ask, how timely the data of an office are (HANDBOOK D12).

Counts that the registry holds already, one query each; the judgment is the reader's.
"""

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from django.db.models import Count, F, Q, Sum
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import Organization, User
from accounts.roles import Right
from audit.models import AccessEntry
from config.clock import today
from config.paging import MOST_COUNTED, count_up_to
from registry.models import Export, Finding, SampleRow, SchoolVerification, StatusChange
from registry.services.intake_rules import present_term
from registry.verification.queries import percent

State = Finding.State


@dataclass(slots=True)
class Figure:
    """One line of the sheet: so many out of so many."""

    label: str
    part: int
    whole: int | None = None

    @property
    def percent(self) -> int | None:
        return None if self.whole is None else percent(self.part, self.whole)

    @property
    def is_beyond(self) -> bool:
        """Counted no further."""
        return self.part > MOST_COUNTED


@dataclass(slots=True)
class Sheet:
    """The evaluation of one office in one school year."""

    office: Organization
    school_year: int
    years: list[int]
    parts: list[tuple[str, list[Figure]]]


def evaluate(office: Organization, user: User, school_year: int | None = None) -> Sheet:
    """The sheet of a school year, by default the present one."""
    present = present_term(office.path, today()).school_year
    year = school_year if school_year and present - 5 <= school_year <= present else present
    days = (date(year, 9, 1), date(year + 1, 8, 31))
    return Sheet(
        office, year, list(range(present, present - 3, -1)),
        [
            (_("数据准确"), _accuracy(office.path, user, year)),
            (_("查询便捷"), _ease(office.path, user, days)),
            (_("变动及时"), _timeliness(office.path, user, year, days)),
        ],
    )  # fmt: skip


def _accuracy(path: str, user: User, year: int) -> list[Figure]:
    schools = SchoolVerification.objects.visible_to(user, Right.VIEW_REPORT).within(path)
    held = schools.filter(campaign__school_year=year).aggregate(
        n=Count("pk"), signed=Count("pk", filter=Q(state=SchoolVerification.State.SIGNED)),
        pupils=Sum("pupils"), total=Sum("findings_total"), still=Sum("findings_open"),
    )  # fmt: skip
    rows = SampleRow.objects.visible_to(user, Right.VIEW_REPORT).within(path)
    seen = rows.filter(sample__campaign__school_year=year).exclude(result=SampleRow.Result.OPEN)
    drawn = seen.aggregate(n=Count("pk"), agrees=Count("pk", filter=Q(result=SampleRow.Result.AGREES)))
    total, still = held["total"] or 0, held["still"] or 0
    return [
        Figure(_("完成核准签署的学校"), held["signed"], held["n"]),
        Figure(
            _("核准未发现问题的比例（按人次）"), max(0, (held["pupils"] or 0) - total), held["pupils"] or 0
        ),
        Figure(_("核准问题已销号"), total - still, total),
        Figure(_("抽查相符的学生"), drawn["agrees"], drawn["n"]),
    ]


def _ease(path: str, user: User, days: tuple[date, date]) -> list[Figure]:
    exports = Export.objects.visible_to(user, Right.VIEW_REPORT).within(path)
    asked = exports.filter(requested_at__date__range=days).aggregate(
        n=Count("pk"), ready=Count("pk", filter=Q(ready_at__isnull=False))
    )
    reads = AccessEntry.objects.visible_to(user, Right.VIEW_REPORT).within(path)
    # Moments, not days of moments: only the months of the year are opened.
    first, last = (timezone.make_aware(datetime.combine(day, time.min)) for day in days)
    reads = reads.filter(
        outcome=AccessEntry.Outcome.READ,
        at__gte=first,
        at__lt=last + timedelta(days=1),
        subject_type="student",
    )
    return [
        Figure(_("申请的数据导出已提供"), asked["ready"], asked["n"]),
        Figure(_("学籍查阅次数"), count_up_to(reads)),
    ]


def _timeliness(path: str, user: User, year: int, days: tuple[date, date]) -> list[Figure]:
    changes = StatusChange.objects.visible_to(user, Right.VIEW_REPORT).filter(to_path__within=path)
    moved = changes.filter(effective_on__range=days).aggregate(
        n=Count("pk"), on_time=Count("pk", filter=Q(is_late=False))
    )
    rows = Finding.objects.visible_to(user, Right.VIEW_REPORT).within(path).filter(campaign__school_year=year)
    ended = rows.filter(Q(state=State.CLOSED) | Q(due_on__lt=today())).aggregate(
        n=Count("pk"), on_time=Count("pk", filter=Q(state=State.CLOSED, closed_at__date__lte=F("due_on")))
    )
    return [
        Figure(_("学籍变动按时办理"), moved["on_time"], moved["n"]),
        Figure(_("核准问题按期销号"), ended["on_time"], ended["n"]),
    ]
