"""One box: name, pinyin, 学籍号, identity number, class or school. In scope only; what was asked is never
kept.
"""

import re
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Q
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import Organization, User
from accounts.roles import Right
from config.crypto import blind_index
from registry.identity import fold_number, search_keys
from registry.models import IdentityDocument, StudentNumber
from registry.names import clean_name, fold_name, fold_pinyin_query, pinyin
from registry.numbers import parse_status_number
from registry.protection import hidden_from
from registry.queries.rosters import COLUMNS, columns_of, dress
from registry.queries.sight import classes_seen_by, enrolments_seen_by
from registry.status import OPEN

MOST_FOUND = 50
MOST_SUGGESTED = 8
MOST_PLACES = 5
_HAS_HAN = re.compile("[\u3007\u3400-\u4dbf\u4e00-\u9fff\U00020000-\U0003ffff]")
_LONGEST = 60
# After every name in byte order: no assigned character comes later.
_LAST = "\U0010fffd"
_WIDE_LEVELS = 2  # dots in the path of a province; of the nation one
_RIGHTS = (Right.VIEW_STUDENT, Right.VIEW_OWN_CLASS)

KINDS = {
    "none": gettext_lazy("请输入至少 2 个字母或数字，或 1 个汉字"),
    "number": gettext_lazy("学籍号"),
    "document": gettext_lazy("身份证件号"),
    "name": gettext_lazy("姓名（从第一个字起）"),
    "pinyin": gettext_lazy("拼音或首字母"),
}


@dataclass(slots=True)
class Found:
    """What a search understood, and what it found in scope. `has_more`: only the first are shown."""

    kinds: list[str]
    pupils: list[dict[str, Any]] = field(default_factory=list)
    classes: list[dict[str, Any]] = field(default_factory=list)
    schools: list[dict[str, Any]] = field(default_factory=list)
    has_more: bool = False

    @property
    def understood(self) -> str:
        return _("、").join(str(KINDS[kind]) for kind in self.kinds)

    @property
    def is_empty(self) -> bool:
        return not (self.pupils or self.classes or self.schools)


def kinds_of(text: str) -> list[str]:
    """What `text` may be, the most exact first; "none" when it is too short to say."""
    if _HAS_HAN.search(text):
        return ["name"]
    kinds = []
    if parse_status_number(text):
        return ["number"]
    if search_keys(text):
        kinds.append("document")
    if len(fold_number(text)) >= 6 and any(c.isdigit() for c in text):
        kinds.append("number")
    if len(fold_pinyin_query(text)) >= 2 and not any(c.isdigit() for c in text):
        kinds.append("pinyin")
    return kinds or ["none"]


def search(user: User, text: str, most: int = MOST_FOUND) -> Found:
    """Everything in scope that `text` may mean: at most `most` pupils, and a few classes and schools by
    name.
    """
    text = clean_name(text[:_LONGEST])
    found = Found(kinds_of(text))
    if found.kinds == ["none"]:
        return found
    rows: dict[int, dict[str, Any]] = {}
    for kind in found.kinds:
        for row in _LOOKS[kind](user, text, most + 1):
            rows.setdefault(row["id"], row)
    found.has_more = len(rows) > most
    found.pupils = dress(list(rows.values())[:most], user)
    if "name" in found.kinds:
        found.classes, found.schools = _classes(user, text), _schools(user, text)
    return found


def _take(user: User, spells: Any, order: tuple[str, ...], most: int) -> list[dict[str, Any]]:
    """The first `most` of `spells`. A province or the nation gets any of them, put in order afterwards: a
    single surname matches a twelfth of the country, and sorting that to show fifty is what nobody waits
    for.
    """
    is_wide = user.acting_path.count(".") <= _WIDE_LEVELS
    keys = spells if is_wide else spells.order_by(*order)
    rows = columns_of(user, list(keys.values_list("pk", flat=True)[:most]))
    return (
        sorted(rows, key=lambda row: tuple(row[column] for column in order if column in row))
        if is_wide
        else rows
    )


def _present(user: User) -> Any:
    """One row per pupil: her open spell, or the last one of who has left."""
    return enrolments_seen_by(user).filter(is_void=False).exclude(student_id__in=hidden_from(user))


