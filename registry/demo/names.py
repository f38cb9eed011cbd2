"""Invented names as they occur: surnames by frequency, given names by generation, minorities in their own forms."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import accumulate
from random import Random

# Surnames with their share per ten thousand, roughly as the census of surnames gives them.
_SURNAMES = (
    "王711 李702 张675 刘538 陈453 杨308 黄223 赵220 吴211 周205 徐166 孙151 马129 朱124 胡122 郭116 何113 高107 林115 罗86 "
    "郑87 梁85 谢79 宋76 唐72 许71 邓69 冯65 韩64 曹61 曾59 彭58 萧20 蔡54 潘53 田52 董51 袁50 于50 余49 叶48 蒋48 "
    "杜47 苏46 魏45 程45 吕44 丁43 沈42 任41 姚40 卢40 傅35 钟39 姜38 崔38 谭37 廖36 范36 汪35 陆35 金34 石33 戴33 贾33 "
    "韦32 夏31 邱31 方30 侯29 邹29 熊28 孟28 秦27 白26 江26 阎20 薛26 尹25 段25 雷24 黎24 史23 龙23 陶22 贺22 顾22 毛21 "
    "郝21 龚21 邵20 万20 钱20 严19 覃18 武18 戚4 莫17 孔17 向16 汤16 温15 康15 施14 文14 牛13 樊12 葛12 邢12 安11 齐11 "
    "易11 乔11 伍11 庞11 颜10 倪10 庄10 聂10 章10 鲁9 岳9 翟9 殷9 詹9 申9 欧8 耿8 关8 兰8 焦8 俞7 左7 柳7 甘7 祝7 包7 "
    "宁6 尚6 符6 舒6 阮6 柯6 纪6 梅5 童5 凌5 毕5 单5 裴4 霍4 涂4 成4 苗4 谷4 曲4 盛4 冉4 蓝4 路3 游3 辛3 靳3 欧阳9 "
    "上官2 司马2 诸葛1 司徒2 令狐1 皇甫1 尉迟1 夏侯1 慕容1 解2 查2 仇1 朴2 冼2"
)
_BOYS = ["子轩", "浩宇", "浩然", "宇轩", "梓睿", "沐辰", "俊熙", "奕辰", "宇航", "梓豪", "子墨", "宇泽", "皓轩", "天佑", "子涵", "俊杰", "博文", "睿泽", "煜城", "思远", "明轩", "铭泽", "一鸣", "家豪", "嘉铭", "子豪", "伟杰", "志远", "泽宇", "俊豪", "锦程", "晨曦", "子睿", "承宇", "昊天", "景行", "书豪", "立诚", "星辰", "云帆", "致远", "嘉懿", "弘文", "瑾瑜", "鹏程", "文博", "修远", "炎彬", "睿渊", "晟睿", "瑞霖", "靖琪", "梓晨", "奕轩", "逸飞", "思源", "家乐", "振宇", "国栋", "凯", "睿", "涛", "杰", "昊", "晨", "宁", "乐", "阳", "航", "毅"]
_GIRLS = ["梓涵", "欣怡", "诗涵", "一诺", "雨桐", "可馨", "欣妍", "梓萱", "语桐", "思涵", "若汐", "雨泽", "佳怡", "诗琪", "子萱", "雅婷", "芷若", "艺涵", "依诺", "梦瑶", "静怡", "思琪", "紫涵", "语嫣", "沐晴", "佳琪", "雨涵", "晓彤", "一凡", "若曦", "妍希", "欣悦", "舒涵", "嘉怡", "念慈", "乐怡", "可欣", "心怡", "诗雨", "雪怡", "芸熙", "婉清", "语彤", "玥彤", "若溪", "梓琳", "清妍", "书瑶", "锦诗", "怡然", "安琪", "晨曦", "慧敏", "婷婷", "思颖", "晓雯", "佩瑶", "嘉欣", "宛如", "晴", "悦", "萱", "瑶", "琳", "雪", "颖", "怡", "静", "莹"]
_HEADS = "子宇浩俊嘉文思明家泽奕承景一志晨瑞睿佳雨诗欣梦语若芷静可依书清乐安心玥锦"
_TAILS = {
    "1": "轩宇然辰泽睿豪杰航远博文铭鸣涛霖城恒毅阳凯勋翰琪瑞",
    "2": "涵怡萱妍桐琪馨瑶彤汐曦悦颖婷琳雯菲宁然溪清岚月蕊",
}
_FATHERS = ["伟", "强", "勇", "军", "磊", "鹏", "涛", "超", "杰", "斌", "波", "辉", "刚", "健", "俊", "峰", "浩", "亮", "志强", "建军", "文斌", "国强", "海涛", "志伟", "永刚", "建华", "晓东", "立新", "明辉", "少华", "学文", "红兵", "小明", "振华", "家明", "伟东", "金龙", "成林", "德胜", "玉林", "卫东", "宏伟", "耀辉", "光明", "正文", "世杰", "春生", "新民"]
_MOTHERS = ["静", "丽", "娟", "敏", "燕", "艳", "婷", "芳", "霞", "玲", "娜", "莉", "红", "梅", "英", "萍", "琴", "慧", "倩", "洁", "海燕", "丽娟", "晓燕", "春梅", "秀英", "小红", "玉梅", "丽华", "雪梅", "艳红", "桂英", "美玲", "淑珍", "晓丽", "婉婷", "彩霞", "秋菊", "惠敏", "金凤", "月娥", "素芬", "凤英", "海霞", "丽萍", "冬梅", "翠兰", "佩珊", "少芬"]
_ELDERS = {"1": ["建国", "国庆", "德福", "长贵", "永福", "正义", "守信", "金生", "福生", "富贵", "志高", "有才"],
           "2": ["桂兰", "秀兰", "玉兰", "淑芬", "凤兰", "桂珍", "秀珍", "玉珍", "春花", "菊香", "兰英", "翠英"]}  # fmt: skip

# Characters that old systems lost: beyond the BMP or late in Unicode.
RARE = {"1": ("䶮", "𬭊", "𫘧", "𬬻", "子䶮", "𫘧骁", "文𬬻"), "2": ("㛃", "𠅤", "雨㛃", "㛃然", "梓𠅤")}

_UYGHUR = {
    "1": ["买买提", "阿卜杜拉", "艾力", "吐尔逊", "玉素甫", "阿迪力", "伊力亚尔", "麦合木提", "艾合买提", "帕尔哈提", "凯赛尔", "迪力夏提"],
    "2": ["阿依古丽", "热依汗", "古丽娜尔", "阿米娜", "迪丽努尔", "麦迪娜", "帕提古丽", "祖丽皮亚", "阿孜古丽", "努尔比亚"],
}
_KAZAKH = {
    "1": ["叶尔兰", "巴合提", "努尔兰", "哈那提", "加尔肯", "阿依丁"],
    "2": ["阿依达", "古丽米拉", "阿尔达克", "阿依努尔", "巴合提古丽", "努尔古丽"],
}
_TIBETAN = {
    "1": ["扎西", "多吉", "顿珠", "平措", "索朗", "旦增", "洛桑", "丹增", "格桑", "仁青", "阿旺", "次仁"],
    "2": ["卓玛", "拉姆", "央金", "曲珍", "德吉", "白玛", "措姆", "梅朵", "仓决", "卓嘎", "央宗", "群宗"],
}
_TIBETAN_HEADS = ["次仁", "格桑", "索朗", "达娃", "尼玛", "旦增", "洛桑", "巴桑", "边巴", "普布", "白玛", "仁增"]
_YI_CLANS = (
    ["吉克", "阿苏", "马海", "沙马", "曲木", "吉木", "阿尔", "勒伍", "海来", "莫色", "尔古", "木乃", "俄木", "吉伍", "阿约", "比曲", "金古", "日火"]
)
_YI = {
    "1": ["阿木", "日呷", "拉铁", "木呷", "尔布", "伍合", "子布", "拉且", "史坡", "达吉", "木牛", "约布", "尔哈", "布哈"],
    "2": ["阿依", "阿呷", "伍果", "尔洛", "么乌", "阿支", "阿牛", "尔作", "有作", "莫合", "英英", "晓芳", "阿果", "木支"],
}
_MONGOL = {
    "1": ["巴特尔", "苏和", "朝鲁", "那日苏", "阿古拉", "格日勒图", "布和", "特木尔"],
    "2": ["乌日娜", "苏日娜", "其其格", "萨仁", "托娅", "娜仁", "阿茹娜", "乌云"],
}
_DAI = {"1": ["岩温", "岩罕", "岩叫", "岩龙", "岩坎"], "2": ["玉香", "玉罕", "玉波", "玉叫", "玉金"]}
_KOREAN_SURNAMES = ["金", "李", "朴", "崔", "郑", "姜", "尹", "韩", "全", "许"]
_HUI_SURNAMES = ["马", "马", "马", "马", "丁", "白", "沙", "穆", "哈", "杨", "王", "张"]
_ZHUANG_SURNAMES = ["韦", "韦", "覃", "覃", "黄", "黄", "莫", "蓝", "农", "陆", "梁", "罗"]
_MANCHU_SURNAMES = ["关", "佟", "赵", "金", "富", "那", "王", "李", "张", "爱新觉罗"]

# Given names by sex, family names, and which comes first.
_FOREIGN: dict[str, tuple[dict[str, list[str]], list[str], str]] = {
    "KOR": (
        {"1": ["敏俊", "贤宇", "道允", "时厚", "书俊", "志勋"], "2": ["瑞妍", "智友", "秀雅", "荷恩", "彩媛", "多恩"]},
        ["金", "朴", "李", "崔", "郑", "姜"],
        "{family}{given}",
    ),
    "USA": (
        {"1": ["ETHAN", "LIAM", "NOAH", "MASON", "LUCAS"], "2": ["OLIVIA", "MIA", "SOPHIE", "CHLOE", "GRACE"]},
        ["MILLER", "O'CONNOR", "WALKER", "CHEN-ROBERTS", "GARCÍA", "ANDERSON"],
        "{given} {family}",
    ),
    "GBR": (
        {"1": ["OLIVER", "GEORGE", "HARRY", "ARTHUR"], "2": ["AMELIA", "ROSE", "ISLA", "FREYA"]},
        ["HUGHES", "WRIGHT", "BENNETT", "CLARKE"],
        "{given} {family}",
    ),
    "JPN": (
        {"1": ["健太", "悠斗", "阳翔", "莲"], "2": ["阳菜", "美咲", "结衣", "葵"]},
        ["佐藤", "高桥", "铃木", "伊藤", "渡边"],
        "{family}{given}",
    ),
}
# Long names must survive every column, page and print.
LONG = {
    "1": "阿卜杜热合曼·麦麦提吐尔逊·阿卜杜克热木·艾合麦提江·玉苏普喀迪尔",
    "2": "古丽巴哈尔·阿卜杜外力·麦麦提敏·吐尔逊尼牙孜",
}


@dataclass(frozen=True, slots=True)
class FamilyNames:
    """The names of one household: the child's, the parents' and one grandparent's of each sex."""

    child: str
    father: str
    mother: str
    grandfather: str
    grandmother: str


