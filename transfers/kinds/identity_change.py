"""关键数据变更, its identity document part: a number that arrives late or was wrong (R-NUM-03, R-UPD-06,
R-UPD-07).

The duplicate and identity check runs before anybody decides and again at each step; a pupil with J then
gets G, a G never changes (R-NUM-04). The proposed number lies sealed in the case's card.
"""

from typing import Any

from accounts.models import Organization, User
from accounts.roles import Right
from audit.services import Actor
from config.clock import today
from config.errors import NotFound
from config.scope import NATION
from registry.form_values import clean_record
from registry.models import Student
from registry.services.documents import check_document, replace_document
from registry.services.refusals import NumberTaken, RecordFrozen
from registry.status import OPEN, STATUSES
from transfers import across
from transfers.kind import EvidenceNeed, Facts, Kind, Party, Requirement, Stop
from transfers.kinds.registration import IDENTITY_PAPERS
from transfers.models import Case
from transfers.outbox import NUMBER_STUDENT, owe


def open_change(
    school: Organization, *, payload: dict[str, Any], actor: User, student: Student, proposed: dict[str, str]
) -> Student:
    """Check the proposed document; nothing of the pupil changes yet. Raises RecordRefused, NumberTaken,
    RecordFrozen.
    """
    spell = student.enrolments.filter(is_void=False, org_path=school.path).order_by("-valid").first()
    if spell is None:
        raise NotFound()
    if spell.status not in OPEN:
        raise RecordFrozen(status=STATUSES[spell.status].name)
    check_document(student, clean_record(proposed, spell.grade), today())
    if across.is_number_taken(student, proposed["id_type"], proposed["id_number"]):
        raise NumberTaken()
    return student


def change_document(case: Case, actor: Actor) -> None:
    """The effect: the new document, then the national check, which may turn J into G. Safe to repeat: the
    case is done in the same transaction.
    """
    assert case.student is not None
    card = case.open_card()
    replace_document(
        case.student,
        {"id_type": card["proposed_id_type"], "id_number": card["proposed_id_number"]},
        actor=actor,
        basis="R-UPD-07",
    )
    owe(NUMBER_STUDENT, case.student.pk, NATION)


def undo(case: Case, actor: Actor, reason: str) -> None:
    """Nothing to take back: the pupil's rows were not touched."""


def number_free(facts: Facts) -> str:
    if facts.case is None:
        return ""  # the opening has just asked
    card = facts.case.open_card()
    taken = across.is_number_taken(facts.student, card["proposed_id_type"], card["proposed_id_number"])
    return "该证件号码已有学籍，请按问题学籍办理。" if taken else ""


IDENTITY_CHANGE = Kind(
    code="identity_change",
    name="关键数据变更（身份证件）",
    prefix="GJ",
    article="第七条",
    started_by=Party.TAKE_OVER_SCHOOL,
    open=open_change,
    requirements=(Requirement("number_free", "全国查重通过", "R-UPD-06", "第九条", number_free),),
    evidence=(EvidenceNeed("户口簿、身份证或公安证明", IDENTITY_PAPERS, "R-UPD-07"),),
    route=(
        Stop(Party.TAKE_OVER_SCHOOL, Right.REVIEW, "学校领导审核", "REGISTRATION_STEP_DAYS"),
        Stop(Party.TAKE_OVER_AUTHORITY, Right.DECIDE, "主管部门核办", "REGISTRATION_STEP_DAYS"),
    ),
    effect=change_document,
    undo=undo,
)
