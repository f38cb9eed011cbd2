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

from registry import codes, numbers
from registry import objections as o
from registry import objections_form as f
from registry.check_family import check_family
from registry.fields import BY_KEY, FIELDS, Field
from registry.findings import Finding, Objection, in_words
from registry.form_values import (
    allowed_codes,
    clean_record,
    is_phone,
    parse_date,
    parse_month,
    parse_validity,
)
from registry.identity import check_number
from registry.names import check_name

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

# Fields of a form of their own: what says that the text is right, and the objection if it does not.
FORMS: dict[str, tuple[Callable[[str], object], Objection]] = {
    "birth_on": (parse_date, f.DATE_FORM),
    "entry_month": (parse_month, f.MONTH_FORM),
    "id_validity": (parse_validity, f.VALIDITY_FORM),
    "phone": (is_phone, f.PHONE_FORM),
    "member1_phone": (is_phone, f.PHONE_FORM),
    "member2_phone": (is_phone, f.PHONE_FORM),
    "postcode": (re.compile(r"[0-9]{6}").fullmatch, f.POSTCODE_FORM),
    "email": (re.compile(r"[^@\s<>\"]+@[^@\s<>\".]+(?:\.[^@\s<>\".]+)+").fullmatch, f.EMAIL_FORM),
    "homepage": (re.compile(r"https?://[^\s<>\"']+").fullmatch, f.HOMEPAGE_FORM),
    "commute_km": (re.compile(r"[0-9]{1,5}(?:\.[0-9]{1,3})?").fullmatch, f.NUMBER_FORM),
    "name_pinyin": (re.compile(r"[A-Za-zÜüĀ-ǜ' \-]+").fullmatch, f.PINYIN_FORM),
}

PARTY_AGES = {"01": 18, "02": 18, "03": 14}


@dataclass(frozen=True, slots=True)
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

    @property
    def cutoff_on(self) -> date:
        """The day by which a first-grade pupil must have reached `entry_age`; 29 February falls back to the
        28th.
        """
        month, day = self.cutoff
        try:
            return date(self.school_year_start.year, month, day)
        except ValueError:
            return date(self.school_year_start.year, month, 28)

    @property
    def years_before(self) -> int:
        """Years of schooling done before this grade: 0 in primary 1, 6 (or 5) in junior 1, 9 in senior 1."""
        stage, year = self.grade[:1], int(self.grade[1:])
        return {"1": 0, "2": self.primary_years}.get(stage, 9) + year - 1


def check_record(values: Mapping[str, str], context: Context) -> list[Finding]:
    """All findings of one record, in form order; errors stop it, warnings ask for a second look.

    `values` maps keys of `registry.fields` to text as typed (labels or codes, any date form); they are
    cleaned here, so the caller stores `clean_record(values)`. Keys left out count as blank. Never raises for
    bad input.
    """
    record = dict.fromkeys(BY_KEY, "") | clean_record(values, context.grade)
    found = [finding for field in FIELDS if (finding := _check_missing(field, record))]
    found += [
        finding for field in FIELDS if record[field.key] for finding in _check_field(field, record, context)
    ]
    found += _check_person(record, context)
    found += _check_enrolment(record, context)
    found += _check_overseas(record)
    found += _check_special(record, context)
    found += check_family(
        record, context.today, context.school_phones, is_overseas(record), context.known_division
    )
    order = {field.key: position for position, field in enumerate(FIELDS)}
    return sorted(found, key=lambda finding: order[finding.field])


def is_overseas(record: Mapping[str, str]) -> bool:
    """Whether the pupil of a cleaned record is from Hong Kong, Macao, Taiwan or abroad."""
    return record["overseas_status"] in (*COMPATRIOTS, *FOREIGNERS) or record["nationality"] not in ("", HOME)


def age_on(birth: date, day: date) -> int:
    """Full years of age on `day`; a birthday counts as reached on the day itself."""
    return day.year - birth.year - ((day.month, day.day) < (birth.month, birth.day))


def _check_missing(field: Field, record: Mapping[str, str]) -> Finding | None:
    # The class decides the grade, and the signed-in office decides the school.
    if record[field.key] or field.mandatory != "Y" or field.key in ("grade", "school_code"):
        return None
    if field.key == "name":
        return o.NAME_MISSING.at("name")
    if is_overseas(record) and (field.key in NOT_OF_OVERSEAS or field.key == "member1_hukou_division"):
        return None
    return f.MISSING.at(field.key, label=field.label_zh)


