"""Why a promotion is not rehearsed, confirmed, done or undone."""

from django.utils.translation import gettext_lazy as _

from config.errors import Refusal

_NOTICE = "教育部年度毕业升级工作通知"


class PromotionRefused(Refusal):
    rule, article = "R-GRD-08", _NOTICE


class PromotionTooEarly(PromotionRefused):
    code, status = "promotion_too_early", 409
    message = _("{year}年统一升级在{at}以后执行，现在还不能执行。请在该时间以后重试。")


class PromotionRunning(PromotionRefused):
    code, status = "promotion_running", 409
    message = _("{year}年统一升级正在执行，不能重新演练。请等执行结束后，对暂停的单位重新演练。")


class PromotionNotReady(PromotionRefused):
    code, status = "promotion_not_ready", 409
    message = _("该次演练尚未完成、已经作废或已经确认，请刷新页面后再看。")


class HashDiffers(PromotionRefused):
    code, status = "promotion_hash_differs", 409
    message = _("确认的摘要与演练结果不同，没有确认。请核对页面上的摘要后重新确认。")


class SecondPersonNeeded(PromotionRefused):
    code, status = "promotion_same_person", 409
    message = _("您已经确认过一次，须由另一人作第二次确认。")


class FactsMoved(PromotionRefused):
    """The unit is held: what was confirmed is not what is there."""

    code, status = "promotion_facts_moved", 409
    message = _("{name}的学生或班级在演练后有变动，已暂停升级。请重新演练并由两人确认。")


class CountsDiffer(PromotionRefused):
    """The unit is held: somebody would be lost or counted twice."""

    code, status = "promotion_counts_differ", 409
    message = _("{name}升级前后人数不平，已全部退回并暂停。请联系系统运维人员。")


class UndoRefused(Refusal):
    rule, article = "R-GRD-10", _NOTICE


class NothingToUndo(UndoRefused):
    code, status = "promotion_nothing_to_undo", 409
    message = _("该校本次升级尚未执行，或已经撤销。请刷新页面后再看。")


class UndoTooLate(UndoRefused):
    code, status = "promotion_undo_too_late", 409
    message = _("已超过{last}的撤销期限，不能再撤销升级。个别学生请通过学籍业务更正。")


class UndoBuiltUpon(UndoRefused):
    code, status = "promotion_built_upon", 409
    message = _("升级后已有 {count} 名学生新编入这些班级，撤销会使其年级出错。请先将他们调入其他班级再撤销。")


class UndoReason(UndoRefused):
    code, status = "promotion_undo_reason", 422
    message = _("请写明撤销理由，6 至 200 个字。")
