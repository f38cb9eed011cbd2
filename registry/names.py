"""Names: kept as given, compared by a fold, never refused for being rare, long or foreign (SECURITY FI-6)."""

from __future__ import annotations

import re
import unicodedata
from functools import cache, lru_cache
from typing import NamedTuple

from registry import objections as o
from registry.codes import DATA, rows_of
from registry.findings import Finding

NAME_MAX = 100  # characters; no real name reached it, and FI-6 promises 50 or more
INTERPUNCT = "·"

# What keyboards, fonts and old systems put where a middle dot belongs.
_DOTS = "\u00b7\u0387\u16eb\u2022\u2027\u2219\u22c5\u25e6\u2e31\u2e33\u30fb\uff65\ufe52\ua78f\u02d9\ufe45"
_DOT_TABLE = {ord(dot): INTERPUNCT for dot in _DOTS}
_HAN = "\u3005\u3007\u2e80-\u2fdf\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
_IS_HAN = re.compile(f"[{_HAN}]")
# Unified ideographs of the basic plane, one middle dot between them at most: nothing to fold, nothing to
# doubt. Nearly every name is such.
_PLAIN = re.compile(f"[\u3400-\u4dbf\u4e00-\u9fff]+(?:{INTERPUNCT}[\u3400-\u4dbf\u4e00-\u9fff]+)*")
_HAN_BLANK_HAN = re.compile(f"[{_HAN}] [{_HAN}]")
_HAN_OR_NOT = re.compile(f"[{_HAN}]+|[^{_HAN}]+")
_SIGN_AT_HAN = re.compile(f"(?<=[{_HAN}])[.,`´]|[.,`´](?=[{_HAN}])")
_STRAY_DOT = re.compile(f"^{INTERPUNCT}|{INTERPUNCT}$|{INTERPUNCT} *{INTERPUNCT}")
_DOTS_IN_A_ROW = re.compile(f"{INTERPUNCT}+")
_V_AS_SHOWN = re.compile("(?<=[ln])v")
# A full stop stands for the middle dot only between Chinese characters; "J. Smith" keeps his.
_STOP_BETWEEN_HAN = re.compile(f"(?<=[{_HAN}])\\s*[.\uff0e]\\s*(?=[{_HAN}])")
_VARIATION = re.compile("[\ufe00-\ufe0f\U000e0100-\U000e01ef]")
_INVISIBLE = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0\ufe00-\ufe0f\U000e0000-\U000e01ef]"
)
_MONGOLIAN = re.compile("[\u1820-\u18aa]")
_MARKS_STACKED = re.compile(r"^[\u0300-\u036f]|[\u0300-\u036f\u20d0-\u20ff]{4,}")
_LOST = frozenset("?？□■〓�＊*▯☐○◯●×")
_LATIN_SIGNS = frozenset("'’‘ʻʼ`´-‐‑.,")
_TIBETAN_SYLLABLE_MARKS = frozenset("\u0f0b\u0f0c")


def _legacy_private_use() -> dict[int, str]:
    """Private-use code points that GBK-era systems stored for real characters, with those characters.

    GBK placed the 80 characters FE50-FEA0 at U+E815-U+E864 because Unicode lacked them then. GB 18030 names
    most of them now; the rest got their code points in Unicode 3.1 and 4.1.
    """
    later = {
        0xE816: 0x20087, 0xE817: 0x20089, 0xE818: 0x200CC, 0xE81E: 0x9FB4, 0xE826: 0x9FB5, 0xE82B: 0x9FB6,
        0xE82C: 0x9FB7, 0xE831: 0x215D7, 0xE832: 0x9FB8, 0xE83B: 0x2298F, 0xE843: 0x9FB9, 0xE854: 0x9FBA,
        0xE855: 0x241FE, 0xE864: 0x9FBB,
    }  # fmt: skip
    trail_bytes = [*range(0x50, 0x7F), *range(0x80, 0xA1)]
    table = {}
    for offset, trail in enumerate(trail_bytes):
        private = 0xE815 + offset
        table[private] = chr(later[private]) if private in later else bytes((0xFE, trail)).decode("gb18030")
    return table


