"""A promotion from its rehearsal to its end: two persons' words on one hash, then unit by unit, each once
(R-GRD-08, R-GRD-10, RE-4).
"""

from datetime import date

from celery import current_app
from django.db import DatabaseError, IntegrityError, OperationalError, transaction
from django.db.models.functions import Now
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.notices import notify
from accounts.rights import explain, seated
from accounts.roles import Right
from audit.services import System, record
from config import breaker
from config.clock import now, today
from config.copying import copy_rows
from config.faults import fault
from config.rules import rule
from config.scope import NATION, scoped_transaction
from registry.models import PromotionPart, PromotionRun, PromotionSchool, School
from registry.school_year.promoting import AtSchool, digest_of, promote, summed
from registry.school_year.refusals import (
    CountsDiffer,
    FactsMoved,
    HashDiffers,
    PromotionNotReady,
    PromotionRefused,
    PromotionRunning,
    SecondPersonNeeded,
)
from registry.school_year.units import divide, schools_of
from registry.school_year.year import SchoolYear, present_year, school_year
from registry.services.grades import last_year

TASK = "registry.tasks.promote_part"
_RUN, _PART = PromotionRun.State, PromotionPart.State
_OWED = {_RUN.REHEARSING: _PART.WAITING, _RUN.RUNNING: _PART.REHEARSED}
_OFFERED = 500  # units in one round, so that what waits for a slow queue does not pile up in it


class _TakenBackError(Exception):
    """Ends a rehearsal: its savepoint is rolled back."""


# ── Asking and confirming ────────────────────────────────────────────────────────────────────────────────
@transaction.atomic
def rehearse(*, actor: User) -> PromotionRun:
    """Begin a rehearsal of the coming promotion over everything that is not promoted yet; an earlier one that
    was not confirmed by two is dropped. Raises NotAllowed, PromotionRunning.
    """
    explain(actor, Right.PROMOTE, at=NATION).or_raise()
    year = present_year().year
    former = PromotionRun.objects.select_for_update().filter(year=year, state__in=PromotionRun.OPEN).first()
    if former and former.state == _RUN.RUNNING:
        raise PromotionRunning(year=str(year))
    if former:
        PromotionSchool.objects.filter(part__run=former).delete()
        PromotionRun.objects.filter(pk=former.pk).update(state=_RUN.DROPPED, ended_at=Now())
    try:
        with transaction.atomic():
            run = PromotionRun.objects.create(year=year, asked_by=actor.pk, asked_by_name=actor.signing_name)
    except IntegrityError as error:
        raise PromotionRunning(year=str(year)) from error
    run.refresh_from_db()
    record("registry.promotion.rehearse", run, actor=actor, basis="R-GRD-08", year=year)
    transaction.on_commit(offer, robust=True)
    return run


@transaction.atomic
def confirm(run: PromotionRun, *, digest: str, actor: User) -> PromotionRun:
    """Her word on exactly this hash. The first needs the right to promote; the second person, who may also
    be one who confirms mass acts, starts it. Raises NotAllowed, HashDiffers, SecondPersonNeeded,
    PromotionNotReady.
    """
    is_first = run.first_id is None
    may_confirm = not is_first and actor.may_act_at(Right.CONFIRM_RUN, NATION)
    explain(actor, Right.CONFIRM_RUN if may_confirm else Right.PROMOTE, at=NATION).or_raise()
    ready = PromotionRun.objects.filter(pk=run.pk, state=_RUN.REHEARSED)
    if digest != run.digest:
        raise HashDiffers()
    ready = ready.filter(digest=digest)
    if not ready.filter(first_id=None).update(
        first_id=actor.pk, first_name=actor.signing_name, first_at=Now()
    ) and not ready.filter(first_id__isnull=False).exclude(first_id=actor.pk).update(
        second_id=actor.pk, second_name=actor.signing_name, second_at=Now(), state=_RUN.RUNNING
    ):
        raise SecondPersonNeeded() if ready.filter(first_id=actor.pk).exists() else PromotionNotReady()
    run.refresh_from_db()
    touched = run.counts.get("promoted", 0)
    record(
        "registry.promotion.confirm", run, actor=actor, basis="RE-4", year=run.year, digest=digest,
        touched=touched,
    )  # fmt: skip
    if run.second_id:
        breaker.agree(
            "promote", path=NATION, day=_day_of(run), touched=touched,
            first=(run.first_id, run.first_name, run.first_at),
            second=(run.second_id, run.second_name, run.second_at),
        )  # fmt: skip
        transaction.on_commit(offer, robust=True)
    return run


