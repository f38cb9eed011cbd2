"""What all of the API shares: one error form whatever is sent, who may enter, jobs and rules to read."""

from datetime import date, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts import api_jobs
from accounts.models import User
from audit.models import AccessEntry
from config.clock import today
from config.models import IdempotencyKey, Job
from config.rules import PARAMETERS, set_rule
from tests import make

pytestmark = pytest.mark.usefixtures("nation")
API = "/api/v1/"
JOBS, RULES, CASES = f"{API}jobs/", f"{API}rules/", f"{API}cases/"
FORM = {"code", "detail", "rule", "fields", "reference"}
FAULT = {"code", "message", "rule", "article", "remedy", "level"}


def ask(client: Client, user: User, address: str, status: int = 200) -> Any:
    client.force_login(user)
    answer = client.get(address)
    assert answer.status_code == status, answer.content.decode()
    return answer.json()


def in_form(answer: Any, status: int, code: str) -> dict[str, Any]:
    """The body of a refused request, once it is the one error form."""
    assert (answer.status_code, answer["Content-Type"]) == (status, "application/json"), answer.content
    body: dict[str, Any] = answer.json()
    assert set(body) == FORM
    assert body["code"] == code
    assert body["detail"]
    assert body["reference"] == answer["X-Request-Id"][:8].upper()
    for faults in body["fields"].values():
        assert all(set(fault) == FAULT for fault in faults)
    return body


# ── One error form ────────────────────────────────────────
READS = [
    ("nowhere/", 404, "not_found"),
    ("students/nowhere/at/all/", 404, "not_found"),
    ("students/%00/", 404, "not_found"),
    ("students/%ff%fe/", 404, "not_found"),
    ("classes/99999999999999999999/", 404, "not_found"),
    ("classes/999999999999999999/", 404, "not_found"),
    ("jobs/0/", 404, "not_found"),
    ("codes/no_such_list/", 404, "not_found"),
    ("rules/NO_SUCH_RULE/", 404, "not_found"),
    ("cases/?after=ZC260901000000", 404, "not_found"),
    ("rules/?office=1", 404, "not_found"),
    ("rules/?office=1e5", 400, "invalid"),
    ("rules/?on=2026-02-30", 400, "invalid"),
    ("rules/?on=2026-01-01&on=2026-01-02", 400, "invalid"),
    ("codes/?on=%00", 400, "invalid"),
    ("cases/?after=%F0%9F%98%80", 400, "invalid"),
    ("jobs/?kind=a%00b", 400, "invalid"),
    ("students/?" + "&".join(f"a{n}=1" for n in range(2000)), 400, "invalid"),
    ("students/?format=xml", 400, "invalid"),
    ("openapi.json?lang=%0A", 400, "invalid"),
    ("materials/", 405, "no_such_method"),
]


@pytest.mark.rule("WB-5", "AP-1")
@pytest.mark.parametrize(("path", "status", "code"), READS, ids=[path[:40] for path, _status, _code in READS])
def test_whatever_is_asked_the_answer_is_in_the_one_form(
    client: Client, path: str, status: int, code: str
) -> None:
    registrar = make.make_registrar()
    client.force_login(registrar)
    in_form(client.get(API + path), status, code)
    assert AccessEntry.objects.filter(actor_id=registrar.pk, outcome="refused").count() == 1


@pytest.mark.rule("WB-5")
@pytest.mark.parametrize("path", ["students/", "openapi.json", "openapi.yaml", "docs"])
@pytest.mark.parametrize("accept", ["image/png", ";;;,,", "application/xml"])
def test_a_format_we_do_not_speak_is_a_406_in_json(client: Client, path: str, accept: str) -> None:
    client.force_login(make.make_registrar())
    in_form(client.get(API + path, headers={"Accept": accept}), 406, "not_acceptable")


@pytest.mark.rule("WB-5")
@pytest.mark.parametrize("path", ["students/", "cases/", "materials/", "rules/", "openapi.yaml", "docs"])
@pytest.mark.parametrize("method", ["DELETE", "PUT", "PATCH", "OPTIONS", "TRACE", "BREW"])
def test_an_unknown_method_is_a_405_that_names_the_known_ones(client: Client, path: str, method: str) -> None:
    client.force_login(make.make_registrar())
    answer = client.generic(method, API + path)
    in_form(answer, 405, "no_such_method")
    assert set(answer["Allow"].split(", ")) <= {"GET", "HEAD", "POST", "OPTIONS"}


