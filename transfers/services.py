"""The case engine: file, decide, withdraw, correct and refile. One engine for every kind."""

from collections.abc import Sequence
from typing import Any

from django.db import IntegrityError, connection, transaction
from django.db.models.functions import Now

from accounts.models import Organization, User
from accounts.rights import explain
from archives.models import Material
from archives.services import attach
from audit.services import Actor, System, record
from audit.warning_rules import CASE, ROW
from audit.warnings import refuse_stopped
from config.clock import today
from config.crypto import next_ids
from config.faults import fault
from config.rules import rulebook_version
from registry.codes import label
from registry.models import OpenBusiness, Student
from registry.record import latest_spell
from registry.reorganizing import refuse_if_moving
from registry.services.refusals import EvidenceMissing
from transfers import across
from transfers.examining import (
    check_exceptions,
    check_requirements,
    facts_of,
    grant_exceptions,
    is_reason,
    missing_evidence,
)
from transfers.kind import Facts, Kind
from transfers.kinds import KINDS
from transfers.models import Case, Evidence, Step
from transfers.notify import case_contests, case_ended, case_returned, step_arrived
from transfers.outbox import COMPLETE_CASE, owe
from transfers.refusals import (
    AnswerOnly,
    CaseChanged,
    CaseClosed,
    CaseLocked,
    EvidenceNotTicked,
    NotTheStarter,
    ReasonNeeded,
    SomePupilLocked,
    StepAlreadyTaken,
)
from transfers.tracking import open_tracking
from transfers.turns import arrive, last_return, own_turn, plan_steps, refuse_second_signature


def card_of(student: Student) -> dict[str, str]:
    """The pupil's card that a case carries: enough to know whom it is about (D4: sealed, erased on
    refusal).
    """
    document = student.documents.order_by("-id").first()
    return card_with(student, document.mask if document else "")


def card_with(student: Student, mask: str) -> dict[str, str]:
    """The card of a pupil whose document's mask is known."""
    return {
        "name": student.name,
        "sex": label("sex", student.sex),
        "birth_on": student.birth_on.isoformat(),
        "id_mask": mask,
    }


@transaction.atomic
def file_case(
    kind: Kind,
    to_school: Organization,
    *,
    actor: User | System,
    from_school: Organization | None = None,
    materials: Sequence[Material] = (),
    payload: dict[str, Any] | None = None,
    secrets: dict[str, str] | None = None,
    **opening: Any,
) -> Case:
    """File a case of `kind`; its route is planned now and stored. `opening` goes to the kind's `open`;
    `secrets` are D4 values that the decision is about and are sealed with the card.

    Raises NotAllowed unless `actor` may start it, RequirementFailed naming the article, EvidenceMissing
    for a missing paper, CaseLocked when the pupil has a locking case (a constraint decides, not a look
    before), and what the kind's own opening raises.
    """
    origin = from_school or to_school
    if isinstance(actor, User):  # the system files for a guardian, who holds no right at an office
        explain(actor, kind.right, at=to_school.path).or_raise()
    for path in {origin.path, to_school.path}:
        refuse_if_moving(path)
    payload, secrets = payload or {}, secrets or {}
    # A pupil elsewhere is found by exact number and name first; from there on both schools are looked at.
    with across.reaching(origin.path, to_school.path):
        return _file(kind, origin, to_school, list(materials), payload, secrets, actor, opening)


