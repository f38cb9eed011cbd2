"""What a transfer must meet, each condition with its rule (R-TRF-06 to R-TRF-21). Conditions look at both
schools; they answer with an empty text, or with what is wrong and what to do.

Windows, freezes and bans are asked of the day of filing: a case runs under the rules that it began with.
"""

from datetime import date

from django.utils.translation import gettext as _

from accounts.models import Organization
from registry.codes import label
from registry.entries.reading import running_sanctions
from registry.models import Enrolment, IntakePlan
from registry.names import fold_name
from registry.record import school_year_start
from registry.services.intake_rules import quota_state, stage_of
from registry.services.seasons import (
    ban,
    first_term_ban,
    graduating_ban,
    graduating_freeze,
    transfer_freeze,
    window_closed,
)
from registry.status import LEFT, NORMAL, OPEN, STATUSES, SUSPENDED
from transfers.kind import Advice, Facts, Party, Requirement
from transfers.kinds.conditions import SEAT_FREE, SENIOR, no_problem
from transfers.kinds.grounds import GROUND_OF

# 5-4 junior 1 is the sixth year, 6-3 junior 1 the seventh: the only grades that may differ (R-TRF-09).
_OTHER_GRADES = {("5-4", "6-3", "21"): ("16", "21"), ("6-3", "5-4", "21"): ("21", "22")}
# 5-4 junior 4 has no grade of the same name in a 6-3 school, nor 6-3 primary 6 in a 5-4 school.
_LAST_GRADES = {"5-4": ("16",), "6-3": ("24",)}


def grades_open(grade: str, from_schooling: str, to_schooling: str) -> tuple[str, ...]:
    """The grades that a pupil of `grade` may enter at a school with the other length of stages."""
    found = _OTHER_GRADES.get((from_schooling, to_schooling, grade), (grade,))
    return tuple(one for one in found if one not in _LAST_GRADES[to_schooling])


def filed_on(facts: Facts) -> date:
    """The day whose windows and bans count: of filing, or of the paper where it is entered later."""
    paper = facts.asked("paper_on") if facts.asked("recorded_later") == "1" else ""
    return date.fromisoformat(paper or facts.payload["filed_on"])


def _spell(facts: Facts) -> Enrolment:
    assert facts.spell is not None, "the opening has found one"
    return facts.spell


# ── The pupil ────────────────────────────────────────────────────────────────────────────────────────────
def still_matches(facts: Facts) -> str:
    """The look-up compared number and name; afterwards nobody may have changed them."""
    if facts.case is None:
        return ""
    if fold_name(facts.case.open_card()["name"]) == facts.student.name_fold:
        return ""
    return _("该生姓名在发起后已变更（核验代码 2001），请撤回，按现姓名和学籍号重新查找后发起。")


def nothing_else_open(facts: Facts) -> str:
    """Another open business is refused by the constraint at filing; what remains is a record that was marked
    as left or moved meanwhile.
    """
    spell = _spell(facts)
    if spell.status == LEFT:
        return _("该生已被标记为“其他离校”（核验代码 2002），请监护人联系原学校处理后再办。")
    if spell.status not in OPEN or spell.org_path != facts.from_path:
        return _("该生学籍已不在原学校（状态“{status}”），请撤回后重新查找。").format(
            status=STATUSES[spell.status].name
        )
    return ""


def not_suspended(facts: Facts) -> str:
    status = _spell(facts).status
    if status == NORMAL or status not in OPEN:
        return ""  # an ended one is said above
    if status == SUSPENDED:
        return _("该生正在休学，休学期间不能转学。请先在原学校办理复学。")
    return _("该生学籍状态为“{status}”，须先在原学校恢复正常在校状态，再办转学。").format(
        status=STATUSES[status].name
    )


def another_school(facts: Facts) -> str:
    return (
        ""
        if facts.from_path != facts.to_path
        else _("该生学籍就在本校，不在此办理；请从其学籍页办理“调班”等业务。")
    )


