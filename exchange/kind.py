"""对外提供: the office proposes, its leader and the leader above approve, each after a step-up."""

from collections.abc import Mapping
from typing import Any

from django.db.models.functions import Now

from accounts.models import Organization, User
from accounts.roles import Right
from audit.services import Actor, record
from config.scope import NATION
from exchange.given import named
from exchange.grants import put_in_force
from exchange.models import DataGrant
from exchange.refusals import ARTICLE
from transfers.kind import EvidenceNeed, Facts, Kind, Party, Proposed, Requirement, Stop, Subject
from transfers.models import Case, Step

APPROVAL = "27"  # 批复文件


def open_grant(at: Organization, *, payload: dict[str, Any], actor: User, grant: DataGrant) -> Subject:
    """The case is about the grant that was proposed with it."""
    payload |= {"grant": grant.pk, "is_top": at.path == NATION}
    return Subject()


def perform(case: Case, actor: Actor) -> None:
    """Both have approved: the grant is in force, and their names stay on it."""
    signed = case.steps.filter(decision=Step.Decision.APPROVE).order_by("ordinal")
    last = case.steps.filter(decision=Step.Decision.RETURN).order_by("-ordinal").first()
    if last is not None:
        signed = signed.filter(ordinal__gt=last.ordinal)
    approvals = [
        {"name": step.decided_by_name, "office": step.office_name, "id": str(step.decided_by_id),
         "at": step.decided_at.isoformat() if step.decided_at else ""}
        for step in signed
    ]  # fmt: skip
    grant = put_in_force(case, approvals)
    record(
        "exchange.grant.begin", grant, actor=actor, basis=ARTICLE, receiver=grant.receiver_name,
        number=case.number, approvers="、".join(one["name"] for one in approvals),
    )  # fmt: skip


def undo(case: Case, actor: Actor, reason: str) -> None:
    DataGrant.objects.filter(pk=case.payload["grant"], state=DataGrant.State.PROPOSED).update(
        state=DataGrant.State.REFUSED, ended_at=Now(), ended_reason=reason[:200]
    )


def papers(payload: Mapping[str, Any]) -> tuple[EvidenceNeed, ...]:
    """The scan of the document; a law needs none."""
    is_document = payload.get("basis") == DataGrant.Basis.DOCUMENT
    return (EvidenceNeed("批准文件扫描件", (APPROVAL,), "EX-2"),) if is_document else ()


def not_over(facts: Facts) -> str:
    """A grant whose last day passes while it waits must be proposed anew."""
    grant = DataGrant.objects.get(pk=facts.payload["grant"])
    return "所拟期限已过，请撤回后重新拟定。" if grant.is_over else ""


def terms_in_words(case: Case, card: Mapping[str, str]) -> list[Proposed]:
    """All that an approver answers for, line by line."""
    grant = DataGrant.objects.get(pk=case.payload["grant"])
    fields = named(grant.fields, grant.clear)
    clear = [one.label for one in fields if one.is_clear]
    coarse = [f"{one.label}（{one.form}）" for one in fields if not one.is_clear]
    lines = [
        ("接收方", f"{grant.receiver_name} {grant.receiver_code}"),
        ("用途", grant.purpose),
        ("依据", grant.basis_words),
        ("服务", grant.service_names),
        ("提供范围", grant.subtree_name),
        ("去标识数据项", "、".join(coarse)),
        ("明文数据项", "、".join(clear)),
        ("期限", f"{grant.starts_on:%Y-%m-%d} 至 {grant.ends_on:%Y-%m-%d}"),
        ("每日额度", f"{grant.quota} 条"),
    ]
    return [Proposed(label, "", text) for label, text in lines]


NOT_OVER = Requirement("not_over", "期限未过", "EX-2", ARTICLE, not_over)

PROVISION = Kind(
    code="provision",
    name="对外提供",
    prefix="TG",
    article=ARTICLE,
    started_by=Party.FILING_OFFICE,
    right=Right.PROPOSE_GRANT,
    group="对外提供",
    summary="经两名负责人批准，按批准的数据项、范围、用途和期限向系统外的接收方提供学籍信息。",
    open=open_grant,
    requirements=(NOT_OVER,),
    papers=papers,
    proposes=terms_in_words,
    route=(
        Stop(Party.FILING_OFFICE, Right.APPROVE_GRANT, "本级主管领导批准", "CHANGE_STEP_DAYS"),
        Stop(Party.SUPERIOR, Right.APPROVE_GRANT, "上级主管领导批准", "CHANGE_STEP_DAYS"),
        # Nobody stands above the nation: another of its leaders signs.
        Stop(
            Party.FILING_OFFICE, Right.REVIEW, "另一名主管领导批准", "CHANGE_STEP_DAYS",
            only_if=lambda payload: bool(payload.get("is_top")),
        ),
    ),
    effect=perform,
    undo=undo,
    locks_student=False,
    steps_up=True,
    reasons=("依据不足", "数据项超出用途", "范围或期限过大", "其他"),
)  # fmt: skip