JSON, FILES = "application/json", "multipart/form-data; boundary=a"
BODIES = [
    ("cases/", "text/plain", b"x", 415, "unsupported_media_type"),
    ("cases/", JSON, b"{", 400, "body_unreadable"),
    ("cases/", JSON, b"\xff", 400, "body_unreadable"),
    ("cases/", JSON, b"NaN", 400, "body_unreadable"),
    ("cases/", JSON, b"[" * 99999, 400, "body_unreadable"),
    ("cases/", JSON, b"9" * 9999, 400, "body_unreadable"),
    ("cases/", JSON, b'{"\\ud800": 1}', 400, "body_unreadable"),
    ("cases/", JSON, b" " * (5 << 20), 413, "body_too_large"),
    ("cases/", JSON, b"[]", 400, "invalid"),
    ("cases/", JSON, b"null", 400, "invalid"),
    ("cases/", JSON, b'{"values": {"phone": 13800138000}}', 400, "invalid"),
    ("cases/", JSON, b'{"class_id": "1"}', 400, "invalid"),
    ("cases/", JSON, b'{"class_id": 1e400}', 400, "invalid"),
    ("cases/", JSON, b'{"reason": "\\u0000"}', 400, "invalid"),
    ("cases/", f"{JSON}; charset=zlib", b"{}", 400, "invalid"),
    ("materials/", JSON, b"{}", 415, "unsupported_media_type"),
    ("materials/", "multipart/form-data", b"x", 400, "invalid"),
    ("materials/", FILES, b"x", 400, "invalid"),
    ("materials/", f"{FILES}; charset=zlib", b"x", 400, "invalid"),
    ("materials/", FILES, b"x" * (22 << 20), 413, "file_too_large"),
]


@pytest.mark.rule("WB-5", "AZ-5")
@pytest.mark.parametrize(
    ("path", "kind", "body", "status", "code"),
    BODIES,
    ids=[f"{path}-{kind}-{body[:30]!r}" for path, kind, body, _status, _code in BODIES],
)
def test_whatever_is_sent_the_answer_is_in_the_one_form(
    client: Client, path: str, kind: str, body: bytes, status: int, code: str
) -> None:
    registrar = make.make_registrar()
    client.force_login(registrar)
    headers = {"Idempotency-Key": uuid4().hex}
    in_form(client.generic("POST", API + path, body, kind, headers=headers), status, code)
    assert AccessEntry.objects.filter(actor_id=registrar.pk, outcome="refused").count() == 1
    assert not IdempotencyKey.objects.filter(user_id=registrar.pk).exists()


@pytest.mark.rule("AZ-5")
def test_every_fault_is_named_at_its_place(client: Client) -> None:
    client.force_login(make.make_registrar())
    sent = {"kind": "registration", "class_id": 1, "values": {"path": "CN."}, "materials": ["x"]}
    headers = {"Idempotency-Key": uuid4().hex}
    body = in_form(client.post(CASES, sent, content_type=JSON, headers=headers), 400, "invalid")
    assert {place: fault["code"] for place, (fault,) in body["fields"].items()} == {
        "values.path": "invalid",
        "materials.0": "invalid",
    }


@pytest.mark.rule("WB-4", "AC-10")
def test_who_comes_without_token_or_post_is_told_so() -> None:
    careful = Client(enforce_csrf_checks=True)
    careful.force_login(make.make_registrar())
    in_form(careful.post(CASES, {}, content_type=JSON), 403, "csrf")
    assert careful.get(CASES).status_code == 200
    careful.force_login(make.make_registrar(trained=False))
    in_form(careful.get(CASES), 403, "no_post")
    assert careful.get(f"{API}codes/").status_code == 200  # public standards need no post


# ── Jobs ────────────────────────────────────────
def make_job(path: str = make.SCHOOL, **fields: Any) -> Job:
    return Job.objects.create(kind="check_intake", path=path, started_by_name="周登记", **fields)


@pytest.mark.rule("AZ-1", "AZ-2")
def test_jobs_are_those_of_ones_office_and_ones_own(client: Client) -> None:
    registrar, reviewer = make.make_registrar(), make.make_reviewer()
    own, other = make_job(total=420, done=100), make_job(make.SISTER)
    mine = make_job(make.COUNTY, started_by=registrar.pk)
    shown = {row["id"] for row in ask(client, registrar, JOBS)["results"]}
    assert {own.pk, mine.pk} <= shown
    assert other.pk not in shown
    found = ask(client, registrar, f"{JOBS}{own.pk}/")
    assert (found["total"], found["done"], found["state"], found["state_name"]) == (
        420,
        100,
        "waiting",
        "等待",
    )
    assert found["ended_at"] is None
    ask(client, registrar, f"{JOBS}{mine.pk}/")
    # A bureau above sees its schools' pupils, not their work in progress.
    bodies = [ask(client, user, f"{JOBS}{pk}/", 404) for user, pk in (
        (registrar, other.pk), (reviewer, own.pk), (registrar, 0)
    )]  # fmt: skip
    assert len({body["detail"] for body in bodies}) == 1


