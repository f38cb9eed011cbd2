"""The API keeps what its document promises: every operation is asked with valid and invalid input made from
the document, through the real WSGI application, under the application role. Nothing is committed.
"""

import json
import re
from collections.abc import Callable, Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import schemathesis
import yaml
from django.conf import settings
from django.core.management import call_command
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections, connection, transaction
from django.test import Client
from hypothesis import HealthCheck
from hypothesis import settings as effort
from jsonschema import Draft202012Validator
from rest_framework.response import Response
from schemathesis.checks import not_a_server_error
from schemathesis.config import SchemathesisConfig
from schemathesis.core.failures import FailureGroup
from schemathesis.core.parameters import ParameterLocation
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    response_schema_conformance,
    status_code_conformance,
    unsupported_method,
)

from accounts.api_docs import document
from accounts.models import Notice, User
from audit.services import System
from config.models import Job
from config.scope import scope
from registry.api.places import SchoolViewSet
from registry.models import CodeValue, SchoolClass, Student
from registry.services.duplicates import Suspicion, note_problem
from tests import make
from tests.exchange.building import bare_client, bearer
from tests.reports.building import make_report_file
from tests.transfers.filing import file_pupil, make_rehearsal, picture
from tests.transfers.graduating import make_graduation
from tests.transfers.moving import make_moves
from transfers.models import Case

pytestmark = pytest.mark.usefixtures("ground", "kept_connection")
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
    negative_data_rejection,
    unsupported_method,
]
GENERATION = {
    "with-security-parameters": False,  # the session is ours; being without one is a test of its own
    "deterministic": True,
    "database": "none",
    "max-examples": 6,
}
TOKEN = "t" * 32
METHODS = ("get", "post")


def strict_document() -> dict[str, Any]:
    """The document, closed: an answer with a field that it does not describe is a failure."""
    made = deepcopy(document())
    for shape in made["components"]["schemas"].values():
        if "properties" in shape:
            shape["additionalProperties"] = False
    return made


_wsgi = get_wsgi_application()


def scopeless_app(environ: dict[str, Any], start_response: Any) -> Any:
    """The application; like the suite's own client, requests begin without a scope."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('app.scope', true), set_config('app.scope', '', true)")
        before = cursor.fetchone()[0] or ""
    try:
        return _wsgi(environ, start_response)
    finally:
        with connection.cursor() as cursor:
            cursor.execute("SELECT set_config('app.scope', %s, true)", [before])


def schema_with(**phases: Any) -> Any:
    config = SchemathesisConfig.from_dict({"generation": GENERATION, "phases": phases})
    strict = strict_document()
    # The form's seventy fields are all alike: a few of them are asked.
    values = strict["components"]["schemas"]["FilingBody"]["properties"]["values"]
    values["properties"] = dict(list(values["properties"].items())[:3])
    made = schemathesis.openapi.from_dict(strict, config=config)
    made.app = scopeless_app
    return made


SCHEMA = schema_with()
LIGHT = schema_with(coverage={"enabled": False})
OPERATIONS = {
    described["operationId"]: (path, method)
    for path, item in document()["paths"].items()
    for method, described in item.items()
    if method in METHODS
}


@pytest.fixture
def kept_connection() -> Iterator[None]:
    """A request's end closes old connections; this one holds the test's transaction."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


def dropout_ids(school_class: SchoolClass, registrar: User) -> dict[str, dict[str, Any]]:
    pupil = make.make_student(school_class)
    absence, _suspicion, _entry, report, *_others = make.make_dropout(pupil, registrar)
    return {"/absences/": {"id": absence.pk}, "/dropout-reports/": {"id": report.pk}}


def graduation_ids() -> dict[str, dict[str, Any]]:
    draft, graduate, _proof = make_graduation()
    return {
        "/graduations/": {"public_id": str(draft.public_id)},
        "/graduates/": {"public_id": str(graduate.public_id)},
    }


def verification_ids(school_class: SchoolClass) -> dict[str, dict[str, Any]]:
    held = make.make_verification(school_class.school.organization)
    finding, _sampled = make.make_findings(held, make.make_student(school_class))
    return {
        "/campaigns/": {"id": held.campaign_id},
        "/verifications/": {"id": held.pk},
        "/findings/": {"id": finding.pk},
    }


def entry_ids(school_class: SchoolClass, registrar: User) -> dict[str, dict[str, Any]]:
    entry, _sheet = make.make_entries(make.make_student(school_class), registrar)
    return {"/entries/": {"id": entry.pk}}


