"""What keeps two people from undoing each other's work on one record."""

from django.db.models import F

from registry.models import OpenBusiness, Student
from registry.services.refusals import BusinessOpen, ChangedMeanwhile


def take_version(student: Student, version: int) -> None:
    """Claim the next version of the record. Raises ChangedMeanwhile: of two registrars who save, one is
    told.
    """
    won = Student.objects.filter(pk=student.pk, version=version).update(version=F("version") + 1)
    if not won:
        raise ChangedMeanwhile()
    student.version = version + 1


def refuse_if_locked(student: Student) -> None:
    """Raise BusinessOpen while a case locks the pupil (G-06)."""
    lock = OpenBusiness.objects.filter(student=student).first()
    if lock:
        raise BusinessOpen(kind=lock.kind_name, number=lock.case_no)
