"""Why a graduation does not go through, as data."""

from django.utils.translation import gettext_lazy as _

from config.errors import Refusal

_NOTICE = "教育部年度毕业升级工作通知"


class NoSuchGrade(Refusal):
    code, status = "no_graduating_grade", 422
    rule, article = "R-GRD-01", _NOTICE
    message = _("{grade}不是本校的毕业年级，或该年级没有正常在校的学生。请核对学制和年级。")


class ListOpenAlready(Refusal):
    code, status = "graduation_list_open", 409
    rule, article = "R-GRD-01", _NOTICE
    message = _("{grade}已有一份未办结的毕业名单，请在该名单上继续办理。")


class WrongMoment(Refusal):
    code, status = "graduation_wrong_state", 409
    rule, article = "R-GRD-03", _NOTICE
    message = _("该毕业名单现为“{state}”，不能办理这一步，请刷新后查看。")


class GraduationClosed(Refusal):
    code, status = "graduation_closed", 409
    rule, article = "GRADUATION_WINDOW", _NOTICE
    message = _(
        "现在不是毕业办理时间，名单可以编制，但不能提交和确认；下次办理时间为{days}。{why}"
        "确需在其他时间办理的，由省级教育行政部门依据文件设定。"
    )


class ListChanged(Refusal):
    code, status = "graduation_list_changed", 409
    rule, article = "R-GRD-01", _NOTICE
    message = _("名单或学生状态在您打开之后有变化，请核对新的名单和人数后再提交。")


class NobodyGraduates(Refusal):
    code, status = "graduation_empty", 422
    rule, article = "R-GRD-01", _NOTICE
    message = _("名单上没有可以毕业的学生。请刷新名单，或取消“暂不毕业”的标记。")


class OutcomeNotHere(Refusal):
    code, status = "outcome_not_here", 422
    rule, article = "R-GRD-04", _NOTICE
    message = _("结业和肄业只适用于普通高中；义务教育阶段学生一律办理毕业。")


class ProblemsOpen(Refusal):
    code, status = "problem_records_open", 409
    rule, article = "R-PRB-05", "第九条"
    message = _(
        "有 {count} 名学生的问题学籍尚未处理：{listed}。请先处理，或将其标记为“暂不毕业”后办理其他学生。"
    )


class SamePerson(Refusal):
    code, status = "graduation_same_person", 403
    rule, article = "R-ACC-02", "第二十四条"
    message = _("编制或提交名单的人不能确认同一份名单，请由本校另一位学籍主管领导确认。")


class NeedsApproval(Refusal):
    code, status = "graduation_needs_approval", 409
    rule, article = "R-GRD-03", _NOTICE
    message = _("普通高中的毕业名单由学校申请、主管部门核准，不能由学校直接确认。请按申请提交。")


class ReasonNeeded(Refusal):
    code, status = "graduation_reason_needed", 422
    rule = "R-GRD-03"
    message = _("请写明原因（2 至 200 字）。")


class RowsUnclear(Refusal):
    code, status = "graduation_rows_unclear", 422
    rule = "R-GRD-01"
    message = _("没有选择学生，或没有说明要改什么。请勾选名单上的学生，并至少填写一项。")


class LaterSpell(Refusal):
    code, status = "graduate_went_on", 409
    rule, article = "R-GRD-06", _NOTICE
    message = _("该生已在{school}建立下一学段学籍，或没有有效的毕业记录，不能回退。")


class PrintedAlready(Refusal):
    code, status = "certificate_printed", 409
    rule, article = "R-GRD-07", "地方学籍管理规定"
    message = _("所选学生的毕业证书原件都已打印。原件只印一次；遗失或损坏的，请在毕业记录页申请毕业证明书。")


class CertificateVoid(Refusal):
    code, status = "certificate_void", 409
    rule, article = "R-GRD-06", _NOTICE
    message = _("该毕业记录已回退，证书编号永久作废，不能打印或补办。")


class ProofNotPossible(Refusal):
    code, status = "proof_not_possible", 409
    rule, article = "R-GRD-07", "地方学籍管理规定"
    message = _("毕业证书原件尚未打印，请先打印原件；毕业证明书只在原件遗失或损坏后出具。")


class DestinationKnown(Refusal):
    code, status = "destination_known", 409
    rule, article = "R-GRD-05", _NOTICE
    message = _("毕业去向已由升入学校回填，不再修改。")
