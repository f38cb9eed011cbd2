"""The real tree of divisions as offices: nation, 34 provincial, 333 city and 2,847 county units.

Paths and names are decided in docs/decisions/0002-paths-of-offices.md.
"""

import csv
from collections import Counter
from dataclasses import dataclass
from datetime import date

from django.conf import settings
from django.db import transaction
from django.db.backends.postgresql.psycopg_any import DateRange

from accounts.models import Organization
from config.scope import NATION

# The file belongs to registry, which accounts may not import: it is read where it lies.
DIVISIONS = settings.BASE_DIR / "registry" / "data" / "divisions.csv"
# The national system and its first rule began on this day; offices that are older are simply valid from it.
OFFICES_SINCE = date(2013, 9, 1)

Kind = Organization.Kind
LEVELS = {"province": Kind.PROVINCE, "city": Kind.CITY, "county": Kind.COUNTY}
MUNICIPALITIES = frozenset(("11", "12", "31", "50"))
# Hong Kong, Macao and Taiwan stand in the tree as places; they are no authorities of this registry.
WITHOUT_AUTHORITY = frozenset(("71", "81", "82"))
# Beijing's and Chongqing's districts have commissions like the municipality itself.
DISTRICTS_WITH_COMMISSION = frozenset(("11", "50"))


@dataclass(frozen=True, slots=True)
class Division:
    """One row of the file: six-digit code, own name, "province", "city" or "county", the unit above."""

    code: str
    name: str
    level: str
    parent: str

    @property
    def path(self) -> str:
        return path_of(self.code, self.parent)


def read_divisions() -> list[Division]:
    """The file's rows, in its order: every unit comes after the unit above it."""
    with DIVISIONS.open(encoding="utf-8", newline="") as file:
        return [
            Division(row["code"], row["name_zh"], row["level"], row["parent_code"])
            for row in csv.DictReader(file)
        ]


def path_of(code: str, parent: str = "") -> str:
    """`440305` under `440300` → `CN.44.03.05.`; `110108` directly under `110000` → `CN.11.0108.`

    A county without a city above it keeps its last four digits as one segment: `CN.11.01.` would be a city
    that does not exist.
    """
    if code.endswith("0000"):
        return f"{NATION}{code[:2]}."
    if code.endswith("00"):
        return f"{NATION}{code[:2]}.{code[2:4]}."
    if parent.endswith("0000"):
        return f"{NATION}{code[:2]}.{code[2:]}."
    return f"{NATION}{code[:2]}.{code[2:4]}.{code[4:]}."


def office_name(division: Division, above: str) -> str:
    """The usual name of the division's authority; `above` is the name of the unit above it.

    Districts carry their city's name, for 鼓楼区 exists several times; counties stand by themselves.
    """
    province = division.code[:2]
    if province in WITHOUT_AUTHORITY:
        return division.name
    if division.level == "province":
        return division.name + ("教育委员会" if province in MUNICIPALITIES else "教育厅")
    if division.level == "city":
        return division.name + "教育局"
    ending = "教育委员会" if province in DISTRICTS_WITH_COMMISSION else "教育局"
    prefix = above if province in MUNICIPALITIES or division.name.endswith("区") else ""
    return prefix + division.name + ending


@transaction.atomic
def load_tree() -> Counter[str]:
    """Add the offices that are not there yet, and answer how many of each kind were added.

    Safe to repeat. An office that exists is left alone: a rename, merger or split keeps history and is a
    command of its own (ARCHITECTURE 2).
    """
    known = dict(Organization.objects.values_list("path", "id"))
    added: Counter[str] = Counter()
    if NATION not in known:
        nation = Organization.objects.create(
            kind=Kind.NATION,
            code="000000",
            name="中华人民共和国教育部",
            path=NATION,
            division="000000",
            valid=DateRange(OFFICES_SINCE, None),
        )
        known[NATION] = nation.pk
        added[Kind.NATION] = 1
    divisions = read_divisions()
    by_code = {division.code: division for division in divisions}
    for level, kind in LEVELS.items():  # from the top, so that the row above already has its id
        missing = [
            _office(division, kind, by_code.get(division.parent), known)
            for division in divisions
            if division.level == level and division.path not in known
        ]
        for office in Organization.objects.bulk_create(missing, batch_size=1000):
            known[office.path] = office.pk
        if missing:
            added[kind] = len(missing)
    return added


def _office(division: Division, kind: Kind, above: Division | None, known: dict[str, int]) -> Organization:
    return Organization(
        kind=kind,
        code=division.code,
        name=office_name(division, above.name if above else ""),
        path=division.path,
        parent_id=known[above.path if above else NATION],
        division=division.code,
        is_authority=division.code[:2] not in WITHOUT_AUTHORITY,
        valid=DateRange(OFFICES_SINCE, None),
    )


def counts() -> dict[str, int]:
    """How many offices of the real tree stand in the database, by kind."""
    paths = [NATION, *(division.path for division in read_divisions())]
    found = Counter(Organization.objects.filter(path__in=paths).values_list("kind", flat=True))
    return {kind: found[kind] for kind in (Kind.NATION, *LEVELS.values())}
