"""What limits an intake, row by row in file order: seats, plan, quota, base list, 补录 (HANDBOOK A7.3, D7,
D9).
"""

from collections import Counter, defaultdict
from collections.abc import Container
from dataclasses import replace
from typing import Any
from uuid import UUID

from config.clock import today
from registry.findings import Finding, Objection
from registry.intake import objections as o
from registry.models import ImportBatch, ImportFinding, ImportRow, School, SchoolClass
from registry.record import same_person_index, school_year_start
from registry.services.intake_rules import (
    ENTRY_GRADES,
    JUNIOR_ENTRY,
    Entrant,
    Places,
    base_list_rule,
    is_omitted,
    not_on_base_list,
    plan_state,
    quota_state,
    seats_left,
    stage_of,
)

# Row number → what is found there, each with words about the other record where there is one.
Found = dict[int, list[tuple[Finding, dict[str, Any] | None]]]


def find_limits(
    batch: ImportBatch, rows: dict[int, ImportRow], continued: Container[int], found: Found
) -> None:
    """Add what the limits in force say of the rows that are sound so far; the last ones of a file find no
    place. `continued` are the numbers of the rows that continue a record. Constant queries.
    """
    _seats(_sound_rows(batch, rows, found), found)
    school = School.objects.select_related("organization").get(pk=batch.school_id)
    sound = [row for row in _sound_rows(batch, rows, found) if row.grade]
    _places(school, sound, found)
    late = {grade for grade in {row.grade for row in sound} if is_omitted(grade, today(), batch.org_path)}
    for row in sound:
        if row.grade in late and row.number not in continued:
            found[row.number].append((o.OMITTED.at("class_number"), None))
    _base_list(school, [row for row in sound if row.grade == JUNIOR_ENTRY], found)


def _seats(sound: list[ImportRow], found: Found) -> None:
    """Rows that find no seat in their class (C5)."""
    placed = [(row.number, row.school_class_id) for row in sound if row.school_class_id is not None]
    wanted = {pk for _number, pk in placed}
    classes = {row.pk: row for row in SchoolClass.objects.filter(pk__in=wanted)}
    seats = seats_left(wanted, today())
    used: Counter[int] = Counter()
    for number, pk in placed:
        name, (taken, cap, why) = classes[pk].name, seats[pk]
        used[pk] += 1
        if not classes[pk].is_open:
            found[number].append((o.CLASS_CLOSED.at("class_number", name=name), None))
        elif taken + used[pk] > cap:
            full = o.CLASS_FULL.at("class_number", name=name, taken=taken, cap=cap, why=why)
            found[number].append((full, None))


def _places(school: School, sound: list[ImportRow], found: Found) -> None:
    """Rows beyond the intake plan and the total quota (HANDBOOK A7.3, D7)."""
    by_stage: dict[str, list[ImportRow]] = defaultdict(list)
    for row in sound:
        by_stage[stage_of(row.grade)].append(row)
    year = school_year_start(today()).year
    for stage, inside in by_stage.items():
        newcomers = [row for row in inside if row.grade in ENTRY_GRADES]
        _beyond(o.BEYOND_PLAN, plan_state(school, year, stage, today()), newcomers, found)
        _beyond(o.BEYOND_QUOTA, quota_state(school, stage, today()), inside, found)


def _beyond(objection: Objection, places: Places | None, asked: list[ImportRow], found: Found) -> None:
    if places is None:
        return
    said = objection.at("class_number", planned=places.planned, taken=places.taken, why=places.why)
    for row in asked[places.left :]:
        found[row.number].append((said if places.mode == "block" else replace(said, level="warning"), None))


def _base_list(school: School, rows: list[ImportRow], found: Found) -> None:
    """Entrants of junior 1 whom no primary leaver of the authority's area stands behind (D9)."""
    in_force = base_list_rule(school.organization.path, today())
    if in_force is None or not rows:
        return
    asked = [Entrant(row.number, row.blind, _same_person(row)) for row in rows]
    for number in not_on_base_list(school, asked, today()):
        said = o.NOT_ON_BASE_LIST.at("name", why=in_force.explain())
        is_block = in_force.word == "block"
        found[int(str(number))].append((said if is_block else replace(said, level="warning"), None))


def _same_person(row: ImportRow) -> UUID | None:
    return same_person_index(row.name_fold, row.sex, row.birth_on) if row.birth_on and row.name_fold else None


def _sound_rows(batch: ImportBatch, rows: dict[int, ImportRow], found: Found) -> list[ImportRow]:
    """The rows without an error so far, in file order: only they take a seat."""
    wrong = set(ImportFinding.objects.filter(batch=batch, level="error").values_list("number", flat=True))
    wrong |= {number for number, listed in found.items() if any(f.level == "error" for f, _other in listed)}
    return [row for number, row in sorted(rows.items()) if number not in wrong]
