"""The template, its page and its parser are one table (HANDBOOK C1, R-EST-10, SECURITY EX-6)."""

from datetime import date
from io import BytesIO

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from openpyxl import Workbook, load_workbook

from registry import codes
from registry.checks import Context, check_record
from registry.fields import BY_KEY, TEMPLATE
from registry.findings import errors
from registry.form_values import clean_record
from registry.intake.columns import KEYS, match_header, template_version
from registry.intake.document import describe
from registry.intake.sheet import CONTROL_COLUMN, DICTIONARY, HELP, PUPILS, column_letters
from registry.intake.template import GUIDES, LAST_ROW, PREPARED_ROWS, headings, note_of, write_template
from registry.management.commands.intake_template import PAGE
from tests.registry.uploads import nothing_stays_behind, read  # noqa: F401

CLASSES = [("2025101", "一(1)班"), ("2025102", "=一(2)班")]


@pytest.fixture(scope="module")
def book() -> Workbook:
    return load_workbook(BytesIO(write_template("南山小学", "2144000001", CLASSES)))


def saved(book: Workbook) -> bytes:
    content = BytesIO()
    book.save(content)
    return content.getvalue()


@pytest.mark.rule("R-EST-10", "C1")
def test_template_page_and_parser_are_the_same_columns(book, tmp_path, capsys):
    """One test for all three: the table, the .xlsx, the page in the repository, and what the parser takes."""
    shown = [cell.value for cell in book[PUPILS][1]]
    assert shown == headings()
    labels = [heading.removeprefix("★") for heading in shown]
    labels[CONTROL_COLUMN - 1] = BY_KEY["template_control"].label_zh
    assert labels == [field.label_zh for field in TEMPLATE]
    assert match_header(shown) == KEYS == [field.key for field in TEMPLATE] == list(GUIDES)
    assert PAGE.read_text(encoding="utf-8") == describe()
    page = PAGE.read_text(encoding="utf-8")
    for number, field in enumerate(TEMPLATE, 1):
        assert field.template_col == number
        title = "（版本标记，隐藏）" if number == CONTROL_COLUMN else shown[number - 1]
        line = f"| {number} | {column_letters(number)} | {title} | `{field.key}` |"
        assert page.count(line) == 1
        assert f"| {note_of(field)} | {GUIDES[field.key].example} |" in page
        assert number == CONTROL_COLUMN or book[PUPILS].cell(2, number).value == note_of(field)
    assert template_version() in page
    call_command("intake_template", str(tmp_path / "t.xlsx"))
    assert [cell.value for cell in load_workbook(tmp_path / "t.xlsx")[PUPILS][1]] == shown
    with pytest.raises(CommandError):
        call_command("intake_template")


@pytest.mark.rule("R-EST-10", "C1")
def test_an_untouched_template_holds_no_pupil_and_a_filled_example_row_is_one(book):
    content = write_template("南山小学", "2144000001", CLASSES)
    assert read(content) == []
    filled = load_workbook(BytesIO(content))
    filled[PUPILS]["C3"] = "张三"  # written over the example
    filled[PUPILS]["C4"] = "李四"
    assert [(number, values["name"]) for number, values in read(saved(filled))] == [(3, "张三"), (4, "李四")]


@pytest.mark.rule("C1", "R-EST-06")
def test_the_example_is_a_pupil_without_a_fault():
    values = {key: guide.example for key, guide in GUIDES.items()}
    context = Context(
        today=date(2025, 9, 10), grade="11", school_code="2144000001", school_division="440305",
        school_year_start=date(2025, 9, 1), stages=frozenset("1"),
    )  # fmt: skip
    assert [(finding.field, finding.code) for finding in check_record(values, context)] == []
    assert clean_record(values, "11")["id_type"] == "1"
    assert not errors(check_record(values, context))


@pytest.mark.rule("C1")
def test_everything_is_text_to_the_end_of_the_sheet(book):
    sheet = book[PUPILS]
    for field in TEMPLATE:
        letters = column_letters(field.template_col)
        assert sheet.column_dimensions[letters].number_format == "@"
        assert {sheet[f"{letters}{row}"].number_format for row in (1, 2, 3, 4, 3 + PREPARED_ROWS)} == {"@"}
    assert sheet.freeze_panes == "D4"
    assert [letters for letters, column in sheet.column_dimensions.items() if column.hidden] == ["AW"]
    assert sheet["B4"].value == sheet["B3"].value == "2144000001"


@pytest.mark.rule("C1", "B6")
def test_every_code_list_is_offered_and_every_offer_is_understood(book):
    sheet, lists = book[PUPILS], book[DICTIONARY]
    assert lists.sheet_state == "hidden"
    offers = {str(offer.sqref).split(":")[0]: offer for offer in sheet.data_validations.dataValidation}
    for field in TEMPLATE:
        offer = offers.pop(f"{column_letters(field.template_col)}4", None)
        if field.key == "template_control":
            assert offer is None
            continue
        assert str(offer.sqref).endswith(f"{column_letters(field.template_col)}{LAST_ROW}")
        assert offer.prompt == note_of(field)[:255]
        if field.key == "class_number":
            assert labels_of(book, offer.formula1) == ["2025101 一(1)班", "2025102 =一(2)班"]
        elif not field.code_list:
            assert offer.formula1 is None
        else:
            offered = labels_of(book, offer.formula1)
            meant = [codes.code_of(field.code_list, text, field.allowed) for text in offered]
            assert meant == [code for code, _label in field.choices]
    assert not offers


def labels_of(book: Workbook, name: str) -> list[str]:
    [(sheet, area)] = book.defined_names[name].destinations
    return [row[0].value for row in book[sheet][area.replace("$", "")]]


@pytest.mark.rule("EX-6")
def test_no_cell_of_the_template_is_a_formula():
    book = load_workbook(BytesIO(write_template("=HYPERLINK(1)", "2144000001", [("=1", "一(1)班")])))
    assert {cell.data_type for sheet in book for row in sheet for cell in row if cell.value is not None} <= {
        "s"
    }
    assert book[HELP]["B1"].value.endswith("=HYPERLINK(1)")
    assert labels_of(book, "班级") == ["'=1 一(1)班"]
