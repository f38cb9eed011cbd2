"""Which papers go into a print, once each: who printed what, when, how many (R-GRD-07)."""

from collections.abc import Sequence

from django.db import transaction

from accounts.models import User
from accounts.rights import explain
from accounts.roles import Right
from audit.services import record
from config.errors import NotFound
from registry.codes import label
from registry.graduation.refusals import CertificateVoid, PrintedAlready
from registry.models import CertificatePrint, CertificateProof, GraduationList, GraduationRecord

MOST = 120  # certificates in one file: a large class


@transaction.atomic
def print_certificates(
    graduation: GraduationList, class_number: str, *, actor: User
) -> tuple[CertificatePrint, list[GraduationRecord]]:
    """The originals of a class that were never printed, of one outcome, marked as printed by this batch.

    The UPDATE names the state it expects: of two who press at once, the second is told. Raises NotAllowed,
    PrintedAlready when none is left.
    """
    explain(actor, Right.FILE, at=graduation.org_path).or_raise()
    wanted = graduation.records.filter(class_number=class_number, voided_on=None, printed=None)
    waiting = list(wanted.select_for_update(no_key=True).order_by("outcome", "number")[:MOST])
    if not waiting:
        raise PrintedAlready()
    found = [one for one in waiting if one.outcome == waiting[0].outcome]  # one kind of paper in the printer
    words = f"{found[0].class_name or class_number} {label('completion_type', found[0].outcome)}"
    batch = _note(graduation, CertificatePrint.Kind.CERTIFICATE, words, len(found), actor=actor)
    GraduationRecord.objects.filter(pk__in=[one.pk for one in found]).update(printed=batch)
    return batch, found


@transaction.atomic
def print_roll(
    graduation: GraduationList, class_number: str, *, actor: User
) -> tuple[CertificatePrint, Sequence[GraduationRecord]]:
    """毕业名册 of a class; it may be printed again and again, each time noted. Raises NotAllowed,
    NotFound for a class without graduates."""
    explain(actor, Right.FILE, at=graduation.org_path).or_raise()
    found = list(graduation.records.filter(class_number=class_number, voided_on=None).order_by("number"))
    if not found:
        raise NotFound()
    words = found[0].class_name or class_number
    return _note(graduation, CertificatePrint.Kind.ROLL, words, len(found), actor=actor), found


@transaction.atomic
def print_proof(proof: CertificateProof, *, actor: User) -> CertificatePrint:
    """One proof, printed once; a second one is another case. Raises NotAllowed, CertificateVoid,
    PrintedAlready.
    """
    explain(actor, Right.FILE, at=proof.org_path).or_raise()
    held = CertificateProof.objects.select_for_update(no_key=True).get(pk=proof.pk)
    if held.record.is_void:
        raise CertificateVoid()
    if held.printed_id is not None:
        raise PrintedAlready()
    batch = _note(held.record.graduation, CertificatePrint.Kind.PROOF, held.record.name, 1, actor=actor)
    CertificateProof.objects.filter(pk=held.pk).update(printed=batch)
    return batch


def _note(graduation: GraduationList, kind: str, words: str, count: int, *, actor: User) -> CertificatePrint:
    batch = CertificatePrint.objects.create(
        org_path=graduation.org_path,
        graduation=graduation,
        kind=kind,
        words=words[:60],
        count=count,
        printed_by=actor,
        printed_by_name=actor.signing_name,
    )
    record(
        "registry.graduation.print", graduation, actor=actor, basis="R-GRD-07", count=count, words=words[:60],
        paper=CertificatePrint.Kind(kind).label,
    )  # fmt: skip
    return batch
