"""Objections to the form as a whole: missing, malformed and contradictory fields (HANDBOOK C1, C5, A14)."""

from __future__ import annotations

from functools import partial

from django.utils.translation import gettext_lazy as _

from registry.findings import Objection
from registry.objections import (
    ARTICLE_AGE,
    ARTICLE_BASIC,
    ARTICLE_DOCUMENT,
    ARTICLE_OVERSEAS,
    ARTICLE_SPECIAL,
    ARTICLE_TRUE,
)

_basic = partial(Objection, rule="C1", article=ARTICLE_BASIC)
_cross = partial(Objection, rule="C5", article=ARTICLE_TRUE)
_doubt = partial(Objection, rule="C5", article=ARTICLE_TRUE, level="warning")

# One field
MISSING = _basic("missing", _("“{label}”为必填项。"), _("请填写“{label}”。"))
NOT_IN_LIST = _basic(
    "not_in_list", _("“{label}”的值不在代码表中。"), _("请从下拉列表中选择，或填写代码表中的名称或代码。")
)
TOO_LONG = _basic("too_long", _("“{label}”超过{limit}个字。"), _("请缩短后重新填写。"))
CONTROL_CHARACTER = _basic(
    "control_character", _("“{label}”中有看不见的控制字符。"), _("请清空后用键盘重新输入。")
)
DATE_FORM = _basic("date_form", _("“{label}”不是一个真实的日期。"), _("请按年月日填写8位数字，如20190315。"))
MONTH_FORM = _basic("month_form", _("“{label}”不是一个真实的年月。"), _("请按年月填写6位数字，如202509。"))
VALIDITY_FORM = _basic(
    "validity_form",
    _("“{label}”的形式不正确。"),
    _("请按“起始日期-截止日期”填写，如20200101-20250101，或填写“长期”。"),
)
PHONE_FORM = _basic(
    "phone_form",
    _("“{label}”不是有效的电话号码。"),
    _("请填写11位手机号码，或带区号的固定电话，如0755-12345678；境外号码以+开头。"),
)
POSTCODE_FORM = _basic("postcode_form", _("“{label}”应为6位数字。"), _("请按所在地填写6位邮政编码。"))
EMAIL_FORM = _basic("email_form", _("“{label}”不是有效的电子邮箱。"), _("请核对后重新填写，或留空。"))
HOMEPAGE_FORM = _basic(
    "homepage_form", _("“{label}”不是有效的网址。"), _("请填写以http://或https://开头的网址，或留空。")
)
NUMBER_FORM = _basic("number_form", _("“{label}”应为不小于0的数字。"), _("请填写数字，如1.5。"))
PINYIN_FORM = _basic("pinyin_form", _("“{label}”只能有字母和空格。"), _("请用拼音字母填写，如ZHANG SAN。"))
DIVISION_FORM = _basic(
    "division_form", _("“{label}”应为12位（或6位）行政区划代码。"), _("请从区划列表中选择。")
)
DIVISION_UNKNOWN = _basic(
    "division_unknown",
    _("“{label}”的前六位不是现行或历史行政区划代码。"),
    _("请从区划列表中选择；区划已撤并的，选择现在的区划。"),
)

# Birth and age
BIRTH_FUTURE = Objection(
    "birth_future",
    _("出生日期晚于今天。"),
    _("请对照证件核对出生日期。"),
    rule="R-EST-06",
    article=ARTICLE_TRUE,
)
BIRTH_IMPLAUSIBLE = _cross(
    "birth_implausible", _("按出生日期，学生现为{age}岁，不可能在中小学就读。"), _("请对照证件核对出生日期。")
)
UNDER_AGE = Objection(
    "under_age",
    _(
        "未到入学年龄：小学一年级学生应在{cutoff}前（含当日）年满{entry_age}周岁，该生{birth}出生（{source}）。"
    ),
    _(
        "请核对出生日期；确未到龄的，待下一学年登记。依规定可提前入学的，由主管部门调整当地入学截止日期参数后再登记。"
    ),
    rule="R-EST-07",
    article=ARTICLE_AGE,
)
AGE_GRADE = _doubt(
    "age_grade",
    _("{grade}学生一般为{low}至{high}岁，该生按入学截止日期计为{age}岁。"),
    _("请核对出生日期和年级；情况属实的可以继续。"),
)
PARTY_AGE = _cross(
    "party_age",
    _("政治面貌为“{status}”的应年满{age}周岁。"),
    _("请核对政治面貌和出生日期；中小学生一般为“群众”。"),
)

