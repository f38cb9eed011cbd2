"""Every route × role × relation → status; the expected column is tests/access.csv, reviewed, never
generated (AZ-3).
"""

import csv
from collections.abc import Iterator
from datetime import timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from django.db import connection, transaction
from django.db.backends.postgresql.psycopg_any import DateRange
from django.test import Client
from django.test.client import MULTIPART_CONTENT
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from accounts.models import Notice, User
from audit.models import Event
from config.clock import today
from config.models import Job, MassRun
from config.scope import scope
from exchange.guardians import codes
from registry.models import CodeValue, ProblemRecord, RevealRequest, Student
from tests import make
from tests.conftest import ScopelessClient
from tests.exchange.building import bare_client
from tests.reports.building import make_report_file
from tests.transfers.filing import file_batch, file_photos, file_pupil, make_material, make_rehearsal
from tests.transfers.graduating import make_graduation
from tests.transfers.moving import make_moves
from transfers.models import Case

pytestmark = [pytest.mark.rule("AZ-1", "AZ-2", "AZ-3", "AZ-9", "R-ACC-02")]
JSON = "application/json"
TABLE = Path(__file__).with_name("access.csv")
# Neither pages nor data: the health check and the sign-in pages have tests of their own.
WARNING_ROUTES = [
    *(f"audit:warning{act}" for act in ("", "_take", "_close")),
    *(f"warning-{act}" for act in ("detail", "take", "close")),
]
IMPORT_ROUTES = [
    *("registry:import", "registry:import_progress", "registry:import_check", "registry:import_workbook"),
    *("registry:import_cells", "registry:import_preview", "registry:import_commit", "registry:import_cancel"),
    *("import-detail", "import-rows", "import-errors", "import-cells", "import-preview", "import-commit"),
    "import-cancel",
]
ROLL_ROUTES = ("verification:roll", "archives:sheets", "roll-detail", "roll-confirm", "roll-sheets")
CAMPAIGN_ROUTES = ("verification:again", "verification:running", "campaign-detail", "campaign-progress",
                   "campaign-again")  # fmt: skip
VERIFICATION_ROUTES = ("verification:school", "verification:school_act", "verification-detail",
                       *(f"verification-{act}" for act in ("plan", "close", "check", "sign")))  # fmt: skip
FINDING_ROUTES = ("verification:finding", "verification:finding_act", "finding-detail",
                  *(f"finding-{act}" for act in ("order", "answer", "close-order")))  # fmt: skip
PROBLEM_ROUTES = [
    "transfers:problem",
    *(f"transfers:problem_{act}" for act in ("arbitrate", "hint", "reopen")),
    *(f"problem-{act}" for act in ("detail", "arbitrate", "hint", "reopen")),
]
SUBSTITUTE_ROUTES = ("accounts:substitute_end", "substitute-detail", "substitute-end")
PROVISION_ROUTES = ("grant", "stop", "receiver_changed", "new_client")
ACCOUNT_ROUTES = [
    *("accounts:person", "accounts:appoint", "accounts:person_leave", "accounts:person_code"),
    *("person-detail", "person-gains", "person-posts"),
]
EXPORT_ROUTES = [
    *("registry:export", "registry:export_progress", "registry:export_approve", "registry:export_refuse"),
    *("registry:export_cancel", "registry:export_file", "export-detail", "export-approve", "export-refuse"),
    *("export-cancel", "export-file"),
]
REPORT_ROUTES = ["reports:report", "reports:ask", "reports:refresh", "report-detail", "report-files"]
REPORT_FILE_ROUTES = ["reports:made", "reports:file", "report-file-detail", "report-file-content"]
GRADUATION_ROUTES = [
    *(f"graduation:{act}" for act in ("list", "rows", "refresh", "confirm", "return")),
    *(f"graduation-{act}" for act in ("detail", "rows", "refresh", "submit", "confirm", "return")),
    "transfers:graduation_submit",
]
GRADUATED_ROUTES = ("graduation:roll", "transfers:certificates", "transfers:graduation_roll")
GRADUATE_ROUTES = ("graduation:graduate", "graduation:destination", "graduate-detail", "transfers:ask_proof")
DROPOUT_ROUTES = [
    *((0, route) for route in ("dropout:absence", "absence-detail", "absence-visits", "absence-visit")),
    *((0, "absence-come-back"), (1, "dropout:suspicion"), (1, "dropout:written"), (2, "dropout:entry")),
    (1, "archives:suspicion_answer"),
    *((3, "dropout:report_sign"), (3, "dropout-report-sign"), (4, "dropout:watch_end")),
    *((5, "dropout:household"), (6, "dropout:handed_one"), (7, "dropout:pushed")),
]
OPEN_ROUTES = {
    *("exchange:token", "exchange:keys"),  # clients prove themselves by their secret; keys are public
    *("health", "accounts:sign_in", "accounts:sign_out", "accounts:personas", "accounts:passkey_options"),
    *(f"accounts:sign_in_{step}" for step in ("passkey", "code", "password", "factor", "enrol")),
    *("accounts:sign_in_ask", "accounts:sign_in_wait"),
    *("transfers:track", "transfers:track_entry"),  # for families, by an unguessable code
    *(f"guardian:{page}" for page in ("record", "enter", "dispute", "proof", "leave")),
}


