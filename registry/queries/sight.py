"""Who sees which pupils, and which of their values (AZ-1, AZ-4, RD-1). The two tables below are the
reviewed ones.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _

from accounts.models import User
from accounts.roles import Right
from config.errors import NotFound
from registry.codes import DATA, division_full_name, label, rows_of
from registry.fields import BY_KEY, Field
from registry.identity import last4, mask_name, mask_number, mask_phone
from registry.models import Enrolment, SchoolClass, Student
from registry.models.enrolment import EnrolmentQuerySet
from registry.numbers import mask_status_number
from registry.status import OPEN

# ── Which part of a record is shown by which right; any of the rights is enough ──────────────────
PARTS: dict[str, tuple[Right, ...]] = {
    "basic": (Right.VIEW_STUDENT, Right.VIEW_OWN_CLASS),
    "health": (Right.VIEW_HEALTH,),
    "family": (Right.VIEW_STUDENT, Right.VIEW_OWN_CLASS),
    "history": (Right.VIEW_STUDENT, Right.VIEW_OWN_CLASS),
    "readers": (Right.VIEW_STUDENT,),
    "reader_names": (Right.VIEW_LOG,),
    "as_of": (Right.VIEW_STUDENT,),
    "edit": (Right.EDIT_STUDENT,),
    "reveal": (Right.VIEW_IDENTITY,),
}
# Health is the doctor's and the registrar's: in clear for them, absent for everybody else, never revealed.
HEALTH_KEYS = ("health_status", "disability", "inclusive_education", "blood_type")
_RECORD_RIGHTS = (Right.VIEW_STUDENT, Right.VIEW_OWN_CLASS, Right.VIEW_HEALTH)
HIDDEN = "***"


@dataclass(frozen=True, slots=True)
class Sight:
    """What one user may see and do on one pupil's record. `right` is the one that opened it."""

    right: str
    rights: frozenset[str]

    def shows(self, part: str) -> bool:
        return any(right in self.rights for right in PARTS[part])

    def shows_field(self, key: str) -> bool:
        return self.shows("health") if key in HEALTH_KEYS else self.shows("basic")


# ── Rows ────────────────────────────────────────
def own_classes(user: User) -> Any:
    """The classes she heads now, at schools where she holds the head teacher's right."""
    return SchoolClass.objects.visible_to(user, Right.VIEW_OWN_CLASS).filter(head_teacher=user, is_open=True)


def enrolments_seen_by(user: User) -> EnrolmentQuerySet:
    """Spells under her offices, and the present ones of the classes she heads."""
    seen = Enrolment.objects.visible_to(user, Right.VIEW_STUDENT)
    if not user.scope_paths(Right.VIEW_OWN_CLASS):
        return seen
    own = Enrolment.objects.visible_to(user, Right.VIEW_OWN_CLASS)
    return seen | own.filter(school_class__in=own_classes(user).values("pk"), status__in=OPEN, is_void=False)


def students_seen_by(user: User) -> Any:
    """Pupils under her offices, and the present ones of the classes she heads."""
    seen = Student.objects.visible_to(user, Right.VIEW_STUDENT)
    if not user.scope_paths(Right.VIEW_OWN_CLASS):
        return seen
    present = Enrolment.objects.visible_to(user, Right.VIEW_OWN_CLASS).filter(
        school_class__in=own_classes(user).values("pk"), status__in=OPEN, is_void=False
    )
    return seen | Student.objects.visible_to(user, Right.VIEW_OWN_CLASS).filter(
        pk__in=present.values("student_id")
    )


def classes_seen_by(user: User) -> Any:
    """Classes whose roll she may read: by office, or because she heads them."""
    seen = SchoolClass.objects.visible_to(user, Right.VIEW_CLASS)
    return seen | own_classes(user) if user.scope_paths(Right.VIEW_OWN_CLASS) else seen


def pupils_of(school_class: SchoolClass, user: User) -> Any:
    """The present spells of a class she may read."""
    right = (
        Right.VIEW_CLASS if _covers(user, Right.VIEW_CLASS, school_class.org_path) else Right.VIEW_OWN_CLASS
    )
    return Enrolment.objects.visible_to(user, right).in_school().filter(school_class=school_class)


