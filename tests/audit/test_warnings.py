"""Early warning: each rule below, at and above its bound, through the writers of the log; who handles it."""

from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.models import Notice, User
from audit import watching
from audit.models import AccessEntry, Event
from audit.models_warnings import EarlyWarning, SignInAttempt, Stop
from audit.services import record, record_look_up, record_read
from audit.warning_rules import CASE, LOOK_UPS
from audit.warnings import Stopped, close, escalate, refuse_stopped, take, warn
from tests import make
from transfers.models import Case

pytestmark = pytest.mark.usefixtures("nation")
FINDING = "经核查为新生集中注册，属正常工作"


def shift(minutes: float, now: datetime | None = None, **where: Any) -> None:
    """Attempts happened so many minutes ago; log rows may not be changed, not even by a test."""
    SignInAttempt.objects.filter(**where).update(at=(now or timezone.now()) - timedelta(minutes=minutes))


def reveals(count: int) -> User:
    reader, pupil = make.make_registrar(), make.make_student()
    for _ in range(count):
        record_read(
            pupil, actor=reader, route="registry:reveal", fields=["phone"], outcome=AccessEntry.Outcome.REVEAL
        )
    return reader


def look_ups(count: int, *, filed_after: int | None = None) -> User:
    reader = make.make_registrar()
    for done in range(count):
        record_look_up(actor=reader, route="transfers:register", found=False)
        if filed_after == done + 1:
            follow(reader)
    return reader


def follow(reader: User) -> None:
    """A case that she filed a little later than everything she has looked up so far."""
    record("transfers.case.file", make.make_student(), actor=reader)
    event = Event.objects.filter(action="transfers.case.file", actor_id=reader.pk).latest("id")
    assert event.at  # inside one transaction the clock of the database stands still: equal is "after" here


def failures(count: int, *, accounts: int = 1, minutes_apart: float = 0) -> None:
    users = [make.make_registrar() for _ in range(accounts)]
    for done in range(count):
        watching.note_attempt(
            account=users[done % accounts].pk, typed="", address=f"198.51.100.{0 if accounts > 1 else done}",
            office_path=make.SCHOOL, is_failure=True,
        )  # fmt: skip
    now = timezone.now()
    for place, row in enumerate(SignInAttempt.objects.order_by("pk")):
        shift(minutes_apart * (count - 1 - place), now, pk=row.pk)


def open_warnings(rule: str) -> list[EarlyWarning]:
    return list(EarlyWarning.objects.filter(rule=rule).exclude(state="closed"))


# ── Each rule at its bound ─────────────────────────────────────────────────────────────────────────────
@pytest.mark.rule("W3", "R-ACC-09", "第二十三条", "W3_REVEALS", "W3_MINUTES")
@pytest.mark.parametrize(("count", "warned"), [(9, 0), (10, 1), (11, 1)])
def test_w3_ten_reveals_in_ten_minutes(count: int, warned: int) -> None:
    reader = reveals(count)
    watching.evaluate()
    found = open_warnings("W3")
    assert len(found) == warned
    if found:
        assert found[0].facts == {"reveals": count}
        assert (found[0].subjects, found[0].org_path, found[0].level) == ([reader.pk], make.SCHOOL, "warning")
        assert Stop.objects.get(kind="reveals").key == f"user:{reader.pk}"


@pytest.mark.rule("W3")
def test_w3_a_stretch_of_ten_minutes_is_measured_wherever_it_lies() -> None:
    start = timezone.now()
    for gap, most in ((59, 10), (60, 10), (66, 10), (67, 9)):
        moments = [start + timedelta(seconds=gap * n) for n in range(10)]
        assert watching.burst(moments, timedelta(minutes=10), 10).most == most
    assert watching.burst(moments, timedelta(minutes=10), 10).ended is None


