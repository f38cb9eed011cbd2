"""编班 of new pupils who came from the admission system without a class (D7): who waits, an even spread, and
the placement itself, set by set.

Such a pupil is pending with a grade and no class. She counts in plan and quota from her registration on, in a
class from her placement on.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from django.db import connection, transaction
from django.db.models import Q

from accounts.models import Organization, User
from accounts.rights import explain
from accounts.roles import Right
from audit.services import record_many
from config.clock import today
from config.rules import RuleInForce, rule
from registry.codes import code_of
from registry.models import Enrolment, ImportBatch, School
from registry.models.enrolment import EnrolmentQuerySet
from registry.services.intake_rules import ENTRY_GRADES, Seats, lock_classes, stage_of, term_start
from registry.services.refusals import GradeOtherwise, PlacedMeanwhile, PlacementUnclear
from registry.status import PENDING

_PLACE = """
UPDATE registry_enrolment e SET school_class_id = c.id, class_number = c.number
FROM unnest(%s::bigint[], %s::bigint[]) AS p (spell, class_id)
JOIN registry_schoolclass c ON c.id = p.class_id
WHERE e.id = p.spell AND e.org_path = %s AND e.status = %s AND NOT e.is_void AND e.school_class_id IS NULL"""
_FOLLOW = """
UPDATE registry_importrow r SET school_class_id = e.school_class_id
FROM registry_enrolment e
WHERE e.id = ANY(%s) AND r.student_id = e.student_id AND r.org_path = %s AND r.returned_case = ''"""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A pending pupil without a class."""

    spell: int
    student: int
    name: str
    name_py: str
    sex: str
    grade: str


def grade_without_class(school: School, text: str, on: date) -> str:
    """The entry grade of a row that leaves its class open, where placement registers; else an empty text.

    An empty cell means the school's only entry grade; a school with several stages writes the grade.
    """
    path = school.organization.path
    if not rule("PLACEMENT_REGISTERS", at=path, on=on).is_on:
        return ""
    own = [grade for grade in ENTRY_GRADES if stage_of(grade) in school.stages]
    if not text.strip():
        return own[0] if len(own) == 1 else ""
    grade = code_of("grade", text)
    return grade if grade in own else ""


def unplaced(path: str, batch: ImportBatch | None = None) -> EnrolmentQuerySet:
    """Pending spells of the school without a class, of one workbook if it is given."""
    spells = Enrolment.objects.filter(org_path=path, status=PENDING, is_void=False, school_class=None)
    return spells.filter(student__import_rows__batch=batch) if batch is not None else spells


def read_waiting(spells: EnrolmentQuerySet, most: int) -> list[Waiting]:
    """The first `most` of them, girls and boys of a grade together, by name."""
    rows = spells.order_by("grade", "sex", "name_py", "pk")
    columns = ("pk", "student_id", "name", "name_py", "sex", "grade")
    return [Waiting(*row) for row in rows.values_list(*columns)[:most]]


def spread(pupils: Iterable[Waiting], classes: Mapping[int, tuple[str, Seats]]) -> dict[int, int]:
    """Spell → class: each pupil into the smallest class of her grade, of equal ones into that with the fewest
    of her sex among those placed. `classes` gives grade and seats; who finds no seat is left out.
    """
    size = Counter({pk: seats.taken for pk, (_grade, seats) in classes.items()})
    placed: dict[int, int] = {}
    by_sex: Counter[tuple[int, str]] = Counter()
    for pupil in pupils:
        fitting = [
            pk for pk, (grade, seats) in classes.items() if grade == pupil.grade and size[pk] < seats.cap
        ]
        if fitting:
            chosen = min(fitting, key=lambda pk: (size[pk], by_sex[pk, pupil.sex], pk))
            placed[pupil.spell] = chosen
            size[chosen] += 1
            by_sex[chosen, pupil.sex] += 1
    return placed


def placement_due(path: str, on: date) -> tuple[date, RuleInForce]:
    """The last day on which the school should have placed its new pupils, and the rule."""
    in_force = rule("PLACEMENT_DAYS", at=path, on=on)
    return in_force.days_after(term_start(path, on)), in_force


@transaction.atomic
def place(office: Organization, choice: Mapping[int, int], *, actor: User) -> bool:
    """Put pending pupils (spell → class) into classes of the own school; True when it is late (D7).

    Late placement is done and marked: a child must not wait for a clock. Raises NotAllowed, PlacementUnclear,
    ClassUnknown, ClassFull, GradeOtherwise, and PlacedMeanwhile when a colleague placed one of them first.
    """
    explain(actor, Right.FILE, at=office.path).or_raise()
    if not choice:
        raise PlacementUnclear()
    classes = lock_classes(office.school, Counter(choice.values()), today())
    spells = list(unplaced(office.path).filter(pk__in=choice).values_list("pk", "student_id", "grade"))
    if len(spells) != len(choice):
        raise PlacedMeanwhile()
    if any(classes[choice[pk]].grade != grade for pk, _student, grade in spells):
        raise GradeOtherwise()
    with connection.cursor() as cursor:
        cursor.execute(_PLACE, [list(choice), list(choice.values()), office.path, PENDING])
        if cursor.rowcount != len(choice):
            raise PlacedMeanwhile()
        cursor.execute(_FOLLOW, [list(choice), office.path])
    is_late = today() > placement_due(office.path, today())[0]
    by_class: dict[int, list[tuple[int, str]]] = defaultdict(list)
    for pk, student, _grade in spells:
        by_class[choice[pk]].append((student, office.path))
    for class_id, subjects in sorted(by_class.items()):
        record_many(
            "registry.student.place", "student", subjects, actor=actor, basis="PLACEMENT_REGISTERS",
            school_class=classes[class_id].name, is_late=is_late,
        )  # fmt: skip
    return is_late


def batches_waiting(path: str) -> list[ImportBatch]:
    """Workbooks of the school some of whose pupils have no class yet, oldest first."""
    rows = Q(rows__student__enrolments__in=unplaced(path))
    return list(ImportBatch.objects.filter(rows, org_path=path).distinct().order_by("pk"))
