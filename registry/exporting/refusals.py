"""What an export is refused for, in sentences."""

from django.utils.translation import gettext_lazy as _

from config.errors import Refusal


class ExportIncomplete(Refusal):
    code, status, rule, article = "export_incomplete", 422, "EX-1", "第二十四条"
    message = _("导出申请不完整：{why}")


class FieldNotYours(Refusal):
    code, status, rule = "export_field_not_yours", 422, "AZ-4"
    message = _("您没有导出“{label}”的权限，请去掉该项后再提交。")


class ClearNotYours(Refusal):
    code, status, rule = "export_clear_not_yours", 403, "AZ-4"
    message = _("您没有查看证件明文的权限，“{label}”只能以遮盖形式导出。")


class TooManyRows(Refusal):
    code, status, rule = "export_too_many_rows", 422, "EX-1"
    message = _("按所选范围与条件超过 {most} 人，不能一次导出。请缩小范围，或分几次申请。")


class NothingToExport(Refusal):
    code, status, rule = "export_empty", 422, "EX-1"
    message = _("按所选范围与条件没有学生。请检查筛选条件后再提交。")


class ExportsSpent(Refusal):
    code, status, rule, article = "exports_spent", 429, "AP-6", "第二十四条"
    message = _("您今天已申请导出 {count} 次，达到每日上限，请明天再申请。")


class NotNow(Refusal):
    code, status, rule = "export_not_now", 409, "EX-1"
    message = _("该导出当前状态为“{state}”，不能进行这项操作。请刷新后再看。")


class OwnRequest(Refusal):
    code, status, rule = "export_own_request", 403, "AZ-7"
    message = _("导出申请不能由申请人本人审批，请由本单位或上级单位有审批权限的另一人办理。")


class ReasonMissing(Refusal):
    code, status, rule = "export_reason_missing", 422, "EX-1"
    message = _("不批准须写明理由，让申请人知道怎样修改。")


class TermsChanged(Refusal):
    """What would be done is not what was approved, or by rights that no longer hold (EX-1, AZ-6)."""

    code, status, rule = "export_terms_changed", 409, "EX-1"
    message = _("{why}原批准不再有效，请重新申请。")


class NotYourExport(Refusal):
    code, status, rule = "export_not_yours", 403, "EX-5"
    message = _("导出文件只能由申请人本人领取。")


class DownloadsSpent(Refusal):
    code, status, rule = "export_downloads_spent", 409, "EX-5"
    message = _("该文件已领取 {count} 次，达到上限。仍需要的，请重新申请。")
