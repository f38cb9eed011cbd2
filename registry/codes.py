"""Code lists and divisions, read once from `registry/data`.

The files are the default version of each list; the database keeps versions with validity dates and is loaded
from `load_code_lists()`. Look-ups accept what people and spreadsheets write: labels or codes, full width,
synonyms.
"""

from __future__ import annotations

import csv
import re
import unicodedata
from collections.abc import Collection, Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

DATA = Path(__file__).parent / "data"
_CODE_AND_LABEL = re.compile(r"([0-9a-z]{1,4})[-_:./|](.+)")


class CodeRow(NamedTuple):
    """One value of one list; `confidence` "low" means our own value, no standard says it."""

    list: str
    code: str
    name_zh: str
    name_en: str
    source: str
    confidence: str


def rows_of(path: Path) -> Iterator[dict[str, str]]:
    """The rows of one of our CSV files, by column name."""
    with path.open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)


def load_code_lists() -> Iterator[CodeRow]:
    """Every value of every list, lists in alphabetical order, values in their official order, ours last; a
    value that our file corrects stands in its place.
    """
    ours = {(row["list"], row["code"]): CodeRow(**row) for row in rows_of(DATA / "code_additions.csv")}
    for path in sorted((DATA / "codes").glob("*.csv")):
        for row in rows_of(path):
            yield ours.pop((path.stem, row["code"]), CodeRow(path.stem, **row))
        yield from (row for row in ours.values() if row.list == path.stem)


@cache
def _lists() -> dict[str, dict[str, str]]:
    lists: dict[str, dict[str, str]] = {}
    for row in load_code_lists():
        lists.setdefault(row.list, {})[row.code] = row.name_zh
    return lists


def code_lists() -> list[str]:
    """The names of all lists."""
    return list(_lists())


def label(code_list: str, code: str) -> str:
    """The Chinese label; a code the list does not know is shown as it is. Raises KeyError for an unknown
    list.
    """
    return _lists()[code_list].get(code, code)


def choices(code_list: str, among: Collection[str] = ()) -> list[tuple[str, str]]:
    """(code, label) in official order, for forms; `among` narrows. Raises KeyError for an unknown list."""
    return [(code, name) for code, name in _lists()[code_list].items() if not among or code in among]


def is_code(code_list: str, code: str) -> bool:
    """Whether `code` is exactly a code of the list."""
    return code in _lists()[code_list]


def _fold(text: str) -> str:
    return "".join(unicodedata.normalize("NFKC", text).split()).casefold()


@cache
def _by_words(code_list: str) -> dict[str, frozenset[str]]:
    """Folded label or synonym → the codes it may mean; two values of one list may share a label."""
    words: dict[str, set[str]] = {}
    for row in load_code_lists():
        if row.list == code_list:
            # GB/T lists carry a second official code in brackets: China [156], Han [HA].
            second = (
                re.findall(r"\[(\w+)\]$", row.name_en)
                if code_list in ("country_region", "ethnic_group")
                else []
            )
            for word in (row.code, row.name_zh, *second):
                words.setdefault(_fold(word), set()).add(row.code)
    for extra in rows_of(DATA / "code_synonyms.csv"):
        if extra["list"] == code_list:
            words.setdefault(_fold(extra["label"]), set()).add(extra["code"])
    return {word: frozenset(codes) for word, codes in words.items()}


def code_of(code_list: str, text: str, among: Collection[str] = ()) -> str | None:
    """The code that `text` (a code, a label, a synonym or "01-汉族") means in the list, or None if none or
    several.

    `among` narrows the answer, which settles labels that occur twice. A code that lost its leading zero in a
    spreadsheet is recognised. Raises KeyError for an unknown list.
    """
    codes = _lists()[code_list]
    words = _by_words(code_list)
    text = _fold(text)
    candidates: Collection[str] = words.get(text, ())
    if not candidates and (head := _CODE_AND_LABEL.match(text)) and head[2] in words:
        candidates = words.get(head[1], frozenset()) & words[head[2]]
    if not candidates and text.isascii() and text.isdigit():
        candidates = [code for code in codes if (code.lstrip("0") or "0") == (text.lstrip("0") or "0")]
    allowed = [code for code in candidates if not among or code in among]
    return allowed[0] if len(allowed) == 1 else None


@cache
def _divisions() -> dict[str, str]:
    return {row["code"]: row["name_zh"] for row in rows_of(DATA / "divisions.csv")}


@cache
def _former_divisions() -> dict[str, str]:
    """Codes of the changes since 1980 that are not in today's list, with their last known name."""
    former: dict[str, str] = {}
    for row in rows_of(DATA / "division_changes.csv"):
        for side in ("old", "new"):
            code, name = row[f"{side}_code"], row[f"{side}_name"]
            if code and code not in _divisions():
                former[code] = name
    return former


def is_current_division(code: str) -> bool:
    """Whether the first six digits are a division of today; a 12-digit code is cut."""
    return code[:6] in _divisions()


def known_division(code: str) -> bool:
    """Whether the first six digits are, or since 1980 were, a division. Never a reason to refuse a number."""
    return code[:6] in _divisions() or code[:6] in _former_divisions()


def division_name(code: str) -> str:
    """The division's own name, the last known one of an abolished code, or "" for an unknown code."""
    return _divisions().get(code[:6]) or _former_divisions().get(code[:6], "")


@cache
def division_full_name(code: str) -> str:
    """Province, city and county in one string, for display: 广东省深圳市福田区."""
    six = code[:6]
    parts = [_divisions().get(six[:2] + "0000", ""), _divisions().get(six[:4] + "00", ""), division_name(six)]
    return "".join(dict.fromkeys(part for part in parts if part))


def province_codes() -> frozenset[str]:
    """The two-digit codes of the provinces of today."""
    return frozenset(code[:2] for code in _divisions() if code.endswith("0000"))
