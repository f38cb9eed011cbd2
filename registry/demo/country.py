"""The demonstration country as data: places, offices, schools, classes, terms and local rules. All schools are invented."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date

NO_MIX: dict[str, float] = {}


@dataclass(frozen=True, slots=True)
class Place:
    """What a county looks like: how addresses there are written, and who lives there.

    `away` is the share of pupils whose household register is elsewhere, `left_behind` that of pupils whose parents are
    away, `overseas` that of pupils from Hong Kong, Macao, Taiwan or abroad, `unregistered` that of pupils without a number.
    """

    division: str
    postcode: str
    area_code: str
    streets: tuple[str, ...] = ()
    estates: tuple[str, ...] = ()
    villages: tuple[str, ...] = ()
    rural: float = 0.0
    away: float = 0.02
    left_behind: float = 0.0
    overseas: float = 0.0
    unregistered: float = 0.002
    mix: dict[str, float] = field(default_factory=dict)  # ethnic group → share; the rest is Han
    hometowns: tuple[str, ...] = ()  # provinces that newcomers come from
    cutoff: tuple[int, int] = (8, 31)


_CITY_MIX = {
    "08": 0.015,
    "15": 0.01,
    "06": 0.01,
    "03": 0.006,
    "11": 0.008,
    "13": 0.004,
    "12": 0.003,
    "05": 0.003,
    "17": 0.001,
}
_SICHUAN = (12, 31)
PLACES = {
    place.division: place
    for place in (
        Place(
            "440305", "518054", "0755", ("前海路", "南海大道", "创业路", "桃园路", "学府路", "后海大道"),
            ("海景花园", "月亮湾花园", "前湾公馆", "科苑小区", "桂庙新村", "蔚蓝海岸苑"),
            away=0.55, overseas=0.03, mix=_CITY_MIX, hometowns=("43", "36", "42", "45", "51", "41", "61"),
        ),
        Place(
            "440304", "518033", "0755", ("福强路", "新洲路", "红荔路", "景田路", "莲花路", "益田路"),
            ("荔景苑", "福民新村", "莲花北村", "景蜜小区", "益田花园"),
            away=0.5, overseas=0.04, mix=_CITY_MIX, hometowns=("43", "36", "42", "45", "51", "41", "35"),
        ),
        Place(
            "440882", "524200", "0759", ("新城大道", "西湖大道", "群众大道"), ("天润花园", "雷湖小区"),
            ("白沙镇邦塘村", "附城镇麻扶村", "沈塘镇平余村", "南兴镇东林村", "客路镇迈哉村"),
            rural=0.7, left_behind=0.18, unregistered=0.008, mix={"08": 0.005}, hometowns=("45", "43"),
        ),
        Place(
            "440825", "524100", "0759", ("红旗二路", "东方一路", "徐海路"), ("贵生花园", "椰林苑"),
            ("和安镇后湾村", "迈陈镇新地村", "曲界镇愚公楼村", "下桥镇桥北村"),
            rural=0.6, left_behind=0.15, unregistered=0.006, mix={"19": 0.01, "08": 0.005}, hometowns=("46", "45"),
        ),
        Place(
            "510107", "610041", "028", ("武侯大道", "高升桥路", "晋阳路", "佳灵路", "簇桥东街"),
            ("锦绣花园", "双楠小区", "丽都苑", "晋吉新村"), away=0.35, overseas=0.004,
            mix={"04": 0.03, "07": 0.02, "03": 0.008, "33": 0.01}, hometowns=("51", "51", "50", "52", "61"),
            cutoff=_SICHUAN,
        ),
        Place(
            "510181", "611830", "028", ("建设路", "幸福大道", "彩虹大道", "观景路"), ("青城花苑", "岷江小区", "壹街区"),
            ("石羊镇金羊村", "天马镇建华村", "聚源镇龙泉村"), rural=0.35, left_behind=0.06, away=0.08,
            mix={"33": 0.015, "04": 0.02}, hometowns=("51",), cutoff=_SICHUAN,
        ),
        Place(
            "513401", "615000", "0834", ("航天大道", "长安东路", "三岔口南路", "胜利路"), ("月城花园", "邛海苑", "凤凰小区"),
            ("安宁镇马坪坝村", "礼州镇同心村", "川兴镇新农村"), rural=0.3, left_behind=0.05, unregistered=0.006, away=0.15,
            mix={"07": 0.38, "03": 0.015, "04": 0.02, "20": 0.003}, hometowns=("51",), cutoff=_SICHUAN,
        ),
        Place(
            "513431", "616150", "0834", ("文化街", "团结路"), ("彝欣社区",),
            ("四开镇洛古村", "四开镇日历村", "四开镇梭梭拉打村", "新城镇谷曲村", "三岔河镇三河村"),
            rural=0.85, left_behind=0.3, unregistered=0.03, mix={"07": 0.96}, hometowns=("51",), cutoff=_SICHUAN,
        ),
        Place(
            "110108", "100085", "010", ("清河中街", "上庄路", "西三旗东路", "学清路"), ("清河雅园", "上庄家园", "学清苑"),
            away=0.3, overseas=0.02, hometowns=("13", "41", "37", "14", "21"),
            mix={"11": 0.03, "03": 0.02, "02": 0.012, "10": 0.01, "05": 0.003, "04": 0.003},
        ),
        Place(
            "110101", "100010", "010", ("朝阳门内大街", "东四北大街", "和平里东街"), ("和平里小区", "东花市北里", "青龙胡同"),
            away=0.2, overseas=0.015, hometowns=("13", "41", "37"), mix={"11": 0.03, "03": 0.025, "02": 0.008},
        ),
    )
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class OfficePlan:
    """An office that the divisions do not know: a township's school district, an authority outside the bureaus."""

    kind: str
    code: str
    name: str
    path: str
    division: str
    is_authority: bool


