"""What may still happen to a graduate's record: where she went, a roll-back, a proof for a lost paper."""

from collections.abc import Collection

from django.db import transaction

from accounts.models import User
from accounts.rights import explain
from accounts.roles import Right
from audit.services import Actor, record, record_many
from config.clock import today
from registry.codes import is_code, label
from registry.graduation.refusals import CertificateVoid, DestinationKnown, LaterSpell, RowsUnclear
from registry.models import CertificateProof, GraduationRecord, Student
from registry.protection import HIDDEN_PLACE, in_force
from registry.record import latest_spell
from registry.services.changing import Change, restore_spell
from registry.status import GRADUATE


# ── 毕业去向 ──────────────────────────────────────────────────────────────────────────────────────────────
@transaction.atomic
def fill_destinations(
    students: Collection[int], code: str, school_name: str, case_no: str, *, actor: Actor
) -> int:
    """Fill in where these pupils went, when their next school enrols them (R-GRD-05): `code` of the list
    graduation_destination, the school, and the number of its case. How many records were filled.

    What the case says takes the place of what the old school guessed; another case finds it filled. Needs a
    scope that holds the schools that graduated them. Of a protected pupil the former school learns no school
    (AZ-10).
    """
    records = GraduationRecord.objects.select_for_update(no_key=True)
    held = records.filter(student_id__in=students, voided_on=None).order_by("id")
    last = {one.student_id: one for one in held}  # of each pupil the latest
    filled = [one for one in last.values() if not one.next_case_no]
    hidden = set(in_force().filter(student_id__in=last).values_list("student_id", flat=True))
    for is_hidden, said in ((False, school_name), (True, str(HIDDEN_PLACE))):
        told = [one for one in filled if (one.student_id in hidden) == is_hidden]
        rows = GraduationRecord.objects.filter(pk__in=[one.pk for one in told])
        rows.update(destination=code, next_school=said, next_case_no=case_no)
        record_many(
            "registry.graduate.destination", "graduationrecord", [(one.pk, one.org_path) for one in told],
            actor=actor, basis="R-GRD-05", number=case_no, school=said,
            destination=label("graduation_destination", code),
        )  # fmt: skip
    return len(filled)


@transaction.atomic
def set_destination(graduate: GraduationRecord, code: str, *, actor: User) -> None:
    """The school writes down what it learned, until the next school's enrolment says it (R-GRD-05).

    Raises NotAllowed, RowsUnclear, DestinationKnown, CertificateVoid.
    """
    explain(actor, Right.FILE, at=graduate.org_path).or_raise()
    held = GraduationRecord.objects.select_for_update(no_key=True).get(pk=graduate.pk)
    if not is_code("graduation_destination", code):
        raise RowsUnclear()
    if held.is_void:
        raise CertificateVoid()
    if held.next_case_no:
        raise DestinationKnown()
    held.destination = code
    held.save(update_fields=["destination"])
    record(
        "registry.graduate.destination", held, actor=actor, basis="R-GRD-05",
        destination=label("graduation_destination", code),
    )  # fmt: skip


# ── 毕业生回退 ────────────────────────────────────────────────────────────────────────────────────────────
def record_to_roll_back(student: Student) -> GraduationRecord:
    """The record that a roll-back would void. Raises LaterSpell when she went on, or never graduated here."""
    spell = latest_spell(student)
    records = GraduationRecord.objects.filter(student=student, voided_on=None)
    found: GraduationRecord | None = records.filter(enrolment=spell).first() if spell else None
    if spell is None or found is None or spell.status not in GRADUATE:
        raise LaterSpell(school=spell.school.name if spell and spell.status not in GRADUATE else "—")
    return found


@transaction.atomic
def roll_back(student: Student, change: Change, *, actor: Actor) -> None:
    """Take a graduation back (R-GRD-06): the spell runs on as normal, the record and its certificate number
    are void for ever. Safe to repeat for the same case. Raises LaterSpell.
    """
    if GraduationRecord.objects.filter(student=student, voided_by_case=change.case_no).exists():
        return
    found = record_to_roll_back(student)
    spell = latest_spell(student)
    assert spell is not None
    restore_spell(spell, change, actor=actor)
    GraduationRecord.objects.filter(pk=found.pk).update(voided_on=today(), voided_by_case=change.case_no)
    record(
        "registry.graduate.void", found, actor=actor, basis="R-GRD-06", certificate=found.number,
        number=change.case_no,
    )  # fmt: skip


# ── 毕业证明书 ────────────────────────────────────────────────────────────────────────────────────────────
@transaction.atomic
def issue_proof(graduate: GraduationRecord, case_no: str, ground: str, *, actor: Actor) -> CertificateProof:
    """A proof of graduation in the place of a lost original (R-GRD-07); each has a number of its own.

    Safe to repeat for the same case. Raises CertificateVoid.
    """
    held = GraduationRecord.objects.select_for_update(no_key=True).get(pk=graduate.pk)
    if done := CertificateProof.objects.filter(case_no=case_no).first():
        return done
    if held.is_void:
        raise CertificateVoid()
    proof = CertificateProof.objects.create(
        record=held,
        org_path=held.org_path,
        number=f"{held.number}-{held.proofs.count() + 1:02d}",
        case_no=case_no,
        issued_on=today(),
        ground=ground,
    )
    record("registry.graduate.proof", held, actor=actor, basis="R-GRD-07", proof=proof.number, number=case_no)
    return proof
