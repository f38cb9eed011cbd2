"""Placing a school's admissions and handing them in as one case (A7.3)."""

from collections.abc import Mapping

from django.db import transaction

from accounts.models import User
from config.clock import today
from config.rules import rule
from registry.enrolling.admissions import choose_classes, is_all_placed
from registry.enrolling.refusals import NothingReady
from registry.models import Admission
from transfers.kinds.enrolment_list import ENROLMENT_LIST
from transfers.models import Case
from transfers.services import file_case


@transaction.atomic
def place_admissions(wanted: Mapping[int, int], *, actor: User) -> tuple[int, Case | None]:
    """Note the classes (admission → class, 0 for none); how many changed, and the case where the locality
    lets placement register (编班即注册, D7): placing the last one hands everybody in.

    Raises what `choose_classes` raises, and RequirementFailed.
    """
    changed = choose_classes(wanted, actor=actor)
    registers = rule("PLACEMENT_REGISTERS", at=actor.acting_path, on=today()).is_on
    if not changed or not registers or not is_all_placed(actor.acting_path):
        return changed, None
    try:
        with transaction.atomic():
            return changed, submit_admissions(actor=actor)
    except NothingReady:
        return changed, None  # whom another school has as well waits for the authority


@transaction.atomic
def submit_admissions(*, actor: User) -> Case:
    """File everybody who is ready as one case of the school. Raises NotAllowed, OfficeMoving, NothingReady,
    RequirementFailed.
    """
    assert actor.acting_office is not None
    case = file_case(ENROLMENT_LIST, actor.acting_office, actor=actor)
    Admission.objects.filter(pk__in=case.payload["admissions"]).update(case_no=case.number)
    return case
