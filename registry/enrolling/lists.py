"""The result list of an authority: template, and the job that reads it in the limited process, tells every
fault of every row, and takes it as a whole (A7.3).

The base list is the registry itself: who is named must have graduated within the authority's area.
"""

from collections import Counter, defaultdict
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from io import BytesIO
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _
from openpyxl import Workbook
from openpyxl.styles import Font
from openpyxl.worksheet.worksheet import Worksheet

from accounts.models import User
from accounts.rights import acting_at, explain
from accounts.roles import Right
from audit.services import record
from config import sealed_files
from config.clock import today
from config.copying import copy_rows
from config.errors import NotFound, Refusal
from config.jobs import JobCancelled, finish, held, queue, report
from config.models import Job
from config.scope import scoped_transaction
from registry.enrolling import refusals as say
from registry.enrolling.grades import grades_after
from registry.findings import Finding
from registry.intake.reading import limits_in_force, look_at, read_rows
from registry.intake.sheet import PUPILS, neutral
from registry.intake.template import HEAD_FILL, TEXT
from registry.models import Admission, AdmissionList, Enrolment, School
from registry.names import fold_name
from registry.record import school_year_start
from registry.reorganizing import refuse_if_moving
from registry.services.intake_rules import stage_of
from registry.status import GRADUATED

MATCH = "match_admissions"
MOST_ROWS, MOST_TOLD = 5_000, 500
_PACK, _TABLE = 500, "registry_admissionlist"
State = AdmissionList.State
KEYS = ("status_number", "name", "former_code", "school_code")
Cells = list[tuple[int, list[str]]]


@dataclass(slots=True)
class Row:
    """One row as it was read, whom and which school it means, and what is wrong with it."""

    number: int
    typed: dict[str, str]
    spell: Enrolment | None = None
    school: School | None = None
    grade: str = ""
    faults: list[Finding] = field(default_factory=list)


def headings() -> list[str]:
    return [_("学籍号"), _("姓名"), _("毕业学校标识码"), _("录取学校标识码")]


def template(schools: Sequence[tuple[str, str]]) -> bytes:
    """An empty workbook, and the schools (code, name) that may be named in it."""
    book = Workbook()
    sheet = book.active
    assert isinstance(sheet, Worksheet)
    sheet.title = PUPILS
    sheet.append(headings())
    for cell in sheet[1]:
        cell.font, cell.fill = Font(bold=True), HEAD_FILL
        sheet.column_dimensions[cell.column_letter].width = 24
    for row in sheet.iter_rows(2, 1000, 1, len(KEYS)):
        for cell in row:
            cell.number_format = TEXT
    sheet.freeze_panes = "A2"
    notes = book.create_sheet("填写说明")
    notes.append(
        [_("学籍号可以留空，此时按姓名和毕业学校标识码对应毕业生。整份表格要么全部导入，要么一个也不导入。")]
    )
    for code, name in schools:
        notes.append([neutral(code), neutral(name)])
    out = BytesIO()
    book.save(out)
    return out.getvalue()


def read(content: bytes, file_name: str) -> Cells:
    """The rows below the headings. Raises BadFile and ListForeign; only the child that parses it dies."""
    wanted = headings()
    with read_rows(content, file_name, replace(limits_in_force(), rows=MOST_ROWS)) as rows:
        _number, first = next(rows, (0, []))
        if [text.strip() for text in first] != wanted:
            raise say.ListForeign()
        found = [
            (number, [text.strip() for text in cells[: len(wanted)]])
            for number, cells in rows
            if any(text.strip() for text in cells)
        ]
    if not found:
        raise say.ListForeign()
    return found


