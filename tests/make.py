"""Builders: say what the test is about, get sensible values for the rest. They need an open scope (fixture
`nation`).
"""

import itertools
import os
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any
from uuid import uuid4

from django.db.backends.postgresql.psycopg_any import DateRange
from django.db.models.functions import Now
from django.utils import timezone

from accounts.models import (
    AccountList,
    CodeRequest,
    OfficeGrant,
    Organization,
    Post,
    Sealing,
    TrainingRecord,
    User,
)
from accounts.roles import ROLES
from audit.models_warnings import EarlyWarning
from audit.warnings import warn
from config.clock import today
from config.copying import copy_rows
from config.crypto import next_ids
from config.models import Job, RuleValue
from registry.codes import DATA, rows_of
from registry.identity import check_digit
from registry.models import (
    Admission,
    AdmissionList,
    Campaign,
    ConfirmationSheet,
    Enrolment,
    EntrySheet,
    Export,
    FamilyMember,
    Finding,
    GraduationList,
    GraduationRecord,
    IdentityDocument,
    ImportBatch,
    ImportRow,
    PromotionPart,
    PromotionRun,
    PromotionSchool,
    RecordEntry,
    Sample,
    SampleRow,
    School,
    SchoolClass,
    SchoolVerification,
    Student,
)
from registry.record import new_record
from registry.services.registration import save_record
from registry.status import NORMAL, PENDING

NATION, PROVINCE, CITY, COUNTY = "CN.", "CN.44.", "CN.44.03.", "CN.44.03.05."
SCHOOL = "CN.44.03.05.2144000001."  # a primary school in 南山区
SISTER = "CN.44.03.05.2144000003."  # another school of the same county
NEIGHBOUR_COUNTY, NEIGHBOUR = "CN.44.03.04.", "CN.44.03.04.2144000002."
FAR_COUNTY, FAR = "CN.51.01.04.", "CN.51.01.04.2151000001."

_ONCE = itertools.count(1)
# Races and browser tests commit; a test of another run on the same database must not meet their numbers.
_SEQUENCE = itertools.count(os.getpid() % 9000 * 1000)
_COUNTIES = [row["code"] for row in rows_of(DATA / "divisions.csv") if row["level"] == "county"]
_OWN = chr(0x4E00 + os.getpid() % 5000)  # races commit pupils: another process's must not be namesakes
ALWAYS = DateRange(date(2000, 1, 1), None)
_KINDS = ("nation", "province", "city", "county", "school")
_NAMES = {NATION: "教育部", PROVINCE: "广东省教育厅", CITY: "深圳市教育局", COUNTY: "南山区教育局"}


def make_office(path: str, **fields: Any) -> Organization:
    """The office at `path`, with every office above it; kinds follow the depth unless given.

    In its province new pupils register all the year: on no day is a registration a 补录 (R-EST-13).
    """
    known = Organization.objects.filter(path=path).first()
    if known:
        return known
    parts = path.rstrip(".").split(".")
    parent = make_office(".".join(parts[:-1]) + ".") if len(parts) > 1 else None
    is_school = len(parts[-1]) == 10
    kind = fields.pop("kind", "school" if is_school else _KINDS[len(parts) - 1])
    digits = "".join(part for part in parts[1:] if part.isdigit() and len(part) <= 4)
    office = Organization.objects.create(
        kind=kind,
        code=parts[-1],
        name=fields.pop("name", _NAMES.get(path, f"{'学校' if is_school else '单位'}{parts[-1]}")),
        path=path,
        parent=parent,
        division=fields.pop("division", (digits + "000000")[:6]),
        is_authority=fields.pop("is_authority", kind in ("county", "city", "province", "authority")),
        valid=fields.pop("valid", ALWAYS),
        **fields,
    )
    if kind == "province":
        make_rule("REGISTRATION_CLOSES", "0630", path)
    if kind == "school":
        School.objects.create(
            organization=office,
            code=parts[-1],
            running_type="211",
            ownership="21",
            stages=["2", "3", "4"],
            schooling="6-3",
            phone="0755-26000000",
        )
    return office


def make_rule(key: str, value: object, path: str = COUNTY) -> RuleValue:
    """A local value in force at the office of `path`, in the place of an earlier one."""
    RuleValue.objects.filter(path=path, key=key).delete()
    return RuleValue.objects.create(
        path=path,
        key=key,
        value=value,
        valid=ALWAYS,
        document="教基〔2025〕9号",
        set_by_name=_NAMES.get(path, "主管部门"),
        created_by_name="李明",
    )


