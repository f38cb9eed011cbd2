"""Graduation where a case or a paper is made: submitting a list, certificates, rolls, proofs."""

from typing import Any
from uuid import UUID, uuid4

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from accounts.idempotency import claim, form_digest
from accounts.rights import requires
from accounts.roles import Right
from archives.services import find_uploads
from audit.services import record_list
from config.errors import NotFound, Refusal
from registry.codes import choices
from registry.graduation import printing, queries
from registry.graduation.views import show_list
from registry.models import CertificateProof
from transfers.forms import expect
from transfers.graduation import ask_for_proof, submit_list
from transfers.graduation_prints import certificates, proof_paper, roll_paper
from transfers.kinds.graduation import LOST
from transfers.views.prints import as_file
from transfers.views.registration import uploads_shown

_PAPERS = ("31", "20", "99")


@requires(Right.FILE)
@require_POST
def submit(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Hand a list in as it was seen: to the leader, or as a case to the authority."""
    user: Any = request.user
    found = queries.open_list(user, public_id)
    request.subject = found  # type: ignore[attr-defined]
    expect(request.POST, "digest")
    try:
        case = submit_list(found, request.POST.get("digest", ""), actor=user)
    except Refusal as refusal:
        if refusal.status == 403:
            raise
        request.refusal = refusal  # type: ignore[attr-defined]
        return show_list(request, user, found, refusal)
    if case is None:
        messages.success(request, _("已提交，等待学校领导确认。"))
        return redirect("graduation:list", public_id)
    messages.success(request, _("已提交，办件号 {number}。").format(number=case.number))
    return redirect("transfers:case", case.number)


@requires(Right.FILE)
@require_POST
def print_certificates(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """The certificates of a class that were never printed, as one PDF; they are printed from now on."""
    user: Any = request.user
    found = queries.open_list(user, public_id)
    request.subject = found  # type: ignore[attr-defined]
    expect(request.POST, "class")
    try:
        batch, records = printing.print_certificates(found, request.POST.get("class", ""), actor=user)
    except printing.PrintedAlready as refusal:
        request.refusal = refusal  # type: ignore[attr-defined]
        return show_list(request, user, found, refusal)
    _trace(user, [one.student_id for one in records], "transfers:certificates")
    return as_file(certificates(records, user), f"certificates-{batch.pk}")


@requires(Right.FILE)
@require_POST
def print_roll(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """毕业名册 of a class as PDF."""
    user: Any = request.user
    found = queries.open_list(user, public_id)
    request.subject = found  # type: ignore[attr-defined]
    expect(request.POST, "class")
    batch, records = printing.print_roll(found, request.POST.get("class", ""), actor=user)
    _trace(user, [one.student_id for one in records], "transfers:graduation_roll")
    return as_file(roll_paper(found, records, user), f"roll-{batch.pk}")


@requires(Right.FILE)
@require_POST
def print_proof(request: HttpRequest, number: str) -> HttpResponse:
    """毕业证明书 of a decided case as PDF, once."""
    user: Any = request.user
    proofs = CertificateProof.objects.visible_to(user, Right.FILE).select_related("record__graduation")
    proof = proofs.filter(case_no=number).first()
    if proof is None:
        raise NotFound()
    request.subject = proof.record  # type: ignore[attr-defined]
    printing.print_proof(proof, actor=user)
    _trace(user, [proof.record.student_id], "transfers:proof_print")
    return as_file(proof_paper(proof, user), f"proof-{number}")


def _trace(user: Any, students: list[int], route: str) -> None:
    record_list("student", students, actor=user, route=route, purpose=_("打印"))


@requires(Right.FILE)
@require_http_methods(["GET", "POST"])
def ask_proof(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Ask for a proof in the place of a lost certificate (R-GRD-07)."""
    user: Any = request.user
    found = queries.open_graduate(user, public_id)
    request.subject = found  # type: ignore[attr-defined]
    refusal: Refusal | None = None
    documents = [text for text in request.POST.getlist("document") if text]
    key = request.POST.get("key", "") or str(uuid4())
    if request.method == "POST":
        expect(request.POST, "key", "ground", "document", "file", "evidence_type")
        try:
            held = claim(user, "transfers:ask_proof", key, form_digest(request.POST))
            if held.location:
                return redirect(held.location)
            papers = find_uploads(documents, actor=user)
            case = ask_for_proof(found, request.POST.get("ground", ""), papers, actor=user)
            location = reverse("transfers:case", args=[case.number])
            held.answer(302, location)
            messages.success(request, _("已提交，办件号 {number}。").format(number=case.number))
            return redirect(location)
        except Refusal as refused:
            if refused.status == 403:
                raise
            refusal = refused
            request.refusal = refused  # type: ignore[attr-defined]
    context = {
        "one": found,
        "grounds": LOST,
        "key": key,
        "documents": uploads_shown(user, documents),
        "papers": [pair for pair in choices("evidence_type") if pair[0] in _PAPERS],
        "refusal": refusal,
    }
    return render(request, "graduation/ask_proof.html", context, status=refusal.status if refusal else 200)
