"""问题学籍 as it is handled: how each side stands, what follows from it, what a judgement leaves behind
(R-PRB-01 … R-PRB-05). The cases that bring it about are kinds of transfers; nothing merges here (R-PRB-02).
"""

from dataclasses import dataclass

from django.db import IntegrityError, transaction
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from accounts.rights import explain
from accounts.roles import Right
from audit.services import Actor, record
from config.errors import Refusal
from config.scope import NATION, ancestors
from registry.models import ProblemRecord, Student
from registry.queries.schools import authority_above
from registry.services.duplicates import due_on, find_suspicions, identity_digest

Side, Standing = ProblemRecord.Side, ProblemRecord.Standing
Verdict, Disposition = ProblemRecord.Verdict, ProblemRecord.Disposition
SINGLE, OWN, AUTHORITY, ACROSS = "single", "own", "authority", "across"
_REASON_AT_LEAST = 4  # characters


class ProblemClosed(Refusal):
    code, status = "problem_closed", 409
    rule = "R-PRB-01"
    message = _("该问题学籍已销号，或已由国家级仲裁裁定本方处置，请刷新后核对。")


class LastRecord(Refusal):
    """A child in school would be left without any record."""

    code, status = "last_record", 409
    rule = "R-PRB-02"
    message = _(
        "另一方学籍已先行删除，本条是该生最后一条学籍，不能删除；监护人坚持的，请附其书面意见重新办理。"
    )


class NotSubstantiated(Refusal):
    code, status = "not_substantiated", 409
    rule = "R-PRB-04"
    message = _("只有以“佐证”销号的问题学籍可以重新打开；本条不是，或已经重新打开。")


class ReopenReason(Refusal):
    code, status = "reason_needed", 422
    rule = "R-PRB-04"
    message = _("重新打开已佐证的问题学籍必须写明理由（不少于 4 个字）。")


@dataclass(frozen=True, slots=True)
class Settled:
    """What followed: pupils who are blocked no longer, and whether the nation has to decide."""

    freed: tuple[int, ...] = ()
    needs_arbitration: bool = False


def open_problems(student: Student) -> list[ProblemRecord]:
    """The problem records of a pupil that wait for a disposition, oldest first; hints are none."""
    rows = ProblemRecord.objects.filter(Q(student=student) | Q(other=student), closed_at=None, is_hint=False)
    return list(rows.order_by("id"))


def relation_of(problem: ProblemRecord) -> str:
    """How far its two sides are apart, and so who decides (R-PRB-01)."""
    if problem.side == Side.SINGLE:
        return SINGLE
    if problem.org_path == problem.other_path:
        return OWN
    if problem.side == Side.ATTEMPT:
        return ACROSS
    first, second = authority_above(problem.org_path), authority_above(problem.other_path)
    return AUTHORITY if first == second else ACROSS


def is_across_provinces(problem: ProblemRecord) -> bool:
    return ancestors(problem.org_path)[:2] != ancestors(problem.other_path)[:2]


def place_of(problem: ProblemRecord, student_id: int) -> str:
    """The prefix of the columns that say how this pupil's side stands."""
    return "" if problem.student_id == student_id else "other_"


def standing_of(problem: ProblemRecord, student_id: int) -> str:
    return str(getattr(problem, f"{place_of(problem, student_id)}standing"))


def opposite_standing(problem: ProblemRecord, student_id: int) -> str:
    return problem.other_standing if problem.student_id == student_id else problem.standing


def is_ordered_away(problem: ProblemRecord, student_id: int) -> bool:
    """Whether arbitration has decided that the record of the other side stays."""
    return problem.verdict == (Verdict.SECOND if problem.student_id == student_id else Verdict.FIRST)


