"""What a verification looks for, as data: which of the four checks, in words, and what to do (R-VER-02)."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy

from registry.codes import label
from registry.fields import BY_KEY

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

# The four checks of 学籍核准 (R-VER-02).
CHECKS = {
    "present": _lazy("人籍一致"),
    "papers": _lazy("变动材料齐全"),
    "basic": _lazy("基本信息准确"),
    "changes": _lazy("变动信息准确"),
}


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of finding. `by_run`: a run writes it and closes it when it finds it no longer."""

    code: str
    check: str
    label: "StrOrPromise"
    remedy: "StrOrPromise"
    by_run: bool = True


KINDS: dict[str, Kind] = {
    kind.code: kind
    for kind in (
        Kind("data", "basic", _lazy("必填信息缺失"), _lazy("对照确认表补全所列项目，关键数据走变更业务。")),
        Kind("guardian", "basic", _lazy("没有监护人"), _lazy("登记至少一名监护人。")),
        Kind("document", "basic", _lazy("没有有效证件"), _lazy("补登身份证件；确无证件的按无证件学生办理。")),
        Kind(
            "photo",
            "basic",
            _lazy("学生没有照片"),
            _lazy("建档期限已过仍无照片：在“照片采集”中按班上传；转入的先接收移交的档案。"),
        ),
        Kind("age", "basic", _lazy("年龄与年级不符"), _lazy("对照证件核对出生日期和年级，属实的说明情况。")),
        Kind("class_over", "basic", _lazy("班额超限"), _lazy("调整编班，或由主管部门许可增加学位。")),
        Kind("problem", "basic", _lazy("问题学籍未销号"), _lazy("在“问题学籍”中佐证、变更或删除。")),
        Kind("duplicate", "basic", _lazy("疑似重复学籍"), _lazy("与线索的另一方核对，排除或转为问题学籍。")),
        Kind("no_class", "changes", _lazy("在校未编班"), _lazy("将学生编入班级。")),
        Kind("pending", "changes", _lazy("待核准超过期限"), _lazy("催办注册业务，或撤回后重新办理。")),
        Kind("suspension", "changes", _lazy("休学期满未办理"), _lazy("办理复学、延长休学或其他变动。")),
        Kind("unmoved", "changes", _lazy("年级未变动"), _lazy("核对入学年月和年级；留级的补办手续。")),
        Kind("paper", "papers", _lazy("变动无材料"), _lazy("补传变动的证明材料，供主管部门核对。")),
        Kind("unreported", "present", _lazy("全班未作报到登记"), _lazy("由班主任完成本学期报到登记。")),
        Kind("absent", "present", _lazy("本学期未报到"), _lazy("联系监护人核实去向，按实际情况办理。")),
        Kind("vacant", "present", _lazy("疑似空挂"), _lazy("两学期未到校：核实后办理休学、转学或辍学登记。")),
        Kind(
            "separated",
            "present",
            _lazy("疑似人籍分离"),
            _lazy("学籍转到就读学校，或学生回到学籍所在学校。"),
            by_run=False,
        ),
        Kind(
            "unlisted",
            "present",
            _lazy("在班就读但无学籍"),
            _lazy("逐人查明学籍所在：转入学籍，让学生回到学籍所在学校，或新建学籍。"),
            by_run=False,
        ),
        Kind("sample", "present", _lazy("抽查不符"), _lazy("按抽查意见整改并说明。"), by_run=False),
    )
}
SEPARATED = "separated"  # said by rolls alone; a run only closes it when the pupil has left
BY_RUN = [kind.code for kind in KINDS.values() if kind.by_run]

# The nine offences for which a school or office is ordered to correct (2025 第二十六条, HANDBOOK A13).
OFFENCES: dict[int, "StrOrPromise"] = {
    1: _lazy("未按规定为合法入学的学生建立学籍档案"),
    2: _lazy("以虚假信息建立学籍"),
    3: _lazy("未将学籍变动及时记入档案"),
    4: _lazy("未按规定报告义务教育阶段学生辍学"),
    5: _lazy("未按规定办理学生转学"),
    6: _lazy("未按规定转接学籍档案"),
    7: _lazy("泄露或者非法使用学籍信息"),
    8: _lazy("玩忽职守造成严重后果"),
    9: _lazy("其他违反学籍管理规定的行为"),
}


def said(kind: str, facts: dict[str, Any]) -> str:
    """What was found, in words; of codes and counts only."""
    if kind == "data":
        names = [BY_KEY[key].label_zh for key in facts.get("fields", ()) if key in BY_KEY]
        return _("缺：{names}").format(names="、".join(names))
    if kind == "age":
        return _("按入学截止日期计 {age} 岁，该年级一般为 {low} 至 {high} 岁").format(**facts)
    if kind == "class_over":
        return _("{pupils} 人，上限 {cap} 人").format(**facts)
    if kind == "problem":
        return "、".join(label("problem_record_type", code) for code in facts.get("types", ()))
    if kind == "suspension":
        return _("{until} 期满").format(**facts)
    if kind == "unmoved":
        return _("按入学年月应为本学段第 {expected} 年级，现为第 {now} 年级").format(**facts)
    if kind in ("unlisted", "unreported", "photo"):
        return _("{pupils} 人").format(**facts)
    return ""