def _file(
    kind: Kind,
    origin: Organization,
    to_school: Organization,
    materials: list[Material],
    payload: dict[str, Any],
    secrets: dict[str, str],
    actor: User | System,
    opening: dict[str, Any],
) -> Case:
    types = frozenset(m.evidence_type for m in materials)
    if absent := missing_evidence(kind, types, payload):
        raise EvidenceMissing(what="、".join(absent))
    subject = kind.open(to_school, payload=payload, actor=actor, **opening)
    fault("opened")
    # Once more: what the opening learns may ask for a further paper (学籍卡 across provinces).
    if absent := missing_evidence(kind, types, payload):
        raise EvidenceMissing(what="、".join(absent))
    facts = Facts(subject, origin.path, to_school.path, payload, None, types)
    check_exceptions(kind, facts, secrets.get("exempt_reason", ""))
    check_requirements(kind, facts)
    case_id = next_ids("transfers_case")[0]
    case = Case(
        id=case_id,
        number=case_number(kind, case_id),
        kind=kind.code,
        student=subject.student,
        batch=subject.batch,
        from_path=origin.path,
        to_path=to_school.path,
        from_name=origin.name,
        to_name=to_school.name,
        lane=payload.get("lane", kind.code),
        payload=payload,
        rulebook=rulebook_version(),
        filed_by=actor if isinstance(actor, User) else None,
        filed_by_name=actor.signing_name if isinstance(actor, User) else actor.name,
    )
    if subject.student is not None:
        case.set_card(card_of(subject.student) | secrets)
    if kind.locks_student:
        lock_pupils(kind, case)
        _refuse_if_ended(kind, subject.student)
    case.save(force_insert=True)
    if isinstance(actor, User):
        attach_evidence(case, materials, actor=actor)
    plan_steps(kind, case, first=1)
    if subject.student is not None:
        open_tracking(case)
    if kind.contests:
        case_contests(case)
    record(
        "transfers.case.file",
        case,
        actor=actor,
        basis=kind.article,
        kind=kind.name,
        number=case.number,
        count=case.count,
    )
    fault("filed")
    return case


def case_number(kind: Kind, case_id: int) -> str:
    return f"{kind.prefix}{today():%y%m%d}{case_id:06d}"


def lock_pupils(kind: Kind, case: Case) -> None:
    """Take the one place for open business of each pupil of the case. Raises CaseLocked (R-TRF-06)."""
    pupils = case.pupil_ids()
    try:
        # A savepoint, so that a refusal leaves the caller's work intact.
        with transaction.atomic(), connection.cursor() as cursor:
            # The reference is checked when all is committed. Who graduates her now is waited for here (G-10).
            cursor.execute(
                "SELECT FROM registry_student WHERE id = ANY(%s) ORDER BY id FOR KEY SHARE", [pupils]
            )
            cursor.execute(
                "INSERT INTO registry_openbusiness (from_path, to_path, student_id, case_no, kind, kind_name)"
                " SELECT %s, %s, pupil, %s, %s, %s FROM unnest(%s::bigint[]) AS pupil",
                [case.from_path, case.to_path, case.number, kind.code, kind.name, pupils],
            )
    except IntegrityError as error:
        if len(pupils) > 1:
            raise SomePupilLocked() from error
        words = across.open_business_words(pupils[0])
        raise CaseLocked(place=words["place"], kind=words["kind"]) from error


def _refuse_if_ended(kind: Kind, student: Student | None) -> None:
    """Once more, now that her place is taken: who waited for it while she graduated comes too late. Raises
    NotForStatus.
    """
    spell = latest_spell(student) if student else None
    if spell and (misfit := kind.misfit(spell.status)):
        raise misfit


def attach_evidence(case: Case, materials: Sequence[Material], *, actor: User) -> None:
    """Keep `materials` with the case, and on the file of the pupil where it is about one."""
    if case.student is not None and case.student.org_path == case.to_path:
        attach(materials, case.student, actor=actor)
    for material in materials:
        Evidence.objects.get_or_create(
            case=case,
            material=material,
            defaults={"type": material.evidence_type, "from_path": case.from_path, "to_path": case.to_path},
        )


