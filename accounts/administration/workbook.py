"""Accounts in bulk from a workbook: template, every fault of every row, all or nothing (R-ACC-01, FI-2).

The workbook is parsed by the same limited program that reads the pupils' workbooks: it is started by its
name, for it is a program and stands on a higher floor.
"""

import json
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from io import BytesIO
from typing import Any

from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _
from openpyxl import Workbook
from openpyxl.styles import Font, PatternFill
from openpyxl.worksheet.datavalidation import DataValidation

from accounts.administration import appointing, creating, separation
from accounts.administration.appointing import Appointment
from accounts.administration.creating import NewPerson
from accounts.administration.reach import administered
from accounts.administration.staff_identity import canonical
from accounts.models import Organization, User
from accounts.roles import ROLES
from config.clock import today
from config.errors import Refusal
from config.limited_child import Child, ChildFailed
from config.rules import rules

COMMAND = (sys.executable, "-s", "-m", "registry.intake.reader")
SHEET = "账号名单"
HEADINGS = ("姓名", "账号", "身份证件号码", "办公电话", "单位代码", "岗位", "开始日期", "结束日期")
_LIMITS = {
    "file_bytes": "INTAKE_FILE_MB",
    "columns": "INTAKE_COLUMNS",
    "characters": "INTAKE_CELL_CHARACTERS",
    "parts": "INTAKE_PARTS",
    "unpacked_bytes": "INTAKE_UNPACKED_MB",
    "ratio": "INTAKE_RATIO",
    "memory_bytes": "INTAKE_MEMORY_MB",
    "cpu_seconds": "INTAKE_SECONDS",
}
_CELL_END, _ROW_END = "\x1f", "\x1e"
_ROLE_OF = {role.name: role.code for role in ROLES.values()}
_WIDTHS = (12, 18, 24, 16, 16, 16, 14, 14)


class ListUnreadable(Refusal):
    code, status = "list_unreadable", 422
    rule = "FI-2"
    message = _("文件不能读取（{why}）。请下载本页的模板，用WPS或Excel填写并保存为.xlsx后再上传。")


class ListEmpty(Refusal):
    code, status = "list_empty", 422
    message = _("表格里没有人员。请在表头下方逐行填写后再上传。")


@dataclass(slots=True)
class Row:
    """One row as it was read: where it stands, what it says, what is wrong with it."""

    number: int
    cells: list[str]
    faults: list[str] = field(default_factory=list)
    new: NewPerson | None = None
    wanted: Appointment | None = None

    @property
    def shown(self) -> list[str]:
        """The cells as a page may show them: of the identity number the last four."""
        number = self.cells[2]
        return [*self.cells[:2], f"…{number[-4:]}" if len(number) > 4 else "—", *self.cells[3:]]


def template(offices: list[Organization]) -> bytes:
    """An empty workbook with the headings, and the codes and posts to choose from."""
    book = Workbook()
    sheet = book.active
    assert sheet is not None, "a new workbook has a sheet"
    sheet.title = SHEET
    sheet.append(HEADINGS)
    for cell, width in zip(sheet[1], _WIDTHS, strict=True):
        cell.font, cell.fill = Font(bold=True), PatternFill("solid", fgColor="DCE6F1")
        sheet.column_dimensions[cell.column_letter].width = width
        for row in range(2, 502):
            sheet[f"{cell.column_letter}{row}"].number_format = "@"  # numbers keep every digit
    kinds = {office.kind for office in offices}
    names = ",".join(role.name for role in ROLES.values() if kinds & set(role.kinds))
    choice = DataValidation(type="list", formula1=f'"{names}"', allow_blank=True)
    sheet.add_data_validation(choice)
    choice.add("F2:F501")
    sheet.freeze_panes = "A2"
    notes = book.create_sheet("填写说明")
    for line in _notes():
        notes.append([line])
    for office in offices:
        notes.append([office.code, office.name])
    out = BytesIO()
    book.save(out)
    return out.getvalue()


def _notes() -> list[str]:
    return [
        _now("一行一人；整份表格要么全部建立，要么一个也不建立。"),
        _now("账号：4 至 30 个字符，以小写字母开头，只用小写字母、数字、点和短横线。"),
        _now("身份证件号码只用于核对一人一号，系统不保存号码本身。"),
        _now("开始日期填 2026-09-01 的形式，空着为今天；结束日期空着为长期。"),
        _now("单位代码只能是下列单位："),
    ]