def _day_of(run: PromotionRun) -> date:
    return max(today(), school_year(run.year).at.date())


# ── Offering the work ────────────────────────────────────────────────────────────────────────────────────
def offer() -> int:
    """Each minute, and after each word: hand every owed unit to the workers; how many. Messages get lost."""
    offered = 0
    for run in PromotionRun.objects.filter(state__in=_OWED):
        if run.state == _RUN.RUNNING and now() < school_year(run.year).at:
            continue
        if run.state == _RUN.REHEARSING and not run.parts.exists():
            with scoped_transaction(NATION):
                divide(run)
        owed = list(run.parts.filter(state=_OWED[_RUN(run.state)]).values_list("pk", flat=True)[:_OFFERED])
        for pk in owed:
            current_app.send_task(TASK, [pk], retry=False)
        offered += len(owed)
        close(run)
    return offered


def work(part_id: int) -> None:
    """A worker's turn at one unit: rehearse or promote it, whichever the run is at."""
    part = PromotionPart.objects.select_related("run").filter(pk=part_id).first()
    if part is None:
        return
    if part.run.state == _RUN.REHEARSING:
        rehearse_county(part.run, part.path)
    elif part.run.state == _RUN.RUNNING:
        promote_county(part.run, part.path)
    close(part.run)


def close(run: PromotionRun) -> None:
    """End the rehearsal or the run when no unit is owed any more. Safe to call at any time, by several."""
    state = PromotionRun.objects.values_list("state", flat=True).get(pk=run.pk)
    if state not in _OWED or run.parts.filter(state=_OWED[_RUN(state)]).exists():
        return
    parts = list(run.parts.values_list("path", "digest", "counts", "state"))
    told = {"units": len(parts), "held": sum(part[3] == _PART.HELD for part in parts)}
    counted = _PART.REHEARSED if state == _RUN.REHEARSING else _PART.DONE
    counts = summed([part[2] for part in parts if part[3] == counted]) | told
    here = PromotionRun.objects.filter(pk=run.pk, state=state)
    if state == _RUN.REHEARSING:
        digest = digest_of([part[:2] for part in parts if part[3] == counted])
        ended = here.update(state=_RUN.REHEARSED, digest=digest, counts=counts, rehearsed_at=Now())
    else:
        ended = here.update(state=_RUN.DONE, counts=counts, ended_at=Now())
    if ended:
        is_rehearsed = state == _RUN.REHEARSING
        said = (
            _("{year}年升级演练已完成，请核对后确认。") if is_rehearsed else _("{year}年统一升级已执行完毕。")
        )
        _tell(run, NATION, said.format(year=run.year))


# ── One unit ─────────────────────────────────────────────────────────────────────────────────────────────
def rehearse_county(run: PromotionRun, path: str) -> None:
    """Promote the unit's schools and take it back; keep the counts and the hash. Nothing if it was done."""
    year = school_year(run.year)
    with scoped_transaction(path):
        part = _claim(run, path, _PART.WAITING)
        if part is None:
            return
        found: list[AtSchool] = []
        try:
            with transaction.atomic():
                found = _promote(part, year)
                raise _TakenBackError
        except _TakenBackError:
            pass
        _keep(part, found, year, is_done=False)
        fault("promote.rehearsed")


