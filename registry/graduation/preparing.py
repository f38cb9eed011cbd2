"""The registrar makes a list, sets outcomes and hands it in; the leader confirms or returns it."""

from collections.abc import Mapping, Sequence

from django.db import IntegrityError, transaction
from django.db.models.functions import Now

from accounts.models import Organization, User
from accounts.rights import explain
from accounts.roles import Right
from audit.services import record
from config.clock import today
from config.copying import copy_rows
from registry.codes import is_code, label
from registry.graduation.checking import eligible, examine, refuse_if_unready
from registry.graduation.effect import graduate
from registry.graduation.refusals import (
    ListChanged,
    ListOpenAlready,
    NeedsApproval,
    NoSuchGrade,
    OutcomeNotHere,
    ReasonNeeded,
    RowsUnclear,
    SamePerson,
    WrongMoment,
)
from registry.models import Enrolment, GraduationList, GraduationRow
from registry.services.seasons import is_graduating, study_year
from registry.status import NORMAL

State = GraduationList.State
GRADUATION = "1"  # list completion_type
UNKNOWN = "-"  # said instead of a destination: back to unknown


@transaction.atomic
def open_list(school: Organization, grade: str, *, actor: User) -> GraduationList:
    """A list of everybody of a graduating grade who is normal in school; all of them graduate until the
    registrar says otherwise.

    Raises NotAllowed, NoSuchGrade, ListOpenAlready (a constraint decides).
    """
    explain(actor, Right.FILE, at=school.path).or_raise()
    spells = Enrolment.objects.filter(org_path=school.path, grade=grade, status=NORMAL, is_void=False)
    if not is_graduating(grade, school.school.schooling) or not spells.exists():
        raise NoSuchGrade(grade=label("grade", grade))
    made = GraduationList(
        org_path=school.path,
        school=school,
        school_year=study_year(school.path, today()),
        grade=grade,
        prepared_by=actor,
        prepared_by_name=actor.signing_name,
    )
    try:
        with transaction.atomic():
            made.save(force_insert=True)
    except IntegrityError as error:
        raise ListOpenAlready(grade=label("grade", grade)) from error
    made.refresh_from_db()
    _follow_school(made)
    made.refresh_from_db()
    record(
        "registry.graduation.open", made, actor=actor, basis="R-GRD-01", grade=label("grade", grade),
        year=str(made.school_year),
    )  # fmt: skip
    return made


def _locked(graduation: GraduationList, *states: str) -> GraduationList:
    """The list, locked. Raises WrongMoment unless it is in one of `states`."""
    found = GraduationList.objects.select_for_update(no_key=True, of=("self",)).select_related("school")
    held = found.get(pk=graduation.pk)
    if held.state not in states:
        raise WrongMoment(state=held.get_state_display())
    return held


def _follow_school(graduation: GraduationList) -> int:
    """Make the rows those who are normal in the grade today; what was set for the others stays."""
    present = dict(eligible(graduation).values_list("student_id", "pk"))
    known = set(graduation.rows.values_list("student_id", flat=True))
    gone, come = known - present.keys(), sorted(present.keys() - known)
    graduation.rows.filter(student_id__in=gone).delete()
    copy_rows(
        GraduationRow,
        [
            GraduationRow(
                graduation=graduation, org_path=graduation.org_path, student_id=pk, enrolment_id=present[pk]
            )
            for pk in come
        ],
    )
    _count(graduation)
    return len(gone) + len(come)


def _count(graduation: GraduationList) -> None:
    graduating = graduation.rows.filter(held="").count()
    GraduationList.objects.filter(pk=graduation.pk).update(total=graduating)


@transaction.atomic
def refresh(graduation: GraduationList, *, actor: User) -> int:
    """Take in who came and leave out who went since the list was made; how many. Raises NotAllowed,
    WrongMoment.
    """
    explain(actor, Right.FILE, at=graduation.org_path).or_raise()
    moved = _follow_school(_locked(graduation, State.DRAFT))
    if moved:
        record("registry.graduation.refresh", graduation, actor=actor, basis="R-GRD-01", count=moved)
    return moved


@transaction.atomic
def set_rows(
    graduation: GraduationList, students: Sequence[int], values: Mapping[str, str], *, actor: User
) -> int:
    """Set outcome, destination (`-` for unknown) or the reason why they do not graduate now, for some pupils
    of the list; an empty `held` puts them back. Returns how many.

    Raises NotAllowed, WrongMoment, RowsUnclear, OutcomeNotHere (R-GRD-04), ReasonNeeded.
    """
    explain(actor, Right.FILE, at=graduation.org_path).or_raise()
    held = _locked(graduation, State.DRAFT)
    wanted = _clean(held, values)
    rows = held.rows.filter(student_id__in=students)
    changed = rows.update(**wanted) if wanted else 0
    if not changed or changed != len(set(students)):
        raise RowsUnclear()
    _count(held)
    record(
        "registry.graduation.set", held, actor=actor, basis="R-GRD-04", fields=sorted(wanted), count=changed
    )
    return changed