def problem_ids(student: Student) -> dict[str, dict[str, Any]]:
    doubt = Suspicion("1", None, False, "证件号码存疑")
    problem = note_problem(student, doubt, actor=System(), found_by="测试")
    assert problem
    return {"/problems/": {"id": problem.pk}}


def waiting_ids(case: Case, leader: User, registrar: User) -> dict[str, dict[str, Any]]:
    """A step that somebody may urge, a file on its way, and somebody who stands in."""
    arriving = make.make_student(make.make_class(case.to_path))
    post = make.add_post(registrar, "leader", case.to_path, make.soon())
    post.stands_for = leader
    post.save()
    return {
        "/overdue/": {"id": case.steps.get(is_current=True).pk},
        "/handovers/": {"id": make_moves(arriving)[2].pk},
        "/substitutes/": {"id": post.pk},
    }


class Ground:
    """A school at work: who is asked, and real ids for the addresses."""

    def __init__(self) -> None:
        CodeValue.objects.create(list="example", code="1", name_zh="示例", valid=make.ALWAYS)
        self.school_class = make.make_class()
        self.people: dict[str, User] = {
            "registrar": make.make_registrar(),
            "leader": make.make_leader(),
            "reviewer": make.make_reviewer(),
            "administrator": make.make_user("system_administrator", make.COUNTY),
            "guard": make.make_security_administrator(make.COUNTY),
        }
        self.case: Case = file_pupil({**self.people, "class": self.school_class})
        self.student = Student.objects.get(cases=self.case)
        self.admission = make.make_admission(self.student, self.people["reviewer"])
        job = Job.objects.create(kind="check_intake", path=make.SCHOOL, started_by_name="测试")
        notice = Notice.objects.create(user=self.people["registrar"], kind="urged", target="/")
        self.ids = {
            "/cases/": {"number": self.case.number},
            "/students/": {"public_id": str(self.student.public_id)},
            "/classes/": {"id": self.school_class.pk},
            "/rolls/": {"id": self.school_class.pk},
            **verification_ids(self.school_class),
            **problem_ids(self.student),
            **waiting_ids(self.case, self.people["leader"], self.people["registrar"]),
            **entry_ids(self.school_class, self.people["registrar"]),
            "/schools/": {"id": self.school_class.school_id},
            "/codes/": {"name": "example"},
            "/rules/": {"key": "TRANSFER_STEP_DAYS"},
            "/jobs/": {"id": job.pk},
            "/notices/": {"id": notice.pk},
            "/people/": {"id": self.people["registrar"].pk},
            "/sealings/": {"id": make.make_sealing().pk},
            "/warnings/": {"id": make.make_warning().pk},
            **graduation_ids(),
            "/office-changes/": {"public_id": str(make_rehearsal(self.people["reviewer"]).public_id)},
            "/admissions/": {"id": self.admission.pk},
            "/admission-lists/": {"public_id": str(self.admission.results.public_id)},
            **dropout_ids(self.school_class, self.people["registrar"]),
            "/exports/": {"public_id": str(make.make_export(self.people["registrar"]).public_id)},
            "/promotions/": {"public_id": str(make.make_promotion().part.run.public_id)},
            "/reports/": {"code": "overview"},
            "/report-files/": {"public_id": str(make_report_file(self.people["registrar"]).public_id)},
            "/imports/": {"public_id": str(make.make_checked_import(self.people["registrar"]).public_id)},
        }
        receiver = {"headers": bearer(bare_client())}
        # Now: a session that is made while an operation is asked is gone with it.
        self.sessions = {"receiver": receiver} | {who: self.signed_in(who) for who in self.people}

    def ids_for(self, path: str) -> dict[str, Any]:
        return next(ids for part, ids in self.ids.items() if part in path)

    def signed_in(self, who: str) -> dict[str, Any]:
        client = Client()
        client.force_login(self.people[who])
        key = client.cookies[settings.SESSION_COOKIE_NAME].value
        cookies = {settings.SESSION_COOKIE_NAME: key, settings.CSRF_COOKIE_NAME: TOKEN}
        return {"cookies": cookies, "headers": {"X-CSRFToken": TOKEN}}


