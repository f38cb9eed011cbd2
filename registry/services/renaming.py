"""A pupil's new name: the old one goes to 曾用名 and stays findable (R-UPD-08)."""

from django.db import transaction
from django.db.models import F

from audit.services import Actor, record
from registry.models import Enrolment, Student
from registry.record import copy_name, fill_student
from registry.services.key_data import tell_hosts

_FORMER_MOST = 100  # characters of the column


@transaction.atomic
def rename(student: Student, name: str, *, actor: Actor, is_late: bool = False) -> None:
    """Give `student` the new `name` on record and spells; the former ones stand in 曾用名, latest first.

    `is_late`: the change was reported after the deadline (R-UPD-03); the event says so.
    """
    locked = Student.objects.select_for_update(no_key=True).get(pk=student.pk)
    former = [locked.name, *(one for one in locked.former_name.split("、") if one)]
    while len("、".join(former)) > _FORMER_MOST and len(former) > 1:
        former.pop()  # the history keeps the earliest
    fill_student(locked, {"name": name})
    locked.former_name = "、".join(former)[:_FORMER_MOST]
    locked.save()
    Student.objects.filter(pk=locked.pk).update(version=F("version") + 1)
    for spell in Enrolment.objects.filter(student=locked, is_void=False):
        copy_name(spell, locked)
        spell.save(update_fields=["name", "name_py", "name_ini", "sex"])
    tell_hosts(locked)
    record(
        "registry.student.rename", locked, actor=actor, basis="R-UPD-08", fields=["name", "former_name"],
        values=repr([name, locked.former_name]), is_late=is_late,
    )  # fmt: skip
    student.refresh_from_db()
