"""What the competent authority sets for one school: intake plan, total quota, seats above the class limit.

Only who decides for the school's own authority may, each with a document, each recorded with the figure
before and after (A7.3, D7, G-19).
"""

from dataclasses import dataclass
from datetime import date

from django.db import IntegrityError, transaction
from django.db.backends.postgresql.psycopg_any import DateRange
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from accounts.models import Organization, User
from accounts.rights import explain
from accounts.roles import Right
from audit.services import Actor, record
from config.clock import today
from config.errors import Refusal
from config.rules import rule
from registry.models import IntakePlan, School, SchoolClass, SeatPermission, StatusQuota
from registry.queries.schools import authority_above
from registry.record import school_year_start
from registry.services.intake_rules import MAX_KEYS, grade_digit

_REASON_AT_LEAST, _DOCUMENT_AT_LEAST = 6, 4  # characters
_MOST = 20_000  # pupils of one stage of one school: far above any, a slip of the keyboard lies beyond


class AllowanceRefused(Refusal):
    """What was typed into one of these forms cannot be set."""


class AllowanceWrong(AllowanceRefused):
    """A figure that no school can have."""

    code, status = "allowance_wrong", 422
    message = _("人数应为 0 至 {most} 之间的整数，请核对后重新填写。")


class AllowanceWithoutDocument(AllowanceRefused):
    code, status = "allowance_without_document", 422
    message = _("请写明依据的文件名称或文号（不少于 {n} 个字）。")


class StageNotOffered(AllowanceRefused):
    code, status = "stage_not_offered", 422
    rule = "C5"
    message = _("该校不举办所选学段，请重新选择。")


class YearOutOfReach(AllowanceRefused):
    code, status = "year_out_of_reach", 422
    rule = "INTAKE_PLAN"
    message = _("招生计划只能为本学年或下一学年设定，请重新选择学年。")


class PermissionWithoutReason(AllowanceRefused):
    code, status = "permission_without_reason", 422
    rule = "G-19"
    message = _("允许超班额必须写明理由（不少于 {n} 个字）。")


class PermissionTooMany(AllowanceRefused):
    code, status = "permission_too_many", 422
    rule = "G-19"
    article = "国家班额标准"
    message = _(
        "本班许可后最多为 {asked} 人，超过国家规定的 {most} 人（66 人及以上为超大班额）。请减少许可人数。"
    )


class PermissionPeriodWrong(AllowanceRefused):
    code, status = "permission_period_wrong", 422
    rule = "G-19"
    message = _("许可的截止日应在今天之后、本学年结束（{last}）之前，请重新填写。")


class PermissionMeanwhile(AllowanceRefused):
    code, status = "permission_meanwhile", 409
    rule = "G-19"
    message = _("另一位工作人员刚刚为本班办理了超班额许可，请刷新后核对。")


@dataclass(frozen=True, slots=True)
class Signed:
    """Who set a figure, for which office."""

    officer: User
    office_name: str

    def columns(self, document: str) -> dict[str, object]:
        return {
            "document": document.strip()[:100],
            "set_by": self.officer,
            "set_by_name": self.officer.name,
            "office_name": self.office_name,
            "set_at": Now(),
        }


def authority_of(school: School) -> Organization | None:
    """The office that sets a school's plan, quota and permissions."""
    return authority_above(school.organization.path)


def may_set(user: User, school: School) -> bool:
    """Whether `user` acts for the school's competent authority with the right to decide."""
    authority = authority_of(school)
    return authority is not None and user.may_act_at(Right.DECIDE, authority.path)


def _permit(user: User, school: School) -> Organization:
    authority = authority_of(school)
    explain(user, Right.DECIDE, at=authority.path if authority else school.organization.path).or_raise()
    assert authority is not None
    return authority


@transaction.atomic
def set_plan(
    school: School, year: int, stage: str, planned: int, *, document: str, actor: User
) -> IntakePlan:
    """Set how many the school may register in the entry grade of `stage` this or next school year.

    A plan below what is registered already is a fact to be written down: it is allowed and shown as passed.
    Raises NotAllowed, AllowanceWrong, AllowanceWithoutDocument, StageNotOffered, YearOutOfReach.
    """
    authority = _permit(actor, school)
    return write_plan(
        school, year, stage, planned, document=document, signed=Signed(actor, authority.name), actor=actor
    )


@transaction.atomic
def write_plan(
    school: School, year: int, stage: str, planned: int, *, document: str, signed: Signed, actor: Actor
) -> IntakePlan:
    """The same for a figure that was decided in a case: `signed` says who did, `actor` writes it."""
    check_figure(school, stage, planned, document)
    if year - school_year(today()) not in (0, 1):
        raise YearOutOfReach()
    known = IntakePlan.objects.select_for_update().filter(school=school, school_year=year, stage=stage)
    before = known.first()
    values = signed.columns(document) | {"planned": planned}
    plan, _is_new = IntakePlan.objects.update_or_create(
        school=school,
        school_year=year,
        stage=stage,
        defaults=values,
        create_defaults=values | {"org_path": school.organization.path},
    )
    record(
        "registry.plan.set", plan, actor=actor, reason=plan.document, basis="INTAKE_PLAN",
        school=school.organization.name, year=year, stage=stage, planned=planned,
        before=before.planned if before else None,
    )  # fmt: skip
    return plan