OFFICES = (
    OfficePlan("township", "513431101", "昭觉县四开镇学区中心校", "CN.51.34.31.101.", "513431", False),
    OfficePlan("authority", "N01", "广东省农垦教育局", "CN.44.N01.", "440825", True),
)


@dataclass(frozen=True, slots=True)
class SchoolPlan:
    """One school. `classes` are parallel classes in each grade of a stage ("1" primary … "3" senior), `size` pupils a class."""

    code: str
    name: str
    above: str  # path of the office it hangs under
    division: str
    running_type: str
    classes: dict[str, int]
    size: int
    ownership: str = "11"
    schooling: str = "6-3"
    boarding: float = 0.0
    campuses: tuple[str, ...] = ()
    grades: tuple[str, ...] = ()  # only these, where a school does not hold its whole stage
    is_special: bool = False
    is_township_run: bool = False

    @property
    def path(self) -> str:
        return f"{self.above}{self.code}."

    @property
    def stages(self) -> list[str]:
        """Codes of the stage list: 2 primary, 3 junior, 4 senior, A special education."""
        return [str(int(stage) + 1) for stage in self.classes] + (["A"] if self.is_special else [])

    @property
    def primary_years(self) -> int:
        return int(self.schooling[0])

    def grades_of(self, stage: str) -> list[str]:
        years = {"1": self.primary_years, "2": int(self.schooling[2])}.get(stage, 3)
        every = [f"{stage}{year}" for year in range(1, years + 1)]
        return [grade for grade in every if not self.grades or grade in self.grades]


_NANSHAN, _FUTIAN, _LEIZHOU, _XUWEN = "CN.44.03.05.", "CN.44.03.04.", "CN.44.08.82.", "CN.44.08.25."
_WUHOU, _DUJIANGYAN, _XICHANG, _ZHAOJUE = "CN.51.01.07.", "CN.51.01.81.", "CN.51.34.01.", "CN.51.34.31."
_HAIDIAN, _DONGCHENG = "CN.11.0108.", "CN.11.0101."

STORY_SCHOOL = "2144030501"
OTHER_SCHOOL = "2144030401"
TOWNSHIP_SCHOOL = "2151343101"
AUTHORITY_SCHOOL = "3144990101"
NINE_YEAR_SCHOOL = "3144030502"
PRIVATE_SCHOOL = "2144030503"

