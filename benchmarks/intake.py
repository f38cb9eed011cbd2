"""(a) and the parser's memory: a workbook of September from its bytes to pending pupils with their case,
against reading it alone and against copying the same rows alone.
"""

from __future__ import annotations

import io
import resource
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from django.db import connection, transaction
from python_calamine import CalamineWorkbook

from accounts.models import Organization, User
from accounts.rights import acting_at
from accounts.roles import Right
from audit import services
from benchmarks.country import SchoolPlan, classes_of
from benchmarks.pupils import LaneMaker
from config import copying
from config.clock import today
from config.scope import NATION, scoped_transaction
from registry.fields import TEMPLATE
from registry.intake import arriving, checking, committing, comparing, deciding
from registry.intake.annotated import write_annotated
from registry.intake.preview import preview
from registry.intake.sheet import HEADING_ROWS
from registry.models import ImportBatch, School, SchoolClass
from transfers.submission import submit_batch

SIZES = (2_000, 10_000)
PER_CLASS = 40
_TURNS = 3  # of each floor; the fastest counts
_COPIERS = (comparing, committing, services)  # where a commit knows copy_rows by name
_TABLES = (
    ("registry_student", "id"), ("registry_identitydocument", "student_id"),
    ("registry_enrolment", "student_id"), ("registry_familymember", "student_id"),
)  # fmt: skip


@dataclass(slots=True)
class Work:
    """Seconds that a commit waited for the database."""

    seconds: float = 0.0


def run(plan: SchoolPlan, username: str) -> list[dict[str, float]]:
    """The figures of each size, by name, under a worker's role. Each workbook is taken back: the country
    stays as it was made, and only the flush of the last commit is missing from the times.
    """
    found = []
    for size in SIZES:
        with transaction.atomic():
            found.append(measure(plan, username, size))
            transaction.set_rollback(True)
    return found


def measure(plan: SchoolPlan, username: str, size: int) -> dict[str, float]:
    content, batch = _hand_in(plan, username, size)
    reading = min(_timed(lambda: _read(content)) for _turn in range(_TURNS))
    began = time.perf_counter()
    checking.check_batch(batch.job_id or 0)
    checked = time.perf_counter()
    job = _confirm(batch)
    confirmed = time.perf_counter()
    with _watched() as work:
        submit_batch(job)
    ended = time.perf_counter()
    with scoped_transaction(NATION):
        done = ImportBatch.objects.get(pk=batch.pk)
        assert done.case_no, (done.state, done.failure)
    copying_alone = min(_copied_alone(batch) for _turn in range(_TURNS))
    return {
        "rows": size,
        "written": done.rows_good,
        "reading": reading,
        "check": checked - began,
        "commit": ended - confirmed,
        "whole": (checked - began) + (ended - confirmed),
        "database": work.seconds,
        "copying": copying_alone,
        "parser_mib": resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024,
    }


def _timed(act: Callable[[], object]) -> float:
    began = time.perf_counter()
    act()
    return time.perf_counter() - began


def _read(content: bytes) -> int:
    return len(CalamineWorkbook.from_filelike(io.BytesIO(content)).get_sheet_by_index(0).to_python())


def _hand_in(plan: SchoolPlan, username: str, size: int) -> tuple[bytes, ImportBatch]:
    """New classes at the school, and a workbook that fills them."""
    maker = LaneMaker(today(), seed=size)
    group = next(group for group in classes_of(plan, maker.year) if group.grade.endswith("1"))
    with scoped_transaction(NATION):
        school = School.objects.select_related("organization").get(code=plan.code)
        office: Organization = school.organization
        classes = [
            SchoolClass(org_path=office.path, school=school, number=f"9{size // 1000:02d}{n:04d}",
                        name=f"新生{n + 1}班", grade=group.grade, type="10")
            for n in range(-(-size // PER_CLASS))
        ]  # fmt: skip
        SchoolClass.objects.bulk_create(classes)
        rows = []
        for n in range(size):
            values = maker.pupil(group, n).values | {"class_number": classes[n % len(classes)].number}
            rows.append([values.get(column.key, "") for column in TEMPLATE])
        content = write_annotated(enumerate(rows, start=HEADING_ROWS + 1), {})
        actor = acting_at(User.objects.get(username=username).pk, Right.FILE, at=office.path)
        return content, arriving.take_in(f"{size}.xlsx", content, actor=actor)


def _confirm(batch: ImportBatch) -> int:
    with scoped_transaction(NATION):
        found = ImportBatch.objects.get(pk=batch.pk)
        actor = acting_at(found.created_by_id, Right.FILE, at=found.org_path)
        seen = preview(found, actor=actor)
        found.refresh_from_db()
        job = deciding.commit(found, seen["hash"], actor=actor, skips_wrong=True, is_attested=True)
        return job.pk


@contextmanager
def _watched() -> Iterator[Work]:
    """Count what a commit waits for: statements by the driver's wrapper, copied rows by `copy_rows`."""
    work, own = Work(), copying.copy_rows

    def statement(execute: Any, *arguments: Any) -> Any:
        began = time.perf_counter()
        try:
            return execute(*arguments)
        finally:
            work.seconds += time.perf_counter() - began

    def copied(model: Any, rows: Any) -> None:
        before, began = work.seconds, time.perf_counter()
        own(model, rows)
        work.seconds = before + time.perf_counter() - began  # the wrapper has counted its statements too

    for module in _COPIERS:
        module.copy_rows = copied  # type: ignore[attr-defined]
    try:
        with connection.execute_wrapper(statement):
            yield work
    finally:
        for module in _COPIERS:
            module.copy_rows = own  # type: ignore[attr-defined]


def _copied_alone(batch: ImportBatch) -> float:
    """Seconds to COPY the same pupils' rows into tables without index, trigger or wall."""
    seconds = 0.0
    with scoped_transaction(NATION), connection.cursor() as cursor:
        pupils = "SELECT student_id FROM registry_importrow WHERE batch_id = %s"
        for table, key in _TABLES:
            cursor.execute(f"CREATE TEMPORARY TABLE same ON COMMIT DROP AS SELECT * FROM {table} "  # noqa: S608
                           f"WHERE {key} IN ({pupils})", [batch.pk])  # fmt: skip
            cursor.execute("CREATE TEMPORARY TABLE alone (LIKE same) ON COMMIT DROP")
            with cursor.copy("COPY same TO STDOUT") as out:
                content = b"".join(bytes(piece) for piece in out)
            began = time.perf_counter()
            with cursor.copy("COPY alone FROM STDIN") as copy:
                copy.write(content)
            seconds += time.perf_counter() - began
            cursor.execute("DROP TABLE same, alone")
    return seconds
