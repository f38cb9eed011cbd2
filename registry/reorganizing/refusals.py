"""Why a school or office cannot be changed, or what is in its way, as data."""

from django.utils.translation import gettext_lazy as _

from config.errors import Refusal


class OfficeMoving(Refusal):
    """The office is being merged or moved at this moment: new business would be left behind."""

    code, status = "office_moving", 409
    message = _("{office}正在办理{kind}，期间暂停新的业务，稍后自动恢复。已在办的业务由承接单位继续办理。")


class PlanRefused(Refusal):
    """What was asked for cannot be planned; `findings` name each fault with its field."""

    code, status = "plan_refused", 422
    rule = "B3"
    message = _("方案有 {count} 处不符合要求，请修改后重新演练。")


class FactsChanged(Refusal):
    """Something has come or gone since the rehearsal: what was shown would not be what is done."""

    code, status = "facts_changed", 409
    rule = "B3"
    message = _("事实已变：{why}。请重新演练，核对后再办。")


class RehearsalGone(Refusal):
    code, status = "rehearsal_gone", 409
    message = _("该演练已被使用或已被新的演练代替，请重新演练。")


class OfficeBusy(Refusal):
    """A constraint decides: one open change of an office at a time."""

    code, status = "office_busy", 409
    message = _("该单位已有在办的机构业务，请待其办结后再办。")


class RehearsalFailed(Refusal):
    """The rehearsal met rows that cannot be joined; nothing was changed."""

    code, status = "rehearsal_failed", 409
    message = _("演练未能完成：{what}。请先处理后重新演练。")