def _shares() -> tuple[list[str], list[int]]:
    names, shares = [], []
    for entry in _SURNAMES.split():
        name = entry.rstrip("0123456789")
        names.append(name)
        shares.append(int(entry[len(name) :]))
    return names, list(accumulate(shares))


_NAMES, _CUMULATED = _shares()
_OWN_SURNAMES = {"03": _HUI_SURNAMES, "08": _ZHUANG_SURNAMES, "10": _KOREAN_SURNAMES, "11": _MANCHU_SURNAMES}


def surname(random: Random, ethnic_group: str = "01") -> str:
    """A surname by its frequency, or one usual in the ethnic group."""
    own = _OWN_SURNAMES.get(ethnic_group)
    return random.choice(own) if own else random.choices(_NAMES, cum_weights=_CUMULATED)[0]


def given(random: Random, sex: str) -> str:
    """A child's given name: from the lists of favourites, or two characters put together."""
    if random.random() < 0.45:
        return random.choice(_BOYS if sex == "1" else _GIRLS)
    if random.random() < 0.12:
        return random.choice(_TAILS[sex])
    head, tail = random.choice(_HEADS), random.choice(_TAILS[sex])
    return head + tail


def adult(random: Random, sex: str, ethnic_group: str = "01") -> str:
    """An adult's full name, of the generation of parents and teachers."""
    return surname(random, ethnic_group) + random.choice(_FATHERS if sex == "1" else _MOTHERS)


