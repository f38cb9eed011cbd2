"""A report as a table: for whom, where, split by what. Page, API, chart and workbook show this one."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db.models import Min
from django.utils.translation import gettext as _

from accounts.models import Organization, User
from accounts.roles import ROLES, Right
from config.clock import today
from config.errors import NotFound
from config.rules import rule
from registry.codes import choices, division_full_name, label
from registry.exporting.terms import PURPOSES
from registry.record import school_year_start
from reports.cubes import CUBES, PUPILS, SEALED, Cube
from reports.definitions import BELOW, PERSONAL, REPORTS, Column, Report
from reports.folding import unit_of
from reports.models import UnitState
from reports.queries import live_grouping, read_own, read_summary
from reports.suppression import hidden_among, is_small

YEARS = 3
OWN = "."  # the row of what an office has of its own, beside those below it
Kind = Organization.Kind
VALUES = {
    "sex": ("1", "2"),
    "ethnic": ("han", "minority", "none"),
    "hukou": ("inside", "outside", "none"),
}  # fmt: skip
_CODE_LISTS = {"dropout": "dropout_reason", "problems": "problem_record_type", "verification": "semester"}


@dataclass(frozen=True)
class Choice:
    """What somebody asked for: resolved in scope, every value one of an enumeration (AP-1)."""

    report: Report
    office: Organization
    split: str
    where: Mapping[str, str]
    year: str = ""

    def as_query(self) -> dict[str, str]:
        """As it stands in an address, the office apart."""
        own = {"split": self.split, "year": self.year}
        return {key: value for key, value in {**own, **self.where}.items() if value}


@dataclass(slots=True)
class Row:
    key: str
    label: str
    # None: not to be shown (EX-4), or a share of nothing; without a key: its source is not split like this.
    values: dict[str, int | None] = field(default_factory=dict)

    def is_hidden(self, column: Column) -> bool:
        """Whether there is a number that must not be shown."""
        return not any(column.share) and column.key in self.values and self.values[column.key] is None

    office: Organization | None = None


@dataclass(slots=True)
class Table:
    choice: Choice
    columns: tuple[Column, ...]
    rows: list[Row]
    total: Row
    is_live: bool
    as_of: datetime | None  # of the oldest unit, where not live
    sealed_as_of: datetime | None
    hides: bool = False


def read_choice(user: User, report: str, given: Mapping[str, str]) -> Choice:
    """The report, office and dimensions of an address. Raises NotFound for what is unknown or hidden."""
    found = REPORTS.get(report)
    if found is None:
        raise NotFound()
    office = _office(user, given.get("office", ""))
    splits = possible_splits(found, office)
    split = given.get("split", "") or splits[0]
    year = given.get("year", "") or str(years()[0])
    where = {name: given[name] for name in PERSONAL if given.get(name)}
    if split not in splits or year not in map(str, years()):
        raise NotFound()
    for (
        name,
        value,
    ) in where.items():  # a filter that a report does not have must not look like a wider answer
        if name not in found.splits or value not in dict(options(name)):
            raise NotFound()
    return Choice(found, office, split, where, year if found.has_years else "")


def _office(user: User, wanted: str) -> Organization:
    offices = Organization.objects.visible_to(user, Right.VIEW_REPORT).within(user.acting_path)
    if not wanted:
        found = offices.filter(path=user.acting_path).first()
    elif not (wanted.isascii() and wanted.isdigit() and len(wanted) < 19):
        raise NotFound()
    else:
        found = offices.filter(pk=int(wanted)).first()
    if found is None:
        raise NotFound()
    return found  # type: ignore[no-any-return]


def possible_splits(report: Report, office: Organization) -> tuple[str, ...]:
    """A school has nobody below it."""
    return tuple(one for one in report.splits if one != BELOW or office.kind != Kind.SCHOOL) or (BELOW,)


def years() -> list[int]:
    """The school years a report may be of, this one first."""
    latest = school_year_start(today()).year
    return [latest - back for back in range(YEARS)]


def options(dimension: str) -> list[tuple[str, str]]:
    """The values of a dimension to choose from, with their labels."""
    if dimension == "grade":
        return choices("grade")
    return [(value, value_label(dimension, value)) for value in VALUES.get(dimension, ())]


def value_label(dimension: str, value: str, report: str = "") -> str:
    words = {
        "ethnic": {"han": _("汉族"), "minority": _("少数民族"), "none": _("未填")},
        "hukou": {"inside": _("本县户籍"), "outside": _("县外户籍"), "none": _("无户籍信息")},
    }  # fmt: skip
    if dimension in words:
        return words[dimension].get(value, value)
    if dimension in ("grade", "sex"):
        return label(dimension, value) if value else _("未填")
    if report in _CODE_LISTS:
        return label(_CODE_LISTS[report], value)
    if report == "transfers":
        return division_full_name(value) or value
    if report == "accounts":
        return ROLES[value].name if value in ROLES else value
    if report == "exports":
        return str(PURPOSES.get(value, value))
    return value


def shows_protected(user: User) -> bool:
    """As lists do (registry.protection.hidden_from): a school sees its own, others need the right."""
    office = user.acting_office
    return bool(office and office.kind == Kind.SCHOOL) or user.holds(Right.PROTECT_STUDENT)


# ── The table ─────────────────────────────────────────────────────────────────────────────────────────────
def read_table(user: User, choice: Choice) -> Table:
    """The numbers of one choice. A constant number of queries for each source, however many rows."""
    reading = _Reading(user, choice)
    rows: dict[str, Row] = {}
    if choice.split == BELOW:
        rows = {one.path: Row(one.path, one.name, office=one) for one in reading.children}
    total = Row("", choice.office.name)
    # A source that does not know what is asked for has no number in the table, rather than a wrong one.
    sources = [cube for cube in choice.report.cubes() if choice.where.keys() <= cube.dims.keys()]
    for cube in sources:
        if cube.sealed and not reading.may_open:
            continue
        total.values |= reading.total(cube)
        for key, values in reading.parts(cube).items():
            if key not in rows:
                rows[key] = Row(key, reading.label(key))
            rows[key].values.update(values)
    shown = _ordered(rows, choice)
    columns = _columns(choice.report, {cube.code for cube in sources})
    if not reading.may_open:
        columns = tuple(one for one in columns if not one.sensitive)
    table = Table(choice, columns, shown, total, reading.is_live, *reading.moments())
    _complete(table, reading)
    if reading.is_above_school:
        _hide(table, reading)
    return table


def _columns(report: Report, sources: set[str]) -> tuple[Column, ...]:
    """Those that these sources count, and the percentages of two of them."""
    keys = {one.key for one in report.columns if one.cube in sources}
    return tuple(one for one in report.columns if one.key in keys or any(one.share) and keys >= {*one.share})


class _Reading:
    """Where one table's numbers come from: live at and below a unit, from the folded summary above."""

    def __init__(self, user: User, choice: Choice) -> None:
        self.user, self.choice, self.office = user, choice, choice.office
        self.unit = unit_of(self.office.path)
        self.is_live = self.unit is not None
        self.is_above_school = not (user.acting_office and user.acting_office.kind == Kind.SCHOOL)
        own = self.office.path == user.acting_path
        # Of what is sealed: the tree of offices, and at her own office a total (reports.suppression).
        self.may_open = not choice.where and (choice.split == BELOW or own)
        self._children: list[Organization] | None = None

    @property
    def children(self) -> list[Organization]:
        if self._children is None:
            below = Organization.objects.filter(parent=self.office, valid__contains=today())
            self._children = list(below.order_by("path"))
        return self._children

    def label(self, key: str) -> str:
        if self.choice.split != BELOW:
            return value_label(self.choice.split, key, self.choice.report.code)
        if key.endswith(".."):
            return _("本级")
        former = Organization.objects.filter(path=key).values_list("name", flat=True).first()
        return former or key

    def total(self, cube: Cube) -> dict[str, int]:
        found = self._read(cube, ())
        return {name: int(found[0][name]) for name in cube.measures} if found else {}

    def parts(self, cube: Cube) -> dict[str, dict[str, int]]:
        if not self.splits(cube):
            return {}
        return {
            str(line[self.choice.split]): {name: int(line[name]) for name in cube.measures}
            for line in self._read(cube, (self.choice.split,))
        }

    def splits(self, cube: Cube) -> bool:
        """Whether the numbers of `cube` are told row by row, or only in total."""
        if cube.sealed and self.is_above_school:
            return self.choice.split == BELOW  # reports.suppression says why
        return self.choice.split == BELOW or self.choice.split in cube.dims

    def _read(self, cube: Cube, by: tuple[str, ...]) -> list[dict[str, Any]]:
        lines = self._read_alone(cube, by)
        return _added(lines, self._read_alone(CUBES[cube.beside], by), by) if cube.beside else lines

    def _read_alone(self, cube: Cube, by: tuple[str, ...]) -> list[dict[str, Any]]:
        where, period = dict(self.choice.where), self.choice.year
        path = self.office.path
        if self.is_live and not (cube.sealed and self.is_above_school):
            protected = None if shows_protected(self.user) else False
            return live_grouping(cube, path, by=by, where=where, period=period, protected=protected)
        if by != (BELOW,):
            lines = read_summary(cube, [path], by=by, where=where, period=period)
        else:
            paths = [child.path for child in self.children]
            lines = read_summary(cube, paths, by=by, where=where, period=period)
            own = read_own(cube, path, where=where, period=period)
            if not self.is_live and any(own.values()):
                lines = [*lines, own | {BELOW: f"{path}{OWN}"}]
        if cube.person and not cube.sealed and shows_protected(self.user):
            more = live_grouping(cube, path, by=by, where=where, period=period, protected=True)
            lines = _added(lines, more, by)
        return lines

    def moments(self) -> tuple[datetime | None, datetime | None]:
        """Since when the oldest folded number stands, plain and encrypted ones."""
        states = UnitState.objects.within(self.unit or self.office.path)
        found = states.aggregate(plain=Min("counted_at"), opened=Min("sealed_counted_at"))
        return (None if self.is_live else found["plain"]), found["opened"]


