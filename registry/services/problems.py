"""问题学籍 as it is handled: how each side stands, what follows from it, what a judgement leaves behind
(R-PRB-01 … R-PRB-05). The cases that bring it about are kinds of transfers; nothing merges here (R-PRB-02).
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from django.db import IntegrityError, connection, transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from accounts.rights import explain
from accounts.roles import Right
from audit.services import Actor, record
from config.errors import Refusal
from config.scope import NATION, ancestors
from registry.models import Enrolment, ProblemRecord, Student
from registry.queries.schools import authority_above
from registry.services.duplicates import due_on, find_suspicions, identity_digest
from registry.status import OPEN, PENDING

Side, Standing = ProblemRecord.Side, ProblemRecord.Standing
Verdict, Disposition = ProblemRecord.Verdict, ProblemRecord.Disposition
SINGLE, OWN, AUTHORITY, ACROSS = "single", "own", "authority", "across"
BY_SCHOOL = "学校核对线索"  # how a hint became a problem record
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
        "另一方学籍已删除、已终止或尚未核准，本条是该生最后一条学籍，不能删除；信息有误的，请办理关键数据变更。"
    )


class NotSubstantiated(Refusal):
    code, status = "not_substantiated", 409
    rule = "R-PRB-04"
    message = _("只有以“佐证”销号的问题学籍可以重新打开；本条不是，或已经重新打开。")


class ReasonTooShort(Refusal):
    code, status = "reason_needed", 422
    rule = "R-PRB-04"
    message = _("必须写明理由（不少于 4 个字）。")


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
) -> ProblemRecord:
    """Write down what the case of one side has brought. Safe to repeat for the same case.

    Raises ProblemClosed when it was closed or judged otherwise meanwhile, LastRecord when one side deletes
    and the other side has no record in force, by whatever problem record or case that came.
    """
    row = _lock(problem_id)
    if row is None:
        raise ProblemClosed()
    if standing != Standing.DELETED and is_ordered_away(row, student.pk):
        raise ProblemClosed()
    if standing == Standing.DELETED and not keeps_one(row, student.pk):
        raise LastRecord()
    setattr(row, f"{place_of(row, student.pk)}standing", standing)
    row.case_no, row.judged_by, row.judgement = case_no, judged_by[:100], judgement[:500]
    row.save(update_fields=["standing", "other_standing", "case_no", "judged_by", "judgement"])
    record("registry.problem.stand", row, actor=actor, basis="R-PRB-01", number=case_no, standing=standing)
    return row


def keeps_one(row: ProblemRecord, leaving: int) -> bool:
    """Whether the side opposite to the pupil `leaving` keeps a record in force; True where there is no other
    record to compare with. Needs a scope that holds that side.
    """
    if row.side != Side.RECORD:
        return True
    stays = row.other_id if row.student_id == leaving else row.student_id
    spells = Enrolment.objects.filter(student=stays, is_void=False, status__in=OPEN)
    return bool(spells.exclude(status=PENDING).exists())


def _lock(problem_id: int) -> ProblemRecord | None:
    """The problem record, if it is open still, behind its pupils: whoever moves a pupil locks in this order.
    Both pupils: of two deletions at once, by one problem record or by two, the second sees the first.
    """
    sides = ProblemRecord.objects.filter(pk=problem_id).values_list("student_id", "other_id")
    _lock_pupils([pk for pair in sides for pk in pair if pk])
    rows = ProblemRecord.objects.select_for_update().filter(pk=problem_id, closed_at=None)
    found: ProblemRecord | None = rows.first()
    return found


def _lock_pupils(student_ids: Collection[int]) -> None:
    """Those inside the scope, in one order."""
    pupils = Student.objects.filter(pk__in=student_ids).order_by("pk")
    list(pupils.select_for_update(no_key=True).values_list("pk", flat=True))


@transaction.atomic
def settle(problem_id: int, *, actor: Actor) -> Settled:
    """What the standings of both sides come to, under the national scope. Safe to repeat."""
    row = _lock(problem_id)
    if row is None:
        return Settled()
    standings = (row.standing, row.other_standing)
    if row.is_hint:
        return _settle_hint(row, actor)
    if Standing.DELETED in standings:
        return _settle_deleted(row, actor)
    if row.side == Side.RECORD and (ended := _ended(row)):
        return _settle_ended(row, ended, actor)
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


def _ended(row: ProblemRecord) -> dict[int, bool]:
    """The sides without a record in force, each with whether it counts as never having been."""
    spells = Enrolment.objects.filter(student__in=[row.student_id, row.other_id])
    living = set(spells.filter(is_void=False, status__in=OPEN).values_list("student_id", flat=True))
    # A void spell says something of the pupil only where no other one counts: a continuation that was refused
    # takes nothing back of what she has graduated from.
    last = spells.exclude(student__in=living).order_by("student_id", "is_void").distinct("student_id")
    return dict(last.values_list("student_id", "is_void"))


def _settle_ended(row: ProblemRecord, ended: dict[int, bool], actor: Actor) -> Settled:
    """A record that was void otherwise than by this problem leaves nothing to compare; one that has ended
    has nobody who could still prove it, so the other side's proof is enough.
    """
    if any(ended.values()):
        for pupil in (pk for pk, is_void in ended.items() if is_void):
            setattr(row, f"{place_of(row, pupil)}standing", Standing.DELETED)
        row.judgement = "一方学籍已撤销或未予注册。"
        row.save()
        return _settle_deleted(row, actor)
    proven = {row.standing, row.other_standing} & {Standing.PROVEN, Standing.KEPT}
    return _close_judged(row, actor) if proven else Settled()


def _settle_hint(row: ProblemRecord, actor: Actor) -> Settled:
    """Both sides say that they are two: every hint about the pair is judged on the data of today. It frees
    nobody, for it held nobody.
    """
    if {row.standing, row.other_standing} == {Standing.PROVEN}:
        pair = ProblemRecord.objects.filter(student=row.student_id, other=row.other_id, is_hint=True)
        for one in pair.filter(closed_at=None).select_for_update().order_by("id"):
            one.judgement = "学校核对，不是同一人。"
            _close_judged(one, actor)
    return Settled()


def ended_ones() -> list[int]:
    """Open problem records that can be settled because a side has no record in force: it never counted, or
    somebody has proven one. Nobody else would ask for them.
    """
    rows = ProblemRecord.objects.filter(closed_at=None, is_hint=False, side=Side.RECORD)
    counting = Enrolment.objects.filter(is_void=False)

    def both(spells: QuerySet[Any]) -> Q:
        return Exists(spells.filter(student=OuterRef("student"))) & Exists(
            spells.filter(student=OuterRef("other"))
        )

    unproven = Q(standing=Standing.OPEN, other_standing=Standing.OPEN) & both(counting)
    ended = rows.exclude(both(counting.filter(status__in=OPEN))).exclude(unproven)
    return list(ended.order_by("pk").values_list("pk", flat=True))


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
    _lock_pupils([student_id])
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
            # What a school has made a problem is one as long as the check sees anything in it.
            weighs = found.is_hint == row.is_hint or row.found_by == BY_SCHOOL
            if weighs and (found.type, found_other) == (row.type, other):
                return True
    return False


# ── A pupil who moves ─────────────────────────────────────────────────────────────────────────────────────
def follow_pupils(student_ids: Collection[int], path: str) -> None:
    """The sides of these pupils go along to the school of `path`, closed ones too: what is opened again
    stands where the pupil is, and the school that she left sees no more of it (R-PRB-04).
    """
    rows = ProblemRecord.objects.filter(Q(student__in=student_ids) | Q(other__in=student_ids))
    list(rows.select_for_update().order_by("id").values_list("id", flat=True))  # in one order for everybody
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE registry_problemrecord SET"
            " org_path = CASE WHEN student_id = ANY(%(pupils)s) THEN %(path)s ELSE org_path END,"
            " other_path = CASE WHEN other_id = ANY(%(pupils)s) OR side = 'single' THEN %(path)s"
            " ELSE other_path END WHERE student_id = ANY(%(pupils)s) OR other_id = ANY(%(pupils)s)",
            {"pupils": list(student_ids), "path": path},
        )


def close_attempts(student: Student, path: str, *, case_no: str, actor: Actor) -> None:
    """The school at `path` has the pupil now: that it once tried to register her is settled (G-01)."""
    rows = ProblemRecord.objects.filter(
        student=student, other_path=path, side=Side.ATTEMPT, closed_at=None
    ).select_for_update()
    for row in rows:
        row.case_no = case_no
        _close(row, Disposition.MOVED, actor)


# ── 重新打开 ──────────────────────────────────────────────────────────────────────────────────────────────
def check_reason(reason: str) -> None:
    """Raises ReasonTooShort."""
    if len(reason.strip()) < _REASON_AT_LEAST:
        raise ReasonTooShort()


def who_reopens(problem: ProblemRecord) -> list[tuple[str, str]]:
    """Right and office: the nation what it has judged itself, else the authority of either side."""
    if problem.arbitration_no:
        return [(Right.ARBITRATE, NATION)]
    above = (authority_above(path) for path in (problem.org_path, problem.other_path))
    return list(dict.fromkeys((str(Right.DECIDE), one.path) for one in above if one is not None))


@transaction.atomic
def reopen(problem: ProblemRecord, reason: str, *, actor: User) -> ProblemRecord:
    """Open a substantiated problem record again (R-PRB-04).

    Raises NotAllowed, ReasonTooShort, NotSubstantiated; this too when the check has found the pair anew.
    """
    offices = who_reopens(problem)
    if not any(actor.may_act_at(right, path) for right, path in offices):
        right, path = offices[0]
        explain(actor, right, at=path).or_raise()
    check_reason(reason)
    try:
        with transaction.atomic():
            changed = ProblemRecord.objects.filter(
                pk=problem.pk, closed_at__isnull=False, disposition=Disposition.PROVEN
            ).update(
                closed_at=None, disposition="", standing="", other_standing="", verdict="", arbitration_no="",
                judged_digest="", due_on=None if problem.is_hint else due_on(problem.org_path),
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
