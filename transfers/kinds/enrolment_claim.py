"""重复招生核实: two schools have one graduate, on a result list or in a case of their own. The school where
she sits files its proof; both see it, the authorities decide, and what the other side has open about her ends
with their decision (HANDBOOK A7.3). One case of enrolment stays open all the while: a claim locks nobody.
"""

from collections.abc import Mapping
from functools import reduce
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import Organization
from accounts.roles import Right
from audit.services import Actor, record
from config.clock import today
from config.scope import common_path
from registry.enrolling.admissions import OWN, Side, gone_on, lose, note_word, other_schools
from registry.models import Student
from registry.protection import HIDDEN_PLACE, is_protected
from registry.status import GRADUATED
from transfers.asking import Ask, Asking, Choices
from transfers.kind import About, EvidenceNeed, Facts, Kind, Party, Requirement, Stop, Subject
from transfers.kinds.answers import reopen as answer_anew
from transfers.models import Case
from transfers.route import bureau_of

CODE = "enrolment_claim"
_DAYS, _NOTICE = "REGISTRATION_STEP_DAYS", "教育部年度毕业升级工作通知"


def claims_against(path: str, students: Any) -> "QuerySet[Case]":
    """Open claims of other schools to `students` (ids, or their query) whom the school at `path` has."""
    claims: QuerySet[Case] = Case.objects.filter(kind=CODE, is_open=True, from_path=path)
    return claims.filter(student_id__in=students)


def rivals(student_id: int, path: str) -> list[Side]:
    """The schools that have the pupil as well, or claim her against the school at `path`."""
    found = other_schools([student_id], path).get(student_id, [])
    paths = set(claims_against(path, [student_id]).values_list("to_path", flat=True))
    claiming = Organization.objects.filter(path__in=paths).exclude(pk__in=[side.school for side in found])
    sides = (Side(office.pk, as_told(student_id, office.name), "") for office in claiming.order_by("pk"))
    return [*found, *sides]


def as_told(student_id: int | None, school: str) -> str:
    """The name of a school that has or claims the pupil, as the other side may read it (AZ-10)."""
    return str(HIDDEN_PLACE) if is_protected(student_id) else school


def sides(asking: Asking) -> Choices:
    if asking.student is None:
        return []
    return [(str(side.school), side.name) for side in rivals(asking.student.pk, asking.office.path)]


def other_side(student: Student, payload: Mapping[str, Any]) -> Organization:
    return Organization.objects.get(pk=payload["asked"]["other"])


def open_claim(school: Organization, *, payload: dict[str, Any], student: Student, **_given: Any) -> Subject:
    """Nothing of the pupil changes; both lists say from now on that the proof is there."""
    other = other_side(student, payload)
    payload |= {
        "filed_on": today().isoformat(),
        "is_one_county": bureau_of(other.path) == bureau_of(school.path),
        "lane": CODE,
        "reach": reduce(common_path, [school.path, other.path], student.org_path),
    }
    note_word(student.pk, school.path, _("已提交在校就读证明，等待主管部门裁定"))
    return Subject(student)


def reopen(case: Case, given: dict[str, Any], actor: Any) -> None:
    """After a return: another statement or proof about the same other side."""
    other = case.payload["asked"]["other"]
    answer_anew(case, given, actor)
    case.payload["asked"]["other"] = other


def stand(case: Case, actor: Actor) -> None:
    """The effect: the school that filed has her. What the other side has open about her ends, with the
    reason; enrolling her is the winner's own case. Safe to repeat.
    """
    from transfers.kinds import KINDS  # the kinds import this module
    from transfers.services import end_case  # the services import the kinds

    assert case.student_id is not None
    why = _("重复招生已由主管部门裁定（{number}）：该生由{school}录取。").format(
        number=case.number, school=as_told(case.student_id, case.to_name)
    )
    lose(case.student_id, case.from_path, why, actor=actor)
    others = Case.objects.select_for_update().filter(student_id=case.student_id, to_path=case.from_path)
    for other in others.filter(kind__in=(OWN, CODE), is_open=True).order_by("pk"):
        kind = KINDS[other.kind]
        end_case(kind, other, Case.State.REFUSED, actor=actor, reason=why)
        record(
            "transfers.case.refuse", other, actor=actor, reason=why, basis="A7.3", number=other.number,
            kind=kind.name, step=_("重复招生裁定"),
        )  # fmt: skip
    note_word(case.student_id, case.to_path, _("主管部门裁定由本校录取"))


