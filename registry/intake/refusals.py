"""Why a workbook cannot be taken: one sentence each, with file, sheet, row, column and rule (R-EST-10)."""

from typing import Any, NamedTuple

from django.utils.translation import gettext as _now
from django.utils.translation import gettext_lazy as _

from config.errors import Refusal
from registry.fields import TEMPLATE
from registry.intake.sheet import column_letters

_LABELS = {field.template_col: field.label_zh for field in TEMPLATE}


class Reason(NamedTuple):
    """What stops a workbook, and what to do; both may hold `{placeholders}`."""

    message: Any
    remedy: Any
    rule: str = "FI-2"


_SAVE = _("请用WPS或Excel打开，另存为“Excel工作簿（.xlsx）”后再上传。")
_DOWNLOAD = _("请重新下载模板，把数据粘贴到新模板中再上传，不要增减、改名或移动列。")
_SPLIT = _("请分成几个文件，或把数据粘贴到新下载的模板中再上传。")

REASONS = {
    # The file as a whole
    "file_empty": Reason(_("文件是空的。"), _("请选择填好的模板文件。")),
    "file_too_big": Reason(_("文件超过{limit}MB。"), _("请分成几个文件，或删去与模板无关的图片和工作表。")),
    "file_encrypted": Reason(_("文件设有打开密码，已加密。"), _("请取消密码后另存，再上传。")),
    "file_xls": Reason(_("文件是旧版.xls格式，只是改了扩展名。"), _SAVE),
    "file_xlsb": Reason(_("文件是二进制工作簿（.xlsb）。"), _SAVE),
    "file_ods": Reason(_("文件是开放文档表格（.ods）。"), _SAVE),
    "file_csv": Reason(_("文件是文本（如.csv），不是表格工作簿。"), _("请把数据粘贴到下载的模板中再上传。")),
    "file_html": Reason(_("文件是网页或XML，不是表格工作簿。"), _SAVE),
    "file_macro": Reason(_("文件含有宏。"), _SAVE),
    "file_other": Reason(_("文件不是.xlsx表格工作簿。"), _SAVE),
    "truncated": Reason(_("文件不完整，可能没有传完。"), _("请打开核对后重新上传。")),
    "damaged": Reason(_("文件已损坏（{part}）。"), _("请打开核对，另存后重新上传。")),
    # The archive inside
    "archive_form": Reason(_("文件的压缩结构不合规范。"), _SAVE),
    "part_name": Reason(_("文件内有不合规范的条目名称。"), _SAVE),
    "overlap": Reason(_("文件内的条目重复或重叠。"), _SAVE),
    "parts": Reason(_("文件内的条目超过{limit}个。"), _("请删去与模板无关的图片和工作表，另存后再上传。")),
    "unpacked": Reason(_("文件解压后的内容超过{limit}MB。"), _("请分成几个文件上传。")),
    "ratio": Reason(_("文件内容的压缩比超过{limit}倍，疑似压缩炸弹（{part}）。"), _SAVE),
    "encoding": Reason(_("文件内有不是UTF-8编码的内容（{part}）。"), _SAVE),
    "entities": Reason(_("文件内有文档类型定义或实体声明。"), _SAVE),
    "exotic": Reason(_("文件内有表格软件一般不会写出的结构。"), _SAVE),
    "external_link": Reason(_("文件链接了外部内容（{part}）。"), _("请断开外部链接，另存后再上传。")),
    "embedded_object": Reason(_("文件内嵌了其他对象（{part}）。"), _("请删去这些对象，另存后再上传。")),
    # The sheets
    "no_sheet": Reason(_("没有名为“学生信息”的工作表。"), _("请使用下载的模板，不要改工作表的名称。")),
    "sheet_empty": Reason(_("工作表是空的。"), _("请填写后再上传。")),
    "extra_sheet": Reason(
        _("工作簿中不止一个工作表有数据。"), _("请把学生都放在“学生信息”工作表中，删去其他工作表。")
    ),
    "hidden_sheet": Reason(_("有数据的工作表被隐藏。"), _("请取消隐藏并核对，或删去该工作表。")),
    "hidden_rows": Reason(
        _("第{rows}行被隐藏，其中有数据。"), _("请取消隐藏和筛选，核对后再上传；不需要的行请删除。")
    ),
    "hidden_columns": Reason(_("被隐藏的列中有数据。"), _("请取消隐藏，核对后再上传。")),
    "merged_cells": Reason(_("有合并单元格，内容只算在第一格。"), _("请取消合并，在每一格中分别填写。")),
    "formula": Reason(
        _("单元格中是公式，其结果可能与所见不同。"), _("请复制后用“选择性粘贴—数值”代替公式。")
    ),
    "error_cell": Reason(_("单元格中是错误值（如#N/A、#REF!）。"), _("请改为应填的内容或清空。")),
    "cell_too_long": Reason(_("单元格的内容过长，超过表格允许的字数。"), _("请核对是否误粘贴了大段内容。")),
    "too_many_rows": Reason(_("数据超过{limit}行。"), _("请分成几个文件；其后没有学生的，请删除这些空行。")),
    "too_many_columns": Reason(_("内容超过第{limit}列。"), _("请删除模板以外的列，包括看不见内容的空列。")),
    # The columns
    "headings": Reason(_("第1行不是模板的列标题。模板不得改动。"), _DOWNLOAD, "R-EST-10"),
    "columns_missing": Reason(_("缺少列：{names}。模板不得改动。"), _DOWNLOAD, "R-EST-10"),
    "columns_unknown": Reason(_("有模板以外的列：{names}。模板不得改动。"), _DOWNLOAD, "R-EST-10"),
    "columns_double": Reason(_("列重复：{names}。模板不得改动。"), _DOWNLOAD, "R-EST-10"),
    "columns_moved": Reason(
        _("列的位置被移动：此处应为“{expected}”，现为“{given}”。模板不得改动。"), _DOWNLOAD, "R-EST-10"
    ),
    "template_version": Reason(
        _("模板的版本标记（隐藏的第{letters}列）不是现行版本。"), _DOWNLOAD, "R-EST-10"
    ),
    # The reading process
    "unreadable": Reason(_("文件无法解析。"), _SAVE),
    "memory": Reason(_("解析文件所需的内存超过上限。"), _SPLIT),
    "reader_slow": Reason(_("解析文件所需的时间超过上限。"), _SPLIT),
    "reader_died": Reason(_("文件使解析进程异常退出。"), _("请把数据粘贴到新下载的模板中再上传。"), "FI-3"),
    "set_aside": Reason(
        _("文件多次使解析进程异常退出，已搁置。"), _("请把数据粘贴到新下载的模板中，作为新文件上传。"), "FI-3"
    ),
}


