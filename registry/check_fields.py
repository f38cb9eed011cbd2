"""One cell by itself: what is stored for it, and what is wrong with its form (HANDBOOK C1)."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Sequence
from functools import partial
from sys import maxsize

from registry import codes, numbers
from registry import objections as o
from registry import objections_form as f
from registry.fields import BY_KEY, Field
from registry.findings import Finding, Objection
from registry.form_values import allowed_codes, cleaner, is_phone, parse_date, parse_month, parse_validity
from registry.names import check_name

Cell = tuple[str, Sequence[Finding]]
"""What is stored, and the objections to it."""

_BLANK: Cell = ("", ())
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff]")
_TWELVE = re.compile(r"[0-9]{12}")

# Fields of a form of their own: what says that the text is right, and the objection if it does not.
FORMS: dict[str, tuple[Callable[[str], object], Objection]] = {
    "birth_on": (parse_date, f.DATE_FORM),
    "entry_month": (parse_month, f.MONTH_FORM),
    "id_validity": (parse_validity, f.VALIDITY_FORM),
    "phone": (is_phone, f.PHONE_FORM),
    "member1_phone": (is_phone, f.PHONE_FORM),
    "member2_phone": (is_phone, f.PHONE_FORM),
    "postcode": (re.compile(r"[0-9]{6}").fullmatch, f.POSTCODE_FORM),
    "email": (re.compile(r"[^@\s<>\"]+@[^@\s<>\".]+(?:\.[^@\s<>\".]+)+").fullmatch, f.EMAIL_FORM),
    "homepage": (re.compile(r"https?://[^\s<>\"']+").fullmatch, f.HOMEPAGE_FORM),
    "commute_km": (re.compile(r"[0-9]{1,5}(?:\.[0-9]{1,3})?").fullmatch, f.NUMBER_FORM),
    "name_pinyin": (re.compile(r"[A-Za-zÜüĀ-ǜ' \-]+").fullmatch, f.PINYIN_FORM),
}

_NAMES = ("name", "former_name")  # judged by rules of their own, length and odd characters too

# Texts are kept up to this number in a column, and up to this length. A full column looks again.
_KEPT_TEXTS, _KEPT_LENGTH = 2000, 40


class Column(dict[str, Cell]):
    """The cells of one field: `column[text]` is the Cell of `text` as typed, and never raises KeyError.

    Few distinct texts fill a column of codes, days or places. Each is looked at once and kept, up to a bound,
    so that a workbook of any size takes the same memory. Names and sealed free text differ in every row and
    are not kept.
    """

    __slots__ = ("_clean", "_field", "_form", "_keeps", "_limit")

    def __init__(
        self, field: Field, grade: str, school_code: str, known_division: Callable[[str], bool]
    ) -> None:
        super().__init__({"": _BLANK})
        self._field = field
        self._limit = field.max_length if field.max_length and not field.key.endswith("_name") else maxsize
        self._clean = cleaner(field, grade)
        self._form = _form_of(field, grade, school_code, known_division)
        self._keeps = bool(field.code_list) or not (field.sealed or field.key.endswith("name"))

    def __missing__(self, text: str) -> Cell:
        stored = self._clean(text) if text else ""
        if not stored:
            cell = _BLANK
        elif len(stored) <= self._limit and stored.isprintable():
            cell = stored, self._form(stored)
        else:
            cell = stored, self._odd(stored)
        if self._keeps and text and len(text) <= _KEPT_LENGTH and len(self) < _KEPT_TEXTS:
            self[text] = cell
        return cell

    def _odd(self, stored: str) -> Sequence[Finding]:
        """The objections to a text that is too long or cannot be printed as it is."""
        key, label = self._field.key, self._field.label_zh
        if key in _NAMES:
            return self._form(stored)
        if len(stored) > self._limit:
            return (f.TOO_LONG.at(key, label=label, limit=self._limit),)
        if _CONTROL.search(stored):
            return (f.CONTROL_CHARACTER.at(key, label=label),)
        return self._form(stored)


class Cells:
    """What is known of the columns of one table, shared by the checkers of all its classes."""

    def __init__(self) -> None:
        self._columns: dict[tuple[str, object], Column] = {}

    def columns(
        self, grade: str, school_code: str, known_division: Callable[[str], bool]
    ) -> dict[str, Column]:
        """A column for every field, by key; a class has its own only where something depends on the class."""
        depends = {"admission_mode": grade, "school_code": school_code}
        columns = {}
        for key, field in BY_KEY.items():
            place = key, known_division if field.widget == "division" else depends.get(key)
            if place not in self._columns:
                self._columns[place] = Column(field, grade, school_code, known_division)
            columns[key] = self._columns[place]
        return columns


def _form_of(
    field: Field, grade: str, school_code: str, known_division: Callable[[str], bool]
) -> Callable[[str], Sequence[Finding]]:
    """What objects to the form of a filled-in, cleaned text of `field`."""
    if field.key in _NAMES:
        return partial(check_name, field=field.key)
    if field.code_list:
        return partial(_check_code, field, allowed_codes(field, grade))
    if field.widget == "division":
        return partial(_check_division, field, known_division)
    if field.key in FORMS:
        return partial(_check_form, field, *FORMS[field.key])
    if field.key == "school_code" and school_code:
        return partial(_check_school, school_code)
    if field.key == "status_number":
        return numbers.check_status_number
    return _any


def _any(text: str) -> Sequence[Finding]:
    return ()


def _check_code(field: Field, allowed: Collection[str], text: str) -> Sequence[Finding]:
    if codes.is_code(field.code_list, text) and (not allowed or text in allowed):
        return ()
    objection = f.ADMISSION_STAGE if field.key == "admission_mode" else f.NOT_IN_LIST
    return (objection.at(field.key, label=field.label_zh),)


def _check_division(field: Field, known: Callable[[str], bool], text: str) -> Sequence[Finding]:
    if not _TWELVE.fullmatch(text):
        return (f.DIVISION_FORM.at(field.key, label=field.label_zh),)
    return () if known(text) else (f.DIVISION_UNKNOWN.at(field.key, label=field.label_zh),)


def _check_form(
    field: Field, is_right: Callable[[str], object], objection: Objection, text: str
) -> Sequence[Finding]:
    return () if is_right(text) else (objection.at(field.key, label=field.label_zh),)


def _check_school(school_code: str, text: str) -> Sequence[Finding]:
    return () if text == school_code else (o.SCHOOL_CODE_OTHER.at("school_code"),)