@pytest.mark.rule("W5", "W5_LOOKUPS", "R-ACC-09")
@pytest.mark.parametrize(("count", "warned"), [(20, 0), (21, 1), (22, 1)])
def test_w5_more_than_twenty_look_ups_in_a_day(count: int, warned: int) -> None:
    reader = look_ups(count, filed_after=1)  # the clock stands still in a test: one case follows them all
    watching.evaluate()
    assert len(open_warnings("W5")) == warned
    if warned:
        with pytest.raises(Stopped):
            refuse_stopped(LOOK_UPS, f"user:{reader.pk}")
        stop = Stop.objects.get(kind=LOOK_UPS)
        assert stop.until is not None
        assert timezone.localtime(stop.until).hour == 0
        Stop.objects.filter(pk=stop.pk).update(until=timezone.now())
    refuse_stopped(LOOK_UPS, f"user:{reader.pk}")  # tomorrow she may again


@pytest.mark.rule("W5", "W5_WITHOUT_CASE")
@pytest.mark.parametrize(("count", "filed", "warned"), [(4, None, 0), (5, None, 1), (6, None, 1), (6, 6, 0)])
def test_w5_look_ups_that_no_case_follows(count: int, filed: int | None, warned: int) -> None:
    look_ups(count, filed_after=filed)
    watching.evaluate()
    assert len(open_warnings("W5")) == warned


@pytest.mark.rule("W7", "W7_FAILURES", "W7_MINUTES", "R-ACC-09")
@pytest.mark.parametrize(
    ("count", "apart", "warned"), [(19, 0, 0), (20, 0, 1), (21, 0, 1), (20, 31 / 60, 1), (20, 32 / 60, 0)]
)
def test_w7_twenty_failed_sign_ins_for_one_office(count: int, apart: float, warned: int) -> None:
    failures(count, minutes_apart=apart)
    watching.evaluate()
    assert [(w.org_path, w.key) for w in open_warnings("W7")] == [(make.SCHOOL, "office")] * warned


@pytest.mark.rule("W7", "W7_ACCOUNTS")
@pytest.mark.parametrize(("accounts", "warned"), [(4, 0), (5, 1), (6, 1)])
def test_w7_five_accounts_from_one_address(accounts: int, warned: int) -> None:
    failures(accounts, accounts=accounts)
    watching.evaluate()
    found = open_warnings("W7")
    assert [w.key for w in found] == [watching.address_stop_key("198.51.100.0")] * warned
    assert "198" not in str([(w.key, w.facts) for w in found])  # digests only
    assert Stop.objects.filter(kind="address").count() == warned


@pytest.mark.rule("W7")
def test_w7_names_that_nobody_has_count_too_and_do_not_tell_what_was_typed() -> None:
    for typed in ("zhangsan", "P@ssw0rd!", "lisi", "wangwu", "zhaoliu"):
        watching.note_attempt(account=None, typed=typed, address="203.0.113.9", is_failure=True)
    assert all(-65537 < row.account < 0 for row in SignInAttempt.objects.all())
    watching.evaluate()
    assert [w.org_path for w in open_warnings("W7")] == [make.NATION]


def act(case: Case, person: User, action: str) -> None:
    record(f"transfers.case.{action}", case, actor=person, number=case.number)


@pytest.mark.rule("W9", "R-ACC-09")
@pytest.mark.parametrize(("posts", "warned"), [(1, 0), (2, 1), (3, 1)])
def test_w9_one_person_in_two_posts_of_one_case(posts: int, warned: int, filed_case: Case) -> None:
    person = make.make_registrar()
    act(filed_case, person, "file")
    for role, path in (("leader", make.SCHOOL), ("reviewer", make.COUNTY))[: posts - 1]:
        person.acting_post = make.add_post(person, role, path, make.ALWAYS)
        act(filed_case, person, "approve")
    watching.evaluate()
    assert [(w.key, w.level) for w in open_warnings("W9")] == [(f"case:{filed_case.pk}", "severe")] * warned
    if warned:
        with pytest.raises(Stopped, match="停止办理"):
            refuse_stopped(CASE, f"case:{filed_case.pk}")