def _clean(graduation: GraduationList, values: Mapping[str, str]) -> dict[str, str]:
    wanted = {key: text.strip() for key, text in values.items() if key in ("outcome", "destination", "held")}
    if outcome := wanted.get("outcome", ""):
        if not is_code("completion_type", outcome):
            raise RowsUnclear()
        if outcome != GRADUATION and not graduation.is_senior:
            raise OutcomeNotHere()
    else:
        wanted.pop("outcome", None)
    if destination := wanted.get("destination", ""):
        if destination == UNKNOWN:
            wanted["destination"] = ""
        elif not is_code("graduation_destination", destination):
            raise RowsUnclear()
    else:
        wanted.pop("destination", None)
    if (reason := wanted.get("held", "")) and not 2 <= len(reason) <= 200:
        raise ReasonNeeded()
    return wanted


# ── Handing in, confirming ───────────────────────────────────────────────────────────────────────────────
@transaction.atomic
def hand_in(graduation: GraduationList, digest: str, *, actor: User) -> GraduationList:
    """Send a list of the compulsory stage to the school's leader, as it was seen under `digest`.

    Raises NotAllowed, WrongMoment, NeedsApproval for a senior secondary school, and what `refuse_unseen`
    raises.
    """
    explain(actor, Right.FILE, at=graduation.org_path).or_raise()
    held = _locked(graduation, State.DRAFT)
    if held.is_senior:
        raise NeedsApproval()
    count = refuse_unseen(held, digest)
    note_handed_in(held, State.HANDED_IN, actor=actor)
    record(
        "registry.graduation.hand_in", held, actor=actor, basis="R-GRD-03", grade=label("grade", held.grade),
        count=count,
    )  # fmt: skip
    return held


def refuse_unseen(graduation: GraduationList, digest: str) -> int:
    """How many graduate by the list as she saw it. Raises ListChanged when it is another by now,
    NobodyGraduates, BusinessUnfinished, ProblemsOpen, GraduationClosed.
    """
    rows = refuse_if_unready(graduation)
    found = examine(graduation)
    if found.closed:
        raise found.closed
    if found.is_stale or found.digest != digest:
        raise ListChanged()
    return len(rows)


def note_handed_in(graduation: GraduationList, state: str, *, actor: User) -> None:
    GraduationList.objects.filter(pk=graduation.pk).update(
        state=state, handed_in_by=actor, handed_in_at=Now(), returned_reason=""
    )
    graduation.refresh_from_db()


@transaction.atomic
def give_back(graduation: GraduationList, reason: str, *, actor: User) -> None:
    """The leader returns a list for correction. Raises NotAllowed, WrongMoment, ReasonNeeded."""
    explain(actor, Right.REVIEW, at=graduation.org_path).or_raise()
    held = _locked(graduation, State.HANDED_IN)
    if not 2 <= len(reason.strip()) <= 200:
        raise ReasonNeeded()
    reopen(held, reason.strip())
    record("registry.graduation.return", held, actor=actor, reason=reason.strip(), basis="R-GRD-03")


def reopen(graduation: GraduationList, reason: str = "") -> None:
    """Back to the registrar: the list may be changed and handed in again."""
    GraduationList.objects.filter(pk=graduation.pk).update(
        state=State.DRAFT, returned_reason=reason[:300], case_no=""
    )


@transaction.atomic
def confirm(graduation: GraduationList, digest: str, *, actor: User) -> int:
    """The leader's word is final in the compulsory stage (R-GRD-03): everybody on the list graduates now.

    Safe to repeat: a confirmed list answers how many graduated. Raises NotAllowed, SamePerson for who made
    or handed in the list (R-ACC-02), WrongMoment, and what `refuse_unseen` raises.
    """
    explain(actor, Right.REVIEW, at=graduation.org_path).or_raise()
    held = _locked(graduation, State.HANDED_IN, State.DONE)
    if held.state == State.DONE:
        return held.records.count()
    if actor.pk in (held.prepared_by_id, held.handed_in_by_id):
        raise SamePerson()
    refuse_unseen(held, digest)
    return graduate(held, actor=actor, confirmed_by=actor.signing_name)