@transaction.atomic
def set_quota(school: School, stage: str, most: int, *, document: str, actor: User) -> StatusQuota:
    """Set how many open statuses the school may hold in `stage`; what it holds already stays.

    Raises NotAllowed, AllowanceWrong, AllowanceWithoutDocument, StageNotOffered.
    """
    authority = _permit(actor, school)
    return write_quota(
        school, stage, most, document=document, signed=Signed(actor, authority.name), actor=actor
    )


@transaction.atomic
def write_quota(
    school: School, stage: str, most: int, *, document: str, signed: Signed, actor: Actor
) -> StatusQuota:
    """The same for a figure that was decided in a case: `signed` says who did, `actor` writes it."""
    check_figure(school, stage, most, document)
    before = StatusQuota.objects.select_for_update().filter(school=school, stage=stage).first()
    values = signed.columns(document) | {"most": most}
    quota, _is_new = StatusQuota.objects.update_or_create(
        school=school,
        stage=stage,
        defaults=values,
        create_defaults=values | {"org_path": school.organization.path},
    )
    record(
        "registry.quota.set", quota, actor=actor, reason=quota.document, basis="QUOTA",
        school=school.organization.name, stage=stage, most=most, before=before.most if before else None,
    )  # fmt: skip
    return quota


def check_figure(school: School, stage: str, figure: int, document: str) -> None:
    """Whether such a figure can be set. Raises AllowanceWrong, AllowanceWithoutDocument, StageNotOffered."""
    if not 0 <= figure <= _MOST:
        raise AllowanceWrong(most=_MOST)
    if stage not in school.stages or grade_digit(stage) not in MAX_KEYS:
        raise StageNotOffered()
    _check_document(document)


def _check_document(document: str) -> None:
    if len(document.strip()) < _DOCUMENT_AT_LEAST:
        raise AllowanceWithoutDocument(n=_DOCUMENT_AT_LEAST)


def school_year(on: date) -> int:
    """The year in which the school year of `on` begins."""
    return school_year_start(on).year


def last_day(on: date) -> date:
    """The last day of the school year that `on` lies in: no permission holds longer."""
    return date(school_year(on) + 1, 8, 31)


@transaction.atomic
def permit_seats(
    school_class: SchoolClass, seats: int, *, until: date, reason: str, document: str, actor: User
) -> SeatPermission | None:
    """Allow `seats` pupils above the limit in force in one class, until and including `until` (G-19).

    It takes the place of a permission in force; 0 seats ends that one and returns None. Raises NotAllowed,
    PermissionWithoutReason, AllowanceWithoutDocument, PermissionPeriodWrong, PermissionTooMany.
    """
    authority = _permit(actor, school_class.school)
    if len(reason.strip()) < _REASON_AT_LEAST:
        raise PermissionWithoutReason(n=_REASON_AT_LEAST)
    _check_document(document)
    day = today()
    if seats and not day <= until <= last_day(day):
        raise PermissionPeriodWrong(last=f"{last_day(day):%Y-%m-%d}")
    # The class row queues two officers, and whoever fills a seat meanwhile.
    SchoolClass.objects.select_for_update(no_key=True).get(pk=school_class.pk)
    _end_present(school_class, day)
    in_force = rule(MAX_KEYS[school_class.grade[0]], at=school_class.org_path, on=day)
    asked, most = in_force.number + seats, in_force.parameter.bound.clamp(_MOST)
    if not 0 <= seats <= _MOST or not in_force.parameter.bound.allows(asked):
        raise PermissionTooMany(asked=asked, most=most)
    granted = None
    if seats:
        try:
            with transaction.atomic():
                granted = SeatPermission.objects.create(
                    org_path=school_class.org_path,
                    school_class=school_class,
                    seats=seats,
                    reason=reason.strip()[:200],
                    valid=DateRange(day, until, "[]"),
                    **Signed(actor, authority.name).columns(document),
                )
        except IntegrityError as error:
            raise PermissionMeanwhile() from error
    record(
        "registry.class.seats", school_class, actor=actor, reason=reason.strip()[:200], basis="G-19",
        name=school_class.name, seats=seats, document=document.strip()[:100],
    )  # fmt: skip
    return granted


def _end_present(school_class: SchoolClass, day: date) -> None:
    """End what is in force today; one that began today is taken out altogether, its event remains."""
    for present in SeatPermission.objects.filter(school_class=school_class, valid__endswith__gt=day):
        if present.valid.lower >= day:
            present.delete()
        else:
            present.valid = DateRange(present.valid.lower, day)
            present.save(update_fields=["valid"])
