"""疑似辍学: the school's written report, what the ministry pushes down, and the school's answer (R-DRP-02,
R-DRP-09).
"""

from collections.abc import Iterable
from dataclasses import dataclass

from django.db import transaction
from django.db.models.functions import Now
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from accounts.models import Organization, User
from accounts.notices import notify
from accounts.offices import authority_of
from accounts.rights import explain, seated
from accounts.roles import Right
from audit.services import record, record_many
from config.clock import today
from config.errors import Refusal
from config.rules import rule
from config.workdays import add_workdays
from registry.dropout.alarm import NOTICE, offices_told, tell, told_lines
from registry.models import Enrolment, StudentNumber, SuspectedDropout
from registry.services.dropouts import close_suspicion
from registry.status import OPEN

Answer, Closed = SuspectedDropout.Answer, SuspectedDropout.Closed
MOST_PUSHED = 2000
SHORTEST_NOTE = 6


class SuspicionMoved(Refusal):
    code, status, rule = "suspicion_moved", 409, "R-DRP-02"
    message = _("该疑似辍学已报告、已答复或已销号，请刷新后查看。")


class AnswerUnclear(Refusal):
    code, status, rule = "answer_unclear", 422, "R-DRP-09"
    message = _("请选择核查结果并写明依据（至少 {count} 个字）。")


class NoAnswerYet(Refusal):
    code, status, rule = "no_answer_yet", 409, "R-DRP-07"
    message = _("学校尚未答复“在校就读”，不能销号。仍未返校的，请学校继续劝返。")


class ListUnclear(Refusal):
    code, status, rule = "push_list_unclear", 422, "R-DRP-09"
    message = _("请填写学籍号，每行一个，一次不超过 {most} 个。")


@dataclass(frozen=True, slots=True)
class Pushed:
    """What became of a pushed list: opened now, open already, unknown or without a status."""

    opened: int
    known: int
    unknown: int


@transaction.atomic
def report_in_writing(entry: SuspectedDropout, *, actor: User) -> None:
    """The school's leader reports in writing: kept with everybody who is told now (R-DRP-02).

    Raises NotAllowed, SuspicionMoved.
    """
    explain(actor, Right.REVIEW, at=entry.org_path).or_raise()
    offices = offices_told(Organization.objects.get(path=entry.org_path))
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
def answer(entry: SuspectedDropout, *, actor: User, said: str, note: str) -> None:
    """The school says what it found. Raises NotAllowed, AnswerUnclear, SuspicionMoved."""
    explain(actor, Right.FILE, at=entry.org_path).or_raise()
    note = " ".join(note.split())[:300]
    if said not in Answer.values or len(note) < SHORTEST_NOTE:
        raise AnswerUnclear(count=SHORTEST_NOTE)
    waiting = SuspectedDropout.objects.filter(pk=entry.pk, closed_on=None).exclude(answer=Answer.AT_SCHOOL)
    if not waiting.update(
        answer=said, answer_note=note, answered_at=Now(), answered_by_name=actor.signing_name
    ):
        raise SuspicionMoved()
    record(
        "registry.suspicion.answer", entry, actor=actor, basis="R-DRP-09", answer=Answer(said).label,
        is_late=bool(entry.answer_due_on and today() > entry.answer_due_on),
    )  # fmt: skip


@transaction.atomic
def confirm(entry: SuspectedDropout, *, actor: User) -> None:
    """The authority's reviewer has looked at the proof that the pupil is at school: the entry is struck off.

    Raises NotAllowed, NoAnswerYet.
    """
    above = authority_of(Organization.objects.get(path=entry.org_path))
    explain(actor, Right.DECIDE, at=above.path if above else entry.org_path).or_raise()
    ready = SuspectedDropout.objects.select_for_update(of=("self",)).filter(
        pk=entry.pk, closed_on=None, answer=Answer.AT_SCHOOL
    )
    if not ready.exists():
        raise NoAnswerYet()
    close_suspicion(entry.student_id, Closed.CONFIRMED, actor=actor)


@transaction.atomic
def push(numbers: Iterable[str], *, actor: User) -> Pushed:
    """Open a suspicion for each of these status numbers, to be answered by the school within its term.

    One that is open already gets the term as well. Raises NotAllowed, ListUnclear.
    """
    explain(actor, Right.PUSH_DROPOUT, at=actor.acting_path).or_raise()
    wanted = {text.strip().upper() for text in numbers if text.strip()}
    if not wanted or len(wanted) > MOST_PUSHED:
        raise ListUnclear(most=MOST_PUSHED)
    owners = StudentNumber.objects.filter(number__in=wanted, kind=StudentNumber.Kind.NATIONAL)
    pupils = set(owners.values_list("student_id", flat=True))
    spells = dict(
        Enrolment.objects.filter(student__in=pupils, status__in=OPEN, is_void=False).values_list(
            "student_id", "org_path"
        )
    )
    due = add_workdays(today(), rule("DROPOUT_ANSWER_DAYS").number)
    held = SuspectedDropout.objects.filter(student__in=spells, closed_on=None)
    known = set(held.values_list("student_id", flat=True))
    held.filter(answer_due_on=None).update(answer_due_on=due)
    made = SuspectedDropout.objects.bulk_create(
        SuspectedDropout(
            org_path=path, student_id=student, source=SuspectedDropout.Source.MINISTRY, opened_on=today(),
            report_due_on=due, answer_due_on=due,
        )
        for student, path in spells.items() if student not in known
    )  # fmt: skip
    record_many(
        "registry.suspicion.push", "suspecteddropout", [(entry.pk, entry.org_path) for entry in made],
        actor=actor, basis="R-DRP-09", due=f"{due}",
    )  # fmt: skip
    tell(made)
    return Pushed(len(made), len(known), len(wanted) - len(spells))
