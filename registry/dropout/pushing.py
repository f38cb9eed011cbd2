"""上级下发名单: a workbook of suspected dropouts, checked whole, looked at, then pushed down by a job to the
schools, which answer (R-DRP-09).

A child is found by the status number or by the digest of the document's number, anywhere in the country.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta

from django.db import transaction
from django.db.models import Count, Q, QuerySet
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from accounts.rights import acting_at, explain
from accounts.roles import Right
from audit.services import System, record, record_many
from config.clock import today
from config.crypto import blind_index, next_ids
from config.errors import NotFound, Refusal
from config.faults import fault
from config.jobs import JobCancelled, finish, held, queue, report
from config.models import Job
from config.rules import rule
from config.scope import scoped_transaction
from config.workdays import add_workdays
from registry.dropout.alarm import tell
from registry.dropout.ledgers import late_on
from registry.dropout.sheets import Needed, read_headed
from registry.findings import Finding, Objection
from registry.identity import fold_number, search_keys
from registry.intake.reading import limits_in_force, look_at
from registry.models import DropoutList, Enrolment, IdentityDocument, StudentNumber, SuspectedDropout
from registry.names import fold_name
from registry.status import OPEN

PUSH = "push_dropouts"
MOST_ROWS = 2000
COLUMNS = {"学籍号": "number", "身份证件号": "id_number", "身份证号": "id_number", "姓名": "name"}
HEADINGS = {"number": _("学籍号"), "id_number": _("身份证件号"), "name": _("姓名")}
_NEEDED: Needed = ((("number", "id_number"), _("“学籍号”或“身份证件号”")),)
_PACK = 500
Answer = SuspectedDropout.Answer

EMPTY = Objection("push_empty", _("学籍号和身份证件号都没有填写。"), _("请至少填写一项。"), "R-DRP-09")
UNKNOWN = Objection(
    "push_unknown", _("全国没有查到有效的学籍。"), _("请核对号码；已毕业、退学、注销的不下发。"), "R-DRP-09"
)
DIFFERENT = Objection(
    "push_different", _("学籍号与身份证件号不是同一名学生。"), _("请核对两项号码。"), "R-DRP-09"
)
OTHER_NAME = Objection("push_name", _("姓名与学籍不一致。"), _("请核对号码和姓名。"), "R-DRP-09")
TWICE = Objection("push_twice", _("名单中有两行是同一名学生。"), _("请删去多余的一行。"), "R-DRP-09")


class ListEmpty(Refusal):
    code, status, rule = "push_list_empty", 422, "R-DRP-09"
    message = _("名单里没有学生。请在列名下方每行填写一名学生后再上传。")


class ListFaulty(Refusal):
    code, status, rule = "push_list_faulty", 409, "R-DRP-09"
    message = _("名单中有 {count} 行有误，没有下发。请改正后重新上传；其余各行可以勾选“跳过有误的行”后下发。")


class ListOver(Refusal):
    code, status, rule = "push_list_over", 409, "R-DRP-09"
    message = _("这份名单已经下发、正在下发或已删除。请刷新后查看。")


@dataclass(slots=True)
class Row:
    """One row as it was read, the pupil it means, and what is wrong with it."""

    number: int
    typed: dict[str, str]
    student_id: int = 0
    path: str = ""
    name: str = ""
    school: str = ""
    faults: list[Finding] = field(default_factory=list)


# ── Upload ───────────────────────────────────────────────────────────────────────────────────────────────
def seen_by(user: User) -> "QuerySet[DropoutList]":
    """The lists of the office she acts for."""
    rows: QuerySet[DropoutList] = DropoutList.objects.visible_to(user, Right.PUSH_DROPOUT)
    return rows.filter(org_path=user.acting_path).select_related("job").order_by("-pk")


def open_list(user: User, pk: int) -> DropoutList:
    """Raises NotFound."""
    found = seen_by(user).filter(pk=pk).first()
    if found is None:
        raise NotFound()
    return found


@transaction.atomic
def take_in(file_name: str, content: bytes, *, actor: User) -> DropoutList:
    """Read a workbook and keep it sealed until somebody says yes. Raises NotAllowed, BadFile,
    HeadingsMissing, ListEmpty.
    """
    explain(actor, Right.PUSH_DROPOUT, at=actor.acting_path).or_raise()
    look_at(content, file_name)
    limits = replace(limits_in_force(), rows=MOST_ROWS)
    rows = list(read_headed(content, file_name, COLUMNS, _NEEDED, limits))
    if not rows:
        raise ListEmpty()
    made = DropoutList(
        pk=next_ids("registry_dropoutlist")[0], org_path=actor.acting_path,
        file_name=file_name.strip()[:200] or "未命名.xlsx", rows_total=len(rows), created_by=actor,
        created_by_name=actor.signing_name,
    )  # fmt: skip
    made.set_cells(rows)
    made.save(force_insert=True)
    record("registry.suspicion.upload", made, actor=actor, basis="R-DRP-09", rows=len(rows))
    return made


# ── Checking ─────────────────────────────────────────────────────────────────────────────────────────────
def rows_of(sheet: DropoutList) -> list[Row]:
    """Every row with its pupil and its faults, as things stand now: three queries, however many rows.

    Raises ListOver when it is pushed down or dropped.
    """
    if sheet.cells is None:
        raise ListOver()
    rows = [Row(number, typed) for number, typed in sheet.open_cells()]
    numbers = _by_number(rows)
    documents = _by_document(rows)
    meant = [_meant(row, numbers, documents) for row in rows]
    spells = _spells(set().union(*meant))
    seen: set[int] = set()
    for row, pupils in zip(rows, meant, strict=True):
        _judge(row, pupils, spells, seen)
    return rows


def _by_number(rows: Sequence[Row]) -> dict[str, set[int]]:
    wanted = {number for row in rows if (number := _number(row))}
    owners = StudentNumber.objects.filter(number__in=wanted, kind=StudentNumber.Kind.NATIONAL)
    return {number: {student} for number, student in owners.values_list("number", "student_id")}


def _number(row: Row) -> str:
    return fold_number(row.typed.get("number", ""))


def _by_document(rows: Sequence[Row]) -> dict[str, set[int]]:
    """Who holds a document that a row's number may be, by what was typed."""
    marks = {
        typed: {blind_index(family, text) for family, text in search_keys(typed)}
        for row in rows
        if (typed := row.typed.get("id_number", ""))
    }
    held = IdentityDocument.objects.filter(blind__in=set().union(*marks.values()), is_claimed=True)
    owners = dict(held.values_list("blind", "student_id"))
    return {typed: {owners[one] for one in own if one in owners} for typed, own in marks.items()}


