"""The event list: in scope, newest first, a sentence per act, and a trace of having read it (AU-6)."""

import re
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils.timezone import localdate

from accounts.models import User
from audit.models import AccessEntry, Event
from audit.queries import PAGE_SIZE
from audit.sentences import ACTS, GROUPS, act_name, choices, sentence
from audit.services import record
from tests import make

pytestmark = pytest.mark.usefixtures("nation")


def act(action: str, path: str = make.SCHOOL, *, actor: User | None = None, **more: Any) -> Event:
    """One act about something at `path`."""
    subject: Any = SimpleNamespace(pk=1, org_path=path, _meta=SimpleNamespace(model_name="student"))
    return record(action, subject, actor=actor or make.make_registrar(path), **more)


def unsaved(action: str, **fields: Any) -> Event:
    return Event(**({"actor_name": "王明", "office_name": "南山区教育局"} | fields), action=action)


def shown(response: Any) -> list[int]:
    return [row["event"].pk for row in response.context["rows"]]


@pytest.fixture
def page() -> str:
    return reverse("audit:events")


@pytest.mark.rule("AU-6")
def test_a_leader_reads_her_offices_acts_newest_first_and_leaves_a_trace(client: Client, page: str) -> None:
    first, second = act("registry.student.create"), act("registry.student.update", fields=["talent"])
    act("registry.student.create", make.NEIGHBOUR)
    leader = make.make_leader()
    client.force_login(leader)
    response = client.get(page)
    assert shown(response) == [second.pk, first.pk]
    trace = AccessEntry.objects.get(actor_id=leader.pk, outcome="list")
    assert (trace.subject_type, trace.subject_ids) == ("event", [second.pk, first.pk])
    assert trace.org_path == make.SCHOOL


@pytest.mark.rule("AU-6")
def test_without_the_right_nothing_is_shown(client: Client, page: str) -> None:
    act("registry.student.create")
    for role, path, status in (
        ("registrar", make.SCHOOL, 403),
        ("reviewer", make.COUNTY, 403),
        ("auditor", make.CITY, 200),
        ("audit_administrator", make.COUNTY, 200),
    ):
        client.force_login(make.make_user(role, path))
        assert client.get(page).status_code == status


def test_the_other_side_of_an_act_reads_it_too(client: Client, page: str) -> None:
    case: Any = SimpleNamespace(
        pk=1, from_path=make.SCHOOL, to_path=make.FAR, _meta=SimpleNamespace(model_name="case")
    )
    event = record("transfers.case.file", case, actor=make.make_registrar(make.FAR), kind="转学", number="1")
    for path in (make.SCHOOL, make.FAR):
        client.force_login(make.make_leader(path))
        assert shown(client.get(page)) == [event.pk]


def test_filters_take_acts_whole_groups_names_and_days(client: Client, page: str) -> None:
    author = make.make_registrar()
    created, number = act("registry.student.create", actor=author), act("registry.number.issue", kind="L")
    client.force_login(make.make_leader())
    today = localdate(client.get(page).context["rows"][0]["event"].at)
    for chosen, expected in (
        ({"action": "registry.student"}, [created.pk]),
        ({"action": "registry.number.issue"}, [number.pk]),
        ({"actor": author.name}, [created.pk]),
        ({"actor": "无此人"}, []),
        ({"first": today.isoformat(), "last": today.isoformat()}, [number.pk, created.pk]),
        ({"last": (today - timedelta(days=1)).isoformat()}, []),
        ({"first": (today + timedelta(days=1)).isoformat()}, []),
    ):
        assert shown(client.get(page, chosen)) == expected, chosen


@pytest.mark.rule("AP-1")
def test_wrong_filters_are_answered_in_words_and_keep_what_was_typed(client: Client, page: str) -> None:
    act("registry.student.create")
    client.force_login(make.make_leader())
    for chosen in (
        {"first": "2026-13-01"},
        {"first": "2026-02-02", "last": "2026-02-01"},
        {"action": "x' OR 1=1"},
    ):
        response = client.get(page, chosen)
        assert (response.status_code, response.context["rows"]) == (400, [])
        assert "查询条件有误" in response.content.decode()


@pytest.mark.rule("AZ-1")
def test_pages_follow_by_a_key_that_is_resolved_in_scope(client: Client, page: str) -> None:
    hidden = act("registry.student.create", make.NEIGHBOUR)
    author = make.make_registrar()
    made = [act("registry.student.create", actor=author).pk for _number in range(PAGE_SIZE + 2)]
    client.force_login(make.make_leader())
    first = client.get(page)
    assert shown(first) == made[:1:-1]
    assert first.context["after"] == made[2]
    second = client.get(page, {"after": made[2]})
    assert (shown(second), second.context["after"]) == (made[1::-1], None)
    assert client.get(page, {"after": hidden.pk}).status_code == 404
    assert client.get(page, {"after": 10**12}).status_code == 404


def test_one_row_and_many_cost_the_same_queries(
    client: Client, page: str, django_assert_num_queries: Any
) -> None:
    author = make.make_registrar()
    act("registry.student.create", actor=author)
    client.force_login(make.make_leader())
    with CaptureQueriesContext(connection) as one:
        client.get(page)
    for _number in range(8):
        act("registry.student.create", actor=author)
    with django_assert_num_queries(len(one)):
        client.get(page)


@pytest.mark.rule("WB-2")
def test_the_fragment_is_only_for_htmx(client: Client, page: str) -> None:
    act("registry.student.create")
    client.force_login(make.make_leader())
    fragment = client.get(page, headers={"HX-Request": "true"})
    assert "<html" not in fragment.content.decode()
    assert "HX-Request" in fragment["Vary"]
    assert "<html" in client.get(page).content.decode()
    restored = client.get(page, headers={"HX-Request": "true", "HX-History-Restore-Request": "true"})
    assert "<html" in restored.content.decode()


def test_every_act_has_a_name_a_group_and_a_sentence_without_holes() -> None:
    detail = {
        "kind": "学籍注册",
        "number": "2026-1",
        "name": "王明",
        "role": "审核员",
        "key": "CLASS_SIZE_MAX",
    }
    for action in ACTS:
        event = Event(
            action=action, actor_name="王明", office_name="南山区教育局", fields=["talent"], detail=detail
        )
        assert "{" not in sentence(event)
        assert sentence(event).strip()
        assert ".".join(action.split(".")[:2]) in GROUPS
        assert any(action == value for _group, acts in choices() for value, _name in acts)


def test_an_unknown_act_and_missing_details_still_read_as_a_sentence() -> None:
    unknown = Event(
        action="later.thing.done", actor_name="王明", office_name="南山区教育局", fields=[], detail={}
    )
    assert "南山区教育局的王明" in sentence(unknown)
    assert act_name("later.thing.done")
    bare = Event(
        action="transfers.case.file", actor_name="王明", office_name="南山区教育局", fields=[], detail={}
    )
    assert "()" not in sentence(bare)
    odd = Event(
        action="transfers.case.file", actor_name="{0}", office_name="{x}", fields=[], detail={"kind": ["a"]}
    )
    assert "{0}" in sentence(odd)  # what people are called is never a template


def test_every_act_that_the_code_records_has_its_sentence() -> None:
    recorded = re.compile(r'\brecord\(\s*"([\w.]+)"')
    used = {
        action
        for folder in ("config", "accounts", "registry", "archives", "transfers")
        for path in (settings.BASE_DIR / folder).rglob("*.py")
        for action in recorded.findall(path.read_text())
    }
    assert used >= {"transfers.case.file", "registry.student.create"}
    assert used - set(ACTS) == set()