# ── The place ────────────────────────────────────────────────────────────────────────────────────────────
def same_grade(facts: Facts) -> str:
    spell, school_class = _spell(facts), facts.school_class
    if school_class is None:
        return _("班级已停用或不属于本校，请重新选择班级。")
    able = grades_open(spell.grade, spell.school.school.schooling, school_class.school.schooling)
    if school_class.grade in able:
        return ""
    if not able:
        return _("该生现为{grade}，转入学校学制不同，没有可以转入的年级，请由主管部门另行安排学校。").format(
            grade=label("grade", spell.grade)
        )
    return _("该生现为{grade}，只能转入{able}；转学不得改变年级，所选班级为{chosen}。").format(
        grade=label("grade", spell.grade),
        able="、".join(label("grade", one) for one in able),
        chosen=label("grade", school_class.grade),
    )


def inside_quota(facts: Facts) -> str:
    school_class = facts.school_class
    if school_class is None:
        return ""
    stage = stage_of(school_class.grade)
    places = quota_state(school_class.school, stage, filed_on(facts), besides=facts.student.pk)
    if places is None or places.left:
        return ""
    said = _("该学段现有学籍 {taken} 人，总量 {most} 人。{why}请由主管部门另行安排学校。")
    return said.format(taken=places.taken, most=places.planned, why=places.why)


def inside_senior_plan(facts: Facts) -> str:
    """普通高中: at most the vacancies of the plan that this year group was taken in by."""
    school_class = facts.school_class
    if school_class is None or not school_class.grade.startswith(SENIOR):
        return ""
    year = school_year_start(filed_on(facts)).year - int(school_class.grade[1]) + 1
    plan = IntakePlan.objects.filter(
        school=school_class.school, school_year=year, stage=stage_of(school_class.grade)
    ).first()
    if plan is None:
        return Advice(
            _("系统中没有本校 {year} 年的普通高中招生计划，请核对转入后不超过原计划。").format(year=year)
        )
    group = Enrolment.objects.filter(org_path=facts.to_path, grade=school_class.grade, is_void=False)
    taken = group.filter(status__in=OPEN).exclude(student=facts.student).count()
    if taken < plan.planned:
        return ""
    return _(
        "{year}年普通高中招生计划 {planned} 人（{document}），本年级现有 {taken} 人，没有空余计划，不能转入。"
    ).format(year=year, planned=plan.planned, document=plan.document, taken=taken)


def score_reaches_line(facts: Facts) -> str:
    """普通高中: the entrance score is not below the receiver's line of that year. No exam is held for a
    transfer: there is no question for its marks (R-TRF-14).
    """
    if not _spell(facts).grade.startswith(SENIOR):
        return ""
    score, line = facts.asked("score"), facts.asked("line")
    if not score or not line:
        return _("普通高中学生转学，请填写中考（升学）成绩和转入学校当年的录取线。")
    if int(score) >= int(line):
        return ""
    return _("中考成绩 {score} 分，低于转入学校当年录取线 {line} 分，不能转入。").format(
        score=score, line=line
    )


def other_catchment(facts: Facts) -> str:
    """Catchments are drawn locally: the same division is a reason to look, not to refuse."""
    why = ban("TRANSFER_BAN_SAME_CATCHMENT", facts.to_path, filed_on(facts))
    paths = (facts.from_path, facts.to_path)
    places = set(Organization.objects.filter(path__in=paths).values_list("division", flat=True))
    if not why or len(places) > 1:
        return ""
    return Advice(_("两校在同一行政区划内，请核对是否属于同一学区（服务片区）。{why}").format(why=why))


# ── The time ─────────────────────────────────────────────────────────────────────────────────────────────
def inside_window(facts: Facts) -> str:
    return window_closed(facts.to_path, filed_on(facts))


def outside_freeze(facts: Facts) -> str:
    return transfer_freeze(facts.to_path, filed_on(facts))


def outside_graduating_freeze(facts: Facts) -> str:
    return graduating_freeze(facts.to_path, *_grade_then(facts), filed_on(facts))


def not_graduating(facts: Facts) -> str:
    return graduating_ban(facts.to_path, *_grade_then(facts), filed_on(facts))


def not_first_term(facts: Facts) -> str:
    return first_term_ban(facts.to_path, _grade_then(facts)[0], filed_on(facts))


def _grade_then(facts: Facts) -> tuple[str, str]:
    """Grade and length of stages at filing: a promotion in between changes neither ban."""
    return facts.payload["grade"], facts.payload["schooling"]


