"""The template that schools fill in, made from the field table: headings, notes, an example, drop-downs.

Row 1 headings (★ mandatory), row 2 notes, row 3 an example, pupils from row 4. Everything is text, so that
no program rewrites a number. The text is Chinese in every language of the pages: it is a national form.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from io import BytesIO
from typing import NamedTuple

from openpyxl import Workbook
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import quote_sheetname
from openpyxl.workbook.defined_name import DefinedName
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.worksheet import Worksheet

from config.rules import PARAMETERS
from registry.codes import DATA, rows_of
from registry.fields import TEMPLATE, Field
from registry.intake.columns import heading_of, template_version
from registry.intake.sheet import (
    CONTROL_COLUMN,
    DICTIONARY,
    EXAMPLE_MARK,
    HEADING_ROWS,
    HELP,
    NOTE_MARK,
    PUPILS,
    column_letters,
    neutral,
    row_digest,
)

PREPARED_ROWS = 200  # rows with the school's code filled in; the format reaches to the end of the sheet
CLASSES = "班级"
LAST_ROW = int(PARAMETERS["INTAKE_ROWS"].value) + HEADING_ROWS  # type: ignore[arg-type]
_SHOWN_CHOICES = 8  # longer lists are read in the sheet of dictionaries

TEXT = "@"
HEAD_FILL = PatternFill("solid", fgColor="DCE6F1")
MANDATORY_FILL = PatternFill("solid", fgColor="FCE4D6")
NOTE_FILL = PatternFill("solid", fgColor="F2F2F2")
_WRAPPED = Alignment(wrap_text=True, vertical="top")

_FORMS = {
    "date": "年月日8位数字，如20190315；也可写2019-3-15、2019/3/15、2019年3月15日",
    "month": "年月6位数字，如202509",
    "division": "12位行政区划代码，后六位可为0",
}
_DEMANDS = {"Y": "必填", "C": "符合条件时必填", "N": "选填", "system": "不填"}


class Guide(NamedTuple):
    """What the template says about one column beyond the field table."""

    example: str
    note: str


GUIDES = {row["key"]: Guide(row["example"], row["note"]) for row in rows_of(DATA / "template_notes.csv")}


def rules_of_filling() -> list[str]:
    """How to fill the template in; numbers are those of the rule book."""
    limit = {key: parameter.display(parameter.value) for key, parameter in PARAMETERS.items()}
    return [
        f"第1行是列标题，第2行是填写说明，第3行是示例，从第{HEADING_ROWS + 1}行起每行填写一名学生。"
        "示例行原样保留的不会导入；在示例行上直接改写的，按学生导入。",
        "标题带★的列必填；其余见每列说明。",
        "不得增加、删除、改名或移动列，不得取消隐藏列，不得更改工作表名称。",
        "全部单元格为“文本”格式。粘贴时请选择“粘贴为数值”或“只保留文本”，"
        "否则18位号码会变成3.3E+17的形式，后几位丢失，只能重新填写。",
        "有下拉列表的列填名称或代码均可，同一列请前后一致；代码见工作表“字典”。",
        "日期可写20190315、2019-3-15、2019/3/15、2019年3月15日；全角数字、多余空格会自动更正。",
        "不得有公式、合并单元格、宏、外部链接，不得隐藏有数据的行、列或工作表。",
        "班级须先在“班级管理”中建立。",
        f"每份文件不超过{limit['INTAKE_FILE_MB']}、{limit['INTAKE_ROWS']}；超过的请分成几个文件。",
        "退回的工作簿（有误单元格标红，末列“问题”列出本行问题）改正后可直接再次上传。",
    ]


def note_of(field: Field) -> str:
    """What a registrar must know about one column."""
    words = [_DEMANDS[field.mandatory] if GUIDES[field.key].note or field.place != "none" else ""]
    if field.code_list:
        labels = [text for text, _code in offers(field)]
        words.append("填：" + "、".join(labels) if len(labels) <= _SHOWN_CHOICES else "从下拉列表中选择")
    words += [_FORMS.get(field.widget, ""), GUIDES[field.key].note]
    return "。".join(word for word in words if word)


def offers(field: Field) -> list[tuple[str, str]]:
    """(text, code) of the drop-down of a field: labels, and "12-其他" where two values share a label."""
    labels = Counter(label for _code, label in field.choices)
    return [(label if labels[label] == 1 else f"{code}-{label}", code) for code, label in field.choices]


def class_line(number: str, name: str) -> str:
    """A class as the drop-down offers it; the number comes first and is what counts."""
    return f"{number} {name}"


def write_template(
    school_name: str = "", school_code: str = "", class_lines: Iterable[tuple[str, str]] = ()
) -> bytes:
    """The template as .xlsx, for a school with these classes (number, name), or for any."""
    book = Workbook()
    sheet = book.active
    assert isinstance(sheet, Worksheet)
    sheet.title = PUPILS
    lists = write_dictionary(book, [class_line(*line) for line in class_lines])
    _write_help(book, school_name)
    _write_head(sheet, school_code)
    _write_format(sheet, school_code)
    offer_choices(sheet, lists)
    book.move_sheet(DICTIONARY, offset=1)
    content = BytesIO()
    book.save(content)
    return content.getvalue()


def guidance_rows(school_code: str = "") -> tuple[list[str], list[str]]:
    """The row of notes and the row of the example, each with its mark in the control column."""
    notes = [note_of(field) for field in TEMPLATE]
    examples = [
        school_code if field.key == "school_code" and school_code else GUIDES[field.key].example
        for field in TEMPLATE
    ]
    for cells, mark in ((notes, NOTE_MARK), (examples, EXAMPLE_MARK)):
        cells[CONTROL_COLUMN - 1] = mark + row_digest(cells)
    return notes, examples


def headings() -> list[str]:
    return [
        template_version()
        if field.template_col == CONTROL_COLUMN
        else heading_of(field.label_zh, field.mandatory == "Y")
        for field in TEMPLATE
    ]


def _write_head(sheet: Worksheet, school_code: str) -> None:
    for number, cells in enumerate((headings(), *guidance_rows(school_code)), 1):
        sheet.append([neutral(text) for text in cells])
        for cell, field in zip(sheet[number], TEMPLATE, strict=True):
            cell.number_format = TEXT
            cell.alignment = _WRAPPED
            if number == 1:
                cell.font = Font(bold=True)
                cell.fill = MANDATORY_FILL if field.mandatory == "Y" else HEAD_FILL
            else:
                cell.font = Font(color="808080", italic=number == HEADING_ROWS)
                cell.fill = NOTE_FILL
    sheet.row_dimensions[2].height = 120
    sheet.freeze_panes = f"D{HEADING_ROWS + 1}"


def _write_format(sheet: Worksheet, school_code: str) -> None:
    """Text to the end of the sheet: by column, and cell by cell where people begin to write."""
    format_columns(sheet)
    for row in range(HEADING_ROWS + 1, HEADING_ROWS + 1 + PREPARED_ROWS):
        for field in TEMPLATE:
            cell = sheet.cell(row, field.template_col or 0)
            cell.number_format = TEXT
            if field.key == "school_code" and school_code:
                cell.value = neutral(school_code)


def format_columns(sheet: Worksheet) -> None:
    """Columns of text, wide enough, the control column hidden."""
    for field in TEMPLATE:
        column = sheet.column_dimensions[column_letters(field.template_col or 0)]
        column.number_format = TEXT
        column.width = _width(field)
    sheet.column_dimensions[column_letters(CONTROL_COLUMN)].hidden = True


def _width(field: Field) -> int:
    if field.widget == "textarea":
        return 30
    return 22 if field.key.endswith("id_number") else max(12, 2 * len(field.label_zh) + 3)


def write_dictionary(book: Workbook, class_lines: Sequence[str] = ()) -> dict[str, str]:
    """A hidden sheet with every list the template uses, each under a name; field key → name."""
    sheet = book.create_sheet(DICTIONARY)
    sheet.sheet_state = "hidden"
    names: dict[tuple[str, tuple[str, ...]], str] = {}
    by_key: dict[str, str] = {}
    for field in TEMPLATE:
        if field.code_list:
            wanted = (field.code_list, field.allowed)
            if wanted not in names:
                names[wanted] = f"字典_{field.key}"
                _write_list(book, sheet, len(names), names[wanted], field.label_zh, offers(field))
            by_key[field.key] = names[wanted]
    if class_lines:
        _write_list(book, sheet, len(names) + 1, CLASSES, CLASSES, [(line, "") for line in class_lines])
        by_key["class_number"] = CLASSES
    return by_key


def _write_list(
    book: Workbook, sheet: Worksheet, place: int, name: str, title: str, choices: Sequence[tuple[str, str]]
) -> None:
    """Two columns, texts and codes; the name covers the texts."""
    texts, codes = column_letters(2 * place - 1), column_letters(2 * place)
    sheet[f"{texts}1"], sheet[f"{codes}1"] = title, "代码"
    for row, (text, code) in enumerate(choices, 2):
        sheet[f"{texts}{row}"], sheet[f"{codes}{row}"] = neutral(text), code
        sheet[f"{codes}{row}"].number_format = TEXT
    area = f"{quote_sheetname(DICTIONARY)}!${texts}$2:${texts}${len(choices) + 1}"
    book.defined_names[name] = DefinedName(name, attr_text=area)


def offer_choices(sheet: Worksheet, lists: dict[str, str]) -> None:
    """The note of each column beside the cell being filled in, and the drop-down where there is a list.

    A value outside the list only warns: codes and synonyms are understood too.
    """
    for field in TEMPLATE:
        if field.template_col == CONTROL_COLUMN:
            continue
        name = lists.get(field.key)
        offer = DataValidation(
            type="list" if name else None,
            formula1=name,
            allow_blank=True,
            errorStyle="warning",
            showErrorMessage=bool(name),
            errorTitle="不在列表中",
            error="请从下拉列表中选择，或填写字典中的代码。",
            showInputMessage=True,
            promptTitle=field.label_zh[:32],
            prompt=note_of(field)[:255],
        )
        letters = column_letters(field.template_col or 0)
        offer.add(f"{letters}{HEADING_ROWS + 1}:{letters}{LAST_ROW}")
        sheet.add_data_validation(offer)


def _write_help(book: Workbook, school_name: str) -> None:
    sheet = book.create_sheet(HELP)
    sheet.column_dimensions["A"].width = 6
    sheet.column_dimensions["B"].width = 110
    sheet.append(["", neutral(f"学籍批量导入模板填写说明{'：' if school_name else ''}{school_name}")])
    sheet["B1"].font = Font(bold=True, size=14)
    for number, sentence in enumerate(rules_of_filling(), 1):
        sheet.append([str(number), sentence])
        sheet.cell(number + 1, 2).alignment = _WRAPPED
