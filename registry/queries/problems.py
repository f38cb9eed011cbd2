"""问题学籍 in scope: both sides, what it blocks, what comes next. A side outside scope is only the county
it lies in.
"""

from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import Organization, User
from accounts.roles import Right
from config.errors import NotFound
from config.paging import count_up_to
from registry.codes import division_full_name, label
from registry.fields import BY_KEY
from registry.models import Enrolment, IdentityDocument, ProblemRecord, Student
from registry.protection import HIDDEN_PLACE, hidden_from, protected_among
from registry.queries.rosters import PAGE, go_on
from registry.queries.schools import authority_above
from registry.queries.sight import enrolments_seen_by, in_words, mask, students_seen_by
from registry.services.duplicates import SAME_NUMBER, SAME_PERSON, WRONG_NUMBER
from registry.status import STATUSES

SHOWS = {
    "open": gettext_lazy("待处理"),
    "hints": gettext_lazy("核对线索"),
    "closed": gettext_lazy("已销号"),
}
# What a person does next, by type of problem (HANDBOOK A9).
NEXT = {
    WRONG_NUMBER: gettext_lazy(
        "由学校核对居民户口簿或证件原件：号码有误的，办理变更；号码无误的，凭材料佐证。由主管部门核办，变更后系统重新查重。"
    ),
    SAME_NUMBER: gettext_lazy(
        "由双方学校各自核对证件原件并办理佐证。是同一人的，监护人确认就读学校后，删除重复的一条；号码登记错误的一方办理变更。"
    ),
    SAME_PERSON: gettext_lazy(
        "由双方学校核对家庭成员与户籍。不是同一人的，办理佐证；是同一人的，监护人确认就读学校后，删除重复的一条。"
    ),
}
NEXT_HINT = gettext_lazy(
    "仅为核对线索，不影响任何业务。请核对是否为同一人或是否录错一位：不是同一人的写明核对经过即可，"
    "是同一人的列为问题学籍办理。"
)
NEXT_ATTEMPT = gettext_lazy(
    "有学校登记时使用了已有学籍的证件号。请确认学生现在何处就读：确已转学的，由转入学校发起转学；号码录错的，由登记学校更正。"
)


@dataclass(slots=True)
class Party:
    """One side of a problem. Without a record in scope it has a place and nothing else."""

    place: str
    student_id: int | None = None
    public_id: UUID | None = None
    name: str = ""
    facts: dict[str, str] = field(default_factory=dict)
    # What the sides are compared by: never shown, a mask may hide that two numbers differ.
    raw: dict[str, Any] = field(default_factory=dict)
    authority: Organization | None = None
    is_hidden: bool = False  # a protected pupil: not even the county

    @property
    def is_seen(self) -> bool:
        return self.public_id is not None


@dataclass(slots=True)
class Problem:
    """A problem record with its two sides, ready to be shown."""

    row: ProblemRecord
    sides: list[Party]

    @property
    def type_name(self) -> str:
        return label("problem_record_type", self.row.type)

    @property
    def state(self) -> str:
        return "closed" if self.row.closed_at else "hint" if self.row.is_hint else "problem"

    @property
    def state_name(self) -> str:
        return {"closed": _("已销号"), "hint": _("核对线索"), "problem": _("待处理")}[self.state]

    @property
    def blocks(self) -> str:
        """What stands still because of it (R-PRB-05)."""
        if self.row.closed_at or self.row.is_hint:
            return ""
        if self.row.side == ProblemRecord.Side.ATTEMPT:
            return _("登记未能提交；已有学籍的一方不受影响")
        return _("不能转学、办理毕业、签发正式学籍号；不影响上学")

    @property
    def next_step(self) -> str:
        if self.row.closed_at:
            return ""
        if self.row.is_hint:
            return str(NEXT_HINT)
        if self.row.side == ProblemRecord.Side.ATTEMPT:
            return str(NEXT_ATTEMPT)
        return str(NEXT.get(self.row.type, NEXT_HINT))


@dataclass(slots=True)
class ProblemPage:
    rows: list[Problem]
    after: int | None
    total: int
    show: str


def _in_scope(user: User) -> Any:
    return ProblemRecord.objects.visible_to(user, Right.VIEW_STUDENT)


def read_problems(user: User, show: str, after: str) -> ProblemPage:
    """Problem records of one kind in scope, newest first, key-set paged. Constant queries."""
    if show not in SHOWS:
        raise NotFound()
    rows = _in_scope(user).filter(closed_at__isnull=show != "closed")
    if show != "closed":
        rows = rows.filter(is_hint=show == "hints")
    total = count_up_to(rows)
    rows = go_on(rows, _in_scope(user), after)
    shown = list(rows.newest_first(user.acting_path)[: PAGE + 1])
    has_more, shown = len(shown) > PAGE, shown[:PAGE]
    return ProblemPage(with_sides(shown, user), shown[-1].pk if has_more else None, total, show)


