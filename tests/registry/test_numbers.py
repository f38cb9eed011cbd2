"""学籍号 and school codes (HANDBOOK B1, B3; R-NUM)."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from registry.identity import check_digit
from registry.numbers import (
    check_school_code,
    check_status_number,
    formal_g,
    formal_j,
    is_valid,
    mask_status_number,
    parse_school_code,
    parse_status_number,
    temporary,
)

DAY = date(2025, 9, 1)
IDENTITY = "110101201709010010"


def codes_of(text):
    return [finding.code for finding in check_status_number(text)]


@pytest.mark.rule("G-18", "R-NUM-02")
def test_an_l_number_is_never_judged_by_a_check_digit_and_a_g_or_j_number_is():
    body = "440304202509010007"
    right = body[:17] + check_digit(body[:17])
    wrong = body[:17] + next(d for d in "0123456789" if d != right[17])
    assert is_valid("L" + right)
    assert is_valid("L" + wrong)
    for prefix in "GJ":
        assert is_valid(prefix + right)
        assert codes_of(prefix + wrong) == ["status_number_check_digit"]


@pytest.mark.rule("R-NUM-01")
@given(st.integers(0, 9999), st.dates(date(2013, 9, 1), date(2099, 12, 31)), st.integers(1, 999))
def test_what_the_builders_make_is_always_nineteen_characters_and_valid(random, day, sequence):
    for number in (temporary("440304", day, random), formal_j("440304000000", day, sequence)):
        assert len(number) == 19
        assert is_valid(number)


@pytest.mark.rule("R-NUM-02", "R-NUM-04")
def test_a_g_number_is_the_identity_number_of_its_day():
    assert formal_g(" 11010519491231002x ") == "G11010519491231002X"
    with pytest.raises(ValueError, match="valid identity"):
        formal_g("110101201709010011")


@pytest.mark.rule("R-NUM-01")
def test_builders_refuse_what_does_not_fit():
    for build in (
        lambda: formal_j("440304", DAY, 1000),
        lambda: formal_j("440304", DAY, 0),
        lambda: temporary("440304", DAY, 10_000),
        lambda: temporary("4403", DAY, 1),
    ):
        with pytest.raises(ValueError, match="number|digits"):
            build()
    assert temporary("440304", DAY, 7) == "L440304202509010007"


@pytest.mark.rule("R-NUM-01")
@pytest.mark.parametrize(
    "text", ["", "G", IDENTITY, "K" + IDENTITY, "G" + IDENTITY + "0", "G-" + IDENTITY[1:]]
)
def test_other_forms_are_not_numbers(text):
    assert parse_status_number(text) is None
    assert codes_of(text) == ["status_number_form"]


@pytest.mark.rule("R-NUM-01")
def test_a_number_is_read_in_any_width_and_case():
    number = parse_status_number("ｇ１１０１０１２０１７０９０１００１０ ")
    assert str(number) == "G" + IDENTITY
    assert number is not None
    assert number.is_formal
    assert mask_status_number(str(number)) == "G110101********0010"


@pytest.mark.rule("B3")
@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("2142001636", []),
        ("3162012300", []),
        ("１１４４０００５０１", []),
        ("4144112345", ["school_code_form"]),
        ("9944001636", ["school_code_category"]),
        ("2199001636", ["school_code_province"]),
        ("9999001636", ["school_code_category", "school_code_province"]),
        ("214200163", ["school_code_form"]),
        ("21420016X6", ["school_code_form"]),
    ],
)
def test_school_codes(text, codes):
    assert [finding.code for finding in check_school_code(text)] == codes


@pytest.mark.rule("B3")
def test_the_parts_of_a_school_code():
    code = parse_school_code("2142001636")
    assert code is not None
    assert (code.category, code.province, code.sequence) == ("21", "42", "001636")