@transaction.atomic
def decide(
    case: Case,
    decision: str,
    *,
    actor: User,
    reason: str = "",
    ticked: "Sequence[str] | None" = None,
    granted: Sequence[str] = (),
) -> Step:
    """Record `actor`'s decision on the step that `case` waits at, or change nothing.

    `ticked` are the evidence types she has looked at; approving needs every required one. `granted` are the
    conditions from which she makes an exception, where her office may. The UPDATE names the state it expects:
    of two officers who press the same button, one wins. Raises OfficeMoving, NotAllowed, SecondSignature,
    AnswerOnly, ReasonNeeded, EvidenceNotTicked, ExceptionOpen, RequirementFailed or StepAlreadyTaken.
    """
    kind = KINDS[case.kind]
    refuse_if_moving(case.from_path, case.to_path, is_open=True)
    step = own_turn(case, actor)
    refuse_stopped(CASE, f"case:{case.pk}")  # W9: one person, or one device, on both sides of it
    refuse_stopped(ROW, f"student:{case.student_id}")  # W15: what does not verify is not built upon
    refuse_second_signature(case, step, actor)
    if kind.is_answered and decision == Step.Decision.RETURN:
        raise AnswerOnly()
    if (kind.is_answered or decision != Step.Decision.APPROVE) and not is_reason(reason):
        raise ReasonNeeded()
    if decision == Step.Decision.APPROVE:
        handed_in = set(case.evidence.values_list("type", flat=True))
        absent = missing_evidence(kind, set(ticked or ()) & handed_in, case.payload)
        if absent:
            raise EvidenceNotTicked(what="、".join(absent))
    # Own columns only: a filter across a join becomes a sub-select, which does not re-check the loser of a
    # race.
    taken = Step.objects.filter(pk=step.pk, decision="", is_current=True).update(
        decision=decision,
        decided_by=actor,
        decided_by_name=actor.signing_name,
        decided_at=Now(),
        reason=reason.strip(),
        is_current=False,
    )
    if not taken:
        winner = Step.objects.get(pk=step.pk)
        if not winner.decision:  # withdrawn meanwhile: nobody has signed
            raise CaseClosed(state=Case.objects.get(pk=case.pk).get_state_display())
        raise StepAlreadyTaken(who=winner.decided_by_name, state=winner.get_decision_display())
    fault("taken")
    if decision == Step.Decision.APPROVE:
        # After the step is taken: the loser of a race is told who decided, not what that changed.
        with across.reaching(case.from_path, case.to_path):
            checks = check_requirements(kind, facts_of(case))
        grant_exceptions(kind, case, step, checks, granted, actor=actor, reason=reason)
    record(
        f"transfers.case.{decision}",
        case,
        actor=actor,
        reason=reason.strip(),
        basis=kind.article,
        step=step.label,
        number=case.number,
        kind=kind.name,
    )
    advance(kind, case, step, decision, actor=actor, reason=reason.strip())
    fault("decided")
    return step


def advance(kind: Kind, case: Case, step: Step, decision: str, *, actor: Actor, reason: str) -> None:
    """Next step and its clock, back to the starter, the end, or the outbox row that a worker will claim."""
    if decision == Step.Decision.REFUSE:
        end_case(kind, case, Case.State.REFUSED, actor=actor, reason=reason)
    elif decision == Step.Decision.RETURN:
        move_state(case, Case.State.RETURNED)
        case_returned(case, step)
    else:
        following = case.steps.filter(ordinal=step.ordinal + 1).first()
        if following is not None:
            arrive(following)
            move_state(case, Case.State.WAITING, payload=case.payload)
            step_arrived(following, case)
        else:
            move_state(case, Case.State.APPROVED, payload=case.payload)
            owe(COMPLETE_CASE, case.pk, case.reach)


def move_state(case: Case, state: str, **columns: Any) -> None:
    """Move an open case to `state`. Raises CaseClosed when somebody ended it meanwhile, CaseChanged when a
    batch has lost rows since it was looked at.
    """
    changed = Case.objects.filter(pk=case.pk, version=case.version, is_open=True).update(
        state=state, version=case.version + 1, **columns
    )
    if changed != 1:
        now = Case.objects.get(pk=case.pk)
        last = now.steps.exclude(decision="").order_by("ordinal").last()
        if now.is_open and now.batch_id is None and last is not None:
            raise StepAlreadyTaken(who=last.decided_by_name, state=now.get_state_display())
        if now.is_open and now.state == case.state:
            raise CaseChanged()
        raise CaseClosed(state=now.get_state_display())
    case.state, case.version = state, case.version + 1


