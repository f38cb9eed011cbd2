"""Why a case does not move, as data."""

from typing import Any

from django.utils.translation import gettext_lazy as _

from config.errors import Refusal


class RequirementFailed(Refusal):
    """Conditions of the procedure are not met; `findings` name each with its article."""

    code, status = "requirement_failed", 409
    message = _("{label}:{why}")

    def __init__(self, *, rule: str = "", article: str = "", **data: Any) -> None:
        super().__init__(**data)
        self.rule, self.article = rule, article


class StepAlreadyTaken(Refusal):
    code, status = "step_already_taken", 409
    message = _("该办件已由{who}办理，当前状态为“{state}”，请刷新后再看。")


class NotYourTurn(Refusal):
    code, status = "not_your_turn", 409
    message = _("该办件尚未到您这一环节，现在由{office}办理。")


class CaseClosed(Refusal):
    code, status = "case_closed", 409
    message = _("该办件当前状态为“{state}”，不能再办理。")


class CaseChanged(Refusal):
    """A batch lost rows, or a case moved and came back, between looking and deciding."""

    code, status = "case_changed", 409
    message = _("该办件刚刚被他人改动（如退回了部分学生），请刷新核对后再办。")


class SecondSignature(Refusal):
    code, status = "second_signature", 403
    rule, article = "R-ACC-02", "第二十二条"
    message = _("同一人不能在一个办件中既发起又审核，也不能签两次。请由另一位有权限的人员办理。")


class ReasonNeeded(Refusal):
    code, status = "reason_needed", 422
    rule = "R-TRF-04"
    message = _("退回或不同意必须写明理由（不少于 4 个字），以便对方补正。")


class AnswerOnly(Refusal):
    """A guardian's dispute goes back to nobody, and neither does what the system brings before the nation."""

    code, status = "answer_only", 422
    rule = "D12"
    message = _(
        "监护人提出的异议和系统提请的仲裁不能退回补正：请作出决定并写明理由；需要材料的，请联系监护人或双方学校。"
    )


class EvidenceNotTicked(Refusal):
    code, status = "evidence_not_ticked", 422
    rule, article = "R-TRF-16", "第十五条"
    message = _("以下材料缺少或尚未核对：{what}。核对后勾选，再同意。")


class ExceptionUnknown(Refusal):
    """An exception was asked for where the procedure knows none."""

    code, status = "exception_unknown", 422
    message = _("该业务没有可以申请例外的这一条件，请去掉后再提交。")


class ExceptionOpen(Refusal):
    """The entitled office approves without saying whether it makes the exception it was asked for."""

    code, status = "exception_open", 422
    message = _("学校就“{what}”申请例外。同意须勾选“准予例外”并写明理由；不准予的，请退回补正或不同意。")


class NotForStatus(Refusal):
    code, status = "not_for_status", 409
    rule = "R-UPD-04"
    message = _("该生学籍状态为“{status}”，“{kind}”适用于：{among}。")


class NoAuthority(Refusal):
    code, status = "no_authority", 409
    message = _("{office}没有对应的学籍主管部门，无法确定办理流程，请联系上级维护单位信息。")


class CaseLocked(Refusal):
    code, status = "open_business", 409
    rule = "R-TRF-06"
    message = _("该生在{place}有在办业务“{kind}”，请待其办结或撤回后再办。")


class SomePupilLocked(CaseLocked):
    message = _("本批中有学生有在办业务，请待其办结，或从本批中去掉该生后再提交。")


class RowsGone(Refusal):
    """Rows that are not in the batch's case, or have left it."""

    code, status = "rows_gone", 409
    rule = "R-EST-04"
    message = _("第 {rows} 行不在本批待办学生中，或已经退回，请刷新后重新选择。")


class RowsUnclear(Refusal):
    code, status = "rows_unclear", 422
    rule = "R-EST-04"
    message = _("请选择要退回的学生：每次 1 至 {most} 名。")


class AllRows(Refusal):
    code, status = "all_rows", 422
    rule = "R-EST-04"
    message = _("所选是本批剩下的全部学生。整批有问题的，请用“退回补正”退回整批，或由学校撤回。")


class NamesakeFound(Refusal):
    """R-UPD-06: under the new name she could be another pupil, and no number tells them apart."""

    code, status = "same_person_found", 409
    rule, article = "R-UPD-06", "第九条"
    message = _(
        "全国查重发现与新姓名同名、同性别、同出生日期的学籍 {count} 条，且该生没有证件号可区分。"
        "请先核实，属同一人的按问题学籍办理；已取得证件号的，请一并填写。"
    )


class NotTheStarter(Refusal):
    code, status = "not_the_starter", 403
    rule = "R-TRF-05"
    message = _("只有发起单位可以撤回或补正该办件。")


class NotOverdue(Refusal):
    code, status = "not_overdue", 409
    rule = "R-TRF-03"
    message = _("该环节没有超期，或刚刚已经办理，不需要催办。请刷新后再看。")


class UrgedToday(Refusal):
    code, status = "urged_today", 409
    rule = "R-TRF-03"
    message = _("该环节今天已经催办过，每个工作日催办一次。可电话联系经办人，或下一个工作日再催办。")
