"""One transaction and one scope a request: what a refused request leaves behind (ARCHITECTURE 2, RD-3,
WB-5).
"""

import re
from typing import Any

import pytest
from django.db import DatabaseError, connection
from django.test import Client
from django.urls import reverse

from accounts.models import OfficeGrant, Post
from accounts.roles import Right
from audit.models import AccessEntry, Event
from config.scope import current_scope
from registry.models import Student
from tests import make

pytestmark = pytest.mark.usefixtures("nation")


def entries(actor_id: int, **filters: object) -> list[AccessEntry]:
    return list(AccessEntry.objects.filter(actor_id=actor_id, **filters))


def reference_of(response: Any) -> str:
    return str(response["X-Request-Id"][:8].upper())


def plain(response: Any) -> str:
    """A page's body without what differs in every answer: reference, form token, the watermark's minute."""
    text = re.sub(r'<span class="num">.*?</span>', "#", response.content.decode(), flags=re.DOTALL)
    text = text.replace(reference_of(response), "#")
    text = re.sub(r"[A-Za-z0-9]{64}", "token", text)
    return re.sub(r"20\d\d-\d\d-\d\d \d\d:\d\d", "minute", text)


@pytest.mark.rule("RD-3")
def test_a_page_leaves_its_trace_and_gives_the_scope_back(client: Client) -> None:
    student, registrar = make.make_student(), make.make_registrar()
    client.force_login(registrar)
    assert client.get(reverse("registry:student", args=[student.public_id])).status_code == 200
    read = entries(registrar.pk, outcome="read")
    assert [entry.subject_id for entry in read] == [student.pk]
    assert current_scope() == "CN."  # what the builders had; the request gave its own back


@pytest.mark.rule("AZ-2")
def test_hidden_and_missing_answer_byte_for_byte_alike(client: Client) -> None:
    hidden = make.make_student(make.make_class(make.NEIGHBOUR))
    registrar = make.make_registrar()
    client.force_login(registrar)
    bodies = []
    for public_id in (hidden.public_id, "01990000-0000-7000-8000-000000000000"):
        response = client.get(reverse("registry:student", args=[public_id]))
        assert response.status_code == 404
        bodies.append(plain(response))
    assert bodies[0] == bodies[1]


@pytest.mark.rule("RD-3", "AZ-2")
def test_a_refused_request_writes_one_refused_entry_and_no_event(client: Client) -> None:
    student, leader = make.make_student(), make.make_leader()
    client.force_login(leader)
    events = Event.objects.count()
    response = client.post(
        reverse("registry:student_edit", args=[student.public_id]), {"talent": "围棋", "version": "1"}
    )
    assert response.status_code == 403
    refused = entries(leader.pk, outcome="refused")
    assert [(entry.code, entry.purpose) for entry in refused] == [("not_allowed", "403")]
    assert Event.objects.count() == events
    assert Student.objects.get(pk=student.pk).talent == ""


@pytest.mark.rule("AZ-6")
def test_a_right_lost_between_two_requests_makes_the_second_a_404(client: Client) -> None:
    student, reviewer = make.make_student(), make.make_reviewer()
    make.add_post(reviewer, "reviewer", make.NEIGHBOUR_COUNTY)
    client.force_login(reviewer)
    session = client.session
    session["acting_post"] = reviewer.acting_post.pk if reviewer.acting_post else None
    session.save()
    page = reverse("registry:student", args=[student.public_id])
    assert client.get(page).status_code == 200
    Post.objects.filter(user=reviewer, office__path=make.COUNTY).delete()
    assert client.get(page).status_code == 404


def test_without_a_post_nothing_is_seen(client: Client) -> None:
    student = make.make_student()
    untrained = make.make_registrar(trained=False)
    client.force_login(untrained)
    assert client.get(reverse("registry:student", args=[student.public_id])).status_code in (403, 404)
    assert untrained.scope_paths(Right.VIEW_STUDENT) == []


@pytest.mark.rule("RD-3")
def test_if_the_trace_cannot_be_written_nothing_is_shown(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    student, registrar = make.make_student(), make.make_registrar()
    client.force_login(registrar)

    def broken(*args: object, **kwargs: object) -> None:
        raise DatabaseError("the log is gone")

    monkeypatch.setattr(AccessEntry.objects, "create", broken)
    client.raise_request_exception = False
    response = client.get(reverse("registry:student", args=[student.public_id]))
    assert response.status_code in (500, 503)
    assert student.name not in response.content.decode()


@pytest.mark.rule("WB-1", "WB-3", "RD-7")
def test_every_answer_carries_the_strict_headers(client: Client) -> None:
    registrar = make.make_registrar()
    client.force_login(registrar)
    for path in (reverse("home"), reverse("accounts:sign_in"), "/nowhere", "/api/v1/students/"):
        response = client.get(path)
        policy = response["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert response["Cache-Control"] == "no-store"
        assert response["X-Content-Type-Options"] == "nosniff"
        assert response["Cross-Origin-Opener-Policy"] == "same-origin"
        assert response["Referrer-Policy"] == "same-origin"


@pytest.mark.rule("WB-5")
@pytest.mark.parametrize("path", ["/nowhere", "/api/v1/nowhere", "/registry/students/not-a-uuid"])
def test_errors_are_chinese_with_a_reference_and_without_internals(client: Client, path: str) -> None:
    client.force_login(make.make_registrar())
    response = client.get(path)
    text = response.content.decode()
    assert response.status_code == 404
    letters = re.sub(r"<[^>]+>|\s", "", text)
    assert reference_of(response) in letters
    assert "不在您的管理范围内" in text
    for internal in ("Traceback", "SELECT ", "registry/views", "Resolver", "Django"):
        assert internal not in text


def test_health_says_what_is_wrong_without_signing_in(client: Client) -> None:
    response = client.get("/healthz")
    assert response.json()["state"] in ("ok", "warning")
    names = {row["check"] for row in response.json()["checks"]}
    assert {"database", "queue", "role", "keys", "partitions", "outbox", "disk"} <= names
    assert names - {"database", "queue", "role", "keys", "partitions", "outbox", "disk"} == {
        *("fence", "mass_runs", "sealer", "upkeep")
    }
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")


def test_a_dated_grant_is_looked_at_by_choice_and_only_looked_at(client: Client) -> None:
    student = make.make_student(make.make_class(make.FAR))
    auditor = make.make_user("auditor", make.PROVINCE)
    make.make_grant(auditor, make.FAR_COUNTY)
    client.force_login(auditor)
    record = reverse("registry:student", args=[student.public_id])
    assert client.get(record).status_code == 404  # under her own post the wall stands
    granted = make.make_office(make.FAR_COUNTY)
    assert client.post(reverse("accounts:switch_post"), {"granted": granted.pk}).status_code == 302
    assert client.get(record).status_code == 200
    assert client.get(reverse("registry:students")).status_code == 200
    read = AccessEntry.objects.get(actor_id=auditor.pk, outcome="read")
    assert (read.office_path, read.org_path) == (make.PROVINCE, make.FAR)  # who she is, and what she read
    own = make.make_student()
    assert (
        client.get(reverse("registry:student", args=[own.public_id])).status_code == 404
    )  # one scope at a time
    elsewhere = make.make_office(make.NEIGHBOUR_COUNTY)
    assert client.post(reverse("accounts:switch_post"), {"granted": elsewhere.pk}).status_code == 404
    OfficeGrant.objects.filter(user=auditor).delete()
    assert client.get(record).status_code == 404