# Enrolment
GRADE_UNKNOWN = _cross("grade_unknown", _("班级所属年级不在年级代码表中。"), _("请重新选择班级。"))
GRADE_NOT_OFFERED = _cross(
    "grade_not_offered", _("本校不举办{grade}所在的学段。"), _("请选择本校办学类型允许的班级。")
)
GRADE_DIFFERS = _cross(
    "grade_differs", _("所填年级与班级所属年级“{grade}”不一致。"), _("年级由班级决定，请改选班级。")
)
ENTRY_FUTURE = _cross(
    "entry_future", _("入学年月晚于本学年开始。"), _("请填写进入本学段一年级的年月，如202509。")
)
ENTRY_BEFORE_BIRTH = _cross(
    "entry_before_birth", _("入学年月早于出生日期。"), _("请核对入学年月和出生日期。")
)
ENTRY_GRADE = _doubt(
    "entry_grade",
    _("{grade}学生一般于{expected}年进入本学段，所填入学年月为{given}。"),
    _("入学年月是进入本学段（不是本校）一年级的年月，请核对；休学、跳级等情况属实的可以继续。"),
)
ADMISSION_STAGE = _cross(
    "admission_stage",
    _("“{label}”与学段不符：义务教育阶段为就近入学或其他，高中阶段为统一招生、体育特招、艺术特招或其他。"),
    _("请按所在学段重新选择入学方式。"),
)
BOUGHT_PLACE_PUBLIC = _cross(
    "bought_place_public",
    _("只有民办学校的学位才可由政府购买，本校不是民办学校。"),
    _("请将“是否由政府购买学位”改为“否”或留空。"),
)

# Nationality and overseas status
_overseas = partial(Objection, rule="A14", article=ARTICLE_OVERSEAS)
DOCUMENT_NATIONALITY = _overseas(
    "document_nationality",
    _("证件类型“{document}”与国籍/地区“{nationality}”不符。"),
    _("请对照证件核对证件类型和国籍/地区。"),
)
PASSPORT_CHINESE = _overseas(
    "passport_chinese",
    _("中国籍且非港澳台侨的学生一般应以居民身份证或户口簿登记。"),
    _("请核对；确无公民身份号码的可以继续，取得号码后再变更证件。"),
    level="warning",
)
OVERSEAS_NATIONALITY = _overseas(
    "overseas_nationality",
    _("港澳台侨外“{overseas}”与国籍/地区“{nationality}”不符。"),
    _("请核对：香港、澳门、台湾同胞应填相应地区，外国人不能填中国。"),
)
OVERSEAS_WITH_CITIZEN_CARD = _overseas(
    "overseas_with_citizen_card",
    _("持居民身份证或户口簿的学生，港澳台侨外不能为“{overseas}”。"),
    _("请将港澳台侨外改为“否”，或改填其港澳台或外国证件。"),
)
OVERSEAS_CITIZEN_DOUBT = _overseas(
    "overseas_citizen_doubt",
    _("持居民身份证的学生，港澳台侨外一般填“否”，现填“{overseas}”。"),
    _("请核对；情况属实的可以继续。"),
    level="warning",
)

