"""Which entries somebody sees: of a pupil whose record she may open, and of a class whose roll she may read.

A kind is shown by the rights of the posts that reach the pupil; a head teacher's post reaches her own class
only (HANDBOOK C6).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any, NamedTuple

from django.db.models import Q

from accounts.models import User
from accounts.roles import ROLES, Right, roles_with
from config.errors import NotFound
from config.paging import count_up_to
from registry.codes import choices
from registry.entries.kinds import KINDS, READS, SANCTION, Kind
from registry.field_rights import roles_at
from registry.models import RecordEntry, SchoolClass, Student
from registry.protection import hidden_from
from registry.queries.rosters import number_in
from registry.queries.sight import Sight, own_classes, pupils_of, sight_of
from registry.services.seasons import terms_by_day

PAGE = 200  # entries of one pupil
MOST_IN_CLASS = 200  # pupils; as on the roll


class Said(NamedTuple):
    """One value in words."""

    label: str
    words: str


@dataclass(frozen=True, slots=True)
class Line:
    """One entry in words."""

    entry: RecordEntry
    kind: Kind
    values: list[Said]  # without what is empty
    may_end: bool = False

    @property
    def is_void(self) -> bool:
        return self.entry.voided_at is not None

    @property
    def may_lift(self) -> bool:
        return self.may_end and self.entry.kind == SANCTION and self.entry.lifted_on is None

    @property
    def term(self) -> str:
        return term_words(self.entry.school_year, self.entry.semester)


def term_words(school_year: int, semester: str) -> str:
    return f"{school_year} {dict(choices('semester')).get(semester, semester)}"


def kinds_for(roles: Iterable[str]) -> list[Kind]:
    """The kinds that these roles read."""
    rights = {right for role in roles if role in ROLES for right in ROLES[role].rights}
    return [kind for kind in KINDS.values() if rights.issuperset(kind.reads)]


def kinds_of(sight: Sight) -> list[Kind]:
    """The kinds that somebody sees on the record that `sight` opened."""
    return kinds_for(sight.roles)


def may_write(user: User, kind: Kind, path: str) -> bool:
    return any(user.may_act_at(right, path) for right in kind.writes)


ByKind = list[tuple[Kind, list[Line], bool]]  # newest first; and whether she may add one


@dataclass(frozen=True, slots=True)
class Growth:
    """One page of a pupil's entries; `after` is the key of its last one, if older ones follow."""

    by_kind: ByKind
    total: int
    after: int | None

    @property
    def lines(self) -> list[Line]:
        return [line for _kind, held, _may in self.by_kind for line in held]

    @property
    def is_part(self) -> bool:
        return len(self.lines) < self.total


def lines_of(
    student: Student, user: User, sight: Sight, *, on: date | None = None, after: str = ""
) -> Growth:
    """The pupil's entries by kind; on the first page kinds without entries too. With `on`, those of that day
    and before. Two queries. Raises NotFound for an `after` that is none of them.
    """
    kinds = kinds_of(sight)
    rows = RecordEntry.objects.visible_to(user, sight.right).filter(
        student=student, kind__in=[kind.code for kind in kinds]
    )
    rows = rows.filter(happened_on__lte=on) if on else rows
    found = list(_older(rows, after).order_by("-happened_on", "-pk")[: PAGE + 1])
    shown = found[:PAGE]
    writable = {kind.code for kind in kinds if on is None and may_write(user, kind, student.org_path)}
    by_kind = [
        (
            kind,
            [_line(row, kind, kind.code in writable) for row in shown if row.kind == kind.code],
            kind.code in writable,
        )
        for kind in kinds
    ]
    by_kind = [one for one in by_kind if one[1] or not after]
    return Growth(by_kind, count_up_to(rows), shown[-1].pk if len(found) > PAGE else None)


def _older(rows: Any, after: str) -> Any:
    """The entries behind the one with the key `after`, by day and key; all without one."""
    if not after:
        return rows
    last = rows.filter(pk=number_in(after)).first()
    if last is None:
        raise NotFound()
    return rows.filter(Q(happened_on__lt=last.happened_on) | Q(happened_on=last.happened_on, pk__lt=last.pk))