def _meant(row: Row, numbers: dict[str, set[int]], documents: dict[str, set[int]]) -> set[int]:
    return numbers.get(_number(row), set()) | documents.get(row.typed.get("id_number", ""), set())


def _spells(pupils: set[int]) -> dict[int, tuple[str, str, str]]:
    """Path, name and school of those who have a status."""
    rows = Enrolment.objects.filter(student__in=pupils, status__in=OPEN, is_void=False)
    columns = rows.values_list("student_id", "org_path", "name", "school__name")
    return {student: (path, name, school) for student, path, name, school in columns}


def _judge(row: Row, pupils: set[int], spells: dict[int, tuple[str, str, str]], seen: set[int]) -> None:
    found = sorted(pupils & spells.keys())
    key = "number" if row.typed.get("number") else "id_number"
    if not row.typed.get("number") and not row.typed.get("id_number"):
        row.faults.append(EMPTY.at("number"))
    elif len(pupils) > 1:
        row.faults.append(DIFFERENT.at("id_number"))
    elif not found:
        row.faults.append(UNKNOWN.at(key))
    elif row.typed.get("name") and fold_name(row.typed["name"]) != fold_name(spells[found[0]][1]):
        row.faults.append(OTHER_NAME.at("name"))
    elif found[0] in seen:
        row.faults.append(TWICE.at(key))
    else:
        seen.add(found[0])
        row.student_id = found[0]
        row.path, row.name, row.school = spells[found[0]]


# ── Saying yes, or no ────────────────────────────────────────────────────────────────────────────────────
def _is_waiting(sheet: DropoutList) -> bool:
    """Neither handed to a job that has not failed, nor over."""
    return sheet.cells is not None and (sheet.job is None or sheet.job.state == Job.State.FAILED)


@transaction.atomic
def confirm(sheet: DropoutList, *, actor: User, skips_faulty: bool) -> Job:
    """Hand the list to the job that pushes it down. Raises NotAllowed, ListFaulty, ListOver."""
    explain(actor, Right.PUSH_DROPOUT, at=sheet.org_path).or_raise()
    _refuse_faulty(rows_of(sheet), skips_faulty)
    if not _is_waiting(sheet):
        raise ListOver()
    job = Job.objects.create(
        kind=PUSH, path=sheet.org_path, total=sheet.rows_total, started_by=actor.pk,
        started_by_name=actor.signing_name,
    )  # fmt: skip
    waiting = DropoutList.objects.filter(pk=sheet.pk, job=sheet.job_id, cells__isnull=False)
    if waiting.update(job=job, failure={}, skips_faulty=skips_faulty) != 1:
        raise ListOver()
    queue(job)
    return job


def _refuse_faulty(rows: Sequence[Row], skips_faulty: bool) -> None:
    wrong = sum(bool(row.faults) for row in rows)
    if wrong and not skips_faulty or wrong == len(rows):
        raise ListFaulty(count=wrong)


