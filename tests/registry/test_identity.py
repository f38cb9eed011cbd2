"""Identity documents: forms, check digits, contradictions, families and masks (HANDBOOK B2, FI-7, RD-1)."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.codes import choices, known_division
from registry.identity import (
    FAMILIES,
    canonical,
    check_digit,
    check_number,
    family,
    fold_number,
    has_valid_check_digit,
    last4,
    mask_name,
    mask_number,
    mask_phone,
    search_keys,
)

TODAY = date(2025, 9, 15)
NUMBER = "110101201709010010"  # male, born 2017-09-01
BIRTH = date(2017, 9, 1)


def codes_of(*args, **kwargs):
    return [finding.code for finding in check_number(*args, **kwargs)]


def with_check_digit(first: str) -> str:
    return first + check_digit(first)


@pytest.mark.rule("FI-7", "R-EST-06")
@pytest.mark.parametrize("number", ["11010519491231002X", "440524188001010014", NUMBER])
def test_the_numbers_of_the_standard_fit_their_check_digit(number):
    assert has_valid_check_digit(number)
    assert not has_valid_check_digit(number[:-1] + ("1" if number[-1] != "1" else "2"))


@pytest.mark.rule("FI-7")
@given(st.from_regex(r"[0-9]{17}", fullmatch=True), st.integers(0, 16), st.integers(1, 9))
def test_one_wrong_digit_is_always_noticed(first, position, offset):
    number = with_check_digit(first)
    wrong = (int(number[position]) + offset) % 10
    assert has_valid_check_digit(number)
    assert not has_valid_check_digit(number[:position] + str(wrong) + number[position + 1 :])


@pytest.mark.rule("FI-7")
@given(st.from_regex(r"[0-9]{17}", fullmatch=True), st.integers(0, 15))
def test_two_neighbours_exchanged_are_always_noticed(first, position):
    number = with_check_digit(first)
    swapped = number[:position] + number[position + 1] + number[position] + number[position + 2 :]
    assert has_valid_check_digit(swapped) == (swapped == number)


@pytest.mark.rule("FI-7")
def test_folding_takes_width_blanks_and_small_x_but_no_other_digits():
    assert fold_number(" １１０１０５\u300019491231 002ｘ\u200b") == "11010519491231002X"
    assert fold_number("'11010519491231002x") == "11010519491231002X"
    assert fold_number("①١") == "①١"
    assert codes_of("1", "11010120170901001٠", BIRTH, "1", TODAY) == ["id_form"]


@pytest.mark.rule("FI-7")
@given(st.text())
def test_folding_twice_changes_nothing_more(text):
    assert fold_number(fold_number(text)) == fold_number(text)


@pytest.mark.rule("FI-7", "R-EST-03")
def test_a_true_number_passes_and_fifteen_digits_do_not():
    assert codes_of("1", NUMBER, BIRTH, "1", TODAY, known_division=known_division) == []
    assert codes_of("居民身份证", NUMBER, BIRTH, "1", TODAY) == []
    assert codes_of("1", "110101170901001", BIRTH, "1", TODAY) == ["id_fifteen_digits"]
    assert codes_of("1", NUMBER[:-1], BIRTH, "1", TODAY) == ["id_form"]
    assert codes_of("1", "", BIRTH, "1", TODAY) == ["id_number_missing"]
    assert codes_of("?", NUMBER, BIRTH, "1", TODAY) == ["id_type_unknown"]


@pytest.mark.rule("R-EST-06", "第九条")
def test_every_contradiction_is_named_at_once():
    wrong = NUMBER[:-1] + "1"
    assert codes_of("1", wrong, date(2017, 9, 2), "2", TODAY) == [
        "id_birth_contradicts",
        "id_sex_contradicts",
        "id_check_digit",
    ]


@pytest.mark.rule("R-EST-06", "R-EST-08")
def test_a_wrong_check_digit_may_be_disputed_and_a_contradiction_may_not():
    (finding,) = check_number("1", NUMBER[:-1] + "1", BIRTH, "1", TODAY)
    assert (finding.code, finding.disputable, finding.level) == ("id_check_digit", True, "error")
    (finding,) = check_number("1", NUMBER, date(2017, 9, 2), "1", TODAY)
    assert (finding.code, finding.disputable) == ("id_birth_contradicts", False)
    assert "2017年9月1日" in str(finding.message)
    assert NUMBER not in str(finding.message)


@pytest.mark.rule("FI-7", "R-EST-06")
@pytest.mark.parametrize(
    ("birth", "code"),
    [
        ("20170229", "id_birth_impossible"),
        ("20171301", "id_birth_impossible"),
        ("18991231", "id_birth_impossible"),
        ("20250916", "id_birth_future"),
    ],
)
def test_the_day_in_the_number_is_real_and_past(birth, code):
    assert codes_of("1", with_check_digit(f"110101{birth}001"), None, "", TODAY) == [code]
    assert codes_of("1", with_check_digit("11010120250915001"), None, "", TODAY) == []


@pytest.mark.rule("FI-7")
def test_an_abolished_division_is_fine_an_unknown_one_warns_an_impossible_province_is_disputable():
    old = with_check_digit("33010420170901001")  # 江干区, abolished in 2021
    assert codes_of("1", old, BIRTH, "1", TODAY, known_division=known_division) == []
    (finding,) = check_number(
        "1", with_check_digit("11999920170901001"), BIRTH, "1", TODAY, known_division=known_division
    )
    assert (finding.code, finding.level) == ("id_division_unknown", "warning")
    (finding,) = check_number("1", with_check_digit("00010120170901001"), BIRTH, "1", TODAY)
    assert (finding.code, finding.disputable) == ("id_province", True)


@pytest.mark.rule("R-EST-03")
@pytest.mark.parametrize(
    ("kind", "number", "birth", "codes"),
    [
        ("D", "810000199001010000", date(1990, 1, 1), []),
        ("E", "830000199001010012", date(1990, 1, 1), []),
        ("E", "810000199001010000", date(1990, 1, 1), ["id_permit_prefix"]),
        ("1", "810000199001010000", date(1990, 1, 1), ["id_is_residence_permit"]),
        ("D", "810000199001010000", date(1990, 1, 2), ["id_birth_contradicts"]),
        ("C", "H12345678", None, []),
        ("C", "h1234567802", None, []),
        ("C", "X12345678", None, ["id_other_form"]),
        ("8", "01234567", None, []),
        ("8", "0123456702(B)", None, []),
        ("8", "0123456", None, ["id_other_form"]),
        ("F", "USA110190010112", None, []),
        ("F", "US110190010112", None, ["id_other_form"]),
        ("F", with_check_digit("91184020170901001"), BIRTH, []),
        ("F", "911840201709010010", BIRTH, ["id_check_digit"]),
        ("6", "A123456(7)", None, []),
        ("G", "T110123456", None, []),
        ("2", "军字第1234567号", None, []),
        ("Z", "", None, []),
        ("Z", NUMBER, BIRTH, ["id_type_other_but_citizen"]),
    ],
)
def test_each_document_has_its_form(kind, number, birth, codes):
    assert codes_of(kind, number, birth, "", TODAY) == codes


@pytest.mark.rule("R-EST-03")
def test_a_passport_needs_its_nationality():
    assert codes_of("A", "E12345678", None, "", TODAY, nationality="USA") == []
    assert codes_of("A", "E12345678", None, "", TODAY) == ["id_passport_nationality"]
    with pytest.raises(ValueError, match="nationality"):
        canonical("A", "E12345678")
    assert canonical("A", "E12345678", "USA") != canonical("A", "E12345678", "CAN")


@pytest.mark.rule("FI-7", "R-EST-01")
def test_reissued_permits_and_the_household_register_are_the_same_person():
    assert canonical("C", "H1234567801") == canonical("C", "h12345678 02") == "H12345678"
    assert canonical("C", "H12345679") != "H12345678"
    assert canonical("8", "0123456702(B)") == canonical("8", "01234567")
    assert (family("1"), canonical("1", NUMBER)) == (family("B"), canonical("B", NUMBER))
    assert canonical("2", "军字第1234567号") == canonical("2", "军1234567") != canonical("3", "军1234567")


@pytest.mark.rule("FI-7")
def test_a_blank_or_other_document_is_never_indexed():
    assert canonical("Z", "anything") == canonical("1", "  ") == ""
    assert canonical("1", NUMBER) == NUMBER


def test_every_document_type_of_the_list_has_a_family():
    assert set(FAMILIES) == {code for code, _label in choices("id_document_type")}


def test_the_search_box_tries_every_family_a_number_may_belong_to():
    assert ("citizen", NUMBER) in search_keys(f" {NUMBER} ")
    assert ("travel_permit", "H12345678") in search_keys("h1234567801")
    assert search_keys("张三") == []


@pytest.mark.rule("RD-1")
def test_masks_show_what_the_table_allows():
    assert mask_number(NUMBER) == "110101********0010"
    assert mask_phone("13812345610") == "138******10"
    assert mask_name("张三") == mask_name("张三丰") == "张＊"
    assert mask_name("") == mask_phone("") == mask_number("") == ""
    assert last4(NUMBER) == "0010"


@pytest.mark.rule("RD-1")
@given(st.from_regex(r"[0-9A-Z]{5,20}", fullmatch=True))
def test_a_mask_keeps_the_length_and_hides_at_least_a_third(number):
    masked = mask_number(number)
    assert len(masked) == len(number)
    assert masked.count("*") * 3 >= len(number)
