"""The pages of the log: search, one entry with its seal, checkpoints to take away, who looked at a pupil."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils.timezone import localdate

from audit.models import AccessEntry, Event
from audit.queries import PAGE_SIZE
from audit.services import record, record_list, record_read, record_refusal
from config.scope import scoped_transaction
from tests import make
from tests.audit.sealed import commit_acts, sign, verify
from tests.audit.test_events_page import act

ACCESS = "/audit/access"


def shown(response: Any) -> list[int]:
    return [row["entry"].pk for row in response.context["rows"]]


@pytest.mark.rule("AU-6", "RD-3")
def test_reads_and_refusals_are_searched_in_scope_and_reading_them_is_logged(
    nation: None, client: Client
) -> None:
    student, registrar, leader = make.make_student(), make.make_registrar(), make.make_leader()
    stranger = make.make_registrar(make.NEIGHBOUR)
    record_read(student, actor=registrar, route="registry:student", purpose="核对")
    record_list("student", [student.pk], actor=registrar, route="registry:students")
    record_refusal(actor=registrar, route="registry:edit", code="not_allowed", status=403, subject=student)
    record_read(make.make_student(make.make_class(make.NEIGHBOUR)), actor=stranger, route="registry:student")
    read, listed, refused = AccessEntry.objects.filter(actor_id=registrar.pk).order_by("pk")
    client.force_login(leader)
    assert shown(client.get(ACCESS)) == [refused.pk, listed.pk, read.pk]
    trace = AccessEntry.objects.filter(actor_id=leader.pk, subject_type="accessentry").latest("pk")
    assert trace.subject_ids == [refused.pk, listed.pk, read.pk]
    today = localdate(read.at)
    for chosen, expected in (
        ({"outcome": "refused"}, [refused.pk]),
        ({"actor": registrar.name, "outcome": "read"}, [read.pk]),
        ({"office": read.office_name, "outcome": "list", "actor": registrar.name}, [listed.pk]),
        ({"office": "无此单位"}, []),
        ({"subject": f"student:{student.pk}"}, [refused.pk, read.pk]),
        ({"subject": f"student:{student.pk}", "first": (today + timedelta(days=1)).isoformat()}, []),
    ):
        assert shown(client.get(ACCESS, chosen)) == expected, chosen
    for wrong in ({"subject": "小明"}, {"outcome": "x"}, {"first": "2026-02-02", "last": "2026-02-01"}):
        assert client.get(ACCESS, wrong).status_code == 400
    for role, path, status in (("registrar", make.SCHOOL, 403), ("auditor", make.CITY, 200)):
        client.force_login(make.make_user(role, path))
        assert client.get(ACCESS).status_code == status
    client.force_login(leader)
    api = client.get("/api/v1/log/access/", {"outcome": "refused", "actor": registrar.name}).json()
    assert [one["id"] for one in api["results"]] == [refused.pk]
    assert client.get("/api/v1/log/access/", {"subject": "x"}).status_code == 400
    # The acts are searched by office and subject too.
    event = act("registry.student.update", actor=registrar)
    client.force_login(leader)
    page = client.get("/audit/events", {"subject": "student:1", "office": event.office_name})
    assert event.pk in [row["event"].pk for row in page.context["rows"]]
    api = client.get("/api/v1/log/acts/", {"subject": "student:1", "actor": registrar.name}).json()
    assert [one["id"] for one in api["results"]] == [event.pk]


@pytest.mark.rule("AU-6")
def test_pages_follow_by_key_and_cost_the_same_for_one_and_many(nation: None, client: Client) -> None:
    student, registrar = make.make_student(), make.make_registrar()
    record_read(student, actor=registrar, route="test")
    client.force_login(make.make_leader())
    wanted = {"actor": registrar.name}
    client.get(ACCESS, wanted)
    with CaptureQueriesContext(connection) as one:
        client.get(ACCESS, wanted)
    for _number in range(PAGE_SIZE):
        record_read(student, actor=registrar, route="test")
    with CaptureQueriesContext(connection) as many:
        first = client.get(ACCESS, wanted)
    assert len(many) == len(one)
    assert len(shown(first)) == PAGE_SIZE
    second = client.get(ACCESS, wanted | {"after": first.context["after"]})
    assert (len(shown(second)), second.context["after"]) == (1, None)
    assert client.get(ACCESS, {"after": 10**12}).status_code == 404
    fragment = client.get(ACCESS, wanted, headers={"HX-Request": "true"})
    assert "<html" not in fragment.content.decode()


@pytest.mark.rule("AU-3", "AU-5", "AU-6")
def test_an_entry_says_whether_it_is_sealed_and_its_proof_is_true(
    committed_db: None, client: Client, tmp_path: Path
) -> None:
    (pk,) = commit_acts(path=make.SISTER)
    with scoped_transaction("CN."):
        leader = make.make_leader(make.SISTER)
        outsider = make.make_leader(make.NEIGHBOUR)
    client.force_login(leader)
    page, proof = reverse("audit:entry", args=["event", pk]), reverse("audit:proof", args=["event", pk])
    assert "已封存" not in client.get(page).content.decode()
    assert client.get(proof).status_code == 409
    made = sign()
    assert f"列入检查点 {made.number}" in client.get(page).content.decode()
    file = tmp_path / "proof.json"
    file.write_bytes(client.get(proof).content)
    assert verify("inclusion", file, "--key", made.key)[0] == 0
    with scoped_transaction("CN."):
        assert AccessEntry.objects.filter(actor_id=leader.pk, route="audit:proof", outcome="read").exists()
    for form, content in (("note", made.note), ("sheet", made.note)):
        answer = client.get(reverse("audit:checkpoint", args=[made.number, form]))
        assert content in answer.content.decode()
    listed = client.get(reverse("audit:checkpoints"))
    assert [row.number for row in listed.context["rows"]][0] == made.number
    later = sign()
    grown = client.get(reverse("audit:checkpoint", args=[later.number, "growth"]))
    file.write_bytes(grown.content)
    assert json.loads(grown.content)["format"] == "xueji-consistency/1"
    assert verify("consistency", file)[0] == 0
    for path in (
        page,
        reverse("audit:entry", args=["event", 10**12]),
        reverse("audit:entry", args=["x", pk]),
    ):
        client.force_login(outsider)
        assert client.get(path).status_code == 404
    client.force_login(leader)
    for path in ("/audit/checkpoints?after=x", f"/audit/checkpoints?after={made.number}"):
        assert client.get(path).status_code == (400 if path.endswith("x") else 200)
    assert client.get(reverse("audit:checkpoint", args=[made.number, "x"])).status_code == 404


@pytest.mark.rule("RD-3", "RD-4")
def test_who_looked_at_a_pupil_is_on_the_record_and_names_need_the_right(
    nation: None, client: Client
) -> None:
    student, registrar = make.make_student(), make.make_registrar(name="王查看")
    record_read(student, actor=registrar, route="registry:student", purpose="核对学籍", fields=["basic"])
    record("registry.student.update", student, actor=registrar)
    page = reverse("registry:student", args=[student.public_id]) + "?tab=readers"
    client.force_login(make.make_leader())
    seen = client.get(page).content.decode()
    assert ("王查看" in seen, "核对学籍" in seen) == (True, True)
    assert f"subject=student:{student.pk}" in seen
    client.force_login(make.make_registrar(name="李同事"))
    seen = client.get(page).content.decode()
    assert ("王查看" in seen, "核对学籍" in seen, "subject=student" in seen) == (False, True, False)
    assert Event.objects.filter(subject_id=student.pk, subject_type="student").count() == 1
