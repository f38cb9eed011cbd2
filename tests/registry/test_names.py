"""Names: never refused for being rare; compared by a fold; read with the readings surnames have (FI-6)."""

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from registry.findings import errors, warnings
from registry.names import LEGACY_PRIVATE_USE, check_name, clean_name, fold_name, fold_pinyin_query, pinyin

RARE = "䶮㛃𠅤𬭊𫘧𬬻"
ALL_HAN = st.one_of(
    st.integers(0x3400, 0x4DBF),
    st.integers(0x4E00, 0x9FFF),
    st.integers(0x20000, 0x2A6DF),
    st.integers(0x2A700, 0x323AF),
).map(chr)


def codes_of(name):
    return [finding.code for finding in check_name(name)]


@pytest.mark.rule("FI-6")
@pytest.mark.parametrize(
    "name",
    [
        "张三",
        "王" + RARE,
        "李〇",
        "阿依古丽·买买提",
        "阿依古丽．买买提",
        "扎西顿珠",
        "O'Brien Jean-François",
        "김철수",
    ]
    + ["བཀྲ་ཤིས", "ئالىم", "ᠮᠣᠩᠭᠣᠯ", "王\ue863", "李" + chr(0x323AF), "买" * 50, "J. R. Smith"],
)
def test_names_that_people_bear_are_taken(name):
    assert check_name(name) == []


@pytest.mark.rule("FI-6")
@given(st.text(ALL_HAN, min_size=2, max_size=50))
def test_no_chinese_character_is_ever_refused(name):
    assert errors(check_name(name)) == []


@pytest.mark.rule("FI-6")
@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("", "name_missing"),
        ("\u3000 ", "name_missing"),
        ("张\u200b三", "name_invisible"),
        ("张\u202e三", "name_invisible"),
        ("张\x07三", "name_invisible"),
        ("张三\ufe0f", "name_invisible"),
        ("张三😀", "name_emoji"),
        ("张三1", "name_digit"),
        ("张三１", "name_digit"),
        ("张?", "name_lost_character"),
        ("张□", "name_lost_character"),
        ("张三@", "name_symbol"),
        ("张,三", "name_symbol"),
        ("张 三", "name_blank"),
        ("·张三", "name_interpunct"),
        ("买买提··艾力", "name_interpunct"),
        ("a\u0301\u0301\u0301\u0301\u0301", "name_marks"),
        ("买" * 101, "name_too_long"),
    ],
)
def test_what_is_not_a_name_is_refused_with_a_remedy(name, code):
    found = errors(check_name(name))
    assert code in [finding.code for finding in found]
    assert all(finding.remedy for finding in found)


@pytest.mark.rule("FI-6")
@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("李A", "name_lookalike"),
        ("李Α梅", "name_lookalike"),
        ("Ivаn", "name_lookalike"),
        ("李ロ", "name_lookalike"),
        ("李⼀", "name_lookalike"),
        ("张\ue000", "name_private_use"),
        ("⿰亻三王", "name_described"),
        ("张", "name_single"),
    ],
)
def test_lookalikes_warn_a_person_and_stop_nobody(name, code):
    assert errors(check_name(name)) == []
    assert code in [finding.code for finding in warnings(check_name(name))]


@pytest.mark.rule("FI-6")
def test_a_name_is_kept_as_given():
    assert clean_name("\u3000阿依古丽•买买提 ") == "阿依古丽•买买提"
    assert clean_name("Anna  Maria\u00a0Smith") == "Anna Maria Smith"
    assert clean_name("王" + RARE) == "王" + RARE


@pytest.mark.rule("FI-6")
@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("阿依古丽·买买提", "阿依古丽•买买提"),
        ("阿依古丽·买买提", "阿依古丽．买买提"),
        ("阿依古丽·买买提", "阿依古丽 ・ 买买提"),
        ("阿依古丽·买买提", "阿依古丽.买买提"),
        ("张三", "张 三"),
        ("李一", "李⼀"),
        ("王䶮", "王\ue863"),
        ("ANNA", "Ａｎｎａ"),
        ("金", "\uf90a"),
    ],
)
def test_spellings_of_one_name_compare_equal(one, other):
    assert fold_name(one) == fold_name(other)


@pytest.mark.rule("FI-6")
def test_different_names_stay_different():
    assert fold_name("张三") != fold_name("張三")
    assert fold_name("阿依古丽·买买提") != fold_name("阿依古丽买买提")
    assert fold_name("J. Smith") != fold_name("J·Smith")


@pytest.mark.rule("FI-6")
@given(st.text())
def test_folding_twice_changes_nothing_more(text):
    assert fold_name(fold_name(text)) == fold_name(text)


@pytest.mark.rule("FI-6")
@given(st.text())
@settings(deadline=None)  # the first look reads the tables from disk
def test_any_text_gets_an_answer_and_a_stable_reading(text):
    check_name(text)
    assert pinyin(text) == pinyin(text)
    assert pinyin(text).name_py.isascii()


@pytest.mark.rule("FI-6")
def test_legacy_code_points_stand_for_characters_of_today():
    assert len(LEGACY_PRIVATE_USE) == 80
    assert LEGACY_PRIVATE_USE[0xE863] == "䶮"
    assert not any(unicodedata.category(character) == "Co" for character in LEGACY_PRIVATE_USE.values())


@pytest.mark.parametrize(
    ("name", "py", "ini", "display"),
    [
        ("张三", "zhangsan", "zs", "ZHANG SAN"),
        ("欧阳修文", "ouyangxiuwen", "oyxw", "OUYANG XIUWEN"),
        ("尉迟恭", "yuchigong", "ycg", "YUCHI GONG"),
        ("万俟卨", "moqixie", "mqx", "MOQI XIE"),
        ("令狐冲", "linghuchong", "lhc", "LINGHU CHONG"),
        ("单于夫罗", "chanyufuluo", "cyfl", "CHANYU FULUO"),
        ("单雄信", "shanxiongxin", "sxx", "SHAN XIONGXIN"),
        ("单于", "shanyu", "sy", "SHAN YU"),
        ("仇英", "qiuying", "qy", "QIU YING"),
        ("区大伟", "oudawei", "odw", "OU DAWEI"),
        ("查良镛", "zhaliangyong", "zly", "ZHA LIANGYONG"),
        ("解晓东", "xiexiaodong", "xxd", "XIE XIAODONG"),
        ("曾国藩", "zengguofan", "zgf", "ZENG GUOFAN"),
        ("吕布", "lvbu", "lb", "LYU BU"),
        ("李晟", "lisheng", "ls", "LI SHENG"),
        ("任重", "renzhong", "rz", "REN ZHONG"),
        ("阿依古丽·买买提", "ayigulimaimaiti", "ayglmmt", "AYIGULI MAIMAITI"),
        ("Łukasz Müller", "lukaszmuller", "lm", "LUKASZ MULLER"),
        ("王䶮", "wangyan", "wy", "WANG YAN"),
        ("王\ue863", "wangyan", "wy", "WANG YAN"),
        ("㛃𠅤", "jiexi", "jx", "JIE XI"),
        ("𬭊𫘧𬬻", "dululu", "dll", "DU LULU"),
        ("李" + chr(0x323AF), "liu323af", "lu", "LI U323AF"),
        ("", "", "", ""),
    ],
)
def test_readings(name, py, ini, display):
    assert pinyin(name) == (py, ini, display)


def test_what_people_type_finds_the_stored_reading():
    for typed in ("lv bu", "LÜ Bu", "lyubu", "l'vbu"):
        assert fold_pinyin_query(typed) == pinyin("吕布").name_py
