"""Counts about the pupils of a batch: made when it is filed, less what is returned; never who."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any

from config.clock import today
from registry.checks import age_on
from registry.form_values import parse_date
from registry.identity import NO_NUMBER_NEEDED
from registry.models import IdentityDocument, ImportRow, Student
from registry.record import school_year_start

HAN = "01"
Action = ImportRow.Action


@dataclass(frozen=True, slots=True)
class Traits:
    """What is counted of one pupil."""

    class_id: int
    sex: str
    birth_on: date | None
    ethnic_group: str
    migrant_child: str
    left_behind: str
    has_number: bool
    continues: bool
    is_distinct: bool


def count_pupils(rows: Any) -> dict[str, int]:
    """Counts by class and sex, age and group over these rows; keys are made of codes and ids."""
    on = school_year_start(today())
    figures: Counter[str] = Counter()
    for pupil in _traits(rows):
        figures[f"class.{pupil.class_id}.{pupil.sex}"] += 1
        if pupil.birth_on is not None:
            figures[f"age.{age_on(pupil.birth_on, on)}"] += 1
        groups = {
            "minority": pupil.ethnic_group not in ("", HAN),
            "migrant": pupil.migrant_child == "1",
            "left_behind": pupil.left_behind not in ("", "0"),
            "no_number": not pupil.has_number,
            "continued": pupil.continues,
            "distinct": pupil.is_distinct,
        }
        figures.update(name for name, belongs in groups.items() if belongs)
    return dict(figures)


def less(figures: dict[str, int], gone: dict[str, int]) -> dict[str, int]:
    """What remains when some pupils leave the batch."""
    return dict(Counter(figures) - Counter(gone))


def _traits(rows: Any) -> Iterator[Traits]:
    yield from _of_new([row for row in rows if row.action == Action.CREATE])
    yield from _of_continued(row for row in rows if row.action == Action.CONTINUE)


def _of_new(rows: list[ImportRow]) -> Iterator[Traits]:
    """From the record, which the school holds already."""
    pupils = {row.student_id: row for row in rows if row.student_id is not None}
    students = Student.objects.in_bulk(list(pupils))
    documents = IdentityDocument.objects.filter(student_id__in=pupils).exclude(type=NO_NUMBER_NEEDED)
    numbered = set(documents.exclude(mask="").values_list("student_id", flat=True))
    for pk, row in pupils.items():
        student = students[pk]
        yield Traits(
            class_id=row.school_class_id or 0,
            sex=student.sex,
            birth_on=student.birth_on,
            ethnic_group=student.ethnic_group,
            migrant_child=student.migrant_child,
            left_behind=student.open_private().get("left_behind", ""),
            has_number=pk in numbered,
            continues=False,
            is_distinct=bool(row.distinct_reason),
        )


def _of_continued(rows: Iterable[ImportRow]) -> Iterator[Traits]:
    """From the row: the record itself lies at another school until the case is decided."""
    for row in rows:
        values = row.open_cells().stored
        yield Traits(
            class_id=row.school_class_id or 0,
            sex=values["sex"],
            birth_on=parse_date(values["birth_on"]),
            ethnic_group=values["ethnic_group"],
            migrant_child=values["migrant_child"],
            left_behind=values["left_behind"],
            has_number=bool(values["id_number"]),
            continues=True,
            is_distinct=bool(row.distinct_reason),
        )
