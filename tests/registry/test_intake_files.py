"""Uploaded workbooks that are taken, their columns, and the workbook that goes back (R-EST-10, C1)."""

from datetime import date, datetime, time, timedelta
from io import BytesIO

import pytest
from openpyxl import load_workbook

from registry.findings import Finding
from registry.form_values import clean_record
from registry.intake.annotated import Problem, write_annotated
from registry.intake.columns import KEYS, damaged, pupils
from registry.intake.reader import text_of
from registry.intake.reading import read_rows
from registry.intake.sheet import PUPILS, neutral, restored
from registry.intake.template import headings
from tests.registry import hostile as h
from tests.registry.uploads import FILE, LIMITS, nothing_stays_behind, read, refused  # noqa: F401


# ── What is taken ──────────────────────────────
@pytest.mark.rule("R-EST-10")
def test_a_workbook_is_read_row_by_row_with_the_numbers_of_the_sheet():
    content = h.workbook(h.pupil(name="张三"), h.pupil(name="𠅤𬭊"), h.pupil(name="阿依古丽·买买提"))
    with read_rows(content, FILE, LIMITS) as rows:
        assert (rows.sheet, rows.total) == (PUPILS, 3)
        taken = list(pupils(rows))
    assert [(number, values["name"]) for number, values in taken] == [
        *((2, "张三"), (3, "𠅤𬭊"), (4, "阿依古丽·买买提"))
    ]
    assert list(taken[0][1]) == KEYS


@pytest.mark.rule("R-EST-10", "C1")
@pytest.mark.parametrize("written", ["20190315", "2019-3-15", "2019/03/15", "2019年3月15日"])
def test_dates_as_text_in_four_styles_are_one_day(written):
    [(_number, values)] = read(h.workbook(h.pupil(birth_on=written)))
    assert values["birth_on"] == written
    assert clean_record(values, "11")["birth_on"] == "2019-03-15"


@pytest.mark.rule("R-EST-10", "C1")
def test_full_width_digits_and_odd_blanks_are_understood():
    [(_number, values)] = read(
        h.workbook(h.pupil(id_number=" ４４０３０５２０１９０３１５０００1 ", phone="１３８ 0000 0000"))
    )
    cleaned = clean_record(values, "11")
    assert (cleaned["id_number"], cleaned["phone"]) == ("440305201903150001", "13800000000")


@pytest.mark.rule("R-EST-10")
def test_cells_that_are_no_text_are_read_as_a_person_would_have_typed_them():
    assert [
        text_of(cell) for cell in (5.0, 1.5, 0.1 + 0.2, 13800000000.0, 999999999999999.0, -3, True, False)
    ] == [*("5", "1.5", "0.3", "13800000000", "999999999999999", "-3", "是", "否")]
    days = (date(2019, 3, 15), datetime(2019, 3, 15), datetime(2019, 3, 15, 8, 1), time(8, 0), timedelta(1))  # noqa: DTZ001
    assert [text_of(day) for day in days] == [
        *("2019-03-15", "2019-03-15", "2019-03-15 08:01:00", "08:00:00", "1 day, 0:00:00")
    ]
    assert [text_of(cell) for cell in (float("inf"), float("nan"))] == ["INF", "nan"]


@pytest.mark.rule("R-EST-10", "C1")
@pytest.mark.parametrize(
    ("column", "value", "is_damaged"),
    [
        ("G", "<v>440305201903150001</v>", True),  # typed into a cell of numbers: damaged
        ("G", "<v>4.40305201903150E+17</v>", True),
        ("AC", "<v>13800000000</v>", False),
        ("H", "<v>440305000000</v>", False),
    ],
)
def test_a_number_turned_into_an_exponent_is_told_from_a_wrong_one(column, value, is_damaged):
    row = h.row_of(3, h.pupil()[:3]).replace("</row>", f'<c r="{column}3">{value}</c></row>')
    [_first, (number, values)] = read(h.with_rows(row))
    found = damaged(values)
    assert number == 3
    assert [finding.code for finding in found] == (["number_damaged"] if is_damaged else [])
    for finding in found:
        assert isinstance(finding, Finding)
        assert (finding.field, finding.rule) == ("id_number", "C1")
        assert "文本" in str(finding.remedy)
        assert "4403" not in str(finding.message)


def test_a_month_that_became_a_day_is_a_month_again():
    [(_number, values)] = read(h.workbook(h.pupil(entry_month="2025-09-01")))
    assert values["entry_month"] == "2025-09"


def test_what_office_programs_leave_behind_is_let_be():
    rels = h.relations(("hyperlink", "mailto:a@b.cn"), mode=' TargetMode="External"')
    more = {
        "xl/worksheets/_rels/sheet1.xml.rels": rels,
        "xl/printerSettings/printerSettings1.bin": b"\0\1\2",
        "docProps/app.xml": b"<Properties/>",
        "xl/drawings/vmlDrawing1.vml": b"<xml><!-- a note --></xml>",
    }
    assert len(read(h.pack(h.parts_of() | more))) == 1
    # As LibreOffice writes: every row says that it is shown, and the last ones of the sheet are named.
    shown = ' customFormat="false" ht="12.8" hidden="false" customHeight="false"'
    rows = [h.row_of(number, texts, shown) for number, texts in enumerate((headings(), h.pupil()), 1)]
    last = f'<row r="1048576"{shown}/>'
    columns = '<cols><col min="1" max="3" hidden="false"/><col min="49" max="49" hidden="true"/></cols>'
    assert len(read(h.pack(h.parts_of(h.sheet_xml([*rows, last], columns))))) == 1


