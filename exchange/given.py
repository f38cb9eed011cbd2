"""In which form each of the 73 fields may leave: de-identified by default, in clear only as listed (EX-3)."""

import hashlib
import hmac
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from registry.codes import choices
from registry.fields import FIELDS, Field

# Never: images, and what is no value of a pupil.
_NEVER = frozenset(("continues_record", "school_code", "template_control", "photo", "auxiliary_number"))
# Codes that narrow a class down to a child are given in clear only, like free text, numbers and D4.
_NARROW = frozenset(("class_number", "commute_km"))
_COUNTY_DIGITS = 6


def _has_coarse_form(field: Field) -> bool:
    if field.sealed or field.key in _NARROW or field.place in ("member", "document"):
        return False
    return field.widget in ("select", "yes_no", "date", "month", "division")


GIVABLE: tuple[Field, ...] = tuple(one for one in FIELDS if one.key not in _NEVER)
"""The fields that a grant can name at all."""
COARSE: frozenset[str] = frozenset(one.key for one in GIVABLE if _has_coarse_form(one))
"""Those of them that have a de-identified form."""
KEYS: frozenset[str] = frozenset(one.key for one in GIVABLE)
_BY_KEY = {one.key: one for one in GIVABLE}


@dataclass(frozen=True, slots=True)
class Named:
    """One field of a grant as a page shows it."""

    key: str
    label: str
    is_clear: bool
    form: str  # what is given, in words


def form_in_words(field: Field, is_clear: bool) -> str:
    """How a field leaves, said for the person who approves."""
    if is_clear:
        return "明文"
    if field.widget == "date":
        return "只到年月"
    if field.widget == "division":
        return "只到县级"
    return "代码"


def named(fields: Sequence[str], clear: Collection[str]) -> list[Named]:
    return [
        Named(key, _BY_KEY[key].label_zh, key in clear, form_in_words(_BY_KEY[key], key in clear))
        for key in fields
    ]


def pseudonym(key: bytes, *parts: str) -> str:
    """The same person under the same grant, and nobody under any other: HMAC-SHA-256, 128 bits."""
    return hmac.new(key, "\x1f".join(parts).encode(), hashlib.sha256).hexdigest()[:32]


def coarse(field: Field, value: str) -> str:
    """The de-identified form of a value: month of a day, county of a place; a code stays as it is."""
    if field.widget == "date":
        return value[:7]
    if field.widget == "division":
        return value[:_COUNTY_DIGITS]
    return value


def given(values: Mapping[str, str], fields: Sequence[str], clear: Collection[str]) -> dict[str, str]:
    """What leaves of one pupil's `values`: the grant's fields and no other, each in its form."""
    return {
        key: (values.get(key) or "") if key in clear else coarse(_BY_KEY[key], values.get(key) or "")
        for key in fields
        if key in clear or key in COARSE
    }


def sample(fields: Sequence[str], clear: Collection[str]) -> dict[str, str]:
    """An answer about nobody, in the form that real ones have: for whoever proposes and approves."""
    return given({key: _invented(_BY_KEY[key]) for key in fields}, fields, clear)


_WORDS = {"name": "林小鹿", "former_name": "", "id_number": "110101201603150018", "phone": "13800000000"}


def _invented(field: Field) -> str:
    if field.key in _WORDS:
        return _WORDS[field.key]
    if field.code_list:
        return choices(field.code_list, field.allowed)[0][0]
    return {
        "date": "2016-03-15", "month": "2022-09", "division": "440305000000", "number": "1.5",
        "yes_no": "0",
    }.get(field.widget, f"（{field.label_zh}）")  # fmt: skip
