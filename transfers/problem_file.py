"""One problem record as it is handled: both sides with cases and papers, what can be done here and why not,
who still owes, and the arbitrator's and the authority's part.
"""

from dataclasses import dataclass, field
from typing import Any

from django.db.models import OuterRef, Subquery
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.roles import Right
from archives.models import Material
from config.errors import NotFound
from config.scope import NATION
from registry.codes import label
from registry.models import OpenBusiness, ProblemRecord, Student
from registry.queries.problems import Comparison, Party, Problem, compare, open_problem
from registry.services.hints import hint_sides
from registry.services.problems import is_ordered_away, standing_of, who_reopens
from transfers.kind import Kind
from transfers.kinds import KINDS
from transfers.kinds.identity_change import IDENTITY_CHANGE
from transfers.kinds.problem_arbitration import ARBITRATION, VERDICTS
from transfers.kinds.problem_deletion import HERE, PROBLEM_DELETION
from transfers.kinds.problem_proof import PROBLEM_PROOF
from transfers.models import Case, Evidence, Step

DISPOSITIONS = (PROBLEM_PROOF, IDENTITY_CHANGE, PROBLEM_DELETION)
_TITLES = {PROBLEM_PROOF.code: "佐证", IDENTITY_CHANGE.code: "变更", PROBLEM_DELETION.code: "删除"}


@dataclass(frozen=True, slots=True)
class Paper:
    label: str
    number: str
    material: Material


@dataclass(frozen=True, slots=True)
class Offer:
    """One disposition for a pupil of her own school, and why it cannot begin now."""

    kind: Kind
    title: str
    url: str
    why_not: str


@dataclass(slots=True)
class SideFile:
    """One side: its party, how it stands, its cases and papers as far as she sees them, what she may do."""

    party: Party
    standing: str
    is_ordered: bool
    is_hint: bool
    cases: list[dict[str, Any]] = field(default_factory=list)
    papers: list[Paper] = field(default_factory=list)
    offers: list[Offer] = field(default_factory=list)

    @property
    def open_case(self) -> dict[str, Any] | None:
        return next((one for one in self.cases if one["is_open"]), None)

    @property
    def proof(self) -> dict[str, Any] | None:
        """The case by which it was substantiated."""
        of_proof = (one for one in self.cases if one["kind"] == PROBLEM_PROOF.code)
        return next((one for one in of_proof if one["state"] == Case.State.DONE), None)

    @property
    def proof_papers(self) -> list[Paper]:
        number = self.proof["number"] if self.proof else ""
        return [paper for paper in self.papers if paper.number == number]

    @property
    def words(self) -> str:
        """How it stands and who still owes."""
        if self.is_hint:
            return _("学校认定不是同一人") if self.standing else _("等待学校核对")
        if self.standing and not (self.is_ordered and self.standing != "deleted"):
            return str(ProblemRecord.Standing(self.standing).label)
        if held := self.open_case:
            return _("等待{office}办理（{kind}）").format(
                office=held["at"] or _("系统办结"), kind=held["kind_name"]
            )
        if self.is_ordered:
            return _("已裁定保留另一方学籍，等待本方学校删除或变更")
        return _("等待学校提出佐证、变更或删除")


@dataclass(slots=True)
class ProblemFile:
    problem: Problem
    lines: list[Comparison]
    sides: list[SideFile]
    may_arbitrate: bool
    may_judge: bool  # a hint that her school has said nothing of
    may_reopen: bool
    moves_in: bool  # the child is here and the duplicate is gone: her record can be taken over

    @property
    def verdicts(self) -> list[tuple[str, str]]:
        return VERDICTS

    @property
    def judged(self) -> str:
        row = self.problem.row
        if not (row.verdict or row.closed_at):
            return ""
        done = ProblemRecord.Verdict(row.verdict).label if row.verdict else row.get_disposition_display()
        return "：".join(part for part in (done, row.judgement) if part)


def open_problem_file(user: User, pk: int) -> ProblemFile:
    """A constant number of queries. Raises NotFound."""
    problem = open_problem(user, pk)
    row = problem.row
    ids = [row.student_id, row.other_id][: len(problem.sides)]
    cases = _cases(user, row)
    papers = _papers(user, cases)
    sides = []
    for party, student_id in zip(problem.sides, ids, strict=True):
        side = SideFile(party, "", is_ordered=False, is_hint=row.is_hint)
        if student_id is not None:
            side.standing = standing_of(row, student_id)
            side.is_ordered = is_ordered_away(row, student_id)
            side.cases = [one for one in cases if one["student_id"] == student_id]
            side.papers = [paper for one in side.cases for paper in papers.get(one["id"], ())]
            side.offers = _offers(user, row, side, student_id)
        sides.append(side)
    arbitrates = user.may_act_at(Right.ARBITRATE, NATION)
    return ProblemFile(
        problem,
        compare(problem),
        sides,
        may_arbitrate=bool(row.arbitration_no) and not row.verdict and not row.closed_at and arbitrates,
        may_judge=bool(hint_sides(row, user)),
        may_reopen=row.disposition == ProblemRecord.Disposition.PROVEN
        and any(user.may_act_at(right, path) for right, path in who_reopens(row)),
        moves_in=any(_is_deleted_here(one, user) for one in cases),
    )  # fmt: skip