@transaction.atomic
def take_standing(
    problem_id: int,
    student: Student,
    standing: str,
    *,
    case_no: str,
    judged_by: str,
    judgement: str,
    actor: Actor,
    has_guardians_word: bool = False,
) -> ProblemRecord:
    """Write down what the case of one side has brought. Safe to repeat for the same case.

    Raises ProblemClosed when it was closed or judged otherwise meanwhile, LastRecord when both sides delete
    and no guardian has said so.
    """
    row = ProblemRecord.objects.select_for_update().filter(pk=problem_id, closed_at=None).first()
    if row is None:
        raise ProblemClosed()
    if standing != Standing.DELETED and is_ordered_away(row, student.pk):
        raise ProblemClosed()
    opposite = opposite_standing(row, student.pk)
    if standing == opposite == Standing.DELETED and not has_guardians_word:
        raise LastRecord()
    setattr(row, f"{place_of(row, student.pk)}standing", standing)
    row.case_no, row.judged_by, row.judgement = case_no, judged_by[:100], judgement[:500]
    row.save(update_fields=["standing", "other_standing", "case_no", "judged_by", "judgement"])
    record("registry.problem.stand", row, actor=actor, basis="R-PRB-01", number=case_no, standing=standing)
    return row


@transaction.atomic
def settle(problem_id: int, *, actor: Actor) -> Settled:
    """What the standings of both sides come to, under the national scope. Safe to repeat."""
    row = ProblemRecord.objects.select_for_update().filter(pk=problem_id, closed_at=None).first()
    if row is None:
        return Settled()
    standings = (row.standing, row.other_standing)
    if Standing.DELETED in standings:
        return _settle_deleted(row, actor)
    if row.side != Side.RECORD or relation_of(row) != ACROSS:
        return _close_judged(row, actor) if Standing.PROVEN in standings else Settled()
    if Standing.OPEN in standings or row.verdict or row.arbitration_no:
        return Settled()
    if standings == (Standing.PROVEN, Standing.PROVEN) and not is_across_provinces(row):
        return _close_judged(row, actor)
    return Settled(needs_arbitration=True)  # 双佐证 (R-PRB-03), or the sides contradict each other


def judge(
    problem_id: int, verdict: str, *, case_no: str, judged_by: str, reason: str, actor: Actor
) -> Settled:
    """The verdict of the national arbitration: two pupils, or one, and whose record stays (R-PRB-03)."""
    row = ProblemRecord.objects.select_for_update().filter(pk=problem_id, closed_at=None).first()
    if row is None:
        raise ProblemClosed()
    row.verdict, row.case_no = verdict, case_no
    row.judged_by, row.judgement = judged_by[:100], reason[:500]
    if verdict != Verdict.DIFFERENT:
        stays = Standing.KEPT, Standing.OPEN
        row.standing, row.other_standing = stays if verdict == Verdict.FIRST else reversed(stays)
        row.due_on = due_on(row.other_path if verdict == Verdict.FIRST else row.org_path)
    row.save()
    record("registry.problem.judge", row, actor=actor, basis="R-PRB-03", number=case_no, verdict=verdict)
    return _close_judged(row, actor) if verdict == Verdict.DIFFERENT else Settled()


def withdraw_arbitration(problem_id: int) -> None:
    """Arbitration has not decided: both sides prove anew."""
    ProblemRecord.objects.filter(pk=problem_id, closed_at=None).update(
        arbitration_no="", standing="", other_standing=""
    )


def _settle_deleted(row: ProblemRecord, actor: Actor) -> Settled:
    """Everything that stood against the deleted record is over with it; the other one is free."""
    gone = [
        pupil
        for pupil, standing in ((row.student_id, row.standing), (row.other_id, row.other_standing))
        if pupil and standing == Standing.DELETED
    ]
    against = ProblemRecord.objects.filter(Q(student__in=gone) | Q(other__in=gone), closed_at=None)
    freed: set[int] = set()
    for one in against.select_for_update().order_by("id"):
        if one.pk != row.pk:
            one.case_no, one.judged_by, one.judgement = row.case_no, row.judged_by, row.judgement
        freed |= set(_close(one, Disposition.DELETED, actor).freed)
    return Settled(tuple(sorted(freed - set(gone))))


def _close_judged(row: ProblemRecord, actor: Actor) -> Settled:
    sides = Student.objects.filter(pk__in=[pk for pk in (row.student_id, row.other_id) if pk])
    row.judged_digest = identity_digest(sides)
    return _close(row, Disposition.PROVEN, actor)