def _added(
    lines: list[dict[str, Any]], more: list[dict[str, Any]], by: tuple[str, ...]
) -> list[dict[str, Any]]:
    found = {tuple(line[name] for name in by): dict(line) for line in lines}
    for line in more:
        key = tuple(line[name] for name in by)
        held = found.setdefault(key, {name: 0 for name in line} | dict(zip(by, key, strict=True)))
        for name, value in line.items():
            if name not in by:
                held[name] += value
    return list(found.values())


def _ordered(rows: dict[str, Row], choice: Choice) -> list[Row]:
    if choice.split == BELOW:
        filled = [row for row in rows.values() if any(row.values.values()) or _is_expected(row.office)]
        return sorted(filled, key=lambda row: (not row.key.endswith(".."), row.key))
    fixed = VALUES.get(choice.split)
    if fixed:
        return [rows[key] for key in fixed if key in rows]
    return sorted(rows.values(), key=lambda row: row.key)


def _is_expected(office: Organization | None) -> bool:
    """Whether an office without any number is missed in a table: not one that has no business of its own."""
    return office is not None and (office.is_authority or office.kind == Kind.SCHOOL)


def _complete(table: Table, reading: _Reading) -> None:
    """Zeros for what no row was found of, and the percentages. A source that is not split like the table
    fills the total only.
    """
    for row in (table.total, *table.rows):
        for column in table.columns:
            if column.cube and (row is table.total or reading.splits(CUBES[column.cube])):
                row.values.setdefault(column.key, 0)
        for column in table.columns:
            part, whole = column.share
            if part:
                base = row.values.get(whole) or 0
                row.values[column.key] = (row.values.get(part) or 0) * 100 // base if base else None


