"""Invented names as they occur: surnames by frequency, given names by generation, each people in its form.

The lists lie in `data/names.csv`.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from random import Random

from registry.codes import rows_of

DATA = Path(__file__).parent / "data"
_TEXT = {row["list"]: row["names"] for row in rows_of(DATA / "names.csv")}


def _list(name: str) -> list[str]:
    return _TEXT[name].split()


def _by_sex(name: str) -> dict[str, list[str]]:
    return {"1": _list(f"{name} male"), "2": _list(f"{name} female")}


def _shares() -> tuple[list[str], list[int]]:
    """Surnames with their share per ten thousand, roughly as the census of surnames gives them."""
    names, shares = [], []
    for entry in _list("surnames"):
        name = entry.rstrip("0123456789")
        names.append(name)
        shares.append(int(entry[len(name) :]))
    return names, list(accumulate(shares))


_SURNAMES, _CUMULATED = _shares()
_OWN_SURNAMES = {
    "03": _list("hui surnames"),
    "08": _list("zhuang surnames"),
    "10": _list("korean surnames"),
    "11": _list("manchu surnames"),
}
_CHILDREN = {"1": _list("boys"), "2": _list("girls")}
_HEADS = _TEXT["heads"]
_TAILS = {"1": _TEXT["tails male"], "2": _TEXT["tails female"]}
_PARENTS = {"1": _list("fathers"), "2": _list("mothers")}
_ELDERS = _by_sex("elders")
_DOTTED = {"05": _by_sex("uyghur"), "17": _by_sex("kazakh")}
_WHOLE = {"02": _by_sex("mongol"), "18": _by_sex("dai")}
_TIBETAN, _TIBETAN_HEADS = _by_sex("tibetan"), _list("tibetan heads")
_YI, _YI_CLANS = _by_sex("yi"), _list("yi clans")
# Characters that old systems lost: beyond the BMP or late in Unicode.
RARE = _by_sex("rare")
# Long names must survive every column, page and print.
LONG = {
    "1": "阿卜杜热合曼·麦麦提吐尔逊·阿卜杜克热木·艾合麦提江·玉苏普喀迪尔",
    "2": "古丽巴哈尔·阿卜杜外力·麦麦提敏·吐尔逊尼牙孜",
}


@dataclass(frozen=True, slots=True)
class Abroad:
    """Names of one country: given names by sex, family names, and which comes first."""

    male: str
    female: str
    families: str
    form: str

    def given(self, sex: str) -> list[str]:
        return (self.male if sex == "1" else self.female).split()


_ABROAD = {
    "KOR": Abroad(
        "敏俊 贤宇 道允 时厚 书俊 志勋", "瑞妍 智友 秀雅 荷恩 彩媛 多恩", "金 朴 李 崔 郑 姜", "{1}{0}"
    ),
    "USA": Abroad(
        "ETHAN LIAM NOAH MASON LUCAS",
        "OLIVIA MIA SOPHIE CHLOE GRACE",
        "MILLER O'CONNOR WALKER CHEN-ROBERTS GARCÍA ANDERSON",
        "{0} {1}",
    ),
    "GBR": Abroad(
        "OLIVER GEORGE HARRY ARTHUR", "AMELIA ROSE ISLA FREYA", "HUGHES WRIGHT BENNETT CLARKE", "{0} {1}"
    ),
    "JPN": Abroad("健太 悠斗 阳翔 莲", "阳菜 美咲 结衣 葵", "佐藤 高桥 铃木 伊藤 渡边", "{1}{0}"),
}


@dataclass(frozen=True, slots=True)
class FamilyNames:
    """The names of one household: the child's, the parents' and one grandparent's of each sex."""

    child: str
    father: str
    mother: str
    grandfather: str
    grandmother: str


def surname(random: Random, ethnic_group: str = "01") -> str:
    """A surname by its frequency, or one usual in the ethnic group."""
    own = _OWN_SURNAMES.get(ethnic_group)
    return random.choice(own) if own else random.choices(_SURNAMES, cum_weights=_CUMULATED)[0]


def given(random: Random, sex: str) -> str:
    """A child's given name: one of the favourites, or one or two characters put together."""
    if random.random() < 0.45:
        return random.choice(_CHILDREN[sex])
    if random.random() < 0.12:
        return random.choice(_TAILS[sex])
    return random.choice(_HEADS) + random.choice(_TAILS[sex])


def adult(random: Random, sex: str, ethnic_group: str = "01") -> str:
    """An adult's full name, of the generation of parents and teachers."""
    return surname(random, ethnic_group) + random.choice(_PARENTS[sex])


def household(random: Random, sex: str, ethnic_group: str) -> FamilyNames:
    """Names of a child (`sex` "1" or "2") and her family, in the form that is usual in the ethnic group."""
    if ethnic_group in _DOTTED:
        return _dotted_household(random, sex, _DOTTED[ethnic_group])
    if ethnic_group == "07":
        clan, other = random.choice(_YI_CLANS), random.choice(_YI_CLANS)
        dot = "·" if random.random() < 0.3 else ""
        clans = ((clan, sex), (clan, "1"), (other, "2"), (clan, "1"), (other, "2"))
        return FamilyNames(*(f"{own}{dot}{random.choice(_YI[kind])}" for own, kind in clans))
    kinds = (sex, "1", "2", "1", "2")
    if ethnic_group == "04":
        return FamilyNames(*(random.choice(_TIBETAN_HEADS) + random.choice(_TIBETAN[kind]) for kind in kinds))
    if ethnic_group in _WHOLE:
        return FamilyNames(*(random.choice(_WHOLE[ethnic_group][kind]) for kind in kinds))
    own, mother = surname(random, ethnic_group), surname(random, ethnic_group)
    child = mother if random.random() < 0.06 else own
    return FamilyNames(
        child=child + given(random, sex),
        father=own + random.choice(_PARENTS["1"]),
        mother=mother + random.choice(_PARENTS["2"]),
        grandfather=own + random.choice(_ELDERS["1"]),
        grandmother=surname(random, ethnic_group) + random.choice(_ELDERS["2"]),
    )


def _dotted_household(random: Random, sex: str, people: dict[str, list[str]]) -> FamilyNames:
    """Own name, middle dot, father's name."""
    father, grandfather, other = (random.choice(people["1"]) for _each in range(3))
    return FamilyNames(
        child=f"{random.choice(people[sex])}·{father}",
        father=f"{father}·{grandfather}",
        mother=f"{random.choice(people['2'])}·{other}",
        grandfather=f"{grandfather}·{random.choice(people['1'])}",
        grandmother=f"{random.choice(people['2'])}·{random.choice(people['1'])}",
    )


def foreign(random: Random, nationality: str, sex: str) -> tuple[str, str]:
    """The name in a foreign child's passport, and the father's."""
    names = _ABROAD[nationality]
    family_name = random.choice(names.families.split())
    return (
        names.form.format(random.choice(names.given(sex)), family_name),
        names.form.format(random.choice(names.given("1")), family_name),
    )