def make_class(school: str = SCHOOL, grade: str = "11", **fields: Any) -> SchoolClass:
    office = make_office(school)
    return SchoolClass.objects.create(
        org_path=school,
        school=office.school,
        number=fields.pop("number", f"{next(_SEQUENCE) % 10_000_000:07d}"),
        name=fields.pop("name", "一(1)班"),
        grade=grade,
        type="10",
        **fields,
    )


def make_user(role: str, path: str, *, trained: bool = True, **fields: Any) -> User:
    """A person with one post: `role` at the office of `path`. She acts for it when a service is called
    directly.
    """
    office = make_office(path)
    user = User.objects.create(
        username=f"u{os.getpid()}.{next(_ONCE)}",
        name=fields.pop("name", f"{ROLES[role].name}{next(_ONCE)}"),
        **fields,
    )
    if trained:
        TrainingRecord.objects.create(user=user, completed_on=today() - timedelta(days=30), hours=16)
    user.acting_post = Post.objects.create(user=user, office=office, role=role, valid=ALWAYS)
    return user


def make_registrar(path: str = SCHOOL, **fields: Any) -> User:
    return make_user("registrar", path, **fields)


def make_leader(path: str = SCHOOL, **fields: Any) -> User:
    return make_user("leader", path, **fields)


def make_reviewer(path: str = COUNTY, **fields: Any) -> User:
    return make_user("reviewer", path, **fields)


def add_post(user: User, role: str, path: str, valid: DateRange = ALWAYS) -> Post:
    return Post.objects.create(user=user, office=make_office(path), role=role, valid=valid)


def make_grant(user: User, path: str, right: str = "view_student", valid: DateRange = ALWAYS) -> OfficeGrant:
    from django.contrib.auth.models import Permission

    permission = Permission.objects.get(codename=right, content_type__app_label="accounts")
    return OfficeGrant.objects.create(
        user=user,
        permission=permission,
        content_object=make_office(path),
        valid=valid,
        reason="督查",
        granted_by_name="厅领导",
    )


def soon(days: int = 30) -> DateRange:
    """From today, for so many days."""
    return DateRange(today(), today() + timedelta(days=days))


def make_administrator(path: str = COUNTY, **fields: Any) -> User:
    return make_user("system_administrator", path, **fields)


def make_account_papers(person: User) -> tuple[CodeRequest, AccountList]:
    """A reset of this person that waits for a second word, and an uploaded list; both of the county."""
    county = make_office(COUNTY)
    asking = make_administrator()
    asked = CodeRequest.objects.create(
        user=person, purpose="factor", number="A2C4-E6G8", office=county, seen_how="本人到场", asked_by=asking
    )
    return asked, AccountList.objects.create(
        office=county, created_by=asking, file_name="名单.xlsx", rows=b"", count=0
    )


def identity_number(birth: date, sex: str = "2") -> str:
    """A fresh valid citizen number for this birth date and sex, of a real county."""
    number = next(_SEQUENCE)
    third = number % 500 * 2 + (1 if sex == "1" else 0)
    digits = f"{_COUNTIES[number // 500 % len(_COUNTIES)]}{birth:%Y%m%d}{third:03d}"
    return digits + check_digit(digits)


def first_grader_birth() -> date:
    """A birthday that makes six by 31 August of the present school year."""
    year = today().year if today().month >= 7 else today().year - 1
    return date(year - 7, 10, 15)


