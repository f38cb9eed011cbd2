"""Every objection to a pupil's record at once: fields, contradictions, age, family (HANDBOOK C1, C5, A14;
R-EST-03/06/07).

Pure: what depends on the school, the day or a local rule comes in a `Context`. Duplicates (R-EST-05) need
the database and are not here.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from operator import itemgetter

from registry import codes
from registry import objections as o
from registry import objections_form as f
from registry.check_family import check_family
from registry.check_fields import Cells
from registry.fields import BY_KEY, FIELDS
from registry.findings import Finding, Objection, in_words
from registry.form_values import parse_date, parse_month, parse_validity
from registry.identity import check_number

PRIVATE_OWNERSHIP = ("12", "22", "23")
SPECIAL_SCHOOL = ("37", "51")
HOME = "CHN"
COMPATRIOTS = {"01": "HKG", "03": "MAC", "05": "TWN"}
REGIONS = frozenset(COMPATRIOTS.values())
FOREIGNERS = ("41", "51")

# Which nationalities a document type can belong to; a type not named here tells nothing.
DOCUMENT_NATIONALITIES = {
    **dict.fromkeys("12345B", frozenset((HOME,))),
    "6": frozenset(("HKG",)),
    "7": frozenset(("MAC",)),
    "8": frozenset(("TWN",)),
    "C": frozenset(("HKG", "MAC")),
    "D": frozenset(("HKG", "MAC")),
    "E": frozenset(("TWN",)),
}

# Inclusive education: kind → disabilities it is for (HANDBOOK A14).
INCLUSIVE_FOR = {"1": "1", "2": "2", "3": "5", "9": "34679"}

# Not asked of those who have no household register or no Chinese ethnic group.
NOT_OF_OVERSEAS = ("ethnic_group", "native_place", "hukou_type", "hukou_division", "birthplace")

_NOT_MAINLAND = frozenset((*COMPATRIOTS, *FOREIGNERS))
_HUNDREDS = re.compile(r"[0-9]{3,5}(?:\.[0-9]+)?")
_TWELVE = re.compile(r"[0-9]{12}")
_NOTHING = dict.fromkeys(BY_KEY, "")
_POSITION = {field.key: position for position, field in enumerate(FIELDS)}
# The class decides the grade, and the signed-in office decides the school.
_MANDATORY = [
    field for field in FIELDS if field.mandatory == "Y" and field.key not in ("grade", "school_code")
]
_mandatory_texts = itemgetter(*(field.key for field in _MANDATORY))

PARTY_AGES = {"01": 18, "02": 18, "03": 14}


@dataclass(frozen=True)
class Context:
    """What a record is checked against.

    `grade` is a code of the grade list, from the class; `stages` the first digits of the grades the school
    may hold ("1" primary, "2" junior, "3" senior; empty: not checked). `entry_age` in years, reached on
    (month, day) `cutoff` of the year in which `school_year_start` lies; `cutoff_source` says who set it and
    by which document. `primary_years` is 6 or 5. `school_division` has six or twelve digits, `school_phones`
    are cleaned numbers.
    """

    today: date
    grade: str
    school_code: str = ""
    school_division: str = ""
    school_ownership: str = ""
    school_phones: frozenset[str] = frozenset()
    stages: frozenset[str] = frozenset()
    school_year_start: date = date(2025, 9, 1)
    primary_years: int = 6
    entry_age: int = 6
    cutoff: tuple[int, int] = (8, 31)
    cutoff_source: str = "国家默认值"
    known_division: Callable[[str], bool] = codes.known_division

    @cached_property
    def cutoff_on(self) -> date:
        """The day by which a first-grade pupil must have reached `entry_age`; 29 February falls back to the
        28th.
        """
        month, day = self.cutoff
        try:
            return date(self.school_year_start.year, month, day)
        except ValueError:
            return date(self.school_year_start.year, month, 28)

    @cached_property
    def years_before(self) -> int:
        """Years of schooling done before this grade: 0 in primary 1, 6 (or 5) in junior 1, 9 in senior 1."""
        stage, year = self.grade[:1], int(self.grade[1:])
        return {"1": 0, "2": self.primary_years}.get(stage, 9) + year - 1

    @cached_property
    def is_grade_known(self) -> bool:
        return codes.is_code("grade", self.grade)

    @cached_property
    def entry_year(self) -> int:
        """The year in which a pupil of this grade usually began the stage."""
        return self.school_year_start.year - int(self.grade[1]) + 1

    @cached_property
    def entry_span(self) -> tuple[date, date]:
        """The days within which that beginning surprises nobody."""
        return date(self.entry_year, 7, 1), date(self.entry_year + 1, 6, 30)


class Checker:
    """Cleans and checks one record after another against one context.

    The checkers of a table's classes are given the same `cells`, so that what a text means in its column is
    found out once for all of them.
    """

    def __init__(self, context: Context, cells: Cells | None = None) -> None:
        self._context = context
        known = Cells() if cells is None else cells
        self._columns = known.columns(context.grade, context.school_code, context.known_division)

    def check(self, values: Mapping[str, str]) -> tuple[dict[str, str], list[Finding]]:
        """The record as it is stored, and all findings in form order; errors stop it, warnings ask for a
        second look.

        `values` maps keys of `registry.fields` to text as typed (labels or codes, any date form); keys that
        are left out count as blank, unknown ones are dropped. Never raises for bad input.
        """
        columns, cleaned = self._columns, {}
        found: list[Finding] = []
        for key, text in values.items():
            if key in columns:
                cleaned[key], objections = columns[key][text]
                if objections:
                    found += objections
        record = _NOTHING | cleaned
        found += _check_contradictions(record, self._context)
        if found:
            found.sort(key=lambda finding: _POSITION[finding.field])
        return cleaned, found


def check_record(values: Mapping[str, str], context: Context) -> list[Finding]:
    """All findings of one record, as `Checker.check` has them; the caller stores `clean_record(values)`."""
    return Checker(context).check(values)[1]


def is_overseas(record: Mapping[str, str]) -> bool:
    """Whether the pupil of a cleaned record is from Hong Kong, Macao, Taiwan or abroad."""
    return record["overseas_status"] in _NOT_MAINLAND or record["nationality"] not in ("", HOME)


def age_on(birth: date, day: date) -> int:
    """Full years of age on `day`; a birthday counts as reached on the day itself."""
    return day.year - birth.year - ((day.month, day.day) < (birth.month, birth.day))


def _check_contradictions(record: Mapping[str, str], context: Context) -> list[Finding]:
    """What is wrong with a cleaned record that holds every key, beyond the form of its single fields."""
    return [
        *(() if all(_mandatory_texts(record)) else _check_missing(record)),
        *_check_person(record, context),
        *_check_enrolment(record, context),
        *_check_overseas(record),
        *_check_special(record, context),
        *check_family(
            record, context.today, context.school_phones, is_overseas(record), context.known_division
        ),
    ]


def _check_missing(record: Mapping[str, str]) -> list[Finding]:
    without_register = (*NOT_OF_OVERSEAS, "member1_hukou_division") if is_overseas(record) else ()
    return [
        o.NAME_MISSING.at("name") if field.key == "name" else f.MISSING.at(field.key, label=field.label_zh)
        for field in _MANDATORY
        if not record[field.key] and field.key not in without_register
    ]


def _check_person(record: Mapping[str, str], context: Context) -> list[Finding]:
    """Document against birth and sex (R-EST-06), age against grade (R-EST-07)."""
    found = []
    birth = parse_date(record["birth_on"])
    if codes.is_code("id_document_type", record["id_type"]):
        found += check_number(
            record["id_type"],
            record["id_number"],
            birth,
            record["sex"],
            context.today,
            nationality=record["nationality"],
            known_division=context.known_division,
        )
    if birth:
        found += _check_age(birth, record, context)
    validity = parse_validity(record["id_validity"]) if record["id_validity"] else None
    if validity and validity[1] and validity[1] < context.today:
        found.append(f.DOCUMENT_EXPIRED.at("id_validity"))
    return found


def _check_age(birth: date, record: Mapping[str, str], context: Context) -> list[Finding]:
    if birth > context.today:
        return [f.BIRTH_FUTURE.at("birth_on")]
    if (age_today := age_on(birth, context.today)) > 40 or age_today < 3:
        return [f.BIRTH_IMPLAUSIBLE.at("birth_on", age=age_today)]
    found = []
    status = record["political_status"]
    if age_today < PARTY_AGES.get(status, 0):
        label = codes.label("political_status", status)
        found.append(f.PARTY_AGE.at("political_status", status=label, age=PARTY_AGES[status]))
    if not context.is_grade_known:
        return found
    age = age_on(birth, context.cutoff_on)
    low = context.entry_age + context.years_before
    if age < low and context.grade == "11":
        found.append(
            f.UNDER_AGE.at(
                "birth_on",
                cutoff=in_words(context.cutoff_on),
                entry_age=context.entry_age,
                birth=in_words(birth),
                source=context.cutoff_source,
            )
        )
    elif not low <= age <= low + 2:
        grade = codes.label("grade", context.grade)
        found.append(f.AGE_GRADE.at("birth_on", grade=grade, low=low, high=low + 2, age=age))
    return found


def _check_enrolment(record: Mapping[str, str], context: Context) -> list[Finding]:
    """Class, grade, entry month and place against the school."""
    found = []
    if record["government_bought_place"] == "1" and context.school_ownership not in PRIVATE_OWNERSHIP:
        found.append(f.BOUGHT_PLACE_PUBLIC.at("government_bought_place"))
    if _HUNDREDS.fullmatch(record["commute_km"]) and float(record["commute_km"]) > 100:
        found.append(f.DISTANCE_FAR.at("commute_km"))
    if not context.is_grade_known:
        return [*found, f.GRADE_UNKNOWN.at("class_number")]
    if context.stages and context.grade[0] not in context.stages:
        found.append(f.GRADE_NOT_OFFERED.at("class_number", grade=codes.label("grade", context.grade)))
    if record["grade"] not in ("", context.grade) and codes.is_code("grade", record["grade"]):
        found.append(f.GRADE_DIFFERS.at("grade", grade=codes.label("grade", context.grade)))
    entry = parse_month(record["entry_month"])
    if entry:
        found += _check_entry(entry, record, context)
    return found


def _check_entry(entry: date, record: Mapping[str, str], context: Context) -> list[Finding]:
    birth, (first, last) = parse_date(record["birth_on"]), context.entry_span
    if entry > max(context.today, context.school_year_start):
        return [f.ENTRY_FUTURE.at("entry_month")]
    if birth and entry < birth:
        return [f.ENTRY_BEFORE_BIRTH.at("entry_month")]
    if first <= entry <= last:
        return []
    grade, given = codes.label("grade", context.grade), record["entry_month"]
    return [f.ENTRY_GRADE.at("entry_month", grade=grade, expected=context.entry_year, given=given)]


def _check_overseas(record: Mapping[str, str]) -> list[Finding]:
    """Document type, nationality and overseas status tell one story (A14, 第十条)."""
    kind, nationality, overseas = record["id_type"], record["nationality"], record["overseas_status"]
    wrong: list[tuple[Objection, str]] = []
    fits = DOCUMENT_NATIONALITIES.get(kind)
    if nationality and (
        (fits and nationality not in fits) or (kind == "F" and nationality in (HOME, *REGIONS))
    ):
        wrong.append((f.DOCUMENT_NATIONALITY, "id_type"))
    if kind == "A" and nationality == HOME and overseas == "00":
        wrong.append((f.PASSPORT_CHINESE, "id_type"))
    if kind in ("1", "B") and overseas in _NOT_MAINLAND:
        wrong.append((f.OVERSEAS_WITH_CITIZEN_CARD, "overseas_status"))
    elif kind == "1" and overseas not in ("", "00"):
        wrong.append((f.OVERSEAS_CITIZEN_DOUBT, "overseas_status"))
    if nationality and overseas and _contradicts(nationality, overseas):
        wrong.append((f.OVERSEAS_NATIONALITY, "overseas_status"))
    if not wrong:
        return []
    words = {
        "document": codes.label("id_document_type", kind),
        "nationality": codes.label("country_region", nationality),
        "overseas": codes.label("overseas_status", overseas),
    }
    return [objection.at(field, **words) for objection, field in wrong]


def _contradicts(nationality: str, overseas: str) -> bool:
    if overseas in COMPATRIOTS:
        return nationality != COMPATRIOTS[overseas]
    if overseas in FOREIGNERS:
        return nationality == HOME or nationality in REGIONS
    if overseas == "99":
        return False
    # Everything else (no; relatives; overseas and returned Chinese) is a Chinese citizen of the mainland
    # registers.
    return nationality != HOME


def _check_special(record: Mapping[str, str], context: Context) -> list[Finding]:
    """Disability and inclusion, migrant and left-behind children, orphans (A14, C1)."""
    found = []
    disability, inclusive = record["disability"].strip("0"), record["inclusive_education"].strip("0")
    if inclusive and not disability:
        found.append(f.INCLUSIVE_WITHOUT_DISABILITY.at("disability"))
    elif inclusive in INCLUSIVE_FOR and disability not in INCLUSIVE_FOR[inclusive]:
        found.append(f.INCLUSIVE_DIFFERS.at("inclusive_education"))
    elif disability and not inclusive and context.school_code[:2] not in SPECIAL_SCHOOL:
        found.append(f.DISABILITY_WITHOUT_INCLUSIVE.at("inclusive_education"))
    if record["health_status"] == "6" and not disability:
        found.append(f.HEALTH_WITHOUT_DISABILITY.at("disability"))
    left_behind, migrant = record["left_behind"] in ("1", "2"), record["migrant_child"] == "1"
    here, hukou = context.school_division[:6], record["hukou_division"]
    if (migrant or left_behind) and here and _TWELVE.fullmatch(hukou):
        if migrant and hukou[:6] == here:
            found.append(f.MIGRANT_LOCAL.at("migrant_child"))
        if left_behind and hukou[:6] != here:
            found.append(f.LEFT_BEHIND_ELSEWHERE.at("left_behind"))
    if left_behind and migrant:
        found.append(f.LEFT_BEHIND_MIGRANT.at("left_behind"))
    if record["orphan"] == "1" and left_behind:
        found.append(f.ORPHAN_LEFT_BEHIND.at("orphan"))
    return found
