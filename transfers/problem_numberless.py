"""Pupils without an identity document (R-PRB-06): type Z, with the signed attendance proof that goes up and
the family member's number that stands in for theirs.
"""

from dataclasses import dataclass
from typing import Any

from django.db.models import Exists, OuterRef, Subquery

from accounts.models import User
from accounts.roles import Right
from archives.models import Material
from config.errors import NotFound
from config.paging import count_up_to
from registry.identity import NO_NUMBER_NEEDED
from registry.models import Enrolment, FamilyMember, IdentityDocument
from registry.protection import hidden_from
from registry.queries.rosters import PAGE, number_in
from registry.queries.sight import enrolments_seen_by

PROOF = "20"  # list evidence_type: 在校就读证明


@dataclass(frozen=True, slots=True)
class Numberless:
    student_id: int
    public_id: Any
    name: str
    grade: str
    school: str
    has_proof: bool
    has_family_number: bool


@dataclass(frozen=True, slots=True)
class NumberlessPage:
    rows: list[Numberless]
    after: int | None
    total: int


def read_numberless(user: User, after: str) -> NumberlessPage:
    """Present spells in scope whose valid document has no number, newest first; constant queries."""
    documents = IdentityDocument.objects.filter(student=OuterRef("student")).order_by("-id")
    last = Subquery(documents.values("type")[:1])
    spells = enrolments_seen_by(user).in_school().annotate(id_type=last).filter(id_type=NO_NUMBER_NEEDED)
    spells = spells.exclude(student_id__in=hidden_from(user))
    total = count_up_to(spells)
    if after:
        known = enrolments_seen_by(user).filter(pk=number_in(after)).values_list("pk", flat=True).first()
        if known is None:
            raise NotFound()
        spells = spells.filter(pk__lt=known)
    proofs = Material.objects.visible_to(user, Right.VIEW_STUDENT).filter(
        student=OuterRef("student"), evidence_type=PROOF
    )
    keys = list(spells.newest_first(user.acting_path).values_list("pk", flat=True)[: PAGE + 1])
    rows = (
        Enrolment.objects.filter(pk__in=keys[:PAGE])
        .annotate(has_proof=Exists(proofs))
        .order_by("-id")
        .values("student_id", "student__public_id", "name", "grade", "school__name", "has_proof")
    )
    found = list(rows)
    covered = _with_family_number([row["student_id"] for row in found])
    return NumberlessPage(
        [
            Numberless(
                row["student_id"], row["student__public_id"], row["name"], row["grade"], row["school__name"],
                row["has_proof"], row["student_id"] in covered,
            )
            for row in found
        ],
        keys[PAGE - 1] if len(keys) > PAGE else None,
        total,
    )  # fmt: skip


def _with_family_number(ids: list[int]) -> set[int]:
    """Those whose family has given a number: it lies sealed, so each one is opened."""
    members = FamilyMember.objects.filter(student_id__in=ids)
    return {one.student_id for one in members if one.open_private().get("id_number")}
