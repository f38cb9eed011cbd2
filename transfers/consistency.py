"""国家一致性核验: why nothing can be filed for a pupil elsewhere, said before filing (HANDBOOK A5.3, list
cross_province_check_error). A refusal names the county to ask, never the school.
"""

from django.utils.translation import gettext_lazy as _

from config.errors import Refusal


class DoesNotMatch(Refusal):
    """2001: one sentence whether the number is unknown or the name another, so that nobody can try names."""

    code, status = "check_2001", 409
    rule, article = "R-TRF-08", "第十五条"
    message = _(
        "按所填号码和姓名没有查到学籍（核验代码 2001，学生信息有误）。请核对学籍号和姓名后重新查找："
        "已有 G 号的须填 G 号，尚无 G 号的可填 L 号、J 号或身份证件号。"
        "仍查不到的，请监护人到原就读学校核实，信息有误的由原学校更正后再办。"
    )


class OpenElsewhere(Refusal):
    """2002, first half."""

    code, status = "check_2002", 409
    rule, article = "R-TRF-06", "第十五条"
    message = _(
        "该生在{place}有在办业务（核验代码 2002），办结以前不能再发起。"
        "请监护人向{place}学籍主管部门或原学校询问进度，待其办结或撤回后再办。"
    )


class EnrolledElsewhere(OpenElsewhere):
    """2002 of a graduate whom another school enrols: the way on is a claim (重复招生, A7.3)."""

    rule, article = "A7.3", "教育部年度毕业升级工作通知"
    message = _(
        "{place}已有学校在办理该生的升学入籍（核验代码 2002，重复招生）。该生实际在贵校就读的，"
        "请在“转入与借读”选择“重复招生核实”，上传在校就读证明，由主管部门裁定由哪所学校录取；"
        "不在贵校就读的，不必再办。"
    )


class MarkedAsLeft(Refusal):
    """2002, second half."""

    code, status = "check_2002", 409
    rule, article = "R-TRF-06", "第十五条"
    message = _(
        "该生在{place}已被标记为“其他离校”（核验代码 2002），不能发起。"
        "请监护人联系原学校，由其报{place}学籍主管部门处理后再办。"
    )


class ProblemFirst(Refusal):
    """2003."""

    code, status = "check_2003", 409
    rule, article = "R-TRF-07", "第九条"
    message = _(
        "该生是问题学籍（核验代码 2003），处理完毕以前不能转学；不影响上学。"
        "请监护人联系{place}的原学校，由原学校处理并由其主管部门销号后再办。"
    )


class StatusEnded(Refusal):
    """Found, but there is no status left that could be moved."""

    code, status = "pupil_status_ended", 409
    rule, article = "R-TRF-08", "第十五条"
    message = _("该生学籍状态为“{status}”，没有可以转接的学籍。升入新学段的请办理学籍注册。")


class FoundExpired(Refusal):
    code, status = "found_expired", 409
    rule = "R-TRF-08"
    message = _("查找结果已超过 {minutes} 分钟，或不是您本人查到的。请重新按号码和姓名查找。")
