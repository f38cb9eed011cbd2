"""What the form says beside its fields: the format rules of the field list, shortened, in Chinese."""

from django.utils.translation import gettext_lazy as _

# By field key; a second family member is asked like the first.
HINTS = {
    "name": _("与户口簿一致，间隔号、生僻字照原样"),
    "sex": _("须与身份证号第 17 位一致"),
    "birth_on": _("须与身份证号一致。如 20190315、2019-3-15"),
    "id_type": _("没有任何证件的选“其他”，并上传在校就读证明"),
    "id_number": _("类型为“其他”的可不填"),
    "birthplace": _("输入地名或 6 位区划代码后选择"),
    "native_place": _("如“广东深圳”"),
    "ethnic_group": _("外籍学生可不填"),
    "overseas_status": _("持居民身份证的选“否”"),
    "id_validity": _("如 20200101-20250101，或“长期”"),
    "hukou_division": _("户口簿首页所载地址的区划"),
    "former_name": _("更名后由系统登记"),
    "name_pinyin": _("可不填，系统按姓名生成；多音字请核对"),
    "auxiliary_number": _("省级学籍辅号，没有可不填"),
    "entry_month": _("进入本学段一年级的年月，如 202509"),
    "admission_mode": _("义务教育为就近入学或其他"),
    "current_address": _("详细到门牌号"),
    "phone": _("11 位手机号，或区号-号码"),
    "postcode": _("6 位数字"),
    "left_behind": _("父母外出务工连续 3 个月以上、留在户籍地"),
    "migrant_child": _("随务工父母在户籍县以外就读"),
    "orphan": _("选“是”须有主管部门证明"),
    "martyr_child": _("选“是”须有证明"),
    "government_bought_place": _("仅民办学校填写"),
    "disability": _("须与“随班就读”一致"),
    "commute_km": _("公里，可有小数"),
    "member1_relation_note": _("关系为“其他”时必填"),
    "member1_hukou_division": _("外籍人员可不填"),
    "member1_phone": _("不应填学校电话"),
    "member1_is_guardian": _("至少有一名监护人"),
    "member1_id_type": _("学生没有证件号码时必填"),
    "member1_id_number": _("学生没有证件号码时必填"),
}

# By widget, where a field has no words of its own.
TYPED_AS = {
    "division": _("输入地名或 6 位区划代码后选择"),
    "date": _("如 20190315、2019-3-15"),
    "month": _("如 202509"),
}

WIDE = frozenset(("current_address", "postal_address", "home_address", "address"))
NUMERIC = frozenset(("postcode", "number_in_class", "birth_on", "entry_month"))
# The same address is asked several times: field → the field its button copies from.
COPY_FROM = {
    "postal_address": "current_address",
    "home_address": "current_address",
    "member1_address": "current_address",
    "member2_address": "current_address",
    "hukou_division": "birthplace",
    "member1_hukou_division": "hukou_division",
    "member2_hukou_division": "hukou_division",
}
