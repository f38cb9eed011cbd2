"""What a whole workbook can have against a row: duplicates inside the file and in the country, continuations,
seats. The form's own objections stand in registry.objections and objections_form.
"""

from functools import partial

from django.utils.translation import gettext_lazy as _

from registry.findings import Objection
from registry.objections import ARTICLE_DOCUMENT, ARTICLE_TRUE

# Codes begin with "batch_": these findings change with the other rows and are found anew by each comparison.
PREFIX = "batch_"
_double = partial(Objection, rule="R-EST-05", article=ARTICLE_TRUE)
_former = partial(Objection, rule="R-EST-08", article=ARTICLE_TRUE)

SAME_NUMBER_IN_FILE = _double(
    "batch_same_number_in_file",
    _("与第{first}行的身份证件号相同。"),
    _("请核对两行是否为同一学生：重复的删去一行，填错的改正号码。"),
)
SAME_PERSON_IN_FILE = _double(
    "batch_same_person_in_file",
    _("与第{first}行的姓名、性别、出生日期相同，且至少一行没有证件号。"),
    _("同一学生请删去一行；确为两人的，请写明依据。"),
)
TWIN_IN_FILE = _double(
    "batch_twin_in_file",
    _("与第{first}行的姓名、性别、出生日期相同，证件号不同。"),
    _("请再核对一次；确为两人的不必改动。"),
    level="warning",
)
NUMBER_TAKEN = _double(
    "batch_number_taken",
    _("该证件号码已有学籍,请按转学或问题学籍办理。"),  # one fixed sentence (AZ-9)
    _("先核对号码；号码无误的，不能新建，请按转学或问题学籍办理。"),
)
SAME_PERSON = _former(
    "batch_same_person",
    _("全国已有同名、同性别、同出生日期的学籍，且本行没有证件号可区分。"),
    _("同一人请按转学或接续办理；确认不是同一人的，请写明依据。"),
)
NAMESAKE = _former(
    "batch_namesake",
    _("全国已有同名、同性别、同出生日期的学籍，证件号不同。"),
    _("请并排核对；确认不是同一人的不必改动。"),
    level="warning",
)
SOUNDS_ALIKE = _former(
    "batch_sounds_alike",
    _("全国已有姓名读音相同、同日出生的学籍。"),
    _("请并排核对，防止姓名用字写错造成重复。"),
    level="warning",
)
FORMER_PUPIL = _former(
    "batch_former_pupil",
    _("该生已有结束的学籍（{status}），不能另建一条。"),
    _("请点“接续原学籍”，或在“学籍接续标识”列填“是”。"),
)
CONTINUES = _former(
    "batch_continues",
    _("将接续该生原有学籍（{status}），沿用原学籍号。"),
    _("请并排核对新旧信息。"),
    level="warning",
)
NOTHING_TO_CONTINUE = _former(
    "batch_nothing_to_continue",
    _("学籍接续标识填了“是”，但没有找到该证件号码已结束的学籍。"),
    _("请核对证件号码；确系首次入学的，请把学籍接续标识改为“否”。"),
)
CONTINUES_OTHER_NAME = _former(
    "batch_continues_other_name",
    _("姓名与原学籍登记的不一致。"),
    _("请核对姓名；确已改名的，先按原姓名接续，注册后另办关键数据变更。"),
)
CANNOT_CONTINUE = _former(
    "batch_cannot_continue",
    _("该生原学籍状态为“{status}”，不能接续。"),
    _("请联系主管部门核实。"),
)
CONTINUES_LATE = Objection(
    "batch_continues_late",
    _("入学已超过{deadline}，升学信息未按期更新，将标记为逾期。"),
    _("可以继续提交；逾期情况会计入统计。"),
    rule="R-UPD-03",
    article="《中小学生学籍管理办法》第七条",
    level="warning",
)
CLASS_FULL = Objection(
    "batch_class_full",
    _("{name}现有 {taken} 人，班额上限 {cap} 人，本行及以后的学生没有空位。{why}"),
    _("请改到其他班级，或由主管部门允许超班额。"),
    rule="C5",
    article="国家班额标准",
)
CLASS_UNKNOWN = Objection(
    "import_class_unknown",
    _("班级“{given}”不在本校在用班级之列。"),
    _("请填写本校班级管理中的班号，如 {example}。"),
    rule="R-EST-11",
    article=ARTICLE_DOCUMENT,
)
CLASS_CLOSED = Objection(
    "batch_class_closed",
    _("{name}已停用，不能安排新生。"),
    _("请改到在用的班级。"),
    rule="R-EST-11",
    article=ARTICLE_DOCUMENT,
)
BEYOND_PLAN = Objection(
    "batch_beyond_plan",
    _("已注册新生 {taken} 人，计划 {planned} 人，本行及以后的学生超出计划。{why}"),
    _("请向主管部门申请调整招生计划。"),
    rule="INTAKE_PLAN",
    article="地方招生入学规定",
)
BEYOND_QUOTA = Objection(
    "batch_beyond_quota",
    _("该学段现有学籍 {taken} 人，总量 {planned} 人，本行及以后的学生超出总量。{why}"),
    _("请向主管部门申请调整学籍总量。"),
    rule="QUOTA",
    article="地方学籍总量规定",
)
NOT_ON_BASE_LIST = Objection(
    "batch_not_on_base_list",
    _("小升初底表中没有与该生对应的小学毕业生。{why}"),
    _("请核对姓名和证件号；外地小学毕业的，请联系主管部门。"),
    rule="BASE_LIST_MATCH",
    article="地方招生入学规定",
)
OMITTED = Objection(
    "batch_omitted",
    _("非起始年级，或注册已截止：按补录办理，由县级核准。"),
    _("请备好原学籍卡和加盖学校公章的补录申请，供核准时查验。"),
    rule="R-EST-13",
    article="地方学籍管理规定",
    level="warning",
)
