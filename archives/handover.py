"""移交: custody of a pupil's materials passes with the status, and the new school confirms receipt
(R-TRF-17, 2013 rule art. 15).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256

from django.db import transaction
from django.db.models.functions import Now
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import Post, User
from accounts.notices import notify
from accounts.rights import explain
from accounts.roles import Right, roles_with
from archives.models import Handover, Material
from audit.services import Actor, record
from config.clock import today
from config.errors import Refusal
from config.faults import fault
from config.rules import rule
from registry.models import Student


class ReceivedAlready(Refusal):
    code, status = "received_already", 409
    rule = "R-TRF-17"
    message = gettext_lazy("该档案已由{who}确认接收，请刷新后再看。")


@dataclass(frozen=True, slots=True)
class Passing:
    """Between which schools a file passes, by which case; `target` is the page where receipt is confirmed."""

    case_no: str
    from_path: str
    to_path: str
    from_name: str
    to_name: str
    target: str


def hand_over(student: Student, passing: Passing, papers: Iterable[int], *, actor: Actor) -> Handover:
    """Pass the pupil's materials to the new school, the case's own `papers` with them, in the caller's
    transaction. Safe to repeat for the same case.

    The list is kept by its digest: a file that is missing or another one later does not match it.
    """
    done = Handover.objects.filter(case_no=passing.case_no, student=student).first()
    if done is not None:
        return done
    Material.objects.filter(pk__in=list(papers), student=None).update(student=student)
    held = Material.objects.filter(student=student)
    held.update(org_path=passing.to_path)
    fault("handover.passed")
    digests = list(held.order_by("pk").values_list("digest", flat=True))
    handover = Handover.objects.create(
        from_path=passing.from_path,
        to_path=passing.to_path,
        student=student,
        case_no=passing.case_no,
        from_name=passing.from_name,
        to_name=passing.to_name,
        name=student.name,
        materials=len(digests),
        digest=sha256("\n".join(digests).encode()).hexdigest(),
        handed_on=today(),
        due_on=rule("ARCHIVE_FOLLOW_DAYS", at=passing.to_path, on=today()).days_after(today()),
    )
    fault("handover.kept")
    record(
        "archives.handover.hand", handover, actor=actor, basis="R-TRF-17", number=passing.case_no,
        count=len(digests), school=passing.to_name,
    )  # fmt: skip
    said = _("{school}移交的学籍档案（{n} 份材料）待接收，请于{day}前确认。")
    notify(
        _registrars(passing.to_path),
        "handover",
        said.format(school=passing.from_name, n=len(digests), day=f"{handover.due_on:%Y-%m-%d}"),
        passing.target,
        about=passing.case_no,
        once_key=f"handover:{passing.case_no}",
    )
    return handover


def _registrars(path: str) -> list[int]:
    posts = Post.objects.filter(
        office__path=path, role__in=roles_with(Right.FILE), valid__contains=today(), user__is_active=True
    )
    return list(posts.values_list("user_id", flat=True))


@transaction.atomic
def receive(handover: Handover, remark: str, *, actor: User) -> None:
    """The new school's registrar confirms what came. The UPDATE names the state it expects.

    Raises NotAllowed, ReceivedAlready.
    """
    explain(actor, Right.FILE, at=handover.to_path).or_raise()
    waiting = Handover.objects.filter(pk=handover.pk, received_at=None)
    if not waiting.update(
        received_at=Now(), received_by_name=actor.signing_name, remark=" ".join(remark.split())[:200]
    ):
        raise ReceivedAlready(who=Handover.objects.get(pk=handover.pk).received_by_name)
    record(
        "archives.handover.receive", handover, actor=actor, basis="R-TRF-17", number=handover.case_no,
        is_late=today() > handover.due_on,
    )  # fmt: skip
