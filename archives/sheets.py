"""学籍基础信息确认表: what is printed for a class, signed at home, filed scan by scan (HANDBOOK R-VER-04)."""

import secrets
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models.functions import Now
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from accounts.rights import explain
from accounts.roles import Right
from archives.models import Material
from archives.printing.forms import CONFIRMATION_SHEET, FORMS
from archives.printing.render import render_all
from archives.services import attach, keep
from audit.services import record, record_list
from config.clock import now
from config.errors import NotFound, Refusal
from registry.fields import BY_KEY
from registry.models import ConfirmationSheet, Enrolment, SchoolClass, Student
from registry.protection import in_force
from registry.queries.sight import Sight, own_classes, sight_of
from registry.record import Record, load_records, values_of
from registry.services.reporting_in import roll_of
from registry.verification.rolls import NoCampaign, may_confirm, verification_of

SIGNED_SHEET = "21"  # code list evidence_type
# Without letters and digits that look alike: somebody may have to type it.
_SIGNS = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
# value of the form: key of the record
_SHOWN = {
    "name": "name", "former_name": "former_name", "sex": "sex", "birth_date": "birth_on",
    "ethnic_group": "ethnic_group", "nationality": "nationality", "document_type": "id_type",
    "document_number": "id_number", "native_place": "native_place", "birthplace": "birthplace",
    "hukou_type": "hukou_type", "hukou_place": "hukou_division", "overseas_status": "overseas_status",
    "political_status": "political_status", "grade": "grade", "entry_month": "entry_month",
    "admission_mode": "admission_mode", "attendance_mode": "attendance_mode",
    "is_only_child": "only_child", "is_migrant": "migrant_child", "left_behind": "left_behind",
    "is_orphan": "orphan", "is_martyr_child": "martyr_child", "had_preschool": "had_preschool",
    "current_address": "current_address", "home_address": "home_address",
    "postal_address": "postal_address", "phone": "phone", "postcode": "postcode",
}  # fmt: skip


class NobodyToPrint(Refusal):
    code, status, rule = "class_without_pupils", 409, "R-VER-04"
    message = _("这个班没有在校学生，没有可打印的确认表。")


@transaction.atomic
def print_sheet(school_class: SchoolClass, student: Student, *, actor: User) -> bytes:
    """The sheet of one pupil of the class as PDF. Raises NotAllowed, NoCampaign, NobodyToPrint."""
    content = set_sheets(read_papers(school_class, actor=actor, only=student.pk))
    record_print(school_class, 1, actor=actor)
    return content


def record_print(school_class: SchoolClass, count: int, *, actor: User) -> None:
    record(
        "archives.sheet.print", school_class, actor=actor, basis="R-VER-04", class_name=school_class.name,
        count=count,
    )  # fmt: skip


def set_sheets(papers: list[dict[str, Any]]) -> bytes:
    """The PDF: seconds of processor for a class."""
    return render_all(CONFIRMATION_SHEET.code, papers)


@transaction.atomic
def read_papers(school_class: SchoolClass, *, actor: User, only: int | None = None) -> list[dict[str, Any]]:
    """What the sheets of the class say, as masked as she sees the records; the reading leaves its trace.

    A pupil keeps her code when the class is printed again. Raises NotAllowed, NoCampaign, NobodyToPrint.
    """
    refuse_unless_hers(actor, school_class)
    school = verification_of(school_class.org_path)
    if school is None:
        raise NoCampaign()
    # The class row queues two who print at once: else a pupil would get two codes.
    SchoolClass.objects.select_for_update(no_key=True).get(pk=school_class.pk)
    roster = roll_of(school_class)
    if only is not None:
        roster = {pk: spell for pk, spell in roster.items() if pk == only}
    if not roster:
        raise NobodyToPrint()
    codes = _codes(school_class, school.campaign_id, roster, actor)
    records = load_records(list(roster))
    sight = sight_of(actor, next(iter(records.values())).student)  # one class, one school: the same for all
    guarded = set(in_force().filter(student_id__in=roster).values_list("student_id", flat=True))
    shared = {
        "generated_at": now(), "printed_by": f"{actor.acting_office_name} {actor.name}",
        "school": school_class.school.organization.name, "class_name": school_class.name,
    }  # fmt: skip
    record_list(
        "student", roster, actor=actor,
        route="archives:sheet_prints" if only is None else "archives:sheet_print",
        purpose=f"打印{FORMS[CONFIRMATION_SHEET.code].title}",
    )  # fmt: skip
    return [
        shared | _values(records[pk], replace(sight, is_guarded=pk in guarded), codes[pk]) for pk in roster
    ]