SCHOOLS = (
    SchoolPlan(STORY_SCHOOL, "深圳市南山区星海小学", _NANSHAN, "440305", "211", {"1": 3}, 39),
    SchoolPlan(NINE_YEAR_SCHOOL, "深圳市南山区前湾实验学校", _NANSHAN, "440305", "312", {"1": 2, "2": 2}, 41),
    SchoolPlan(PRIVATE_SCHOOL, "深圳市南山区明德小学", _NANSHAN, "440305", "211", {"1": 1}, 35, ownership="12", boarding=0.1),
    SchoolPlan(
        OTHER_SCHOOL, "深圳市福田区晨曦小学", _FUTIAN, "440304", "211", {"1": 3}, 41, campuses=("新洲校区", "景田校区")
    ),
    SchoolPlan("3144030402", "深圳市福田区新洲河初级中学", _FUTIAN, "440304", "311", {"2": 4}, 45),
    SchoolPlan(
        "5144030403", "深圳市福田区启明特殊教育学校", _FUTIAN, "440304", "514", {"1": 1, "2": 1}, 9, boarding=0.4, is_special=True
    ),
    # Run by the city, though it lies in Nanshan: the path is the line of authority, the division is the place.
    SchoolPlan("3444030001", "深圳市湾区高级中学", "CN.44.03.", "440305", "342", {"3": 5}, 46, boarding=0.7),
    SchoolPlan("2144088201", "雷州市第二小学", _LEIZHOU, "440882", "211", {"1": 2}, 44),
    SchoolPlan("2144088202", "雷州市白沙镇中心小学", _LEIZHOU, "440882", "211", {"1": 1}, 37, boarding=0.1),
    SchoolPlan("3144088203", "雷州市沈塘初级中学", _LEIZHOU, "440882", "311", {"2": 3}, 48, boarding=0.5),
    SchoolPlan("2144082501", "徐闻县实验小学", _XUWEN, "440825", "211", {"1": 2}, 43),
    SchoolPlan("3444082502", "徐闻县第二中学", _XUWEN, "440825", "341", {"2": 2, "3": 3}, 48, boarding=0.6),
    SchoolPlan(AUTHORITY_SCHOOL, "湛江农垦红星学校", "CN.44.N01.", "440825", "312", {"1": 1, "2": 1}, 36, boarding=0.2),
    SchoolPlan("2151010701", "成都市武侯区桐林小学", _WUHOU, "510107", "211", {"1": 2}, 42),
    SchoolPlan(
        "3151010702", "成都市武侯区簇锦实验学校", _WUHOU, "510107", "312", {"1": 2, "2": 2}, 42, schooling="5-4"
    ),
    SchoolPlan("3451000001", "四川省锦江高级中学", "CN.51.", "510107", "342", {"3": 4}, 46, boarding=0.6),
    SchoolPlan("2151018101", "都江堰市青城小学", _DUJIANGYAN, "510181", "211", {"1": 2}, 40),
    SchoolPlan("3151018102", "都江堰市岷江初级中学", _DUJIANGYAN, "510181", "311", {"2": 3}, 44, boarding=0.3),
    SchoolPlan("2151340101", "西昌市邛海小学", _XICHANG, "513401", "211", {"1": 2}, 44),
    SchoolPlan("3451340102", "西昌市月城高级中学", _XICHANG, "513401", "342", {"3": 3}, 48, boarding=0.7),
    SchoolPlan(
        TOWNSHIP_SCHOOL, "昭觉县四开镇中心小学", f"{_ZHAOJUE}101.", "513431", "211", {"1": 2}, 45, boarding=0.3,
        is_township_run=True,
    ),
    SchoolPlan(
        "2151343102", "昭觉县四开镇洛古教学点", f"{_ZHAOJUE}101.", "513431", "218", {"1": 1}, 17, grades=("11", "12", "13"),
        is_township_run=True,
    ),
    SchoolPlan("3151343103", "昭觉县民族初级中学", _ZHAOJUE, "513431", "311", {"2": 3}, 48, boarding=0.9),
    SchoolPlan("2111010801", "北京市海淀区清河湾小学", _HAIDIAN, "110108", "211", {"1": 2}, 38),
    SchoolPlan(
        "3411010802", "北京市海淀区上庄实验学校", _HAIDIAN, "110108", "345", {"1": 1, "2": 1, "3": 1}, 39, boarding=0.2
    ),
    SchoolPlan("2111010101", "北京市东城区朝晖小学", _DONGCHENG, "110101", "211", {"1": 1}, 36),
)  # fmt: skip

