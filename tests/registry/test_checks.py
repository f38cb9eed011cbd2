"""A whole record: every objection at once, with its rule and what to do (R-EST-03/06/07, C1, C5, A14)."""

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from registry import objections, objections_form
from registry.checks import Context, check_record
from registry.fields import BY_KEY
from registry.findings import Objection, errors
from registry.form_values import clean_record, parse_date, parse_month, parse_validity
from registry.identity import check_digit

CONTEXT = Context(
    today=date(2025, 9, 15),
    grade="11",
    school_code="2144000123",
    school_division="440304",
    school_ownership="11",
    school_phones=frozenset(("0755-12345678",)),
    stages=frozenset("1"),
    school_year_start=date(2025, 9, 1),
    cutoff_source="广东省，粤教基〔2025〕1号",
)

GOOD = {
    "name": "张三",
    "sex": "男",
    "birth_on": "20190315",
    "id_type": "居民身份证",
    "id_number": "440304201903150010"[:17] + check_digit("44030420190315001"),
    "birthplace": "440304000000",
    "ethnic_group": "汉族",
    "nationality": "中国",
    "overseas_status": "否",
    "native_place": "广东深圳",
    "health_status": "健康或良好",
    "political_status": "群众",
    "hukou_type": "3",
    "hukou_division": "440304",
    "class_number": "2025001",
    "entry_month": "202509",
    "admission_mode": "就近入学",
    "attendance_mode": "走读",
    "current_address": "福田区某路1号",
    "postal_address": "福田区某路1号",
    "home_address": "福田区某路1号",
    "phone": "138 0000 0000",
    "postcode": "518000",
    **dict.fromkeys(("only_child", "had_preschool"), "是"),
    **dict.fromkeys(("migrant_child", "orphan", "martyr_child", "applies_for_aid", "receives_subsidy"), "否"),
    "left_behind": "非留守儿童",
    "commute_km": "1.5",
    "commute_mode": "步行",
    "needs_school_bus": "否",
    "member1_name": "李四",
    "member1_relation": "母亲",
    "member1_address": "福田区某路1号",
    "member1_hukou_division": "440304000000",
    "member1_phone": "13900000000",
    "member1_is_guardian": "是",
}
SECOND = {
    "member2_name": "张五",
    "member2_relation": "父亲",
    "member2_address": "福田区某路1号",
    "member2_hukou_division": "440304",
    "member2_phone": "13700000000",
    "member2_is_guardian": "否",
}
HONGKONG = {
    **dict.fromkeys(("ethnic_group", "native_place", "hukou_type", "hukou_division", "birthplace"), ""),
    "id_type": "D",
    "id_number": "81000020190315001" + check_digit("81000020190315001"),
    "nationality": "中国香港",
    "overseas_status": "香港同胞",
}


def found(context=CONTEXT, **changes):
    return {(finding.field, finding.code) for finding in check_record(GOOD | changes, context)}


@pytest.mark.rule("R-EST-03", "C1")
def test_a_sound_record_passes_without_a_word():
    assert found() == set()
    assert found(**SECOND) == set()
    assert found(**HONGKONG) == set()


@pytest.mark.rule("R-EST-03", "C1")
def test_everything_missing_is_said_at_once():
    missing = {
        field for field, code in {(f.field, f.code) for f in check_record({}, CONTEXT)} if code == "missing"
    }
    assert missing >= {
        "sex",
        "birth_on",
        "id_type",
        "class_number",
        "phone",
        "member1_phone",
        "member1_relation",
    }
    assert not missing & {"grade", "school_code", "email", "member2_name", "id_number"}


@pytest.mark.rule("C1")
@pytest.mark.parametrize(
    ("field", "text", "code"),
    [
        ("name", "", "name_missing"),
        ("name", "张1", "name_digit"),
        ("sex", "9", "not_in_list"),
        ("sex", "雄", "not_in_list"),
        ("ethnic_group", "火星族", "not_in_list"),
        ("political_status", "04", "not_in_list"),
        ("attendance_mode", "借宿", "not_in_list"),
        ("id_type", "驾驶证", "not_in_list"),
        ("admission_mode", "21", "admission_stage"),
        ("birth_on", "20190230", "date_form"),
        ("birth_on", "2019-02", "date_form"),
        ("entry_month", "202513", "month_form"),
        ("phone", "12345", "phone_form"),
        ("member1_phone", "1390000000", "phone_form"),
        ("postcode", "51800", "postcode_form"),
        ("email", "a@b", "email_form"),
        ("homepage", "javascript:alert(1)", "homepage_form"),
        ("commute_km", "-1", "number_form"),
        ("commute_km", "1e9", "number_form"),
        ("hukou_division", "4403", "division_form"),
        ("hukou_division", "999999000000", "division_unknown"),
        ("id_validity", "永远", "validity_form"),
        ("name_pinyin", "张SAN", "pinyin_form"),
        ("native_place", "深" * 101, "too_long"),
        ("home_address", "一号\x00", "control_character"),
        ("school_code", "2144000124", "school_code_other"),
    ],
)
def test_one_wrong_field_is_one_objection_to_it(field, text, code):
    assert (field, code) in found(**{field: text})