@pytest.mark.rule("W9", "W9_MINUTES")
@pytest.mark.parametrize(("minutes", "warned"), [(9, 1), (10, 1), (11, 0)])
@pytest.mark.parametrize("same", [True, False])
def test_w9_registrar_and_leader_from_one_device(
    minutes: int, warned: int, same: bool, filed_case: Case
) -> None:
    one, other = make.make_registrar(), make.make_leader()
    device, now = uuid4().hex, timezone.now()
    for person, role, at, seen in ((one, "registrar", minutes, device), (other, "leader", 0, None)):
        watching.note_attempt(
            account=person.pk, typed="", address="198.51.100.7", office_path=make.SCHOOL, roles=[role],
            device=seen or (device if same else uuid4().hex), is_failure=False,
        )  # fmt: skip
        shift(at, now, account=person.pk)
    act(filed_case, one, "file")
    act(filed_case, other, "approve")
    watching.evaluate()
    expected = [(f"case:{filed_case.pk}", sorted([one.pk, other.pk]))] if warned and same else []
    assert [(w.key, w.subjects) for w in open_warnings("W9")] == expected


@pytest.mark.rule("W3", "W5_LOOKUPS")
def test_a_province_may_tighten_a_threshold_for_its_own_schools_only() -> None:
    make.make_rule("W3_REVEALS", 4, make.PROVINCE)
    reader, pupil = reveals(4), make.make_student(make.make_class(make.FAR))
    stranger = make.make_registrar(make.FAR)
    for _ in range(4):
        record_read(pupil, actor=stranger, route="registry:reveal", outcome=AccessEntry.Outcome.REVEAL)
    watching.evaluate()
    assert [w.subjects for w in open_warnings("W3")] == [[reader.pk]]


# ── The evaluator: twice, at once, cut ─────────────────────────────────────────────────────────────────
@pytest.mark.rule("R-ACC-09")
def test_the_evaluator_may_run_twice_and_does_not_raise_again_what_was_closed() -> None:
    reader = reveals(10)
    handler = make.make_security_administrator(make.COUNTY)
    watching.evaluate()
    watching.evaluate()
    (found,) = open_warnings("W3")
    assert found.count == 1
    take(found, actor=handler)
    close(found, actor=handler, finding=FINDING)
    watching.evaluate()
    assert open_warnings("W3") == []
    assert not Stop.objects.filter(ended_at=None).exists()
    pupil = make.make_student()
    with connection.cursor() as cursor:  # later than what was counted: the log may be written, not changed
        cursor.execute("SELECT now() + interval '1 second'")
        later = cursor.fetchone()[0]
    for _ in range(10):
        record_read(pupil, actor=reader, route="registry:reveal", outcome=AccessEntry.Outcome.REVEAL)
    AccessEntry.objects.create(
        request_id=uuid4(), actor_id=reader.pk, actor_name=reader.name, office_path=make.SCHOOL,
        office_name="学校", org_path=make.SCHOOL, subject_type="student", subject_id=pupil.pk,
        outcome="reveal", route="registry:reveal", at=later,
    )  # fmt: skip
    watching.evaluate()
    assert len(open_warnings("W3")) == 1


# ── Handling ───────────────────────────────────────────────────────────────────────────────────────────
@pytest.fixture
def filed_case() -> Case:
    from tests.transfers.filing import file_pupil

    office = {
        "class": make.make_class(),
        "registrar": make.make_registrar(),
        "leader": make.make_leader(),
        "reviewer": make.make_reviewer(),
    }
    return file_pupil(office)