def lines_kept(entries: Iterable[RecordEntry], sight: Sight) -> ByKind:
    """Entries of a copy by kind, as `lines_of`: of the kinds that she reads those that hold any."""
    rows = list(entries)
    found = [
        (kind, [_line(row, kind, False) for row in rows if row.kind == kind.code], False)
        for kind in kinds_of(sight)
    ]
    return [one for one in found if one[1]]


def _line(entry: RecordEntry, kind: Kind, may_write_it: bool) -> Line:
    held = entry.open_values()
    filled = [column for column in kind.columns if column.key in held]
    values = [Said(str(column.label), column.in_words(held[column.key])) for column in filled]
    return Line(entry, kind, values, may_write_it and entry.voided_at is None)


def open_entry(user: User, pk: int) -> tuple[RecordEntry, Line]:
    """An entry whose kind she reads on a record she may open. Raises NotFound: hidden and missing alike."""
    paths = {path for right in READS for path in user.scope_paths(right)}
    for right in READS:
        entry = RecordEntry.objects.visible_to(user, right).filter(pk=pk).select_related("student").first()
        if entry is not None and paths:
            sight = sight_of(user, entry.student)
            kind = KINDS[entry.kind]
            if kind in kinds_of(sight):
                return entry, _line(entry, kind, may_write(user, kind, entry.org_path))
    raise NotFound()


def running_sanctions(student: Student) -> Any:
    """Sanctions that stand: neither lifted nor voided (R-TRF-11)."""
    return RecordEntry.objects.filter(student=student, kind=SANCTION, lifted_on=None, voided_at=None)


# ── A class ──────────────────────────────────────────────────────────────────────────────────────────────
@dataclass(frozen=True, slots=True)
class Pupil:
    """One pupil of a class sheet: a name, and her entries of the term. No number, no document (C6)."""

    name: str
    number_in_class: str
    public_id: Any
    entries: list[list[str]]  # a cell for each column


def kinds_in_class(user: User, school_class: SchoolClass) -> list[Kind]:
    """The kinds that she sees of the pupils of a class whose roll she may read."""
    heads = own_classes(user).filter(pk=school_class.pk).exists()
    roles = roles_at(user, school_class.org_path)
    return kinds_for(roles if heads else roles - set(roles_with(Right.VIEW_OWN_CLASS)))


def sheet_of(
    school_class: SchoolClass, user: User, kind: Kind, school_year: int, semester: str
) -> list[tuple[int, Pupil]]:
    """The class by name with what each pupil has of `kind` in the term. Two queries, and who is hidden."""
    spells = list(
        pupils_of(school_class, user)
        .exclude(student_id__in=hidden_from(user))
        .order_by("name_py", "pk")
        .values_list("student_id", "name", "number_in_class", "student__public_id")[:MOST_IN_CLASS]
    )
    rows = RecordEntry.objects.visible_to(user, kind.reads[0]).filter(
        student__in=[spell[0] for spell in spells], kind=kind.code, school_year=school_year,
        semester=semester, voided_at=None,
    )  # fmt: skip
    held: dict[int, list[list[str]]] = {}
    for row in rows.order_by("-happened_on", "-pk"):
        values = row.open_values()
        cells = [column.in_words(values.get(column.key, "")) for column in kind.columns]
        held.setdefault(row.student_id, []).append(cells)
    return [
        (student, Pupil(name, number, public_id, held.get(student, [])))
        for student, name, number, public_id in spells
    ]


def terms_back(path: str, on: date, count: int = 6) -> list[tuple[int, str]]:
    """The term of a day at the school of `path` and those before it, newest first."""
    year, semester = terms_by_day(path)(on)
    found = []
    for _n in range(count):
        found.append((year, semester))
        year, semester = (year, "1") if semester == "2" else (year - 1, "2")
    return found
