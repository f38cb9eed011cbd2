"""异议 of a guardian: filed for her by the system, into the scope of the pupil's school."""

from django.db import transaction

from accounts.models import Organization
from audit.services import System
from registry.models import Student
from transfers.filing import file_answered
from transfers.kinds.dispute import DISPUTE
from transfers.models import Case


@transaction.atomic
def file_dispute(student: Student, field: str, text: str, *, guardian_name: str, contact: str) -> Case:
    """File what a guardian says is wrong with `field` (a key of the record, or "other") of `student`.

    What she wrote is sealed with the case; `tracking.code_of(case.number)` is her way to the answer. Raises
    RecordRefused for an empty or too long text and an unknown field, RequirementFailed while one about the
    same field waits for its answer, OfficeMoving.
    """
    school = Organization.objects.get(path=student.org_path)
    guardian = System(acting_path=school.path, name="监护人", acting_office_name="监护人查询页")
    given = {"field": field, "text": text, "guardian_name": guardian_name, "contact": contact}
    return file_answered(DISPUTE, school, student, given, actor=guardian)
