"""Every objection to the plan of a change of school or office, as data (HANDBOOK B3, G-05, G-17)."""

from functools import partial

from django.utils.translation import gettext_lazy as _

from registry.findings import Objection

CODE_RULES = "《教育部学校（机构）代码管理办法》"
ARTICLE_ARCHIVES = "《中小学生学籍管理办法》（教基一〔2013〕7号）第九条"

_code = partial(Objection, rule="B3", article=CODE_RULES)
_closing = partial(Objection, rule="G-17", article=ARTICLE_ARCHIVES)

MISSING = _code("missing", _("请填写“{label}”。"), _("填写后再演练。"))
UNKNOWN = _code("unknown_choice", _("“{label}”不在可选范围内。"), _("请从列表中选择。"))
TOO_LONG = _code("too_long", _("“{label}”不得超过 {most} 个字。"), _("请缩短后再演练。"))
NO_DAY = _code("no_day", _("“{label}”不是今天或以前的日期。"), _("请按批复文件填写，如 2026-07-01。"))
NOT_BELOW = _code(
    "not_below", _("“{label}”不是本机关管理范围内现有的单位。"), _("请从列表中选择，跨范围的由共同上级办理。")
)
SAME_OFFICE = _code("same_office", _("“{label}”不能是被办理的单位自己或其下级。"), _("请重新选择。"))
OTHER_KIND = _code("other_kind", _("合并双方须是同类单位。"), _("学校与学校、同级机构与同级机构合并。"))
NAME_TAKEN = _code("name_taken", _("同一上级下已有名为“{name}”的单位。"), _("请核对批复文件上的名称。"))
SAME_NAME = _code("same_name", _("新名称与现名称相同。"), _("请填写批复文件上的新名称。"))
NOTHING_NEW = _code("nothing_new", _("没有任何变更。"), _("请填写要变更的项目。"))
CODE_FORM = _code("code_form", _("学校标识码应为 10 位数字。"), _("请按批复文件填写。"))
CODE_CATEGORY = _code(
    "code_category",
    _("标识码前两位“{digits}”不是中小学类别。"),
    _("小学 21、初中 31、高中 34、特教 51、专门 37。"),
)
CODE_PROVINCE = _code(
    "code_province", _("标识码第三、四位“{digits}”与所在省份（{province}）不符。"), _("请核对标识码。")
)
CODE_STAGES = _code(
    "code_stages", _("标识码类别与办学学段不符。"), _("小学只办小学；初中码含九年一贯制；高中码含完全中学。")
)
CODE_USED = _code(
    "code_used", _("代码“{code}”已使用过，作废的代码不得再用。"), _("请向省级主管部门申请新的代码。")
)
OFFICE_CODE_FORM = _code(
    "office_code_form", _("机构代码应为 6 位行政区划代码，且属于其上级。"), _("请核对代码。")
)
PATH_TAKEN = _code("path_taken", _("目标位置已有代码相同的单位：{names}。"), _("请先变更其代码，再办理。"))
NO_AUTHORITY = _code(
    "no_authority", _("“{label}”及其上级都不是学籍主管部门。"), _("请选择有学籍主管部门的上级。")
)
SAME_PARENT = _code("same_parent", _("该单位现在就由所选机构主管。"), _("请重新选择。"))
STAGES_MISSING = _code(
    "stages_missing",
    _("“{name}”不举办{stages}，不能接收该学段的在籍学生。"),
    _("请先为其办理关键信息变更（学段）。"),
)
SCHOOLING_DIFFERS = _code(
    "schooling_differs", _("两校学制不同（{here}、{there}），年级不能直接对应。"), _("请先统一学制，再合并。")
)
GUESTS_BETWEEN = _code("guests_between", _("两校之间有在办的借读。"), _("请先结束借读，再合并。"))
PUPILS_LEFT = _closing(
    "pupils_left",
    _("仍有 {count} 名学生的学籍在该单位，不能撤销。"),
    _("请先将学生全部转入其他学校，或办理合并。"),
)
OFFICES_LEFT = _closing(
    "offices_left", _("其下仍有 {count} 个单位，不能撤销。"), _("请先变更其主管部门，或办理合并。")
)
CUSTODY_SELF = _closing(
    "custody_self", _("档案须移交给另一个单位。"), _("请由县级教育行政部门指定接收档案的单位。")
)