def undo(case: Case, actor: Actor, reason: str) -> None:
    assert case.student_id is not None
    note_word(case.student_id, case.to_path, "")


# ── Conditions ───────────────────────────────────────────────────────────────────────────────────────────
def _pupil(facts: Facts) -> int:
    """Her record may lie with neither side: the case alone says who she is."""
    pupil = facts.case.student_id if facts.case else facts.student.pk
    assert pupil is not None
    return pupil


def still_graduated(facts: Facts) -> str:
    if not gone_on([_pupil(facts)]):
        return ""
    return _("该生已不是毕业状态，入籍已经办结。学籍有误的，请办理转学或问题学籍处理。")


def still_doubled(facts: Facts) -> str:
    if any(str(side.school) == facts.asked("other") for side in rivals(_pupil(facts), facts.to_path)):
        return ""
    return _("另一方已撤回或已从名单中删除，不再是重复招生。请撤回本件，直接办理升学入籍或报送名单。")


def claimed_once(facts: Facts) -> str:
    if facts.case is not None:
        return ""
    own = Case.objects.filter(kind=CODE, student_id=_pupil(facts), to_path=facts.to_path, is_open=True)
    number = own.values_list("number", flat=True).first()
    if number is None:
        return ""
    return _("本校已提交重复招生核实（{number}），请待其办结，或撤回后重新提交。").format(number=number)


def other_county(payload: Mapping[str, Any]) -> bool:
    return not payload.get("is_one_county")


ENROLMENT_CLAIM = Kind(
    code=CODE,
    name="重复招生核实",
    prefix="CZ",
    article=_NOTICE,
    started_by=Party.TAKE_OVER_SCHOOL,
    about=About.PUPIL_ELSEWHERE,
    group="转学与借读",
    summary="另一所学校也录取了在本校就读的毕业生：凭在校就读证明由主管部门裁定。核准后另一方的办件终止、名单中的"
    "该生删除，再由本校办理入籍。",
    statuses=(GRADUATED,),
    locks_student=False,
    contests=(OWN,),
    asks=(
        Ask("other", gettext_lazy("另一方学校"), "choice", sides),
        Ask("statement", gettext_lazy("就读情况"), "textarea", most=500,
            hint=gettext_lazy("何时报到、在哪个班上课；另一方也能看到")),
    ),
    evidence=(EvidenceNeed("学校盖章的在校就读证明", ("20",), "A7.3"),),
    open=open_claim,
    reopen=reopen,
    opposite=other_side,
    requirements=(
        Requirement("graduated", "上一学段已毕业，尚未入籍", "R-GRD-05", _NOTICE, still_graduated),
        Requirement("doubled", "另一所学校也录取了该生", "A7.3", _NOTICE, still_doubled),
        Requirement("once", "本校没有另一件核实", "A7.3", _NOTICE, claimed_once),
    ),
    route=(
        Stop(Party.TAKE_OVER_SCHOOL, Right.REVIEW, "学校领导审核", _DAYS),
        Stop(Party.TAKE_OVER_AUTHORITY, Right.DECIDE, "主管部门裁定", _DAYS),
        Stop(Party.RELEASE_AUTHORITY, Right.DECIDE, "另一方主管部门裁定", _DAYS, only_if=other_county),
    ),
    reasons=("在校就读证明不清晰或不足", "核实该生在另一方就读", "应与另一方先行核对", "其他"),
    effect=stand,
    undo=undo,
)  # fmt: skip
