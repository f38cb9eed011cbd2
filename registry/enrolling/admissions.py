"""The school's side of a result list: class by class, doubles shown, handed in, enrolled (A7.3)."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from functools import reduce
from typing import NamedTuple

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from accounts.models import Organization, User
from accounts.rights import explain
from accounts.roles import Right
from audit.services import Actor, record, record_many
from config.clock import today
from config.errors import NotFound, Refusal
from config.scope import NATION, common_path, scope
from registry.enrolling import refusals as say
from registry.models import Admission, Enrolment, OpenBusiness, SchoolClass, Student
from registry.protection import HIDDEN_PLACE, SHORTEST_REASON, hidden_from, protected_among
from registry.reorganizing import refuse_if_moving
from registry.services.duplicates import blocking
from registry.services.placement import placement_due
from registry.status import GRADUATED

State = Admission.State
LIVE = (State.WAITING, State.FILED)
OWN = "enrolment"  # the business by which a school enrols a graduate by itself (自主招生)


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


class Side(NamedTuple):
    """Another school that has the pupil as well, and what it says."""

    school: int
    name: str
    said: str


def other_schools(students: Collection[int], path: str) -> dict[int, list[Side]]:
    """Pupil → the other schools that have her, on a result list or in a case of their own (重复招生): both
    sides are shown to both, but the name of a school that has a protected pupil (AZ-10). Asked over the
    country, about pupils that the school at `path` has itself.
    """
    found: dict[int, list[Side]] = defaultdict(list)
    with scope(NATION):
        rows = Admission.objects.filter(student_id__in=students, state__in=LIVE).exclude(org_path=path)
        columns = ("student_id", "school_id", "school__name", "sits_here")
        for student, *side in rows.order_by("pk").values_list(*columns):
            found[student].append(Side(*side))
        cases = OpenBusiness.objects.filter(student_id__in=students, kind=OWN).exclude(to_path=path)
        filed = dict(cases.values_list("student_id", "to_path"))
    schools = Organization.objects.in_bulk(set(filed.values()), field_name="path") if filed else {}
    for student, at in filed.items():
        side = Side(schools[at].pk, schools[at].name, _("正在办理升学入籍"))
        if all(one.school != side.school for one in found[student]):
            found[student].append(side)
    for student in protected_among(found) if found else ():
        found[student] = [side._replace(name=str(HIDDEN_PLACE)) for side in found[student]]
    return found


def is_admitted_elsewhere(student: Student, path: str) -> str:
    """The other school that has her as well, or an empty text."""
    others = other_schools([student.pk], path).get(student.pk)
    return others[0].name if others else ""


def doubled_within(user: User) -> list[tuple[str, list[str]]]:
    """Name and schools of each pupil whom two schools of the area have, for their authority."""
    path = user.acting_path
    rows = Admission.objects.within(path).filter(state__in=LIVE).exclude(student_id__in=hidden_from(user))
    schools: dict[int, list[str]] = defaultdict(list)
    names: dict[int, str] = {}
    for student, name, school in rows.values_list("student_id", "name", "school__name").order_by("pk"):
        names[student] = name
        schools[student].append(school)
    cases = OpenBusiness.objects.filter(student_id__in=names, kind=OWN, to_path__within=path)
    filed = dict(cases.values_list("student_id", "to_path"))
    offices = dict(Organization.objects.filter(path__in=filed.values()).values_list("path", "name"))
    for student, at in filed.items():
        if offices[at] not in schools[student]:
            schools[student].append(offices[at])
    return [(names[student], held) for student, held in schools.items() if len(held) > 1]


@transaction.atomic
def choose_classes(wanted: Mapping[int, int], *, actor: User) -> int:
    """Note in which class each pupil is to sit (admission → class; 0 for none); how many changed. Nobody is
    placed before the authority has decided. Raises NotAllowed, NotFound, ClassUnfit.
    """
    path = actor.acting_path
    explain(actor, Right.FILE, at=path).or_raise()
    rows = {row.pk: row for row in admissions_of(actor).filter(state=State.WAITING, pk__in=wanted)}
    classes = SchoolClass.objects.filter(org_path=path, is_open=True)
    known = {one.pk: one for one in classes.filter(pk__in=set(wanted.values()))}
    if rows.keys() != set(wanted):
        raise NotFound()
    moved: dict[int, list[int]] = defaultdict(list)
    for pk, row in rows.items():
        chosen = known.get(wanted[pk])
        if wanted[pk] and (chosen is None or chosen.grade != row.grade):
            raise say.ClassUnfit()
        if (row.school_class_id or 0) != wanted[pk]:
            moved[wanted[pk]].append(pk)
    is_late = today() > placement_due(path, today())[0]
    for class_id, pks in moved.items():
        # The state once more: a colleague may be handing them in.
        Admission.objects.filter(pk__in=pks, state=State.WAITING).update(school_class=class_id or None)
        record_many(
            "registry.admission.place", "admission", [(pk, path) for pk in pks], actor=actor, basis="A7.3",
            school_class=known[class_id].name if class_id else "—", is_late=is_late,
        )  # fmt: skip
    return sum(map(len, moved.values()))


def is_all_placed(path: str) -> bool:
    """Whether nobody whom this school alone has waits without a class."""
    waiting = Admission.objects.filter(org_path=path, state=State.WAITING)
    bare = set(waiting.filter(school_class=None).values_list("student_id", flat=True))
    return bare <= other_schools(bare, path).keys()


@transaction.atomic
def drop(row: Admission, *, reason: str, actor: User) -> None:
    """The school takes a pupil off its list: she does not sit here. Raises NotAllowed, OfficeMoving,
    AdmissionUnclear, AdmissionOver.
    """
    explain(actor, Right.FILE, at=row.org_path).or_raise()
    refuse_if_moving(row.org_path)
    words = " ".join(reason.split())[:200]
    if len(words) < SHORTEST_REASON:
        raise say.AdmissionUnclear(count=SHORTEST_REASON)
    waiting = Admission.objects.filter(pk=row.pk, state=State.WAITING)
    if waiting.update(state=State.DROPPED, dropped_why=words) != 1:
        raise say.AdmissionOver()
    record("registry.admission.drop", row, actor=actor, basis="A7.3", reason=words, student=row.student_id)


# ── 重复招生: what a claim changes on the lists ───────────────────────────────────────────────────────────
def note_word(student_id: int, path: str, words: str) -> None:
    """What the school at `path` says of a pupil whom another has as well, where she is on its list."""
    Admission.objects.filter(student_id=student_id, org_path=path, state__in=LIVE).update(sits_here=words)


def lose(student_id: int, path: str, why: str, *, actor: Actor) -> None:
    """The authority has found for another school: the pupil leaves the list of the school at `path`."""
    rows = Admission.objects.filter(student_id=student_id, org_path=path, state__in=LIVE)
    for row in rows.select_for_update(no_key=True):
        Admission.objects.filter(pk=row.pk).update(state=State.DROPPED, dropped_why=why[:200])
        record("registry.admission.drop", row, actor=actor, basis="A7.3", reason=why, student=student_id)


# ── What a case hands in ─────────────────────────────────────────────────────────────────────────────────
def take_ready(path: str, contested: Collection[int]) -> tuple[list[int], str]:
    """Take the rows of the school that are ready in hand; their ids and the path that holds the school and
    every graduate. Ready: a class is chosen and no other school has or claims her. Raises NothingReady.
    """
    rows = list(
        Admission.objects.select_for_update(no_key=True, of=("self",))
        .filter(org_path=path, state=State.WAITING, school_class__isnull=False)
        .exclude(student_id__in=contested)
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


def gone_on(students: Collection[int]) -> set[int]:
    """Those whose last spell is no graduate's any more. Asked over the country."""
    with scope(NATION):
        last = (
            Enrolment.objects.filter(student_id__in=students, is_void=False)
            .order_by("student_id", "-valid")
            .distinct("student_id")
            .values_list("student_id", "status")
        )
        return {student for student, status in last if status != GRADUATED}


