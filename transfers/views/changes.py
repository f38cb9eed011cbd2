"""Correcting a returned case."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts.models import User
from accounts.rights import requires
from archives.models import Material
from archives.services import current_photo, find_uploads
from audit.services import record_read
from config.errors import Refusal
from registry.codes import choices
from registry.models import Student, StudentNumber
from registry.record import load_record, values_of
from transfers import services
from transfers.forms import ASKED_KEYS, LABELS, Sheet, expect, placed, read_sheet
from transfers.kind import About
from transfers.kinds import KINDS
from transfers.kinds.allowances import ALLOWANCE_CHANGE
from transfers.kinds.identity_change import IDENTITY_CHANGE
from transfers.kinds.photos import PHOTOS
from transfers.kinds.registration import IDENTITY_PAPERS, REGISTRATION
from transfers.models import Case
from transfers.queries import STARTERS, open_case
from transfers.refusals import CaseClosed, NotTheStarter
from transfers.views.allowances import correct_allowance
from transfers.views.filing import correct_filing
from transfers.views.key_data import correct_change
from transfers.views.photos import correct_photos
from transfers.views.registration import examine_sheet, materials_of, show_form, uploads_shown

_PAPER_KEYS = ("document", "file", "evidence_type")


# ── 补正 ──────────────────────────────────────────────────────────────────────────────────────────────────
@requires(*STARTERS)
@require_http_methods(["GET", "POST"])
def correct(request: HttpRequest, number: str) -> HttpResponse:
    """The form of a returned registration with its values; POST sends it on its way again."""
    user: Any = request.user
    case = open_case(user, number)
    request.subject = case  # type: ignore[attr-defined]
    _refuse_unless_returned(case, user)
    if case.kind == PHOTOS.code:
        return correct_photos(request, user, case)
    if case.kind == IDENTITY_CHANGE.code:
        return correct_change(request, user, case)
    if case.kind == ALLOWANCE_CHANGE.code:
        return correct_allowance(request, user, case)
    if KINDS[case.kind].about != About.OTHER:
        return correct_filing(request, user, case)
    if case.kind != REGISTRATION.code:
        return _add_papers(request, user, case)
    if request.method == "GET":
        # The values stand in the form in clear: the trace names the record, not only the case.
        record_read(_student(case), actor=user, route="transfers:correct", purpose=_("退回补正"))
        return _show(request, user, case, _sheet_of(case))
    sheet = read_sheet(request.POST)
    if request.POST.get("action") == "dispute":
        sheet.is_disputed = True
        sheet.found = examine_sheet(user, sheet)
        return _show(request, user, case, sheet)
    try:
        services.refile(
            case,
            actor=user,
            materials=materials_of(user, sheet),
            payload=sheet.payload | {"values": sheet.values, "version": sheet.version},
        )
    except Refusal as refusal:
        request.refusal = refusal  # type: ignore[attr-defined]
        sheet.object(refusal, examine_sheet(user, sheet))
        return _show(request, user, case, sheet, status=refusal.status, refusal=refusal)
    messages.success(request, _("{number} 已补正并重新提交。").format(number=number))
    return redirect("transfers:case", number)


def _refuse_unless_returned(case: Case, user: User) -> None:
    if not user.may_act_at(KINDS[case.kind].right, case.to_path):
        raise NotTheStarter()
    if case.state != Case.State.RETURNED:
        raise CaseClosed(state=case.get_state_display())


def _student(case: Case) -> Student:
    assert case.student is not None, "a returned case has a pupil"
    return case.student


def _sheet_of(case: Case) -> Sheet:
    student = _student(case)
    record = load_record(student)
    values = {key: text for key, text in values_of(record).items() if key in ASKED_KEYS}
    auxiliary = student.numbers.filter(kind=StudentNumber.Kind.AUXILIARY, is_current=True).first()
    values["auxiliary_number"] = auxiliary.number if auxiliary else ""
    photo = current_photo(student)
    return Sheet(
        values=values,
        class_id=str(record.enrolment.school_class_id or ""),
        photo=str(photo.public_id) if photo else "",
        documents=[str(one) for one in _papers_of(case)],
        is_disputed=bool(case.payload.get("is_disputed")),
        distinct_reason=str(case.payload.get("distinct_reason", "")),
        deferred_until=str(case.payload.get("deferred_until", "")),
        version=student.version,
    )


def _papers_of(case: Case) -> list[UUID]:
    ids = case.evidence.exclude(type="").values_list("material_id", flat=True)
    return list(Material.objects.filter(pk__in=list(ids)).order_by("pk").values_list("public_id", flat=True))


def _show(request: HttpRequest, user: User, case: Case, sheet: Sheet, **more: Any) -> HttpResponse:
    back = next((s for s in case.steps.order_by("-ordinal") if s.decision == "return"), None)
    act = reverse("transfers:correct", args=[case.number])
    return show_form(request, user, sheet, case=case, back=back, act=act, **more)


def _add_papers(request: HttpRequest, user: User, case: Case) -> HttpResponse:
    """A returned change of document, or batch: what was proposed stays, papers may be added."""
    refusal: Refusal | None = None
    expect(request.POST, *_PAPER_KEYS)
    kept = [text for text in request.POST.getlist("document") if text]
    if request.method == "POST":
        try:
            services.refile(case, actor=user, materials=find_uploads(kept, actor=user))
            messages.success(request, _("{number} 已补正并重新提交。").format(number=case.number))
            return redirect("transfers:case", case.number)
        except Refusal as refused:
            refusal = refused
            request.refusal = refused  # type: ignore[attr-defined]
    back = next((s for s in case.steps.order_by("-ordinal") if s.decision == "return"), None)
    context = {
        "case": case,
        "kind": KINDS[case.kind],
        "back": back,
        "documents": uploads_shown(user, kept),
        "papers": _papers_for(case),
        "refusal": refusal,
        "errors": {placed(refusal).field: [placed(refusal)]} if refusal else {},
        "labels": LABELS,
    }
    return render(request, "transfers/add_papers.html", context, status=refusal.status if refusal else 200)


def _papers_for(case: Case) -> list[tuple[str, str]]:
    if case.batch_id is not None:
        return choices("evidence_type")
    if case.student_id is not None:
        return _identity_papers()
    wanted = {code for need in KINDS[case.kind].needs(case.payload) for code in need.types}
    return [pair for pair in choices("evidence_type") if pair[0] in wanted]


def _identity_papers() -> list[tuple[str, str]]:
    return [pair for pair in choices("evidence_type") if pair[0] in IDENTITY_PAPERS]
