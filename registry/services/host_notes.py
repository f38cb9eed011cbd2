"""What the county hears of a directly run school that lies in it: who came and who left (R-TRF-20)."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from django.db.models.functions import Left

from accounts.models import Organization
from config.clock import today
from config.faults import fault
from registry.models import HostNote, Student
from registry.services.intake_rules import present_term

Direction = HostNote.Direction


def host_county(school: Organization) -> Organization | None:
    """The county a school lies in, where that is not an office above it: a directly run school's host."""
    return host_counties([school]).get(school.path)


def host_counties(schools: Iterable[Organization]) -> dict[str, Organization]:
    """By its path, the county that hosts a school; schools that none hosts are left out. One query."""
    places = {school.path: school.division[:6] for school in schools if school.division}
    counties = Organization.objects.filter(kind=Organization.Kind.COUNTY, valid__contains=today())
    in_place = counties.alias(place=Left("division", 6)).filter(place__in=set(places.values()))
    first = {county.division[:6]: county for county in in_place.order_by("-path")}
    hosts = {path: first[place] for path, place in places.items() if place in first}
    return {path: county for path, county in hosts.items() if not path.startswith(county.path)}


@dataclass(frozen=True, slots=True)
class Move:
    """A move as a host county hears of it."""

    case_no: str
    grade: str
    on: date
    from_school: Organization
    to_school: Organization


def note_move(student: Student, move: Move) -> None:
    """Tell the host counties on either side. Safe to repeat; the scope must cover them."""
    for school, other, direction in (
        (move.from_school, move.to_school, Direction.LEFT),
        (move.to_school, move.from_school, Direction.ARRIVED),
    ):
        county = host_county(school)
        if county is None:
            continue
        term = present_term(county.path, move.on)
        HostNote.objects.get_or_create(
            case_no=move.case_no,
            student=student,
            direction=direction,
            defaults={
                "org_path": county.path, "school": school, "name": student.name, "grade": move.grade,
                "other_name": other.name, "on": move.on, "school_year": term.school_year,
                "semester": term.semester,
            },
        )  # fmt: skip
        fault("host.told")
