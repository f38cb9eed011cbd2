"""Class numbers of two schools that become one: a number that is taken gets the next free one of its year."""

from accounts.models import Organization
from registry.models import SchoolClass

_NAME_MOST = 50  # characters of the column


def renumbered(office: Organization, target: Organization) -> list[tuple[int, str, str, str, str]]:
    """Each class of `office`: id, number before and after, name before and after, by number.

    Seven digits: the entry year stays, the sequence moves behind the last one of both schools. A name that
    the successor uses too says where its class came from.
    """
    own = list(
        SchoolClass.objects.filter(school_id=office.pk)
        .order_by("number")
        .values_list("pk", "number", "name", "is_open")
    )
    theirs = SchoolClass.objects.filter(school_id=target.pk).values_list("number", "name", "is_open")
    taken = {number for number, _name, _open in theirs}
    names = {name for _number, name, is_open in theirs if is_open}
    kept = taken | {number for _pk, number, _name, _open in own}
    plan = []
    for pk, number, name, is_open in own:
        new = _next_free(number, kept) if number in taken else number
        kept.add(new)
        title = _told_apart(name, office.name) if is_open and name in names else name
        plan.append((pk, number, new, name, title))
    return plan


def _next_free(number: str, kept: set[str]) -> str:
    year = number[:4]
    return next(
        candidate for sequence in range(1, 1000) if (candidate := f"{year}{sequence:03d}") not in kept
    )


def _told_apart(name: str, office: str) -> str:
    ending = f"（原{office}）"
    return f"{name[: _NAME_MOST - len(ending)]}{ending}" if len(ending) < _NAME_MOST - 10 else name
