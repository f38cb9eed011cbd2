"""学籍注册 of a whole intake batch: filing it as one case, and returning single pupils out of it."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.db import connection, transaction
from django.db.models.functions import Now

from accounts.models import User
from accounts.roles import Right
from audit.services import record, record_many
from config.clock import today
from config.crypto import next_ids
from config.errors import NotFound
from config.faults import fault
from registry.models import IdentityDocument, ImportBatch, ImportRow, OpenBusiness, Student
from registry.reorganizing import refuse_if_moving
from registry.services.batches import take_back_all
from registry.services.intake_rules import is_omitted
from transfers.examining import is_reason
from transfers.figures import count_pupils, less
from transfers.kinds import KINDS
from transfers.kinds.registration import REGISTRATION
from transfers.kinds.registration_batch import REGISTRATION_BATCH
from transfers.models import Case, Step, rows_of
from transfers.refusals import AllRows, NotTheStarter, ReasonNeeded, RowsGone, RowsUnclear
from transfers.services import card_with, case_number, file_case, move_state
from transfers.turns import own_turn, refuse_second_signature

MOST_RETURNED = 200  # rows in one act
_MOST_NAMED = 8
Action = ImportRow.Action


@transaction.atomic
def file_batch_case(batch: ImportBatch, *, actor: User, reach: str, attested: bool) -> Case:
    """File the one case of a batch whose pupils are pending now; its number stands in the batch from here on.

    `attested`: the registrar has confirmed that she saw each pupil's valid identity document (R-EST-03);
    copies follow within ARCHIVE_DEADLINE (R-EST-02). `reach` is the path that holds the school and every
    continued pupil's record. Raises NotAllowed, RequirementFailed, and CaseLocked for open business.
    """
    rows = list(rows_of(batch.pk).order_by("number"))
    grades = rows_of(batch.pk).values_list("school_class__grade", flat=True)
    payload = {
        "count": len(rows),
        "attested": attested,
        "reach": reach,
        # A pupil whose row comes back in October is no late one (R-EST-13).
        "filed_on": today().isoformat(),
        "is_omitted": any(is_omitted(grade, today(), batch.org_path) for grade in set(grades)),
        "figures": count_pupils(rows),
    }
    case = file_case(REGISTRATION_BATCH, batch.school, actor=actor, payload=payload, batch=batch)
    ImportBatch.objects.filter(pk=batch.pk).update(case_no=case.number)
    batch.case_no = case.number
    return case


@transaction.atomic
def return_rows(case: Case, numbers: Sequence[int], *, actor: User, reason: str) -> list[Case]:
    """Take pupils out of a batch's case for correction; the case goes on with the others.

    The officer whose turn it is returns them, or the school takes them out of a batch that was returned. Each
    new pupil gets a returned case of her own with the steps so far, so that whoever has signed still counts
    as having signed (R-ACC-02). A continued pupil's registration ends: her record lies at another school and
    cannot be corrected from here; a corrected row is handed in anew. Raises NotFound for a case without a
    batch, RowsUnclear, ReasonNeeded, RowsGone, AllRows and what deciding raises.
    """
    if case.batch_id is None:
        raise NotFound()
    refuse_if_moving(case.to_path, is_open=True)
    # Of two colleagues one waits here, and then finds the rows gone.
    case = Case.objects.select_for_update().get(pk=case.pk)
    waiting = _turn(case, actor)
    if not 1 <= len(set(numbers)) <= MOST_RETURNED:
        raise RowsUnclear(most=MOST_RETURNED)
    if not is_reason(reason):
        raise ReasonNeeded()
    rows = list(rows_of(case.batch_id).filter(number__in=numbers).order_by("number"))
    gone = sorted(set(numbers) - {row.number for row in rows})
    if gone:
        raise RowsGone(rows="、".join(map(str, gone[:_MOST_NAMED])))
    if len(rows) == case.count:
        raise AllRows()
    left = less(case.payload["figures"], count_pupils(rows))
    act = _Return(case, waiting, actor, reason.strip())
    cases = act.split_off([row for row in rows if row.action == Action.CREATE])
    act.end([row for row in rows if row.action == Action.CONTINUE])
    fault("rows.left")
    payload = case.payload | {"count": case.count - len(rows), "figures": left}
    move_state(case, case.state, payload=payload)
    record(
        "transfers.case.return_rows", case, actor=actor, reason=act.reason, basis="R-EST-04",
        number=case.number, kind=KINDS[case.kind].name, count=len(rows), rows=[row.number for row in rows],
    )  # fmt: skip
    fault("rows.returned")
    return cases


def _turn(case: Case, actor: User) -> Step | None:
    """The waiting step if it is hers; None when the school works on its returned batch."""
    if case.state != Case.State.RETURNED:
        step = own_turn(case, actor)
        refuse_second_signature(case, step, actor)
        return step
    if not actor.may_act_at(Right.FILE, case.to_path):
        raise NotTheStarter()
    return None


_SAME = (
    "from_path", "to_path", "ordinal", "office_path", "office_name", "right", "label", "days", "arrived_at",
    "due_on", "escalated_at",
)  # fmt: skip
_DECIDED = ("decision", "decided_by_id", "decided_by_name", "decided_at", "reason")


@dataclass(frozen=True, slots=True)
class _Return:
    """One act of returning rows: from which case, at which step, by whom and why."""

    case: Case
    waiting: Step | None
    actor: User
    reason: str

    def split_off(self, rows: list[ImportRow]) -> list[Case]:
        """Returned cases of their own for new pupils, with locks, steps and links moved over. Set-wise."""
        if not rows:
            return []
        pupils = {row.student_id: row for row in rows if row.student_id is not None}
        students = Student.objects.in_bulk(list(pupils))
        documents = IdentityDocument.objects.filter(student_id__in=pupils).order_by("student_id", "-id")
        last = {document.student_id: document for document in documents.distinct("student_id")}
        cases = [
            self._single(case_id, row, students[pk], last.get(pk))
            for (pk, row), case_id in zip(
                pupils.items(), next_ids("transfers_case", len(pupils)), strict=True
            )
        ]
        Case.objects.bulk_create(cases)
        signed = list(self.case.steps.exclude(decision="").order_by("ordinal"))
        Step.objects.bulk_create(step for one in cases for step in self._steps_of(one, signed))
        _move_locks(cases)
        _link({row.number: one.number for row, one in zip(rows, cases, strict=True)}, self.case)
        record_many(
            "transfers.case.return_row", "case", ((one.pk, one.to_path) for one in cases), actor=self.actor,
            reason=self.reason, basis="R-EST-04", number=self.case.number, kind=REGISTRATION.name,
        )  # fmt: skip
        return cases

    def _single(
        self, case_id: int, row: ImportRow, student: Student, document: IdentityDocument | None
    ) -> Case:
        case = self.case
        single = Case(
            id=case_id,
            number=case_number(REGISTRATION, case_id),
            kind=REGISTRATION.code,
            student=student,
            payload={
                "batch_case": case.number,
                "filed_on": case.payload["filed_on"],
                "class_id": row.school_class_id,
                "is_disputed": document is not None and document.is_disputed,
                "distinct_reason": row.distinct_reason,
                "filers": sorted({case.filed_by_id, *case.payload.get("filers", ())}),
            },
            state=Case.State.RETURNED,
            **{name: getattr(case, name) for name in _INHERITED},
        )
        single.set_card(card_with(student, document.mask if document else ""))
        return single

    def _steps_of(self, single: Case, signed: list[Step]) -> list[Step]:
        """The signed steps of the batch, and this return where an officer returns the row."""
        steps = [
            Step(case=single, **{name: getattr(step, name) for name in (*_SAME, *_DECIDED)})
            for step in signed
        ]
        if self.waiting is not None:
            back = Step(case=single, **{name: getattr(self.waiting, name) for name in _SAME})
            back.decision, back.reason = Step.Decision.RETURN, self.reason
            back.decided_by, back.decided_by_name, back.decided_at = self.actor, self.actor.name, Now()
            steps.append(back)
        return steps

    def end(self, rows: list[ImportRow]) -> None:
        """Take continued pupils' registrations back; their rows point to the batch's own case."""
        if not rows:
            return
        ids = [row.student_id for row in rows if row.student_id is not None]
        take_back_all([], ids, self.case.to_path, actor=self.actor, reason=self.reason)
        OpenBusiness.objects.filter(case_no=self.case.number, student_id__in=ids).delete()
        ImportRow.objects.filter(pk__in=[row.pk for row in rows]).update(
            returned_case=self.case.number, cells=None
        )


_INHERITED = (
    "from_path", "to_path", "from_name", "to_name", "rulebook", "filed_by_id", "filed_by_name", "filed_at",
)  # fmt: skip


def _move_locks(cases: list[Case]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE registry_openbusiness b SET case_no = c.number, kind = %s, kind_name = %s"
            " FROM unnest(%s::bigint[], %s::text[]) AS c (student_id, number)"
            " WHERE b.student_id = c.student_id",
            [
                REGISTRATION.code, REGISTRATION.name,
                [one.student_id for one in cases], [one.number for one in cases],
            ],
        )  # fmt: skip


def _link(numbers: dict[int, str], case: Case) -> None:
    """Each row remembers the case that its pupil went to."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE registry_importrow r SET returned_case = c.number"
            " FROM unnest(%s::int[], %s::text[]) AS c (row, number)"
            " WHERE r.batch_id = %s AND r.number = c.row",
            [list(numbers), list(numbers.values()), case.batch_id],
        )
