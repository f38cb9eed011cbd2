"""The rows of a workbook against each other and against the country, set by set (R-EST-01, R-EST-05,
R-EST-08).

Runs in a worker under the national scope. What it says about a record elsewhere is masked as the school may
see it; one look-up across scope is counted for the batch.
"""

from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import connection

from accounts.models import Organization
from audit.services import System, record_look_up
from config.clock import today
from config.copying import copy_rows
from config.rules import RuleInForce, rule
from config.scope import ancestors, scope
from registry.findings import Finding
from registry.form_values import parse_month
from registry.identity import mask_name
from registry.intake import objections as o
from registry.intake.continuing import changed_labels
from registry.intake.limits import Found, find_limits
from registry.intake.rows import as_row
from registry.models import ImportBatch, ImportFinding, ImportRow
from registry.record import load_records, values_of
from registry.status import OPEN, STATUSES

_ENDED_FOR_GOOD = ("12",)  # 死亡
_MOST_HINTS = 5  # a row: more namesakes than a person compares

_SAME_NUMBER_IN_FILE = """
SELECT number, first FROM (
  SELECT number, min(number) OVER (PARTITION BY blind) AS first
  FROM registry_importrow WHERE batch_id = %s AND blind IS NOT NULL
) AS numbered WHERE number > first ORDER BY number"""

_SAME_PERSON_IN_FILE = """
SELECT number, first, some_without FROM (
  SELECT number, blind, first_value(number) OVER w AS first, bool_or(blind IS NULL) OVER w AS some_without,
         first_value(blind) OVER w AS first_blind
  FROM registry_importrow WHERE batch_id = %s AND birth_on IS NOT NULL AND name_fold <> ''
  WINDOW w AS (PARTITION BY birth_on, name_fold, sex ORDER BY number
               ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING)
) AS grouped WHERE number > first AND (blind IS NULL OR blind IS DISTINCT FROM first_blind) ORDER BY number"""

# The last spell of each pupil that a row may be: an open one before an ended one, the later before the
# earlier.
_MATCHES = """
SELECT DISTINCT ON (m.number, m.student_id) m.number, m.how, m.student_id, s.public_id, s.name, s.name_fold,
       s.version, e.org_path, e.status
FROM ({candidates}) AS m
JOIN registry_student s ON s.id = m.student_id
JOIN registry_enrolment e ON e.student_id = m.student_id AND NOT e.is_void
ORDER BY m.number, m.student_id, (e.status = ANY(%s)) DESC, e.valid DESC"""
_BY_NUMBER = """
SELECT p.number, 'number' AS how, d.student_id FROM registry_importrow p
JOIN registry_identitydocument d ON d.blind = p.blind AND d.is_claimed WHERE p.batch_id = %s"""
_BY_PERSON = """
SELECT p.number, 'person' AS how, s.id AS student_id FROM registry_importrow p
JOIN registry_student s ON s.birth_on = p.birth_on AND s.name_fold = p.name_fold AND s.sex = p.sex
WHERE p.batch_id = %s"""
_BY_SOUND = """
SELECT p.number, 'sound' AS how, s.id AS student_id FROM registry_importrow p
JOIN registry_student s ON s.name_py = p.name_py AND s.birth_on = p.birth_on
 AND NOT (s.name_fold = p.name_fold AND s.sex = p.sex) WHERE p.batch_id = %s AND p.name_py <> ''"""


@dataclass(frozen=True, slots=True)
class Match:
    """A record of the country that a row may be about."""

    number: int
    how: str
    student_id: int
    public_id: UUID
    name: str
    name_fold: str
    version: int
    org_path: str
    status: str

    @property
    def is_open(self) -> bool:
        return self.status in OPEN

    @property
    def status_name(self) -> str:
        return STATUSES[self.status].name


Say = Callable[[Match], dict[str, Any]]


def compare(batch: ImportBatch) -> None:
    """Find anew everything that rows have against each other and the country, and set what each row
    becomes.
    """
    ImportFinding.objects.filter(batch=batch, code__startswith=o.PREFIX).delete()
    rows = {row.number: row for row in ImportRow.objects.filter(batch=batch).defer("cells")}
    found: Found = defaultdict(list)
    _inside_the_file(batch, rows, found)
    continued = _in_the_country(batch, rows, found)
    _note_changes(batch, continued, found)
    find_limits(batch, rows, continued, found)
    findings = []
    for number, listed in found.items():
        for finding, other in listed:
            row = as_row(finding, rows[number])
            row.row_id, row.other = rows[number].pk, other
            findings.append(row)
    copy_rows(ImportFinding, findings)
    _set_actions(batch, continued)


def _rows_of(sql: str, *params: Any) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        return cursor.fetchall()


def _inside_the_file(batch: ImportBatch, rows: dict[int, ImportRow], found: Found) -> None:
    for number, first in _rows_of(_SAME_NUMBER_IN_FILE, batch.pk):
        found[number].append((o.SAME_NUMBER_IN_FILE.at("id_number", first=first), None))
    for number, first, some_without in _rows_of(_SAME_PERSON_IN_FILE, batch.pk):
        is_settled = bool(rows[number].distinct_reason) or not some_without
        objection = o.TWIN_IN_FILE if is_settled else o.SAME_PERSON_IN_FILE
        found[number].append((objection.at("name", first=first), None))