def check(cells: Cells, path: str) -> list[Row]:
    """Every row with its graduate, its school, and its faults. Four queries, however many rows."""
    rows = [Row(number, dict(zip(KEYS, texts, strict=False))) for number, texts in cells]
    schools = _schools({row.typed.get("school_code", "") for row in rows}, path)
    graduates = _Graduates(rows, path)
    for row in rows:
        row.school = schools.get(row.typed.get("school_code", ""))
        if row.school is None:
            row.faults.append(say.NO_SCHOOL.at("school_code"))
        row.spell = graduates.meant_by(row)
        if row.school is not None and row.spell is not None:
            row.grade = _grade(row.spell, row.school)
            if not row.grade:
                row.faults.append(say.NO_GRADE.at("school_code"))
    _refuse_doubles(rows)
    return rows


def _schools(codes: set[str], path: str) -> dict[str, School]:
    found = School.objects.filter(
        code__in=codes, organization__path__within=path, organization__valid__contains=today()
    )
    return {school.code: school for school in found.select_related("organization")}


def _grade(spell: Enrolment, school: School) -> str:
    """The grade she enters there; empty where the school has no such stage."""
    able = grades_after(spell.grade, spell.school.school.schooling, school.schooling)
    return next((grade for grade in able if stage_of(grade) in school.stages), "")


class _Graduates:
    """Who graduated in the area, by number, and by name and school: her last spell is a graduate's."""

    def __init__(self, rows: list[Row], path: str) -> None:
        numbers = {row.typed["status_number"].upper() for row in rows if row.typed.get("status_number")}
        names = {row.typed["name"] for row in rows if not row.typed.get("status_number")}
        last = (
            Enrolment.objects.within(path).filter(is_void=False).select_related("student", "school__school")
        )
        by_number = last.filter(student__number__in=numbers) if numbers else []
        by_name = last.filter(name__in=names) if names else []
        spells: dict[int, Enrolment] = {}
        for spell in sorted([*by_number, *by_name], key=lambda one: one.valid.lower):
            spells[spell.student_id] = spell
        graduates = [spell for spell in spells.values() if spell.status == GRADUATED]
        self._by_number = {spell.student.number: spell for spell in graduates if spell.student.number}
        self._by_name: dict[tuple[str, str], list[Enrolment]] = defaultdict(list)
        for spell in graduates:
            self._by_name[fold_name(spell.name), spell.school.code].append(spell)

    def meant_by(self, row: Row) -> Enrolment | None:
        number, name = row.typed.get("status_number", "").upper(), fold_name(row.typed.get("name", ""))
        if number:
            spell = self._by_number.get(number)
            if spell is None or (name and fold_name(spell.name) != name):
                row.faults.append(say.NO_GRADUATE.at("status_number"))
                return None
            return spell
        found = self._by_name.get((name, row.typed.get("former_code", "")), [])
        if len(found) != 1:
            row.faults.append((say.NAMESAKES if found else say.NO_GRADUATE).at("name"))
            return None
        return found[0]


def _refuse_doubles(rows: list[Row]) -> None:
    counts = Counter(row.spell.student_id for row in rows if row.spell)
    live = Admission.objects.filter(student__in=counts, state__in=("waiting", "filed"))
    known = set(live.values_list("student_id", "school_id"))
    for row in rows:
        if row.spell is None or row.school is None:
            continue
        if counts[row.spell.student_id] > 1:
            row.faults.append(say.TWICE.at("name"))
        elif (row.spell.student_id, row.school.pk) in known:
            row.faults.append(say.KNOWN.at("name"))


@transaction.atomic
def take_in(file_name: str, content: bytes, *, actor: User) -> AdmissionList:
    """Keep an uploaded result list sealed and queue its matching. Raises NotAllowed, OfficeMoving and what
    can be told at a glance: BadFile.
    """
    explain(actor, Right.DECIDE, at=actor.acting_path).or_raise()
    refuse_if_moving(actor.acting_path)
    look_at(content, file_name)
    job = Job.objects.create(
        kind=MATCH, path=actor.acting_path, started_by=actor.pk, started_by_name=actor.name
    )
    made = AdmissionList.objects.create(
        org_path=actor.acting_path, school_year=school_year_start(today()).year,
        file_name=file_name.strip()[:200] or "未命名.xlsx", job=job, created_by=actor,
        created_by_name=actor.signing_name, digest=sealed_files.digest_of(content),
        stored_as=sealed_files.store(content, _TABLE),
    )  # fmt: skip
    made.refresh_from_db()
    record("registry.admission.upload", made, actor=actor, basis="A7.3", size=len(content))
    queue(job)
    return made


