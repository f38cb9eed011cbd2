"""kill -9 in the middle of a night's sealing, and two workers at once: every account once (AC-8, RE-9)."""

import time
from datetime import timedelta
from pathlib import Path

import pytest
from django.contrib.sessions.models import Session
from django.utils import timezone

from accounts.models import Sealing, SignIn, User
from audit.models import Event
from config.scope import NATION, scoped_transaction
from tests import make
from tests.races.ground import SCHOOL, sign_in
from tests.races.processes import Nursery
from tests.races.story import TALLY


@pytest.mark.rule("AC-8", "R-ACC-04", "RE-1", "RE-9")
def test_a_night_that_is_cut_or_worked_twice_seals_each_account_once(worker: Nursery, tmp_path: Path) -> None:
    with scoped_transaction(NATION):
        people = [sign_in(make.make_registrar(SCHOOL)) for _n in range(5)]
        for person in people:
            SignIn.objects.create(
                user=person.user, session_key=person.session, how="password", network="", device="",
                expires_at=timezone.now(),
            )  # fmt: skip
    users = [person.user.pk for person in people]
    User.objects.filter(pk__in=users).update(last_login=timezone.now() - timedelta(days=181))

    def is_whole() -> int:
        """How many are sealed: never one without its event, its row and the end of its sign-in."""
        sealed = set(User.objects.filter(pk__in=users, sealed_at__isnull=False).values_list("pk", flat=True))
        with scoped_transaction(NATION):
            acts = Event.objects.filter(action="accounts.user.seal", subject_id__in=users)
            assert sorted(acts.values_list("subject_id", flat=True)) == sorted(sealed)
        assert sorted(Sealing.objects.filter(user__in=users).values_list("user", flat=True)) == sorted(sealed)
        ended = SignIn.objects.filter(user__in=users, end="sealed").values_list("user", flat=True)
        assert sorted(ended) == sorted(sealed)
        keys = [person.session for person in people if person.user.pk in sealed]
        assert not Session.objects.filter(session_key__in=keys).exists()
        return len(sealed)

    for plan, done in (("sealing.sealed", 0), ("sealing.recorded", 0), ("sealing.recorded@2", 2)):
        log = tmp_path / plan
        child = worker.child(XUEJI_FAULT=plan, XUEJI_FAULT_LOG=str(log))
        assert child.ask("seal", batch=2) is None, plan
        child.kill()
        assert log.read_text().endswith(" inside\n"), plan
        TALLY.note("worker", plan, inside=True)
        assert is_whole() == done, plan
    both = [worker.child() for _n in range(2)]
    at = time.time() + 0.5
    for child in both:
        child.tell("seal", batch=1, start_at=at)
    answers = [child.hear() for child in both]
    assert sum(answer["sealed"] for answer in answers if answer) == 3, answers
    assert is_whole() == 5
    third = worker.child().ask("seal", batch=2)
    assert third is not None
    assert (third["sealed"], is_whole()) == (0, 5)