@pytest.mark.rule("R-ACC-09", "W15", "W16", "AU-6")
def test_a_warning_is_told_folded_taken_closed_and_never_by_its_subject(client: Client) -> None:
    school, subject = make.make_office(make.SCHOOL), make.make_security_administrator(make.COUNTY)
    colleague = make.make_security_administrator(make.COUNTY)
    above = make.make_security_administrator(make.CITY)
    higher = make.make_security_administrator(make.PROVINCE)
    stranger = make.make_security_administrator(make.FAR_COUNTY)
    for n in range(3):
        warn("W15", path=make.SCHOOL, key="student:1", subject_user=subject.pk, count=n)
    row = EarlyWarning.objects.get(rule="W15")
    assert (row.count, row.facts, row.office_name) == (3, {"count": 2}, school.name)
    told = set(Notice.objects.filter(kind="warning").values_list("user_id", flat=True))
    assert told == {colleague.pk, above.pk}  # the office that answers for the school, and the one above it

    # Overdue: the next office above, with the same time again.
    assert escalate() == 0
    EarlyWarning.objects.filter(pk=row.pk).update(due_at=timezone.now() - timedelta(seconds=1))
    assert escalate() == 1
    assert escalate() == 0
    assert Notice.objects.filter(user=higher, kind="warning").count() == 1

    page, listed = reverse("audit:warning", args=[row.pk]), reverse("audit:warnings")
    deeds = [reverse(f"audit:warning_{act}", args=[row.pk]) for act in ("take", "close")]
    for person, status in ((stranger, 404), (subject, 200), (colleague, 200), (higher, 200)):
        client.force_login(person)
        assert client.get(page).status_code == status
        assert ("数据校验不符</b>" in client.get(listed).text) == (status == 200)
    client.force_login(subject)
    assert "涉及您本人" in client.get(page).text
    assert client.post(deeds[0]).status_code == 403
    assert client.post(deeds[1], {"finding": FINDING}).status_code == 403
    client.force_login(above)
    assert client.post(deeds[1], {"finding": FINDING}).status_code == 409  # not taken yet
    assert client.post(deeds[0]).status_code == 302
    assert client.post(deeds[0]).status_code == 409
    assert client.post(deeds[1], {"finding": "正常"}).status_code == 422
    assert client.post(deeds[1], {"finding": FINDING, "state": "x"}).status_code == 400
    with pytest.raises(Stopped):
        refuse_stopped("row", "student:1")
    assert client.post(deeds[1], {"finding": FINDING}).status_code == 302
    refuse_stopped("row", "student:1")
    row.refresh_from_db()
    assert (row.state, row.closed_by_name, row.finding) == ("closed", above.name, FINDING)
    acts = Event.objects.filter(subject_type="earlywarning", subject_id=row.pk).order_by("id")
    assert [one.action.rpartition(".")[2] for one in acts] == ["open", "escalate", "take", "close"]
    assert FINDING in client.get(page).text

    warn("W15", path=make.SCHOOL, key="student:1")  # after that it is a new one
    assert EarlyWarning.objects.filter(rule="W15").count() == 2


@pytest.mark.rule("R-ACC-09")
def test_the_same_over_the_api_and_lists_do_not_grow_in_queries(client: Client) -> None:
    handler = make.make_security_administrator(make.COUNTY)
    row = make.make_warning("W16", make.SCHOOL, "clock", minutes=6)
    client.force_login(handler)
    address = reverse("warning-list")
    counts = []
    for more in (0, 7):
        for n in range(more):
            make.make_warning("W16", make.SCHOOL, f"queue {n}")
        for place in (address, reverse("audit:warnings")):
            with CaptureQueriesContext(connection) as seen:
                assert client.get(place).status_code == 200
            counts.append(len(seen))
    assert counts[:2] == counts[2:]
    assert len(client.get(address).json()["results"]) == 8
    detail = reverse("warning-detail", args=[row.pk])
    assert client.get(detail).json()["facts"] == {"minutes": 6}
    taken = client.post(f"{detail}take/", {}, content_type="application/json")
    assert (taken.status_code, taken.json()["state"]) == (200, "taken")
    short = client.post(f"{detail}close/", {"finding": "好"}, content_type="application/json")
    assert (short.status_code, short.json()["code"]) == (422, "finding_needed")
    closed = client.post(f"{detail}close/", {"finding": FINDING}, content_type="application/json")
    assert (closed.status_code, closed.json()["state"]) == (200, "closed")
    client.force_login(make.make_security_administrator(make.NEIGHBOUR_COUNTY))
    assert client.get(detail).status_code == 404
