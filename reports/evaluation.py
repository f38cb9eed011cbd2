"""年度评价: how accurate, how easy to ask, how timely the data of an office are (HANDBOOK D12).

The numbers are those of the statistics, live up to a county and from the folded summary above it; the
judgment is the reader's.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any

from django.db.models import Min
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import Organization, User
from accounts.roles import Right
from audit.models import AccessEntry
from config.paging import MOST_COUNTED, count_up_to
from registry.verification.queries import percent
from reports.cubes import CLOSED, DECIDED_STEPS, DECREASES, EXPORTS, INSPECTED, STEPS, VERIFIED
from reports.folding import unit_of
from reports.models import UnitState
from reports.queries import live_grouping, read_summary
from reports.tables import years

_CUBES = (VERIFIED, CLOSED, INSPECTED, EXPORTS, DECREASES, DECIDED_STEPS, STEPS)


@dataclass(slots=True)
class Figure:
    """One line of the sheet: so many out of so many."""

    label: str
    part: int
    whole: int | None = None

    @property
    def percent(self) -> int | None:
        return percent(self.part, self.whole)

    @property
    def is_beyond(self) -> bool:
        """Counted no further."""
        return self.whole is None and self.part > MOST_COUNTED


@dataclass(slots=True)
class Sheet:
    """The evaluation of one office in one school year; `as_of` where its numbers are folded."""

    office: Organization
    school_year: int
    years: list[int]
    as_of: datetime | None
    parts: list[tuple[str, list[Figure]]]


def evaluate(office: Organization, year: str, user: User) -> Sheet:
    """The sheet of a school year. A constant number of queries at every level."""
    is_live = unit_of(office.path) is not None
    found: dict[str, int] = {}
    for cube in _CUBES:
        lines = (
            live_grouping(cube, office.path, period=year) if is_live
            else read_summary(cube, [office.path], period=year)
        )  # fmt: skip
        found |= {name: int(lines[0][name]) if lines else 0 for name in cube.measures}
    states = UnitState.objects.within(office.path)
    as_of = None if is_live else states.aggregate(oldest=Min("counted_at"))["oldest"]
    return Sheet(
        office, int(year), years(), as_of, _parts(found.__getitem__, _reads(office.path, user, int(year)))
    )


def _parts(n: Callable[[str], int], reads: int) -> list[tuple[str, list[Figure]]]:
    return [
        (_("数据准确"), [
            Figure(_("完成核准签署的学校"), n("signed"), n("to_verify")),
            Figure(
                _("核准未发现问题的比例（按人次）"), max(0, n("verified_pupils") - n("findings")),
                n("verified_pupils"),
            ),
            Figure(_("核准问题已销号"), n("findings") - n("findings_open"), n("findings")),
            Figure(_("抽查相符的学生"), n("agreed"), n("inspected")),
        ]),
        (_("查询便捷"), [
            Figure(_("申请的数据导出已提供"), n("provided"), n("asked")), Figure(_("学籍查阅次数"), reads),
        ]),
        (_("变动及时"), [
            Figure(_("学籍变动按时办理"), n("changes_on_time"), n("changes")),
            # What waits beyond its day is late already.
            Figure(
                _("办件各环节按时办结"), n("steps_on_time"), n("steps_decided") + n("steps_late")
            ),
            Figure(
                _("核准问题按期销号"), n("closed_in_time"), n("closed_findings") + n("late_findings")
            ),
        ]),
    ]  # fmt: skip


def _reads(path: str, user: User, year: int) -> int:
    """How often records were looked at, counted up to a bound."""
    # Moments, not days of moments: only the months of the year are opened.
    first, end = (
        timezone.make_aware(datetime.combine(date(one, 7, 1), time.min)) for one in (year, year + 1)
    )
    rows: Any = AccessEntry.objects.visible_to(user, Right.VIEW_REPORT).within(path)
    rows = rows.filter(
        outcome=AccessEntry.Outcome.READ, at__gte=first, at__lt=end, subject_type="student"
    )  # fmt: skip
    return count_up_to(rows)
