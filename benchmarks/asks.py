"""What is asked: each page at each position, with subjects drawn from what really lies in its scope."""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random
from typing import Any
from urllib.parse import quote

from django.db.models import Count, Q
from django.urls import reverse

from benchmarks.country import SEED
from benchmarks.ground import Position
from config.scope import NATION, scoped_transaction
from registry.models import Enrolment, SchoolClass, StudentNumber
from registry.queries.rosters import ORDER, PAGE
from registry.status import NORMAL

SUBJECTS = 40  # pupils asked about at each position
DEEP_PAGES = 50
FRAME = "frame"  # a signed-in page that looks nothing up: the floor of the others
SEARCHES = (
    "search: number", "search: identity number", "search: name", "search: surname", "search: pinyin",
    "search: initials",
)  # fmt: skip
LISTS = ("list: first page", f"list: page {DEEP_PAGES + 1}", "list: last page")


@dataclass(frozen=True, slots=True)
class Ask:
    """One request; `form` is posted. `status` is the only right answer."""

    page: str
    position: str
    role: str
    path: str
    form: tuple[tuple[str, str], ...] = ()
    status: int = 200


@dataclass(slots=True)
class Asked:
    """The asks of a run by (page, position), and the accounts that put them by (position, role)."""

    by_page: dict[tuple[str, str], list[Ask]] = field(default_factory=dict)
    accounts: dict[tuple[str, str], list[str]] = field(default_factory=dict)

    def add(self, page: str, position: Position, role: str, asks: list[tuple[str, str, int]]) -> None:
        """Asks by address, what is searched for (or nothing) and the right answer."""
        if asks:
            self.by_page[page, position.code] = [
                Ask(page, position.code, role, path, (("q", text),) if text else (), status)
                for path, text, status in asks
            ]
            self.accounts[position.code, role] = position.usernames(role)


def collect(positions: list[Position]) -> Asked:
    """Draw the subjects, under the national scope."""
    random, asked = Random(SEED + 2), Asked()  # noqa: S311
    with scoped_transaction(NATION):
        for position in positions:
            _collect_at(position, random, asked)
    return asked


def _collect_at(position: Position, random: Random, asked: Asked) -> None:
    spells: Any = Enrolment.objects.within(position.path)
    ids = list(spells.filter(status=NORMAL).values_list("pk", flat=True))
    chosen = random.sample(ids, min(SUBJECTS, len(ids)))
    columns = ("name", "name_py", "name_ini", "student_id", "student__public_id", "student__number")
    pupils = list(Enrolment.objects.filter(pk__in=chosen).values(*columns))
    # Of one letter and 18 digits, as everybody has one; an identity number is a G number without its letter.
    numbers = dict(
        StudentNumber.objects.filter(
            student_id__in=[one["student_id"] for one in pupils], is_current=True, kind="national"
        ).values_list("student_id", "number")
    )
    search, students, reader = reverse("registry:search"), reverse("registry:students"), position.reader
    words = {
        "search: number": [(numbers[one["student_id"]], 302) for one in pupils],
        "search: identity number": [(n[1:], 302) for n in numbers.values() if n.startswith("G")],
        "search: name": [(one["name"], 200) for one in pupils],
        "search: surname": [(one["name"][0], 200) for one in pupils],
        "search: pinyin": [(one["name_py"], 200) for one in pupils],
        "search: initials": [(one["name_ini"], 200) for one in pupils if len(one["name_ini"]) > 1],
    }
    for page in SEARCHES:
        asked.add(page, position, reader, [(search, text, status) for text, status in words[page]])
    asked.add(FRAME, position, reader, [(search, "", 200)])
    asked.add("home", position, position.signer, [(reverse("home"), "", 200)])
    asked.add("queue", position, position.signer, [(reverse("transfers:queue"), "", 200)])
    asked.add("cases", position, position.signer, [(reverse("transfers:cases"), "", 200)])
    records = [reverse("registry:student", args=[one["student__public_id"]]) for one in pupils]
    asked.add("record", position, reader, [(path, "", 200) for path in records])
    if reader == "registrar":
        asked.add("roll", position, reader, [(path, "", 200) for path in _rolls(position)])
    asked.add(LISTS[0], position, reader, [(students, "", 200)])
    for page, cursors in zip(LISTS[1:], _cursors(spells), strict=True):
        asked.add(page, position, reader, [(f"{students}?after={quote(str(pk))}", "", 200) for pk in cursors])


def _rolls(position: Position) -> list[str]:
    """The rolls of the largest classes of the school."""
    sizes = Count("enrolments", filter=Q(enrolments__status=NORMAL, enrolments__is_void=False))
    classes: Any = SchoolClass.objects.filter(org_path=position.path).annotate(size=sizes)
    return [reverse("verification:roll", args=[one.pk]) for one in classes.order_by("-size", "pk")[:SUBJECTS]]


def _cursors(spells: Any) -> tuple[list[int], list[int]]:
    """The ids to go on after for the pages from the 51st on, and for the last one; empty where there are
    fewer.
    """
    in_order = list(spells.in_school().order_by(*ORDER).values_list("pk", flat=True))
    first = DEEP_PAGES * PAGE - 1
    deep = in_order[first : first + PAGE * 10 : PAGE] if len(in_order) > first + PAGE * 10 else []
    return deep, in_order[-PAGE - 1 : -PAGE] if len(in_order) > 2 * PAGE else []
