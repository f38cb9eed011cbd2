"""重点关注名单: children whom the school watches over, by their record or by hand (R-DRP-08).

Kinds are D4: sealed, compared by a blind index, shown to holders of VIEW_WATCH_LIST only; that a minor is
involved in a criminal case, only to the school's leader and the county's reviewer.
"""

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any
from uuid import UUID

from django.db import IntegrityError, connection, transaction
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from accounts.models import Organization, User
from accounts.offices import authority_of
from accounts.rights import explain
from accounts.roles import Right
from audit.services import System, record, record_many
from config.clock import today
from config.crypto import blind_index, next_ids
from config.errors import Refusal
from config.scope import scoped_transaction
from registry.models import AidRecognition, Student, WatchEntry
from registry.protection import hidden_from
from registry.status import OPEN

# By hand unless told otherwise; the second column is what of the record says it.
KINDS = {
    "orphan": _("孤儿"),
    "unattended": _("事实无人抚养"),
    "disabled": _("残疾"),
    "left_behind": _("留守儿童"),
    "distressed": _("困境儿童"),
    "poor": _("家庭经济困难"),
    "migrant": _("随迁子女"),
    "home_teaching": _("送教上门"),
    "criminal": _("涉案未成年人"),
}
RESTRICTED = "criminal"
HOME_TEACHING = "home_teaching"
FROM_RECORD = ("orphan", "disabled", "left_behind", "migrant", "poor")
BY_HAND = tuple(kind for kind in KINDS if kind not in FROM_RECORD)
PACK = 500
_TABLE = "registry_watchentry"


class WatchUnclear(Refusal):
    code, status, rule = "watch_unclear", 422, "R-DRP-08"
    message = _("请选择关注类别，并写明依据（至少 {count} 个字）；起始日期不晚于今天。")


class WatchedAlready(Refusal):
    code, status, rule = "watched_already", 409, "R-DRP-08"
    message = _("该生已按这一类别列入重点关注，或该条已经终止。请刷新后查看。")


class WatchNotYours(Refusal):
    code, status, rule = "watch_not_yours", 403, "R-DRP-08"
    message = _("涉案未成年人只由学校主管领导或县级审核员登记和查看。")


def index_of(kind: str) -> UUID:
    return blind_index("watch", kind)


# ── Who sees what ────────────────────────────────────────────────────────────────────────────────────────
def sees_restricted(user: User) -> bool:
    """The leader of a school, the reviewer of a county, nobody else."""
    office = user.acting_office
    if office is None:
        return False
    right = {Organization.Kind.SCHOOL: Right.REVIEW, Organization.Kind.COUNTY: Right.DECIDE}.get(office.kind)  # type: ignore[call-overload]
    return right is not None and user.may_act_at(right, office.path)


def seen_by(user: User) -> "QuerySet[WatchEntry]":
    """The entries she may see, open and ended."""
    rows: QuerySet[WatchEntry] = WatchEntry.objects.visible_to(user, Right.VIEW_WATCH_LIST)
    return rows if sees_restricted(user) else rows.exclude(kind_index=index_of(RESTRICTED))


def kinds_for(user: User, *, by_hand: bool = False) -> dict[str, Any]:
    """The kinds she may see, or may enter by hand, with their words."""
    hidden = set() if sees_restricted(user) else {RESTRICTED}
    known = BY_HAND if by_hand else KINDS
    return {kind: KINDS[kind] for kind in known if kind not in hidden}


def is_taught_at_home(student_id: int) -> bool:
    return WatchEntry.objects.filter(
        student_id=student_id, kind_index=index_of(HOME_TEACHING), until=None
    ).exists()


# ── By hand ──────────────────────────────────────────────────────────────────────────────────────────────
SHORTEST_BASIS = 6


def _admit(student_path: str, kind: str, actor: User) -> None:
    """Her own school, or the authority above it. Raises NotAllowed, WatchNotYours."""
    if actor.acting_path != student_path:
        above = authority_of(Organization.objects.get(path=student_path))
        explain(actor, Right.DECIDE, at=above.path if above else student_path).or_raise()
    else:
        explain(actor, Right.VIEW_WATCH_LIST, at=student_path).or_raise()
    if kind == RESTRICTED and not sees_restricted(actor):
        raise WatchNotYours()


@transaction.atomic
def enter(student: Student, kind: str, *, actor: User, from_on: date | None, note: str) -> WatchEntry:
    """Put a pupil on the list by hand. Raises NotAllowed, WatchNotYours, WatchUnclear, WatchedAlready."""
    _admit(student.org_path, kind, actor)
    note = " ".join(note.split())[:300]
    if kind not in BY_HAND or len(note) < SHORTEST_BASIS or from_on is None or from_on > today():
        raise WatchUnclear(count=SHORTEST_BASIS)
    entry = _new(next_ids(_TABLE)[0], student.pk, student.org_path, kind, from_on, actor.signing_name)
    entry.set_private({"kind": kind, "note": note})
    try:
        with transaction.atomic():
            entry.save(force_insert=True)
    except IntegrityError as error:
        raise WatchedAlready() from error
    record("registry.watch.enter", entry, actor=actor, basis="R-DRP-08")
    return entry


@transaction.atomic
def end(entry: WatchEntry, *, actor: User) -> None:
    """End an entry by hand; what the record says ends with the record. Raises as `enter` does."""
    _admit(entry.org_path, entry.open_private()["kind"], actor)
    running = WatchEntry.objects.filter(pk=entry.pk, until=None, is_from_record=False)
    if running.update(until=today()) != 1:
        raise WatchedAlready()
    record("registry.watch.end", entry, actor=actor, basis="R-DRP-08")


