"""What statistics decline."""

from django.utils.translation import gettext_lazy as _

from config.errors import Refusal


class NoUnit(Refusal):
    code, status = "no_unit_to_count", 409
    message = _("只能重新统计一个县（或直属学校）。请先进入该县的报表，再点“重新统计”。")
