"""户籍比对: a county's list of children against status, attendance and the poverty base (R-DRP-05).

The workbook is read in the limited process only, the rows are sealed, the numbers are compared by blind index
in one statement over the country; where a child is enrolled elsewhere, only that much is kept. After
HOUSEHOLD_LIST_DAYS nothing is left of it.
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from django.db import connection, transaction
from django.db.models import Count, QuerySet
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from accounts.models import Organization, User
from accounts.rights import acting_at, explain
from accounts.roles import Right
from audit.budgets import spend
from audit.services import System, record, record_look_up
from config import sealed_files
from config.clock import today
from config.copying import copy_rows
from config.crypto import blind_index, seal_json
from config.errors import Refusal
from config.jobs import finish, held, queue
from config.models import Job
from config.rules import rule
from config.scope import NATION, scope, scoped_transaction
from registry.dropout.eligible import birthdays
from registry.dropout.sheets import Needed, read_headed
from registry.form_values import parse_date
from registry.identity import birth_in, canonical, fold_number, has_valid_check_digit
from registry.intake.reading import look_at
from registry.intake.sheet import fold
from registry.models import HouseholdList, HouseholdRow
from registry.status import DROPPED_OUT, OPEN

COMPARE = "compare_households"
PURGE = "purge_households"
COLUMNS = {
    "姓名": "name", "身份证件号": "id_number", "身份证号": "id_number", "出生日期": "birth_on",
    "监护人": "guardian", "住址": "address", "脱贫户": "poor",
}  # fmt: skip
_NEEDED: Needed = ((("name",), _("姓名")), (("id_number",), _("身份证件号")))
Finding, State = HouseholdRow.Finding, HouseholdList.State
_CITIZEN, _TABLE = "1", "registry_householdlist"


class NotACounty(Refusal):
    code, status, rule = "not_a_county", 409, "R-DRP-05"
    message = _("户籍比对由县级教育行政部门进行，请由县级审核员上传名单。")


# ── Upload ───────────────────────────────────────────────────────────────────────────────────────────────
@transaction.atomic
def take_in(file_name: str, content: bytes, *, actor: User) -> HouseholdList:
    """Keep an uploaded list sealed and queue its comparison, which is a look-up across scope. Raises
    NotAllowed, NotACounty, BadFile, BudgetStepUp, BudgetSpent, Stopped.
    """
    explain(actor, Right.DECIDE, at=actor.acting_path).or_raise()
    if actor.own_office is None or actor.own_office.kind != Organization.Kind.COUNTY:
        raise NotACounty()
    look_at(content, file_name)
    _spend(actor)
    job = Job.objects.create(
        kind=COMPARE, path=actor.acting_path, started_by=actor.pk, started_by_name=actor.name
    )
    sheet = HouseholdList.objects.create(
        org_path=actor.acting_path, file_name=file_name.strip()[:200] or "未命名.xlsx", job=job,
        digest=sealed_files.digest_of(content), stored_as=sealed_files.store(content, _TABLE),
        created_by_name=actor.signing_name,
    )  # fmt: skip
    record("registry.household.upload", sheet, actor=actor, basis="R-DRP-05", size=len(content))
    queue(job)
    return sheet


def _spend(actor: User) -> None:
    """One look-up for this list, and one for each of hers that is not compared yet: those are not in the log,
    which is what is counted (AZ-9).
    """
    waiting = HouseholdList.objects.filter(state=State.WAITING, job__started_by=actor.pk)
    spend(actor, "look_ups", waiting.count() + 1)


# ── The job ──────────────────────────────────────────────────────────────────────────────────────────────
def compare(job_id: int) -> None:
    """Read, seal and compare one list in one transaction; safe to repeat, and to cut anywhere."""
    with held(job_id) as job:
        if job is None:
            return
        with scoped_transaction(job.path):
            sheet: HouseholdList = HouseholdList.objects.get(job=job)
            content = sealed_files.load(sheet.stored_as, _TABLE, sheet.digest)
            try:
                actor = acting_at(job.started_by or 0, Right.DECIDE, at=job.path)  # of this moment (AZ-6)
                rows = _read(sheet, content)
            except Refusal as refused:
                failure: dict[str, Any] = {"state": State.FAILED, "failure": refused.in_words()}
                _close(sheet, job, Job.State.FAILED, failure)
                return
            copy_rows(HouseholdRow, rows)
            record_look_up(actor=actor, route=COMPARE, found=_match(sheet))
            _close(sheet, job, Job.State.DONE, {"state": State.DONE, "counts": _counts(sheet)})


def _close(sheet: HouseholdList, job: Job, state: str, columns: dict[str, Any]) -> None:
    HouseholdList.objects.filter(pk=sheet.pk).update(stored_as="", **columns)
    transaction.on_commit(lambda: sealed_files.erase(sheet.stored_as), robust=True)
    record(
        "registry.household.compare", sheet, actor=System(acting_path=sheet.org_path), basis="R-DRP-05",
        state=str(State(columns["state"]).label),
    )  # fmt: skip
    finish(job, state)


def _read(sheet: HouseholdList, content: bytes) -> list[HouseholdRow]:
    """The rows of the workbook, sealed. Raises BadFile, HeadingsMissing."""
    rows = read_headed(content, sheet.file_name, COLUMNS, _NEEDED)
    return [_row(sheet, number, said) for number, said in rows]


def _row(sheet: HouseholdList, number: int, said: dict[str, str]) -> HouseholdRow:
    text = fold_number(said.get("id_number", ""))
    is_sound = has_valid_check_digit(text)
    return HouseholdRow(
        org_path=sheet.org_path,
        sheet=sheet,
        number=number,
        cells=seal_json(said, "registry_householdrow", f"{sheet.pk}.{number}", "cells"),
        blind=blind_index("citizen", canonical(_CITIZEN, text)) if is_sound else None,
        birth_on=(birth_in(text) if is_sound else None) or parse_date(said.get("birth_on", "")),
        is_poor=fold(said.get("poor", "")).lower() in ("是", "1", "y", "true", "脱贫户"),
    )


# The list's rows with the status that the country knows of each; the address of another county is not kept.
_KNOWN = """
UPDATE registry_householdrow r SET
  student_id = CASE WHEN e.org_path >= %(path)s AND e.org_path < %(path)s || '~' THEN e.student_id END,
  finding = CASE
    WHEN NOT (e.org_path >= %(path)s AND e.org_path < %(path)s || '~') THEN 'elsewhere'
    WHEN e.status = %(dropped)s THEN 'dropped'
    WHEN EXISTS (SELECT FROM registry_absence a
      WHERE a.student_id = e.student_id AND a.ended_on IS NULL AND NOT a.is_excused)
      OR EXISTS (SELECT FROM registry_suspecteddropout s
      WHERE s.student_id = e.student_id AND s.closed_on IS NULL) THEN 'absent'
    ELSE 'here' END
