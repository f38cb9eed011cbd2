"""The school's side of a result list: class by class, doubles settled, handed in, enrolled (A7.3)."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from functools import reduce
from typing import Any

from django.db import transaction
from django.db.models import QuerySet

from accounts.models import User
from accounts.rights import explain
from accounts.roles import Right
from audit.services import Actor, record
from config.errors import NotFound, Refusal
from config.scope import NATION, common_path, scope
from registry.enrolling import refusals as say
from registry.models import Admission, Enrolment, SchoolClass, Student
from registry.protection import SHORTEST_REASON
from registry.reorganizing import refuse_if_moving
from registry.status import GRADUATED

State = Admission.State
LIVE = (State.WAITING, State.FILED)


def admissions_of(user: User) -> "QuerySet[Admission]":
    """What is given to the school she files for."""
    rows: QuerySet[Admission] = Admission.objects.visible_to(user, Right.FILE).filter(
        org_path=user.acting_path
    )
    return rows.select_related("school_class").order_by("grade", "name", "pk")


def open_admission(user: User, pk: int) -> Admission:
    """Raises NotFound."""
    row = admissions_of(user).filter(pk=pk).first()
    if row is None:
        raise NotFound()
    return row


def other_schools(students: Collection[int], path: str) -> dict[int, list[tuple[str, str]]]:
    """Pupil → name and word of the other schools on whose lists she stands (重复招生): both sides are shown
    to both. Asked over the country, about pupils on the own list only.
    """
    found: dict[int, list[tuple[str, str]]] = defaultdict(list)
    with scope(NATION):
        rows = Admission.objects.filter(student_id__in=students, state__in=LIVE).exclude(org_path=path)
        for student, name, said in rows.order_by("pk").values_list("student_id", "school__name", "sits_here"):
            found[student].append((name, said))
    return found


def is_admitted_elsewhere(student: Student, path: str) -> str:
    """The other school on whose result list she stands, or an empty text."""
    others = other_schools([student.pk], path).get(student.pk)
    return others[0][0] if others else ""


def doubled_within(path: str) -> list[tuple[str, list[str]]]:
    """Name and schools of each pupil whom two schools of the area have, for their authority."""
    rows = Admission.objects.within(path).filter(state__in=LIVE)
    schools: dict[int, list[tuple[str, str]]] = defaultdict(list)
    for student, name, school in rows.values_list("student_id", "name", "school__name").order_by("pk"):
        schools[student].append((name, school))
    return [(held[0][0], [school for _n, school in held]) for held in schools.values() if len(held) > 1]


@transaction.atomic
def choose_classes(wanted: Mapping[int, int], *, actor: User) -> int:
    """Note in which class each pupil is to sit (admission → class; 0 for none); how many changed. Nobody is
    placed before the authority has decided. Raises NotAllowed, NotFound, ClassUnfit.
    """
    explain(actor, Right.FILE, at=actor.acting_path).or_raise()
    own = admissions_of(actor).filter(state=State.WAITING)
    rows = {row.pk: row for row in own.filter(pk__in=wanted)}
    classes = SchoolClass.objects.filter(org_path=actor.acting_path, is_open=True)
    known = {one.pk: one for one in classes.filter(pk__in=set(wanted.values()))}
    if rows.keys() != set(wanted):
        raise NotFound()
    changed = 0
    for pk, row in rows.items():
        chosen = known.get(wanted[pk])
        if wanted[pk] and (chosen is None or chosen.grade != row.grade):
            raise say.ClassUnfit()
        if row.school_class_id != (chosen.pk if chosen else None):
            Admission.objects.filter(pk=pk, state=State.WAITING).update(school_class=chosen)
            changed += 1
    return changed


@transaction.atomic
def drop(row: Admission, *, reason: str, actor: User) -> None:
    """The school takes a pupil off its list: she does not sit here. Raises NotAllowed, AdmissionUnclear,
    AdmissionOver.
    """
    words = _word(row, reason, actor)
    _settle(row, state=State.DROPPED, dropped_why=words)
    record("registry.admission.drop", row, actor=actor, basis="A7.3", reason=words, student=row.student_id)


@transaction.atomic
def claim(row: Admission, *, reason: str, actor: User) -> None:
    """The school where she sits says so; the other one then deletes. Raises as `drop`."""
    words = _word(row, reason, actor)
    _settle(row, sits_here=words)
    record("registry.admission.claim", row, actor=actor, basis="A7.3", reason=words, student=row.student_id)


def _word(row: Admission, reason: str, actor: User) -> str:
    explain(actor, Right.FILE, at=row.org_path).or_raise()
    refuse_if_moving(row.org_path)
    words = " ".join(reason.split())[:200]
    if len(words) < SHORTEST_REASON:
        raise say.AdmissionUnclear(count=SHORTEST_REASON)
    return words


def _settle(row: Admission, **columns: Any) -> None:
    if Admission.objects.filter(pk=row.pk, state=State.WAITING).update(**columns) != 1:
        raise say.AdmissionOver()


# ── What a case hands in ─────────────────────────────────────────────────────────────────────────────────
def take_ready(path: str) -> tuple[list[int], str]:
    """Take the rows of the school that are ready in hand; their ids and the path that holds the school and
    every graduate. Ready: a class is chosen and no other school has her. Raises NothingReady.
    """
    rows = list(
        Admission.objects.select_for_update(no_key=True, of=("self",))
        .filter(org_path=path, state=State.WAITING, school_class__isnull=False)
        .order_by("pk")
    )
    doubled = other_schools([row.student_id for row in rows], path)
    ready = [row for row in rows if row.student_id not in doubled]
    if not ready:
        raise say.NothingReady()
    Admission.objects.filter(pk__in=[row.pk for row in ready]).update(state=State.FILED, dropped_why="")
    with scope(NATION):
        students = Student.objects.filter(pk__in=[row.student_id for row in ready])
        paths = set(students.values_list("org_path", flat=True))
    return [row.pk for row in ready], reduce(common_path, paths, path)


def unfit(ids: Collection[int]) -> list[str]:
    """Names of those who are no graduates any more, or whom another school has: a condition at each step.
    The scope must hold the school; the graduates are asked for over the country.
    """
    rows = list(Admission.objects.filter(pk__in=ids, state=State.FILED).order_by("pk"))
    with scope(NATION):
        last = (
            Enrolment.objects.filter(student_id__in=[row.student_id for row in rows], is_void=False)
            .order_by("student_id", "-valid")
            .distinct("student_id")
            .values_list("student_id", "status")
        )
        gone = {student for student, status in last if status != GRADUATED}
    doubled = other_schools([row.student_id for row in rows], rows[0].org_path) if rows else {}
    return [row.name for row in rows if row.student_id in gone or row.student_id in doubled]


def give_back(ids: Collection[int]) -> None:
    """A case was refused or withdrawn: its rows wait again."""
    Admission.objects.filter(pk__in=ids, state=State.FILED).update(state=State.WAITING, case_no="")


def note_enrolled(row: Admission) -> None:
    Admission.objects.filter(pk=row.pk).update(state=State.ENROLLED)


def note_refused(row: Admission, refusal: Refusal, *, actor: Actor) -> None:
    """One pupil could not be enrolled after all: her row waits again, with the reason."""
    Admission.objects.filter(pk=row.pk).update(
        state=State.WAITING, case_no="", school_class=None, dropped_why=refusal.detail[:200]
    )
    record("registry.admission.fail", row, actor=actor, basis="A7.3", student=row.student_id)