# ── The job ──────────────────────────────────────────────────────────────────────────────────────────────
def match(job_id: int) -> None:
    """Read and match one list, and take it whole: every graduate stands on the list of her school from then
    on. Whom another school has on its list as well stands on both (重复招生). Safe to repeat, and to cut
    anywhere.
    """
    with held(job_id) as job:
        if job is None:
            return
        try:
            with scoped_transaction(job.path):
                _match(job)
        except (Refusal, JobCancelled) as why:
            with scoped_transaction(job.path):
                _fail(job, why if isinstance(why, Refusal) else say.ListStopped())


def _match(job: Job) -> None:
    made = AdmissionList.objects.select_for_update(of=("self",)).get(job=job)
    # By her rights of this moment (AZ-6).
    actor = acting_at(job.started_by or 0, Right.DECIDE, at=job.path)
    refuse_if_moving(job.path)
    cells = read(sealed_files.load(made.stored_as, _TABLE, made.digest), made.file_name)
    report(job, 0, total=len(cells))
    rows = check(cells, job.path)
    if faults := [(row, finding) for row in rows for finding in row.faults]:
        raise say.ListFaulty(findings=[in_place(*one) for one in faults], count=len(faults))
    try:
        with transaction.atomic():
            for start in range(0, len(rows), _PACK):
                copy_rows(Admission, [_admission(row, made) for row in rows[start : start + _PACK]])
                report(job, min(start + _PACK, len(rows)))
    except IntegrityError as error:  # another list named one of them for the same school meanwhile
        raise say.ListFaulty(count=1) from error
    _close(made, state=State.DONE, rows_total=len(rows))
    record("registry.admission.import", made, actor=actor, basis="A7.3", count=len(rows))
    finish(job, Job.State.DONE)


def _fail(job: Job, refused: Refusal) -> None:
    made = AdmissionList.objects.get(job=job)
    told = [f"{finding.message}{finding.remedy}" for finding in refused.findings[:MOST_TOLD]]
    _close(made, state=State.FAILED, failure={**refused.in_words(), "findings": told})
    with suppress(JobCancelled):  # who ended the job has said how
        finish(job, Job.State.FAILED, errors=len(refused.findings))


def _close(made: AdmissionList, **columns: Any) -> None:
    AdmissionList.objects.filter(pk=made.pk).update(stored_as="", **columns)
    transaction.on_commit(lambda: sealed_files.erase(made.stored_as), robust=True)


# ── Reading ──────────────────────────────────────────────────────────────────────────────────────────────
def lists_of(user: User) -> "QuerySet[AdmissionList]":
    """The lists of the office she acts for."""
    rows: QuerySet[AdmissionList] = AdmissionList.objects.visible_to(user, Right.DECIDE)
    return rows.filter(org_path=user.acting_path).select_related("job").order_by("-pk")


def open_list(user: User, public_id: Any) -> AdmissionList:
    """Raises NotFound."""
    found = lists_of(user).filter(public_id=public_id).first()
    if found is None:
        raise NotFound()
    return found


def in_place(row: Row, finding: Finding) -> Finding:
    """The finding with row and column before its sentence."""
    words = dict(zip(KEYS, headings(), strict=True))[finding.field]
    place = _("第 {row} 行“{column}”：").format(row=row.number, column=words)
    return replace(finding, message=place + str(finding.message))


def _admission(row: Row, made: AdmissionList) -> Admission:
    assert row.spell is not None
    assert row.school is not None
    return Admission(
        org_path=row.school.organization.path, results=made, student_id=row.spell.student_id,
        school_id=row.school.pk, name=row.spell.name, sex=row.spell.sex,
        former_school=row.spell.school.name, grade=row.grade,
    )  # fmt: skip
