"""kill -9 of web, worker and database, then everything again, compared with a model (RE-1, RE-5, RE-9)."""

import http.client
import socket
import time
from pathlib import Path
from typing import IO, Any
from urllib.parse import urlencode

import pytest
from django.conf import settings
from django.urls import reverse

from config.embedded import free_port
from config.models import Outbox
from config.scope import NATION, scoped_transaction
from registry.models import Enrolment, Student
from registry.status import PENDING
from tests.races.ground import Office, Person, new_values, open_office
from tests.races.model import APPROVED, Pupil, acts, expected, observed
from tests.races.processes import Aim, Child, Nursery, program, wait_for_postgres, wait_until
from tests.races.story import CELERY, TALLY, WEB_POINTS, WORKER_POINTS, Plan, Stage, Story, sweep
from transfers.models import Case

SEEDS = range(20)
GRANIAN = (
    "granian", "--interface", "wsgi", "config.wsgi:application", "--host", "127.0.0.1", "--workers", "1",
    "--blocking-threads", "2", "--no-ws", "--backpressure", "64", "--respawn-failed-workers",
    "--workers-kill-timeout", "2",  # one that is stopped while it starts would stay for ever
)  # fmt: skip


# One registration passes a point as often as this: filing and two decisions, completion and numbering.
TIMES = dict.fromkeys((*WEB_POINTS, *WORKER_POINTS), 2)
TIMES |= {"opened": 1, "filed": 1, "unoffered": 3, "unanswered": 3, "effect": 1, "closed": 1}


@pytest.fixture
def stage(web: Nursery, worker: Nursery, tmp_path: Path) -> Stage:
    return Stage({"web": web, "worker": worker}, open_office(), tmp_path)


@pytest.mark.rule("RE-1", "RE-9")
def test_one_registration_is_cut_at_each_point_and_still_ends_once(stage: Stage) -> None:
    for point, times in TIMES.items():
        for passing in range(1, times + 1):
            story = Story.cut_at(f"{point}@{passing}", stage)
            before = TALLY.kills.total()
            story.play()
            assert TALLY.kills.total() == before + 1, f"{point}@{passing} was not reached"


@pytest.mark.rule("RE-1", "RE-2", "RE-3", "RE-5", "RE-9", "R-EST-01", "R-NUM-01")
def test_whoever_is_killed_nothing_is_lost_and_nothing_is_doubled(stage: Stage) -> None:
    for seed in SEEDS:
        try:
            Story.of_seed(seed, stage).play()
        except AssertionError as error:
            error.add_note(f"seed {seed}")
            raise
        for nursery in stage.nurseries.values():
            nursery.kill_children()
    processes = {process for process, _point in TALLY.kills}
    assert processes >= {"web", "worker", "celery", "postgres"}
    assert all(TALLY.inside[process] > 0 for process in processes)
    assert (TALLY.lost, TALLY.doubled) == (0, 0)


# ── The programs that bin/run starts ───────────────────


def signed_by_school(clerk: Child, office: Office) -> Pupil:
    """A filed pupil whose leader has approved."""
    pupil = Pupil(new_values(), APPROVED)
    answer = press(clerk, office.registrar, "file", **office.filing(pupil.values))
    pupil.case, pupil.student = answer["case"], answer["student"]
    press(clerk, office.leader, "decide", case=pupil.case, decision="approve")
    return pupil


def press(clerk: Child, person: Person, name: str, **body: Any) -> dict[str, Any]:
    answer = clerk.ask("post", session=person.session, path=f"/api/races/{name}", body=body)
    assert answer is not None
    assert answer["status"] == 200, answer
    return answer


def is_pending(pupil: Pupil) -> bool:
    """已核准,待办结: approved and owed, and nothing of the pupil has changed."""
    with scoped_transaction(NATION):
        case, spell = Case.objects.get(pk=pupil.case), Enrolment.objects.get(student=pupil.student)
        owed = Outbox.objects.filter(kind="complete_case", subject_id=pupil.case, done_at=None).count()
        number = Student.objects.get(pk=pupil.student).number
        words = case.get_state_display()
    return (words, spell.status, number, owed) == ("已核准,待办结", PENDING, "", 1)


def is_finished(pupil: Pupil) -> bool:
    return observed(pupil) == expected(pupil)


