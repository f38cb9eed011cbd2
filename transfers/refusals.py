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


class SecondSignature(Refusal):
    code, status = "second_signature", 403
    rule, article = "R-ACC-02", "第二十二条"
    message = _("同一人不能在一个办件中既发起又审核，也不能签两次。请由另一位有权限的人员办理。")


class ReasonNeeded(Refusal):
    code, status = "reason_needed", 422
    rule = "R-TRF-04"
    message = _("退回或不同意必须写明理由（不少于 4 个字），以便对方补正。")


class EvidenceNotTicked(Refusal):
    code, status = "evidence_not_ticked", 422
    rule, article = "R-TRF-16", "第十五条"
    message = _("以下材料缺少或尚未核对：{what}。核对后勾选，再同意。")


class NoAuthority(Refusal):
    code, status = "no_authority", 409
    message = _("{office}没有对应的学籍主管部门，无法确定办理流程，请联系上级维护单位信息。")


class CaseLocked(Refusal):
    code, status = "open_business", 409
    rule = "R-TRF-06"
    message = _("该生有在办业务，请待其办结后再办。")


class NotTheStarter(Refusal):
    code, status = "not_the_starter", 403
    rule = "R-TRF-05"
    message = _("只有发起单位可以撤回或补正该办件。")