@pytest.mark.rule("C1")
@pytest.mark.parametrize(
    ("field", "text"),
    [
        ("phone", "0755-1234567"),
        ("phone", "+86 138-0000-0000"),
        ("phone", "（0755）12345678"),
        ("phone", "+85291234567"),
        ("birth_on", "2019年3月15日"),
        ("birth_on", "2019-03-15 00:00:00"),
        ("id_validity", "20200101-长期"),
        ("id_validity", "2024.01.01-2029.01.01"),
        ("hukou_division", "330104"),
        ("ethnic_group", "毛难族"),
        ("email", "a.b@c.edu.cn"),
    ],
)
def test_usual_ways_of_writing_are_understood(field, text):
    assert {code for key, code in found(**{field: text}) if key == field} == set()


@pytest.mark.rule("R-EST-06", "第九条")
def test_identity_number_against_birth_and_sex():
    assert ("id_number", "id_sex_contradicts") in found(sex="女")
    assert ("id_number", "id_birth_contradicts") in found(birth_on="20190316")
    assert ("id_number", "id_fifteen_digits") in found(id_number="440304190315001")
    wrong = GOOD["id_number"][:-1] + ("1" if GOOD["id_number"][-1] != "1" else "2")
    assert found(id_number=wrong) == {("id_number", "id_check_digit")}


@pytest.mark.rule("R-EST-03", "R-PRB-06")
def test_a_pupil_without_number_needs_a_relatives_number():
    nobody = {"id_type": "其他", "id_number": ""}
    assert ("member1_id_number", "family_number_missing") in found(**nobody)
    mother = {"member1_id_type": "1", "member1_id_number": "11010519491231002X"}
    assert found(**nobody, **mother) == set()
    assert ("id_number", "id_number_missing") in found(id_number="")


@pytest.mark.rule("R-EST-07")
def test_age_at_the_cut_off_day():
    def on(birth, **local):
        number = f"440304{birth}001"
        record = {"birth_on": birth, "id_number": number + check_digit(number)}
        return {code for _field, code in found(replace(CONTEXT, **local), **record)}

    assert on("20190831") == set()
    assert on("20190901") == {"under_age"}
    assert on("20190901", cutoff=(12, 31)) == set()
    assert on("20190901", entry_age=7) == {"under_age"}
    assert on("20160901") == set()
    assert on("20160831") == {"age_grade"}


@pytest.mark.rule("R-EST-07")
def test_the_refusal_says_who_set_the_day_and_by_which_document():
    (finding,) = check_record(GOOD | {"birth_on": "20190901", "id_type": "Z", "id_number": ""} | {
        "member1_id_type": "1", "member1_id_number": "11010519491231002X"
    }, CONTEXT)  # fmt: skip
    assert finding.rule == "R-EST-07"
    assert "粤教基〔2025〕1号" in str(finding.message)
    assert "2025年8月31日" in str(finding.message)


@pytest.mark.rule("C5")
def test_birth_in_the_future_and_beyond_school():
    assert ("birth_on", "birth_future") in found(birth_on="20250916")
    assert ("birth_on", "birth_implausible") in found(birth_on="19490101")


@pytest.mark.rule("C5")
def test_grade_stage_and_entry_month():
    junior = replace(CONTEXT, grade="21")
    assert ("class_number", "grade_not_offered") in found(junior)
    assert ("class_number", "grade_not_offered") not in found(replace(junior, stages=frozenset("12")))
    assert ("class_number", "grade_unknown") in found(replace(CONTEXT, grade="99"))
    assert ("grade", "grade_differs") in found(grade="12")
    assert ("entry_month", "entry_future") in found(entry_month="202510")
    assert ("entry_month", "entry_grade") in found(entry_month="202409")
    assert ("entry_month", "entry_grade") not in found(replace(CONTEXT, grade="12"), entry_month="202409")
    assert ("entry_month", "entry_before_birth") in found(entry_month="201809")


