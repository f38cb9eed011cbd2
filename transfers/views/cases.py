"""The list of cases, one case, and the decisions on it."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from accounts.models import User
from accounts.rights import requires
from accounts.roles import Right
from accounts.step_up import require_step_up
from archives.services import open_material
from archives.views import image_answer
from audit.services import record_list, record_read
from config.errors import BadRequest, NotFound, Refusal
from registry.models import Student
from registry.views.reveal import REASONS
from transfers import across, services
from transfers.batchfile import draw_sample
from transfers.casefile import open_file
from transfers.forms import expect
from transfers.kinds import KINDS
from transfers.models import Case, Evidence, Step
from transfers.prints import papers_of
from transfers.queries import (
    SIGNING,
    STARTERS,
    kind_choices,
    next_in_queue,
    open_case,
    read_cases,
    read_filters,
)
from transfers.tracking import code_of


def starts(user: User, case: Case) -> bool:
    """Whether she works for the office that filed it, where the family is received."""
    return user.may_act_at(KINDS[case.kind].right, case.to_path)


@requires(Right.VIEW_CASE)
@require_GET
def cases(request: HttpRequest) -> HttpResponse:
    """Cases in scope, newest first. One access entry with the ids shown (RD-3)."""
    user: Any = request.user
    filters = read_filters(request.GET)
    page = read_cases(user, filters, request.GET.get("after", ""))
    record_list("case", [row["id"] for row in page.rows], actor=user, route="transfers:cases")
    context = {"page": page, "filters": filters, "kinds": kind_choices(), "states": Case.State.choices}
    return render(request, "transfers/cases.html", context)


@requires(Right.VIEW_CASE)
@require_GET
def case(request: HttpRequest, number: str) -> HttpResponse:
    user: Any = request.user
    found = open_case(user, number)
    request.subject = found  # type: ignore[attr-defined]
    record_read(found, actor=user, route="transfers:case", purpose=KINDS[found.kind].name)
    if found.batch_id is None:
        return show_case(request, user, found)
    sample = draw_sample(found, user, request.GET.get("seed", ""))
    sample.leave_trace(user, "transfers:case", _("抽查，抽样种子 {seed}").format(seed=sample.seed))
    return show_case(request, user, found, sample=sample)


def show_case(
    request: HttpRequest, user: User, found: Case, *, refusal: Refusal | None = None, **typed: Any
) -> HttpResponse:
    file = open_file(found, user)
    may_reveal = file.dossier is not None and file.dossier.sight.shows("reveal")
    context = {
        "file": file,
        "case": found,
        "refusal": refusal,
        "may_reveal": may_reveal,
        "reasons": REASONS,
        "prints": papers_of(file),
        # The family's code is for who hands the receipt out.
        "tracking": code_of(found.number) if found.student_id and starts(user, found) else "",
        **typed,
    }
    return render(request, "transfers/case.html", context, status=refusal.status if refusal else 200)


@requires(Right.VIEW_STUDENT)
@require_GET
def case_paper(request: HttpRequest, number: str, public_id: UUID) -> HttpResponse:
    """One paper of a case, for whoever sees the case from either side; each look leaves its trace (RD-3)."""
    user: Any = request.user
    found = open_case(user, number)
    with across.reaching(found.from_path, found.to_path):
        papers = Evidence.objects.visible_to(user, Right.VIEW_CASE).filter(case=found)
        paper = papers.filter(material__public_id=public_id).first()
        student = Student.objects.filter(pk=found.student_id or 0).first()
    material = across.material_of(paper) if paper is not None else None
    if material is None:
        raise NotFound()
    request.subject = student or found  # type: ignore[attr-defined]
    record_read(
        student or found,
        actor=user,
        route="transfers:case_paper",
        purpose=KINDS[found.kind].name,
        fields=["material"],
    )
    return image_answer(open_material(material), material.public_id, material.content_type)


@requires(*SIGNING)
@require_POST
def decide(request: HttpRequest, number: str) -> HttpResponse:
    """Approve, return or refuse; then the next case of the queue opens."""
    user: Any = request.user
    found = open_case(user, number)
    request.subject = found  # type: ignore[attr-defined]
    expect(request.POST, "decision", "ticked", "granted", "chosen", "text")
    if KINDS[found.kind].steps_up:
        require_step_up(request)
    decision = request.POST.get("decision", "")
    if decision not in Step.Decision.values:
        raise BadRequest(why="decision")
    ticked, granted = request.POST.getlist("ticked"), request.POST.getlist("granted")
    reason = reason_given(request, found)
    try:
        services.decide(found, decision, actor=user, reason=reason, ticked=ticked, granted=granted)
    except Refusal as refusal:
        request.refusal = refusal  # type: ignore[attr-defined]
        # Somebody else may have moved it meanwhile: show it as it stands now.
        typed = {
            "ticked": ticked,
            "granted": granted,
            "chosen": request.POST.get("chosen", ""),
            "text": request.POST.get("text", ""),
        }
        return show_case(request, user, open_case(user, number), refusal=refusal, **typed)
    done = _("{number} 已{decision}。").format(number=number, decision=Step.Decision(decision).label)
    following = next_in_queue(user, besides=found.pk)
    if following:
        messages.success(request, done + _("为您打开下一件。"))
        return redirect("transfers:case", following)
    messages.success(request, done + _("队列已清空。"))
    return redirect("transfers:queue")


def reason_given(request: HttpRequest, found: Case) -> str:
    """The chosen reason and what was added to it. Raises BadRequest for one not on the kind's list."""
    chosen, text = request.POST.get("chosen", ""), " ".join(request.POST.get("text", "").split())
    if chosen and chosen not in KINDS[found.kind].reasons:
        raise BadRequest(why="chosen")
    return "：".join(part for part in (chosen, text[:400]) if part)


@requires(*STARTERS)
@require_POST
def withdraw(request: HttpRequest, number: str) -> HttpResponse:
    user: Any = request.user
    found = open_case(user, number)
    request.subject = found  # type: ignore[attr-defined]
    expect(request.POST, "reason")
    try:
        services.withdraw(found, actor=user, reason=request.POST.get("reason", "")[:400])
    except Refusal as refusal:
        request.refusal = refusal  # type: ignore[attr-defined]
        return show_case(
            request,
            user,
            open_case(user, number),
            refusal=refusal,
            withdrawing=request.POST.get("reason", ""),
        )
    messages.success(request, _("{number} 已撤回。").format(number=number))
    return redirect("transfers:case", number)