@pytest.mark.rule("RE-1", "RE-5", "RE-9", "R-EST-04")
def test_the_case_waits_for_a_worker_and_survives_the_death_of_one(
    web: Nursery, program_log: IO[bytes], tmp_path: Path
) -> None:
    office, clerk = open_office(), web.child()
    first, second = (signed_by_school(clerk, office) for _ in range(2))
    press(clerk, office.reviewer, "decide", case=first.case, decision="approve")
    time.sleep(0.5)
    assert is_pending(first)  # no worker anywhere
    plan = Plan("effect", tmp_path / "effect")
    plan.log.write_text("spent")
    worker = ("celery", "-A", "config", "worker", "--loglevel", "INFO", "--concurrency", "2")
    with program(*worker, role="worker", log=program_log, **plan.env):
        wait_until(lambda: is_finished(first), what="the worker finishes what waited for it")
        # Now one process of its pool dies in the middle of an effect; the program lives on.
        plan.log.unlink()
        press(clerk, office.reviewer, "decide", case=second.case, decision="approve")
        wait_until(plan.is_spent, what="a process of the pool is killed")
        plan.count("celery")
        assert is_pending(second)
        sweep([second.case], [second.student])
        wait_until(lambda: is_finished(second), what="another process finishes it")


def knock(port: int, path: str = "/healthz") -> int:
    """The status of one answer; 0 when nobody answers."""
    line = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        line.request("GET", path)
        return line.getresponse().status
    except (OSError, http.client.HTTPException):
        return 0
    finally:
        line.close()


def approve_on_page(port: int, person: Person, pupil: Pupil) -> int:
    """The reviewer's button, on the real page; 0 when the server died before it answered."""
    with scoped_transaction(NATION):
        path = reverse("transfers:decide", args=[Case.objects.get(pk=pupil.case).number])
    token = "c" * 32
    cookies = {settings.SESSION_COOKIE_NAME: person.session, settings.CSRF_COOKIE_NAME: token}
    headers = {
        "Cookie": "; ".join(f"{name}={value}" for name, value in cookies.items()),
        "Content-Type": "application/x-www-form-urlencoded",
    }
    form = urlencode({"decision": "approve", "ticked": "01", "csrfmiddlewaretoken": token})
    line = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        line.request("POST", path, form, headers)
        return line.getresponse().status
    except (OSError, http.client.HTTPException):
        return 0
    finally:
        line.close()


@pytest.mark.rule("RE-1", "RE-3", "RE-5", "RE-9")
def test_the_web_server_dies_in_a_decision_and_the_queue_is_dead_too(
    web: Nursery, worker: Nursery, program_log: IO[bytes], tmp_path: Path
) -> None:
    office, port = open_office(), free_port()
    pupil = signed_by_school(web.child(), office)
    plan = Plan("decided", tmp_path / "decided")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound and not listening: every call is refused
        dead_queue = f"redis://127.0.0.1:{taken.getsockname()[1]}/0"
        with program(
            *GRANIAN, "--port", str(port), role="web", log=program_log, REDIS_URL=dead_queue, **plan.env
        ):
            wait_until(lambda: knock(port) == 200, what="the web server answers")
            assert approve_on_page(port, office.reviewer, pupil) == 0
            plan.count("granian")
            with scoped_transaction(NATION):
                assert acts(pupil.case, pupil.student)["case.approve"] == 1  # hers was never acknowledged
                assert not Outbox.objects.filter(subject_id=pupil.case).exists()
            wait_until(lambda: knock(port) == 200, what="the web server is back")
            began = time.monotonic()
            assert approve_on_page(port, office.reviewer, pupil) == 302
            assert time.monotonic() - began < 4, "a dead queue delays the effect, not the clerk"
    assert is_pending(pupil)
    child = worker.child()
    child.tell("celery", *CELERY)
    time.sleep(0.5)
    assert is_pending(pupil)  # nobody has told the worker
    sweep([pupil.case], [pupil.student])
    wait_until(lambda: is_finished(pupil), what="the sweeper finds it")


@pytest.mark.rule("RE-5")
def test_no_request_fails_once_the_database_is_back(committed_db: None, program_log: IO[bytes]) -> None:
    """With the pool that web has outside tests: connections of the killed server must not be handed out."""
    port = free_port()
    with program(*GRANIAN, "--port", str(port), role="web", log=program_log, XUEJI_TEST="0"):
        wait_until(lambda: knock(port) == 200, what="the web server answers")
        killed, inside = Aim("web").strike(whole=False, patience=0)
        TALLY.note("postgres", killed, inside=inside)
        wait_for_postgres()
        assert [knock(port) for _ in range(10)] == [200] * 10
