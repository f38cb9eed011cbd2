"""Who may read and write which field of a record (AZ-4): one reviewed table, role × field, and nothing else.

`data/field_rights.csv` has a line for each field and a column for each role that sees pupils at all:

    -    neither shown nor named            m    shown masked (RD-1)
    r    shown masked, in clear by reveal   c    shown in clear
    +    after any of them: may be written, by editing or by a case

A role without a column reads nothing. Lists, details, API, exports, prints and forms ask `readable`.
"""

from collections.abc import Iterable
from enum import StrEnum
from functools import cache

from accounts.models import User
from accounts.roles import Right
from registry.codes import DATA, rows_of
from registry.fields import BY_KEY

GRANT, GUARDIAN = "grant", "guardian"  # who looks on by a dated grant; a guardian, at her child's record
_LABELS = ("key", "name_zh")


class Reading(StrEnum):
    """How a field is shown, from nothing to everything."""

    NONE = "-"
    MASKED = "m"
    REVEALABLE = "r"
    CLEAR = "c"


_ORDER = tuple(Reading)


@cache
def table() -> dict[str, dict[str, str]]:
    """Role → field → cell. Raises ValueError where the table leaves a field out or says nonsense."""
    rows = list(rows_of(DATA / "field_rights.csv"))
    if {row["key"] for row in rows} != BY_KEY.keys() or len(rows) != len(BY_KEY):
        raise ValueError("field_rights.csv must have one line for each field of the form")
    roles = [name for name in rows[0] if name not in _LABELS]
    cells = {role: {row["key"]: row[role] for row in rows} for role in roles}
    for role, fields in cells.items():
        for key, cell in fields.items():
            if cell not in {"-", "m", "r", "c", "m+", "r+", "c+"}:
                raise ValueError(f"field_rights.csv: {role}, {key}: {cell!r}")
    return cells


def roles_at(user: User, path: str) -> frozenset[str]:
    """The columns that speak for her about a record at the office of `path`."""
    lines = [line for line in user.in_effect if path.startswith(line.path)]
    granted = {GRANT for line in lines if not line.role and line.right == Right.VIEW_STUDENT}
    return frozenset({line.role for line in lines if line.role} | granted)


def reading(roles: Iterable[str], key: str) -> Reading:
    """The most that any of `roles` reads of a field; a field nobody put into the table is not read."""
    cells = [table()[role].get(key, "-")[0] for role in roles if role in table()]
    return max((Reading(cell) for cell in cells), key=_ORDER.index, default=Reading.NONE)


def readable(user: User, key: str, *, at: str = "") -> Reading:
    """How `user` reads a field of records at the office of `at`, or else of the office she acts for."""
    return reading(roles_at(user, at or user.acting_path), key)


def writable(user: User, key: str, *, at: str) -> bool:
    """Whether one of her roles at exactly this office may write the field, by editing or by a case."""
    held = {line.role for line in user.in_effect if line.path == at}
    return any(table()[role].get(key, "-").endswith("+") for role in held if role in table())
