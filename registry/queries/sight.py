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
from accounts.roles import Right, roles_with
from config.errors import NotFound
from registry import field_rights
from registry.codes import DATA, division_full_name, label, rows_of
from registry.field_rights import Reading
from registry.fields import BY_KEY, Field
from registry.identity import last4, mask_name, mask_number, mask_phone
from registry.models import Enrolment, SchoolClass, Student
from registry.models.enrolment import EnrolmentQuerySet
from registry.numbers import mask_status_number
from registry.protection import in_force
from registry.status import OPEN

# ── Which part of a record is shown by which right; any of the rights is enough ──────────────────
PARTS: dict[str, tuple[Right, ...]] = {
    "basic": (Right.VIEW_STUDENT, Right.VIEW_OWN_CLASS),
    "health": (Right.VIEW_HEALTH,),
    "family": (Right.VIEW_STUDENT, Right.VIEW_OWN_CLASS),
    "history": (Right.VIEW_STUDENT, Right.VIEW_OWN_CLASS),
    "graduation": (Right.VIEW_STUDENT,),
    "growth": (Right.VIEW_GROWTH, Right.VIEW_MARKS, Right.VIEW_HEALTH),
    "readers": (Right.VIEW_STUDENT,),
    "reader_names": (Right.VIEW_LOG,),
    "as_of": (Right.VIEW_STUDENT,),
    "edit": (Right.EDIT_STUDENT,),
    "reveal": (Right.VIEW_IDENTITY,),
}
# Health is never revealed: in clear for whoever the table of field rights names, absent for everybody else.
HEALTH_KEYS = ("health_status", "disability", "inclusive_education", "blood_type")
_RECORD_RIGHTS = (Right.VIEW_STUDENT, Right.VIEW_OWN_CLASS, Right.VIEW_HEALTH)
HIDDEN = "***"


@dataclass(frozen=True, slots=True)
class Sight:
    """What one user may see and do on one pupil's record. `right` is the one that opened it."""

    right: str
    rights: frozenset[str]
    roles: frozenset[str] = frozenset()  # columns of the table of field rights
    is_guarded: bool = False  # a protected pupil: nothing of her addresses is shown, not even the county

    def shows(self, part: str) -> bool:
        return any(right in self.rights for right in PARTS[part])

    def reading(self, key: str) -> Reading:
        return field_rights.reading(self.roles, key)

    def shows_field(self, key: str) -> bool:
        return self.reading(key) != Reading.NONE

    def masks(self, key: str) -> bool:
        return self.reading(key) in (Reading.MASKED, Reading.REVEALABLE)

    def reveals(self, key: str) -> bool:
        """Whether she may look at the field in clear, with a reason (RD-2)."""
        return self.reading(key) == Reading.REVEALABLE and key in REVEALABLE

    def show(self, field: Field, value: str) -> str:
        """A stored value as this sight shows it: nothing, masked, or in words."""
        if not self.shows_field(field.key):
            return ""
        if self.is_guarded and _MASKS.get(own_key(field.key)) is mask_address:
            return HIDDEN if value else ""
        return mask(field.key, value) if self.masks(field.key) else in_words(field, value)


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
    roles = {
        role
        for role in field_rights.roles_at(user, student.org_path)
        if role not in roles_with(Right.VIEW_OWN_CLASS) or Right.VIEW_OWN_CLASS in rights
    }
    is_guarded = in_force().filter(student=student).exists()
    return Sight(str(opened), frozenset(rights), frozenset(roles), is_guarded)


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


def own_key(key: str) -> str:
    """A family member's field without the block's prefix."""
    return re.sub(r"^member[12]_", "", key)


def _mask_of(key: str) -> Callable[[str], str] | None:
    own = own_key(key)
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
