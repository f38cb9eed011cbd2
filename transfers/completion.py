"""Performing what the outbox owes: each effect once, whatever is killed when (ARCHITECTURE 4.4, SECURITY
RE-1).
"""

from collections.abc import Callable

import structlog
from django.db import transaction
from django.db.models import F
from django.db.models.functions import Now

from audit.services import System, record
from config.errors import Refusal
from config.faults import fault
from config.models import Outbox
from config.requestid import request_id
from config.scope import NATION, scope
from registry.models import ImportRow, OpenBusiness
from registry.reorganizing import refuse_if_moving
from registry.reorganizing.execute import StillWorking
from registry.reorganizing.refusals import OfficeMoving
from registry.services.numbering import check_and_number, check_and_number_all
from registry.services.problems import recheck
from transfers.kinds import KINDS
from transfers.kinds.offices import OFFICE_KINDS
from transfers.kinds.registration_batch import PACK
from transfers.models import Case, rows_of
from transfers.notify import case_ended
from transfers.outbox import COMPLETE_CASE, NUMBER_BATCH, NUMBER_STUDENT, SETTLE_PROBLEM, offer, owe
from transfers.problems import conclude
from transfers.services import end_case, move_state

log = structlog.get_logger()
MOST_ATTEMPTS = 8  # then the row is set aside and health turns yellow


def perform_owed(pk: int) -> bool:
    """Perform one owed effect in one transaction; False when it is done, claimed by another worker or set
    aside.

    The row lock is the claim: a worker that dies gives it back, and the sweeper offers the row again.
    """
    try:
        with transaction.atomic():
            row = Outbox.objects.select_for_update(skip_locked=True).filter(pk=pk, done_at=None).first()
            if row is None or row.attempts >= MOST_ATTEMPTS:
                return False
            request_id.set(row.request_id)
            fault("claimed")
            if row.kind == COMPLETE_CASE:
                wait_for_offices(row.subject_id)
            with scope(row.path):
                is_done = _EFFECTS[row.kind](row)
            fault("performed")
            if is_done is not False:
                Outbox.objects.filter(pk=pk).update(done_at=Now())
            fault("before_commit")
        fault("after_commit")
        if is_done is False:
            offer(row.kind, row.subject_id)
        return True
    except (OfficeMoving, StillWorking):
        return False  # nothing has failed: the sweeper asks again until the move, or the job, is over
    except Exception as error:
        # In a transaction of its own: the failed one took its attempt count with it.
        Outbox.objects.filter(pk=pk, done_at=None).update(
            attempts=F("attempts") + 1, last_error=type(error).__name__[:200]
        )
        log.exception("owed effect failed", outbox=pk)
        raise


def wait_for_offices(case_id: int) -> None:
    """Raise OfficeMoving while an office of the case is being merged or moved: half of what the effect needs
    would be elsewhere. It is completed under the successor (G-05). The move itself does not wait.

    The wide scope: the case may have gone before the row that owes its effect.
    """
    with scope(NATION):
        kind, *paths = Case.objects.values_list("kind", "from_path", "to_path").get(pk=case_id)
    if kind not in OFFICE_KINDS:
        refuse_if_moving(*paths, is_open=True)


def complete_case(row: Outbox) -> bool:
    """Do what the last decision allowed, and close the case. A case that is no longer approved is left
    alone. False when the effect has done one batch of several: the row stays owed.
    """
    case = Case.objects.select_for_update().get(pk=row.subject_id)
    if case.state != Case.State.APPROVED:
        return True
    kind, actor = KINDS[case.kind], System(acting_path=row.path)
    try:
        with transaction.atomic():
            if kind.effect(case, actor) is False:
                return False
    except Refusal as refusal:
        # The facts changed after the last decision: the request is rejected by itself, with the reason
        # (R-UPD-06).
        end_case(kind, case, Case.State.REFUSED, actor=actor, reason=refusal.detail)
        record(
            "transfers.case.refuse",
            case,
            actor=actor,
            reason=refusal.detail,
            basis=refusal.rule,
            number=case.number,
            kind=kind.name,
            step="办结",
        )
        return True
    fault("effect")
    OpenBusiness.objects.filter(case_no=case.number).delete()
    move_state(case, Case.State.DONE, is_open=False, ended_at=Now())
    case_ended(case)
    fault("closed")
    record(
        "transfers.case.complete", case, actor=actor, basis=kind.article, number=case.number, kind=kind.name
    )
    return True


def number_student(row: Outbox) -> None:
    """The national duplicate and identity check, and the formal number."""
    actor = System(acting_path=row.path)
    for student_id in recheck(row.subject_id, actor=actor).freed:
        if student_id != row.subject_id:
            owe(NUMBER_STUDENT, student_id, NATION)
    check_and_number(row.subject_id, actor=actor)


def number_batch(row: Outbox) -> None:
    """The same for a pack of a batch; those with a likely duplicate are looked at one by one afterwards."""
    first = ImportRow.objects.get(pk=row.subject_id)
    pack = rows_of(first.batch_id).filter(pk__gte=first.pk).order_by("pk")
    pupils = list(pack.values_list("student_id", flat=True)[:PACK])
    for student_id in check_and_number_all(pupils, actor=System(acting_path=row.path)):
        owe(NUMBER_STUDENT, student_id, NATION)


def settle_problem(row: Outbox) -> None:
    """What the standings of a problem record come to: it is closed, waits, or goes before the nation."""
    conclude(row.subject_id, actor=System(acting_path=row.path))


_EFFECTS: dict[str, Callable[[Outbox], bool | None]] = {
    COMPLETE_CASE: complete_case,
    NUMBER_STUDENT: number_student,
    NUMBER_BATCH: number_batch,
    SETTLE_PROBLEM: settle_problem,
}
