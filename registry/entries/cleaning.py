"""What was typed as what is stored, and everything that is wrong with it, all at once."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal, InvalidOperation
from unicodedata import normalize
from uuid import UUID

from config.crypto import blind_index
from registry.codes import code_of
from registry.entries import refusals as say
from registry.entries.kinds import COMPULSORY_SANCTIONS, SANCTION, Column, Kind
from registry.findings import Finding
from registry.form_values import parse_date

LONGEST = 200  # characters of a text
MARKS = ("优", "优秀", "良", "良好", "中", "中等", "及格", "合格", "不及格", "不合格", *"ABCDE")
_TERM = re.compile(r"(20\d\d)-?([12])")
_SENIOR = "3"
TermOf = Callable[[date], tuple[int, str]]


@dataclass(slots=True)
class Cleaned:
    """One entry as it may be stored, if nothing was found wrong."""

    happened_on: date
    school_year: int
    semester: str
    values: dict[str, str] = field(default_factory=dict)
    faults: list[Finding] = field(default_factory=list)

    def fingerprint(self, kind: Kind) -> UUID:
        """Equal for two entries that are the same: of one term, or equal in every value."""
        term = f"{self.school_year}-{self.semester}"
        same: object = term if kind.is_once_a_term else [self.happened_on.isoformat(), self.values]
        return blind_index("record entry", kind.code + json.dumps(same, sort_keys=True, ensure_ascii=False))


def clean(kind: Kind, typed: Mapping[str, str], grade: str, on: date, term_of: TermOf) -> Cleaned:
    """The entry that `typed` means for a pupil of `grade`; `on` is today, `term_of` the terms of her school
    (registry.services.seasons.terms_by_day).
    """
    found = _when(kind, typed.get("when", ""), on, term_of)
    for column in kind.columns:
        text = " ".join(normalize("NFKC", typed.get(column.key, "")).split())
        if text:
            value = _value(column, text, found.faults)
            if value:
                found.values[column.key] = value
        elif column.is_must:
            found.faults.append(say.MISSING.at(column.key))
    if not found.values and not found.faults:
        found.faults.append(say.MISSING.at(kind.columns[0].key))
    _check_sanction(kind, grade, found)
    _check_days(kind, found)
    return found


def _when(kind: Kind, text: str, on: date, term_of: TermOf) -> Cleaned:
    """The day, or of a kind that is kept by term the term: then the day is today."""
    text = normalize("NFKC", text).strip()
    if kind.is_once_a_term:
        told = _TERM.fullmatch(text)
        year, semester = (int(told[1]), told[2]) if told else term_of(on)
        found = Cleaned(on, year, semester)
        if (text and not told) or (year, semester) > term_of(on):
            found.faults.append(say.NO_TERM.at("when"))
        return found
    day = parse_date(text) if text else None
    if day is None or day > on or day.year < 2000:
        return Cleaned(on, *term_of(on), faults=[(say.NO_DAY if text else say.MISSING).at("when")])
    return Cleaned(day, *term_of(day))


def _value(column: Column, text: str, faults: list[Finding]) -> str:
    """The value as it is stored, or an empty text and a fault."""
    if column.type == "code":
        value = _code(column, text)
        if not value:
            faults.append(say.NO_CODE.at(column.key, words="、".join(words for _c, words in column.choices)))
        return value
    if column.type == "number":
        value = _number(text, column.least, column.most, column.places)
        if not value:
            bounds = {"least": column.least, "most": column.most, "places": column.places}
            faults.append(say.NO_NUMBER.at(column.key, **bounds))
        return value
    if column.type == "mark":
        value = text.upper() if text.upper() in MARKS else _number(text, 0, 1000, 1)
        if not value:
            faults.append(say.NO_MARK.at(column.key, words="、".join(MARKS)))
        return value
    if len(text) > LONGEST:
        faults.append(say.TOO_LONG.at(column.key, most=LONGEST))
    return text


def _code(column: Column, text: str) -> str:
    if column.code_list:
        return code_of(column.code_list, text, column.among) or ""
    return next((code for code, words in column.choices if text in (code, words)), "")


def _number(text: str, least: int, most: int, places: int) -> str:
    try:
        number = Decimal(text)
    except InvalidOperation:
        return ""
    if not number.is_finite() or not least <= number <= most or round(number, places) != number:
        return ""
    return f"{number.normalize():f}"


def _check_sanction(kind: Kind, grade: str, found: Cleaned) -> None:
    """No expulsion during compulsory schooling (R-CHG-01)."""
    if kind.code != SANCTION or grade.startswith(_SENIOR):
        return
    if found.values.get("type", COMPULSORY_SANCTIONS[0]) not in COMPULSORY_SANCTIONS:
        found.faults.append(say.EXPULSION.at("type"))


def _check_days(kind: Kind, found: Cleaned) -> None:
    if kind.code == "attendance" and "due" in found.values:
        away = sum(Decimal(found.values.get(key, "0")) for key in ("sick", "leave", "truant"))
        if away > Decimal(found.values["due"]):
            found.faults.append(say.MORE_ABSENT.at("due"))
