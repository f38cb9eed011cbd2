"""借读: a pupil studies at a host school while the status stays at home (R-CHG-09, D19, G-21).

A guest counts for the size of the host's class and in no total. The host tells the home school once a term
how the pupil attends.
"""

from dataclasses import dataclass
from datetime import date, timedelta

from django.db import IntegrityError, transaction
from django.db.backends.postgresql.psycopg_any import DateRange
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from accounts.rights import explain
from accounts.roles import Right
from audit.services import Actor, record
from config.clock import today
from config.errors import Refusal
from registry.models import Attendance, AttendanceReport, SchoolClass, Student
from registry.record import school_year_start
from registry.services.changing import Change
from registry.services.intake_rules import lock_classes, present_term

MOST_DAYS = 150  # lessons are held on fewer days of a term


class AlreadyGuest(Refusal):
    """A constraint decides: one guest study at a time."""

    code, status = "already_guest", 409
    rule = "R-CHG-09"
    message = _("该生在所填期间已在他校借读，请先由就读学校结束原借读。")


class GuestEnded(Refusal):
    code, status = "guest_ended", 409
    rule = "R-CHG-09"
    message = _("该借读已于{day}结束，不能再办理。")


class ReportUnclear(Refusal):
    code, status = "report_unclear", 422
    rule = "R-CHG-09"
    message = _("出勤天数和缺勤天数应为整数，合计 1 至 {most} 天。请核对后重新提交。")


class ReportedAlready(Refusal):
    code, status = "reported_already", 409
    rule = "R-CHG-09"
    message = _("本学期的借读情况已经报告过，每学期报告一次。")


@dataclass(frozen=True, slots=True)
class Stay:
    """From when until before when a guest study runs."""

    begins_on: date
    until: date


def stay_from(day: date) -> Stay:
    """From `day` to the end of its school year: whoever stays longer asks again, for the class moves on."""
    return Stay(day, school_year_start(day).replace(year=school_year_start(day).year + 1))


@transaction.atomic
def begin(
    student: Student, school_class: SchoolClass, stay: Stay, change: Change, *, actor: Actor
) -> Attendance:
    """Put the pupil on the host class's list of guests. Safe to repeat for the same case.

    Raises ClassFull, ClassUnknown, AlreadyGuest.
    """
    done = Attendance.objects.filter(case_no=change.case_no, student=student).first()
    if done is not None:
        return done
    lock_classes(
        school_class.school, {school_class.pk: 1}, stay.begins_on, is_intake=False, besides=student.pk
    )
    spell = student.enrolments.filter(is_void=False).order_by("-valid")[0]
    try:
        with transaction.atomic():
            attendance = Attendance.objects.create(
                org_path=school_class.org_path, home_path=student.org_path, student=student,
                host_id=school_class.school_id, home_id=spell.school_id, school_class=school_class,
                name=student.name, sex=student.sex, grade=school_class.grade,
                valid=DateRange(stay.begins_on, stay.until), case_no=change.case_no,
            )  # fmt: skip
    except IntegrityError as error:
        raise AlreadyGuest() from error
    # About the pupil, whose row is the home school's: that is how it hears of it.
    record(
        "registry.guest.begin", student, actor=actor, basis="R-CHG-09", number=change.case_no,
        kind=change.name, school=school_class.school.organization.name,
    )  # fmt: skip
    return attendance


@transaction.atomic
def end_early(attendance: Attendance, *, actor: User) -> None:
    """The host ends a running guest study today. Raises NotAllowed, GuestEnded."""
    explain(actor, Right.FILE, at=attendance.org_path).or_raise()
    day = max(today(), attendance.valid.lower + timedelta(days=1))
    if not _shorten(attendance, day):
        held = Attendance.objects.get(pk=attendance.pk)
        raise GuestEnded(day=f"{held.valid.upper:%Y-%m-%d}")
    record("registry.guest.end", attendance, actor=actor, basis="R-CHG-09", name=attendance.name)


def end_running(student: Student, day: date) -> None:
    """Whoever takes a status over ends the pupil's guest study with it, at whichever school."""
    for attendance in Attendance.objects.filter(student=student, valid__endswith__gt=day):
        _shorten(attendance, max(day, attendance.valid.lower + timedelta(days=1)))


def _shorten(attendance: Attendance, day: date) -> bool:
    running = Attendance.objects.filter(pk=attendance.pk, valid__endswith__gt=day)
    return bool(running.update(valid=DateRange(attendance.valid.lower, day)))


@transaction.atomic
def report(
    attendance: Attendance, days_present: str, days_absent: str, remark: str, *, actor: User
) -> AttendanceReport:
    """Tell the home school how the guest attended in the present term, once.

    Raises NotAllowed, ReportUnclear, ReportedAlready, GuestEnded when the study ended before this term.
    """
    explain(actor, Right.FILE, at=attendance.org_path).or_raise()
    counted = [int(text) if text.isascii() and text.isdigit() and len(text) < 4 else -1
               for text in (days_present, days_absent)]  # fmt: skip
    if min(counted) < 0 or not 0 < sum(counted) <= MOST_DAYS:
        raise ReportUnclear(most=MOST_DAYS)
    term = present_term(attendance.org_path, today())
    if attendance.valid.upper <= term.starts_on:
        raise GuestEnded(day=f"{attendance.valid.upper:%Y-%m-%d}")
    try:
        with transaction.atomic():
            kept = AttendanceReport.objects.create(
                org_path=attendance.org_path, home_path=attendance.home_path, attendance=attendance,
                school_year=term.school_year, semester=term.semester, days_present=counted[0],
                days_absent=counted[1], remark=" ".join(remark.split())[:200], reported_by=actor.pk,
                reported_by_name=actor.signing_name,
            )  # fmt: skip
    except IntegrityError as error:
        raise ReportedAlready() from error
    record("registry.guest.report", attendance, actor=actor, basis="R-CHG-09", name=attendance.name)
    return kept
