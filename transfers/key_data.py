"""Proposing another name, sex, birth date, document or other key field, and proposing it anew after a return
(R-UPD-06, R-UPD-07). Pages and API file through here.
"""

from collections.abc import Mapping, Sequence

from accounts.models import Organization, User
from accounts.rights import explain
from accounts.roles import Right
from archives.models import Material
from registry.models import Student
from registry.record import load_record
from registry.services.key_data import clean_proposal, refuse_other_fields, refuse_wrong
from transfers.kinds.identity_change import IDENTITY_CHANGE, secrets_of
from transfers.models import Case
from transfers.services import file_case, refile


def propose(
    student: Student,
    school: Organization,
    proposed: Mapping[str, str],
    *,
    actor: User,
    materials: Sequence[Material],
) -> Case:
    """File the change of what `proposed` holds: form keys, and `happened_on`; what is blank stays as it is.

    Raises NotAllowed, RecordRefused with every fault, NumberTaken, NamesakeFound, RecordFrozen,
    EvidenceMissing by the fields proposed, CaseLocked.
    """
    explain(actor, Right.FILE, at=school.path).or_raise()
    values = clean_proposal(proposed, load_record(student).enrolment.grade)
    refuse_other_fields(school.path, values)
    refuse_wrong(student, values)  # before a paper is asked for that would prove nothing
    return file_case(
        IDENTITY_CHANGE,
        school,
        actor=actor,
        materials=materials,
        payload={"fields": list(values)},
        secrets=secrets_of(student, proposed),
        student=student,
        proposed=dict(proposed),
    )


def propose_again(
    case: Case, proposed: Mapping[str, str], *, actor: User, materials: Sequence[Material]
) -> Case:
    """Send a returned change on its way again with other values, or the same ones. Raises as `propose`, and
    NotTheStarter, CaseClosed.
    """
    return refile(case, actor=actor, materials=materials, payload={"proposed": dict(proposed)})
