"""Handing a school's admissions in as one case (A7.3)."""

from django.db import transaction

from accounts.models import User
from registry.models import Admission
from transfers.kinds.enrolment_list import ENROLMENT_LIST
from transfers.models import Case
from transfers.services import file_case


@transaction.atomic
def submit_admissions(*, actor: User) -> Case:
    """File everybody who is ready as one case of the school. Raises NotAllowed, OfficeMoving, NothingReady,
    RequirementFailed.
    """
    assert actor.acting_office is not None
    case = file_case(ENROLMENT_LIST, actor.acting_office, actor=actor)
    Admission.objects.filter(pk__in=case.payload["admissions"]).update(case_no=case.number)
    return case
