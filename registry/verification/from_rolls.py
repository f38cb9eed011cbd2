"""What a confirmed roll makes a finding of: 人籍分离, 空挂, pupils without a record here (R-VER-05)."""

from datetime import date
from typing import Any

from django.db.models import Case, Q, Value, When
from django.db.models.functions import Now

from config.clock import today
from config.rules import rule
from config.workdays import add_workdays
from registry.models import ClassRoll, Finding, RollMark
from registry.verification.checking import recount

SEPARATED, VACANT, UNLISTED = "separated", "vacant", "unlisted"
ROLL = "roll"  # in `facts`: raised by a roll, and so gone when the roll no longer says it
_STATE = Finding.State


def raise_from_roll(roll: ClassRoll) -> None:
    """Open the findings that the marks of `roll` call for, and close those that it no longer calls for.

    What a person closed stays closed, what an inspector ordered stays open. The caller records the act.
    """
    called = _called_for(roll)
    of_class = Q(student_id__in=roll.students) | Q(school_class_id=roll.school_class_id, student=None)
    known = Finding.objects.filter(
        of_class, org_path=roll.org_path, campaign_id=roll.campaign_id, kind__in=(SEPARATED, VACANT, UNLISTED)
    )
    found = {(one.kind, one.student_id): one for one in known}
    Finding.objects.bulk_create(
        [_new(roll, *key, facts) for key, facts in called.items() if key not in found]
    )
    back = known.filter(pk__in=[one.pk for key, one in found.items() if key in called and one.gone_at])
    back.update(
        state=Case(When(plan="", then=Value(_STATE.OPEN)), default=Value(_STATE.PLANNED)),
        closed_at=None, gone_at=None, due_on=_due(roll), escalated_on=None,
    )  # fmt: skip
    known.filter(kind=UNLISTED).update(facts=called.get((UNLISTED, None), {"by": ROLL, "pupils": 0}))
    gone = [one.pk for key, one in found.items() if key not in called and one.facts.get("by") == ROLL]
    open_ones = known.filter(pk__in=gone, offence=None).exclude(state=_STATE.CLOSED)
    open_ones.update(state=_STATE.CLOSED, closed_at=Now(), gone_at=Now())
    recount(roll.campaign_id, [roll.org_path])


def _called_for(roll: ClassRoll) -> dict[tuple[str, int | None], dict[str, Any]]:
    """Kind and pupil of each finding, with its facts; of those who are not on the list, only how many."""
    found: dict[tuple[str, int | None], dict[str, Any]] = {}
    unlisted = 0
    for mark in roll.marks.all():
        if mark.kind == RollMark.Kind.NOT_OURS:
            found[SEPARATED, mark.student_id] = {"by": ROLL}
        elif mark.why == RollMark.Why.UNKNOWN:
            found[VACANT, mark.student_id] = {"by": ROLL}
        elif mark.kind == RollMark.Kind.UNLISTED:
            unlisted += 1
            found[UNLISTED, None] = {"by": ROLL, "pupils": unlisted}
    return found


def _new(roll: ClassRoll, kind: str, student: int | None, facts: dict[str, Any]) -> Finding:
    return Finding(
        org_path=roll.org_path, campaign_id=roll.campaign_id, kind=kind, student_id=student, facts=facts,
        school_class_id=roll.school_class_id, due_on=_due(roll),
    )  # fmt: skip


def _due(roll: ClassRoll) -> date:
    days = rule("VERIFY_FINDING_DAYS", at=roll.org_path, on=today()).number
    return min(roll.campaign.due_on, add_workdays(today(), days))