def _new(pk: int, student_id: int, path: str, kind: str, from_on: date, who: str) -> WatchEntry:
    return WatchEntry(
        pk=pk, org_path=path, student_id=student_id, kind_index=index_of(kind), from_on=from_on,
        entered_by_name=who,
    )  # fmt: skip


# ── From the record, each night ──────────────────────────────────────────────────────────────────────────
def units() -> list[str]:
    """The paths that are folded one by one: each county, and each school that no county is above."""
    kinds = (Organization.Kind.COUNTY, Organization.Kind.SCHOOL)
    offices = Organization.objects.filter(kind__in=kinds).order_by("path").values_list("path", flat=True)
    found: list[str] = []
    for path in offices.iterator():  # a county comes before its schools
        if not found or not path.startswith(found[-1]):
            found.append(path)
    return found


def fold(path: str) -> int:
    """Bring the list under one office up to what the records say; how many entries began or ended.

    In packs of 500 by the pupils' order; safe to repeat, and to cut between two packs.
    """
    changed, last = 0, 0
    while True:
        with scoped_transaction(path):
            pupils = list(
                Student.objects.within(path)
                .filter(pk__gt=last, enrolments__status__in=OPEN, enrolments__is_void=False)
                .order_by("pk")
                .only("pk", "org_path", "private", "migrant_child")[:PACK]
            )
            changed += _fold_pack(pupils, path)
        if len(pupils) < PACK:
            return changed + _end_left(path)
        last = pupils[-1].pk


def _fold_pack(pupils: Sequence[Student], path: str) -> int:
    ids = [pupil.pk for pupil in pupils]
    poor = set(
        AidRecognition.objects.filter(student__in=ids, valid__contains=today()).values_list(
            "student_id", flat=True
        )
    )
    wanted = {(pupil.pk, kind): pupil.org_path for pupil in pupils for kind in kinds_of(pupil, poor)}
    kinds = {index_of(kind): kind for kind in FROM_RECORD}
    rows = WatchEntry.objects.filter(student__in=ids, until=None, is_from_record=True)
    held = {(row.student_id, kinds[row.kind_index]): row for row in rows}
    over = [row for key, row in held.items() if key not in wanted]
    WatchEntry.objects.filter(pk__in=[row.pk for row in over]).update(until=today())
    fresh = [key for key in wanted if key not in held]
    new = []
    for pk, (student_id, kind) in zip(next_ids(_TABLE, len(fresh)), fresh, strict=True):
        entry = _new(pk, student_id, wanted[student_id, kind], kind, today(), "系统")
        entry.is_from_record = True
        entry.set_private({"kind": kind, "note": ""})
        new.append(entry)
    WatchEntry.objects.bulk_create(new)
    for act, entries in (("enter", new), ("end", over)):
        record_many(
            f"registry.watch.{act}", "watchentry", [(row.pk, row.org_path) for row in entries],
            actor=System(acting_path=path), basis="R-DRP-08",
        )  # fmt: skip
    return len(new) + len(over)


def kinds_of(pupil: Student, poor: Iterable[int]) -> list[str]:
    """What the record says of a pupil, as kinds of the list."""
    flags = pupil.open_private() if pupil.private else {}
    said = {
        "orphan": flags.get("orphan") == "1",
        "disabled": flags.get("disability", "0") not in ("", "0"),
        "left_behind": flags.get("left_behind", "0") not in ("", "0"),
        "migrant": pupil.migrant_child == "1",
        "poor": pupil.pk in poor,
    }
    return [kind for kind, holds in said.items() if holds]


def _end_left(path: str) -> int:
    """Entries of pupils whose status has ended: nobody here watches over them any more."""
    with scoped_transaction(path), connection.cursor() as cursor:
        cursor.execute(
            "UPDATE registry_watchentry w SET until = %s WHERE w.until IS NULL"
            " AND w.org_path >= %s AND w.org_path < %s AND NOT EXISTS (SELECT FROM registry_enrolment e"
            "  WHERE e.student_id = w.student_id AND e.status = ANY(%s) AND NOT e.is_void)"
            " RETURNING w.id, w.org_path",
            [today(), path, f"{path}~", list(OPEN)],
        )
        over = cursor.fetchall()
        record_many(
            "registry.watch.end", "watchentry", over, actor=System(acting_path=path), basis="R-DRP-08"
        )
        return len(over)


# ── The page ─────────────────────────────────────────────────────────────────────────────────────────────
def read_list(user: User, kind: str, after: int, size: int) -> tuple[list[WatchEntry], int | None]:
    """One page of the open entries in her scope, newest first, and the id to go on after."""
    rows = seen_by(user).filter(until=None).exclude(student_id__in=hidden_from(user))
    if kind:
        rows = rows.filter(kind_index=index_of(kind))
    if after:
        rows = rows.filter(pk__lt=after)
    ids = list(rows.newest_first(user.acting_path).values_list("pk", flat=True)[: size + 1])  # type: ignore[attr-defined]
    shown = list(WatchEntry.objects.filter(pk__in=ids[:size]).select_related("student").order_by("-pk"))
    return shown, ids[size - 1] if len(ids) > size else None


def line_of(entry: WatchEntry) -> dict[str, Any]:
    """An entry in words, for the page."""
    said = entry.open_private()
    return {"entry": entry, "kind": KINDS[said["kind"]], "note": said.get("note", "")}
