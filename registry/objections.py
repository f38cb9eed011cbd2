"""Every objection the registry makes to a pupil's data: code, sentence, remedy, rule and article, as data.

Grouped as a clerk meets them: identity document, name, numbers, the form as a whole. Rules are ids of the
handbook; "C1", "C5", "A14", "B1", "B3" name its sections where it gives no id.
"""

from __future__ import annotations

from functools import partial

from django.utils.translation import gettext_lazy as _

from registry.findings import Objection

ARTICLE_BASIC = "《中小学生学籍管理办法》第三条"
ARTICLE_DOCUMENT = "《中小学生学籍管理办法》第六条"
ARTICLE_NUMBER = "《中小学生学籍管理办法》第八条"
ARTICLE_TRUE = "《中小学生学籍管理办法》第九条"
ARTICLE_OVERSEAS = "《中小学生学籍管理办法》第十条"
ARTICLE_SPECIAL = "《中小学生学籍管理办法》第十四条"
ARTICLE_AGE = "《中华人民共和国义务教育法》第十一条"

_document = partial(Objection, rule="R-EST-03", article=ARTICLE_DOCUMENT)
_false = partial(Objection, rule="R-EST-06", article=ARTICLE_TRUE)
_name = partial(Objection, rule="FI-6", article=ARTICLE_BASIC)

SEX_WORDS = {"1": _("男"), "2": _("女")}
FORMS_IN_WORDS = {
    "2": _("5至20位汉字、字母或数字"),
    "3": _("5至20位汉字、字母或数字"),
    "4": _("5至20位汉字、字母或数字"),
    "5": _("5至20位汉字、字母或数字"),
    "6": _("7至12位字母和数字"),
    "7": _("7至12位字母和数字"),
    "8": _("8位数字（旧版为10位数字，可加1位字母）"),
    "9": _("5至20位字母和数字"),
    "A": _("5至17位字母和数字"),
    "C": _("H或M加8位数字（旧版另加2位换证次数）"),
    "F": _("3位国籍代码加12位数字，或以9开头的18位号码"),
    "G": _("6至17位字母和数字"),
}

# Identity document (HANDBOOK B2, SECURITY FI-7)
ID_TYPE_UNKNOWN = _document(
    "id_type_unknown", _("身份证件类型不在代码表中。"), _("请从下拉列表中选择证件类型。")
)
ID_NUMBER_MISSING = _document(
    "id_number_missing",
    _("未填写身份证件号。"),
    _("请按所出示的有效证件填写；确无证件号码的，证件类型选“其他”，并填写家庭成员的身份证件号。"),
)
ID_FIFTEEN_DIGITS = _document(
    "id_fifteen_digits",
    _("15位的旧身份证号码不能用于学籍登记。"),
    _("请按居民户口簿或第二代居民身份证填写18位公民身份号码。"),
)
ID_FORM = _document(
    "id_form",
    _("身份号码应为18位：前17位为数字，末位为数字或X；现为{count}位或含有其他字符。"),
    _("请对照证件逐位核对后重新填写。"),
)
ID_OTHER_FORM = _document(
    "id_other_form",
    _("证件号码的形式与所选证件类型不符，应为：{form}。"),
    _("请核对证件类型和号码；选错类型的，请改选。"),
)
ID_PERMIT_PREFIX = _document(
    "id_permit_prefix",
    _("该类居住证的号码应以{prefixes}开头。"),
    _("请核对证件：港澳居民居住证以810000、820000开头，台湾居民居住证以830000开头。"),
)
ID_IS_RESIDENCE_PERMIT = _document(
    "id_is_residence_permit",
    _("以81、82、83开头的是港澳台居民居住证号码，不是居民身份证号码。"),
    _("请将证件类型改为“港澳居民居住证”或“台湾居民居住证”。"),
)
ID_IS_FOREIGN_CARD = _document(
    "id_is_foreign_card",
    _("以9开头的是外国人永久居留身份证号码，不是居民身份证号码。"),
    _("请将证件类型改为“外国人永久居留身份证”。"),
)
ID_TYPE_OTHER_BUT_CITIZEN = _document(
    "id_type_other_but_citizen",
    _("填写的是公民身份号码，但证件类型选了“其他”。"),
    _("请将证件类型改为“居民身份证”或“户口簿”；没有号码的，请将号码留空。"),
)
ID_PASSPORT_NATIONALITY = _document(
    "id_passport_nationality", _("持护照登记须填写国籍/地区。"), _("请按护照填写国籍/地区。")
)
ID_PROVINCE = _false(
    "id_province",
    _("身份号码的前两位“{prefix}”不是任何省级行政区划代码。"),
    _("请对照证件核对；确与证件一致的，可上传证件以“存疑”登记，由主管部门核实。"),
    disputable=True,
)
ID_DIVISION_UNKNOWN = _false(
    "id_division_unknown",
    _("身份号码的前六位“{prefix}”不在现行和历史行政区划代码中。"),
    _("请对照证件核对；与证件一致的可以继续。"),
    level="warning",
)
ID_BIRTH_IMPOSSIBLE = _false(
    "id_birth_impossible",
    _("身份号码第7至14位不是一个真实的日期。"),
    _("请对照证件逐位核对出生日期部分。"),
)
ID_BIRTH_FUTURE = _false(
    "id_birth_future", _("身份号码中的出生日期晚于今天。"), _("请对照证件逐位核对出生日期部分。")
)
ID_BIRTH_CONTRADICTS = _false(
    "id_birth_contradicts",
    _("出生日期{given}与身份号码中的{in_number}不一致。"),
    _("请对照证件改正出生日期或身份号码；证件本身有误的，请监护人先到公安机关更正。"),
)
ID_SEX_CONTRADICTS = _false(
    "id_sex_contradicts",
    _("所填性别与身份号码不一致：号码第17位表示{in_number}性。"),
    _("请对照证件改正性别或身份号码。"),
)
ID_CHECK_DIGIT = _false(
    "id_check_digit",
    _("身份号码的校验位不正确，号码中可能有一位填错。"),
    _("请对照证件逐位核对；确与证件一致的，可上传证件以“存疑”登记，转为问题学籍处理，不影响学生入学。"),
    disputable=True,
)

