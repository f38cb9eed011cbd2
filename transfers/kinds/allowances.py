"""招生计划、学籍总量的调整: the school asks with a document, its authority decides, a quota is also filed
with the city (A7.3, D7).
"""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy

from accounts.models import Organization, User
from accounts.roles import Right
from audit.services import Actor
from config.clock import today
from registry.codes import label
from registry.models import IntakePlan, School, StatusQuota
from registry.queries.allowances import stages_of
from registry.services.allowances import Signed, check_figure, school_year, write_plan, write_quota
from registry.services.intake_rules import entrants, members, quota_state
from transfers.asking import Ask, Asking, Choices, take_answers
from transfers.kind import Advice, Facts, Kind, Party, Proposed, Requirement, Stop, Subject
from transfers.kinds.effects import undo
from transfers.models import Case, Step

PLAN, QUOTA = "plan", "quota"
_SOURCE = "地方招生入学与学籍总量规定"
WHAT = ((PLAN, _lazy("招生计划")), (QUOTA, _lazy("学籍总量")))


def what(asking: Asking) -> Choices:
    return [(code, str(name)) for code, name in WHAT]


def years(asking: Asking) -> Choices:
    year = school_year(today())
    return [(str(one), _("{year}学年").format(year=one)) for one in (year, year + 1)]


def stages(asking: Asking) -> Choices:
    return stages_of(asking.office.school)


def is_plan(answers: Mapping[str, str]) -> bool:
    return answers.get("what") == PLAN


def open_request(
    school: Organization, *, payload: dict[str, Any], actor: User, answers: dict[str, str]
) -> Subject:
    """Keep what is asked for: about a school, so nothing of it is personal. Raises AllowanceRefused."""
    _keep(school, payload, answers)
    return Subject()


def reopen_request(case: Case, given: dict[str, Any], actor: User) -> None:
    """After a return: other answers in the place of the former; without any those stay."""
    if "answers" not in given:
        return
    office = Organization.objects.get(path=case.to_path)
    _keep(office, case.payload, take_answers(ALLOWANCE_CHANGE, given["answers"], Asking(office)))


def _keep(office: Organization, payload: dict[str, Any], answers: dict[str, str]) -> None:
    school = office.school
    check_figure(school, answers["stage"], int(answers["figure"]), answers["basis"])
    asking = Asking(office)
    chosen = [ask for ask in ALLOWANCE_CHANGE.asks if ask.options and answers.get(ask.key)]
    payload |= {
        "asked": answers,
        "words": {ask.key: str(dict(ask.options(asking))[answers[ask.key]]) for ask in chosen if ask.options},
        "was": _figure_now(school, answers),
        "taken": _taken(school, answers),
        "count": int(answers["figure"]),
    }


def _figure_now(school: School, answers: Mapping[str, str]) -> int | None:
    if is_plan(answers):
        plans = IntakePlan.objects.filter(school=school, school_year=int(answers["school_year"]))
        return plans.filter(stage=answers["stage"]).values_list("planned", flat=True).first()
    quotas = StatusQuota.objects.filter(school=school, stage=answers["stage"])
    return quotas.values_list("most", flat=True).first()


def _taken(school: School, answers: Mapping[str, str]) -> int:
    path = school.organization.path
    if is_plan(answers):
        return entrants(path, int(answers["school_year"]), answers["stage"])
    return members(path, answers["stage"])


def set_figure(case: Case, actor: Actor) -> None:
    """The effect: the figure with its document, signed by who decided for the authority. Safe to repeat."""
    school = School.objects.select_related("organization").get(organization__path=case.to_path)
    asked, step = case.payload["asked"], _decided(case)
    assert step.decided_by is not None
    signed, figure = Signed(step.decided_by, step.office_name), int(asked["figure"])
    stage, document = asked["stage"], asked["basis"]
    if is_plan(asked):
        year = int(asked["school_year"])
        write_plan(school, year, stage, figure, document=document, signed=signed, actor=actor)
    else:
        write_quota(school, stage, figure, document=document, signed=signed, actor=actor)


def _decided(case: Case) -> Step:
    """The competent authority's own decision: what follows it takes note."""
    approved = case.steps.filter(decision=Step.Decision.APPROVE, right=Right.DECIDE).order_by("ordinal")
    found = approved.select_related("decided_by")
    step: Step | None = found.filter(label=DECIDES.label).last() or found.last()
    assert step is not None, "an approved case was decided by somebody"
    return step


