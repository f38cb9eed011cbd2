"""留级, 跳级, 降级就读: another grade at the same school (HANDBOOK A6; R-CHG-01)."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from audit.services import Actor
from config.rules import rule
from registry.services.changing import put_back
from registry.services.seasons import is_graduating, study_year, term_days
from registry.services.state_rules import (
    REPEAT,
    has_special_needs,
    pupils_in,
    repeated_grade,
    repeaters,
    times_repeated,
)
from registry.status import NORMAL
from transfers.asking import Ask
from transfers.kind import About, EvidenceNeed, Facts, Kind, Party, Requirement
from transfers.kinds.answers import class_asked, reopen
from transfers.kinds.conditions import COMPULSORY, NOT_FROZEN, SEAT_FREE
from transfers.kinds.effects import change_of, undo
from transfers.kinds.own_pupil import SCHOOL_AND_AUTHORITY, pupil_of
from transfers.kinds.state import (
    BY_GUARDIAN,
    ON_REQUEST,
    REQUEST_PAPER,
    RULE_2013,
    SAME_STAGE,
    STATEMENT,
    class_ask,
    filed_on,
    grade_asked,
    proposing,
    regrade,
)
from transfers.models import Case

GROUP = "年级调整"
_ART_12 = f"{RULE_2013}第十二条"
_FIRST_YEARS, _SENIOR_TWO, _SENIOR_THREE = ("11", "12"), "32", "33"


# ── 留级 ──────────────────────────────────────────────────────────────────────────────────────────────────
def repeat(case: Case, actor: Actor) -> None:
    """Into the class asked for; where the promotion came first and took that class along, back into the grade
    that she was to repeat.
    """
    assert case.student is not None
    promised = _promised(case.payload, case.to_path)
    if class_asked(case.to_path, case.payload["asked"]["class_id"]).grade == promised:
        regrade(case, actor, "02", basis="R-CHG-01")
    else:
        put_back(case.student, promised, change_of(case, "02", basis="R-CHG-01"), actor=actor)


def _promised(payload: Mapping[str, Any], path: str) -> str:
    filed = filed_on(payload)
    requested = payload["asked"].get("happened_on", "")
    return repeated_grade(
        payload["grade"], date.fromisoformat(requested) if requested else filed, path, filed
    )


def grade_repeated(facts: Facts) -> str:
    return _promised(facts.payload, facts.to_path)


def may_repeat(facts: Facts) -> str:
    """Never by order; in the compulsory years only where the province allows it, and not in every grade."""
    grade, spell = facts.payload["grade"], facts.spell
    if grade[0] not in COMPULSORY:
        barred = grade_repeated(facts) == _SENIOR_THREE
        return _("普通高中三年级学生不得留级。") if barred else ""
    held = rule("REPEAT_COMPULSORY", at=facts.to_path, on=filed_on(facts.payload))
    if not held.is_on:
        return _("义务教育阶段不得留级。{why}").format(why=held.explain())
    again = grade_repeated(facts)
    if spell and (again in _FIRST_YEARS or is_graduating(again, spell.school.school.schooling)):
        return _("一年级、二年级和毕业年级学生不得留级。")
    return ""


def seldom_enough(facts: Facts) -> str:
    held = rule("REPEAT_MOST", at=facts.to_path, on=filed_on(facts.payload))
    times = times_repeated(facts.student, grade_repeated(facts))
    if times < held.number:
        return ""
    return _("该生在本年级已留级 {times} 次。{why}").format(times=times, why=held.explain())


def few_enough(facts: Facts) -> str:
    """The share of repeaters in senior grade 2: those of this year and those whose cases go on before."""
    if grade_repeated(facts) != _SENIOR_TWO:
        return ""
    held = rule("REPEAT_SHARE_S2", at=facts.to_path, on=filed_on(facts.payload))
    requested = facts.day_asked("happened_on") or filed_on(facts.payload)
    # Before that day the pupils of the year before were still told.
    since = _last_early_day(facts, study_year(facts.to_path, requested))
    known = repeaters(facts.to_path, _SENIOR_TWO, since) + _waiting(facts)
    pupils = pupils_in(facts.to_path, facts.payload["grade"])
    if (known + 1) * 100 <= held.number * pupils:
        return ""
    said = _("高中二年级 {pupils} 人，已有 {known} 人留级，再留级 1 人将超过比例。")
    return said.format(pupils=pupils, known=known) + held.explain()


def _waiting(facts: Facts) -> int:
    """Repeats of the same school and grade that were filed before this one and are still open."""
    others = Case.objects.filter(
        kind=REPEAT, to_path=facts.to_path, is_open=True, payload__grade=facts.payload["grade"]
    )
    return others.filter(pk__lt=facts.case.pk).count() if facts.case else others.count()


def asked_before_year_end(facts: Facts) -> str:
    requested = facts.day_asked("happened_on")
    if requested is None:
        return ""
    if not grade_repeated(facts):
        return _("监护人的申请须在本学年或上学年提出，且留级年级须在本学段内。")
    path, filed = facts.to_path, filed_on(facts.payload)
    year = study_year(path, requested)
    held = rule("REPEAT_APPLY_DAYS", at=path, on=filed)
    last = held.days_before(term_days(path, year, "2")[1])
    if requested > last:
        return _("留级申请应在{last}前提出。").format(last=f"{last:%Y-%m-%d}") + held.explain()
    if study_year(path, filed) > year:
        return _early_in_year(facts, _("上学年提出的留级申请"))
    return ""


def into_repeated_grade(facts: Facts) -> str:
    if grade_asked(facts) == grade_repeated(facts):
        return ""
    return _("所选班级的年级不是该生要重读的年级，请重新选择班级。")


def _early_in_year(facts: Facts, what: str) -> str:
    last = _last_early_day(facts, study_year(facts.to_path, filed_on(facts.payload)))
    if filed_on(facts.payload) <= last:
        return ""
    return _("{what}应在学年初办理，本学年已于{last}截止。").format(what=what, last=f"{last:%Y-%m-%d}")


def _last_early_day(facts: Facts, year: int) -> date:
    """Early in the year is until the term for entering changes has passed since its first day."""
    held = rule("CHANGE_DEADLINE", at=facts.to_path, on=filed_on(facts.payload))
    return held.days_after(term_days(facts.to_path, year, "1")[0])


REPEATING = Kind(
    code=REPEAT,
    name="留级",
    prefix="LJ",
    article="2013年办法第十二条",
    started_by=Party.TAKE_OVER_SCHOOL,
    about=About.OWN_PUPIL,
    group=GROUP,
    summary="经监护人申请重读本年级；义务教育阶段一般不得留级。",
    statuses=(NORMAL,),
    asks=(
        Ask("happened_on", gettext_lazy("监护人申请日期"), "date", when="past"),
        ON_REQUEST,
        class_ask(gettext_lazy("编入班级"), gettext_lazy("要重读的年级的班级，升级前可选原班级")),
        STATEMENT,
    ),
    evidence=(REQUEST_PAPER,),
    open=pupil_of(NORMAL),
    reopen=reopen,
    requirements=(
        BY_GUARDIAN,
        Requirement("in_time", "学年结束前申请", "R-CHG-01", _ART_12, asked_before_year_end),
        Requirement("allowed", "可以留级的年级", "R-CHG-01", _ART_12, may_repeat),
        Requirement("grade", "编入重读的年级", "R-CHG-01", _ART_12, into_repeated_grade),
        Requirement("times", "留级次数", "REPEAT_MOST", _ART_12, seldom_enough),
        Requirement("share", "留级比例", "REPEAT_SHARE_S2", _ART_12, few_enough),
        NOT_FROZEN,
        SEAT_FREE,
    ),
    route=SCHOOL_AND_AUTHORITY,
    effect=repeat,
    undo=undo,
    proposes=proposing(),
)


# ── 跳级 ──────────────────────────────────────────────────────────────────────────────────────────────────
def skip(case: Case, actor: Actor) -> None:
    regrade(case, actor, "04", basis="SKIP_ALLOWED")


def may_skip(facts: Facts) -> str:
    held = rule("SKIP_ALLOWED", at=facts.to_path, on=filed_on(facts.payload))
    if not held.is_on:
        return _("本地不办理跳级。{why}").format(why=held.explain())
    return _early_in_year(facts, _("跳级"))


def not_from_last_grade(facts: Facts) -> str:
    spell = facts.spell
    if spell is None or not is_graduating(spell.grade, spell.school.school.schooling):
        return ""
    return _("毕业年级学生不得跳级。")


def one_grade_up(facts: Facts) -> str:
    held = facts.payload["grade"]
    if grade_asked(facts) == f"{held[0]}{int(held[1]) + 1}":
        return ""
    return _("跳级只能编入本校本学段的高一个年级，请重新选择班级。")


SKIPPING = Kind(
    code="skip",
    name="跳级",
    prefix="TJ",
    article="2013年办法第十二条",
    started_by=Party.TAKE_OVER_SCHOOL,
    about=About.OWN_PUPIL,
    group=GROUP,
    summary="学年初经监护人申请、学校测试，编入本校高一个年级。",
    statuses=(NORMAL,),
    asks=(
        ON_REQUEST,
        Ask("tested_on", gettext_lazy("学校测试日期"), "date", when="past"),
        class_ask(gettext_lazy("编入班级")),
        STATEMENT,
    ),
    evidence=(REQUEST_PAPER, EvidenceNeed("学校测试成绩证明", ("32",), "A6.1")),
    open=pupil_of(NORMAL),
    reopen=reopen,
    requirements=(
        BY_GUARDIAN,
        Requirement("allowed", "学年初可以跳级", "SKIP_ALLOWED", _ART_12, may_skip),
        Requirement("graduating", "不是毕业年级", "A6.1", _ART_12, not_from_last_grade),
        Requirement("grade", "高一个年级", "A6.1", _ART_12, one_grade_up),
        NOT_FROZEN,
        SEAT_FREE,
    ),
    route=SCHOOL_AND_AUTHORITY,
    effect=skip,
    undo=undo,
    proposes=proposing(),
)


# ── 降级就读 ──────────────────────────────────────────────────────────────────────────────────────────────
def lower(case: Case, actor: Actor) -> None:
    regrade(case, actor, "03", basis="A6.1")


def special_needs(facts: Facts) -> str:
    if has_special_needs(facts.student):
        return ""
    return _("降级就读只适用于特殊教育学生：学籍中没有登记残疾类型或随班就读，请先核实变更该项信息。")


def lower_grade(facts: Facts) -> str:
    if grade_asked(facts) < facts.payload["grade"]:
        return ""
    return _("降级就读须编入较低年级，请重新选择班级。")


LOWER_PLACEMENT = Kind(
    code="lower_grade",
    name="降级就读",
    prefix="JJ",
    article="2013年办法第十二条",
    started_by=Party.TAKE_OVER_SCHOOL,
    about=About.OWN_PUPIL,
    group=GROUP,
    summary="特殊教育学生经监护人申请，编入本校较低年级就读。",
    statuses=(NORMAL,),
    asks=(ON_REQUEST, class_ask(gettext_lazy("编入班级")), STATEMENT),
    evidence=(REQUEST_PAPER, EvidenceNeed("残疾人证或诊断证明", ("19", "15"), "A6.1")),
    open=pupil_of(NORMAL),
    reopen=reopen,
    requirements=(
        BY_GUARDIAN,
        Requirement("special", "特殊教育学生", "A6.1", _ART_12, special_needs),
        SAME_STAGE,
        Requirement("grade", "较低年级", "A6.1", _ART_12, lower_grade),
        NOT_FROZEN,
        SEAT_FREE,
    ),
    route=SCHOOL_AND_AUTHORITY,
    effect=lower,
    undo=undo,
    proposes=proposing(),
)
