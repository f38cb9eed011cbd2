"""What statistics decline."""

from django.utils.translation import gettext_lazy as _

from config.errors import Refusal


class NotYourFile(Refusal):
    code, status, rule = "report_file_not_yours", 403, "EX-5"
    message = _("报表文件只能由申请人本人下载。您可以在报表页自行申请一份。")


class FileNotReady(Refusal):
    code, status, rule = "report_file_not_ready", 409, "EX-5"
    message = _("该文件现在不能下载（{state}）。生成中的请稍候；已删除的请在报表页重新申请。")


class NoUnit(Refusal):
    code, status = "no_unit_to_count", 409
    message = _("只能重新统计一个县（或直属学校）。请先进入该县的报表，再点“重新统计”。")
