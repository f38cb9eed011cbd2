"""家庭经济困难认定: a dated flag that a school asks for and the authority approves (D17)."""

from datetime import date, timedelta

from django.db import IntegrityError, transaction
from django.db.backends.postgresql.psycopg_any import DateRange
from django.utils.translation import gettext_lazy as _

from audit.services import Actor, record
from config.clock import today
from config.errors import Refusal
from registry.models import AidRecognition, Student


class AidTwice(Refusal):
    code, status = "aid_twice", 409
    rule = "D17"
    message = _("该生在此期间已有家庭经济困难认定，不能重复认定；情况变化的，请先取消原认定。")


def aid_of(student: Student, on: date) -> AidRecognition | None:
    """The recognition in force on a day, or else the next one to come."""
    rows = AidRecognition.objects.filter(student=student, valid__endswith__gt=on)
    return rows.order_by("valid").first()


def has_aid(student: Student, first: date, last: date) -> bool:
    """Whether a recognition touches one of the days from `first` to `last`."""
    days = DateRange(first, last, "[]")
    return AidRecognition.objects.filter(student=student, valid__overlap=days).exists()


@transaction.atomic
def recognize(
    student: Student,
    level: str,
    basis: str,
    *,
    first: date,
    last: date,
    case_no: str,
    kind: str,
    actor: Actor,
) -> AidRecognition:
    """Note the recognition from `first` to `last`, both included. Safe to repeat for the same case.

    Raises AidTwice: the constraint decides, not a look before.
    """
    if known := AidRecognition.objects.filter(case_no=case_no, student=student).first():
        return known
    try:
        with transaction.atomic():
            aid = AidRecognition.objects.create(
                org_path=student.org_path,
                student=student,
                level=level,
                basis=basis,
                valid=DateRange(first, last, "[]"),
                case_no=case_no,
            )
    except IntegrityError as error:
        raise AidTwice() from error
    # Neither level nor ground: that a family is poor is nobody's business but the office's that decides.
    record("registry.student.aid", student, actor=actor, basis="D17", kind=kind, number=case_no)
    return aid


@transaction.atomic
def end_aid(student: Student, *, case_no: str, kind: str, actor: Actor) -> bool:
    """End what is in force with this day; what has not begun will never be. Rows are not deleted.

    False where there is nothing to end: safe to repeat.
    """
    rows = AidRecognition.objects.select_for_update(no_key=True)
    tomorrow, ended = today() + timedelta(days=1), False
    for aid in rows.filter(student=student, valid__endswith__gt=tomorrow):
        begun = aid.valid.lower < tomorrow
        aid.valid = DateRange(aid.valid.lower, tomorrow) if begun else DateRange(empty=True)
        aid.save(update_fields=["valid"])
        ended = True
    if ended:
        record("registry.student.aid_end", student, actor=actor, basis="D17", kind=kind, number=case_no)
    return ended