# ── Small cells ───────────────────────────────────────────────────────────────────────────────────────────
def _hide(table: Table, reading: _Reading) -> None:
    """Hide what readers above the school must not see of sensitive columns (EX-4)."""
    least = rule("STATISTICS_MIN_CELL", at=reading.office.path).number
    sensitive = [column.key for column in table.columns if column.sensitive]
    if not sensitive:
        return
    out_of_sight = _hidden_on_the_way(reading, sensitive, least)
    rows = table.rows if reading.splits(SEALED) else []
    for key in sensitive:
        total, of = table.total.values, int(table.total.values.get("pupils") or 0)
        if key in out_of_sight or is_small(int(total[key] or 0), of, least):
            hidden = {row.key for row in rows}
            total[key] = None
            table.hides = True
        else:
            values = {row.key: int(row.values[key] or 0) for row in rows}
            pupils = {row.key: int(row.values.get("pupils") or 0) for row in rows}
            hidden = hidden_among(values, pupils, least)
        for row in rows:
            if row.key in hidden:
                row.values[key] = None
                table.hides = True


def _hidden_on_the_way(reading: _Reading, sensitive: list[str], least: int) -> set[str]:
    """The measures whose total for this office the tables of the offices between hers and it do not show: it
    must not be read here either.
    """
    office, found = reading.office, set()
    while office.path != reading.user.acting_path and office.parent_id:
        above = Organization.objects.get(pk=office.parent_id)
        paths = list(Organization.objects.filter(parent=above).values_list("path", flat=True))
        counts = {line[BELOW]: line for line in read_summary(SEALED, paths, by=(BELOW,))}
        of = _pupils_below(reading.user, above, paths)
        whole = read_summary(SEALED, [above.path])[0]
        for key in sensitive:
            values = {path: int(counts[path][key]) if path in counts else 0 for path in of}
            all_pupils = sum(of.values())
            if is_small(int(whole[key]), all_pupils, least) or office.path in hidden_among(values, of, least):
                found.add(key)
        office = above
    return found


def _pupils_below(user: User, above: Organization, paths: list[str]) -> dict[str, int]:
    choice = Choice(REPORTS["overview"], above, BELOW, {})
    parts = _Reading(user, choice).parts(PUPILS)
    return {path: parts.get(path, {}).get("pupils", 0) for path in {*paths, *parts}}