@pytest.fixture(scope="module")
def school_at_work(django_db_setup: None, django_db_blocker: Any) -> Iterator[Ground]:
    """Built once: what each operation does to it is undone."""
    with django_db_blocker.unblock():
        with transaction.atomic(), scope(make.NATION):
            yield Ground()
            transaction.set_rollback(True)
        connection.close()


@pytest.fixture
def ground(school_at_work: Ground) -> Iterator[Ground]:
    with transaction.atomic():
        yield school_at_work
        transaction.set_rollback(True)


def aim(case: Any, ground: Ground) -> None:
    """Let a generated request whose address is well formed hit something that is there."""
    is_wrong = case.meta is not None and case.meta.is_negative_at(ParameterLocation.PATH)
    if case.path_parameters and not is_wrong:
        case.path_parameters = {name: str(value) for name, value in ground.ids_for(case.path).items()}


def asking(schema: Any, operation_id: str, who: str) -> Callable[..., None]:
    """A test of one operation by one person; a function each, so that the report can name them."""

    @pytest.mark.rule("AP-1", "AZ-5", "WB-5")
    @schema.include(operation_id=operation_id).parametrize()
    @effort(suppress_health_check=list(HealthCheck))
    def ask(case: Any, ground: Ground) -> None:
        aim(case, ground)
        case.call_and_validate(**ground.sessions[who], checks=CHECKS)

    return ask


for _id, (_path, _method) in OPERATIONS.items():
    if "/provided/" in _path:
        globals()[f"test_{_id}"] = asking(SCHEMA, _id, "receiver")
        continue
    if "/sealings/" in _path or "/people/" in _path:
        globals()[f"test_{_id}"] = asking(SCHEMA, _id, "administrator")
        continue
    if _path.startswith("/api/v1/warnings/"):
        globals()[f"test_{_id}"] = asking(SCHEMA, _id, "guard")
        continue
    # The one who may do most with it gets everything; what a reviewer reads is not what a registrar reads.
    globals()[f"test_{_id}"] = asking(SCHEMA, _id, "leader" if "decide" in _id else "registrar")
    if _method == "get" or "decide" in _id:
        globals()[f"test_{_id}_above"] = asking(LIGHT, _id, "reviewer")


def operation(operation_id: str) -> Any:
    path, method = OPERATIONS[operation_id]
    return SCHEMA[path][method.upper()]


def send(ground: Ground, who: str, operation_id: str, status: int, **sent: Any) -> Any:
    """One request that must succeed, or fail, as the document says."""
    answer = operation(operation_id).Case(**sent).call_and_validate(**ground.sessions[who], checks=CHECKS)
    assert answer.status_code == status, answer.text
    return answer


@pytest.mark.rule("AP-4", "R-EST-04")
def test_a_registration_goes_its_way_as_described(ground: Ground) -> None:
    """Generated input seldom succeeds; these answers do, and are what the document says."""
    key = {"Idempotency-Key": uuid4().hex}
    paper = {"file": picture(), "kind": "document", "evidence_type": "01"}
    form = {"headers": {"Idempotency-Key": uuid4().hex}, "media_type": "multipart/form-data"}
    uploaded = send(ground, "registrar", "materials_create", 201, body=paper, **form)
    filing = {
        "kind": "registration",
        "class_id": ground.school_class.pk,
        "values": make.valid_values(),
        "materials": [uploaded.json()["id"]],
    }
    filed = send(ground, "registrar", "cases_create", 201, body=filing, headers=key)
    again = send(ground, "registrar", "cases_create", 201, body=filing, headers=key)
    assert again.json()["number"] == filed.json()["number"]
    other = filing | {"is_disputed": True}
    assert send(ground, "registrar", "cases_create", 422, body=other, headers=key).json()["rule"] == "AP-4"
    one = {"path_parameters": {"number": filed.json()["number"]}}
    send(ground, "reviewer", "cases_retrieve", 200, **one)
    yes = {"decision": "approve", "ticked": ["01"]}
    send(ground, "reviewer", "cases_decide_create", 409, body=yes, **one)
    send(ground, "leader", "cases_decide_create", 200, body=yes, **one)
    decided = send(ground, "reviewer", "cases_decide_create", 200, body=yes, **one)
    assert decided.json()["state"] == "approved"
    own = {"path_parameters": {"number": ground.case.number}, "body": {"reason": "家长改变主意"}}
    assert send(ground, "registrar", "cases_withdraw_create", 200, **own).json()["state"] == "withdrawn"


