"""The guardians' pages, and the school's page on which codes are handed over."""

import json
from typing import Any
from uuid import UUID

import segno
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.rights import requires
from accounts.roles import Right
from audit.proofs import inclusion_proof
from audit.services import record_read
from exchange.guardians import codes, record
from exchange.guardians.door import Visit, close_visit, for_guardian, open_visit
from exchange.guardians.forms import CodeForm, DisputeForm, EntryForm
from exchange.guardians.models import GuardianCode
from registry.models import Student
from registry.queries.sight import open_record
from transfers.disputes import file_dispute


@login_not_required
@sensitive_post_parameters("code", "name", "number")
@require_http_methods(["GET", "POST"])
def enter(request: HttpRequest) -> HttpResponse:
    """Code, pupil's name and number; nothing of what was typed is kept."""
    form = EntryForm(request.POST if request.method == "POST" else None)
    failure = None
    if request.method == "POST" and form.is_valid() and not request.user.is_authenticated:
        try:
            code = codes.enter(**form.cleaned_data)
        except codes.NotRecognised as refusal:
            failure = refusal
        else:
            open_visit(request, code)
            return redirect("guardian:record")
    status = 403 if failure else 400 if form.errors else 200
    return render(request, "exchange/guardian_enter.html", {"form": form, "failure": failure}, status=status)


@for_guardian
@require_GET
def own_record(request: HttpRequest, visit: Visit) -> HttpResponse:
    """The child's record, who looked, open cases, and where to object."""
    context = _page(visit)
    record_read(visit.student, actor=visit.actor, route="guardian:record", fields=["basic", "family"])
    return render(request, "exchange/guardian_record.html", context | {"form": DisputeForm()})


@for_guardian
@require_POST
def dispute(request: HttpRequest, visit: Visit) -> HttpResponse:
    """异议: what is wrong in the record, in the guardian's words; it becomes a case at the school."""
    form = DisputeForm(request.POST)
    if not form.is_valid():
        return render(request, "exchange/guardian_record.html", _page(visit) | {"form": form}, status=400)
    given = form.cleaned_data
    case = file_dispute(
        visit.student, given["field"], given["text"],
        guardian_name=given["guardian_name"], contact=given["contact"],
    )  # fmt: skip
    return render(
        request, "exchange/guardian_filed.html", {"case": case, "code": record.code_of(case.number)}
    )


@for_guardian
@require_GET
def proof(request: HttpRequest, visit: Visit, pk: int) -> HttpResponse:
    """The inclusion proof of one look, for `verify_log.py`."""
    entry = record.look(visit, pk)
    record_read(visit.student, actor=visit.actor, route="guardian:proof", purpose=_("下载留痕证明"))
    words = json.dumps(
        inclusion_proof("audit_accessentry", entry.pk, with_entry=False), ensure_ascii=False, indent=1
    )
    response = HttpResponse(words, content_type="application/json")
    response["Content-Disposition"] = f'attachment; filename="proof-{entry.pk}.json"'
    response["Content-Security-Policy"] = "sandbox"
    return response


@login_not_required
@require_POST
def leave(request: HttpRequest) -> HttpResponse:
    if not request.user.is_authenticated:
        close_visit(request)
    response = redirect("guardian:enter")
    response["Clear-Site-Data"] = '"cache", "cookies", "storage"'  # RD-7
    return response


def _page(visit: Visit) -> dict[str, Any]:
    dossier = record.dossier_of(visit)
    return {
        "student": visit.student,
        "dossier": dossier,
        "blocks": [*dossier.blocks(), *dossier.family_blocks()],
        "looks": record.looks_at(visit),
        "business": record.business_of(visit),
        "acts": record.acts_on(visit),
        "code": visit.code,
    }


# ── At the school ──────────────────────────────
@requires(Right.GUARDIAN_CODE)
@require_http_methods(["GET", "POST"])
def hand_over(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """The codes of one pupil; a POST makes a new one and shows it this once, to be printed."""
    user: Any = request.user
    student, sight = open_record(user, public_id)
    request.subject = student  # type: ignore[attr-defined]
    form = CodeForm(request.POST if request.method == "POST" else None)
    fresh = None
    if request.method == "POST" and form.is_valid():
        row, code = codes.issue(student, form.cleaned_data["relation"], by=user)
        fresh = {"row": row, "code": code, "groups": [code[n : n + 4] for n in range(0, len(code), 4)]}
        address = request.build_absolute_uri(reverse("guardian:enter"))
        fresh["address"], fresh["qr"] = (
            address,
            segno.make(address, error="m", micro=False).svg_data_uri(scale=3),
        )
    record_read(student, actor=user, route="exchange:guardian_codes", fields=["basic"])
    handed_out = GuardianCode.objects.filter(student=student, org_path=student.org_path)
    context = {
        "student": student, "form": form, "fresh": fresh, "rows": list(handed_out.order_by("-id")[:20]),
        "may_issue": user.may_act_at(Right.GUARDIAN_CODE, student.org_path),
    }  # fmt: skip
    return render(request, "exchange/guardian_codes.html", context, status=400 if form.errors else 200)


@requires(Right.GUARDIAN_CODE)
@require_POST
def end_code(request: HttpRequest, pk: int) -> HttpResponse:
    user: Any = request.user
    row = get_object_or_404(GuardianCode.objects.visible_to(user, Right.GUARDIAN_CODE), pk=pk)
    student = get_object_or_404(Student.objects.visible_to(user, Right.VIEW_STUDENT), pk=row.student_id)
    codes.end(row, by=user)
    return redirect("exchange:guardian_codes", student.public_id)
