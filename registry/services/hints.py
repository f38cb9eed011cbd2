"""核对线索: look-alikes that block nothing. A school says whether they are two; what it says keeps the pair
away until somebody's identity data change, or makes a problem record of it (R-PRB-02).
"""

from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from accounts.rights import explain
from accounts.roles import Right
from audit.services import record
from config.errors import Refusal
from registry.models import ProblemRecord
from registry.services.duplicates import due_on
from registry.services.problems import BY_SCHOOL, Standing, check_reason


class HintJudged(Refusal):
    code, status = "hint_judged", 409
    rule = "R-PRB-02"
    message = _("本校已核对过该线索，或它已销号、已列为问题学籍，请刷新后核对。")


def hint_sides(problem: ProblemRecord, user: User) -> list[str]:
    """For which sides of an open hint she may still say something: the prefixes of their columns."""
    if not problem.is_hint or problem.closed_at is not None:
        return []
    sides = ((problem.org_path, ""), (problem.other_path, "other_"))
    return [
        place
        for path, place in sides
        if user.may_act_at(Right.FILE, path) and not getattr(problem, f"{place}standing")
    ]


@transaction.atomic
def judge_hint(problem: ProblemRecord, is_same: bool, reason: str, *, actor: User) -> None:
    """What a school says of a hint: another person, which closes it when every school of the pair has said
    so, or the same one, which makes it a problem record at once. Nothing merges (R-PRB-02).

    Raises NotAllowed, ReasonTooShort, HintJudged.
    """
    paths = [path for path in (problem.org_path, problem.other_path) if path.startswith(actor.acting_path)]
    if not any(actor.may_act_at(Right.FILE, path) for path in paths):
        explain(actor, Right.FILE, at=paths[0] if paths else actor.acting_path).or_raise()
    check_reason(reason)
    places = hint_sides(problem, actor)
    rows = ProblemRecord.objects.filter(pk=problem.pk, closed_at=None, is_hint=True)
    columns: dict[str, Any]
    if is_same:
        columns = {"is_hint": False, "standing": "", "other_standing": "", "found_by": BY_SCHOOL}
        columns["due_on"] = due_on(actor.acting_path)
    else:
        rows = rows.filter(**{f"{place}standing": "" for place in places})
        columns = {f"{place}standing": Standing.PROVEN for place in places}
    try:
        with transaction.atomic():
            changed = rows.update(**columns) if places else 0
    except IntegrityError:  # the check has made a problem of the pair meanwhile
        changed = 0
    if not changed:
        raise HintJudged()
    verdict = _("是同一人，列为问题学籍") if is_same else _("不是同一人")
    # About the own pupil: the other side is not told which school has looked, nor what it wrote (AZ-9).
    own = problem.other if places[0] else problem.student
    assert own is not None, "a hint has two sides"
    record(
        "registry.problem.judge_hint", own, actor=actor, basis="R-PRB-02", verdict=str(verdict),
        reason=reason.strip()[:500],
    )  # fmt: skip
