"""From a kind's stops to offices: planned when a case is filed, stored as steps, never recomputed
(ARCHITECTURE 4).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from accounts.models import Organization
from config.clock import today
from config.rules import rule
from config.scope import NATION, ancestors
from transfers.kind import Kind, Party, Stop
from transfers.refusals import NoAuthority


@dataclass(frozen=True, slots=True)
class Planned:
    stop: Stop
    office_path: str
    office_name: str
    days: int


def offices_above(path: str) -> list[Organization]:
    """The offices above `path` that exist today, nearest first, in one query."""
    above = Organization.objects.filter(path__in=ancestors(path)[:-1], valid__contains=today())
    return sorted(above, key=lambda office: -len(office.path))


def authority_of(path: str) -> Organization:
    """The competent authority: the nearest office above with `is_authority`. Raises NoAuthority."""
    for office in offices_above(path):
        if office.is_authority:
            return office
    raise NoAuthority(office=path)


def township_of(path: str) -> Organization | None:
    """The township office above a school, where the county puts it into the route (ROUTE_EXTRA_LEVELS)."""
    if "township" not in rule("ROUTE_EXTRA_LEVELS", at=path, on=today()).words:
        return None
    return next((office for office in offices_above(path) if office.kind == Organization.Kind.TOWNSHIP), None)


def bureau_of(path: str) -> Organization | None:
    """The education bureau of the place: the nearest county above, else the city or province."""
    bureaus = (Organization.Kind.COUNTY, Organization.Kind.CITY, Organization.Kind.PROVINCE)
    return next((office for office in offices_above(path) if office.kind in bureaus), None)


def superior_of(path: str) -> Organization | None:
    """The next authority above the authority of `path`."""
    above = [office for office in offices_above(path) if office.is_authority or office.path == NATION]
    own = Organization.objects.filter(path=path, is_authority=True).exists()
    return next(iter(above if own else above[1:]), None)


def _office_above(path: str, kind: str) -> Organization | None:
    return next((office for office in offices_above(path) if office.kind == kind), None)


def resolve(party: Party, from_path: str, to_path: str) -> Organization | None:
    """The office that `party` means in a case between two schools; None for a level that this place does
    not have.
    """
    match party:
        case Party.TAKE_OVER_SCHOOL:
            return Organization.objects.get(path=to_path)
        case Party.RELEASE_SCHOOL:
            return Organization.objects.get(path=from_path)
        case Party.TAKE_OVER_TOWNSHIP:
            return township_of(to_path)
        case Party.TAKE_OVER_AUTHORITY:
            return authority_of(to_path)
        case Party.TAKE_OVER_COUNTY:
            return bureau_of(to_path)
        case Party.RELEASE_AUTHORITY:
            return authority_of(from_path)
        case Party.RELEASE_TOWNSHIP:
            return township_of(from_path)
        case Party.TAKE_OVER_CITY:
            return _office_above(to_path, Organization.Kind.CITY)
        case Party.TAKE_OVER_PROVINCE:
            return _office_above(to_path, Organization.Kind.PROVINCE)
        case Party.RELEASE_CITY:
            return _office_above(from_path, Organization.Kind.CITY)
        case Party.RELEASE_PROVINCE:
            return _office_above(from_path, Organization.Kind.PROVINCE)
        case Party.FILING_OFFICE:
            return Organization.objects.get(path=to_path)
        case Party.SUPERIOR:
            return superior_of(to_path)


def plan(kind: Kind, from_path: str, to_path: str, payload: Mapping[str, Any]) -> list[Planned]:
    """The route of a new case of `kind`, with the days each office has by the rule in force there today.

    An office that two stops name decides once, at the last of them.
    """
    route: dict[tuple[str, str], Planned] = {}
    for stop in kind.route:
        if stop.only_if and not stop.only_if(payload):
            continue
        office = resolve(stop.party, from_path, to_path)
        if office is not None:
            days = rule(stop.days, at=office.path, on=today()).number
            key = (office.path, stop.right)
            route.pop(key, None)
            route[key] = Planned(stop, office.path, office.name, days)
    return list(route.values())