FROM registry_identitydocument d JOIN registry_enrolment e ON e.student_id = d.student_id
WHERE r.sheet_id = %(sheet)s AND r.finding = '' AND d.blind = r.blind AND d.is_claimed
  AND e.status = ANY(%(open)s) AND NOT e.is_void"""
# Nobody is asked about who is not of the age: the list finds children who must go to school.
_NOT_ASKED = """
UPDATE registry_householdrow SET finding = CASE WHEN blind IS NULL THEN 'unclear' ELSE 'other_age' END
WHERE sheet_id = %(sheet)s AND (blind IS NULL OR birth_on > %(youngest)s OR birth_on <= %(oldest)s)"""
_NEVER = "UPDATE registry_householdrow SET finding = 'never' WHERE sheet_id = %(sheet)s AND finding = ''"


def _match(sheet: HouseholdList) -> bool:
    """Whether any of the children has a status."""
    oldest, youngest = birthdays(sheet.org_path, today())
    given: dict[str, Any] = {
        "sheet": sheet.pk, "path": sheet.org_path, "dropped": DROPPED_OUT, "open": list(OPEN),
        "oldest": oldest, "youngest": youngest,
    }  # fmt: skip
    # A child may be enrolled anywhere: the look over the country is this one statement.
    with scope(NATION), connection.cursor() as cursor:
        cursor.execute(_NOT_ASKED, given)
        cursor.execute(_KNOWN, given)
        is_known = cursor.rowcount > 0
        cursor.execute(_NEVER, given)
    return is_known


def _counts(sheet: HouseholdList) -> dict[str, int]:
    """How many rows of each finding; and of those at risk, how many are of lifted-out-of-poverty homes."""
    rows = sheet.rows.values("finding", "is_poor").annotate(n=Count("pk"))
    counts: dict[str, int] = {}
    for row in rows:
        counts[row["finding"]] = counts.get(row["finding"], 0) + row["n"]
        if row["is_poor"] and row["finding"] in AT_RISK:
            counts["poor"] = counts.get("poor", 0) + row["n"]
    return counts


AT_RISK = (Finding.NEVER, Finding.ABSENT, Finding.DROPPED)


# ── Reading ──────────────────────────────────────────────────────────────────────────────────────────────
def seen_by(user: User) -> "QuerySet[HouseholdList]":
    """The lists of her own county; another office's are none of her business."""
    rows: QuerySet[HouseholdList] = HouseholdList.objects.visible_to(user, Right.DECIDE)
    return rows.filter(org_path=user.acting_path)


def read_rows_of(
    sheet: HouseholdList, finding: str, only_poor: bool, after: int, size: int
) -> tuple[list[HouseholdRow], int | None]:
    """One page of the rows with one finding, in the list's own order, and the row number to go on after."""
    rows = HouseholdRow.objects.filter(sheet=sheet, finding=finding, number__gt=after)
    if only_poor:
        rows = rows.filter(is_poor=True)
    found = list(rows.order_by("number")[: size + 1])
    return found[:size], found[size - 1].number if len(found) > size else None


def latest_of(path: str) -> HouseholdList | None:
    """The latest list compared for this county."""
    done: QuerySet[HouseholdList] = HouseholdList.objects.filter(org_path=path, state=State.DONE)
    return done.order_by("-pk").first()


# ── Forgetting ───────────────────────────────────────────────────────────────────────────────────────────
def _old(path: str) -> "QuerySet[HouseholdList]":
    kept = timedelta(days=rule("HOUSEHOLD_LIST_DAYS").number)
    rows: QuerySet[HouseholdList] = HouseholdList.objects.within(path)
    return rows.filter(created_at__lt=Now() - kept)


def count_old(paths: Sequence[str]) -> int:
    """How many rows `purge` would erase now."""
    total = 0
    for path in paths:
        with scoped_transaction(path):
            total += HouseholdRow.objects.filter(sheet__in=_old(path)).count()
    return total


def purge(paths: Sequence[str]) -> int:
    """Erase the lists whose days are over, with their rows and files; how many. Safe to repeat."""
    done = 0
    for path in paths:
        with scoped_transaction(path):
            for sheet in _old(path).select_for_update(skip_locked=True)[:50]:
                record("registry.household.purge", sheet, actor=System(acting_path=path), basis="R-DRP-05")
                if sheet.stored_as:
                    sealed_files.erase(sheet.stored_as)
                sheet.delete()
                done += 1
    return done
