"""学校与机构: 设立, 更名, 合并, 撤销, 关键信息变更, 变更主管部门, each on a document (B3, G-05, G-17).

The authority rehearses the change and files it with the hash of what it saw; its leader signs, the
authorities above decide; the worker then does exactly that, in batches. Open cases finish under the
successor.
"""

from typing import Any

from django.db.models import Q
from django.utils.translation import gettext as _

from accounts.models import Organization, User
from accounts.roles import Right
from audit.services import Actor
from config.models import Outbox
from config.scope import common_path
from registry.models import Reorganization
from registry.reorganizing.execute import CHECK, check_unchanged, go_on
from registry.reorganizing.objections import ARTICLE_ARCHIVES, CODE_RULES
from registry.reorganizing.plan import ALTER, CLOSE, FOUND, MERGE, NAMES, REHANG, RENAME, Plan, plan_of
from registry.reorganizing.refusals import FactsChanged, RehearsalGone
from registry.reorganizing.rehearse import drop, rehearse_again
from transfers.kind import EvidenceNeed, Facts, Kind, Party, Requirement, Stop, Subject
from transfers.models import Case, Step
from transfers.outbox import COMPLETE_CASE

APPROVAL = "27"  # 批复文件
ROUTE = (
    Stop(Party.FILING_OFFICE, Right.REVIEW, "主管领导审核", "CHANGE_STEP_DAYS"),
    Stop(Party.SUPERIOR, Right.DECIDE, "上级主管部门核准", "CHANGE_STEP_DAYS"),
    # Codes are given and voided by the province (B3).
    Stop(Party.TAKE_OVER_PROVINCE, Right.DECIDE, "省级主管部门核准", "CHANGE_STEP_DAYS"),
)


def open_change(
    at: Organization, *, payload: dict[str, Any], actor: User, reorganization: Reorganization, digest: str
) -> Subject:
    """Take the rehearsal that was confirmed. Raises RehearsalGone when another one has taken its place."""
    row = Reorganization.objects.select_for_update().filter(pk=reorganization.pk, case_no="", path=at.path)
    found = row.filter(digest=digest).first()
    if found is None:
        raise RehearsalGone()
    payload |= {
        "reorganization": found.pk,
        "count": int(found.shown.get("pupils", 0)),
        # Whoever filed it stands above everything that moves.
        "reach": at.path,
    }
    return Subject()


def reopen_change(case: Case, payload: dict[str, Any], actor: User) -> None:
    """After a return: the same change, rehearsed anew."""
    rehearse_again(row_of(case), actor=actor, after=follow)


def perform(case: Case, actor: Actor) -> bool:
    """The next batch; True when nothing is left to do. Raises FactsChanged for business that was begun after
    the last decision and that nobody could finish.
    """
    row = row_of(case)
    if row.cursor.get("stage") == CHECK:  # since the first batch nothing new begins there
        facts = Facts(Subject(), case.from_path, case.to_path, case.payload, case)
        for requirement in _MORE.get(case.kind, ()):
            if why := requirement.check(facts):
                raise FactsChanged(why=why.rstrip("。"))
    return go_on(row, actor=actor, after=follow)


def undo(case: Case, actor: Actor, reason: str) -> None:
    drop(case.number)


def row_of(case: Case) -> Reorganization:
    """What the case is about."""
    return Reorganization.objects.get(pk=case.payload["reorganization"])