def compare(case: Case, card: Mapping[str, str]) -> list[Proposed]:
    """The figure asked for beside the one in force, and how much of it is used."""
    asked, was = case.payload["asked"], case.payload["was"]
    name = dict(WHAT)[asked["what"]]
    title = f"{asked['school_year']} {name}" if is_plan(asked) else str(name)
    stage = label("school_stage", asked["stage"])
    return [
        Proposed(f"{title}（{stage}）", "" if was is None else str(was), asked["figure"]),
        Proposed(_("已用"), str(case.payload["taken"]), str(case.payload["taken"])),
    ]


# ── Conditions: an empty text when met, else what is wrong and what to do ────────────────────────────────
def changes_something(facts: Facts) -> str:
    asked = facts.payload["asked"]
    if facts.payload["was"] != int(asked["figure"]):
        return ""
    return _("所申请的人数与现行的相同，无须调整。")


def no_other(facts: Facts) -> str:
    """One open request for a figure: of two, the later would silently undo the earlier."""
    asked = facts.payload["asked"]
    same = {f"payload__asked__{key}": asked[key] for key in ("what", "stage", "school_year") if key in asked}
    others = Case.objects.filter(kind=ALLOWANCE_CHANGE.code, to_path=facts.to_path, is_open=True, **same)
    if facts.case is not None:
        others = others.exclude(pk=facts.case.pk)
    other = others.values_list("number", flat=True).first()
    return _("同一项调整已有在办申请（{number}），请待其办结。").format(number=other) if other else ""


def quota_in_use(facts: Facts) -> str:
    asked = facts.payload["asked"]
    if is_plan(asked):
        return ""
    school = School.objects.select_related("organization").get(organization__path=facts.to_path)
    if quota_state(school, asked["stage"], today()) is None:
        return _("本地未启用学籍总量控制，无须申请；增加招生的，请申请调整招生计划。")
    return ""


def not_below_use(facts: Facts) -> str:
    taken = facts.payload["taken"]
    if int(facts.payload["asked"]["figure"]) >= taken:
        return ""
    return Advice(_("申请的人数少于已用的 {taken} 人，核准后将显示为超出。").format(taken=taken))


DECIDES = Stop(Party.TAKE_OVER_AUTHORITY, Right.DECIDE, "主管部门核定", "CHANGE_STEP_DAYS")
ALLOWANCE_CHANGE = Kind(
    code="allowance",
    name="招生计划与学籍总量调整",
    prefix="JH",
    article=_SOURCE,
    group="学校业务",
    summary="学校提出新的招生计划数或学籍总量，主管部门核定；学籍总量报市级备案。",
    started_by=Party.TAKE_OVER_SCHOOL,
    locks_student=False,
    asks=(
        Ask("what", _lazy("调整事项"), "choice", what),
        Ask("school_year", _lazy("学年"), "choice", years, only_if=is_plan),
        Ask("stage", _lazy("学段"), "choice", stages),
        Ask("figure", _lazy("调整为（人）"), "number"),
        Ask("basis", _lazy("依据文件名称或文号"), "text", most=100),
        Ask("reason", _lazy("理由"), "textarea", most=300),
    ),
    open=open_request,
    reopen=reopen_request,
    requirements=(
        Requirement("changed", "与现行数不同", "INTAKE_PLAN", _SOURCE, changes_something),
        Requirement("only_one", "没有同一项在办申请", "INTAKE_PLAN", _SOURCE, no_other),
        Requirement("quota", "启用学籍总量控制", "QUOTA", _SOURCE, quota_in_use),
        Requirement("use", "不少于已用数", "INTAKE_PLAN", _SOURCE, not_below_use),
    ),
    route=(
        Stop(Party.TAKE_OVER_SCHOOL, Right.REVIEW, "学校领导审核", "CHANGE_STEP_DAYS"),
        DECIDES,
        Stop(
            Party.TAKE_OVER_CITY,
            Right.DECIDE,
            "市级备案",
            "CHANGE_STEP_DAYS",
            only_if=lambda payload: payload["asked"]["what"] == QUOTA,
        ),
    ),  # fmt: skip
    reasons=("依据不足", "超出办学条件核定的规模", "与区域招生安排不符", "其他"),
    proposes=compare,
    effect=set_figure,
    undo=undo,
)