def end_case(kind: Kind, case: Case, state: str, *, actor: Actor, reason: str) -> None:
    """Refused or withdrawn: the pupil is unlocked, the card erased (RD-8), the kind takes its rows back.

    What a guardian wrote stays: it is about a pupil of the school, and the offices above look at how it was
    answered.
    """
    case.steps.filter(is_current=True).update(is_current=False)
    erased = {} if kind.is_answered else {"card": None}
    move_state(case, state, is_open=False, ended_at=Now(), **erased)
    case.is_open = False
    kind.undo(case, actor, reason)
    OpenBusiness.objects.filter(case_no=case.number).delete()
    case_ended(case)


def may_withdraw(case: Case, actor: User) -> bool:
    """The starting office's registrar, before the last office has decided (R-TRF-05)."""
    waits = case.state in (Case.State.WAITING, Case.State.RETURNED)
    return waits and actor.may_act_at(KINDS[case.kind].right, case.to_path)


@transaction.atomic
def withdraw(case: Case, *, actor: User, reason: str) -> None:
    """Take an open case back. Raises NotTheStarter, CaseClosed, ReasonNeeded, OfficeMoving."""
    kind = KINDS[case.kind]
    refuse_if_moving(case.from_path, case.to_path, is_open=True)
    if not actor.may_act_at(kind.right, case.to_path):
        raise NotTheStarter()
    if not may_withdraw(case, actor):
        raise CaseClosed(state=case.get_state_display())
    if not is_reason(reason):
        raise ReasonNeeded()
    end_case(kind, case, Case.State.WITHDRAWN, actor=actor, reason=reason.strip())
    record(
        "transfers.case.withdraw",
        case,
        actor=actor,
        reason=reason.strip(),
        number=case.number,
        kind=kind.name,
    )


@transaction.atomic
def refile(
    case: Case, *, actor: User, materials: Sequence[Material] = (), payload: dict[str, Any] | None = None
) -> Case:
    """Send a corrected case on its way again: a new round of steps behind the old ones.

    Raises NotTheStarter, CaseClosed unless it was returned, OfficeMoving, and what the kind's `reopen`
    raises.
    """
    kind = KINDS[case.kind]
    refuse_if_moving(case.from_path, case.to_path, is_open=True)
    if not actor.may_act_at(kind.right, case.to_path):
        raise NotTheStarter()
    if case.state != Case.State.RETURNED:
        raise CaseClosed(state=case.get_state_display())
    with across.reaching(case.from_path, case.reach):  # the record may lie with neither of its offices
        if kind.reopen is not None:
            kind.reopen(case, payload or {}, actor)
        attach_evidence(case, materials, actor=actor)
        facts = facts_of(case)
        if absent := missing_evidence(kind, facts.evidence_types, case.payload):
            raise EvidenceMissing(what="、".join(absent))
        check_requirements(kind, facts)
        if case.student_id is not None:
            # What the decision is about stays sealed beside the fresh card.
            case.set_card(case.open_card() | card_of(Student.objects.get(pk=case.student_id)))
    case.payload["filers"] = sorted({case.filed_by_id, actor.pk, *case.payload.get("filers", ())})
    # Steps behind the one that returned the case were never reached.
    case.steps.filter(decision="").delete()
    move_state(
        case,
        Case.State.WAITING,
        card=case.card,
        payload=case.payload,
        filed_by=actor,
        filed_by_name=actor.signing_name,
    )
    plan_steps(kind, case, first=last_return(case) + 1)
    record("transfers.case.refile", case, actor=actor, number=case.number, kind=kind.name)
    return case
