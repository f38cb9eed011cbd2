"""The proof that a suspected dropout is at school: on the pupil's file, named by the answer (R-DRP-09)."""

from django.db import transaction

from accounts.models import User
from accounts.rights import explain
from accounts.roles import Right
from archives.models import Material
from archives.services import attach, keep
from registry.dropout import suspicions
from registry.models import SuspectedDropout

AT_SCHOOL = "20"  # code list evidence_type: 在校就读证明


@transaction.atomic
def answer(entry: SuspectedDropout, data: bytes, *, said: str, note: str, actor: User) -> None:
    """The school's answer with its proof; `data` is empty where there is none. Raises what
    `suspicions.answer` does, MaterialTaken and the refusals of archives.images and archives.pdfs.
    """
    explain(actor, Right.FILE, at=entry.org_path).or_raise()
    proof = None
    if data:
        material = keep(data, kind=Material.Kind.DOCUMENT, evidence_type=AT_SCHOOL, actor=actor)
        attach([material], entry.student, actor=actor)
        material.refresh_from_db(fields=["public_id"])
        proof = material.public_id
    suspicions.answer(entry, actor=actor, said=said, note=note, proof=proof)
