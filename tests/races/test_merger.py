"""Two schools are joined while workers are killed and clerks go on working (RE-1, RE-9, G-05)."""

import itertools
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from accounts.models import Organization, Post
from audit.models import Event
from config.clock import today
from config.models import Outbox
from config.scope import NATION, scoped_transaction
from registry.models import Enrolment, Reorganization, StatusChange, Student
from registry.reorganizing.execute import stages
from registry.reorganizing.moving import roots
from registry.reorganizing.plan import MERGE, plan_of
from registry.reorganizing.rehearse import rehearse
from registry.status import MOVED, NORMAL, PENDING
from tests.races.ground import CITY, COUNTY, PROVINCE, Office, Person, make_person, make_pupil, open_office
from tests.races.processes import Child, Nursery
from tests.races.test_races import Overlap, outcomes, posted
from tests.transfers.filing import make_material
from transfers.kinds.offices import follow
from transfers.models import Case
from transfers.offices import file_change
from transfers.services import decide

PUPILS, BATCH, ROUNDS = 12, 5, 5
_CODE = itertools.count(2165900001)
MOVERS = {table.name for table in roots()}
DOCUMENT = {"document_no": "新教〔2026〕3号", "document_by": "某市教育局", "document_on": "2026-01-05"}


@pytest.fixture
def race() -> Iterator[Overlap]:
    overlap = Overlap()
    yield overlap
    assert overlap.rounds > 0, "the processes never met"


@pytest.fixture
def bureaus(web: Nursery) -> dict[str, Person]:
    with scoped_transaction(NATION):
        return {
            "reviewer": make_person("reviewer", COUNTY),
            "leader": make_person("bureau_leader", COUNTY),
            "city": make_person("reviewer", CITY),
            "province": make_person("reviewer", PROVINCE),
        }


def two_offices() -> tuple[Office, Office]:
    here, there = (open_office(f"{COUNTY}{next(_CODE)}.") for _ in range(2))
    return here, there


def approved_merger(here: Office, there: Office, bureaus: dict[str, Person]) -> Case:
    """A merger of the two that every office has signed: only the worker is missing."""
    with scoped_transaction(NATION):
        reviewer = bureaus["reviewer"].user
        offices = [Organization.objects.get(path=office.path) for office in (here, there)]
        given = DOCUMENT | {"target": str(offices[1].pk)}
        at = reviewer.own_office
        assert at is not None
        row = rehearse(MERGE, at, offices[0], given, actor=reviewer, after=follow)
        case = file_change(row, row.digest, actor=reviewer, materials=[make_material(reviewer, "27")])
        for person in ("leader", "city", "province"):
            decide(Case.objects.get(pk=case.pk), "approve", actor=bureaus[person].user, ticked=["27"])
    return case


def moving(case: Case) -> dict[str, Any]:
    return {"order": "move", "case": case.pk, "batch": BATCH}


def register(office: Office) -> Case:
    """A registration that waits for the school's leader."""
    from tests.races.acts import file_pupil

    with scoped_transaction(NATION):
        return Case.objects.get(pk=file_pupil(office.registrar.user, **office.filing())["case"])


def finish(case: Case, office: Office, worker: Child) -> None:
    """Leader and county sign, whoever they work for now; a worker does the rest."""
    with scoped_transaction(NATION):
        for person in (office.leader, office.reviewer):
            user = type(person.user).objects.get(pk=person.user.pk)
            decide(Case.objects.get(pk=case.pk), "approve", actor=user, ticked=["01"])
    assert worker.ask("work", cases=[case.pk], students=[case.student_id]) is not None


