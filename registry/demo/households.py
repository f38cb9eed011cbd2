"""Where an invented family lives and is registered, and who belongs to it: the form's family blocks."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from random import Random
from typing import Literal

from accounts.tree import read_divisions
from registry.codes import division_full_name, division_name
from registry.demo.country import Place
from registry.demo.names import FamilyNames
from registry.demo.papers import Papers

FATHER, MOTHER, GRANDPARENT, RELATIVE = "51", "52", "60", "97"
Care = Literal["parents", "one_away", "both_away", "orphan"]

# Employer and position; "" where nothing was written down.
_URBAN_WORK = [
    "个体工商户/经营者",
    "信息技术公司/工程师",
    "物业管理公司/职员",
    "建筑工程公司/施工员",
    "电子厂/操作工",
    "物流公司/司机",
    "中心医院/护士",
    "中学/教师",
    "超市/收银员",
    "银行支行/职员",
    "餐饮公司/厨师",
    "设计公司/设计师",
    "街道办事处/科员",
    "自由职业/",
    "/",
]
_RURAL_WORK = ["务农/", "务农/", "外出务工/", "镇卫生院/职员", "小卖部/经营者", "水产养殖场/工人", "/"]
_WORK_PLACES = [
    "广东省东莞市长安镇",
    "广东省深圳市宝安区",
    "广东省佛山市顺德区",
    "浙江省宁波市鄞州区",
    "江苏省苏州市昆山市",
]


@dataclass(frozen=True, slots=True)
class Home:
    """`address` is where the child lives, `hukou` the six digits of the family's register."""

    address: str
    hukou: str
    hukou_type: str
    is_rural: bool
    is_away: bool


@cache
def counties_of(province: str) -> tuple[str, ...]:
    """Codes of the counties of a province."""
    return tuple(d.code for d in read_divisions() if d.level == "county" and d.code[:2] == province)


def make_home(random: Random, place: Place) -> Home:
    """A home in `place`; whether the family is registered there or came from one of the usual provinces."""
    is_rural = random.random() < place.rural
    where = division_full_name(place.division)
    if is_rural:
        group = random.choice("一二三四五六七八")
        address = f"{where}{random.choice(place.villages)}{group}组{random.randint(1, 180)}号"
    else:
        address = (
            f"{where}{random.choice(place.streets)}{random.randint(1, 320)}号{random.choice(place.estates)}"
            f"{random.randint(1, 18)}栋{random.randint(1, 3)}单元"
            f"{random.randint(1, 26)}{random.randint(1, 4):02d}室"
        )
    if random.random() >= place.away:
        kind = random.choices("123", (55, 5, 40) if is_rural else (4, 36, 60))[0]
        return Home(address, place.division, kind, is_rural, is_away=False)
    hukou = random.choice(
        [code for code in counties_of(random.choice(place.hometowns)) if code != place.division]
    )
    return Home(address, hukou, random.choices("123", (58, 12, 30))[0], is_rural, is_away=True)


def native_place(code: str) -> str:
    """籍贯 as people write it: province and city."""
    city = code[:4] + "00"
    return division_full_name(city if division_name(city) else code[:2] + "0000")


class Household:
    """Makes the family blocks of one child after another."""

    def __init__(self, random: Random, papers: Papers) -> None:
        self._random = random
        self._papers = papers

    def members(
        self,
        home: Home,
        names: FamilyNames,
        birth: date,
        ethnic_group: str,
        care: Care,
        *,
        must_have_number: bool,
    ) -> dict[str, str]:
        """The blocks `member1_…` and `member2_…`; the first member always is a guardian."""
        random = self._random
        away_address = f"{random.choice(_WORK_PLACES)}工业路{random.randint(1, 90)}号"
        father, mother = (FATHER, names.father, home.address), (MOTHER, names.mother, home.address)
        if care == "orphan":
            if random.random() < 0.7:
                blocks = [(GRANDPARENT, names.grandfather, home.address)]
            else:
                blocks = [(RELATIVE, names.grandmother, home.address)]
        elif care == "both_away":
            away = father if random.random() < 0.6 else mother
            blocks = [(*away[:2], away_address), (GRANDPARENT, names.grandmother, home.address)]
        elif care == "one_away":
            blocks = [mother, (*father[:2], away_address)]
        else:
            blocks = [father, mother] if random.random() < 0.55 else [mother, father]
            if random.random() < 0.12:
                blocks = blocks[:1]
        values: dict[str, str] = {}
        for ordinal, (relation, name, address) in enumerate(blocks, start=1):
            is_guardian = ordinal == 1 or relation in (FATHER, MOTHER)
            has_number = (must_have_number and ordinal == 1) or random.random() < 0.7
            block = self._block(home, relation, name, address, birth, ethnic_group, has_number)
            block["is_guardian"] = "1" if is_guardian else "0"
            values |= {f"member{ordinal}_{key}": text for key, text in block.items()}
        return values

    def _block(
        self,
        home: Home,
        relation: str,
        name: str,
        address: str,
        birth: date,
        ethnic_group: str,
        has_number: bool,
    ) -> dict[str, str]:
        random = self._random
        employer, _slash, position = random.choice(_RURAL_WORK if home.is_rural else _URBAN_WORK).partition(
            "/"
        )
        block = {
            "name": name,
            "relation": relation,
            "relation_note": "",
            "address": address,
            "hukou_division": home.hukou + "000000" if home.hukou else "",
            "phone": self._papers.mobile(),
            "id_type": "",
            "id_number": "",
            "ethnic_group": ethnic_group,
            "employer": employer,
            "position": position,
        }
        if has_number and home.hukou:
            years = random.randint(46, 62) if relation == GRANDPARENT else random.randint(22, 37)
            born = birth - timedelta(days=years * 365 + random.randrange(365))
            sex = {FATHER: "1", MOTHER: "2"}.get(relation, "1" if name[-1] in "国庆福贵方义守信生才" else "2")
            block |= {"id_type": "1", "id_number": self._papers.citizen(home.hukou, born, sex)}
        return block