@transaction.atomic
def file_sheet(
    sheet: ConfirmationSheet, data: bytes, *, has_corrections: bool, actor: User
) -> ConfirmationSheet:
    """Put the scan of a signed sheet on the pupil's file; a better scan may follow, the first one stays.

    Raises NotAllowed and the refusals of archives.images and archives.pdfs.
    """
    refuse_unless_hers(actor, sheet.school_class)
    material = keep(data, kind=Material.Kind.DOCUMENT, evidence_type=SIGNED_SHEET, actor=actor)
    attach([material], sheet.student, actor=actor)
    ConfirmationSheet.objects.filter(pk=sheet.pk).update(
        material=material.public_id, has_corrections=has_corrections, filed_at=Now(), filed_by_name=actor.name
    )
    record("archives.sheet.file", sheet, actor=actor, basis="R-VER-04", has_corrections=has_corrections)
    sheet.refresh_from_db()
    return sheet


def refuse_unless_hers(actor: User, school_class: SchoolClass) -> None:
    """Raise NotAllowed for anybody but the head teacher of the class and the registrar of its school."""
    if not may_confirm(actor, school_class):
        explain(actor, Right.CONFIRM_ROLL, at=school_class.org_path).or_raise()


def open_sheet(user: User, code: str) -> ConfirmationSheet:
    """The sheet with this code, of a pupil whose record she may open. Raises NotFound."""
    seen = ConfirmationSheet.objects.visible_to(user, Right.VIEW_STUDENT)
    own = ConfirmationSheet.objects.visible_to(user, Right.VIEW_OWN_CLASS)
    seen |= own.filter(school_class__in=own_classes(user).values("pk"))
    found = seen.filter(code=code).select_related("student", "school_class__school__organization").first()
    if found is None:
        raise NotFound()
    return found


def _codes(
    school_class: SchoolClass, campaign: int, roster: dict[int, Enrolment], actor: User
) -> dict[int, str]:
    """Pupil → code; who has none yet gets one."""
    known = ConfirmationSheet.objects.filter(
        org_path=school_class.org_path, campaign_id=campaign, student__in=roster
    )
    codes = dict(known.values_list("student_id", "code"))
    known.update(school_class=school_class, printed_at=Now(), printed_by_name=actor.name)
    new = [
        ConfirmationSheet(
            org_path=school_class.org_path, campaign_id=campaign, school_class=school_class, student_id=pk,
            code="".join(secrets.choice(_SIGNS) for _place in range(16)), printed_by_name=actor.name,
        )
        for pk in roster if pk not in codes
    ]  # fmt: skip
    ConfirmationSheet.objects.bulk_create(new)
    return codes | {sheet.student_id: sheet.code for sheet in new}


def _values(held: Record, sight: Sight, code: str) -> dict[str, Any]:
    values = values_of(held)
    return {
        **{name: sight.show(BY_KEY[key], values.get(key, "")) for name, key in _SHOWN.items()},
        "number": sight.show(BY_KEY["status_number"], held.student.number) or "未签发",
        "url": settings.ORIGIN.rstrip("/") + reverse("archives:sheet", args=[code]),
        "family": list(_family(held, sight, values)),
    }


def _family(held: Record, sight: Sight, values: dict[str, str]) -> Iterable[tuple[str, ...]]:
    for one in held.family:
        shown = {
            key: sight.show(
                BY_KEY[f"member{one.ordinal}_{key}"], values.get(f"member{one.ordinal}_{key}", "")
            )
            for key in ("name", "relation", "is_guardian", "phone")
        }
        yield tuple(shown.values())