@pytest.mark.rule("C5")
def test_grades_of_six_three_and_five_four_schools():
    born = {"birth_on": "20130901", "id_type": "Z", "id_number": "", "member1_id_type": "1"}
    born |= {"member1_id_number": "11010519491231002X"}  # 11 years old at the cut-off
    junior = replace(CONTEXT, grade="21", stages=frozenset("2"))
    assert {code for _f, code in found(junior, **born)} == {"age_grade"}
    assert {code for _f, code in found(replace(junior, primary_years=5), **born)} == set()


@pytest.mark.rule("C5")
def test_admission_of_the_senior_stage():
    senior = replace(CONTEXT, grade="31", stages=frozenset("3"))
    assert ("admission_mode", "admission_stage") in found(senior)
    assert clean_record({"admission_mode": "其他"}, "31") == {"admission_mode": "99"}
    assert clean_record({"admission_mode": "其他"}, "11") == {"admission_mode": "12"}


@pytest.mark.rule("C5")
def test_only_private_schools_have_places_bought_by_government():
    assert ("government_bought_place", "bought_place_public") in found(government_bought_place="是")
    assert found(replace(CONTEXT, school_ownership="12"), government_bought_place="是") == set()


@pytest.mark.rule("A14", "第十条")
@pytest.mark.parametrize(
    ("changes", "finding"),
    [
        ({"nationality": "USA"}, ("id_type", "document_nationality")),
        ({"nationality": "USA"}, ("overseas_status", "overseas_nationality")),
        ({"overseas_status": "51"}, ("overseas_status", "overseas_with_citizen_card")),
        ({"overseas_status": "51"}, ("overseas_status", "overseas_nationality")),
        ({"overseas_status": "02"}, ("overseas_status", "overseas_citizen_doubt")),
        ({**HONGKONG, "nationality": "TWN"}, ("id_type", "document_nationality")),
        ({**HONGKONG, "nationality": "CHN"}, ("overseas_status", "overseas_nationality")),
        ({**HONGKONG, "overseas_status": "00"}, ("overseas_status", "overseas_nationality")),
        ({"id_type": "A", "id_number": "E12345678"}, ("id_type", "passport_chinese")),
    ],
)
def test_document_nationality_and_overseas_status_tell_one_story(changes, finding):
    assert finding in found(**changes)


@pytest.mark.rule("A14", "第十条")
def test_a_foreign_child_is_not_asked_for_a_household_register():
    foreign = HONGKONG | {
        "id_type": "护照",
        "id_number": "E12345678",
        "nationality": "USA",
        "overseas_status": "51",
    }
    assert found(**foreign, member1_hukou_division="") == set()
    assert ("hukou_type", "missing") in found(hukou_type="")


@pytest.mark.rule("A14")
@pytest.mark.parametrize(
    ("disability", "inclusive", "code"),
    [
        ("视力残疾", "视力残疾随班就读", None),
        ("5", "3", None),
        ("3", "9", None),
        ("0", "0", None),
        ("", "", None),
        ("", "1", "inclusive_without_disability"),
        ("2", "1", "inclusive_differs"),
        ("5", "9", "inclusive_differs"),
        ("2", "0", "disability_without_inclusive"),
    ],
)
def test_inclusion_fits_the_disability(disability, inclusive, code):
    codes = {code for _field, code in found(disability=disability, inclusive_education=inclusive)}
    assert codes == ({code} if code else set())


@pytest.mark.rule("C5", "A14")
@pytest.mark.parametrize(
    ("changes", "finding"),
    [
        ({"migrant_child": "是"}, ("migrant_child", "migrant_local")),
        ({"left_behind": "2", "hukou_division": "430100"}, ("left_behind", "left_behind_elsewhere")),
        ({"left_behind": "1", "migrant_child": "1"}, ("left_behind", "left_behind_migrant")),
        ({"orphan": "1", "left_behind": "1"}, ("orphan", "orphan_left_behind")),
        ({"orphan": "1"}, ("member1_relation", "orphan_with_parent")),
        ({"health_status": "6"}, ("disability", "health_without_disability")),
        ({"id_validity": "20200101-20250101"}, ("id_validity", "document_expired")),
        ({"political_status": "03"}, ("political_status", "party_age")),
        ({"commute_km": "1500"}, ("commute_km", "distance_far")),
        ({"member1_phone": "(0755)12345678"}, ("member1_phone", "guardian_phone_is_schools")),
        ({"member1_name": "张三"}, ("member1_name", "family_name_is_pupils")),
    ],
)
def test_cross_checks(changes, finding):
    assert finding in found(**changes)
    assert finding not in found()