def promote_county(run: PromotionRun, path: str) -> None:
    """Promote the unit's schools in one transaction with the mark that it is done; a second call finds it
    done. A unit whose facts moved since the rehearsal, or whose counts do not add up, is held and told.

    Raises PromotionTooEarly before the moment, MassRunHeld where the breaker stops it.
    """
    year = school_year(run.year)
    year.refuse_before()
    breaker.allow("promote", path=NATION, touched=run.counts.get("promoted", 0), of=0)
    try:
        with scoped_transaction(path):
            part = _claim(run, path, _PART.REHEARSED)
            if part is None:
                return
            found = _promote(part, year)
            if digest_of([(at.path, at.digest) for at in found]) != part.digest:
                raise FactsMoved(name=part.name)
            _keep(part, found, year, is_done=True)
            fault("promote.done")
    except OperationalError:
        raise  # of the connection or of a deadlock: tried again
    except (PromotionRefused, DatabaseError) as error:
        code = error.code if isinstance(error, PromotionRefused) else "promotion_failed"
        _hold(run, path, code)


def _claim(run: PromotionRun, path: str, state: str) -> PromotionPart | None:
    """The unit, locked, if it is still owed by a run that is still at it; two workers come one after the
    other.
    """
    at = next(one for one, owed in _OWED.items() if owed == state)
    part = PromotionPart.objects.select_for_update().filter(run=run, path=path, state=state).first()
    is_on = PromotionRun.objects.filter(pk=run.pk, state=at).exists()
    return part if is_on else None


def _promote(part: PromotionPart, year: SchoolYear) -> list[AtSchool]:
    """The very same for rehearsal and earnest. Raises CountsDiffer in earnest only: see `_keep`."""
    held = rule("SCHOOLING", at=part.path).word
    last = [f"{stage}{last_year(stage, held)}" for stage in "123"]
    schools = schools_of(part.path, year.year)
    found = promote(schools, year, actor=System(part.path), last_grades=last)
    differ = set(School.objects.filter(pk__in=schools).exclude(schooling=held).values_list("pk", flat=True))
    for at in found:
        at.counts["schools"] = 1
        if at.school_id in differ:
            at.counts["other_schooling"] = 1
    return found


def _keep(part: PromotionPart, found: list[AtSchool], year: SchoolYear, *, is_done: bool) -> None:
    """What happened at each school, and the unit's state, in the transaction that did it."""
    is_equal = all(at.is_equal for at in found)
    if is_done and not is_equal:
        raise CountsDiffer(name=part.name)
    PromotionSchool.objects.filter(part=part).delete()
    moment = now() if is_done else None
    copy_rows(
        PromotionSchool,
        [
            PromotionSchool(
                org_path=at.path, part=part, school_id=at.school_id, year=year.year, digest=at.digest,
                counts=at.counts, done_at=moment, spells=at.spells if is_done else {},
                classes=at.classes if is_done else [], unplaced=at.unplaced if is_done else [],
            )
            for at in found
        ],
    )  # fmt: skip
    part.counts = summed([at.counts for at in found])
    part.digest = digest_of([(at.path, at.digest) for at in found])
    part.done_at = moment
    part.state = _PART.DONE if is_done else _PART.REHEARSED if is_equal else _PART.HELD
    part.reason = "" if is_equal else CountsDiffer.code
    part.save()


def _hold(run: PromotionRun, path: str, code: str) -> None:
    """Set the unit aside, and tell the nation and the office itself."""
    with scoped_transaction(path):
        held = PromotionPart.objects.filter(run=run, path=path, state=_PART.REHEARSED)
        if held.update(state=_PART.HELD, reason=code):
            part = PromotionPart.objects.get(run=run, path=path)
            record(
                "registry.promotion.hold", part, actor=System(path), basis="R-GRD-08", year=run.year,
                name=part.name, code=code,
            )  # fmt: skip
            said = _("{name}的统一升级已暂停：演练后学生或班级有变动，或人数不平。")
            _tell(run, path, said.format(name=part.name))


def _tell(run: PromotionRun, path: str, said: str) -> None:
    who = seated([(NATION, Right.PROMOTE), (path, Right.DECIDE)])
    target = reverse("year:run", args=[run.public_id])
    notify({pk for people in who.values() for pk in people}, "promotion", said, target)