def test_prefixes_and_cells_without_a_place_are_understood():
    plain = h.sheet_xml(h.table(h.pupil())).decode()
    prefixed = plain.replace("xmlns=", "xmlns:x=")
    for name in ("worksheet", "sheetData", "row", "c", "is", "t"):
        for mark in ("<", "</"):
            for end in (" ", ">"):
                prefixed = prefixed.replace(f"{mark}{name}{end}", f"{mark}x:{name}{end}")
    assert read(h.pack(h.parts_of(prefixed.encode()))) == read(h.workbook())
    counted = "".join(f'<c t="inlineStr"><is><t>{text or "-"}</t></is></c>' for text in h.pupil(name="李四"))
    assert read(h.with_rows(f"<row>{counted}</row>"))[1][1]["name"] == "李四"


# ── The columns ──────────────────────────────
def take_out(texts: list[str]) -> None:
    texts.remove("★联系电话")


def rename(texts: list[str]) -> None:
    texts[28] = "家长电话"


def add(texts: list[str]) -> None:
    texts.append("家长微信")


def double(texts: list[str]) -> None:
    texts.append("★姓名")


def swap(texts: list[str]) -> None:
    texts[3], texts[4] = texts[4], texts[3]


@pytest.mark.rule("R-EST-10", "C1")
@pytest.mark.parametrize(
    ("content", "reason", "column", "named"),
    [
        (h.with_headings(take_out), "columns_missing", 29, "联系电话"),
        (h.with_headings(rename), "columns_missing", 29, "联系电话"),
        (h.with_headings(add), "columns_unknown", 74, "家长微信"),
        (h.with_headings(double), "columns_double", 74, "姓名"),
        (h.with_headings(swap), "columns_moved", 4, "性别"),
        (h.with_headings(lambda texts: texts.__setitem__(48, "")), "columns_missing", 49, "隐藏列"),
        (h.with_headings(lambda texts: texts.__setitem__(48, "(隐藏列)")), "template_version", 49, "AW列"),
        (h.with_headings(lambda texts: texts.clear()), "headings", 0, "第1行"),
        (h.another_version(), "template_version", 49, "版本"),
    ],
)
def test_an_altered_template_is_refused_by_column(content, reason, column, named):
    bad = refused(content)
    assert (bad.code, bad.column, bad.rule) == (f"import_{reason}", column, "R-EST-10")
    assert named in bad.detail


@pytest.mark.rule("R-EST-10")
def test_stars_blanks_and_width_of_headings_do_not_count():
    def decorate(texts: list[str]) -> None:
        texts[2], texts[22], texts[34] = "姓 名", "★班号／班级", "★上下学距离（公里）"

    assert len(read(h.with_headings(decorate))) == 1


@pytest.mark.rule("R-EST-10")
def test_nothing_outside_the_template_is_dropped_silently():
    bad = refused(h.with_rows(h.row_of(3, [*h.pupil(), "", "备注"])))
    assert (bad.code, bad.row, bad.column) == ("import_columns_unknown", 3, 75)


# ── The way back ──────────────────────────────
@pytest.mark.rule("R-EST-10", "EX-6")
def test_the_annotated_workbook_marks_cells_and_can_be_handed_in_again():
    odd = {
        "talent": "=1+1",
        "native_place": "＋广东",
        "phone": "+8613800000000",
        "member1_employer": " 甲\n乙 ",
    }
    rows = [(5, h.pupil(name="张三", **odd)), (9, h.pupil(name="李四", talent="#REF!", email="'quoted"))]
    problems = {
        5: [
            Problem("id_number", "R-EST-06", "校验位不正确。", "请核对。", "error"),
            Problem("id_number", "R-EST-06", "请再看一次。", "", "warning"),
            Problem("grade", "C5", "年级不符。", "", "warning"),
        ]
    }
    content = write_annotated(rows, problems)
    book = load_workbook(BytesIO(content))
    sheet, listed = book[PUPILS], book["问题清单"]
    cell = sheet["G5"]
    assert (cell.value, cell.number_format, cell.fill.fgColor.rgb) == ("440305201903150001", "@", "00FF9999")
    assert cell.comment.text == "校验位不正确。请核对。\n请再看一次。"
    assert sheet["C5"].comment is None
    assert sheet["BV5"].value == "身份证件号：校验位不正确。；身份证件号：请再看一次。；年级：年级不符。"
    assert sheet["AO5"].value == "'=1+1"
    assert {cell.data_type for row in sheet for cell in row if cell.value} == {"s"}
    assert [cell.value for cell in listed[2]] == [
        "5",
        "G",
        "身份证件号",
        "错误",
        "R-EST-06",
        "校验位不正确。",
        "请核对。",
    ]
    assert "440305" not in str([[cell.value for cell in row] for row in listed])
    back = read(content)
    assert [
        (number, [values[key] for key in KEYS if key != "template_control"]) for number, values in back
    ] == [
        (number, [text for key, text in zip(KEYS, texts, strict=True) if key != "template_control"])
        for number, texts in rows
    ]


@pytest.mark.rule("EX-6")
def test_neutralised_text_comes_back():
    for text in ("=1", "+1", "-1", "@a", "|a", "%a", "\ta", "＝1", "＋1", "－1", "＠a"):
        assert neutral(text) == "'" + text
        assert restored(neutral(text)) == text
    for text in ("", "甲", "'甲", "1-2"):
        assert restored(neutral(text)) == text


def test_what_a_workbook_cannot_hold_is_replaced_not_fatal():
    [(_number, values)] = read(write_annotated([(2, h.pupil(talent="a\0b\ud800\uffff"))], {}))
    assert values["talent"] == "a□b□□"