def read(content: bytes) -> list[Row]:
    """The rows below the headings. Raises ListUnreadable or ListEmpty; whatever the file does, only the
    child dies of it.
    """
    held = rules([*_LIMITS.values(), "ACCOUNT_LIST_ROWS"])
    limits = {
        name: held[key].number * (1024**2 if key.endswith("_MB") else 1) for name, key in _LIMITS.items()
    }
    limits["rows"] = held["ACCOUNT_LIST_ROWS"].number
    child = Child([*COMMAND, json.dumps(limits)], content, 2.0 * limits["cpu_seconds"])
    try:
        lines = list(_lines(child))
    except ChildFailed:
        raise ListUnreadable(why=_now("读取失败")) from None
    finally:
        child.end()
    headings = [text.strip() for text in lines[0]] if lines else []
    if tuple(headings[: len(HEADINGS)]) != HEADINGS:
        raise ListUnreadable(why=_now("表头与模板不符"))
    rows = [_row(number, line) for number, line in enumerate(lines[1:], 2) if any(map(str.strip, line))]
    if not rows:
        raise ListEmpty()
    return rows


def _row(number: int, line: list[str]) -> Row:
    cells = [text.strip() for text in line[: len(HEADINGS)]]
    return Row(number, cells + [""] * (len(HEADINGS) - len(cells)))


def _lines(child: Child) -> Iterator[list[str]]:
    while True:
        kind, body = child.frame()
        if kind == b"E":
            return
        if kind == b"B":
            raise ListUnreadable(why=_why(json.loads(body)))
        if kind == b"R":
            yield from (line.split(_CELL_END) for line in body.decode().split(_ROW_END))


_WHY = {
    "too_many_rows": _("人员超过 {limit} 行"),
    "file_too_big": _("文件超过 {limit} MB"),
    "file_encrypted": _("文件有打开密码"),
    "file_xls": _("文件是旧版.xls格式"),
    "file_macro": _("文件含有宏"),
    "formula": _("单元格中是公式"),
    "hidden_rows": _("有隐藏的行"),
    "hidden_columns": _("有隐藏的列"),
    "merged_cells": _("有合并单元格"),
    "extra_sheet": _("不止一个工作表有数据"),
    "sheet_empty": _("工作表是空的"),
}


def _why(said: dict[str, Any]) -> str:
    words = str(_WHY.get(str(said["code"]), _("不是合规的.xlsx工作簿"))).format_map({"limit": "", **said})
    return f"{words}，第{said['row']}行" if said.get("row") else words


def check(rows: list[Row], actor: User) -> None:
    """Write every fault of every row into `faults`, and what is to be made into the sound ones.

    Constant queries: offices, names of accounts and numbers are asked for once.
    """
    offices = {office.code: office for office in administered(actor)}
    usernames = Counter(row.cells[1].lower() for row in rows)
    numbers = Counter(canonical(row.cells[2]) for row in rows)
    taken = set(User.objects.filter(username__in=usernames).values_list("username", flat=True))
    known = creating.known_numbers([number for number in numbers if number])
    schools = separation.with_administrator(list(offices.values()))
    for row in rows:
        name, username, number, phone, code, role, first, last = row.cells
        row.new = NewPerson(name, username.lower(), number, phone[:30])
        for check_one in creating.WORD_CHECKS:
            _try(row, check_one, row.new)
        if usernames[username.lower()] > 1:
            row.faults.append(_now("同一账号在表中出现多次。"))
        if username.lower() in taken:
            row.faults.append(str(creating.UsernameTaken(username=username).detail))
        folded = canonical(number)
        if folded and numbers[folded] > 1:
            row.faults.append(_now("同一证件号码在表中出现多次，一人只能有一个账号。"))
        if folded in known:
            row.faults.append(creating.SecondAccount().detail)
        _place(row, actor, offices.get(code), role, first, last, schools)


def _place(
    row: Row, actor: User, office: Organization | None, role: str, first: str, last: str, schools: set[int]
) -> None:
    if office is None:
        row.faults.append(_now("单位代码不在本单位管理的范围内（本级和下一级）。"))
    if role not in _ROLE_OF:
        row.faults.append(_now("没有这个岗位，请从下拉列表中选择。"))
    days = [_day(first, today()), _day(last, None)]
    if False in days:
        row.faults.append(_now("日期须写成 2026-09-01 的形式。"))
    if office is None or role not in _ROLE_OF or False in days:
        return
    row.wanted = Appointment(office, _ROLE_OF[role], days[0], days[1])  # type: ignore[arg-type]
    _try(row, appointing.check_words, row.wanted, actor)
    if row.wanted.role == separation.SYSTEM and office.kind == Organization.Kind.SCHOOL:
        if office.pk in schools:
            row.faults.append(_now("一所学校只设一名系统管理员，该校已有或表中重复。"))
        schools.add(office.pk)


def _try(row: Row, check_one: Any, *arguments: Any) -> None:
    try:
        check_one(*arguments)
    except Refusal as refused:
        row.faults.append(refused.detail)


def _day(text: str, default: date | None) -> date | None | bool:
    """The day, the default for an empty cell, False for what is no day."""
    if not text:
        return default
    try:
        return date.fromisoformat(text[:10].replace("/", "-").replace(".", "-"))
    except ValueError:
        return False