@pytest.mark.rule("C5")
def test_a_migrant_from_another_county_and_a_left_behind_child_at_home_are_fine():
    assert found(migrant_child="是", hukou_division="430121") == set()
    assert found(left_behind="双亲留守儿童") == set()


@pytest.mark.rule("C1", "C5")
def test_family_members():
    assert ("member1_is_guardian", "no_guardian") in found(member1_is_guardian="否")
    assert found(member1_is_guardian="否", **SECOND | {"member2_is_guardian": "是"}) == set()
    assert found(member2_is_guardian="否") == set()
    begun = found(member2_name="张五")
    assert {field for field, code in begun if code == "missing"} == {
        *(
            "member2_relation",
            "member2_address",
            "member2_hukou_division",
            "member2_phone",
            "member2_is_guardian",
        )
    }
    assert ("member1_relation_note", "relation_explanation") in found(member1_relation="99")
    assert found(member1_relation="99", member1_relation_note="福利院") == set()
    assert ("member2_relation", "same_relation") in found(**SECOND | {"member2_relation": "52"})
    number = {"member1_id_type": "1", "member1_id_number": GOOD["id_number"]}
    assert ("member1_id_number", "family_number_is_pupils") in found(**number)
    assert ("member1_id_number", "family_sex") in found(**number)
    assert ("member1_id_type", "family_id_type_missing") in found(member1_id_number="11010519491231002X")


@pytest.mark.rule("C1")
def test_what_is_stored_is_clean_and_cleaning_twice_changes_nothing():
    record = clean_record(GOOD, "11")
    assert record["birth_on"] == "2019-03-15"
    assert record["entry_month"] == "2025-09"
    assert (record["sex"], record["ethnic_group"], record["nationality"]) == ("1", "01", "CHN")
    assert record["hukou_division"] == "440304000000"
    assert record["phone"] == "13800000000"
    assert clean_record(record, "11") == record


@given(st.dictionaries(st.sampled_from(sorted(BY_KEY)), st.text(max_size=20)))
@settings(deadline=None)  # the first look reads the tables from disk
def test_no_input_makes_the_checks_fail_themselves(values):
    for finding in check_record(values, CONTEXT):
        assert finding.field in BY_KEY
        assert finding.rule
    cleaned = clean_record(values, "11")
    assert clean_record(cleaned, "11") == cleaned


@given(st.dates(date(1900, 1, 1)))
def test_dates_are_read_in_every_usual_form(day):
    for text in (
        f"{day:%Y%m%d}",
        day.isoformat(),
        f"{day.year}年{day.month}月{day.day}日",
        f"{day:%Y/%m/%d}",
    ):
        assert parse_date(text) == day
    assert parse_month(f"{day:%Y%m}") == parse_month(f"{day.year}-{day.month}") == day.replace(day=1)


def test_validity_of_a_document():
    assert parse_validity("20200101-20250101") == (date(2020, 1, 1), date(2025, 1, 1))
    assert parse_validity("2020-01-01至2025-01-01") == (date(2020, 1, 1), date(2025, 1, 1))
    assert parse_validity("2020-01-01-2025-01-01") == (date(2020, 1, 1), date(2025, 1, 1))
    assert parse_validity("长期") == (date(1900, 1, 1), None)
    assert parse_validity("20250101-20200101") is None


def test_every_objection_has_its_own_code_a_rule_and_two_chinese_sentences():
    every = [
        value
        for module in (objections, objections_form)
        for value in vars(module).values()
        if isinstance(value, Objection)
    ]
    assert len({objection.code for objection in every}) == len(every) > 80
    for objection in every:
        assert objection.rule
        assert objection.article
        for sentence in (str(objection.message), str(objection.remedy)):
            assert sentence.endswith("。")
            assert any("一" <= character <= "鿿" for character in sentence)


@pytest.mark.rule("C1")
def test_warnings_do_not_stop_a_record():
    assert errors(check_record(GOOD | {"migrant_child": "是"}, CONTEXT)) == []
    assert errors(check_record(GOOD | {"sex": "女"}, CONTEXT)) != []
