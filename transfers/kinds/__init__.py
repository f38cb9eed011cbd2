"""The procedures. Adding one is adding a module of data and its name here."""

from transfers.kind import Kind
from transfers.kinds.aid import AID_KINDS
from transfers.kinds.allowances import ALLOWANCE_CHANGE
from transfers.kinds.class_change import CLASS_CHANGE
from transfers.kinds.dispute import DISPUTE
from transfers.kinds.enrolment import ENROLMENT
from transfers.kinds.enrolment_claim import ENROLMENT_CLAIM
from transfers.kinds.enrolment_list import ENROLMENT_LIST
from transfers.kinds.graduation import GRADUATION_KINDS
from transfers.kinds.guest import GUEST
from transfers.kinds.identity_change import IDENTITY_CHANGE
from transfers.kinds.offices import OFFICE_KINDS
from transfers.kinds.photos import PHOTOS
from transfers.kinds.problem_arbitration import ARBITRATION
from transfers.kinds.problem_deletion import PROBLEM_DELETION
from transfers.kinds.problem_proof import PROBLEM_PROOF
from transfers.kinds.registration import REGISTRATION
from transfers.kinds.registration_batch import REGISTRATION_BATCH
from transfers.kinds.return_elsewhere import RETURN_ELSEWHERE
from transfers.kinds.states import STATE_KINDS
from transfers.kinds.transfer import TRANSFER
from transfers.kinds.voiding import VOIDING

KINDS: dict[str, Kind] = {
    kind.code: kind
    for kind in (
        REGISTRATION,
        REGISTRATION_BATCH,
        IDENTITY_CHANGE,
        CLASS_CHANGE,
        *AID_KINDS,
        ALLOWANCE_CHANGE,
        VOIDING,
        PROBLEM_PROOF,
        PROBLEM_DELETION,
        ARBITRATION,
        PHOTOS,
        *OFFICE_KINDS.values(),
        *STATE_KINDS,
        TRANSFER,
        GUEST,
        RETURN_ELSEWHERE,
        ENROLMENT,
        ENROLMENT_LIST,
        ENROLMENT_CLAIM,
        *GRADUATION_KINDS,
        DISPUTE,
    )
}


def add_kind(kind: Kind) -> None:
    """Let a floor above bring a procedure of its own; called once, when the applications are ready."""
    KINDS[kind.code] = kind
