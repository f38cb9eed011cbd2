"""What the intake pages and the API read: batches, progress, faulty cells, look-alikes, the workbook back."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.db.models import Count, Max
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.roles import Right
from config.clock import now
from config.errors import NotFound
from config.jobs import OPEN
from config.models import Job
from registry.fields import BY_KEY, TEMPLATE, Field
from registry.intake.annotated import Problem
from registry.models import ImportBatch, ImportFinding, ImportRow
from registry.queries.rosters import number_in

PAGE = 50
LEVELS = ("error", "warning")


@dataclass(slots=True)
class Fault:
    """One faulty or doubtful cell: the finding, its column and what was typed."""

    finding: ImportFinding
    field: Field
    typed: str

    @property
    def choices(self) -> list[str]:
        """Words that the column takes, where it takes only some."""
        return [words for _code, words in self.field.choices][:80]

    @property
    def level_name(self) -> str:
        return _("错误") if self.finding.level == "error" else _("提示")

    @property
    def needs_reason(self) -> bool:
        return self.finding.code in ("batch_same_person", "batch_same_person_in_file")

    @property
    def may_continue(self) -> bool:
        return self.finding.code == "batch_former_pupil"


@dataclass(slots=True)
class FaultyRow:
    """One row with its faults, and enough of it to know whom it is about."""

    row: ImportRow
    name: str
    sex: str
    birth_on: str
    faults: list[Fault] = field(default_factory=list)


@dataclass(slots=True)
class FaultPage:
    """A page of faulty rows; `after` is the row number to go on after."""

    rows: list[FaultyRow]
    after: int | None
    total: int

    @property
    def listed(self) -> list[Fault]:
        """One fault for each column that takes only certain words: the page offers them once."""
        faults = [fault for row in self.rows for fault in row.faults if fault.choices]
        return list({fault.finding.field: fault for fault in faults}.values())


def batches_of(user: User) -> Any:
    """The imports of the schools she files for."""
    return ImportBatch.objects.visible_to(user, Right.FILE)


def open_batches(user: User) -> Any:
    """Those that still wait for her or for the worker, newest first."""
    ended = (ImportBatch.State.COMMITTED, ImportBatch.State.FAILED, ImportBatch.State.CANCELLED)
    return batches_of(user).exclude(state__in=ended).order_by("-pk")


def open_batch(user: User, public_id: "UUID | str") -> ImportBatch:
    """One import of her own office. Raises NotFound: hidden and missing look alike."""
    try:
        wanted = public_id if isinstance(public_id, UUID) else UUID(public_id)
    except ValueError:
        raise NotFound() from None
    found = batches_of(user).select_related("job", "school").filter(public_id=wanted).first()
    if found is None or not user.may_act_at(Right.FILE, found.org_path):
        raise NotFound()
    return found  # type: ignore[no-any-return]


def read_batches(user: User, after: str) -> tuple[list[ImportBatch], int | None]:
    """Her imports, newest first, by key."""
    rows = batches_of(user).select_related("job").newest_first(user.acting_path)
    if after:
        rows = rows.filter(pk__lt=number_in(after))
    page = list(rows[: PAGE + 1])
    return page[:PAGE], page[PAGE - 1].pk if len(page) > PAGE else None


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the job of a batch is: rows, share and seconds left (None when unknown)."""

    state: str
    done: int
    total: int
    is_running: bool
    seconds_left: int | None


def progress_of(job: Job | None) -> Progress:
    if job is None:
        return Progress("", 0, 0, False, None)
    left = None
    if job.done and job.total and job.state in OPEN:
        elapsed = (now() - job.started_at).total_seconds()
        left = round(elapsed / job.done * max(job.total - job.done, 0))
    return Progress(job.state, job.done, job.total, job.state in OPEN, left)


def faults_by_kind(batch: ImportBatch) -> list[dict[str, Any]]:
    """Each kind of fault with its sentence, rule and count, most frequent first: the filter's chips."""
    kinds = ImportFinding.objects.filter(batch=batch).values("code", "level", "rule")
    return [
        dict(kind)
        for kind in kinds.annotate(n=Count("pk"), words=Max("message")).order_by("level", "-n", "code")
    ]


def counts_by_rule(kinds: list[dict[str, Any]]) -> list[tuple[str, int]]:
    """How many faults each rule has, by rule."""
    counts: Counter[str] = Counter()
    for kind in kinds:
        counts[kind["rule"]] += kind["n"]
    return sorted(counts.items())


def read_faults(
    batch: ImportBatch, *, code: str = "", rule: str = "", level: str = "", after: str = ""
) -> FaultPage:
    """Rows with faults, by row number; with `code`, `rule` or `level` only those. Constant queries."""
    found = ImportFinding.objects.filter(batch=batch)
    if code:
        found = found.filter(code=code)
    if rule:
        found = found.filter(rule=rule)
    if level:
        if level not in LEVELS:
            raise NotFound()
        found = found.filter(level=level)
    total = found.count()
    if after:
        found = found.filter(number__gt=number_in(after))
    numbers = list(found.order_by("number").values_list("number", flat=True).distinct()[: PAGE + 1])
    following = numbers[PAGE - 1] if len(numbers) > PAGE else None
    shown = numbers[:PAGE]
    rows = {
        row.number: _faulty(row)
        for row in ImportRow.objects.filter(batch=batch, number__in=shown).order_by("number")
    }
    for finding in found.filter(number__in=shown).order_by("number", "id"):
        row = rows[finding.number]
        typed = row.row.open_cells().typed.get(finding.field, "") if row.row.cells else ""
        row.faults.append(Fault(finding, BY_KEY[finding.field], typed))
    return FaultPage(list(rows.values()), following, total)


def _faulty(row: ImportRow) -> FaultyRow:
    cells = row.open_cells().stored if row.cells else {}
    return FaultyRow(row, cells.get("name", ""), cells.get("sex", ""), cells.get("birth_on", ""))


def read_rows(batch: ImportBatch, after: int) -> tuple[list[dict[str, Any]], int | None]:
    """A page of rows in file order, and the row number to go on after."""
    rows = ImportRow.objects.filter(batch=batch, number__gt=after).order_by("number")
    columns = ("id", "number", "action", "school_class_id", "student__public_id")
    page = list(rows.values(*columns)[: PAGE + 1])
    return page[:PAGE], page[PAGE - 1]["number"] if len(page) > PAGE else None


def rows_for_workbook(batch: ImportBatch) -> Iterator[tuple[int, list[str]]]:
    """Row numbers and texts as typed, in the order of the template's columns."""
    for row in batch.rows.order_by("number").iterator(500):
        typed = row.open_cells().typed
        yield row.number, [typed.get(column.key, "") for column in TEMPLATE]


def findings_for_workbook(batch: ImportBatch) -> dict[int, list[Problem]]:
    """What is wrong, by row number."""
    found: dict[int, list[Problem]] = {}
    rows = ImportFinding.objects.filter(batch=batch).order_by("number", "id")
    for number, *words in rows.values_list("number", *Problem._fields):
        found.setdefault(number, []).append(Problem(*words))
    return found
