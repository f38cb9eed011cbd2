"""Cases of graduation: handing a senior secondary list in, asking for a proof, and what a case page shows."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db import transaction

from accounts.models import User
from accounts.roles import Right
from archives.models import Material
from registry.graduation.checking import Examined, examine
from registry.graduation.preparing import State, hand_in
from registry.graduation.refusals import RowsUnclear, WrongMoment
from registry.models import GraduationList, GraduationRecord
from transfers.kinds.graduation import GRADUATION, LOST, PROOF
from transfers.models import Case
from transfers.services import file_case


@transaction.atomic
def submit_list(graduation: GraduationList, digest: str, *, actor: User) -> Case | None:
    """Hand a list in as it was seen under `digest`: to the school's leader, or, of a senior secondary school,
    as a case for its authority (R-GRD-03), which is returned.

    Raises NotAllowed, WrongMoment, ListChanged, NobodyGraduates, BusinessUnfinished, ProblemsOpen.
    """
    if not graduation.is_senior:
        hand_in(graduation, digest, actor=actor)
        return None
    locked = GraduationList.objects.select_for_update(no_key=True, of=("self",)).select_related("school")
    held = locked.get(pk=graduation.pk)
    if held.state != State.DRAFT:
        raise WrongMoment(state=held.get_state_display())
    case = file_case(GRADUATION, held.school, actor=actor, graduation=held, digest=digest)
    GraduationList.objects.filter(pk=held.pk).update(case_no=case.number)
    return case


@transaction.atomic
def ask_for_proof(
    graduate: GraduationRecord, ground: str, materials: Sequence[Material], *, actor: User
) -> Case:
    """File the case of 毕业证明书 at the school that graduated her (R-GRD-07).

    Raises NotAllowed, RowsUnclear for no ground, CertificateVoid, ProofNotPossible, EvidenceMissing.
    """
    if ground not in dict(LOST):
        raise RowsUnclear()
    school = graduate.graduation.school
    return file_case(PROOF, school, actor=actor, materials=materials, graduate=graduate, ground=ground)


@dataclass(frozen=True, slots=True)
class GraduationCase:
    """What the case page shows: the list with its counts, or the graduate whose paper was lost."""

    graduation: GraduationList | None = None
    examined: Examined | None = None
    graduate: GraduationRecord | None = None
    ground: str = ""


def graduation_of_case(case: Case, user: User) -> GraduationCase | None:
    """None for cases of other kinds, and for one whose list lies outside her scope."""
    if case.kind == GRADUATION.code:
        lists = GraduationList.objects.visible_to(user, Right.VIEW_CASE).select_related("school")
        found = lists.filter(pk=case.payload["graduation"]).first()
        return GraduationCase(found, examine(found, user)) if found else None
    if case.kind == PROOF.code:
        graduates = GraduationRecord.objects.visible_to(user, Right.VIEW_CASE).select_related("graduation")
        one = graduates.filter(pk=case.payload["graduate"]).first()
        words: dict[str, Any] = dict(LOST)
        return GraduationCase(graduate=one, ground=str(words[case.payload["ground"]])) if one else None
    return None