def open_problem(user: User, pk: int) -> Problem:
    """One problem record with both sides in full, as far as they are in scope. Raises NotFound."""
    row = _in_scope(user).filter(pk=pk).first()
    if row is None:
        raise NotFound()
    problem = with_sides([row], user)[0]
    for party in problem.sides:
        _fill(party, user)
    for party, path in zip(problem.sides, (row.org_path, row.other_path), strict=False):
        if not party.is_seen and not party.is_hidden:
            party.authority = authority_above(path)
    return problem


def with_sides(rows: list[ProblemRecord], user: User) -> list[Problem]:
    """The sides of these problem records, in the same queries however many there are. Whom lists hide from
    `user` is no more than a side somewhere (AZ-10).

    Asked for apart: a join to a side behind the wall would hide the whole problem.
    """
    ids = {pk for row in rows for pk in (row.student_id, row.other_id) if pk}
    students = students_seen_by(user).filter(pk__in=ids).exclude(pk__in=hidden_from(user))
    seen: dict[int, Student] = {student.pk: student for student in students}
    guarded = protected_among(ids) - seen.keys()
    spells = (
        enrolments_seen_by(user).filter(student_id__in=seen, is_void=False).order_by("student_id", "-valid")
    )
    schools = dict(spells.distinct("student_id").values_list("student_id", "school__name"))
    paths = {path for row in rows for path in (row.org_path, row.other_path)}
    offices = {office.path: office for office in Organization.objects.filter(path__in=paths)}

    def party(pk: int | None, path: str) -> Party:
        office = offices.get(path)
        student = seen.get(pk) if pk else None
        if student is not None:
            return Party(schools.get(student.pk, ""), student.pk, student.public_id, student.name)
        if pk in guarded:
            return Party(str(HIDDEN_PLACE), is_hidden=True)
        if pk is None and office is not None and path.startswith(user.acting_path):
            return Party(office.name)
        return Party(division_full_name(office.division) if office else "")

    problems = []
    for row in rows:
        sides = [party(row.student_id, row.org_path)]
        if row.side != ProblemRecord.Side.SINGLE:
            sides.append(party(row.other_id, row.other_path))
        problems.append(Problem(row, sides))
    return problems


_COMPARED = ("name", "sex", "birth_on", "ethnic_group", "nationality", "native_place", "hukou_division")


def _fill(party: Party, user: User) -> None:
    """The facts of a side in scope, masked, and what they are compared by."""
    if party.student_id is None:
        return
    student = students_seen_by(user).get(pk=party.student_id)
    for key in _COMPARED:
        value = str(getattr(student, key))
        party.raw[key], party.facts[key] = value, in_words(BY_KEY[key], value)
    party.raw["status_number"], party.facts["status_number"] = (
        student.number,
        mask("status_number", student.number),
    )
    document = (
        IdentityDocument.objects.visible_to(user, Right.VIEW_STUDENT)
        .filter(student=student)
        .order_by("-id")
        .first()
    )
    if document:
        party.raw["id_type"], party.facts["id_type"] = (
            document.type,
            in_words(BY_KEY["id_type"], document.type),
        )
        party.raw["id_number"], party.facts["id_number"] = document.blind or document.mask, document.mask
    spell: Enrolment | None = (
        enrolments_seen_by(user)
        .filter(student=student, is_void=False)
        .select_related("school", "school_class")
        .order_by("-valid")
        .first()
    )
    if spell:
        own = {
            "school": spell.school.name,
            "grade": label("grade", spell.grade),
            "class": spell.school_class.name if spell.school_class else "",
            "status": STATUSES[spell.status].name,
            "entry_month": spell.entry_month,
        }
        party.facts |= own
        party.raw |= own


@dataclass(frozen=True, slots=True)
class Comparison:
    """One line of the side-by-side: the label, the value of each side, and whether they differ."""

    label: str
    values: list[str]
    differs: bool


def compare(problem: Problem) -> list[Comparison]:
    """The sides in scope line by line; differences are marked when there are two to compare."""
    parties = [party for party in problem.sides if party.is_seen]
    labels = {key: BY_KEY[key].label_zh for key in (*_COMPARED, "id_type", "id_number", "status_number")}
    labels |= {
        "school": _("学校"),
        "grade": _("年级"),
        "class": _("班级"),
        "status": _("学籍状态"),
        "entry_month": _("入学年月"),
    }
    return [
        Comparison(
            words,
            [party.facts.get(key, "") for party in parties],
            len(parties) == 2 and parties[0].raw.get(key) != parties[1].raw.get(key),
        )
        for key, words in labels.items()
    ]
