"""Mass acts stop beyond their bounds and after a jump of the clock, until two persons confirm (RE-4)."""

import time
from datetime import timedelta
from typing import Any

import pytest
from django.db.models import F
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts import tasks
from accounts.models import Notice, User
from audit.models import Event
from audit.models_warnings import EarlyWarning
from config import breaker
from config.clock import today
from config.models import Beat, MassRun
from tests import make
from tests.accounts.test_sealing import idle, is_sealed, step_up

pytestmark = [pytest.mark.usefixtures("nation"), pytest.mark.rule("RE-4")]
PAGE = "accounts:mass_runs"


@pytest.fixture
def two(client: Client) -> tuple[User, User]:
    return make.make_user("national_operator", make.NATION), make.make_user(
        "security_administrator", make.NATION
    )


def press(client: Client, person: User, run: MassRun, seen: int | None = None) -> int:
    step_up(client, person)
    path = reverse("accounts:mass_run_confirm", args=[run.pk])
    return client.post(path, {"seen": run.touched if seen is None else seen}).status_code


@pytest.mark.rule("MASS_RUN_RECORDS", "MASS_RUN_PERCENT", "MASS_RUN_HANDFUL")
@pytest.mark.parametrize(
    ("of", "most"), [(0, 5000), (60, 5), (500, 5), (600, 6), (100_000, 1000), (900_000, 5000)]
)
def test_a_run_at_the_bound_goes_on_and_one_more_is_held(of: int, most: int) -> None:
    breaker.allow("seal", path=make.NATION, touched=most, of=of)
    with pytest.raises(breaker.MassRunHeld):
        breaker.allow("seal", path=make.NATION, touched=most + 1, of=of)
    (run,) = MassRun.objects.all()
    assert (run.kind, run.touched, run.of, run.day) == ("seal", most + 1, of, today())


def test_sealing_waits_for_two_persons_and_then_runs(
    client: Client, two: tuple[User, User], django_capture_on_commit_callbacks: Any, monkeypatch: Any
) -> None:
    sent: list[str] = []
    monkeypatch.setattr(breaker.current_app, "send_task", lambda name, **_more: sent.append(name))
    people = [idle(make.make_registrar(), 200 + n) for n in range(6)]
    assert tasks.seal_dormant_accounts() == 0
    assert not any(map(is_sealed, people)), "six of few are more than a handful"
    (run,) = MassRun.objects.all()
    assert "批量操作" in client.get(reverse("health")).content.decode()
    assert [tasks.watch_mass_runs() for _minute in range(2)] == [1, 0]
    assert EarlyWarning.objects.filter(rule="W16", org_path=make.NATION).count() == 1
    first, second = two
    county = make.make_user("security_administrator", make.COUNTY)
    assert press(client, county, run) == 404
    client.force_login(first)
    assert client.post(reverse("accounts:mass_run_confirm", args=[run.pk]), {"seen": 6}).status_code == 403
    assert press(client, first, run, seen=5) == 409, "the number on her page is another one"
    assert press(client, first, run) == 302
    assert press(client, first, run) == 409, "never the same person twice"
    assert tasks.seal_dormant_accounts() == 0
    idle(make.make_registrar(), 200)
    assert tasks.seal_dormant_accounts() == 0
    run.refresh_from_db()
    assert (run.touched, run.first_id) == (7, None), "she had agreed to fewer"
    assert press(client, first, run) == 302
    step_up(client, second)
    assert "账号封存" in client.get(reverse(PAGE)).content.decode()
    with django_capture_on_commit_callbacks(execute=True):
        assert press(client, second, run) == 302
    assert sent == ["accounts.tasks.seal_dormant_accounts"]
    assert tasks.seal_dormant_accounts() == 7
    assert all(map(is_sealed, people))
    events = Event.objects.filter(action="accounts.run.confirm", subject_id=run.pk)
    assert set(events.values_list("actor_id", flat=True)) == {first.pk, second.pk}
    assert MassRun.objects.get(pk=run.pk).used_at is not None
    assert "批量操作" not in client.get(reverse("health")).content.decode()


