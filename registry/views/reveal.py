"""The reveal of one masked value: one field, a reason, sixty seconds, one trace (RD-2, RD-6)."""

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_http_methods
from django.views.decorators.vary import vary_on_headers

from accounts.models import User
from accounts.rights import requires
from accounts.roles import RIGHT_LABELS, Right
from audit.budgets import spend
from audit.models import AccessEntry
from audit.services import record, record_read
from config.errors import BadRequest, NotAllowed, Refusal
from config.rules import rule
from registry.fields import BY_KEY
from registry.models import Student
from registry.protection import use_approval
from registry.queries.dossier import clear_value
from registry.queries.sight import REVEALABLE, mask, open_record

# Why a value may be looked at; the words enter the trace.
REASONS = {
    "check": _("核对证件原件"),
    "contact": _("联系学生或监护人"),
    "case": _("办理业务需要"),
    "problem": _("处理问题学籍"),
    "inspection": _("督查抽查"),
    "other": _("其他（请写明）"),
}
SHORTEST_REASON = 6  # characters, RD-2


class ReasonNeeded(Refusal):
    code, status, rule, article = "reason_needed", 422, "RD-2", "第二十四条"
    message = _("查看明文须选择事由并写明情况（至少 {count} 个字）。查看会被记录。")


@requires(Right.VIEW_STUDENT, Right.VIEW_OWN_CLASS, Right.VIEW_HEALTH)
@require_http_methods(["GET", "POST"])
@vary_on_headers("HX-Request")
def reveal(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """GET asks for the reason, POST answers the value; each as a fragment, or as a page without htmx."""
    user: Any = request.user
    pupil, sight = open_record(user, public_id)
    request.subject = pupil  # type: ignore[attr-defined]
    asked = request.POST if request.method == "POST" else request.GET
    key = asked.get("field", "")
    if not sight.shows("reveal"):
        raise NotAllowed(right=str(RIGHT_LABELS[Right.VIEW_IDENTITY]), who="")
    if key not in REVEALABLE:
        raise BadRequest(why=gettext("没有这个可以显示明文的项目"))
    if not sight.reveals(key):
        raise NotAllowed(right=str(RIGHT_LABELS[Right.VIEW_IDENTITY]), who="")
    context: dict[str, Any] = {
        "student": pupil,
        "key": key,
        "label": BY_KEY[key].label_zh,
        "reasons": REASONS,
    }
    if request.method == "GET":
        return _answer(request, "_reveal_form", context)
    try:
        reason = _reason(request)
        spend(user, "reveals")
        if sight.is_guarded:
            use_approval(pupil, key, actor=user, reason=reason)
    except Refusal as refusal:
        request.refusal = refusal  # type: ignore[attr-defined]
        typed = {
            "refusal": refusal,
            "reason": request.POST.get("reason", ""),
            "text": request.POST.get("text", ""),
        }
        return _answer(request, "_reveal_form", context | typed, refusal.status)
    value = reveal_value(pupil, key, actor=user, reason=reason)
    shown = {
        "value": value,
        "mask": mask(key, value),
        "seconds": rule("REVEAL_SECONDS", at=pupil.org_path).number,
    }
    response = _answer(request, "_revealed", context | shown)
    # The form's own answers stay in its drop-down; the value goes where its mask stood.
    response["HX-Retarget"] = "closest .secret"
    return response


def _answer(request: HttpRequest, name: str, context: dict[str, Any], status: int = 200) -> HttpResponse:
    if request.headers.get("HX-Request"):
        return render(request, f"registry/{name}.html", context, status=status)
    return render(
        request, "registry/reveal.html", context | {"fragment": f"registry/{name}.html"}, status=status
    )


def _reason(request: HttpRequest) -> str:
    """The reason in words. Raises ReasonNeeded."""
    chosen, text = request.POST.get("reason", ""), " ".join(request.POST.get("text", "").split())
    if chosen not in REASONS or len(text) < SHORTEST_REASON:
        raise ReasonNeeded(count=SHORTEST_REASON)
    return f"{REASONS[chosen]}：{text[:150]}"


def reveal_value(pupil: Student, key: str, *, actor: User, reason: str) -> str:
    """One value in clear, with the act and the read in the log, in the caller's transaction (RD-3)."""
    value = clear_value(pupil, key)
    record("registry.student.reveal", pupil, actor=actor, reason=reason, basis="RD-2", fields=[key])
    record_read(
        pupil,
        actor=actor,
        route="registry:reveal",
        purpose=reason,
        fields=[key],
        outcome=AccessEntry.Outcome.REVEAL,
    )
    return value