def test_a_second_post_below_does_not_show_the_offices_jobs(client: Client) -> None:
    """She holds the right at a school, but acts for the county, where she holds it not."""
    clerk = make.make_user("network_administrator", make.COUNTY)
    make.add_post(clerk, "registrar", make.SCHOOL)
    job = make_job(make.COUNTY)
    ask(client, clerk, f"{JOBS}{job.pk}/", 404)


def test_jobs_page_newest_first(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api_jobs, "PAGE", 2)
    registrar = make.make_registrar()
    jobs = [make_job(state=state) for state in ("done", "running", "done", "done", "failed")]
    seen: list[int] = []
    address = f"{JOBS}?state=done&kind=check_intake"
    while address:
        body = ask(client, registrar, address)
        seen += [row["id"] for row in body["results"]]
        address = body["next"]
    assert seen[:3] == [job.pk for job in (jobs[3], jobs[2], jobs[0])]
    assert body["total"] >= 3
    ask(client, registrar, f"{JOBS}?after={make_job(make.SISTER).pk}", 404)


# ── Rules ────────────────────────────────────────
@pytest.mark.rule("AZ-1")
def test_a_rule_says_what_holds_and_who_set_it(client: Client) -> None:
    make.make_office(make.SCHOOL)
    set_rule(
        "TRANSFER_STEP_DAYS", 7, at=make.PROVINCE, level="province", document="粤教基〔2026〕3号",
        set_by_name="广东省教育厅", created_by_name="李厅长", starts=today(),
    )  # fmt: skip
    found = ask(client, make.make_registrar(), f"{RULES}TRANSFER_STEP_DAYS/")
    expected = {
        "value": 7, "default": 10, "unit": "个工作日", "shown": "7个工作日", "is_default": False,
        "is_clamped": False, "set_by": "广东省教育厅", "document": "粤教基〔2026〕3号",
        "since": today().isoformat(), "until": None, "source": "《中小学生学籍管理办法》第十五条",
        "levels": ["nation", "province"], "bound": "应为1至10个工作日",
    }  # fmt: skip
    assert {key: found[key] for key in expected} == expected
    assert "广东省教育厅" in found["sentence"]
    yesterday = (today() - timedelta(days=1)).isoformat()
    assert ask(client, make.make_registrar(), f"{RULES}TRANSFER_STEP_DAYS/?on={yesterday}")["value"] == 10
    elsewhere = ask(client, make.make_registrar(make.FAR), f"{RULES}TRANSFER_STEP_DAYS/")
    assert (elsewhere["value"], elsewhere["is_default"], elsewhere["set_by"]) == (10, True, "")


@pytest.mark.rule("AZ-1", "AZ-2")
def test_rules_of_an_office_below_not_beside(client: Client) -> None:
    school, far = make.make_office(make.SCHOOL), make.make_office(make.FAR)
    set_rule(
        "CLASS_SIZE_INTAKE_PRIMARY", 40, at=make.COUNTY, level="county", document="深南教〔2026〕1号",
        set_by_name="南山区教育局", created_by_name="李局长", starts=date(2026, 1, 1),
    )  # fmt: skip
    nation = make.make_user("auditor", make.NATION)
    key = "CLASS_SIZE_INTAKE_PRIMARY"
    assert ask(client, nation, f"{RULES}{key}/")["value"] == 45
    assert ask(client, nation, f"{RULES}{key}/?office={school.pk}")["value"] == 40
    reviewer = make.make_reviewer()
    assert ask(client, reviewer, f"{RULES}{key}/?office={school.pk}")["value"] == 40
    ask(client, reviewer, f"{RULES}?office={far.pk}", 404)
    everything = ask(client, reviewer, f"{RULES}?office={school.pk}")
    assert {row["key"] for row in everything["results"]} == set(PARAMETERS)
    assert (everything["total"], everything["next"]) == (len(PARAMETERS), None)


def test_jobs_and_rules_ask_as_much_for_one_row_as_for_many(client: Client) -> None:
    registrar = make.make_registrar()
    make_job()

    def count(address: str) -> int:
        with CaptureQueriesContext(connection) as asked:
            ask(client, registrar, address)
        return len(asked)

    count(JOBS)
    first = [count(address) for address in (JOBS, RULES)]
    for _n in range(7):
        make_job()
    for key in ("TRANSFER_STEP_DAYS", "REGISTRATION_STEP_DAYS", "CHANGE_DEADLINE"):
        set_rule(
            key, 1, at=make.PROVINCE, level="province", document="文号", set_by_name="省厅",
            created_by_name="厅长", starts=today(),
        )  # fmt: skip
    assert [count(address) for address in (JOBS, RULES)] == first
