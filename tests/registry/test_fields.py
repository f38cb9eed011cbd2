"""The form as data: totals, keys, lists; code look-ups and divisions behind it (HANDBOOK C1, B5, B6)."""

import pytest

from registry.codes import (
    choices,
    code_lists,
    code_of,
    division_full_name,
    is_current_division,
    known_division,
    label,
    load_code_lists,
)
from registry.fields import BY_KEY, FIELDS, MEMBER_KEYS, SECTIONS, TEMPLATE


@pytest.mark.rule("C1")
def test_the_form_has_72_items_and_the_template_73_columns():
    numbers = [field.form_no for field in FIELDS if field.form_no]
    assert sorted(numbers) == list(range(1, 73))
    assert [field.template_col for field in TEMPLATE] == list(range(1, 74))


@pytest.mark.rule("C1")
def test_every_field_is_described_once_and_soundly():
    assert len(BY_KEY) == len(FIELDS)
    for field in FIELDS:
        assert field.key.isidentifier()
        assert field.mandatory in ("Y", "N", "C", "system")
        assert field.change_class in ("key", "normal", "system")
        assert field.place in ("student", "private", "document", "enrolment", "member", "none")
        assert not field.code_list or field.code_list in code_lists()
        assert (field.widget in ("select", "yes_no")) == bool(field.code_list)
        assert all(code in dict(field.choices) for code in field.allowed)


@pytest.mark.rule("R-UPD-05")
def test_key_data_are_those_of_the_rule():
    assert {field.key for field in FIELDS if field.change_class == "key"} == {
        *("name", "sex", "birth_on", "id_type", "id_number", "grade", "class_number")
    }


@pytest.mark.rule("R-EXT-06")
def test_sealed_fields():
    sealed = {field.key for field in FIELDS if field.sealed}
    assert {field.key for field in FIELDS if field.place == "private"} <= sealed
    for word in ("phone", "address", "id_number"):
        assert {key for key in BY_KEY if key.endswith(word)} <= sealed
    assert not sealed & {"name", "sex", "birth_on", "ethnic_group", "grade"}


@pytest.mark.rule("C1")
def test_sections_hold_every_numbered_item_in_form_order():
    assert [str(section.title) for section in SECTIONS] == [
        *("基本信息", "辅助信息", "学籍信息", "联系方式", "扩展信息", "交通", "家庭成员一", "家庭成员二")
    ]
    shown = [field for section in SECTIONS for field in section.fields]
    assert {f.key for f in FIELDS if f.form_no} <= {f.key for f in shown}
    for section in SECTIONS:
        numbers = [field.form_no for field in section.fields if field.form_no]
        assert numbers == sorted(numbers)
    assert len(MEMBER_KEYS) == 12
    assert {f"member2_{key}" for key in MEMBER_KEYS} <= set(BY_KEY)


def test_all_code_lists_are_loaded_with_unique_codes():
    rows = list(load_code_lists())
    assert len(code_lists()) == 58
    assert len({(row.list, row.code) for row in rows}) == len(rows)
    assert all(row.name_zh and row.source for row in rows)


@pytest.mark.rule("B6")
@pytest.mark.parametrize(
    ("code_list", "text", "code"),
    [
        ("ethnic_group", "01", "01"),
        ("ethnic_group", "1", "01"),
        ("ethnic_group", "汉族", "01"),
        ("ethnic_group", "汉", "01"),
        ("ethnic_group", "毛难族", "36"),
        ("ethnic_group", "毛南族", "36"),
        ("ethnic_group", "０１-汉族", "01"),
        ("ethnic_group", "02-汉族", None),
        ("sex", "男", "1"),
        ("sex", "２", "2"),
        ("yes_no", "是", "1"),
        ("country_region", "156", "CHN"),
        ("country_region", "chn", "CHN"),
        ("country_region", "中国香港", "HKG"),
        ("overseas_status", "0", "00"),
        ("id_document_type", "b", "B"),
        ("id_document_type", "户口簿", "B"),
        ("admission_mode_form", "其他", None),
        ("sex", "x", None),
        ("sex", "", None),
    ],
)
def test_codes_labels_and_synonyms_are_understood(code_list, text, code):
    assert code_of(code_list, text) == code


def test_a_label_that_occurs_twice_is_settled_by_what_is_allowed():
    assert code_of("admission_mode_form", "其他", ("11", "12")) == "12"
    assert code_of("admission_mode_form", "其他", ("21", "99")) == "99"


@pytest.mark.parametrize("code_list", code_lists())
def test_every_code_is_found_by_itself_and_every_unique_label_by_its_words(code_list):
    names = [name for _code, name in choices(code_list)]
    for code, name in choices(code_list):
        assert code_of(code_list, code) == code
        assert label(code_list, code) == name
        assert names.count(name) > 1 or code_of(code_list, name) == code


@pytest.mark.rule("B5")
def test_divisions_of_today_and_of_the_past():
    assert division_full_name("440304000000") == "广东省深圳市福田区"
    assert division_full_name("110101") == "北京市东城区"
    assert is_current_division("440304")
    assert not is_current_division("330104")
    assert known_division("330104")
    assert not known_division("119999")