def _close(row: ProblemRecord, disposition: str, actor: Actor) -> Settled:
    row.disposition, row.closed_at = disposition, Now()
    row.changed_no = ""
    row.save()
    record(
        "registry.problem.close", row, actor=actor, basis="R-PRB-01", number=row.case_no,
        disposition=Disposition(disposition).label,
    )  # fmt: skip
    return Settled(tuple(pk for pk in (row.student_id, row.other_id) if pk))


# ── 变更 ──────────────────────────────────────────────────────────────────────────────────────────────────
def bind_change(student: Student, case_no: str) -> None:
    """A change of key data answers what is open against the pupil: the national check looks again."""
    rows = ProblemRecord.objects.filter(Q(student=student) | Q(other=student), closed_at=None)
    rows.exclude(side=Side.ATTEMPT).update(changed_no=case_no)


@transaction.atomic
def recheck(student_id: int, *, actor: Actor) -> Settled:
    """After a change of key data: what the check finds no more is closed; what it still finds stays open."""
    rows = ProblemRecord.objects.filter(Q(student=student_id) | Q(other=student_id), closed_at=None)
    freed: set[int] = set()
    for row in rows.exclude(changed_no="").select_for_update().order_by("id"):
        if _is_still_found(row):
            ProblemRecord.objects.filter(pk=row.pk).update(changed_no="")
            continue
        row.case_no = row.changed_no
        freed |= set(_close(row, Disposition.CHANGED, actor).freed)
    return Settled(tuple(sorted(freed)))


def _is_still_found(row: ProblemRecord) -> bool:
    sides = Student.objects.in_bulk([pk for pk in (row.student_id, row.other_id) if pk])
    for pk, other in ((row.student_id, row.other_id), (row.other_id, row.student_id)):
        if pk is None:
            continue
        document = sides[pk].documents.order_by("-id").first()
        for found in find_suspicions(sides[pk], document):
            found_other = found.other.pk if found.other else None
            if (found.type, found_other, found.is_hint) == (row.type, other, row.is_hint):
                return True
    return False


# ── A pupil who moved to the school that had asked ────────────────────────────────────────────────────────
def close_attempts(student: Student, path: str, *, case_no: str, actor: Actor) -> None:
    """The school at `path` has the pupil now: that it once tried to register her is settled (G-01)."""
    rows = ProblemRecord.objects.filter(
        student=student, other_path=path, side=Side.ATTEMPT, closed_at=None
    ).select_for_update()
    for row in rows:
        row.case_no = case_no
        _close(row, Disposition.MOVED, actor)


# ── 重新打开 ──────────────────────────────────────────────────────────────────────────────────────────────
def who_reopens(problem: ProblemRecord) -> list[tuple[str, str]]:
    """Right and office: the nation what it has judged itself, else the authority of either side."""
    if problem.arbitration_no:
        return [(Right.ARBITRATE, NATION)]
    above = (authority_above(path) for path in (problem.org_path, problem.other_path))
    return list(dict.fromkeys((str(Right.DECIDE), one.path) for one in above if one is not None))


@transaction.atomic
def reopen(problem: ProblemRecord, reason: str, *, actor: User) -> ProblemRecord:
    """Open a substantiated problem record again (R-PRB-04).

    Raises NotAllowed, ReopenReason, NotSubstantiated: also when the check has found the pair anew meanwhile.
    """
    offices = who_reopens(problem)
    if not any(actor.may_act_at(right, path) for right, path in offices):
        right, path = offices[0]
        explain(actor, right, at=path).or_raise()
    if len(reason.strip()) < _REASON_AT_LEAST:
        raise ReopenReason()
    try:
        with transaction.atomic():
            changed = ProblemRecord.objects.filter(
                pk=problem.pk, closed_at__isnull=False, disposition=Disposition.PROVEN
            ).update(
                closed_at=None, disposition="", standing="", other_standing="", verdict="", arbitration_no="",
                judged_digest="", due_on=due_on(problem.org_path),
            )  # fmt: skip
    except IntegrityError:
        changed = 0
    if not changed:
        raise NotSubstantiated()
    problem.refresh_from_db()
    record(
        "registry.problem.reopen", problem, actor=actor, basis="R-PRB-04", reason=reason.strip()[:500],
        number=problem.case_no,
    )  # fmt: skip
    return problem