LEGACY_PRIVATE_USE = _legacy_private_use()


def clean_name(text: str) -> str:
    """`text` as given, without blanks at its ends; inner blanks of any kind become one ordinary space each
    run.
    """
    return " ".join(text.split())


def _compatible(text: str) -> str:
    """`text` with private-use, compatibility and width variants replaced by the characters they stand for."""
    text = _VARIATION.sub("", text.translate(LEGACY_PRIVATE_USE).translate(_DOT_TABLE))
    return _STOP_BETWEEN_HAN.sub(INTERPUNCT, unicodedata.normalize("NFKC", text))


def fold_name(text: str) -> str:
    """The form in which two names are compared: width, middle dots, blanks, compatibility forms and case do
    not count.

    Traditional and simplified characters stay different: nothing merges by itself.
    """
    if _PLAIN.fullmatch(text):
        return text
    folded = text
    for _round in range(
        4
    ):  # folding one thing may uncover another; in practice the second round changes nothing
        before = folded
        folded = unicodedata.normalize("NFKC", _compatible(folded).casefold()).translate(_DOT_TABLE)
        folded = "".join(folded.split())
        folded = _DOTS_IN_A_ROW.sub(INTERPUNCT, folded).strip(INTERPUNCT)
        if folded == before:
            break
    return folded


def _code_points(characters: str) -> str:
    return "、".join(f"U+{ord(character):04X}" for character in dict.fromkeys(characters))


def _shown(characters: str) -> str:
    return "".join(dict.fromkeys(characters))


@lru_cache(maxsize=8192)
def _kind(character: str) -> str:
    """What a character is in a name: "letter", "invisible", "emoji", "digit", "lost", "described",
    "private", "symbol".
    """
    point, category = ord(character), unicodedata.category(character)
    if point & 0xFFFE == 0xFFFE:
        return "symbol"  # code points that will never be characters
    if category in ("Cc", "Cf", "Cs", "Zl", "Zp") or _INVISIBLE.match(character):
        return "invisible"
    if character in _LOST:
        return "lost"
    if 0x2FF0 <= point <= 0x2FFF or point == 0x31EF:
        return "described"
    if category == "Co":
        return "letter" if point in LEGACY_PRIVATE_USE else "private"
    if _IS_HAN.match(character) or 0x31C0 <= point <= 0x31E5:
        return "letter"  # also what this Python does not know yet: new extensions of planes 2 and 3
    if category[0] == "N":
        return "digit"
    if category[0] in "LM" or character in " ．" or character in _DOTS:
        return "letter"
    if character in _LATIN_SIGNS or character in _TIBETAN_SYLLABLE_MARKS:
        return "letter"
    return "emoji" if point >= 0x1F000 or 0x2600 <= point <= 0x27BF or 0x2B00 <= point <= 0x2BFF else "symbol"


