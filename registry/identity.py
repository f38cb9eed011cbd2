"""Identity documents: their forms, their canonical form for comparison, and how much of them is shown.

HANDBOOK B2, SECURITY FI-7 and RD-1; rules R-EST-03 (data come from a valid document) and R-EST-06 (no field
may contradict the number). The check digit follows GB 11643-1999.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date

from registry import objections as o
from registry.codes import code_of
from registry.findings import Finding, in_words

# Which documents name a person by the same number. A household register prints the citizen's own number, so
# both are one family: the same child, shown once with the card and once with the register, must be found as
# one.
FAMILIES = {
    "1": "citizen",
    "B": "citizen",
    "2": "military",
    "3": "military",
    "4": "military",
    "5": "military",
    "6": "hongkong_document",
    "7": "macao_document",
    "8": "taiwan_permit",
    "9": "permanent_residence",
    "A": "passport",
    "C": "travel_permit",
    "D": "residence_permit",
    "E": "residence_permit",
    "F": "permanent_residence",
    "G": "birth_certificate",
    "Z": "other",
}
NO_NUMBER_NEEDED = "Z"

# Province prefixes ever assigned; 81, 82, 83 belong to residence permits and 9x to foreign residents.
PROVINCES = frozenset(
    ("11", "12", "13", "14", "15", "21", "22", "23", "31", "32", "33", "34", "35", "36", "37", "41")
    + ("42", "43", "44", "45", "46", "50", "51", "52", "53", "54", "61", "62", "63", "64", "65", "71")
)
PERMIT_PREFIXES = {"D": ("810000", "820000"), "E": ("830000",)}

_EIGHTEEN = re.compile(r"[0-9]{17}[0-9X]")
_SEVENTEEN = re.compile(r"[0-9]{17}")
_FIFTEEN = re.compile(r"[0-9]{15}")
_FOREIGN_CARD = re.compile(r"9[0-9]{16}[0-9X]")
_FORMS = {
    "2": re.compile(r"[\u3400-\u9fffA-Z0-9]{5,20}"),
    "6": re.compile(r"[A-Z0-9]{7,12}"),
    "7": re.compile(r"[A-Z0-9]{7,12}"),
    "8": re.compile(r"[0-9]{8}|[0-9]{10}[A-Z]?"),
    "9": re.compile(r"[A-Z0-9]{5,20}"),
    "A": re.compile(r"[A-Z0-9]{5,17}"),
    "C": re.compile(r"[HM][0-9]{8}(?:[0-9]{2})?"),
    "F": re.compile(r"[A-Z]{3}[0-9]{12}|9[0-9]{16}[0-9X]"),
    "G": re.compile(r"[A-Z0-9]{6,17}"),
}
_FORMS.update({kind: _FORMS["2"] for kind in "345"})

_FULL_WIDTH = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)}
_LOWER = {code: code - 0x20 for code in range(ord("a"), ord("z") + 1)}
# Copying from a spreadsheet or a web page drags such marks along; they cannot be seen, so nobody could
# remove them.
_INVISIBLE = re.compile("[\\s\u00ad\u180e\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]+")
_PUNCTUATION = re.compile(r"[()./\-]")


def fold_number(text: str) -> str:
    """`text` with half-width characters, without blanks or invisible marks, ASCII letters in capitals (x
    becomes X).

    Only width is folded: a circled or superscript digit stays what it is and fails the form.
    """
    if text.isascii() and text.isalnum():  # nearly every number
        return text.upper()
    return _INVISIBLE.sub("", text.translate(_FULL_WIDTH)).removeprefix("'").translate(_LOWER)


def check_digit(digits: str) -> str:
    """The 18th character of GB 11643 for the first 17 digits. Raises ValueError otherwise."""
    if not _SEVENTEEN.fullmatch(digits):
        raise ValueError("17 ASCII digits expected")
    return _last_of(digits)


def _last_of(digits: str) -> str:
    # The weights 7, 9, 10, 5, … 4, 2 are the powers of two modulo 11, from 2^17 down to 2; and 13 is 2 modulo
    # 11. So the digits read to base 13, times 2, leave the same remainder as the weighted sum.
    return "10X98765432"[2 * int(digits, 13) % 11]


def has_valid_check_digit(number: str) -> bool:
    """Whether `number` is 18 characters of GB 11643 whose last one fits the others."""
    return bool(_EIGHTEEN.fullmatch(number)) and _last_of(number[:17]) == number[17]


def family(document_type: str) -> str:
    """The family of documents that share one number space. Raises KeyError for a code not in
    id_document_type.
    """
    return FAMILIES[document_type]


def canonical(document_type: str, number: str, nationality: str = "") -> str:
    """The form of `number` under which the same person's document is always found again; the blind index
    hashes it.

    Re-issued permits differ only after the ninth (Taiwan: eighth) character, which is dropped. A passport
    number means nothing without its country, a military number nothing without its kind. Empty for type Z
    and for blank numbers: such a document is never unique and must not be indexed. Raises ValueError for a
    passport without nationality.
    """
    text = fold_number(number)
    kind = family(document_type)
    if kind == "other" or not text:
        return ""
    if kind in ("citizen", "residence_permit"):
        return text
    text = _PUNCTUATION.sub("", text)
    if kind == "travel_permit":
        return text[:9]
    if kind == "taiwan_permit":
        return text[:8]
    if kind == "military":
        return f"{document_type}:{re.sub('[字第号]', '', text)}"
    if kind == "passport":
        if not nationality:
            raise ValueError("a passport number needs its nationality")
        return f"{nationality}:{text}"
    return text


def search_keys(text: str) -> list[tuple[str, str]]:
    """Every (family, canonical form) that `text`, typed into a search box, may mean. Passports are not among
    them.
    """
    number = _PUNCTUATION.sub("", fold_number(text))
    keys: list[tuple[str, str]] = []
    if _EIGHTEEN.fullmatch(number):
        keys += [("citizen", number), ("residence_permit", number)]
    for code in "678CFG":
        if _FORMS[code].fullmatch(number):
            keys.append((family(code), canonical(code, number)))
    return keys


def carries_birth_and_sex(document_type: str, number: str) -> bool:
    """Whether digits 7-14 and 17 of this (folded) number are a birth date and a sex."""
    kind = family(document_type)
    if kind in ("citizen", "residence_permit"):
        return bool(_EIGHTEEN.fullmatch(number))
    return kind == "permanent_residence" and bool(_FOREIGN_CARD.fullmatch(number))


def birth_in(number: str) -> date | None:
    """The birth date written in an 18-character number, or None if there is no such day."""
    try:
        return date.fromisoformat(number[6:14])
    except ValueError:
        return None


def sex_in(number: str) -> str:
    """The sex code written in an 18-character number: "1" male, "2" female."""
    return "1" if int(number[16]) % 2 else "2"


def check_number(
    document_type: str,
    number: str,
    birth: date | None,
    sex: str,
    today: date,
    *,
    nationality: str = "",
    known_division: Callable[[str], bool] | None = None,
    field: str = "id_number",
) -> list[Finding]:
    """Everything that is wrong with an identity document's number; empty when nothing is.

    `birth` and `sex` ("1", "2" or "") are compared with the number where it carries them. `known_division`
    answers whether a six-digit prefix is or ever was a division; without it, or on "no", at most a warning
    follows, for some 3,500 abolished codes live on in people's numbers. A wrong check digit is `disputable`
    (R-EST-08).
    """
    kind = document_type if document_type in FAMILIES else code_of("id_document_type", document_type)
    if kind is None or kind not in FAMILIES:
        return [o.ID_TYPE_UNKNOWN.at(field)]
    text = fold_number(number)
    if not text:
        return [] if kind == NO_NUMBER_NEEDED else [o.ID_NUMBER_MISSING.at(field)]
    if FAMILIES[kind] == "citizen":
        found = _check_citizen(text, field, known_division)
    elif FAMILIES[kind] == "residence_permit":
        found = _check_residence_permit(kind, text, field)
    else:
        found = _check_other(kind, text, field, nationality)
    if carries_birth_and_sex(kind, text):
        found += _check_contents(text, birth, sex, today, field)
    return found


def _check_citizen(text: str, field: str, known_division: Callable[[str], bool] | None) -> list[Finding]:
    if not _EIGHTEEN.fullmatch(text):
        is_old = bool(_FIFTEEN.fullmatch(text))
        return [o.ID_FIFTEEN_DIGITS.at(field) if is_old else o.ID_FORM.at(field, count=len(text))]
    if text.startswith(("81", "82", "83")):
        return [o.ID_IS_RESIDENCE_PERMIT.at(field)]
    if text.startswith("9"):
        return [o.ID_IS_FOREIGN_CARD.at(field)]
    if text[:2] not in PROVINCES:
        return [o.ID_PROVINCE.at(field, prefix=text[:2])]
    if known_division is not None and not known_division(text[:6]):
        return [o.ID_DIVISION_UNKNOWN.at(field, prefix=text[:6])]
    return []


def _check_residence_permit(kind: str, text: str, field: str) -> list[Finding]:
    if not _EIGHTEEN.fullmatch(text):
        return [o.ID_FORM.at(field, count=len(text))]
    if not text.startswith(PERMIT_PREFIXES[kind]):
        return [o.ID_PERMIT_PREFIX.at(field, prefixes="、".join(PERMIT_PREFIXES[kind]))]
    return []


def _check_other(kind: str, text: str, field: str, nationality: str) -> list[Finding]:
    found = []
    plain = _PUNCTUATION.sub("", text)
    if kind == NO_NUMBER_NEEDED:
        if has_valid_check_digit(plain):
            found.append(o.ID_TYPE_OTHER_BUT_CITIZEN.at(field))
    elif not _FORMS[kind].fullmatch(plain):
        found.append(o.ID_OTHER_FORM.at(field, form=o.FORMS_IN_WORDS[kind]))
    if kind == "A" and not nationality:
        found.append(o.ID_PASSPORT_NATIONALITY.at(field))
    return found


def _check_contents(text: str, birth: date | None, sex: str, today: date, field: str) -> list[Finding]:
    found = []
    in_number = birth_in(text)
    if in_number is None or in_number.year < 1900:
        found.append(o.ID_BIRTH_IMPOSSIBLE.at(field))
    elif in_number > today:
        found.append(o.ID_BIRTH_FUTURE.at(field))
    elif birth is not None and in_number != birth:
        found.append(o.ID_BIRTH_CONTRADICTS.at(field, in_number=in_words(in_number), given=in_words(birth)))
    if sex in ("1", "2") and sex_in(text) != sex:
        found.append(o.ID_SEX_CONTRADICTS.at(field, in_number=o.SEX_WORDS[sex_in(text)]))
    if not has_valid_check_digit(text):
        found.append(o.ID_CHECK_DIGIT.at(field))
    return found


def mask_number(number: str) -> str:
    """`110101********0010`: the first six and last four of long numbers, two and two of short ones (RD-1)."""
    if len(number) >= 15:
        head, tail = 6, 4
    elif len(number) >= 8:
        head, tail = 2, 2
    else:
        head, tail = 0, min(1, len(number))
    return number[:head] + "*" * (len(number) - head - tail) + number[len(number) - tail :]


def mask_phone(phone: str) -> str:
    """`138******10`: the first three and last two (RD-1)."""
    if len(phone) < 7:
        return "*" * len(phone)
    return phone[:3] + "*" * (len(phone) - 5) + phone[-2:]


def mask_name(name: str) -> str:
    """`张＊`: the first character and one mark, whatever the length, so that the length tells nothing
    (RD-1).
    """
    return name[:1] + "＊" if name else ""


def last4(number: str) -> str:
    """The last four characters, as lists show them; of numbers below eight characters only the last one."""
    return number[-4:] if len(number) >= 8 else number[-1:]