def _of_students(user: User, students: Any, most: int) -> list[dict[str, Any]]:
    """The newest spell of each of these pupils, a handful at most."""
    spells = _present(user).filter(student_id__in=list(students[:most]))
    return list(spells.order_by("student_id", "-valid").distinct("student_id").values(*COLUMNS))


def _by_number(user: User, text: str, most: int) -> list[dict[str, Any]]:
    """Any number the pupil ever had, 学籍号 or 学籍辅号, exactly (R-NUM-05)."""
    numbers = _scoped(StudentNumber, user).filter(number__in={fold_number(text), text})
    return _of_students(user, numbers.values_list("student_id", flat=True).distinct(), most)


def _by_document(user: User, text: str, most: int) -> list[dict[str, Any]]:
    """An identity number, exactly: compared by its blind index, never by its text (KE-4)."""
    blinds = [blind_index(family, form) for family, form in search_keys(text)]
    documents = _scoped(IdentityDocument, user).filter(blind__in=blinds)
    return _of_students(user, documents.values_list("student_id", flat=True).distinct(), most)


def _scoped(model: Any, user: User) -> Any:
    student, own = (model.objects.visible_to(user, right) for right in _RIGHTS)
    return student | own if user.scope_paths(Right.VIEW_OWN_CLASS) else student


def _starts(column: str, text: str) -> Q:
    """`column` begins with `text`, as a range: LIKE is not leakproof and would lose the index behind the
    wall.
    """
    return Q((f"{column}__gte", text), (f"{column}__lt", text + _LAST))


def _by_name(user: User, text: str, most: int) -> list[dict[str, Any]]:
    """Names that begin so once folded: width, middle dots and blanks do not count (FI-6).

    The spell holds the name as given; its reading finds what is written otherwise, and the folded name
    decides.
    """
    fold = fold_name(text)
    if not fold:
        return []
    present = _present(user).filter(status__in=OPEN)
    order = ("org_path", "name_py", "id")
    # The very name, names that begin so as written, what is written otherwise: each while there is room.
    rows = _take(user, present.filter(name=text), order, most)
    if len(rows) < most:
        rows += _take(user, present.filter(_starts("name", text)), order, most)
    if len(rows) < most:
        otherwise = _starts("name", fold) | _starts("name_py", pinyin(text).name_py)
        begins = present.filter(otherwise).filter(_starts("student__name_fold", fold))
        rows += _take(user, begins, order, most)
    return rows


def _by_pinyin(user: User, text: str, most: int) -> list[dict[str, Any]]:
    """Initials in full first, then readings, then longer initials: each in the order of its index."""
    typed = fold_pinyin_query(text)
    spells = _present(user).filter(status__in=OPEN)
    rows: list[dict[str, Any]] = []
    if len(typed) <= 6:
        rows += _take(user, spells.filter(name_ini=typed), ("org_path", "name_ini", "id"), most)
    rows += _take(user, spells.filter(_starts("name_py", typed)), ("org_path", "name_py", "id"), most)
    if len(typed) <= 6 and len(rows) < most:
        rows += _take(user, spells.filter(_starts("name_ini", typed)), ("org_path", "name_ini", "id"), most)
    return rows


def _classes(user: User, text: str) -> list[dict[str, Any]]:
    """Classes by name, at a school: every school has a 一(1)班."""
    if user.acting_office is None or user.acting_office.kind != Organization.Kind.SCHOOL:
        return []
    words = fold_name(text)
    classes = classes_seen_by(user).filter(is_open=True).order_by("grade", "number")
    return [row for row in classes.values("id", "name", "grade")[:300] if words in fold_name(row["name"])][
        :MOST_PLACES
    ]


def _schools(user: User, text: str) -> list[dict[str, Any]]:
    """Schools below a bureau by name."""
    if len(text) < 2 or user.acting_office is None or user.acting_office.kind == Organization.Kind.SCHOOL:
        return []
    schools = Organization.objects.visible_to(user, Right.VIEW_OFFICE).within(user.acting_path)
    named = schools.filter(kind=Organization.Kind.SCHOOL, name__contains=text)
    return list(named.order_by("path").values("id", "name")[:MOST_PLACES])


_LOOKS = {"number": _by_number, "document": _by_document, "name": _by_name, "pinyin": _by_pinyin}
