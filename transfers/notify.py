"""Who is told what while a case goes its way: number, step and office, never a pupil's name."""

from collections.abc import Iterable, Mapping

from django.urls import reverse

from accounts.models import User
from accounts.notices import Line, notify, notify_each
from accounts.rights import Seat, seated
from transfers.kinds import KINDS
from transfers.kinds.enrolment_claim import as_told
from transfers.models import Case, Step


def step_arrived(step: Step, case: Case) -> None:
    """The case waits at `step`: whoever may decide there learns of it, but for who filed it."""
    people = set(seated([(step.office_path, step.right)])[step.office_path, step.right])
    words = f"{_title(case)}已送达{step.office_name}，等待办理“{step.label}”"
    notify(
        people - {case.filed_by_id}, "step_arrived", words, _address(case),
        about=case.number, once_key=f"arrived:{step.pk}",
    )  # fmt: skip


def case_contests(case: Case) -> None:
    """Another school claims what is open at an office: that office learns of it before anything happens."""
    school = as_told(case.student_id, case.to_name)
    words = f"{school}提交了{_title(case)}，涉及贵单位的在办业务或录取名单，请核对"
    notify(seated([_release(case)])[_release(case)], "step_arrived", words, _address(case), about=case.number)


def case_returned(case: Case, step: Step) -> None:
    """The office of `step` wants a correction: the side that filed the case learns of it."""
    words = f"{step.office_name}退回了{_title(case)}，请补正后重新提交"
    notify(_starters(case), "case_returned", words, _address(case), about=case.number)


def case_ended(case: Case) -> None:
    """The case is over: both sides learn how. Who withdraws it knows."""
    if case.state == Case.State.WITHDRAWN:
        return
    words = f"{_title(case)}{'已办结' if case.state == Case.State.DONE else '不予通过'}"
    other = [] if case.from_path == case.to_path else seated([_release(case)])[_release(case)]
    notify({*_starters(case), *other}, "case_ended", words, _address(case), about=case.number)


def case_cleaned(case: Case, office: str) -> None:
    """The authority ended it before graduation (R-GRD-02): the side that filed it learns of it."""
    words = f"{office}清理了{_title(case)}，学生恢复到办理前的状态"
    notify(_starters(case), "case_ended", words, _address(case), about=case.number)


def step_urged(step: Step, by: User) -> None:
    """An office above urges: whoever may decide `step` learns of it."""
    people = seated([(step.office_path, step.right)])[step.office_path, step.right]
    words = f"{by.acting_office_name}催办：{_title(step.case)}“{step.label}”环节已超期，请尽快办理"
    notify(people, "urged", words, _address(step.case), about=step.case.number)


def steps_due(steps: Iterable[Step], when: str) -> None:
    """`steps` come near their day; `when` (half, eve) tells the first reminder from the second."""
    waiting = list(steps)
    people = seated((step.office_path, step.right) for step in waiting)
    lines = []
    for step in waiting:
        near = "期限过半" if when == "half" else "即将到期"
        words = f"{_title(step.case)}“{step.label}”环节{near}，请于 {step.due_on} 前办结"
        key = f"{when}:{step.pk}"
        lines += _lines(people[step.office_path, step.right], step.case, words, key)
    notify_each("step_due", lines)


def steps_overdue(steps: Iterable[Step], above: Mapping[str, str], right: str) -> None:
    """`steps` have passed their day: holders of `right` at the office `above` each one's office learn of
    it.
    """
    late = list(steps)
    people = seated((above[step.office_path], right) for step in late)
    lines = []
    for step in late:
        words = (
            f"{step.office_name}超期未办：{_title(step.case)}“{step.label}”环节，应于 {step.due_on} 前办结"
        )
        key = f"overdue:{step.pk}"
        lines += _lines(people[above[step.office_path], right], step.case, words, key, "transfers:overdue")
    notify_each("step_overdue", lines)


def _lines(people: Iterable[int], case: Case, words: str, key: str, route: str = "") -> list[Line]:
    target = reverse(route) if route else _address(case)
    return [Line(person, words, target, case.number, key) for person in people]


def _title(case: Case) -> str:
    # The log and notices speak Chinese, whatever language the person reads who caused them.
    return f"{KINDS[case.kind].name}（{case.number}）"


def _address(case: Case) -> str:
    return reverse("transfers:case", args=[case.number])


def _starters(case: Case) -> set[int]:
    """Who filed it, and the colleagues who can go on with it."""
    seat = (case.to_path, KINDS[case.kind].right)
    filers = [case.filed_by_id] if case.filed_by_id else []
    return {*filers, *seated([seat])[seat]}


def _release(case: Case) -> Seat:
    return case.from_path, KINDS[case.kind].right
