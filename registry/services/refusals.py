"""Why the registry declines, as data."""

from django.utils.translation import gettext_lazy as _

from config.errors import Refusal
from registry.status import GRADUATE, STATUSES


class RecordRefused(Refusal):
    """Fields of the form are wrong; `findings` say which, by which rule, and what to do."""

    code, status = "record_refused", 422
    message = _("有 {count} 处需要改正，内容没有提交；您填写的内容已保留。")


class NumberTaken(Refusal):
    """Uniqueness is national: one fixed sentence, whoever holds the number and wherever (AZ-9)."""

    code, status = "number_taken", 409
    rule, article = "R-EST-05", "第九条"
    message = _("该证件号码已有学籍,请按转学或问题学籍办理。")


class StatusExists(Refusal):
    code, status = "status_exists", 409
    rule, article = "R-EST-01", "第九条"
    message = _("该生已有一条有效学籍，一人一籍，不能再建。请按转学办理。")


class ClassFull(Refusal):
    code, status = "class_full", 409
    rule = "C5"
    message = _("{name}已有 {count} 人，班额上限 {cap} 人。{why}请选择其他班级，或由主管部门调整班额。")


class ClassUnknown(Refusal):
    code, status = "class_unknown", 422
    rule = "R-EST-11"
    message = _("所选班级不属于本校或已停用，请重新选择班级。")


class ChangedMeanwhile(Refusal):
    code, status = "changed_meanwhile", 409
    rule = "R-UPD-04"
    message = _("这条学籍在您打开之后已被他人修改，请刷新后核对再保存；您填写的内容仍在页面上。")


class KeyFieldLocked(Refusal):
    code, status = "key_field_locked", 409
    rule = "R-UPD-05"
    message = _("{fields}属于关键数据，不能直接修改。请发起“关键数据变更”，由学校领导审核、主管部门核办。")


class FieldNotYours(Refusal):
    code, status = "field_not_yours", 403
    rule = "AZ-4"
    message = _("您的岗位不能填写或修改{fields}。如确需更正，请联系学籍管理员。")


class RecordFrozen(Refusal):
    code, status = "record_frozen", 409
    rule, article = "R-UPD-09", ""
    message = _("该生学籍状态为“{status}”，本学段基础数据已冻结。")


class GraduateFrozen(RecordFrozen):
    code, rule, article = "graduate_frozen", "R-GRD-06", "教育部年度毕业升级工作通知"
    message = _(
        "该生学籍状态为“{status}”，毕业时的基础数据已冻结，不能修改。确有错误的，由学校申请“毕业生回退”，"
        "主管部门核准后更正，再重新办理毕业。"
    )


def frozen(status: str) -> RecordFrozen:
    """The refusal of a change to a record in the `status` (a code)."""
    refusal = GraduateFrozen if status in GRADUATE else RecordFrozen
    return refusal(status=STATUSES[status].name)


class NotPlaced(Refusal):
    code, status = "not_placed", 409
    rule = "PLACEMENT_REGISTERS"
    message = _("该生尚未编班，请先编入班级，再修改信息。")


class BusinessOpen(Refusal):
    code, status = "open_business", 409
    rule = "R-TRF-06"
    message = _("该生有在办业务“{kind}”({number})，请待其办结后再办。")


class SearchFirst(Refusal):
    """Somebody with the same name, sex and birth date has a record: look first, then say that it is another
    child.
    """

    code, status = "same_person_found", 409
    rule, article = "R-EST-08", "第九条"
    message = _(
        "全国查重发现同名、同性别、同出生日期的学籍 {count} 条。"
        "若为同一人请按转学办理；确认不是同一人，请勾选并写明依据。"
    )


class EvidenceMissing(Refusal):
    code, status = "evidence_missing", 422
    rule, article = "R-EST-03", "第六条"
    message = _("缺少材料：{what}。请上传后再提交。")


class PlanExceeded(Refusal):
    code, status = "plan_exceeded", 409
    rule = "INTAKE_PLAN"
    message = _(
        "本校今年已注册新生 {taken} 人，计划 {planned} 人，再注册 {new} 人将超出招生计划。{why}"
        "请先由学校向主管部门申请调整计划。"
    )


class QuotaExceeded(Refusal):
    code, status = "quota_exceeded", 409
    rule = "QUOTA"
    message = _(
        "本校该学段现有学籍 {taken} 人，总量 {planned} 人，再增加 {new} 人将超出学籍总量。{why}"
        "请先由学校向主管部门申请调增总量，或由主管部门另行安排学校。"
    )


class PlacementUnclear(Refusal):
    code, status = "placement_unclear", 422
    rule = "PLACEMENT_REGISTERS"
    message = _("没有选择要编班的学生。请为至少一名学生选择班级。")


class PlacedMeanwhile(Refusal):
    code, status = "placed_meanwhile", 409
    rule = "PLACEMENT_REGISTERS"
    message = _("所选学生中有人已编班或已不是待核准状态，请刷新后核对。")


class GradeOtherwise(Refusal):
    code, status = "grade_otherwise", 422
    rule = "C5"
    message = _("所选班级与学生注册的年级不一致，请改选本年级的班级。")


class DeferralLate(Refusal):
    code, status = "deferral_late", 409
    rule = "R-EST-12"
    message = _(
        "延期注册应在开学后规定的时间内申请：{begins}开学，{last}截止。{why}请不填延期日期直接注册，逾期的按补录办理。"
    )


class DeferralUnclear(Refusal):
    code, status = "deferral_unclear", 422
    rule = "R-EST-12"
    message = _("延期注册的日期应在今天之后、{last}之前，请重新填写。")


class NotOnBaseList(Refusal):
    code, status = "not_on_base_list", 409
    rule = "BASE_LIST_MATCH"
    message = _(
        "该生不在{area}的小升初底表中：上学年小学毕业年级没有与其证件号码，或姓名、性别、出生日期一致的学籍。"
        "{why}请核对登记信息；从外地升学的，由主管部门核实后办理。"
    )


class ChangeNotPossible(Refusal):
    """The record stands otherwise than when the change was asked for."""

    code, status = "change_not_possible", 409
    rule = "R-UPD-04"
    message = _("该生学籍状态现为“{status}”，不能办理该变动。请刷新核对后再办。")
