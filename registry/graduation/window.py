"""When graduation is handled: the days of the yearly notice, as the locality set them (HANDBOOK A7.4)."""

from collections.abc import Sequence

from config.clock import today
from config.rules import rule
from registry.graduation.refusals import GraduationClosed
from registry.models import GraduationList, GraduationRecord
from registry.school_year.calendar import coming_period
from registry.services.seasons import Season


def outside_window(graduation: GraduationList, pupils: Sequence[int]) -> GraduationClosed | None:
    """Why the list with these pupils on it is not handed in or confirmed today; None when it may be.

    An application under way goes on. Who was rolled back graduates again on any day (R-GRD-06): the authority
    has decided it.
    """
    if graduation.state == GraduationList.State.APPLIED:
        return None
    held, on = rule("GRADUATION_WINDOW", at=graduation.org_path), today()
    if held.covers(on) or _are_corrected(graduation, pupils):
        return None
    first, last = coming_period(held, on)
    return GraduationClosed(days=str(Season(first, last, "")), why=held.explain())


def _are_corrected(graduation: GraduationList, pupils: Sequence[int]) -> bool:
    voided = GraduationRecord.objects.filter(student_id__in=pupils, grade=graduation.grade)
    return voided.exclude(voided_on=None).values("student_id").distinct().count() == len(pupils)
