"""毕业申请 of a senior secondary school, 毕业生回退 and 毕业证明书 (R-GRD-03, R-GRD-06, R-GRD-07).

The compulsory stage needs no case: there the school's own leader confirms the list (registry.graduation).
"""

from typing import Any

from django.utils.translation import gettext_lazy

from accounts.models import Organization, User
from accounts.roles import Right
from audit.services import Actor
from config.errors import Refusal
from registry.graduation.afterwards import issue_proof, record_to_roll_back, roll_back
from registry.graduation.checking import refuse_if_unready
from registry.graduation.effect import graduate
from registry.graduation.preparing import note_handed_in, refuse_unseen, reopen
from registry.graduation.refusals import CertificateVoid, LaterSpell, ProofNotPossible
from registry.models import GraduationList, GraduationRecord
from registry.status import GRADUATE
from transfers.asking import Ask
from transfers.kind import About, EvidenceNeed, Facts, Kind, Party, Requirement, Stop, Subject
from transfers.kinds.answers import reopen as answered_again
from transfers.kinds.conditions import status_in
from transfers.kinds.effects import change_of, undo
from transfers.kinds.own_pupil import SCHOOL_AND_AUTHORITY, pupil_of
from transfers.models import Case

_NOTICE, _LOCAL = "教育部年度毕业升级工作通知", "地方学籍管理规定"
RESTORED = "17"  # list status_change_category: 恢复学籍
_ROUTE = (
    Stop(Party.TAKE_OVER_SCHOOL, Right.REVIEW, "学校领导审核", "CHANGE_STEP_DAYS"),
    Stop(Party.TAKE_OVER_AUTHORITY, Right.DECIDE, "主管部门核准", "CHANGE_STEP_DAYS"),
)


# ── 毕业申请（普通高中） ──────────────────────────────────────────────────────────────────────────────────
def open_application(
    school: Organization, *, payload: dict[str, Any], actor: User, graduation: GraduationList, digest: str
) -> Subject:
    """Take the checked list in hand as it was seen under `digest`. Raises what `refuse_unseen` raises."""
    payload |= {"graduation": graduation.pk, "count": refuse_unseen(graduation, digest)}
    note_handed_in(graduation, GraduationList.State.APPLIED, actor=actor)
    return Subject()


def list_of(payload: dict[str, Any]) -> GraduationList:
    return GraduationList.objects.select_related("school").get(pk=payload["graduation"])


def graduate_seniors(case: Case, actor: Actor) -> None:
    last = case.steps.filter(decision="approve").order_by("-ordinal").first()
    graduate(list_of(case.payload), actor=actor, confirmed_by=last.decided_by_name if last else "")


def undo_application(case: Case, actor: Actor, reason: str) -> None:
    reopen(list_of(case.payload), reason)


def all_ready(facts: Facts) -> str:
    """Nobody's status has moved on and nothing else is open; what is, is named."""
    try:
        refuse_if_unready(list_of(facts.payload))
    except Refusal as refusal:
        return refusal.detail
    return ""


GRADUATION = Kind(
    code="graduation",
    name="高中毕业申请",
    prefix="BY",
    article=_NOTICE,
    started_by=Party.TAKE_OVER_SCHOOL,
    open=open_application,
    requirements=(
        Requirement("ready", "学生正常在校、无在办业务和问题学籍", "R-GRD-02", _NOTICE, all_ready),
    ),
    reasons=("毕业、结业、肄业认定有误", "名单不完整", "有未办结的业务", "其他"),
    route=_ROUTE,
    effect=graduate_seniors,
    undo=undo_application,
)


# ── 毕业生回退 ────────────────────────────────────────────────────────────────────────────────────────────
def take_back(case: Case, actor: Actor) -> None:
    assert case.student is not None
    roll_back(case.student, change_of(case, RESTORED, basis="R-GRD-06"), actor=actor)


def nowhere_else(facts: Facts) -> str:
    try:
        record_to_roll_back(facts.student)
    except LaterSpell as refusal:
        return refusal.detail
    return ""


ROLL_BACK = Kind(
    code="graduation_roll_back",
    name="毕业生回退",
    prefix="HT",
    article=_NOTICE,
    started_by=Party.TAKE_OVER_SCHOOL,
    about=About.OWN_PUPIL,
    group="毕业",
    summary="毕业办理有误的，经主管部门核准恢复正常在校；原证书编号永久作废，更正后重新办理毕业。",
    statuses=GRADUATE,
    asks=(Ask("statement", gettext_lazy("回退原因"), "textarea", most=300),),
    open=pupil_of(*GRADUATE),
    reopen=answered_again,
    evidence=(EvidenceNeed("学校情况说明（盖章）", ("99", "20"), "R-GRD-06"),),
    requirements=(
        Requirement("status", "已毕业", "R-GRD-06", _NOTICE, status_in(*GRADUATE)),
        Requirement("later", "没有下一学段学籍", "R-GRD-06", _NOTICE, nowhere_else),
    ),
    route=SCHOOL_AND_AUTHORITY,
    effect=take_back,
    undo=undo,
)


# ── 毕业证明书 ────────────────────────────────────────────────────────────────────────────────────────────
LOST = (("1", gettext_lazy("遗失")), ("2", gettext_lazy("损坏")))


def open_proof(
    school: Organization, *, payload: dict[str, Any], actor: User, graduate: GraduationRecord, ground: str
) -> Subject:
    """About a graduate wherever she is now: the record stays at the school that graduated her, so the case
    names it and not the pupil. Raises CertificateVoid, ProofNotPossible before the original was printed.
    """
    if graduate.is_void:
        raise CertificateVoid()
    if graduate.printed_id is None:
        raise ProofNotPossible()
    payload |= {"graduate": graduate.pk, "count": 1, "ground": ground}
    return Subject()


def graduate_of(payload: dict[str, Any]) -> GraduationRecord:
    return GraduationRecord.objects.select_related("graduation").get(pk=payload["graduate"])


def prove(case: Case, actor: Actor) -> None:
    ground = str(dict(LOST)[case.payload["ground"]])
    issue_proof(graduate_of(case.payload), case.number, ground, actor=actor)


def still_valid(facts: Facts) -> str:
    return CertificateVoid().detail if graduate_of(facts.payload).is_void else ""


PROOF = Kind(
    code="graduation_proof",
    name="补办毕业证明书",
    prefix="ZM",
    article=_LOCAL,
    started_by=Party.TAKE_OVER_SCHOOL,
    open=open_proof,
    requirements=(Requirement("valid", "毕业记录有效", "R-GRD-07", _LOCAL, still_valid),),
    evidence=(EvidenceNeed("监护人或本人书面申请", ("31",), "R-GRD-07"),),
    reasons=("申请材料不全或不清晰", "原件仍在，不属于遗失损坏", "其他"),
    route=_ROUTE,
    effect=prove,
    undo=undo,
    locks_student=False,
)
GRADUATION_KINDS = (GRADUATION, ROLL_BACK, PROOF)
