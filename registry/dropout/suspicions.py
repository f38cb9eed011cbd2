"""疑似辍学: the school's written report, its answer, and the authority's word (R-DRP-02, R-DRP-09)."""

from uuid import UUID

from django.db import transaction
from django.db.models.functions import Now
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from accounts.models import Organization, User
from accounts.notices import notify
from accounts.offices import authority_of
from accounts.rights import explain, seated
from accounts.roles import Right
from audit.services import record
from config.clock import today
from config.errors import Refusal
from registry.dropout.alarm import NOTICE, offices_told, told_lines
from registry.models import SuspectedDropout
from registry.services.dropouts import confirm_at_school
from registry.services.host_notes import host_counties

Answer = SuspectedDropout.Answer
SHORTEST_NOTE = 6


class SuspicionMoved(Refusal):
    code, status, rule = "suspicion_moved", 409, "R-DRP-02"
    message = _("该疑似辍学已报告、已答复或已销号，请刷新后查看。")


class AnswerUnclear(Refusal):
    code, status, rule = "answer_unclear", 422, "R-DRP-09"
    message = _("请选择核查结果并写明依据（至少 {count} 个字）。")


class ProofMissing(Refusal):
    code, status, rule = "at_school_unproved", 422, "R-DRP-09"
    message = _("答复“在校就读”须附在校就读证明（照片、扫描件或 PDF）。请选择文件后重新提交。")


class NoAnswerYet(Refusal):
    code, status, rule = "no_answer_yet", 409, "R-DRP-07"
    message = _("学校尚未答复“在校就读”，不能销号。仍未返校的，请学校继续劝返。")


@transaction.atomic
def report_in_writing(entry: SuspectedDropout, *, actor: User) -> None:
    """The school's leader reports in writing: kept with everybody who is told now (R-DRP-02).

    Raises NotAllowed, SuspicionMoved.
    """
    explain(actor, Right.REVIEW, at=entry.org_path).or_raise()
    school = Organization.objects.get(path=entry.org_path)
    offices = offices_told([school], host_counties([school]))[school.path]
    told = entry.told + told_lines(offices, "书面报告")
    waiting = SuspectedDropout.objects.filter(pk=entry.pk, reported_at=None, closed_on=None)
    if not waiting.update(reported_at=Now(), reported_by_name=actor.signing_name, told=told):
        raise SuspicionMoved()
    record(
        "registry.suspicion.report", entry, actor=actor, basis="R-DRP-02",
        offices="、".join(office.name for office in offices), is_late=today() > entry.report_due_on,
    )  # fmt: skip
    seats = seated((office.path, Right.DECIDE) for office in offices)
    text = f"{actor.acting_office_name}书面报告一名疑似辍学学生"
    notify(
        {person for people in seats.values() for person in people},
        NOTICE, text, reverse("dropout:suspicion", args=[entry.pk]), once_key=f"dropout:report:{entry.pk}",
    )  # fmt: skip


@transaction.atomic
def answer(entry: SuspectedDropout, *, actor: User, said: str, note: str, proof: UUID | None) -> None:
    """The school says what it found; `proof` names the material that shows the pupil at school. Until the
    entry is struck off a better answer may follow. Raises NotAllowed, AnswerUnclear, ProofMissing,
    SuspicionMoved.
    """
    explain(actor, Right.FILE, at=entry.org_path).or_raise()
    note = " ".join(note.split())[:300]
    if said not in Answer.values or len(note) < SHORTEST_NOTE:
        raise AnswerUnclear(count=SHORTEST_NOTE)
    if said == Answer.AT_SCHOOL and proof is None:
        raise ProofMissing()
    waiting = SuspectedDropout.objects.filter(pk=entry.pk, closed_on=None)
    if not waiting.update(
        answer=said, answer_note=note, answered_at=Now(), answered_by_name=actor.signing_name, proof=proof
    ):
        raise SuspicionMoved()
    record(
        "registry.suspicion.answer", entry, actor=actor, basis="R-DRP-09", answer=Answer(said).label,
        is_late=bool(entry.answer_due_on and today() > entry.answer_due_on),
    )  # fmt: skip


@transaction.atomic
def confirm(entry: SuspectedDropout, *, actor: User, proof: str) -> None:
    """The authority's reviewer has looked at `proof`, that the pupil is at school: the entry is struck off,
    and an absence that still runs ends. Raises NotAllowed, NoAnswerYet; SuspicionMoved where the school has
    given another proof meanwhile.
    """
    above = authority_of(Organization.objects.get(path=entry.org_path))
    explain(actor, Right.DECIDE, at=above.path if above else entry.org_path).or_raise()
    ready = SuspectedDropout.objects.select_for_update(of=("self",)).filter(
        pk=entry.pk, closed_on=None, answer=Answer.AT_SCHOOL
    )
    answered = ready.first()
    if answered is None:
        raise NoAnswerYet()
    if f"{answered.proof}" != proof:
        raise SuspicionMoved()
    confirm_at_school(entry.student_id, actor=actor)
