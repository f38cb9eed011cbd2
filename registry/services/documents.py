"""Identity documents after registration: a number that arrives late, or is corrected (R-NUM-03, R-NUM-04)."""

from django.db import IntegrityError, transaction

from audit.services import Actor, record
from config.crypto import next_ids
from registry.models import IdentityDocument, Student
from registry.record import fill_document
from registry.services.refusals import NumberTaken


@transaction.atomic
def replace_document(
    student: Student, values: dict[str, str], *, actor: Actor, basis: str, is_late: bool = False
) -> IdentityDocument:
    """Register another document as the pupil's valid one; the old row stays.

    A former document of the same family gives its number up, for it was wrong or ended; a passport beside a
    new citizen number stays hers.

    Raises NumberTaken when somebody else holds the number. The 学籍号 is not touched here: G never changes
    (G-08). `is_late`: the change was reported after the deadline (R-UPD-03); the event says so.
    """
    document = IdentityDocument(
        id=next_ids("registry_identitydocument")[0], org_path=student.org_path, student=student
    )
    fill_document(document, {"nationality": student.nationality, **values})
    try:
        with transaction.atomic():
            # A corrected number frees the wrong one: it may be somebody's true number.
            student.documents.filter(family=document.family).update(is_claimed=False)
            document.save(force_insert=True)
    except IntegrityError as error:
        raise NumberTaken() from error
    record(
        "registry.student.document", student, actor=actor, basis=basis, fields=["id_type", "id_number"],
        is_late=is_late,
    )  # fmt: skip
    return document