def unfit(ids: Collection[int], contested: Collection[int]) -> list[str]:
    """Names of those who are no graduates any more, or whom another school has or claims: a condition at
    each step. The scope must hold the school; the graduates are asked for over the country.
    """
    rows = list(Admission.objects.filter(pk__in=ids, state=State.FILED).order_by("pk"))
    students = [row.student_id for row in rows]
    wrong = gone_on(students) | set(contested)
    if rows:
        wrong |= other_schools(students, rows[0].org_path).keys()
    return [row.name for row in rows if row.student_id in wrong]


def in_doubt(ids: Collection[int]) -> list[str]:
    """Names of those with a problem record that blocks (R-PRB-05). Asked over the country."""
    rows = Admission.objects.filter(pk__in=ids, state=State.FILED).order_by("pk")
    names = dict(rows.values_list("student_id", "name"))
    with scope(NATION):
        sides = blocking(list(names)).values_list("student_id", "other_id")
        held = {pk for pair in sides for pk in pair}
    return [name for student, name in names.items() if student in held]


def give_back(ids: Collection[int]) -> None:
    """A case was refused or withdrawn: its rows wait again."""
    Admission.objects.filter(pk__in=ids, state=State.FILED).update(state=State.WAITING, case_no="")


def note_enrolled(rows: Collection[Admission]) -> None:
    Admission.objects.filter(pk__in=[row.pk for row in rows]).update(state=State.ENROLLED)


def note_refused(row: Admission, refusal: Refusal, *, actor: Actor) -> None:
    """One pupil could not be enrolled after all: her row waits again, with the reason."""
    handed_in = Admission.objects.filter(pk=row.pk, state=State.FILED)
    if not handed_in.update(
        state=State.WAITING, case_no="", school_class=None, dropped_why=refusal.detail[:200]
    ):
        return  # a ruling has taken her off the list meanwhile
    record("registry.admission.fail", row, actor=actor, basis="A7.3", student=row.student_id)
