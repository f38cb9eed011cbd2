"""Why an entry, or a workbook of entries, is not taken."""

from django.utils.translation import gettext_lazy as _

from config.errors import Refusal
from registry.findings import Objection

_ARCHIVE = "第七条"
MISSING = Objection("entry_missing", _("没有填写。"), _("请填写。"), "C1", _ARCHIVE)
NO_CODE = Objection("entry_code", _("不在可选范围内。"), _("请填：{words}。"), "C1", _ARCHIVE)
NO_NUMBER = Objection(
    "entry_number", _("不是合理的数。"), _("请填 {least} 至 {most} 的数，小数不超过 {places} 位。"), "C1",
    _ARCHIVE,
)  # fmt: skip
NO_MARK = Objection(
    "entry_mark", _("不是成绩。"), _("请填 0 至 1000 的分数（一位小数），或等第：{words}。"), "C1", _ARCHIVE
)
TOO_LONG = Objection("entry_long", _("文字过长。"), _("请缩短到 {most} 个字以内。"), "C1", _ARCHIVE)
NO_DAY = Objection("entry_day", _("不是日期，或在今天之后。"), _("请填 2026-09-01 的形式。"), "C1", _ARCHIVE)
NO_TERM = Objection(
    "entry_term", _("学年学期有误。"), _("请填本学期或以前的学期，如 2026-1（2026 年秋季学期）。"), "C1",
    _ARCHIVE,
)  # fmt: skip
EXPULSION = Objection(
    "entry_expulsion", _("义务教育阶段不得开除学籍。"), _("请改为警告、严重警告、记过或留校察看。"),
    "R-CHG-01", "《中华人民共和国义务教育法》第二十七条",
)  # fmt: skip
MORE_ABSENT = Objection(
    "entry_absent", _("请假和旷课天数超过应出勤天数。"), _("请核对各项天数。"), "C1", _ARCHIVE
)
NO_PUPIL = Objection(
    "entry_pupil", _("本校没有对应的在校学生。"), _("请填学籍号，或姓名加班号，与系统中的一致。"), "C1"
)
MANY_PUPILS = Objection(
    "entry_namesake", _("本班有同名学生，不能确定是哪一位。"), _("请填学籍号。"), "C1"
)  # fmt: skip
TWICE = Objection("entry_twice", _("表中有两行内容相同。"), _("请删去多余的一行。"), "R-EST-10")
KNOWN = Objection(
    "entry_known", _("该生已登记过同样的记录。"), _("请删去本行；原记录有误的，先在学籍页作废。"), "R-EST-10"
)


class EntryFaulty(Refusal):
    code, status, rule, article = "entry_faulty", 422, "C1", _ARCHIVE
    message = _("有 {count} 处需要改正，没有登记；您填写的内容已保留。")


class EntryKnown(Refusal):
    code, status, rule, article = "entry_known", 409, "C1", _ARCHIVE
    message = _("该生已登记过同样的“{kind}”记录。如原记录有误，请先写明原因将其作废，再重新登记。")


class EntryPupilGone(Refusal):
    code, status, rule, article = "entry_pupil_gone", 409, "R-UPD-09", ""
    message = _("该生学籍已不在本校，或已终止，不能再登记或作废记录。")


class EntryOver(Refusal):
    code, status, rule, article = "entry_over", 409, "R-UPD-04", "第二十六条"
    message = _("这条记录已作废或已解除，不能再办理。请刷新后查看。")


class NotASanction(Refusal):
    code, status, rule, article = "entry_no_sanction", 409, "C1", ""
    message = _("只有处分可以解除。其他记录有误的，请写明原因作废。")


class ReasonShort(Refusal):
    code, status, rule, article = "entry_reason", 422, "R-UPD-04", "第二十六条"
    message = _("请写明原因，至少 {count} 个字。")


class SheetFaulty(Refusal):
    code, status, rule, article = "entry_sheet_faulty", 409, "R-EST-10", ""
    message = _("表中有 {count} 行有误，一条记录也没有写入。请按说明改正后重新上传。")


class SheetDone(Refusal):
    code, status, rule, article = "entry_sheet_done", 409, "R-EST-10", ""
    message = _("这份表格已经写入、正在写入或已删除。请刷新后查看。")


class SheetEmpty(Refusal):
    code, status, rule, article = "entry_sheet_empty", 422, "R-EST-10", ""
    message = _("表格里没有数据。请下载本页的模板，在表头下方逐行填写后再上传。")


class SheetForeign(Refusal):
    code, status, rule, article = "entry_sheet_foreign", 422, "R-EST-10", ""
    message = _("表头与“{kind}”的模板不符。请下载本类别的模板，不要增减、改名或移动列。")
