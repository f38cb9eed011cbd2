"""One seed: registrations filed, signed and completed by processes that are killed on the way."""

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any
from uuid import uuid4

from celery import current_app

from config.models import Outbox
from config.scope import NATION, scoped_transaction
from registry.models import Student
from tests.races.ground import Office, Person, let_a_minute_pass, new_values
from tests.races.model import APPROVED, REFUSED, WITHDRAWN, Pupil, acts, expected, observed
from tests.races.processes import Aim, Child, Nursery, wait_for_postgres, wait_until
from transfers.models import Case

# In a clerk's request: inside file_case and decide; after the commit, before the queue hears of it; before
# she does. In the worker: transfers/completion.py and registry/services/numbering.py.
WEB_POINTS = ("opened", "filed", "taken", "decided", "unoffered", "unanswered")
WORKER_POINTS = (
    "claimed", "effect", "number_retired", "number_given", "closed", "performed", "before_commit",
    "after_commit",
)  # fmt: skip
CELERY = ("worker", "--pool", "solo", "--without-gossip", "--without-mingle", "--without-heartbeat",
          "--loglevel", "WARNING")  # fmt: skip
SWEEP = "transfers.tasks.sweep_outbox"


@dataclass(slots=True)
class Tally:
    """What all seeds together did: kills by (process, point), and how many hit inside a transaction."""

    kills: Counter[tuple[str, str]] = field(default_factory=Counter)
    inside: Counter[str] = field(default_factory=Counter)
    acknowledged: int = 0
    lost: int = 0
    doubled: int = 0
    slowest_return: float = 0.0
    rounds: int = 0  # of races, and how many sides really ran at the same time
    met: int = 0
    deadlocks: int = 0

    def note(self, process: str, point: str, *, inside: bool) -> None:
        self.kills[process, point] += 1
        self.inside[process] += inside

    def lines(self) -> list[str]:
        by_process = Counter[str]()
        for (process, _point), count in self.kills.items():
            by_process[process] += count
        each = (f"{name} {self.inside[name]} of {count}" for name, count in sorted(by_process.items()))
        return [
            f"kill -9: {self.kills.total()}",
            f"inside a transaction: {self.inside.total()} ({', '.join(each)})",
            f"acts acknowledged: {self.acknowledged}, lost: {self.lost}, doubled: {self.doubled}",
            f"database back after at most {self.slowest_return:.1f} s",
            f"races: {self.rounds} rounds, {self.met} at the same instant, {self.deadlocks} deadlocks",
        ]


TALLY = Tally()


@dataclass(slots=True)
class Plan:
    """Where a process is to be killed, and what came of it."""

    text: str
    log: Path

    @property
    def env(self) -> dict[str, str]:
        return {"XUEJI_FAULT": self.text, "XUEJI_FAULT_LOG": str(self.log)}

    def is_spent(self) -> bool:
        return self.log.exists() and self.log.stat().st_size > 0

    def count(self, process: str) -> None:
        """Add the kill to the tally. Fails when the process has died of something else."""
        plan, _, where = self.log.read_text().strip().partition(" ")
        assert plan == self.text
        TALLY.note(process, plan.partition("@")[0], inside=where == "inside")


def sweep(cases: list[int], students: list[int]) -> None:
    """What beat does each minute, a minute later."""
    let_a_minute_pass(cases, students)
    current_app.send_task(SWEEP)


@dataclass(frozen=True, slots=True)
class Stage:
    """What all stories share: who gives processes, the persons, and a folder for their plans."""

    nurseries: dict[str, Nursery]
    office: Office
    folder: Path