@transaction.atomic
def drop(sheet: DropoutList, *, actor: User) -> None:
    """Forget a list that is not to be pushed down. Raises NotAllowed, ListOver."""
    explain(actor, Right.PUSH_DROPOUT, at=sheet.org_path).or_raise()
    waiting = DropoutList.objects.filter(pk=sheet.pk, job=sheet.job_id, cells__isnull=False)
    if not _is_waiting(sheet) or waiting.update(cells=None) != 1:
        raise ListOver()
    record("registry.suspicion.drop", sheet, actor=actor, basis="R-DRP-09")


# ── The job ──────────────────────────────────────────────────────────────────────────────────────────────
def push(job_id: int) -> None:
    """Push the list of one job down, or keep the reason why not. Killed anywhere it leaves nothing; done
    twice it finds the list over.
    """
    with held(job_id) as job:
        if job is None:
            return
        try:
            _push(job)
        except Refusal as refusal:
            with scoped_transaction(job.path):
                DropoutList.objects.filter(job=job, done_at=None).update(failure=refusal.in_words())
                finish(job, Job.State.FAILED)
        except JobCancelled:
            return


def _push(job: Job) -> None:
    with scoped_transaction(job.path):
        sheet = DropoutList.objects.select_for_update(of=("self",)).get(job=job)
        if sheet.cells is None:  # dropped: there is nothing to push down
            finish(job, Job.State.FAILED)
            return
        actor = acting_at(job.started_by or 0, Right.PUSH_DROPOUT, at=job.path)
        rows = rows_of(sheet)
        _refuse_faulty(rows, sheet.skips_faulty)
        good = [row for row in rows if not row.faults]
        opened = 0
        for start in range(0, len(good), _PACK):
            opened += _open(good[start : start + _PACK], sheet, actor)
            report(job, min(start + _PACK, len(good)))
        fault("dropout.pushed")
        counts = {"opened": opened, "known": len(good) - opened, "skipped": len(rows) - len(good)}
        DropoutList.objects.filter(pk=sheet.pk).update(cells=None, done_at=Now(), counts=counts)
        finish(job, Job.State.DONE)


def _open(rows: Sequence[Row], sheet: DropoutList, actor: User) -> int:
    """Open a suspicion for each row, to be answered by the school within its term; how many were opened.

    One that is open already gets the term as well.
    """
    due = add_workdays(today(), rule("DROPOUT_ANSWER_DAYS").number)
    held = SuspectedDropout.objects.filter(student__in=[row.student_id for row in rows], closed_on=None)
    known = set(held.values_list("student_id", flat=True))
    held.filter(answer_due_on=None).update(answer_due_on=due)
    held.filter(pushed=None).update(pushed=sheet)
    made = SuspectedDropout.objects.bulk_create(
        SuspectedDropout(
            org_path=row.path, student_id=row.student_id, source=SuspectedDropout.Source.MINISTRY,
            opened_on=today(), report_due_on=due, answer_due_on=due, pushed=sheet,
        )
        for row in rows if row.student_id not in known
    )  # fmt: skip
    record_many(
        "registry.suspicion.push", "suspecteddropout", [(entry.pk, entry.org_path) for entry in made],
        actor=actor, basis="R-DRP-09", due=f"{due}",
    )  # fmt: skip
    tell(made)
    return len(made)


# ── What became of it ────────────────────────────────────────────────────────────────────────────────────
def answers_to(sheet: DropoutList) -> dict[str, int]:
    """How far the schools are with a list that was pushed down."""
    owed = Q(answer="", closed_on=None)
    found: dict[str, int] = sheet.suspicions.aggregate(
        owed=Count("pk", filter=owed), late=Count("pk", filter=owed & late_on(today())),
        at_school=Count("pk", filter=Q(answer=Answer.AT_SCHOOL)),
        absent=Count("pk", filter=Q(answer=Answer.ABSENT)),
        closed=Count("pk", filter=Q(closed_on__isnull=False)),
    )  # fmt: skip
    return found


def purge(kept_days: int, paths: Iterable[str]) -> int:
    """Erase the cells of lists that nobody pushed down within `kept_days`; how many (RD-8)."""
    done = 0
    for path in paths:
        with scoped_transaction(path):
            # One that waits for the worker is not given up.
            old = DropoutList.objects.filter(
                Q(job=None) | Q(job__ended_at__isnull=False), org_path=path, cells__isnull=False,
                created_at__lt=Now() - timedelta(days=kept_days),
            )  # fmt: skip
            for sheet in old.select_for_update(skip_locked=True, of=("self",))[:200]:
                DropoutList.objects.filter(pk=sheet.pk).update(cells=None)
                record("registry.suspicion.drop", sheet, actor=System(acting_path=path), basis="RD-8")
                done += 1
    return done
