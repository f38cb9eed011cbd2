"""Who of a grade graduates, who is skipped and why, what stands in the way (R-GRD-01, R-GRD-02, R-PRB-05)."""

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from django.db.models import Q
from django.utils.translation import gettext as _

from accounts.models import User
from registry.codes import label
from registry.graduation.refusals import GraduationClosed, ListChanged, NobodyGraduates, ProblemsOpen
from registry.graduation.window import outside_window
from registry.models import Enrolment, GraduationList, GraduationRow, OpenBusiness
from registry.protection import hidden_from
from registry.services.blockers import refuse_if_open_business
from registry.services.duplicates import blocking
from registry.services.seasons import term_days
from registry.status import LEFT, NORMAL, OPEN, STATUSES

_SHOWN = 20
_SPELL = ("id", "student_id", "student__public_id", "name", "status", "school_class__name")


@dataclass(frozen=True, slots=True)
class Examined:
    """What the preview shows; rows are plain values. `digest` is what she saw: another list has another."""

    counts: dict[str, int]  # outcome → pupils
    held: int
    skipped: list[dict[str, Any]]  # not in normal status, each with `why`
    business: list[dict[str, Any]]
    problems: list[dict[str, Any]]
    is_blocked: bool  # by business or problems, shown or not
    is_stale: bool  # somebody came or went since the list was made
    closed: GraduationClosed | None  # why it is not handed in or confirmed today
    digest: str

    @property
    def total(self) -> int:
        return sum(self.counts.values())

    @property
    def outcomes(self) -> list[tuple[str, int]]:
        return [(label("completion_type", code), count) for code, count in sorted(self.counts.items())]

    @property
    def is_ready(self) -> bool:
        return bool(self.total) and not (self.is_blocked or self.is_stale or self.closed)


def eligible(graduation: GraduationList) -> Any:
    """The spells that can graduate: normal, in school, in that grade of that school (R-GRD-01)."""
    return Enrolment.objects.filter(
        org_path=graduation.org_path, grade=graduation.grade, status=NORMAL, is_void=False
    )


def examine(graduation: GraduationList, user: User | None = None) -> Examined:
    """A constant number of queries, whatever the list holds. Whom lists hide from `user` is not named
    (AZ-10).
    """
    rows = list(
        graduation.rows.order_by("student_id").values_list("student_id", "outcome", "destination", "held")
    )
    taken = [pk for pk, _outcome, _destination, held in rows if not held]
    here = set(eligible(graduation).values_list("student_id", flat=True))
    business, problems = _business(taken, besides=graduation.case_no), _problems(taken)
    hidden = set(hidden_from(user)) if user else set()
    return Examined(
        counts=dict(Counter(outcome for _pk, outcome, _destination, held in rows if not held)),
        held=len(rows) - len(taken),
        skipped=_without(hidden, _skipped(graduation)),
        business=_without(hidden, business),
        problems=_without(hidden, problems),
        is_blocked=bool(business or problems),
        is_stale={pk for pk, *_rest in rows} != here,
        closed=outside_window(graduation, taken),
        digest=sha256(repr(rows).encode()).hexdigest()[:16],
    )


def refuse_if_unready(graduation: GraduationList) -> list[GraduationRow]:
    """The rows that graduate, by pupil. Raises NobodyGraduates, BusinessUnfinished, ProblemsOpen, and
    ListChanged when one of them is not normal in school any more.
    """
    rows = list(graduation.rows.filter(held="").order_by("student_id"))
    if not rows:
        raise NobodyGraduates()
    pupils = [row.student_id for row in rows]
    refuse_if_open_business(pupils, besides=graduation.case_no)
    if found := _problems(pupils):
        listed = "、".join(row["name"] for row in found[:_SHOWN])
        raise ProblemsOpen(count=str(len(found)), listed=listed + ("……" if len(found) > _SHOWN else ""))
    if eligible(graduation).filter(pk__in=[row.enrolment_id for row in rows]).count() != len(rows):
        raise ListChanged()
    return rows


def _without(hidden: Collection[int], rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [row for row in rows if row["student_id"] not in hidden]


def _skipped(graduation: GraduationList) -> list[dict[str, Any]]:
    """Pupils of the grade in another status; who left counts while the school year runs."""
    others = [code for code in OPEN if code != NORMAL]
    began = term_days(graduation.org_path, graduation.school_year, "1")[0]
    spells = Enrolment.objects.filter(org_path=graduation.org_path, grade=graduation.grade, is_void=False)
    found = spells.filter(Q(status__in=others) | Q(status=LEFT, valid__endswith__gte=began))
    rows = list(found.order_by("status", "name_py", "id").values(*_SPELL))
    for row in rows:
        row["why"] = _("状态为“{status}”，只有正常在校的学生可以毕业").format(
            status=STATUSES[row["status"]].name
        )
    return rows


def _business(pupils: list[int], *, besides: str) -> list[dict[str, Any]]:
    held = OpenBusiness.objects.filter(student_id__in=pupils).exclude(case_no=besides or "-")
    return list(
        held.order_by("case_no").values(
            "student_id", "student__name", "student__public_id", "kind_name", "case_no"
        )
    )


def _problems(pupils: list[int]) -> list[dict[str, Any]]:
    """Open problem records that block; a hint blocks nothing (R-PRB-05)."""
    columns = ("pk", "type", "student__name", "student_id", "other_id", "other__name")
    rows = blocking(pupils).order_by("pk").values(*columns)
    mine = set(pupils)
    return [
        {
            "pk": row["pk"],
            "student_id": row["student_id"] if row["student_id"] in mine else row["other_id"],
            "type_name": label("problem_record_type", row["type"]),
            "name": row["student__name"] if row["student_id"] in mine else row["other__name"],
        }
        for row in rows
    ]