@pytest.mark.parametrize(
    "lie",
    [
        lambda view, request: Response({"results": [], "next": None, "total": 0}),
        lambda view, request: Response({"results": "none"}),
        lambda view, request: Response({}, 418),
        lambda view, request: 1 / 0,
    ],
    ids=["a field is missing", "a field is of another type", "an unknown status", "a fault of ours"],
)
def test_an_answer_that_is_not_as_described_is_noticed(
    ground: Ground, lie: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    send(ground, "registrar", "schools_list", 200)
    monkeypatch.setattr(SchoolViewSet, "list", lie)
    with pytest.raises(FailureGroup):
        send(ground, "registrar", "schools_list", 200)


@pytest.mark.rule("AZ-3")
def test_without_a_session_every_operation_answers_401(ground: Ground, client: Client) -> None:
    for path, method in OPERATIONS.values():
        answer = getattr(client, method)(path.format(**(ground.ids_for(path) if "{" in path else {})))
        assert (answer.status_code, answer.json()["code"]) == (401, "not_signed_in"), path


# ── The document itself ────────────────────────────────────────
def test_the_document_is_valid_and_every_view_is_described(tmp_path: Path) -> None:
    call_command("spectacular", validate=True, fail_on_warn=True, file=str(tmp_path / "openapi.yaml"))
    described = [document()["paths"][path][method] for path, method in OPERATIONS.values()]
    for one in described:
        for words in (one["summary"], one["description"], *one["tags"]):
            assert re.search("[\u4e00-\u9fff]", words), one["operationId"]
    assert len(described) == sum(len(item) for item in document()["paths"].values())


# Never writable from outside: where something lies, how far it is, what the system gives, who and when.
ASKED_ABOUT = {
    ("EnrolledBody", "id_number"),  # whom a receiver asks about; nothing of it is kept
    ("PostBody", "role"),  # to which post somebody else is appointed
}
NEVER_SENT = re.compile("path|state|status|.*number|seal.*|.*_at|.*_by|role|owner|version|id|public_id")


@pytest.mark.rule("AZ-5")
def test_bodies_name_their_fields_and_none_that_is_not_the_clients() -> None:
    bodies = {
        content["schema"]["$ref"].rsplit("/", 1)[1]
        for path, method in OPERATIONS.values()
        for content in document()["paths"][path][method].get("requestBody", {}).get("content", {}).values()
    }
    assert {"FilingBody", "DecisionBody", "MaterialUpload"} <= bodies
    for name in bodies:
        shape = document()["components"]["schemas"][name]
        assert shape["additionalProperties"] is False, name
        theirs = [key for key in shape.get("properties", {}) if NEVER_SENT.fullmatch(key)]
        assert [key for key in theirs if (name, key) not in ASKED_ABOUT] == [], name


def examples() -> Iterator[tuple[str, Any, Any]]:
    """(where, schema, example) of everything that the document shows."""
    parts = [document()["components"]["responses"]]
    for path, method in OPERATIONS.values():
        one = document()["paths"][path][method]
        parts.append({"request": one.get("requestBody", {}), **one["responses"]})
    for part in parts:
        for name, holder in part.items():
            for content in holder.get("content", {}).values():
                shown = [example["value"] for example in content.get("examples", {}).values()]
                yield from ((name, content["schema"], value) for value in [*shown, content.get("example")])


def test_every_example_obeys_its_own_description() -> None:
    shapes = strict_document()["components"]
    checked = 0
    for where, schema, value in examples():
        if value is not None:
            Draft202012Validator({**schema, "components": shapes}).validate(value)
            assert where
            checked += 1
    assert checked > len(OPERATIONS)


@pytest.mark.rule("WB-1")
def test_the_document_and_its_page_are_served(ground: Ground, client: Client) -> None:
    client.force_login(ground.people["registrar"])
    assert client.get("/api/v1/openapi.json").json() == json.loads(json.dumps(document()))
    text = client.get("/api/v1/openapi.yaml").content.decode()
    assert yaml.safe_load(text) == json.loads(json.dumps(document()))
    page = client.get("/api/v1/docs")
    assert page.status_code == 200
    scripts = re.findall(r"<script[^>]*>", page.content.decode())
    assert scripts
    assert all(" src=" in tag for tag in scripts)
    assert "<style" not in page.content.decode()
    script = client.get("/api/v1/docs?script=")
    assert script["Content-Type"] == "application/javascript"
    assert "/api/v1/openapi.json" in script.content.decode()