def valid_values(**changes: str) -> dict[str, str]:
    """All values of a new first-grader, without a fault; `changes` overwrite."""
    birth = date.fromisoformat(changes["birth_on"]) if "birth_on" in changes else first_grader_birth()
    sex = changes.get("sex", "2")
    year = today().year if today().month >= 7 else today().year - 1
    values = {
        "name": f"林{_OWN}{chr(0x4E00 + next(_ONCE) * 7 % 20000)}",
        "sex": sex,
        "birth_on": birth.isoformat(),
        "birthplace": "440305000000",
        "native_place": "广东深圳",
        "ethnic_group": "01",
        "nationality": "CHN",
        "overseas_status": "00",
        "id_type": "1",
        "id_number": identity_number(birth, sex),
        "health_status": "1",
        "political_status": "13",
        "hukou_type": "2",
        "hukou_division": "440305000000",
        "entry_month": f"{year}-09",
        "admission_mode": "11",
        "attendance_mode": "1",
        "student_source": "1",
        "current_address": "深圳市南山区南海大道1号2栋301",
        "postal_address": "深圳市南山区南海大道1号2栋301",
        "home_address": "深圳市南山区南海大道1号2栋301",
        "phone": "13800138000",
        "postcode": "518000",
        "only_child": "0",
        "had_preschool": "1",
        "left_behind": "0",
        "migrant_child": "0",
        "orphan": "0",
        "martyr_child": "0",
        "applies_for_aid": "0",
        "receives_subsidy": "0",
        "disability": "0",
        "inclusive_education": "0",
        "commute_km": "1.5",
        "commute_mode": "1",
        "needs_school_bus": "0",
        "member1_name": "林建国",
        "member1_relation": "51",
        "member1_address": "深圳市南山区南海大道1号2栋301",
        "member1_hukou_division": "440305000000",
        "member1_phone": "13900139000",
        "member1_is_guardian": "1",
    }
    return values | changes


def make_student(
    school_class: SchoolClass | None = None, *, status: str = NORMAL, number: str = "", **changes: str
) -> Student:
    """A pupil with a spell in `school_class`, without the case that brought her there."""
    from registry.form_values import clean_record
    from registry.models import StudentNumber

    school_class = school_class or make_class()
    is_disputed = changes.pop("is_disputed", "") == "1"
    values = clean_record(valid_values(**changes), school_class.grade)
    pupil = new_record(
        values, school_class, starts_on=date(today().year - 1, 9, 1), status=status, is_disputed=is_disputed
    )
    pupil.student.number = number
    save_record(pupil)
    if number:
        StudentNumber.objects.create(org_path=school_class.org_path, student=pupil.student, number=number)
    return Student.objects.get(pk=pupil.student.pk)


def make_checked_import(actor: User) -> ImportBatch:
    """A workbook without rows that waits for the registrar's word."""
    path = actor.acting_path
    batch = ImportBatch.objects.create(
        org_path=path, school=make_office(path), file_name="空.xlsx", size=1, digest=uuid4().hex * 2,
        state=ImportBatch.State.CHECKED, created_by=actor, created_by_name=actor.name,
    )  # fmt: skip
    batch.refresh_from_db()
    return batch


def make_entries(student: Student, actor: User) -> tuple[RecordEntry, EntrySheet]:
    """A health entry of the pupil, and a sheet of fitness results that names somebody unknown."""
    from registry.entries.services import add_entry

    typed = {"when": today().isoformat(), "conclusion": "正常"}
    sheet = EntrySheet(
        id=next_ids("registry_entrysheet")[0], org_path=actor.acting_path, kind="fitness",
        file_name="体测.xlsx", rows_total=1, created_by=actor, created_by_name=actor.name,
    )  # fmt: skip
    sheet.set_cells([(2, ["", "无名", "9999999", "", "良好", "80"])])
    sheet.save(force_insert=True)
    sheet.refresh_from_db()
    return add_entry(student, "health", typed, actor=actor), sheet


def make_export(actor: User) -> Export:
    """A request for a roster of her office that waits for another's word."""
    from registry.exporting.asking import ask
    from registry.exporting.terms import read_terms

    sent = {
        "purpose": "roster", "purpose_text": "编制开学花名册", "fields": ["sex", "class_name"],
        "format": "xlsx",
    }  # fmt: skip
    return ask(read_terms(sent, actor), actor=actor)