# The story's school has one class without a free seat (its county allows 45 in primary classes).
FULL_CLASS = (STORY_SCHOOL, "12", 2, 45)
_CLASS_TYPES = {"1": "10", "2": "20", "3": "40"}
_SPECIAL_TYPES = {"1": "17", "2": "27"}
_STAGE_NAMES = {"1": "小学", "2": "初中", "3": "高中"}


@dataclass(frozen=True, slots=True)
class ClassPlan:
    """One class: `entry_year` is the year of entering the stage; `campus` is the number of the campus, 0 for none."""

    school: SchoolPlan
    number: str
    name: str
    grade: str
    type: str
    entry_year: int
    sequence: int
    size: int
    campus: int = 0


def classes_of(school: SchoolPlan, year: int) -> Iterator[ClassPlan]:
    """The classes of `school` in the school year that begins in `year`.

    A class is named by its cohort, so that its name still holds after promotion.
    """
    for stage, parallel in school.classes.items():
        offset = {"1": 0, "2": 100, "3": 200}[stage] if len(school.classes) > 1 else 0
        prefix = _STAGE_NAMES[stage] if len(school.classes) > 1 else ""
        for grade in school.grades_of(stage):
            entry = year - int(grade[1]) + 1
            for sequence in range(1, parallel + 1):
                is_full = (school.code, grade, sequence) == FULL_CLASS[:3]
                # Two classes of a kind are never of one size; the swing stays small and needs no dice.
                swing = (entry * 7 + sequence * 3 + int(school.code[-4:])) % 5 - 2
                yield ClassPlan(
                    school=school,
                    number=f"{entry}{offset + sequence:03d}",
                    name=f"{prefix}{entry}级{sequence}班",
                    grade=grade,
                    type=(_SPECIAL_TYPES if school.is_special else _CLASS_TYPES)[stage],
                    entry_year=entry,
                    sequence=sequence,
                    size=FULL_CLASS[3] if is_full else school.size + swing,
                    campus=(sequence - 1) % len(school.campuses) + 1 if school.campuses else 0,
                )


@dataclass(frozen=True, slots=True)
class RulePlan:
    """A value that an office set for itself and everything under it."""

    path: str
    level: str
    key: str
    value: object
    document: str


RULES = (
    RulePlan("CN.44.", "province", "CLASS_SIZE_MAX_PRIMARY", 50, "粤教基〔2025〕8号(演示)"),
    RulePlan("CN.44.03.05.", "county", "CLASS_SIZE_MAX_PRIMARY", 45, "深南教〔2025〕21号(演示)"),
    RulePlan("CN.51.", "province", "ENTRY_CUTOFF", "1231", "川教〔2025〕36号(演示)"),
    RulePlan("CN.51.", "province", "TRANSFER_STEP_DAYS", 7, "川教〔2025〕36号(演示)"),
    RulePlan("CN.51.34.31.", "county", "ROUTE_EXTRA_LEVELS", ["township"], "昭教〔2025〕5号(演示)"),
)


@dataclass(frozen=True, slots=True)
class TermPlan:
    path: str
    school_year: int
    semester: str
    starts_on: date
    ends_on: date


def terms(year: int) -> list[TermPlan]:
    """Last and this school year: the nation's dates, and those of Guangdong and Beijing, which deviate."""
    found = []
    for begins in (year - 1, year):
        for path, spring, autumn_end, summer in (
            ("CN.", (3, 1), (1, 22), (7, 5)),
            ("CN.44.", (2, 23), (1, 18), (7, 10)),
            ("CN.11.", (3, 2), (1, 30), (7, 12)),
        ):
            found.append(TermPlan(path, begins, "1", date(begins, 9, 1), date(begins + 1, *autumn_end)))
            found.append(TermPlan(path, begins, "2", date(begins + 1, *spring), date(begins + 1, *summer)))
    return found
