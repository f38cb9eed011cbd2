"""学籍辅号 by class, where the locality keeps them (HANDBOOK D17): class code (school code, entry year and
sequence) and a sequence of three digits, for life. Beside the 学籍号, never in its place.
"""

from django.db import transaction

from accounts.models import User
from accounts.rights import explain
from accounts.roles import Right
from audit.services import record_many
from config.clock import today
from config.copying import copy_rows
from config.rules import rule
from config.scope import NATION, scope
from registry.enrolling.refusals import AuxiliaryOff, ClassTooLarge
from registry.models import Enrolment, SchoolClass, StudentNumber
from registry.reorganizing import refuse_if_moving

_DIGITS = 3


def is_kept(path: str) -> bool:
    return rule("AUXILIARY_NUMBERS", at=path, on=today()).is_on


@transaction.atomic
def number_class(school_class: SchoolClass, *, actor: User) -> int:
    """Give every pupil of the class who has none an auxiliary number; how many. A number once given stays,
    in this class or another, and is never given again.

    Raises NotAllowed, AuxiliaryOff, ClassTooLarge.
    """
    path = school_class.org_path
    explain(actor, Right.EDIT_STUDENT, at=path).or_raise()
    refuse_if_moving(path)
    if not is_kept(path):
        raise AuxiliaryOff()
    # The class row queues two who press at once: numbers follow one another.
    SchoolClass.objects.select_for_update(no_key=True).get(pk=school_class.pk)
    code = f"{school_class.school.code}{school_class.number}"
    province = path.split(".")[1]
    auxiliary = StudentNumber.objects.filter(kind=StudentNumber.Kind.AUXILIARY)
    # By the index of what is unique for ever: a pupil who has left took her number along.
    given = auxiliary.filter(
        province=province, number__range=(f"{code}{0:0{_DIGITS}d}", f"{code}{'9' * _DIGITS}")
    )
    given = given.filter(number__regex=rf"^\d{{{len(code) + _DIGITS}}}$")
    with scope(NATION):
        last = given.order_by("-number").values_list("number", flat=True).first()
    roll = Enrolment.objects.filter(org_path=path, school_class=school_class).in_school()
    has_one = auxiliary.filter(is_current=True, student_id__in=roll.values("student_id"))
    bare = roll.exclude(student_id__in=has_one.values("student_id")).order_by("name_py", "pk")
    ids = list(bare.values_list("student_id", flat=True))
    first = int(last[-_DIGITS:]) + 1 if last else 1
    if first + len(ids) > 10**_DIGITS:
        raise ClassTooLarge()
    rows = [
        StudentNumber(
            org_path=path, student_id=pk, kind=StudentNumber.Kind.AUXILIARY, province=province,
            number=f"{code}{place:0{_DIGITS}d}",
        )
        for place, pk in enumerate(ids, first)
    ]  # fmt: skip
    copy_rows(StudentNumber, rows)
    record_many(
        "registry.student.auxiliary", "student", [(pk, path) for pk in ids], actor=actor, basis="D17",
        school_class=school_class.name,
    )  # fmt: skip
    return len(ids)
