"""What a verification declines to do."""

from django.utils.translation import gettext_lazy as _

from config.errors import Refusal


class CampaignPlaceWrong(Refusal):
    code, status, rule = "campaign_place_wrong", 409, "R-VER-01"
    message = _("学籍核准由国家或者省级教育行政部门组织，请联系省级学籍主管部门。")


class CampaignOpenAlready(Refusal):
    code, status, rule = "campaign_open_already", 409, "R-VER-01"
    message = _("{term}的学籍核准已经由{office}组织，不能重复组织。可在核准页面查看进度或重新检查。")


class CampaignDayWrong(Refusal):
    code, status, rule = "campaign_day_wrong", 422, "R-VER-01"
    message = _("核准截止日期应在今天之后、{last} 之前（含当日）。请修改后再提交。")


class CampaignRunning(Refusal):
    code, status, rule = "campaign_running", 409, "R-VER-01"
    message = _("系统正在检查，完成后才能重新检查。请稍候刷新查看进度。")


class CampaignOver(Refusal):
    code, status, rule = "campaign_over", 409, "R-VER-01"
    message = _("本次核准已于 {day} 截止，不再重新检查。未销号的问题仍须整改。")


class PlanUnclear(Refusal):
    code, status, rule = "plan_unclear", 422, "R-VER-05"
    message = _("整改计划至少写 {count} 个字，完成日期应在今天至 {last}（核准截止日期）之间。")


class WayMissing(Refusal):
    code, status, rule = "unlisted_way_missing", 422, "R-VER-06"
    message = _(
        "名册外学生须逐人选定去向：转入学籍、回学籍所在学校或新建学籍。请打开该问题，按最新名册选定后再保存计划。"
    )


class CloseUnclear(Refusal):
    code, status, rule = "close_unclear", 422, "R-VER-05"
    message = _("请写明做了什么（至少 {count} 个字），供上级抽查核对。")


class NothingChosen(Refusal):
    code, status, rule = "finding_not_chosen", 422, "R-VER-05"
    message = _("没有选中问题。请在列表中勾选，一次最多 {most} 条。")


class FindingMoved(Refusal):
    code, status, rule = "finding_moved", 409, "R-VER-05"
    message = _("所选问题中有的已由他人处理或已销号，没有保存。请刷新后重新选择。")


class OrderStands(Refusal):
    code, status, rule, article = "order_stands", 409, "R-VER-05", "第二十六条"
    message = _("该问题由{office}责令整改，只能由该单位销号。请先提交整改报告。")


class OrderUnclear(Refusal):
    code, status, rule, article = "order_unclear", 422, "R-VER-07", "第二十六条"
    message = _("责令整改须选定违规情形，写明要求（至少 {count} 个字），期限不早于今天。")


class AnswerUnclear(Refusal):
    code, status, rule, article = "answer_unclear", 422, "R-VER-05", "第二十六条"
    message = _("整改报告至少写 {count} 个字，写明如何整改、何时完成。")


class NotInspecting(Refusal):
    code, status, rule = "not_inspecting", 403, "R-VER-07"
    message = _("抽查和责令整改由学校的上级单位办理。")


class FindingsUnplanned(Refusal):
    """G-16: no sign-off while a finding has no plan."""

    code, status, rule, article = "findings_unplanned", 409, "R-VER-05", "第二十五条"
    message = _("还有 {count} 条问题没有整改计划（{listed}），不能签署。请学籍管理员先逐条定出计划和期限。")


class RollsUnconfirmed(Refusal):
    code, status, rule, article = "rolls_unconfirmed", 409, "R-VER-02", "第二十五条"
    message = _("还有 {count} 个班的名册没有核对，不能签署。请班主任先完成名册核对。")


class NotChecked(Refusal):
    code, status, rule = "school_not_checked", 409, "R-VER-01"
    message = _("系统还没有检查本校，请等检查完成后再签署。")


class SignedAlready(Refusal):
    code, status, rule = "signed_already", 409, "R-VER-01"
    message = _("本校本学期的核准已由{name}签署。")


class OwnPlanSigned(Refusal):
    code, status, rule = "own_plan_signed", 403, "AZ-7"
    message = _("您在本次核准中处理过问题，须由另一名领导签署。")


class SampleEmpty(Refusal):
    code, status, rule = "sample_empty", 409, "R-VER-07"
    message = _("本单位下还没有检查完成的学校，暂不能抽取。请等检查完成后再试。")


class ResultUnclear(Refusal):
    code, status, rule = "result_unclear", 422, "R-VER-07"
    message = _("请选择相符或不符；不符的须写明情况（至少 {count} 个字）。")


class ResultMoved(Refusal):
    code, status, rule = "result_moved", 409, "R-VER-07"
    message = _("该生的核查结果已经登记，请刷新后查看。")