def follow(plan: Plan) -> None:
    """What the cases that moved need besides their paths: a reach that covers both sides, the name of the
    office that holds them now (G-05).
    """
    if plan.ends_office:
        steps = Step.objects.filter(office_path=plan.new_path, decision="")
        steps.exclude(office_name=plan.target_name).update(office_name=plan.target_name)
    moved = Case.objects.within(plan.new_path).filter(is_open=True)
    for pk, payload, *sides in moved.filter(payload__has_key="reach").values_list(
        "pk", "payload", "from_path", "to_path"
    ):
        before = payload["reach"]
        covers = (
            before.replace(plan.old_path, plan.new_path, 1) if before.startswith(plan.old_path) else before
        )
        reach = common_path(covers, common_path(*sides))
        if reach != before:
            Case.objects.filter(pk=pk).update(payload=payload | {"reach": reach})
    owed = Outbox.objects.filter(kind=COMPLETE_CASE, done_at=None)
    for case in moved.filter(pk__in=owed.values("subject_id"), state=Case.State.APPROVED):
        owed.filter(subject_id=case.pk).exclude(path=case.reach).update(path=case.reach)


# ── Conditions: an empty text when met, else what is wrong and what to do ─────────────────────────────────
def as_rehearsed(facts: Facts) -> str:
    row = Reorganization.objects.get(pk=facts.payload["reorganization"])
    if row.started_at is not None:
        return ""
    try:
        check_unchanged(plan_of(row.plan), row.digest)
    except FactsChanged as refusal:
        return refusal.detail
    return ""


def no_case_between(facts: Facts) -> str:
    """A transfer from one of the two schools to the other would lead to where the pupil already is."""
    plan = plan_of(Reorganization.objects.get(pk=facts.payload["reorganization"]).plan)
    if not plan.is_school:
        return ""
    pair = Q(from_path=plan.old_path, to_path=plan.new_path) | Q(
        from_path=plan.new_path, to_path=plan.old_path
    )
    count = Case.objects.filter(pair, is_open=True).count()
    return _("两校之间有 {count} 个在办转学等业务，请先办结或撤回。").format(count=count) if count else ""


def nothing_open(facts: Facts) -> str:
    """G-17: nobody takes over a closed school's open business."""
    plan = plan_of(Reorganization.objects.get(pk=facts.payload["reorganization"]).plan)
    open_cases = Case.objects.within(plan.old_path).filter(is_open=True).exclude(kind__in=OFFICE_KINDS)
    count = open_cases.count()
    return _("该单位还有 {count} 个在办业务，请先办结或撤回。").format(count=count) if count else ""


AS_REHEARSED = Requirement("rehearsed", "与演练一致", "B3", CODE_RULES, as_rehearsed)
_MORE = {
    MERGE: (Requirement("between", "两校之间无在办业务", "G-05", CODE_RULES, no_case_between),),
    CLOSE: (Requirement("nothing_open", "无在办业务", "G-17", ARTICLE_ARCHIVES, nothing_open),),
}
_SUMMARIES = {
    FOUND: "新设学校或机构，启用从未使用过的代码。",
    RENAME: "变更名称，代码不变；在办业务照常办理，沿革中保留原名称。",
    MERGE: "学生、班级、岗位和档案整体并入承接单位，在办业务由承接单位继续办理，被合并单位的代码永久作废。",
    CLOSE: "学生已全部转出的单位停办，档案移交指定单位，代码永久作废。",
    ALTER: "变更办学类型、办别、学段、学制或代码；原代码永久作废。",
    REHANG: "变更主管部门，单位及其以下全部数据随之调整。",
}


def _kind(code: str) -> Kind:
    return Kind(
        code=code,
        name=NAMES[code],
        prefix="JG",
        article=CODE_RULES,
        started_by=Party.FILING_OFFICE,
        right=Right.MANAGE_OFFICES,
        group="学校与机构",
        summary=_SUMMARIES[code],
        open=open_change,
        reopen=reopen_change,
        requirements=(AS_REHEARSED, *_MORE.get(code, ())),
        evidence=(EvidenceNeed("批复文件", (APPROVAL,), "B3"),),
        route=ROUTE,
        effect=perform,
        undo=undo,
        locks_student=False,
        reasons=("批复文件不符合要求", "方案与批复不一致", "学生安置未落实", "其他"),
    )


OFFICE_KINDS: dict[str, Kind] = {code: _kind(code) for code in NAMES}