class Story:
    """Some pupils, their fates, who is killed where, and what the database dies of.

    `of_seed` lets `Random(seed)` choose all that, and the order of acts as well; `cut_at` cuts one
    registration at one point.
    """

    def __init__(self, rng: Random, stage: Stage, fates: list[str]) -> None:
        self.rng, self.nurseries, self.folder = rng, stage.nurseries, stage.folder
        self.office = stage.office.with_new_class()
        self.pupils = [Pupil(new_values(), fate) for fate in fates]
        self.web_plans: list[Plan] = []
        self.worker_plans: list[Plan] = []
        self.database_dies = ""  # while clerks work ("web"), while workers do ("worker"), or not at all
        self.is_celery = False

    @classmethod
    def of_seed(cls, seed: int, stage: Stage) -> "Story":
        rng = Random(seed)
        fates = [APPROVED, *rng.choices((APPROVED, REFUSED, WITHDRAWN), (3, 1, 1), k=2)]
        story = cls(rng, stage, fates[: rng.randint(1, 3)])
        for points, plans in ((WEB_POINTS, story.web_plans), (WORKER_POINTS, story.worker_plans)):
            for point in rng.sample(points, 2):
                plans.append(story.plan_of(f"{point}@{rng.randint(1, len(story.pupils))}"))
        story.database_dies = rng.choice(("web", "worker", ""))
        story.is_celery = rng.random() < 0.5
        return story

    @classmethod
    def cut_at(cls, plan: str, stage: Stage) -> "Story":
        story = cls(Random(plan), stage, [APPROVED])
        is_web = plan.partition("@")[0] in WEB_POINTS
        (story.web_plans if is_web else story.worker_plans).append(story.plan_of(plan))
        return story

    def plan_of(self, text: str) -> Plan:
        return Plan(text, self.folder / uuid4().hex)

    def play(self) -> None:
        self._next_clerk()
        self.sign_all()
        self.complete()
        self.compare()

    # ── Clerks at their pages ──────────────────────────

    def _next_clerk(self) -> None:
        self.plan = self.web_plans.pop(0) if self.web_plans else None
        self.clerk = self.nurseries["web"].child(**(self.plan.env if self.plan else {}))

    def sign_all(self) -> None:
        """Every pupil is filed and decided, in any order among pupils."""
        waiting = {n: self._acts(pupil) for n, pupil in enumerate(self.pupils)}
        struck = self.rng.randrange(sum(map(len, waiting.values()))) if self.database_dies == "web" else -1
        for turn in range(sum(map(len, waiting.values()))):
            number = self.rng.choice([n for n, left in waiting.items() if left])
            self.insist(self.pupils[number], *waiting[number].pop(0), struck=turn == struck)

    def _acts(self, pupil: Pupil) -> list[tuple[str, Person, dict[str, Any]]]:
        office, reason = self.office, {"reason": "家长改报他校"}
        last: tuple[str, Person, dict[str, Any]] = {
            APPROVED: ("case.approve", office.reviewer, {"decision": "approve"}),
            REFUSED: ("case.refuse", office.reviewer, {"decision": "refuse"} | reason),
            WITHDRAWN: ("case.withdraw", office.registrar, reason),
        }[pupil.fate]
        first = ("case.approve", office.leader, {"decision": "approve"})
        return [("case.file", office.registrar, office.filing(pupil.values)), first, last]

    def insist(self, pupil: Pupil, act: str, person: Person, body: dict[str, Any], *, struck: bool) -> None:
        """Do as a person does: when no answer comes, look whether it was done, or just press again."""
        wanted = self.count(pupil, act) + 1
        for _attempt in range(6):
            answer = self.press(pupil, act, person, body, struck=struck)
            struck = False
            if answer and answer["status"] == 200:
                pupil.acknowledged.append(act)
                if act == "case.file":
                    pupil.case, pupil.student = answer["case"], answer["student"]
                return
            is_done = self.count(pupil, act) == wanted
            if answer and answer["status"] < 500:  # pressed again, and told that it was done the first time
                assert answer["code"] in ("step_already_taken", "case_closed"), answer
                assert is_done
                return
            if is_done and (act == "case.file" or self.rng.random() < 0.5):
                return
        raise AssertionError(f"{act} was never done")

    def count(self, pupil: Pupil, act: str) -> int:
        """How often `act` stands in the log; finds the case whose filing was not answered."""
        with scoped_transaction(NATION):
            if not pupil.case:
                found = Case.objects.filter(student__name=pupil.values["name"]).first()
                if found is None:
                    return 0
                assert found.student_id is not None
                pupil.case, pupil.student = found.pk, found.student_id
            return acts(pupil.case, pupil.student).get(act, 0)

    def press(
        self, pupil: Pupil, act: str, person: Person, body: dict[str, Any], *, struck: bool
    ) -> dict[str, Any] | None:
        name = act.partition(".")[2] if act in ("case.file", "case.withdraw") else "decide"
        body = body if name == "file" else body | {"case": pupil.case}
        aim = Aim("web") if struck else None
        self.clerk.tell("post", session=person.session, path=f"/api/races/{name}", body=body)
        if aim:
            self.strike(aim)
        answer = self.clerk.hear()
        if answer is None:
            assert self.plan, "a clerk's process died by itself"
            self.plan.count("web")
            self.clerk.kill()
            self._next_clerk()
        return answer

    def strike(self, aim: Aim) -> None:
        killed, inside = aim.strike(whole=self.rng.random() < 0.5, delay=self.rng.uniform(0, 0.03))
        TALLY.slowest_return = max(TALLY.slowest_return, wait_for_postgres())
        TALLY.note("postgres", killed, inside=inside)

    # ── Workers ────────────────────────────────────────

    def complete(self) -> None:
        """Workers come and are killed, until nothing is owed."""
        done = [pupil for pupil in self.pupils if pupil.fate == APPROVED]
        cases, students = [pupil.case for pupil in done], [pupil.student for pupil in done]
        by = self.complete_by_celery if self.is_celery else self.complete_by_hand
        by(cases, students)

    def _next_worker(self) -> tuple[Child, Plan | None]:
        plan = self.worker_plans.pop(0) if self.worker_plans else None
        return self.nurseries["worker"].child(**(plan.env if plan else {})), plan

    def complete_by_hand(self, cases: list[int], students: list[int]) -> None:
        """One process, or two at once, that call perform_owed for what is owed: no queue, the same work."""
        struck = self.database_dies == "worker"
        for _attempt in range(6):
            first, plan = self._next_worker()
            children = [first]
            if len(self.pupils) > 1:
                children.append(self.nurseries["worker"].child())
            aim = Aim("worker") if struck else None
            for child in children:
                child.tell("work", cases=cases, students=students)
            if aim:
                self.strike(aim)
                struck = False
            answers = [child.hear() for child in children]
            if answers[0] is None:
                assert plan, "a worker died by itself"
                plan.count("worker")
            if all(answer and "performed" in answer for answer in answers) and self.is_done(cases, students):
                return
        raise AssertionError("never completed")

    def complete_by_celery(self, cases: list[int], students: list[int]) -> None:
        """Celery's own worker with its queue; forked, where bin/run starts it anew, which takes seconds."""
        current, plan = self._next_worker()
        current.tell("celery", *CELERY)
        if self.database_dies == "worker":
            self.strike(Aim("worker"))

        def is_done() -> bool:
            nonlocal current, plan
            if self.is_done(cases, students):
                return True
            if not current.is_alive():
                assert plan, "a worker died by itself"
                plan.count("celery")
                current, plan = self._next_worker()
                current.tell("celery", *CELERY)
                # What the dead one held comes back in 20 minutes; the sweeper does not wait for it.
                sweep(cases, students)
            return False

        if self.database_dies == "worker":
            sweep(cases, students)
        wait_until(is_done, what="the queue is worked off")
        current.kill()

    def is_done(self, cases: list[int], students: list[int]) -> bool:
        kinds = (("complete_case", cases), ("number_student", students))
        return all(
            Outbox.objects.filter(kind=kind, subject_id__in=ids).exclude(done_at=None).count() == len(ids)
            for kind, ids in kinds
        )

    # ── The end ────────────────────────────────────────

    def compare(self) -> None:
        for pupil in self.pupils:
            found = observed(pupil)
            for act, count in Counter(pupil.acknowledged).items():
                TALLY.acknowledged += count
                TALLY.lost += max(0, count - found["acts"].get(act, 0))
            TALLY.doubled += sum((Counter(found["acts"]) - Counter(expected(pupil)["acts"])).values())
            assert found == expected(pupil)
        with scoped_transaction(NATION):
            names = [pupil.values["name"] for pupil in self.pupils]
            assert Student.objects.filter(name__in=names).count() == len(names)