def problem_of_case(case: Case, user: User) -> ProblemFile | None:
    """What an arbitration is about; None for other cases and for who does not see the pupils."""
    if case.kind != ARBITRATION.code:
        return None
    try:
        return open_problem_file(user, case.payload["problem"])
    except NotFound:
        return None


def _is_deleted_here(case: dict[str, Any], user: User) -> bool:
    """Whether her school, where the child is, has deleted its duplicate and can take the original over."""
    is_done = case["kind"] == PROBLEM_DELETION.code and case["state"] == Case.State.DONE
    return is_done and case["attends"] == HERE and user.may_act_at(Right.FILE, case["to_path"])


def _cases(user: User, row: ProblemRecord) -> list[dict[str, Any]]:
    """The cases about this problem that she sees, newest first; of key data those open or counted."""
    waiting = Step.objects.filter(case=OuterRef("pk"), is_current=True)
    seen = Case.objects.visible_to(user, Right.VIEW_CASE).filter(
        student_id__in=[pk for pk in (row.student_id, row.other_id) if pk],
        kind__in=[kind.code for kind in DISPOSITIONS],
    )
    approved = Step.objects.filter(case=OuterRef("pk"), decision=Step.Decision.APPROVE).order_by("-ordinal")
    columns = seen.order_by("-id").annotate(
        at=Subquery(waiting.values("office_name")),
        due_on=Subquery(waiting.values("due_on")),
        judged_by=Subquery(approved.values("office_name")[:1]),
    )
    names = ("id", "number", "kind", "state", "is_open", "student_id", "to_path", "filed_at", "at", "due_on",
             "judged_by", "payload__asked__problem", "payload__asked__attends",
             "payload__words__conclusion")  # fmt: skip
    found = []
    for one in columns.values(*names):
        about, one["attends"] = one.pop("payload__asked__problem"), one.pop("payload__asked__attends")
        one["conclusion"] = one.pop("payload__words__conclusion")
        is_change = one["kind"] == IDENTITY_CHANGE.code
        if about != str(row.pk) and not (is_change and (one["is_open"] or one["number"] in _changes(row))):
            continue
        one["kind_name"], one["state_name"] = KINDS[one["kind"]].name, Case.State(one["state"]).label
        found.append(one)
    return found


def _changes(row: ProblemRecord) -> tuple[str, ...]:
    return row.changed_no, row.case_no


def _papers(user: User, cases: list[dict[str, Any]]) -> dict[int, list[Paper]]:
    numbers = {one["id"]: one["number"] for one in cases}
    handed = Evidence.objects.visible_to(user, Right.VIEW_CASE).filter(case_id__in=numbers)
    rows = list(handed.order_by("id").values_list("case_id", "type", "material_id"))
    shown = Material.objects.in_bulk([pk for _case, _type, pk in rows])
    papers: dict[int, list[Paper]] = {}
    for case_id, code, pk in rows:
        if pk in shown:
            paper = Paper(label("evidence_type", code), numbers[case_id], shown[pk])
            papers.setdefault(case_id, []).append(paper)
    return papers


def _offers(user: User, row: ProblemRecord, side: SideFile, student_id: int) -> list[Offer]:
    """The three dispositions of HANDBOOK A9 for a pupil of the school that she registers for."""
    student = Student.objects.filter(pk=student_id, org_path=user.acting_path).first()
    if row.is_hint or student is None or not user.may_act_at(Right.FILE, user.acting_path):
        return []
    why = _why_not(row, side, student)
    offers = []
    for kind in DISPOSITIONS:
        name, more = "transfers:file", [kind.code]
        if kind is IDENTITY_CHANGE:
            name, more = "transfers:identity_change", []
        barred = why
        if not barred and kind is PROBLEM_PROOF and side.is_ordered:
            barred = _("国家级仲裁已裁定保留另一方学籍。")
        url = reverse(name, args=[student.public_id, *more])
        offers.append(Offer(kind, str(_TITLES[kind.code]), url, barred))
    return offers


def _why_not(row: ProblemRecord, side: SideFile, student: Student) -> str:
    if row.closed_at:
        return _("已销号。")
    if side.standing and not side.is_ordered:
        return _("本方已办结处置，等待另一方或仲裁。")
    held = OpenBusiness.objects.filter(student=student).values_list("kind_name", "case_no").first()
    if held is not None:
        return _("该生有在办业务“{kind}”（{number}），请待其办结。").format(kind=held[0], number=held[1])
    return ""