def make_committed_batch(
    school: str = SCHOOL, count: int = 5, *, continued: Sequence[Student] = (), **changes: str
) -> ImportBatch:
    """A workbook whose `count` rows have become pending pupils, as the commit leaves them, without its case.

    `continued` are former pupils whose rows stand behind; `changes` overwrite values of every row.
    """
    from registry.form_values import clean_record
    from registry.record import fill_enrolment, place_in_class

    office = make_office(school)
    batch = ImportBatch.objects.create(
        org_path=school, school=office, file_name="一年级新生.xlsx", size=1, digest=uuid4().hex * 2,
        state=ImportBatch.State.COMMITTED, rows_total=count + len(continued),
        created_by=make_registrar(school), created_by_name="上传人",
    )  # fmt: skip
    classes = [make_class(school, name=f"一({n + 1})班") for n in range((count + len(continued)) // 40 + 1)]
    first = first_grader_birth()
    rows, records, spells = [], [], []
    for place in range(count):
        birth = (first + timedelta(days=place % 300)).isoformat()
        values = clean_record(valid_values(**({"birth_on": birth} | changes)), "11")
        records.append(new_record(values, classes[place // 40], starts_on=today()))
        rows.append(
            ImportRow(
                org_path=school, batch=batch, number=place + 2, action=ImportRow.Action.CREATE,
                school_class=classes[place // 40], student=records[-1].student,
            )
        )  # fmt: skip
    for place, student in enumerate(continued, start=count):
        values = clean_record(valid_values(birth_on=student.birth_on.isoformat(), sex=student.sex), "11")
        row = ImportRow(
            org_path=school, batch=batch, number=place + 2, action=ImportRow.Action.CONTINUE,
            school_class=classes[place // 40], student=student,
        )  # fmt: skip
        row.set_cells(values, values)
        rows.append(row)
        spell = Enrolment(
            org_path=school, student=student, school=office, status=PENDING, valid=DateRange(today(), None)
        )
        fill_enrolment(spell, values, student)
        place_in_class(spell, classes[place // 40])
        spells.append(spell)
    copy_rows(Student, [record.student for record in records])
    copy_rows(IdentityDocument, [record.document for record in records if record.document])
    copy_rows(Enrolment, [record.enrolment for record in records] + spells)
    copy_rows(FamilyMember, [member for record in records for member in record.family])
    ImportRow.objects.bulk_create(rows)
    return batch


def make_dropout(student: Student, actor: User) -> tuple[Any, ...]:
    """An absence, a suspicion, a dropout's entry, a report, a watch entry, a household list, an archive that
    was handed over, and a list of the ministry.
    """
    from config.sealed_files import digest_of
    from registry import models
    from registry.dropout import absences, watching
    from registry.services.dropouts import open_entry

    spell, day = student.enrolments.get(is_void=False, status=NORMAL), today()
    absence = absences.report(spell, actor=actor, from_on=day, is_excused=False, reason="ill")
    suspicion = models.SuspectedDropout.objects.create(
        org_path=student.org_path, student=student, source="alarm", opened_on=day, report_due_on=day
    )
    open_entry(student, "LS1", "01", day, day)
    report = models.DropoutReport.objects.create(
        org_path=student.org_path, office=make_office(student.org_path), kind="month", starts_on=day,
        ends_on=day, due_on=day, counts={},
    )  # fmt: skip
    watched = watching.enter(student, "distressed", actor=actor, from_on=day, note="民政部门认定")
    household = models.HouseholdList.objects.create(
        org_path=COUNTY, file_name="名单.xlsx", digest=digest_of(b""), state="done", created_by_name="测试"
    )
    handed = models.HandedDropout(
        to_path=make_office(FAR_COUNTY).path, from_path=COUNTY, student=student, name=student.name,
        entry=student.dropouts.get(), handed_on=day,
    )  # fmt: skip
    handed.set_fields({"name": student.name})
    handed.save()
    pushed = models.DropoutList(
        pk=next_ids("registry_dropoutlist")[0], org_path=make_office(NATION).path, file_name="名单.xlsx",
        rows_total=1, created_by=actor, created_by_name=actor.name,
    )  # fmt: skip
    pushed.set_cells([(2, {"number": "G1", "name": "无名"})])
    pushed.save(force_insert=True)
    return absence, suspicion, handed.entry, report, watched, household, handed, pushed


def make_promotion(path: str = SCHOOL) -> PromotionSchool:
    """What a rehearsed promotion would do at the school of `path`, with its unit and its run."""
    school = make_office(path)
    run = PromotionRun.objects.create(
        year=today().year, state=PromotionRun.State.REHEARSED, digest="0" * 64, asked_by=0,
        asked_by_name="测试",
    )  # fmt: skip
    run.refresh_from_db()
    unit = school.parent
    assert unit is not None
    part = PromotionPart.objects.create(run=run, path=unit.path, name=unit.name, state="rehearsed")
    return PromotionSchool.objects.create(
        org_path=path, part=part, school=school, year=run.year, digest="0" * 64, counts={"before": 0}
    )


def make_graduate(spell: Enrolment, day: date) -> GraduationRecord:
    """The record that a graduation on the day leaves at the school of the spell, without its list's way."""
    made = GraduationList.objects.create(
        org_path=spell.org_path, school=spell.school, school_year=day.year - 1, grade=spell.grade,
        state=GraduationList.State.DONE, prepared_by=make_registrar(spell.org_path), prepared_by_name="测试",
    )  # fmt: skip
    return GraduationRecord.objects.create(
        org_path=spell.org_path, graduation=made, student=spell.student, enrolment=spell,
        school_year=made.school_year, school_name=spell.school.name, grade=spell.grade, name=spell.name,
        sex=spell.sex, outcome="1", number=f"BY-TEST-{spell.pk}", graduated_on=day, fields=b"",
    )  # fmt: skip


def make_admission(student: Student, by: User, path: str = SCHOOL) -> Admission:
    """The pupil on the list of the school at `path`, as the reviewer's result list has it."""
    results = AdmissionList.objects.create(
        org_path=by.posts.get().office.path, school_year=2026, file_name="录取名单.xlsx", rows_total=1,
        created_by=by, created_by_name=by.name, state=AdmissionList.State.DONE,
    )  # fmt: skip
    results.refresh_from_db()
    return Admission.objects.create(
        org_path=path, results=results, student=student, school=make_office(path), name=student.name,
        sex=student.sex, former_school="测试小学", grade="21",
    )  # fmt: skip


def make_sealing(path: str = SCHOOL) -> Sealing:
    """A sealed account of the office at `path`, as the nightly job leaves it."""
    person = make_registrar(path)
    User.objects.filter(pk=person.pk).update(sealed_at=Now())
    idle_since = timezone.now() - timedelta(days=181)
    sealing = Sealing.objects.create(user=person, office=make_office(path), path=path, idle_since=idle_since)
    sealing.refresh_from_db()
    return sealing


def make_warning(rule: str = "W16", path: str = SCHOOL, key: str = "queue", **facts: Any) -> EarlyWarning:
    """An open early warning, raised as every part of the system raises one."""
    warn(rule, path=path, key=key, **facts)
    opened: EarlyWarning = EarlyWarning.objects.exclude(state="closed").get(rule=rule, org_path=path, key=key)
    return opened


def make_verification(school: Organization, by: str = NATION) -> SchoolVerification:
    """The semester's verification at a school that a run has checked, without findings."""
    office, year = make_office(by), today().year
    role = "national_operator" if by == NATION else "reviewer"
    known = Campaign.objects.filter(path=by, school_year=year, semester="1").first()
    campaign = known or Campaign.objects.create(
        path=by, school_year=year, semester="1", opens_on=today(), due_on=today() + timedelta(days=30),
        opened_by=make_user(role, by), opened_by_name="组织人", office_name=office.name,
        job=Job.objects.create(kind="registry.verify_semester", path=by, state=Job.State.DONE),
    )  # fmt: skip
    return SchoolVerification.objects.create(
        org_path=school.path, campaign=campaign, school=school, checked_at=Now()
    )


def make_findings(school: SchoolVerification, student: Student) -> tuple[Finding, SampleRow]:
    """A finding without a plan, and a sample of the county with this pupil in it."""
    finding = Finding.objects.create(
        org_path=school.org_path, campaign=school.campaign, kind="guardian", student=student,
        due_on=school.campaign.due_on,
    )  # fmt: skip
    sample = Sample.objects.create(
        org_path=COUNTY, campaign=school.campaign, office_name="南山区教育局", seed="5" * 32, percent=5,
        schools=1, pupils=1, drawn_by=make_reviewer(), drawn_by_name="督查",
    )  # fmt: skip
    row = SampleRow.objects.create(org_path=school.org_path, sample=sample, student=student, ordinal=1)
    return finding, row


def make_sheet(school: SchoolVerification, student: Student, school_class: SchoolClass) -> ConfirmationSheet:
    """A printed confirmation sheet that has not come back."""
    return ConfirmationSheet.objects.create(
        org_path=school.org_path, campaign=school.campaign, student=student, school_class=school_class,
        code=f"T{next(_SEQUENCE):015d}", printed_by_name="班主任",
    )  # fmt: skip


def make_sheet_print(school_class: SchoolClass, actor: User) -> Any:
    """The sheets of a class, asked for and not printed yet."""
    from archives import sheet_prints

    return sheet_prints.ask([school_class.pk], actor=actor)


def make_security_administrator(path: str, **fields: Any) -> User:
    return make_user("security_administrator", path, trained=False, **fields)