def open_record(user: User, public_id: UUID) -> tuple[Student, Sight]:
    """The pupil behind `public_id` and what `user` may see of the record. Raises NotFound: hidden and
    missing alike.
    """
    student = students_seen_by(user).filter(public_id=public_id).first()
    if student is None and user.scope_paths(Right.VIEW_HEALTH):
        student = Student.objects.visible_to(user, Right.VIEW_HEALTH).filter(public_id=public_id).first()
    if student is None:
        raise NotFound()
    return student, sight_of(user, student)


def sight_of(user: User, student: Student) -> Sight:
    """What `user` may see of a pupil that one of the queries above has found for her."""
    rights = {str(right) for right in Right if _covers(user, right, student.org_path)}
    if Right.VIEW_OWN_CLASS in rights:
        own = own_classes(user).filter(enrolments__student=student, enrolments__status__in=OPEN)
        if not own.filter(enrolments__is_void=False).exists():
            rights.discard(str(Right.VIEW_OWN_CLASS))
    opened = next((right for right in _RECORD_RIGHTS if right in rights), None)
    if opened is None:
        raise NotFound()
    return Sight(str(opened), frozenset(rights))


def _covers(user: User, right: str, path: str) -> bool:
    return any(path.startswith(above) for above in user.scope_paths(right))


# ── Values ────────────────────────────────────────
@cache
def _places() -> frozenset[str]:
    """Every way an address begins, down to the county: without province, without city, the county alone."""
    names = set()
    for row in rows_of(DATA / "divisions.csv"):
        full, own = division_full_name(row["code"]), row["name_zh"]
        province = division_full_name(row["code"][:2] + "0000")
        names |= {full, full.removeprefix(province), province + own, own}
    return frozenset(name for name in names if len(name) > 1)


def mask_address(text: str) -> str:
    """`广东省深圳市福田区***`: to the county (RD-1); nothing of it when the county cannot be told."""
    plain = re.sub(r"\s", "", text)
    for length in range(min(len(plain), 30), 1, -1):
        if plain[:length] in _places():
            return plain[:length] + HIDDEN
    return HIDDEN if text else ""


def _hide(text: str) -> str:
    return HIDDEN if text else ""


# ── How each value is masked. What is not named here is shown. ────────────────────────────────────────
_MASKS: dict[str, Callable[[str], str]] = {
    "id_number": mask_number,
    "status_number": lambda text: mask_status_number(text) if text.startswith("G") else text,
    "phone": mask_phone,
    "current_address": mask_address,
    "postal_address": mask_address,
    "home_address": mask_address,
    "address": mask_address,
    "member_name": mask_name,
}


def _mask_of(key: str) -> Callable[[str], str] | None:
    own = re.sub(r"^member[12]_", "", key)
    if key in HEALTH_KEYS:
        return None
    if own != key and own == "name":
        return mask_name
    if own in _MASKS:
        return _MASKS[own]
    field = BY_KEY.get(key)
    return _hide if field is not None and field.sealed else None


def mask(key: str, value: str) -> str:
    """`value` as it is shown without reveal. A code or flag that is D4 shows only that there is one."""
    masked = _mask_of(key)
    return masked(value) if masked and value else value


def mask_in_list(number: str) -> str:
    """A 学籍号 as lists show it: of G, which holds the identity number, only the last four (RD-1)."""
    return f"{number[:1]}…{last4(number)}" if number.startswith("G") else number


def is_masked(key: str) -> bool:
    """Whether the field is shown masked, and revealed one at a time to holders of VIEW_IDENTITY (RD-2)."""
    return _mask_of(key) is not None and key in REVEALABLE


REVEALABLE = frozenset(
    key
    for key, field in BY_KEY.items()
    if _mask_of(key) is not None
    and field.place in ("private", "document", "member", "none")
    and key != "photo"
)


def in_words(field: Field, value: str) -> str:
    """A stored value as people read it: labels for codes, names for divisions, 是 and 否."""
    if not value:
        return ""
    if field.code_list:
        return label(field.code_list, value)
    if field.widget == "yes_no":
        return {"1": _("是"), "0": _("否")}.get(value, value)
    if field.widget == "division":
        return division_full_name(value) or value
    return value