@cache
def table() -> list[dict[str, str]]:
    with TABLE.open(newline="") as source:
        return list(csv.DictReader(source))


def who_columns() -> list[str]:
    return [column for column in table()[0] if column not in ("method", "route", "note")]


def route_names(patterns: list[URLPattern | URLResolver], prefix: str = "") -> Iterator[str]:
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            space = f"{pattern.namespace}:" if pattern.namespace else ""
            yield from route_names(pattern.url_patterns, prefix + space)
        elif pattern.name:
            yield prefix + pattern.name


def test_every_route_has_a_line() -> None:
    lines = {row["route"] for row in table()}
    assert sorted(set(route_names(get_resolver().url_patterns)) - lines - OPEN_ROUTES - {"api-root"}) == []


class World:
    """One pupil of the school, her class, a waiting case, a problem record, materials, and everybody who
    may ask.
    """

    def __init__(self) -> None:
        self.school_class = make.make_class()
        self.office = {
            "class": self.school_class,
            "registrar": make.make_registrar(),
            "leader": make.make_leader(),
            "reviewer": make.make_reviewer(),
        }
        self.student: Student = make.make_student(self.school_class)
        self.case: Case = file_pupil(self.office)
        self.batch_case: Case = file_batch(self.office, 2)
        self.material = make_material(self.office["registrar"])
        self.material.student = self.student
        self.material.save()
        self.loose = make_material(self.office["registrar"])
        self.problem = ProblemRecord.objects.create(
            org_path=make.SCHOOL, other_path=make.SCHOOL, type="1", side="single", student=self.student,
            found_by="测试", detail="测试",
        )  # fmt: skip
        self.photos, self.photos_case = file_photos(self.office)
        self.rehearsal = make_rehearsal(self.office["reviewer"])
        self.snapshot, self.guest, self.handover = make_moves(self.student)
        self.graduation, self.graduate, self.proof = make_graduation()
        self.entry, self.sheet = make.make_entries(self.student, self.office["registrar"])
        self.dropout = [row.pk for row in make.make_dropout(self.student, self.acting("registrar"))]
        self.job = Job.objects.create(kind="check_intake", path=make.SCHOOL, started_by_name="测试")
        self.import_id = make.make_checked_import(self.office["registrar"]).public_id
        self.code = CodeValue.objects.create(list="example", code="1", name_zh="示例", valid=make.ALWAYS)
        self.warning = make.make_warning()
        self.reveal_request = RevealRequest.objects.create(
            org_path=make.SCHOOL, student_id=self.student.pk, field="phone", reason="测试",
            asked_by=self.office["registrar"], asked_by_name="测试",
        )  # fmt: skip
        self.admission = make.make_admission(self.student, self.office["reviewer"])
        self.sealing = make.make_sealing()
        self.promotion = make.make_promotion()
        self.run = MassRun.objects.create(kind="seal", path=make.NATION, day=today(), touched=9000)
        self.provision = bare_client()
        self.guardian_code = codes.issue(self.student, "52", by=self.acting("registrar"))[0]
        self.event = Event.objects.within(make.SCHOOL).latest("pk")
        self.people: dict[str, User] = {}
        self.export_id = make.make_export(self.person("registrar@school")).public_id
        self.verification = make.make_verification(self.school_class.school.organization)
        self.confirmation = make.make_sheet(self.verification, self.student, self.school_class)
        self.sheet_print = make.make_sheet_print(self.school_class, self.person("registrar@school")).public_id
        self.finding, self.sampled = make.make_findings(self.verification, self.student)
        self.report_file = make_report_file(self.person("registrar@school")).public_id
        self.notice = Notice.objects.create(user=self.person("registrar@school"), kind="urged", target="/")
        self.code_request, self.account_list = make.make_account_papers(self.office["registrar"])
        self.grant = make.make_grant(self.office["reviewer"], make.SCHOOL, valid=make.soon())
        soon = DateRange(today(), today() + timedelta(days=9))
        self.substitute = make.add_post(self.office["registrar"], "leader", make.SCHOOL, soon)
        self.substitute.stands_for = self.office["leader"]
        self.substitute.save()
        # Now: who comes or signs in while a row is answered is gone with it.
        self.clients = {who: self.signed_in(who) for who in who_columns()}
        self.arguments = self._arguments()

    def acting(self, who: str) -> User:
        """Somebody of the school under her post."""
        user = self.office[who]
        user.acting_post = user.posts.get()
        return user

    def signed_in(self, who: str) -> Client:
        """A browser of `who`."""
        client = ScopelessClient()
        if who != "anonymous":
            client.force_login(self.person(who))
        return client

    def person(self, who: str) -> User:
        """`role@place`: places as in tests/make.py; a head teacher heads the pupil's class."""
        if who not in self.people:
            role, place = who.split("@")
            path = {
                "school": make.SCHOOL, "sister": make.SISTER, "county": make.COUNTY, "city": make.CITY,
                "province": make.PROVINCE, "nation": make.NATION, "neighbour": make.NEIGHBOUR_COUNTY,
                "far": make.FAR_COUNTY,
            }[place]  # fmt: skip
            self.people[who] = make.make_user(role, path)
            if role == "head_teacher":
                self.school_class.head_teacher = self.people[who]
                self.school_class.save()
        return self.people[who]

    def _arguments(self) -> dict[str, list[Any]]:
        """What stands in the addresses, by route."""
        promotion = self.promotion.part.run.public_id
        return {
            **dict.fromkeys(("year:run", "year:confirm"), [promotion]),
            **{f"promotion-{act}": [promotion] for act in ("detail", "results", "confirm", "undo")},
            "year:unit": [promotion, self.promotion.part_id],
            **dict.fromkeys(("year:school", "year:undo"), [promotion, self.promotion.school_id]),
            "audit:entry": ["event", self.event.pk],
            "audit:proof": ["event", self.event.pk],
            "audit:checkpoint": [10**9, "note"],
            "registry:student": [self.student.public_id],
            "entries:add": [self.student.public_id, "health"],
            **dict.fromkeys(("entries:end", "entry-detail", "entry-void", "entry-lift"), [self.entry.pk]),
            "entries:class_sheet": [self.school_class.pk],
            "enrolling:number_class": [self.school_class.pk],
            **dict.fromkeys(("enrolling:drop", "admission-drop", "admission-claim"), [self.admission.pk]),
            **dict.fromkeys(("enrolling:result", "admissionlist-detail"), [self.admission.results.public_id]),
            "entries:template": ["fitness"],
            **dict.fromkeys(("entries:sheet", "entries:progress", "entries:drop"), [self.sheet.public_id]),
            "registry:student_edit": [self.student.public_id],
            "registry:reveal": [self.student.public_id],
            "registry:protection": [self.student.public_id],
            "registry:reveal_approve": [self.reveal_request.pk],
            "registry:school_class": [self.school_class.pk],
            "registry:school": [self.school_class.school_id],
            "registry:plans": [self.school_class.school_id],
            "registry:permit_seats": [self.school_class.pk],
            "registry:report_in": [self.school_class.pk],
            **dict.fromkeys(ROLL_ROUTES, [self.school_class.pk]),
            **dict.fromkeys(CAMPAIGN_ROUTES, [self.verification.campaign_id]),
            **dict.fromkeys(VERIFICATION_ROUTES, [self.verification.pk]),
            **dict.fromkeys(FINDING_ROUTES, [self.finding.pk]),
            "verification:sample": [self.sampled.sample_id],
            "archives:sheet": [self.confirmation.code],
            "archives:sheet_print": [self.school_class.pk, self.student.public_id],
            **dict.fromkeys(("archives:sheet_made", "archives:sheet_file"), [self.sheet_print]),
            "registry:problem": [self.problem.pk],
            **dict.fromkeys(PROBLEM_ROUTES, [self.problem.pk]),
            "registry:snapshot": [self.snapshot.pk],
            "registry:guest": [self.guest.pk],
            "registry:guest_end": [self.guest.pk],
            **{route: [self.dropout[place]] for place, route in DROPOUT_ROUTES},
            **dict.fromkeys(("transfers:receive", "handover-receive"), [self.handover.pk]),
            **{route: [self.graduation.public_id] for route in GRADUATION_ROUTES},
            **{route: [self.graduate.public_id] for route in GRADUATE_ROUTES},
            **{route: [self.graduate.graduation.public_id] for route in GRADUATED_ROUTES},
            "transfers:proof_print": [self.proof.case_no],
            "archives:material": [self.material.public_id],
            "archives:remove": [self.loose.public_id],
            "archives:photo": [self.student.public_id],
            "archives:photo_batch": [self.photos.public_id],
            "archives:photo_progress": [self.photos.public_id],
            "archives:photo_cancel": [self.photos.public_id],
            "archives:photo_file": [self.photos.files.get().public_id],
            "transfers:photos_submit": [self.photos.public_id],
            "transfers:case_photos": [self.photos_case.number],
            "accounts:notice": [self.notice.pk],
            "notice-read": [self.notice.pk],
            **dict.fromkeys(SUBSTITUTE_ROUTES, [self.substitute.pk]),
            **dict.fromkeys(("accounts:unseal", "sealing-detail", "sealing-unseal"), [self.sealing.pk]),
            "accounts:mass_run_confirm": [self.run.pk],
            **dict.fromkeys(REPORT_ROUTES, ["overview"]),
            **dict.fromkeys(REPORT_FILE_ROUTES, [self.report_file]),
            "registry:who_can_see": [self.student.public_id],
            **dict.fromkeys(ACCOUNT_ROUTES, [self.office["registrar"].pk]),
            "accounts:post_end": [self.office["registrar"].acting_post.pk],
            "accounts:grant_end": [self.grant.pk],
            "accounts:code_decide": [self.code_request.pk],
            "accounts:account_list": [self.account_list.public_id],
            "accounts:account_list_drop": [self.account_list.public_id],
            "accounts:sign_in_end": [0],
            "accounts:factor_remove": [0],
            "transfers:office_rehearsal": [self.rehearsal.public_id],
            "office-change-detail": [self.rehearsal.public_id],
            "office-change-file": [self.rehearsal.public_id],
            "transfers:office_rehearse": [self.case.number],
            **dict.fromkeys(("transfers:urge", "overdue-urge"), [self.case.steps.get(is_current=True).pk]),
            "accounts:office": [make.make_office(make.SCHOOL).pk],
            "transfers:case": [self.case.number],
            "transfers:decide": [self.case.number],
            "transfers:reveal": [self.case.number],
            "transfers:case_rows": [self.batch_case.number],
            "transfers:return_rows": [self.batch_case.number],
            "case-return-rows": [self.batch_case.number],
            "transfers:withdraw": [self.case.number],
            "transfers:correct": [self.case.number],
            "transfers:identity_change": [self.student.public_id],
            "transfers:kinds": [self.student.public_id],
            "transfers:file": [self.student.public_id, "aid"],
            "transfers:file_elsewhere": ["transfer"],
            "transfers:case_paper": [self.case.number, self.case.evidence.get().material.public_id],
            "transfers:case_print": [self.case.number, "case_receipt"],
            "transfers:student_card": [self.student.public_id],
            "transfers:job": [0],
            "transfers:rule": ["CLASS_SIZE_MAX_PRIMARY"],
            "transfers:rule_preview": ["CLASS_SIZE_MAX_PRIMARY"],
            "transfers:rule_try": ["CLASS_SIZE_MAX_PRIMARY"],
            "transfers:rule_set": ["CLASS_SIZE_MAX_PRIMARY"],
            "transfers:rule_end": ["CLASS_SIZE_MAX_PRIMARY"],
            **{route: [self.import_id] for route in IMPORT_ROUTES},
            **{route: [self.export_id] for route in EXPORT_ROUTES},
            **{f"exchange:{act}": [self.provision.grant.public_id] for act in PROVISION_ROUTES},
            "exchange:end_client": [self.provision.grant.public_id, self.provision.pk],
            "student-detail": [self.student.public_id],
            "case-detail": [self.case.number],
            "case-decide": [self.case.number],
            "case-withdraw": [self.case.number],
            "school-detail": [self.school_class.school_id],
            "class-detail": [self.school_class.pk],
            "code-detail": [self.code.list],
            "job-detail": [self.job.pk],
            "rule-detail": ["CLASS_SIZE_MAX_PRIMARY"],
            "exchange:guardian_codes": [self.student.public_id],
            "exchange:guardian_code_end": [self.guardian_code.pk],
            **{route: [self.warning.pk] for route in WARNING_ROUTES},
        }


def answer(world: World, row: dict[str, str], who: str) -> int:
    client = world.clients[who]
    path = reverse(row["route"], args=world.arguments.get(row["route"]))
    is_api = path.startswith("/api/")
    if row["method"] == "GET":
        return client.get(path).status_code
    return client.post(path, content_type=JSON if is_api else MULTIPART_CONTENT).status_code


@pytest.fixture(scope="module")
def world(django_db_setup: None, django_db_blocker: Any) -> Iterator[World]:
    """Built once for all rows: each row's answers are undone."""
    with django_db_blocker.unblock():
        with transaction.atomic(), scope(make.NATION):
            yield World()
            transaction.set_rollback(True)
        connection.close()


@pytest.mark.parametrize("row", table(), ids=[f"{row['method']} {row['route']}" for row in table()])
def test_who_gets_which_answer(world: World, row: dict[str, str]) -> None:
    with transaction.atomic():
        got = {who: answer(world, row, who) for who in who_columns()}
        transaction.set_rollback(True)
    assert got == {who: int(row[who]) for who in who_columns()}
