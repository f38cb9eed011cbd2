"""随迁辍学学生: at the end of the term the authority hands the archive to the county of the hukou (R-CHG-10).

The status is kept and the ledger's entry stays open: what goes is the record as of that day, so that the
county where the family is registered can look for the child.
"""

from typing import Any

from django.db import IntegrityError, transaction
from django.db.models.functions import Now
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from accounts.models import Organization, User
from accounts.notices import notify
from accounts.offices import authority_of
from accounts.rights import explain, seated
from accounts.roles import Right
from audit.services import record
from config.clock import today
from config.errors import NotFound, Refusal
from registry.dropout.alarm import NOTICE
from registry.dropout.reporting import Kind, latest_period
from registry.models import DropoutEntry, HandedDropout, Student
from registry.record import load_record, values_of


class NotHandedOver(Refusal):
    code, status, rule = "dropout_not_handed", 409, "R-CHG-10"
    message = _("不能转交档案：{why}")


def hukou_county(student: Student, school: Organization) -> Organization | None:
    """The county where the family is registered, where that is another than the school's."""
    place = student.hukou_division[:6]
    if not place or place == school.division[:6]:
        return None
    counties = Organization.objects.filter(
        kind=Organization.Kind.COUNTY, division__startswith=place, valid__contains=today()
    )
    return counties.order_by("path").first()


@transaction.atomic
def hand_over(entry: DropoutEntry, *, actor: User) -> HandedDropout:
    """The authority hands a copy of the archive to the county of the hukou, once the term is over.

    Raises NotAllowed, NotHandedOver.
    """
    school = Organization.objects.get(path=entry.org_path)
    above = authority_of(school)
    explain(actor, Right.DECIDE, at=above.path if above else entry.org_path).or_raise()
    county = hukou_county(entry.student, school)
    if county is None:
        raise NotHandedOver(why=_("该生户籍在本县，或户籍地县级教育行政部门未在系统中登记。"))
    _first, term_ended = latest_period(Kind.SEMESTER, today(), entry.org_path)
    if entry.closed_on or entry.opened_on > term_ended:
        raise NotHandedOver(why=_("台账已销号，或辍学发生的学期尚未结束；学期结束后再办理。"))
    handed = HandedDropout(
        to_path=county.path, from_path=actor.acting_path, student=entry.student, entry=entry,
        name=entry.student.name, school_name=school.name, from_name=actor.acting_office_name,
        to_name=county.name, handed_on=today(), handed_by_name=actor.signing_name,
    )  # fmt: skip
    handed.set_fields(values_of(load_record(entry.student)))
    try:
        with transaction.atomic():
            handed.save(force_insert=True)
    except IntegrityError as error:
        raise NotHandedOver(why=_("该生档案已经转交，请刷新后查看。")) from error
    record("registry.dropout.hand", handed, actor=actor, basis="R-CHG-10", county=county.name)
    seat = (county.path, str(Right.DECIDE))
    text = f"{actor.acting_office_name}转来一名随迁辍学学生的档案，请接收并协助劝返"
    notify(seated([seat])[seat], NOTICE, text, reverse("dropout:handed"), once_key=f"dropout:hand:{entry.pk}")
    return handed


@transaction.atomic
def receive(handed: HandedDropout, *, actor: User) -> None:
    """The county of the hukou confirms that it has the archive. Raises NotAllowed, NotHandedOver."""
    explain(actor, Right.DECIDE, at=handed.to_path).or_raise()
    waiting = HandedDropout.objects.filter(pk=handed.pk, received_at=None)
    if not waiting.update(received_at=Now(), received_by_name=actor.signing_name):
        raise NotHandedOver(why=_("该档案已经接收，请刷新后查看。"))
    record("registry.dropout.receive", handed, actor=actor, basis="R-CHG-10")


def seen_by(user: User) -> Any:
    """What her office handed over or received, and the offices below."""
    return HandedDropout.objects.visible_to(user, Right.DECIDE)


def open_handed(user: User, pk: int) -> HandedDropout:
    """One archive in scope. Raises NotFound."""
    found: HandedDropout | None = seen_by(user).filter(pk=pk).first()
    if found is None:
        raise NotFound()
    return found