def household(random: Random, sex: str, ethnic_group: str) -> FamilyNames:
    """Names of a child (`sex` "1" or "2") and her family, in the form that is usual in the ethnic group."""
    if ethnic_group in ("05", "17"):
        people = _UYGHUR if ethnic_group == "05" else _KAZAKH
        father, grandfather, other = (random.choice(people["1"]) for _each in range(3))
        return FamilyNames(
            child=f"{random.choice(people[sex])}·{father}",
            father=f"{father}·{grandfather}",
            mother=f"{random.choice(people['2'])}·{other}",
            grandfather=f"{grandfather}·{random.choice(people['1'])}",
            grandmother=f"{random.choice(people['2'])}·{random.choice(people['1'])}",
        )
    if ethnic_group == "07":
        clan, other = random.choice(_YI_CLANS), random.choice(_YI_CLANS)
        dot = "·" if random.random() < 0.3 else ""
        return FamilyNames(
            *(f"{own}{dot}{random.choice(_YI[kind])}" for own, kind in
              ((clan, sex), (clan, "1"), (other, "2"), (clan, "1"), (other, "2")))
        )  # fmt: skip
    if ethnic_group == "04":
        return FamilyNames(
            *(
                random.choice(_TIBETAN_HEADS) + random.choice(_TIBETAN[kind])
                for kind in (sex, "1", "2", "1", "2")
            )
        )
    if ethnic_group in ("02", "18"):
        people = _MONGOL if ethnic_group == "02" else _DAI
        return FamilyNames(*(random.choice(people[kind]) for kind in (sex, "1", "2", "1", "2")))
    own, mother = surname(random, ethnic_group), surname(random, ethnic_group)
    child = mother if random.random() < 0.06 else own
    return FamilyNames(
        child=child + given(random, sex),
        father=own + random.choice(_FATHERS),
        mother=mother + random.choice(_MOTHERS),
        grandfather=own + random.choice(_ELDERS["1"]),
        grandmother=surname(random, ethnic_group) + random.choice(_ELDERS["2"]),
    )


def foreign(random: Random, nationality: str, sex: str) -> tuple[str, str]:
    """The name in a foreign child's passport, and the father's."""
    given_names, families, form = _FOREIGN[nationality]
    family_name = random.choice(families)
    return (
        form.format(given=random.choice(given_names[sex]), family=family_name),
        form.format(given=random.choice(given_names["1"]), family=family_name),
    )