def _check_field(field: Field, record: Mapping[str, str], context: Context) -> list[Finding]:
    """The form of one filled-in field, by itself."""
    key, text = field.key, record[field.key]
    if key in ("name", "former_name"):
        return check_name(text, key)
    if field.max_length and len(text) > field.max_length and not key.endswith("_name"):
        return [f.TOO_LONG.at(key, label=field.label_zh, limit=field.max_length)]
    if re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff]", text):
        return [f.CONTROL_CHARACTER.at(key, label=field.label_zh)]
    if field.code_list:
        allowed = allowed_codes(field, context.grade)
        if codes.is_code(field.code_list, text) and (not allowed or text in allowed):
            return []
        objection = f.ADMISSION_STAGE if key == "admission_mode" else f.NOT_IN_LIST
        return [objection.at(key, label=field.label_zh)]
    if field.widget == "division":
        if not re.fullmatch(r"[0-9]{12}", text):
            return [f.DIVISION_FORM.at(key, label=field.label_zh)]
        return [] if context.known_division(text) else [f.DIVISION_UNKNOWN.at(key, label=field.label_zh)]
    if key in FORMS:
        is_right, objection = FORMS[key]
        return [] if is_right(text) else [objection.at(key, label=field.label_zh)]
    if key == "school_code" and context.school_code and text != context.school_code:
        return [o.SCHOOL_CODE_OTHER.at(key)]
    if key == "status_number":
        return numbers.check_status_number(text)
    return []


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
    validity = parse_validity(record["id_validity"])
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
    if not codes.is_code("grade", context.grade):
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
    if re.fullmatch(r"[0-9]{3,5}(?:\.[0-9]+)?", record["commute_km"]) and float(record["commute_km"]) > 100:
        found.append(f.DISTANCE_FAR.at("commute_km"))
    if not codes.is_code("grade", context.grade):
        return [*found, f.GRADE_UNKNOWN.at("class_number")]
    grade = codes.label("grade", context.grade)
    if context.stages and context.grade[0] not in context.stages:
        found.append(f.GRADE_NOT_OFFERED.at("class_number", grade=grade))
    if codes.is_code("grade", record["grade"]) and record["grade"] != context.grade:
        found.append(f.GRADE_DIFFERS.at("grade", grade=grade))
    entry, birth = parse_month(record["entry_month"]), parse_date(record["birth_on"])
    if entry is None:
        return found
    expected = context.school_year_start.year - int(context.grade[1]) + 1
    if entry > max(context.today, context.school_year_start):
        found.append(f.ENTRY_FUTURE.at("entry_month"))
    elif birth and entry < birth:
        found.append(f.ENTRY_BEFORE_BIRTH.at("entry_month"))
    elif not date(expected, 7, 1) <= entry <= date(expected + 1, 6, 30):
        given = record["entry_month"]
        found.append(f.ENTRY_GRADE.at("entry_month", grade=grade, expected=expected, given=given))
    return found


def _check_overseas(record: Mapping[str, str]) -> list[Finding]:
    """Document type, nationality and overseas status tell one story (A14, 第十条)."""
    found = []
    kind, nationality, overseas = record["id_type"], record["nationality"], record["overseas_status"]
    words = {
        "document": codes.label("id_document_type", kind),
        "nationality": codes.label("country_region", nationality),
        "overseas": codes.label("overseas_status", overseas),
    }
    fits = DOCUMENT_NATIONALITIES.get(kind)
    if nationality and (
        (fits and nationality not in fits) or (kind == "F" and nationality in (HOME, *REGIONS))
    ):
        found.append(f.DOCUMENT_NATIONALITY.at("id_type", **words))
    if kind == "A" and nationality == HOME and overseas == "00":
        found.append(f.PASSPORT_CHINESE.at("id_type"))
    if kind in ("1", "B") and overseas in (*COMPATRIOTS, *FOREIGNERS):
        found.append(f.OVERSEAS_WITH_CITIZEN_CARD.at("overseas_status", **words))
    elif kind == "1" and overseas not in ("", "00"):
        found.append(f.OVERSEAS_CITIZEN_DOUBT.at("overseas_status", **words))
    if nationality and overseas and _contradicts(nationality, overseas):
        found.append(f.OVERSEAS_NATIONALITY.at("overseas_status", **words))
    return found


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
    here = context.school_division[:6]
    if here and re.fullmatch(r"[0-9]{12}", hukou := record["hukou_division"]):
        if migrant and hukou[:6] == here:
            found.append(f.MIGRANT_LOCAL.at("migrant_child"))
        if left_behind and hukou[:6] != here:
            found.append(f.LEFT_BEHIND_ELSEWHERE.at("left_behind"))
    if left_behind and migrant:
        found.append(f.LEFT_BEHIND_MIGRANT.at("left_behind"))
    if record["orphan"] == "1" and left_behind:
        found.append(f.ORPHAN_LEFT_BEHIND.at("orphan"))
    return found