# Special groups
_special = partial(Objection, rule="A14", article=ARTICLE_SPECIAL)
INCLUSIVE_WITHOUT_DISABILITY = _special(
    "inclusive_without_disability",
    _("填写了随班就读，但没有填写残疾类型。"),
    _("请按残疾人证或诊断证明选择残疾类型，或将随班就读改为“非随班就读”。"),
)
INCLUSIVE_DIFFERS = _special(
    "inclusive_differs",
    _("随班就读类别与残疾类型不一致。"),
    _("视力、听力、智力残疾分别对应同名的随班就读，其余残疾对应“其他残疾随班就读”。"),
)
DISABILITY_WITHOUT_INCLUSIVE = _special(
    "disability_without_inclusive",
    _("填写了残疾类型，但未登记为随班就读。"),
    _("请核对是否在普通班随班就读；不是的可以继续。"),
    level="warning",
)
HEALTH_WITHOUT_DISABILITY = _special(
    "health_without_disability",
    _("健康状况为“残疾”，但没有填写残疾类型。"),
    _("请补充残疾类型，或核对健康状况。"),
    level="warning",
)
MIGRANT_LOCAL = _doubt(
    "migrant_local",
    _("登记为进城务工人员随迁子女，但户口所在地就是学校所在县区。"),
    _("随迁子女的户口应在外省或本省外县；请核对，情况属实的可以继续。"),
)
LEFT_BEHIND_MIGRANT = _cross(
    "left_behind_migrant",
    _("不能同时登记为留守儿童和随迁子女。"),
    _("留守儿童留在户籍地，随迁子女随父母在就读地生活；请核对后只保留一项。"),
)
LEFT_BEHIND_ELSEWHERE = _doubt(
    "left_behind_elsewhere",
    _("登记为留守儿童，但户口不在学校所在县区。"),
    _("留守儿童应留在户籍所在地；请核对，情况属实的可以继续。"),
)
ORPHAN_LEFT_BEHIND = _doubt(
    "orphan_left_behind",
    _("同时登记为孤儿和留守儿童。"),
    _("留守儿童是父母外出务工的儿童；请核对，情况属实的可以继续。"),
)
ORPHAN_WITH_PARENT = _doubt(
    "orphan_with_parent",
    _("登记为孤儿，但家庭成员中有父亲或母亲。"),
    _("孤儿应有主管部门的证明；请核对家庭成员的关系。"),
)
DISTANCE_FAR = _doubt(
    "distance_far", _("上下学距离超过100公里。"), _("单位是公里，请核对；情况属实的可以继续。")
)
DOCUMENT_EXPIRED = Objection(
    "document_expired",
    _("身份证件已过有效期。"),
    _("登记应依据有效证件；请监护人换领后补录，其间可以继续。"),
    rule="R-EST-03",
    article=ARTICLE_DOCUMENT,
    level="warning",
)

# Family members
RELATION_EXPLANATION = _basic(
    "relation_explanation",
    _("关系为“非亲属”的须填写关系说明。"),
    _("请说明与学生的关系，如“福利院指定监护人”。"),
)
NO_GUARDIAN = _cross("no_guardian", _("至少须有一名家庭成员为监护人。"), _("请将一名家庭成员标为监护人。"))
FAMILY_NUMBER_MISSING = Objection(
    "family_number_missing",
    _("学生没有身份证件号码的，须填写一名家庭成员的身份证件类型和号码。"),
    _("请填写家庭成员一（或二）的身份证件类型和号码。"),
    rule="R-PRB-06",
    article=ARTICLE_DOCUMENT,
)
FAMILY_NUMBER_IS_PUPILS = _cross(
    "family_number_is_pupils",
    _("家庭成员的身份证件号与学生本人相同。"),
    _("请填写家庭成员自己的身份证件号。"),
)
FAMILY_NUMBER_TWICE = _cross(
    "family_number_twice",
    _("两名家庭成员的身份证件号相同。"),
    _("请分别填写各自的身份证件号。"),
)
FAMILY_ID_TYPE_MISSING = _basic(
    "family_id_type_missing",
    _("填写了身份证件号，但没有选择证件类型。"),
    _("请选择该家庭成员的身份证件类型。"),
)
FAMILY_SEX = _doubt(
    "family_sex",
    _("身份证件号表示的性别与关系“{relation}”不符。"),
    _("请核对关系和身份证件号；情况属实的可以继续。"),
)
FAMILY_NAME_IS_PUPILS = _doubt(
    "family_name_is_pupils", _("家庭成员的姓名与学生本人相同。"), _("请核对是否误填了学生本人。")
)
SAME_RELATION = _doubt(
    "same_relation", _("两名家庭成员的关系都是“{relation}”。"), _("请核对；情况属实的可以继续。")
)
GUARDIAN_PHONE_IS_SCHOOLS = _doubt(
    "guardian_phone_is_schools",
    _("监护人的电话与学校电话相同。"),
    _("请填写监护人本人的电话，以便紧急联系。"),
)
