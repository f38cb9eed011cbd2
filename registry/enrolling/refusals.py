"""Why a list of results, or a row of it, is not taken."""

from django.utils.translation import gettext_lazy as _

from config.errors import Refusal
from registry.findings import Objection

_RULE = "A7.3"
NO_SCHOOL = Objection(
    "admission_school", _("本单位管理范围内没有这所学校。"), _("请填学校标识码（10 位）。"), _RULE
)
NO_GRADUATE = Objection(
    "admission_pupil", _("本地没有对应的毕业生。"),
    _("请填学籍号，或姓名加毕业学校标识码；外地毕业的由录取学校办理升学入籍。"), "BASE_LIST_MATCH",
)  # fmt: skip
NAMESAKES = Objection(
    "admission_namesake", _("毕业学校有同名毕业生，不能确定是哪一位。"), _("请填学籍号。"), _RULE
)
NO_GRADE = Objection(
    "admission_grade", _("录取学校没有该生应升入的年级。"), _("请核对毕业年级、学制和录取学校。"), "R-GRD-09"
)
TWICE = Objection("admission_twice", _("同一学生在表中出现两次。"), _("请删去多余的一行。"), _RULE)
KNOWN = Objection("admission_known", _("该生已在这所学校的录取名单中。"), _("请删去本行。"), _RULE)


class ListFaulty(Refusal):
    code, status, rule = "admission_list_faulty", 422, _RULE
    message = _("表中有 {count} 处有误，没有导入任何学生。请按说明改正后重新上传。")


class ListForeign(Refusal):
    code, status, rule = "admission_list_foreign", 422, _RULE
    message = _("表头与模板不符，或没有数据。请下载本页的模板，不要增减、改名或移动列。")


class ListStopped(Refusal):
    code, status, rule = "admission_list_stopped", 409, _RULE
    message = _("核对已中止，没有导入任何学生。请重新上传。")


class AdmissionOver(Refusal):
    code, status, rule = "admission_over", 409, _RULE
    message = _("该生已报送、已入籍或已删除，不能再办理。请刷新后查看。")


class AdmissionUnclear(Refusal):
    code, status, rule = "admission_unclear", 422, _RULE
    message = _("请写明情况，至少 {count} 个字。")


class ClassUnfit(Refusal):
    code, status, rule = "admission_class", 422, _RULE
    message = _("所选班级不是本校在用的该年级班级，请重新选择。")


class NothingReady(Refusal):
    code, status, rule = "admission_none", 409, _RULE
    message = _("没有可以报送的学生：须先选好班级，重复招生的须先处理。")


class AuxiliaryOff(Refusal):
    code, status, rule = "auxiliary_off", 409, "AUXILIARY_NUMBERS"
    message = _("本地不编学籍辅号。如需编制，请由省级或县级教育行政部门启用。")


class ClassTooLarge(Refusal):
    code, status, rule = "auxiliary_used_up", 409, "D17"
    message = _("本班的学籍辅号序号已用完，请核对班级人数。")