# Name (SECURITY FI-6)
NAME_MISSING = _name("name_missing", _("未填写姓名。"), _("请按户口簿或有效证件填写姓名。"))
NAME_TOO_LONG = _name(
    "name_too_long", _("姓名超过{limit}个字。"), _("请核对是否误填了其他内容；应与户口簿一致。")
)
NAME_INVISIBLE = _name(
    "name_invisible",
    _("姓名中有看不见的字符（{code_points}）。"),
    _("这类字符多由复制粘贴带入，请清空后用键盘重新输入。"),
)
NAME_EMOJI = _name(
    "name_emoji", _("姓名中不能有表情符号（{code_points}）。"), _("请删去表情符号，按户口簿填写。")
)
NAME_DIGIT = _name("name_digit", _("姓名中不能有数字（{characters}）。"), _("请删去数字，按户口簿填写。"))
NAME_SYMBOL = _name(
    "name_symbol",
    _("姓名中有不能使用的符号（{characters}）。"),
    _("汉字姓名只用汉字；少数民族姓名各部分之间用间隔号“·”；外文姓名可用空格、连字符和撇号。"),
)
NAME_LOST_CHARACTER = _name(
    "name_lost_character",
    _("姓名中有代替字的符号（{characters}），原字可能在转换中丢失。"),
    _("请按户口簿输入原字；生僻字可用手写、部件或编码输入，不要用问号或方框代替。"),
)
NAME_BLANK = _name("name_blank", _("汉字姓名中间不能有空格。"), _("请删去空格，姓与名连写。"))
NAME_INTERPUNCT = _name(
    "name_interpunct",
    _("间隔号“·”不能在姓名的开头、末尾或连续出现。"),
    _("请只在姓名各部分之间保留一个间隔号。"),
)
NAME_MARKS = _name(
    "name_marks",
    _("姓名中的附加符号没有附在字母上，或叠加过多。"),
    _("请清空后用键盘重新输入，与证件一致。"),
)
_look = partial(_name, level="warning")
NAME_LOOKALIKE = _look(
    "name_lookalike",
    _("姓名里混有形似的其他文字（{characters}）。"),
    _("请核对是否应为汉字或同一种字母；与证件一致的可以继续。"),
)
NAME_PRIVATE_USE = _look(
    "name_private_use",
    _("姓名中有自造字（{code_points}），在其他系统中可能无法显示。"),
    _("该字如已收入国家标准GB 18030，请改用标准编码输入；未收入的可以继续。"),
)
NAME_DESCRIBED = _look(
    "name_described",
    _("姓名中的生僻字是用部件拼写的（{characters}）。"),
    _("该字如已收入国家标准GB 18030，请直接输入；未收入的可以继续。"),
)
NAME_SINGLE = _look("name_single", _("姓名只有一个字。"), _("请核对是否漏填；与证件一致的可以继续。"))

# Numbers the system gives (HANDBOOK B1, B3)
_number = partial(Objection, rule="R-NUM-01", article=ARTICLE_NUMBER)
STATUS_NUMBER_FORM = _number(
    "status_number_form",
    _("学籍号应为19位：以G、L或J开头，后接18位数字（末位可为X）。"),
    _("请核对后重新填写，不要带空格或其他符号。"),
)
STATUS_NUMBER_CHECK = _number(
    "status_number_check_digit",
    _("学籍号的校验位不正确，号码中可能有一位填错。"),
    _("请逐位核对；以L开头的临时学籍号没有校验位。"),
)
_school = partial(Objection, rule="B3", article=ARTICLE_BASIC)
SCHOOL_CODE_FORM = _school(
    "school_code_form", _("学校标识码应为10位数字。"), _("请按学校（机构）代码核对后重新填写。")
)
SCHOOL_CODE_CATEGORY = _school(
    "school_code_category",
    _("学校标识码的前两位“{category}”不是办学类别代码。"),
    _("请核对：小学21、普通初中31、普通高中34、专门学校37、特殊教育51。"),
)
SCHOOL_CODE_PROVINCE = _school(
    "school_code_province",
    _("学校标识码的第3、4位“{province}”不是省级行政区划代码。"),
    _("请按学校（机构）代码核对后重新填写。"),
)
SCHOOL_CODE_OTHER = _school(
    "school_code_other",
    _("学校标识码与登记学校不一致。"),
    _("只能为本校学生登记；请改用本校的标识码或由学生所在学校登记。"),
)
