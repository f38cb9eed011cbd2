"""报到登记 of a class at the beginning of a term: who came, who is missing (R-UPD-01)."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, timedelta

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from accounts.rights import explain
from accounts.roles import Right
from audit.services import record_many
from config.clock import today
from config.copying import copy_rows
from config.errors import Refusal
from registry.models import Enrolment, ReportIn, SchoolClass, Student
from registry.queries.sight import own_classes
from registry.services.intake_rules import PresentTerm, present_term

_BEFORE = timedelta(days=7)  # pupils report in during the week before the first lesson


class ReportTooEarly(Refusal):
    code, status = "report_too_early", 409
    rule = "R-UPD-01"
    message = _("本学期 {starts} 开学，报到登记在开学前一周内开始，请届时办理。")


class RollChanged(Refusal):
    code, status = "roll_changed", 409
    rule = "R-UPD-01"
    message = _("班级名单在您打开之后有变动，或没有选中任何学生，请刷新后重新登记。")


@dataclass(frozen=True, slots=True)
class Counts:
    """Pupils of a class who came, who did not, and of whom nothing is noted."""

    present: int
    missing: int
    open: int


def may_note(user: User, school_class: SchoolClass) -> bool:
    """The school's registrar, and the head teacher of this class."""
    if user.may_act_at(Right.EDIT_STUDENT, school_class.org_path):
        return True
    heads = user.may_act_at(Right.VIEW_OWN_CLASS, school_class.org_path)
    return heads and bool(own_classes(user).filter(pk=school_class.pk).exists())


def roll_of(school_class: SchoolClass) -> dict[int, Enrolment]:
    """Pupil → present spell of the class."""
    spells = Enrolment.objects.filter(org_path=school_class.org_path, school_class=school_class).in_school()
    return {spell.student_id: spell for spell in spells.order_by("name_py", "pk")}


def reports_of(school_class: SchoolClass, term: PresentTerm) -> dict[int, ReportIn]:
    """Pupil → what is noted for the term, whoever is in the class today."""
    noted = ReportIn.objects.filter(
        org_path=school_class.org_path, school_year=term.school_year, semester=term.semester,
        student__in=Enrolment.objects.filter(school_class=school_class).values("student"),
    )  # fmt: skip
    return {report.student_id: report for report in noted}


@transaction.atomic
def note_reports(
    school_class: SchoolClass, listed: Collection[int], present: Collection[int], *, actor: User
) -> Counts:
    """Note of each `listed` pupil of the class whether she is among the `present`, for the present term.

    Who came has the archive refreshed today; only what changed is written and recorded. Raises NotAllowed,
    ReportTooEarly, and RollChanged when a listed pupil is not in the class any more.
    """
    if not may_note(actor, school_class):
        explain(actor, Right.EDIT_STUDENT, at=school_class.org_path).or_raise()
    term = present_term(school_class.org_path, today())
    if today() < term.starts_on - _BEFORE:
        raise ReportTooEarly(starts=f"{term.starts_on:%Y-%m-%d}")
    # The class row queues the registrar and the head teacher who save at once.
    SchoolClass.objects.select_for_update(no_key=True).get(pk=school_class.pk)
    roll, known = roll_of(school_class), reports_of(school_class, term)
    if not listed or set(listed) - roll.keys():
        raise RollChanged()
    came = set(present) & set(listed)
    noted = {"noted_on": today(), "noted_by_id": actor.pk, "noted_by_name": actor.name}
    new = [
        ReportIn(
            org_path=school_class.org_path, student_id=pk, school_class=school_class, is_present=pk in came,
            school_year=term.school_year, semester=term.semester, **noted,
        )
        for pk in listed if pk not in known
    ]  # fmt: skip
    copy_rows(ReportIn, new)
    turned = [pk for pk in listed if pk in known and known[pk].is_present != (pk in came)]
    for is_present in (True, False):
        rows = [known[pk].pk for pk in turned if (pk in came) is is_present]
        ReportIn.objects.filter(pk__in=rows).update(is_present=is_present, **noted)
        changed = [report.student_id for report in new if report.is_present is is_present]
        changed += [pk for pk in turned if (pk in came) is is_present]
        record_many(
            "registry.student.report_in", "student", [(pk, school_class.org_path) for pk in changed],
            actor=actor, basis="R-UPD-01", is_present=is_present, school_year=term.school_year,
            semester=term.semester,
        )  # fmt: skip
    return count_reports(school_class, term)


def count_reports(school_class: SchoolClass, term: PresentTerm) -> Counts:
    roll, known = roll_of(school_class), reports_of(school_class, term)
    present = sum(known[pk].is_present for pk in roll if pk in known)
    missing = sum(not known[pk].is_present for pk in roll if pk in known)
    return Counts(present, missing, len(roll) - present - missing)


def refreshed_on(student: Student) -> date | None:
    """The day the archive was last refreshed at a report-in."""
    came = student.reports.filter(is_present=True)
    return came.order_by("-noted_on").values_list("noted_on", flat=True).first()