def check_name(text: str, field: str = "name") -> list[Finding]:
    """Everything wrong or doubtful about a name, all at once; rarity, length up to `NAME_MAX` and script
    never are.
    """
    if 1 < len(text) <= NAME_MAX and _PLAIN.fullmatch(text):
        return []
    name = clean_name(text)
    if not name:
        return [o.NAME_MISSING.at(field)]
    found = []
    kinds: dict[str, str] = {}
    for character in name:
        kind = _kind(character)
        if character == "\u180e" and _MONGOLIAN.search(name):
            kind = "letter"  # Mongolian spelling needs its vowel separator
        kinds[kind] = kinds.get(kind, "") + character
    if len(name) > NAME_MAX:
        found.append(o.NAME_TOO_LONG.at(field, limit=NAME_MAX))
    if "invisible" in kinds:
        found.append(o.NAME_INVISIBLE.at(field, code_points=_code_points(kinds["invisible"])))
    if "emoji" in kinds:
        found.append(o.NAME_EMOJI.at(field, code_points=_code_points(kinds["emoji"])))
    for kind, objection in (
        ("digit", o.NAME_DIGIT),
        ("lost", o.NAME_LOST_CHARACTER),
        ("symbol", o.NAME_SYMBOL),
        ("described", o.NAME_DESCRIBED),
    ):
        if kind in kinds:
            found.append(objection.at(field, characters=_shown(kinds[kind])))
    if "private" in kinds:
        found.append(o.NAME_PRIVATE_USE.at(field, code_points=_code_points(kinds["private"])))
    return found + _check_shape(name, field)


def _check_shape(name: str, field: str) -> list[Finding]:
    found = []
    has_han = bool(_IS_HAN.search(name))
    dotted = _compatible(name)
    if _HAN_BLANK_HAN.search(name):
        found.append(o.NAME_BLANK.at(field))
    if _STRAY_DOT.search(dotted):
        found.append(o.NAME_INTERPUNCT.at(field))
    if _MARKS_STACKED.search(name):
        found.append(o.NAME_MARKS.at(field))
    if signs := _SIGN_AT_HAN.findall(dotted):
        found.append(o.NAME_SYMBOL.at(field, characters=_shown("".join(signs))))
    if odd := _lookalikes(name, has_han):
        found.append(o.NAME_LOOKALIKE.at(field, characters=_shown(odd)))
    if len(name) == 1 and has_han:
        found.append(o.NAME_SINGLE.at(field))
    return found


@lru_cache(maxsize=8192)
def _script(character: str) -> str:
    """The alphabet a letter belongs to, by the first word of its Unicode name; "" for what has none."""
    return re.split("[ -]", unicodedata.name(character, ""))[0] if character.isalpha() else ""


def _lookalikes(name: str, has_han: bool) -> str:
    """Characters that pass for others: letters among Chinese characters, alphabets mixed in a word, bare
    radicals.
    """
    radicals = [c for c in name if 0x2E80 <= ord(c) <= 0x2FDF or 0x31C0 <= ord(c) <= 0x31E5]
    suspects = {"LATIN", "GREEK", "CYRILLIC", "KATAKANA", "HIRAGANA", "BOPOMOFO", "HANGUL", "FULLWIDTH"}
    if has_han:
        signs = _LATIN_SIGNS - frozenset(".,`´")
        return "".join(radicals + [c for c in name if c in signs or _script(c) in suspects])
    for word in re.split(f"[ {INTERPUNCT}]", name):
        scripts = {_script(c) for c in word} & {"LATIN", "GREEK", "CYRILLIC"}
        if len(scripts) > 1:
            return "".join(c for c in word if _script(c) in ("GREEK", "CYRILLIC"))
    return "".join(radicals)


class Pinyin(NamedTuple):
    """How a name is found and sorted: `name_py` "zhangsan", `name_ini` "zs", `name_pinyin` "ZHANG SAN" for
    display.
    """

    name_py: str
    name_ini: str
    name_pinyin: str


@cache
def _readings(kind: str) -> dict[str, list[str]]:
    rows = rows_of(DATA / "surname_readings.csv")
    return {row["text"]: row["reading"].split() for row in rows if row["kind"] == kind}


def _surname_length(name: str) -> int:
    """How many characters the surname takes; a compound one leaves at least one for the given name."""
    for length in (4, 2):
        if len(name) > length and name[:length] in _readings("compound"):
            return length
    return 1


def _unknown(character: str) -> str:
    """Stable, searchable stand-in for what has no reading: no Chinese syllable begins with u, so nothing
    collides.
    """
    return f"u{ord(character):04x}"