@pytest.mark.rule("RE-1", "RE-9", "G-05", "B3")
def test_a_merger_is_cut_at_each_point_and_still_happens_once(
    bureaus: dict[str, Person], worker: Nursery, tmp_path: Path
) -> None:
    here, there = two_offices()
    pupils = [make_pupil(here) for _n in range(PUPILS)]
    open_case = register(here)
    case = approved_merger(here, there, bureaus)
    with scoped_transaction(NATION):
        plan = plan_of(Reorganization.objects.get(case_no=case.number).plan)

    def turn(fault: str) -> bool:
        """A worker's turn, killed at `fault`; whether it was."""
        log = tmp_path / fault
        child = worker.child(**({"XUEJI_FAULT": fault, "XUEJI_FAULT_LOG": str(log)} if fault else {}))
        answer = child.ask(**moving(case))
        child.kill()
        assert answer is None or "error" not in answer, answer
        return answer is None

    first = ("claimed", "reorganize.begin", "performed", "before_commit", "after_commit", "reorganize.batch")
    named = list(dict.fromkeys("moved" if name in MOVERS else name for name in stages(plan)))
    named.insert(named.index("moved") + 1, "moved@9")  # of the tables that follow, the first and a later one
    for fault in (*first, *(f"reorganize.{name}" for name in named), "effect", "closed"):
        assert turn(fault), f"{fault} was not reached"
    for _turn in range(2):  # and a message that comes twice
        assert not turn("")
    finish(open_case, here, worker.child())

    with scoped_transaction(NATION):
        assert Case.objects.get(pk=case.pk).state == "done"
        assert not Outbox.objects.filter(subject_id=case.pk, kind="complete_case", done_at=None).exists()
        spells = Counter(Enrolment.objects.filter(student__in=pupils).values_list("org_path", "status"))
        assert spells == {(there.path, MOVED): PUPILS, (there.path, NORMAL): PUPILS}
        assert Student.objects.within(here.path).count() == 0
        for rows in (
            StatusChange.objects.filter(case_no=case.number),
            Event.objects.filter(action="registry.student.merge", detail__number=case.number),
        ):
            assert sorted(
                rows.values_list("student" if rows.model is StatusChange else "subject_id", flat=True)
            ) == (sorted(pupil.pk for pupil in pupils))
        posts = Post.objects.filter(user=here.leader.user, valid__contains=today())
        assert list(posts.values_list("office__path", "role")) == [(there.path, "leader")]
        spell = Enrolment.objects.get(student=open_case.student)
        assert (spell.org_path, spell.status) == (there.path, NORMAL)
        assert Case.objects.get(pk=open_case.pk).state == "done"


@pytest.mark.rule("RE-2", "G-05")
def test_a_school_is_merged_while_somebody_files_and_decides_there(
    bureaus: dict[str, Person], web: Nursery, worker: Nursery, race: Overlap
) -> None:
    clerks, hand = (web.child(), web.child()), worker.child()
    seen: Counter[str] = Counter()
    for _round in range(ROUNDS):
        here, there = two_offices()
        waiting = register(here)
        case = approved_merger(here, there, bureaus)
        answers = race.at_once(
            (clerks[0], posted(here.registrar, "file", **here.filing())),
            (clerks[1], posted(here.leader, "decide", case=waiting.pk, decision="approve")),
            (hand, moving(case)),
        )
        said = outcomes(answers[:2])
        seen.update(said)
        assert set(said) <= {"ok", "office_moving", "not_allowed", "no_post", "class_unknown"}, said
        hand.ask(**moving(case))
        with scoped_transaction(NATION):
            ended = Case.objects.get(pk=case.pk)
            newcomers = 1 + (answers[0]["status"] == 200)
            # Who came in between was seen by the second look, and the merger is planned anew; or she moved.
            path = there.path if ended.state == "done" else here.path
            assert ended.state in ("done", "refused")
            assert Student.objects.within(path).count() == newcomers
            assert Enrolment.objects.within(path).filter(status=PENDING).count() == newcomers
            assert Case.objects.within(path).filter(kind="registration").count() == newcomers
    assert seen.total() == 2 * ROUNDS  # who comes first is the machine's affair; each round's end is checked
