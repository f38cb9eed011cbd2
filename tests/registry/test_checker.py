"""One checker for a whole workbook says of each row what a fresh one says, and its memory stays small."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from registry import codes
from registry.check_fields import Cells
from registry.checks import Checker, Context, check_record
from registry.demo.country import SCHOOLS
from registry.demo.pupils import context_of, generate
from registry.fields import BY_KEY, FIELDS, TEMPLATE, Field
from registry.form_values import clean_record
from registry.identity import check_digit
from registry.names import pinyin
from tests.registry.test_checks import CONTEXT, GOOD, HONGKONG, SECOND

CONTEXTS = [
    CONTEXT,
    replace(CONTEXT, grade="12", school_code="2144000124", cutoff=(12, 31)),
    replace(CONTEXT, grade="21", stages=frozenset("2"), school_ownership="12"),
    replace(CONTEXT, grade="31", school_phones=frozenset(("13900000000",))),
    replace(CONTEXT, grade=""),  # a row of no known class
    replace(CONTEXT, known_division=lambda code: code.startswith("33")),
]
KEYS = {field.key: position for position, field in enumerate(FIELDS)}
WORDS = [
    *("", " \u3000", "\x07", "张三", "李四", "?", "🙂", "0", "1", "2", "00", "51", "99", "Z", "D"),
    *("其他", "否", "是", "长期", "－", "'", "+86", "·", "CHN", "中国香港", "138 0013 8000", "1500", "1e3"),
    *("（0755）12345678", "440304", "999999000000", "４４０３０４", "a@b", "H12345678", "E12345678"),
    *(GOOD["id_number"], "11010519491231002X"),
]  # fmt: skip


def full_width(text: str) -> str:
    return "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in text)


def texts_of(field: Field, text: str) -> st.SearchStrategy[str]:
    """Ways to fill a cell of `field`, right and wrong; `text` is a good one."""
    ways: list[st.SearchStrategy[str]] = [
        st.sampled_from(WORDS),
        st.text(max_size=12),
        st.sampled_from([full_width(text), f" {text}\u00a0", text + "\u200b", text[:-1], text * 40]),
        st.dates(date(1990, 1, 1), date(2030, 1, 1)).flatmap(
            lambda day: st.sampled_from(
                [f"{day:%Y%m%d}", day.isoformat(), f"{day:%Y/%m/%d}", f"{day.year}年{day.month}月{day.day}日",
                 f"{day:%Y%m}", f"{day:%Y%m%d}-长期"]
            )
        ),
    ]  # fmt: skip
    if field.code_list:
        pairs = codes.choices(field.code_list)
        ways.append(st.sampled_from(pairs).flatmap(lambda pair: st.sampled_from([*pair, "-".join(pair)])))
    return st.one_of(ways)


@st.composite
def rows(draw: st.DrawFn) -> dict[str, str]:
    """A record as typed: good in most cells, anything in some, some left out."""
    record = GOOD | draw(st.sampled_from([{}, SECOND, HONGKONG, SECOND | HONGKONG]))
    for key in draw(st.lists(st.sampled_from(sorted(BY_KEY)), max_size=8, unique=True)):
        record[key] = draw(texts_of(BY_KEY[key], record.get(key, "")))
    for key in draw(st.lists(st.sampled_from(sorted(record)), max_size=3)):
        record.pop(key, None)
    return record


@pytest.mark.rule("R-EST-03", "R-EST-10", "C1", "C5")
@given(st.lists(st.tuples(st.integers(0, len(CONTEXTS) - 1), rows()), min_size=1, max_size=10))
@settings(deadline=None, max_examples=150)  # the first look reads the tables from disk
def test_rows_checked_together_fare_as_if_each_were_alone(table: list[tuple[int, dict[str, str]]]) -> None:
    cells = Cells()
    checkers = [Checker(context, cells) for context in CONTEXTS]
    for place, values in table:
        context = CONTEXTS[place]
        cleaned, found = checkers[place].check(values)
        assert list(cleaned.items()) == list(clean_record(values, context.grade).items())
        assert found == check_record(values, context)
        assert [KEYS[finding.field] for finding in found] == sorted(KEYS[finding.field] for finding in found)
        assert checkers[place].check(values) == (cleaned, found)  # now every cell is known
        assert Checker(context).check(cleaned)[0] == cleaned


@pytest.mark.rule("R-EST-03", "C1")
def test_pupils_of_several_classes_written_as_labels_pass_as_their_codes_do() -> None:
    day, cells = date(2026, 9, 21), Cells()
    checkers: dict[str, Checker] = {}
    for pupil in generate(day, schools=SCHOOLS[:2]).pupils:
        context = context_of(pupil.group, day)
        checker = checkers.setdefault(context.school_code + pupil.group.number, Checker(context, cells))
        typed = {
            key: codes.label(BY_KEY[key].code_list, text) if BY_KEY[key].code_list else text
            for key, text in pupil.values.items()
        }
        cleaned, found = checker.check(typed)
        assert cleaned == clean_record(pupil.values, context.grade)
        assert found == check_record(pupil.values, context) == []
    assert len(checkers) > 2


def test_unknown_keys_are_dropped_and_an_absent_text_is_a_blank_one() -> None:
    values: dict[str, Any] = GOOD | {"email": None, "nonsense": "x"}
    cleaned, found = Checker(CONTEXT).check(values)
    assert found == []
    assert cleaned["email"] == ""
    assert "nonsense" not in cleaned


@pytest.mark.rule("FI-2", "RD-1")
def test_a_table_of_any_size_leaves_little_in_memory_and_no_sealed_free_text() -> None:
    cells = Cells()
    checker = Checker(CONTEXT, cells)
    for number in range(2200):
        checker.check(
            {field.key: f"{number}{field.label_zh}" for field in TEMPLATE} | {"phone": f"{number:011}"}
        )
    checker.check(dict.fromkeys(BY_KEY, "长" * 30_000))
    columns = cells.columns(CONTEXT.grade, CONTEXT.school_code, CONTEXT.known_division)
    assert max(len(column) for column in columns.values()) <= 2000
    assert max(len(text) for column in columns.values() for text in column) <= 40
    for key, column in columns.items():
        if BY_KEY[key].sealed and not BY_KEY[key].code_list:
            assert list(column) == [""], key


def test_a_class_of_its_own_shares_all_but_what_depends_on_it() -> None:
    cells = Cells()
    Checker(CONTEXT, cells).check(GOOD)
    junior = replace(CONTEXT, grade="21", stages=frozenset("2"))
    found = {
        (finding.field, finding.code)
        for finding in Checker(junior, cells).check(GOOD | {"admission_mode": "体育特招"})[1]
    }
    assert ("admission_mode", "admission_stage") in found
    other = Context(today=CONTEXT.today, grade="11", school_code="2144000999")
    given_code = GOOD | {"school_code": CONTEXT.school_code}
    assert Checker(CONTEXT, cells).check(given_code)[1] == []
    assert [finding.code for finding in Checker(other, cells).check(given_code)[1]] == ["school_code_other"]


@given(st.from_regex(r"[0-9]{17}", fullmatch=True).filter(str.isascii))
def test_the_check_digit_is_the_weighted_sum_of_the_standard(digits: str) -> None:
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    total = sum(weight * int(digit) for weight, digit in zip(weights, digits, strict=True))
    assert check_digit(digits) == "10X98765432"[total % 11]


@pytest.mark.rule("FI-6")
@pytest.mark.parametrize(
    ("name", "py"),
    [
        ("李重", "lizhong"),
        ("李重庆", "lichongqing"),
        ("李庆重庆", "liqingchongqing"),
        ("李长乐", "lichangle"),
    ],
)
def test_a_phrase_decides_between_the_readings_of_its_characters(name: str, py: str) -> None:
    assert pinyin(name).name_py == py