def not_under_sanction(facts: Facts) -> str:
    """What the family says, and what the old school has entered and not lifted."""
    is_entered = running_sanctions(facts.student).exists()
    if facts.asked("under_sanction") != "1" and not is_entered:
        return ""
    why = ban("TRANSFER_BAN_SANCTION", facts.to_path, filed_on(facts))
    return _("原学校登记的处分尚未解除。") + why if why and is_entered else why


# ── The ground ───────────────────────────────────────────────────────────────────────────────────────────
def ground_holds(facts: Facts) -> str:
    ground = GROUND_OF[facts.asked("reason")]
    return ground.check(facts, filed_on(facts)) if ground.check else ""


def card_is_there(facts: Facts) -> str:
    if not facts.payload["is_across"] or "22" in facts.evidence_types:
        return ""
    return _("跨省转学须上传原学校的学籍卡；由原学校在系统中打印即可。")


def is_wish_of_family(facts: Facts) -> str:
    if facts.asked("is_voluntary") == "1":
        return ""
    return _("学校不得要求学生转学。须由监护人自愿申请，请向监护人确认后如实填写。")


def entered_later(facts: Facts) -> str:
    """R-TRF-21: what was handled on paper while the system failed; the system is the truth in the end."""
    if facts.asked("recorded_later") != "1":
        return ""
    paper = filed_on(facts)
    if not _spell(facts).valid.lower <= paper <= date.fromisoformat(facts.payload["filed_on"]):
        return _("线下办理日期 {day} 不在该生在原学校就读期间内，请核对。").format(day=f"{paper:%Y-%m-%d}")
    return Advice(
        _("本件已于 {day} 线下办理，现补录入系统。请核对纸质转学申请表的签章、日期和补录原因。").format(
            day=f"{paper:%Y-%m-%d}"
        )
    )


_LAW, _LOCAL, _NOTICE = "第十五条", "地方学籍管理规定", "教育部年度毕业升级工作通知"
_COUNTY, _PROVINCE = Party.TAKE_OVER_AUTHORITY, Party.TAKE_OVER_PROVINCE
CONDITIONS = (
    Requirement("match", "号码与姓名一致", "R-TRF-08", _LAW, still_matches),
    Requirement("business", "没有其他在办业务，未标记离校", "R-TRF-06", _LAW, nothing_else_open),
    Requirement("problem", "不是问题学籍", "R-TRF-07", "第九条", no_problem),
    Requirement("suspended", "不在休学期间", "R-CHG-07", _LAW, not_suspended),
    Requirement("school", "转入另一所学校", "R-TRF-01", _LAW, another_school),
    Requirement("voluntary", "监护人自愿申请", "R-TRF-15", "《中华人民共和国义务教育法》", is_wish_of_family),
    Requirement("grade", "年级不变", "R-TRF-09", _LAW, same_grade),
    SEAT_FREE,
    Requirement("quota", "学籍总量未超", "R-TRF-10", "地方学籍总量规定", inside_quota),
    Requirement("plan", "在原招生计划内", "R-TRF-19", _LOCAL, inside_senior_plan),
    Requirement("score", "成绩达到录取线", "R-TRF-19", _LOCAL, score_reaches_line),
    Requirement("window", "在转学窗口内", "R-TRF-12", _LAW, inside_window, exempt=_COUNTY),
    Requirement("freeze", "不在全国停办期", "R-TRF-13", _NOTICE, outside_freeze, exempt=_PROVINCE),
    Requirement(
        "graduating_freeze",
        "毕业年级未停办",
        "R-TRF-13",
        _NOTICE,
        outside_graduating_freeze,
        exempt=_PROVINCE,
    ),
    Requirement("graduating", "不是毕业年级", "R-TRF-11", _LOCAL, not_graduating, exempt=_COUNTY),
    Requirement("first_term", "不是起始年级第一学期", "R-TRF-11", _LOCAL, not_first_term, exempt=_COUNTY),
    Requirement("sanction", "没有未解除的处分", "R-TRF-11", _LOCAL, not_under_sanction, exempt=_COUNTY),
    Requirement("catchment", "不在同一学区", "R-TRF-11", _LOCAL, other_catchment),
    Requirement("ground", "符合所选理由", "R-TRF-16", _LAW, ground_holds),
    Requirement("card", "跨省学籍卡", "R-TRF-16", _LAW, card_is_there),
    Requirement("recorded", "线下已办的补录", "R-TRF-21", _LAW, entered_later),
)
FREEZES = ("freeze", "graduating_freeze")
