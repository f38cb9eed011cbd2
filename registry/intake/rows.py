"""One row of the workbook by itself: its class, its cells as they would be stored, and what is wrong."""

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import replace
from datetime import date

from config.crypto import blind_index
from registry import checks
from registry.findings import Finding
from registry.form_values import parse_date, parse_month
from registry.identity import canonical, family
from registry.intake import columns
from registry.intake import objections as o
from registry.models import ImportBatch, ImportFinding, ImportRow, School, SchoolClass
from registry.names import fold_name, pinyin
from registry.record import new_row
from registry.services.placement import grade_without_class
from registry.services.registration import school_context


class RowChecker:
    """Checks the rows of one school's workbook; made once per run, three queries."""

    def __init__(self, batch: ImportBatch, day: date) -> None:
        self.batch = batch
        school = School.objects.select_related("organization").get(pk=batch.school_id)
        classes = list(SchoolClass.objects.filter(org_path=batch.org_path, is_open=True).order_by("number"))
        self.classes = {row.number: row for row in classes}
        self._by_name: dict[str, list[SchoolClass]] = {}
        for row in classes:
            self._by_name.setdefault(row.name, []).append(row)
        self._school = school
        self._context = school_context(school, batch.org_path, day)
        self._checkers: dict[str, checks.Checker] = {}
        self._cells = checks.Cells()
        self._grades: dict[str, str] = {}

    def find_class(self, text: str) -> SchoolClass | None:
        """The open class that `text` names: its number, number and name, or a name that is its alone."""
        plain = unicodedata.normalize("NFKC", text).strip()
        number = re.match(r"[0-9]{7}", plain)
        if number and number[0] in self.classes:
            return self.classes[number[0]]
        named = self._by_name.get(plain, [])
        return named[0] if len(named) == 1 else None

    def check(self, number: int, typed: Mapping[str, str]) -> tuple[ImportRow, list[ImportFinding]]:
        """The unsaved row and its findings."""
        text = typed.get("class_number", "")
        school_class = self.find_class(text)
        grade = school_class.grade if school_class else self._grade_without_class(text)
        given = dict(typed)
        if school_class is not None:
            given["class_number"] = school_class.number
        stored, found = self._checker(grade).check(
            given | {"school_code": given.get("school_code") or self._context.school_code}
        )
        if spoilt := columns.damaged(typed):
            cut = {finding.field for finding in spoilt}
            found = [*(finding for finding in found if finding.field not in cut), *spoilt]
        if school_class is None and grade:
            found = [finding for finding in found if finding.field != "class_number"]
        elif school_class is None:
            found = [finding for finding in found if finding.code != "grade_unknown"]
            if text.strip():
                found.append(self._unknown_class(text))
        row = new_row(
            ImportRow, org_path=self.batch.org_path, batch_id=self.batch.pk, number=number,
            school_class_id=school_class.pk if school_class else None, grade=grade,
        )  # fmt: skip
        row.set_cells(stored, dict(typed))
        row.action = ImportRow.Action.CREATE
        if any(finding.level == "error" for finding in found):
            row.action = ImportRow.Action.WRONG
        fill_comparison(row, stored)
        return row, [as_row(finding, row) for finding in found]

    def _grade_without_class(self, text: str) -> str:
        """The grade of a pupil who gets a class later, where placement registers (D7)."""
        if text not in self._grades:
            self._grades[text] = grade_without_class(self._school, text, self._context.today)
        return self._grades[text]

    def _checker(self, grade: str) -> checks.Checker:
        if grade not in self._checkers:
            self._checkers[grade] = checks.Checker(replace(self._context, grade=grade), self._cells)
        return self._checkers[grade]

    def _unknown_class(self, given: str) -> Finding:
        example = next(iter(self.classes), "2026101")
        return o.CLASS_UNKNOWN.at("class_number", given=given.strip()[:30], example=example)


def fill_comparison(row: ImportRow, stored: Mapping[str, str]) -> None:
    """What a row with these stored values is compared by; faulty cells compare as nothing."""
    name, kind = stored.get("name", ""), stored.get("id_type", "")
    form = canonical(kind, stored.get("id_number", ""), stored.get("nationality", "")) if kind else ""
    row.blind = blind_index(family(kind), form) if form else None
    row.birth_on = parse_date(stored.get("birth_on", ""))
    row.name_fold, row.name_py = (fold_name(name)[:500], pinyin(name).name_py[:500]) if name else ("", "")
    row.sex = stored["sex"] if stored.get("sex") in ("1", "2") else ""
    row.continues = stored.get("continues_record") == "1"
    row.entry_month = stored["entry_month"] if parse_month(stored.get("entry_month", "")) else ""


def as_row(finding: Finding, row: ImportRow) -> ImportFinding:
    """A finding as it is kept: its sentences as they read today."""
    return new_row(
        ImportFinding,
        org_path=row.org_path,
        batch_id=row.batch_id,
        number=row.number,
        field=finding.field,
        code=finding.code,
        level=finding.level,
        rule=finding.rule,
        article=finding.article,
        message=str(finding.message)[:400],
        remedy=str(finding.remedy)[:400],
    )
