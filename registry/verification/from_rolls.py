"""What a confirmed roll makes a finding of: 人籍分离, 空挂, pupils without a record here (R-VER-05)."""

from datetime import date
from typing import Any

from django.db.models import F, Q
from django.db.models.functions import Least, Now

from registry.models import ClassRoll, Finding, RollMark
from registry.verification.checking import due_day, recount
from registry.verification.kinds import SEPARATED

VACANT, UNLISTED = "vacant", "unlisted"
ROLL = "roll"  # in `facts`: raised by a roll, and so gone when the roll no longer says it
_STATE = Finding.State


def raise_from_roll(roll: ClassRoll, *, has_newcomers: bool) -> None:
    """Open the findings that the marks of `roll` call for, and close those that it no longer calls for.

    What a person closed stays closed, what an inspector ordered stays open; of pupils beyond the list it is
    open again when the roll names somebody new. The caller holds the school's row and records the act.
    """
    due_on = due_day(roll.campaign, roll.org_path)
    called = _called_for(roll)
    of_class = Q(student_id__in=roll.students) | Q(school_class_id=roll.school_class_id)
    known = Finding.objects.filter(
        of_class, org_path=roll.org_path, campaign_id=roll.campaign_id, kind__in=(SEPARATED, VACANT, UNLISTED)
    )
    found = {(one.kind, one.student_id): one for one in known}
    Finding.objects.bulk_create(
        [_new(roll, *key, facts, due_on) for key, facts in called.items() if key not in found]
    )
    back = known.filter(pk__in=[one.pk for key, one in found.items() if key in called and one.gone_at])
    by_then = Least(due_on, F("order_due_on"))  # a day that was ordered stands
    back.update(state=_STATE.OPEN, closed_at=None, gone_at=None, due_on=by_then, escalated_on=None)
    unlisted = known.filter(kind=UNLISTED)
    unlisted.update(facts=called.get((UNLISTED, None), {"by": ROLL, "pupils": 0}))
    if has_newcomers:
        done = unlisted.exclude(state=_STATE.OPEN)
        done.update(state=_STATE.OPEN, closed_at=None, due_on=by_then, escalated_on=None)
    # Also what a run or the roll of her former class has found is now this roll's to take back.
    said = [one.pk for key, one in found.items() if key in called and key[1]]
    known.filter(pk__in=said).update(facts={"by": ROLL}, school_class_id=roll.school_class_id)
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


def _new(roll: ClassRoll, kind: str, student: int | None, facts: dict[str, Any], due_on: date) -> Finding:
    return Finding(
        org_path=roll.org_path, campaign_id=roll.campaign_id, kind=kind, student_id=student, facts=facts,
        school_class_id=roll.school_class_id, due_on=due_on,
    )  # fmt: skip
