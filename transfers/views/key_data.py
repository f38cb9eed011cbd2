"""关键数据变更: current beside proposed, field by field, with the papers each asks for (R-UPD-06 to
R-UPD-08).
"""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts.idempotency import claim, form_digest
from accounts.models import User
from accounts.rights import explain, requires
from accounts.roles import Right
from archives.services import find_uploads
from audit.services import record_read
from config.errors import NotFound, Refusal
from registry.divisions import division_code
from registry.fields import BY_KEY
from registry.models import Student
from registry.queries.dossier import open_dossier
from registry.queries.sight import sight_of
from registry.services.key_data import PROPOSABLE, proposable
from transfers.forms import DIVISION_KEYS, LABELS, Asked, Sheet, expect, placed
from transfers.key_data import propose, propose_again
from transfers.kinds.identity_change import IDENTITY_CHANGE
from transfers.kinds.key_data import NEEDS, paper_choices, proposed_in
from transfers.models import Case
from transfers.views.registration import own_school, uploads_shown

_KEYS = (*PROPOSABLE, "happened_on", "key", "document", "file", "evidence_type")


@dataclass(frozen=True, slots=True)
class Proposal(Asked):
    """One field of the page: what stands there now, and what is proposed in its place."""

    now: str = ""

    @property
    def must(self) -> str:
        return ""

    @property
    def hint(self) -> str:
        return _("现登记：{now}").format(now=self.now or "—")


@requires(Right.FILE)
@require_http_methods(["GET", "POST"])
def identity_change(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Propose a change of key data for a pupil of the own school, with papers."""
    user: Any = request.user
    student = Student.objects.visible_to(user, Right.VIEW_STUDENT).filter(public_id=public_id).first()
    if student is None:
        raise NotFound()
    request.subject = student  # type: ignore[attr-defined]
    explain(user, Right.FILE, at=student.org_path).or_raise()
    if request.method == "GET":
        record_read(student, actor=user, route="transfers:identity_change", purpose=IDENTITY_CHANGE.name)
        return _show(request, user, student, {}, None)
    proposed, kept = _read(request)
    try:
        held = claim(
            user, "transfers:identity_change", request.POST.get("key", ""), form_digest(request.POST)
        )
        if held.location:
            return redirect(held.location)
        papers = find_uploads(kept, actor=user)
        case = propose(student, own_school(user), proposed, actor=user, materials=papers)
        location = reverse("transfers:case", args=[case.number])
        held.answer(302, location)
        messages.success(request, _("已提交，办件号 {number}。").format(number=case.number))
        return redirect(location)
    except Refusal as refusal:
        request.refusal = refusal  # type: ignore[attr-defined]
        return _show(request, user, student, proposed, refusal)


def correct_change(request: HttpRequest, user: User, case: Case) -> HttpResponse:
    """A returned change: the same page with what was proposed; POST sends it on its way again."""
    student = Student.objects.visible_to(user, Right.VIEW_STUDENT).filter(cases=case).first()
    if student is None:
        raise NotFound()
    if request.method == "GET":
        record_read(student, actor=user, route="transfers:correct", purpose=_("退回补正"))
        known = proposed_in(case.open_card()) | {"happened_on": case.payload["happened_on"]}
        return _show(request, user, student, known, None, case)
    proposed, kept = _read(request)
    try:
        propose_again(case, proposed, actor=user, materials=find_uploads(kept, actor=user))
        messages.success(request, _("{number} 已补正并重新提交。").format(number=case.number))
        return redirect("transfers:case", case.number)
    except Refusal as refusal:
        request.refusal = refusal  # type: ignore[attr-defined]
        return _show(request, user, student, proposed, refusal, case)


def _read(request: HttpRequest) -> tuple[dict[str, str], list[str]]:
    """What was proposed, and the uploads. Raises BadRequest for a key that the page does not have (AZ-5)."""
    expect(request.POST, *_KEYS)
    proposed = {key: request.POST.get(key, "").strip() for key in (*PROPOSABLE, "happened_on")}
    for key in DIVISION_KEYS & proposed.keys():
        proposed[key] = division_code(proposed[key])
    return proposed, [text for text in request.POST.getlist("document") if text]


def _show(
    request: HttpRequest,
    user: User,
    student: Student,
    proposed: dict[str, str],
    refusal: Refusal | None,
    case: Case | None = None,
) -> HttpResponse:
    found = (list(refusal.findings) or [placed(refusal)]) if refusal else []
    by_field: dict[str, list[Any]] = {}
    for finding in found:
        by_field.setdefault(finding.field, []).append(finding)
    dossier = open_dossier(student, sight_of(user, student))
    fields = [
        Proposal(BY_KEY[key], proposed.get(key, ""), dossier.line(BY_KEY[key]).shown)
        for key in proposable(student.org_path)
    ]
    back = case.steps.filter(decision="return").order_by("-ordinal").first() if case else None
    context = {
        "student": student,
        "record": dossier.record,
        "fields": fields,
        "proposed": proposed,
        "documents": uploads_shown(user, request.POST.getlist("document")),
        "papers": paper_choices(),
        "needs": [need for keys, need in NEEDS if keys & {field.key for field in fields}],
        "kind": IDENTITY_CHANGE,
        "case": case,
        "back": back,
        "refusal": refusal,
        "errors": by_field,
        "labels": LABELS,
        "key": request.POST.get("key") or Sheet({}).key,
    }
    return render(
        request, "transfers/identity_change.html", context, status=refusal.status if refusal else 200
    )