def _in_the_country(batch: ImportBatch, rows: dict[int, ImportRow], found: Found) -> dict[int, int]:
    """Add what the country's records say; row number → the former pupil it continues."""
    by_number = _matches(_BY_NUMBER, batch)
    others = [*_matches(_BY_PERSON, batch), *_matches(_BY_SOUND, batch)]
    say = _words_for(batch, [*by_number, *others])
    deadline = rule("CHANGE_DEADLINE", at=batch.org_path, on=today())
    continued = {}
    for match in by_number:
        person = rows[match.number]
        finding = _about_number(match, person)
        found[match.number].append((finding, say(match)))
        if finding.code == o.CONTINUES.code:
            continued[match.number] = match.student_id
            if _is_late(person, deadline):
                late = o.CONTINUES_LATE.at("entry_month", deadline=deadline.display())
                found[match.number].append((late, None))
    known = {match.number for match in by_number}
    for number, row in rows.items():
        if row.continues and number not in known:
            found[number].append((o.NOTHING_TO_CONTINUE.at("continues_record"), None))
    claimed = {(match.number, match.student_id) for match in by_number}
    _namesakes([m for m in others if (m.number, m.student_id) not in claimed and m.is_open], rows, say, found)
    with scope(batch.org_path):
        record_look_up(
            actor=System(acting_path=batch.org_path, name=batch.created_by_name, pk=batch.created_by_id),
            route="check_intake", found=bool(by_number or others),
        )  # fmt: skip
    return continued


def _namesakes(matches: list[Match], rows: dict[int, ImportRow], say: Say, found: Found) -> None:
    """Children of the same or a like name, born on the same day: a number or a reason tells them apart."""
    hints: Counter[int] = Counter()
    for match in matches:
        row = rows[match.number]
        hints[match.number] += 1
        if hints[match.number] > _MOST_HINTS:
            continue
        objection = o.SOUNDS_ALIKE
        if match.how == "person":
            objection = o.NAMESAKE if row.blind or row.distinct_reason else o.SAME_PERSON
        found[match.number].append((objection.at("name"), say(match)))


def _note_changes(batch: ImportBatch, continued: dict[int, int], found: Found) -> None:
    """Beside each continuation, which fields it brings up to date; the version tells if the record moves."""
    records = load_records(list(continued.values()))
    for row in ImportRow.objects.filter(batch=batch, number__in=continued):
        record = records[continued[row.number]]
        new = changed_labels(values_of(record), row.open_cells().stored, batch.org_path)
        for finding, words in found[row.number]:
            if finding.code == o.CONTINUES.code and words is not None:
                words |= {"changed": new, "version": record.student.version}


def _matches(candidates: str, batch: ImportBatch) -> list[Match]:
    return [Match(*row) for row in _rows_of(_MATCHES.format(candidates=candidates), batch.pk, list(OPEN))]


def _about_number(match: Match, person: ImportRow) -> Finding:
    """What holding the same document means: taken, continued, or not to be continued."""
    if match.is_open:
        return o.NUMBER_TAKEN.at("id_number")
    if match.status in _ENDED_FOR_GOOD:
        return o.CANNOT_CONTINUE.at("id_number", status=match.status_name)
    if not person.continues:
        return o.FORMER_PUPIL.at("continues_record", status=match.status_name)
    if match.name_fold != person.name_fold:
        return o.CONTINUES_OTHER_NAME.at("name")
    return o.CONTINUES.at("continues_record", status=match.status_name)


def _is_late(person: ImportRow, deadline: RuleInForce) -> bool:
    """Whether the change that the row brings should have been made before today (R-UPD-03)."""
    entered = parse_month(person.entry_month)
    return entered is not None and deadline.days_after(entered) < today()


def _words_for(batch: ImportBatch, matches: list[Match]) -> Say:
    """Words about a match: in clear inside the school, else masked name and the county it lies in (RD-1)."""
    paths = {path for match in matches for path in ancestors(match.org_path)}
    offices = {office.path: office for office in Organization.objects.filter(path__in=paths)}

    def say(match: Match) -> dict[str, Any]:
        words: dict[str, Any] = {"status": match.status_name, "student": "", "how": match.how}
        if match.org_path == batch.org_path:
            return words | {
                "name": match.name, "place": offices[match.org_path].name, "student": str(match.public_id)
            }  # fmt: skip
        above = [offices[path] for path in reversed(ancestors(match.org_path)[:-1]) if path in offices]
        county = next((office for office in above if office.kind in ("county", "city", "province")), None)
        place = f"{county.name}所辖学校" if county else ""
        return words | {"name": mask_name(match.name), "place": place}

    return say


def _set_actions(batch: ImportBatch, continued: dict[int, int]) -> None:
    """What each row becomes; rows with an error are marked by the count that follows."""
    rows = ImportRow.objects.filter(batch=batch)
    rows.update(action=ImportRow.Action.CREATE, student=None)
    if continued:
        with connection.cursor() as cursor:
            cursor.execute(
                "UPDATE registry_importrow r SET action = 'continue', student_id = c.student_id "
                "FROM unnest(%s::int[], %s::bigint[]) AS c (number, student_id) "
                "WHERE r.batch_id = %s AND r.number = c.number",
                [list(continued), list(continued.values()), batch.pk],
            )