def test_what_two_confirmed_and_no_worker_took_is_offered_again(
    two: tuple[User, User], monkeypatch: Any
) -> None:
    sent: list[str] = []
    monkeypatch.setattr(breaker.current_app, "send_task", lambda name, **_more: sent.append(name))
    with pytest.raises(breaker.MassRunHeld):
        breaker.allow("purge_imports", path=make.NATION, touched=6000, of=0)
    (run,) = breaker.held()
    for person in two:
        breaker.confirm(run.pk, person=person, seen=6000)
    MassRun.objects.update(second_at=F("second_at") - timedelta(minutes=1))
    tasks.watch_mass_runs()
    assert sent == ["registry.tasks.purge_imports"]
    breaker.allow("purge_imports", path=make.NATION, touched=6000, of=0)
    tasks.watch_mass_runs()
    assert len(sent) == 1, "it has run"


def test_a_planned_run_is_confirmed_beforehand_for_its_day_and_number(
    client: Client, two: tuple[User, User]
) -> None:
    first, second = two
    step_up(client, first)
    form = {"kind": "purge_materials", "day": today().isoformat(), "expected": 9000}
    for wrong in ({"expected": 0}, {"day": ""}, {"kind": "clock"}):
        assert client.post(reverse(PAGE), form | wrong).status_code == 400, wrong
    yesterday = {"day": (today() - timedelta(days=1)).isoformat()}
    assert client.post(reverse(PAGE), form | yesterday).status_code == 422
    assert client.post(reverse(PAGE), form).status_code == 302
    assert client.post(reverse(PAGE), form).status_code == 422, "planned already"
    (run,) = MassRun.objects.all()
    assert press(client, first, run) == 409
    assert press(client, second, run) == 302
    breaker.allow("purge_materials", path=make.NATION, touched=9000, of=0)
    for touched, day in ((9001, 0), (9000, 1)):
        MassRun.objects.filter(pk=run.pk).update(day=today() + timedelta(days=day))
        with pytest.raises(breaker.MassRunHeld):
            breaker.allow("purge_materials", path=make.NATION, touched=touched, of=0)


@pytest.mark.rule("CLOCK_JUMP_MINUTES", "RE-4")
@pytest.mark.parametrize(("seconds", "is_jump"), [(298, False), (302, True), (-298, False), (-302, True)])
def test_a_jump_of_the_clock_stops_every_mass_run(
    client: Client, two: tuple[User, User], seconds: int, is_jump: bool
) -> None:
    assert breaker.check_clock() == 0
    Beat.objects.update(at=F("at") - timedelta(seconds=seconds))
    person = idle(make.make_registrar(), 200)
    notice = Notice.objects.create(user=person, kind="urged", target="/", read_at=timezone.now())
    Notice.objects.filter(pk=notice.pk).update(read_at=timezone.now() - timedelta(days=91))
    done = tasks.seal_dormant_accounts(), tasks.purge_notices()
    assert done == ((0, 0) if is_jump else (1, 1))
    assert is_sealed(person) is not is_jump
    if is_jump:
        run = MassRun.objects.get(kind=breaker.CLOCK)
        assert abs(run.touched - 302) <= 1
        for one in two:
            assert press(client, one, run) == 302
        assert (tasks.seal_dormant_accounts(), tasks.purge_notices()) == (1, 1)


def test_a_machine_just_started_cannot_say_how_long_it_was_away(monkeypatch: Any) -> None:
    breaker.check_clock()
    for boot, away, expected in (("later", 200, 0), ("much later", 400, 400), ("before", -400, 400)):
        Beat.objects.all().delete()
        Beat.objects.create(boot="old", at=timezone.now() - timedelta(seconds=away), ticks=time.monotonic())
        monkeypatch.setattr(breaker, "_since_start", lambda boot=boot: (boot, 12.0))
        assert abs(breaker.check_clock() - expected) <= 1, boot
        MassRun.objects.all().delete()