class BadFile(Refusal):
    """The workbook cannot be taken. `code` is "import_" and the reason; rows and columns count from 1, 0 says
    that the reason has none.
    """

    status = 422
    message = _("{place}{why}{remedy}（规则{rule}）")

    def __init__(
        self, reason: str, *, file: str = "", sheet: str = "", row: int = 0, column: int = 0, **words: Any
    ) -> None:
        known = REASONS[reason]
        self.code, self.rule = f"import_{reason}", known.rule
        self.file, self.sheet, self.row, self.column = file, sheet, row, column
        why = str(known.message).format(**words)
        super().__init__(place=self._place(), why=why, remedy=known.remedy, rule=known.rule)

    def _place(self) -> str:
        """As far as known: 文件“a.xlsx”工作表“学生信息”第5行G列（身份证件号）："""
        words = []
        if self.file:
            words.append(_now("文件“%s”") % self.file)
        if self.sheet:
            words.append(_now("工作表“%s”") % self.sheet)
        if self.row:
            words.append(_now("第%d行") % self.row)
        if self.column:
            label = _LABELS.get(self.column)
            words.append(_now("%s列") % column_letters(self.column) + (f"（{label}）" if label else ""))
        return "".join(words) + "：" if words else ""

    def in_words(self) -> dict[str, str]:
        """Also where in the workbook, for a batch that keeps why it failed."""
        place = {"sheet": self.sheet, "row": str(self.row or ""), "column": column_letters(self.column)}
        return super().in_words() | place


class SetAside(BadFile):
    """The workbook has taken its reader down too often (FI-3)."""

    def __init__(self, *, file: str = "") -> None:
        super().__init__("set_aside", file=file)
