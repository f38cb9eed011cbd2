"""Problem records of the demonstration country on their way: filed, half done, before the nation, closed."""

from accounts.models import Post
from config.clock import today
from config.scope import NATION, scoped_transaction
from registry.models import ProblemRecord, Student
from registry.services.duplicates import due_on
from registry.services.problems import ACROSS, SINGLE, relation_of
from transfers.demo_changes import Plan, Players
from transfers.kinds.problem_proof import PROBLEM_PROOF, RIGHT
from transfers.route import authority_of, township_of

_PROOF = ("20",)


def play_problems(players: Players) -> int:
    """File a few dispositions as the schools would; answers how many. The rest waits."""
    before = players.count
    with scoped_transaction(NATION):
        rows = list(ProblemRecord.objects.filter(is_hint=False, closed_at=None).order_by("id"))
        for row in rows:
            ProblemRecord.objects.filter(pk=row.pk).update(due_on=due_on(row.org_path))
        able = [row for row in rows if _is_staffed(row.org_path) and _is_staffed(row.other_path)]
        apart = [row for row in able if relation_of(row) == ACROSS]
        alone = [row for row in able if relation_of(row) == SINGLE]
    for row in apart[:1]:  # both sides prove: the nation has to decide, or they are told apart
        _prove(players, row, row.student_id, "done")
        _prove(players, row, row.other_id or 0, "done")
    for row in apart[1:2]:
        _prove(players, row, row.student_id, "done")
    for row, ending in zip(alone, ("done", "waiting"), strict=False):
        _prove(players, row, row.student_id, ending)
    return players.count - before


def _is_staffed(path: str) -> bool:
    """Whether somebody files, somebody signs, and every office above the school has a reviewer."""
    seats = [("registrar", path), ("leader", path)]
    seats += [("reviewer", office.path) for office in (authority_of(path), township_of(path)) if office]
    working = Post.objects.filter(
        valid__contains=today(), user__sealed_at=None, user__trainings__isnull=False
    )  # as Players asks
    return all(working.filter(role=role, office__path=at).exists() for role, at in seats)


def _prove(players: Players, row: ProblemRecord, student_id: int, ending: str) -> None:
    with scoped_transaction(NATION):
        student = Student.objects.get(pk=student_id)
    told = {"problem": str(row.pk), "conclusion": RIGHT}
    signs = 2 if ending == "done" else 1
    players.play(
        Plan(PROBLEM_PROOF.code, student.org_path, signs, ending, papers=_PROOF, answers=told), student
    )
