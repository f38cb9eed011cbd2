"""What follows a pupil to another school: every table about a person is decided here (R-TRF-17)."""

from datetime import date, timedelta

import pytest
from django.apps import apps
from django.db.backends.postgresql.psycopg_any import DateRange

from audit.services import System
from config.clock import today
from config.scope import NATION, PathField
from registry.models import Enrolment, Student
from registry.services.changing import FOLLOWING, Change, boundary, move_pupil
from registry.services.refusals import ChangeNotPossible
from tests import make

pytestmark = [pytest.mark.usefixtures("nation"), pytest.mark.rule("R-TRF-17", "R-EST-01")]

# Rows that stay under the path of the office where they arose, and why.
STAYING = {
    "registry.OpenBusiness": "ends with its case",
    "registry.ProblemRecord": "her own side follows, whichever of the two it is",
    "registry.ImportRow": "what the school handed in",
    "registry.ReportIn": "who moves in reports in again",
    "registry.Absence": "what the school noted; it ends with the move",
    "registry.HandedDropout": "belongs to the county that received it",
    "registry.HouseholdRow": "what the county imported; erased after some days",
    "registry.RollMark": "was said of her in that class",
    "registry.ConfirmationSheet": "was printed by the school where she was",
    "registry.Finding": "is the task of the school where it was found",
    "registry.SampleRow": "was inspected where the pupil then was",
    "registry.StatusChange": "its present side follows",
    "registry.EnrolmentSnapshot": "belongs to the former school",
    "registry.Attendance": "its home side follows",
    "registry.GraduationRow": "the list is the school's that made it",
    "registry.GraduationRecord": "belongs to the school that graduated her",
    "registry.Admission": "belongs to the school that takes her in",
    "registry.HostNote": "belongs to the county that was told",
    **{
        f"registry.{name}Event": "history stays where it was written"
        for name in ("FamilyMember", "IdentityDocument", "Enrolment", "Student")
    },
    "archives.Material": "custody passes with its receipt",
    "archives.PhotoFile": "what the school handed in",
    "archives.Handover": "is the receipt",
    "exchange.GuardianCode": "opens the record at the school that handed it over, nowhere else",
    "transfers.Case": "belongs to the offices that decided it",
}


def test_every_table_about_a_pupil_is_decided() -> None:
    about = {
        f"{model._meta.app_label}.{model.__name__}"
        for model in apps.get_models()
        if any(field.related_model is Student for field in model._meta.fields if field.is_relation)
        and any(isinstance(field, PathField) for field in model._meta.fields)
    }
    following = {f"{model._meta.app_label}.{model.__name__}" for model in FOLLOWING} - {"registry.Student"}
    assert about == following | STAYING.keys()
    assert not following & STAYING.keys()


def change(number: str = "ZX1") -> Change:
    return Change("transfer", "转学", number, "22", today(), today())


def test_a_move_on_the_first_day_leaves_no_empty_spell_and_happens_once() -> None:
    here, there = make.make_class(), make.make_class(make.SISTER)
    student = make.make_student(here)
    Enrolment.objects.filter(student=student).update(valid=DateRange(today(), None))
    first = move_pupil(student, there, change(), actor=System(NATION))
    again = move_pupil(Student.objects.get(pk=student.pk), there, change(), actor=System(NATION))
    assert again.pk == first.pk
    spells = list(Enrolment.objects.filter(student=student).order_by("valid"))
    assert [spell.status for spell in spells] == ["97", "01"]
    assert spells[0].valid.upper == spells[1].valid.lower == today() + timedelta(days=1)
    assert {spell.org_path for spell in spells} == {make.SISTER}
    assert Student.objects.get(pk=student.pk).org_path == make.SISTER


def test_who_has_no_status_any_more_cannot_be_moved() -> None:
    student = make.make_student(make.make_class())
    Enrolment.objects.filter(student=student).update(status="10", valid=DateRange(date(2020, 9, 1), today()))
    with pytest.raises(ChangeNotPossible):
        move_pupil(student, make.make_class(make.SISTER), change(), actor=System(NATION))
    assert boundary(Enrolment(valid=DateRange(date(2020, 9, 1), None)), today()) == today()