def _stand_ins(unread: str) -> list[str]:
    return [_unknown(character) for character in unread]


@lru_cache(maxsize=16384)
def _in_context(text: str) -> tuple[str, ...]:
    """The usual syllable of each character; a phrase that the dictionary knows decides between readings."""
    from pypinyin import Style, lazy_pinyin  # a third of a second, which most commands never need

    parts = lazy_pinyin(text, style=Style.NORMAL, errors=_stand_ins)  # type: ignore[arg-type]  # a list is allowed
    return tuple(part.replace("ü", "v") for part in parts)


def _holds_phrase(text: str) -> bool:
    from pypinyin.constants import PHRASES_DICT

    return any(
        text[start:end] in PHRASES_DICT
        for start in range(len(text) - 1)
        for end in range(start + 2, len(text) + 1)
    )


def _han_syllables(text: str) -> list[str]:
    # Names are endless, but characters and phrases recur: their readings are found once.
    is_simple = len(text) <= 8 and not _holds_phrase(text)
    syllables = [_in_context(character)[0] for character in text] if is_simple else _in_context(text)
    own = _readings("given")
    return [
        own[character][0] if character in own else part
        for character, part in zip(text, syllables, strict=True)
    ]


def _latin_words(text: str) -> list[str]:
    """Lower-case ASCII words of a name in letters; marks are dropped, other alphabets become their code
    points.
    """
    plain = "".join(c for c in unicodedata.normalize("NFKD", text.casefold()) if not unicodedata.combining(c))
    plain = plain.translate(
        {ord("ø"): "o", ord("ł"): "l", ord("đ"): "d", ord("æ"): "ae", ord("œ"): "oe", ord("ı"): "i"}
    )
    words = []
    for word in re.split(r"[\s,\-‐‑]+", plain):
        letters = [c if c.isascii() else _unknown(c) for c in word if c.isalnum()]
        if letters:
            words.append("".join(letters))
    return words


def _part(text: str, has_surname: bool) -> list[list[str]]:
    """The words of one part of a name, each a list of syllables: [["ou", "yang"], ["xiu"]]."""
    words: list[list[str]] = []
    for run in _HAN_OR_NOT.findall(text):
        if not _IS_HAN.match(run):
            words += [[word] for word in _latin_words(run)]
        elif has_surname and len(run) > 1:
            length = _surname_length(run)
            surname = run[:length]
            known = _readings("compound" if length > 1 else "surname").get(surname)
            words += [known or _han_syllables(surname), _han_syllables(run[length:])]
        else:
            words.append(_han_syllables(run))
        has_surname = False
    return words


def pinyin(name: str) -> Pinyin:
    """How `name` is searched and sorted, the same on every machine and for ever: store the answer, sort by
    it.

    Chinese names are read surname first, with the readings surnames have; names with a middle dot are read
    part by part without a surname; Latin names lose their accents. What has no reading becomes "u" and its
    code point. ü is "v" for search and "YU" for display (LYU), as documents print it.
    """
    text = name if _PLAIN.fullmatch(name) else _compatible(clean_name(name))
    parts = [part for part in text.split(INTERPUNCT) if part.strip()]
    words = [word for part in parts for word in _part(part, has_surname=len(parts) == 1)]
    syllables = [syllable for word in words for syllable in word]
    key = "".join(syllables)
    if "v" in key:
        words = [[_V_AS_SHOWN.sub("yu", syllable) for syllable in word] for word in words]
    display = " ".join(["".join(word) for word in words])
    return Pinyin(key, "".join([syllable[0] for syllable in syllables]), display.upper())


def fold_pinyin_query(text: str) -> str:
    """What somebody types to search by pinyin, in the form of `name_py`: no blanks or apostrophes, ü and yu
    as v.
    """
    folded = "".join(c for c in text.casefold().replace("ü", "v") if c.isalnum())
    return re.sub("(?<=[ln])yu", "v", folded)
