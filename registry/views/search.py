"""The search box. What is typed may be a name or a number, so it comes by POST and stands in no address
(RD-7).
"""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from accounts.models import Organization
from accounts.rights import requires
from accounts.roles import Right
from audit.services import record_list
from registry.queries.search import MOST_SUGGESTED, Found
from registry.queries.search import search as look

# The box stands on every page; who sees no pupils finds classes or schools with it.
_MAY_SEARCH = (Right.VIEW_STUDENT, Right.VIEW_OWN_CLASS, Right.VIEW_CLASS, Right.VIEW_OFFICE)


@sensitive_post_parameters("q")
@require_http_methods(["GET", "POST"])
@requires(*_MAY_SEARCH)
def search(request: HttpRequest) -> HttpResponse:
    """The results page. A GET shows the empty page: nobody puts what he looks for into an address."""
    user: Any = request.user
    if request.method == "GET":
        return render(request, "registry/search.html", {"text": "", "found": None, "may_file": False})
    text = request.POST.get("q", "").strip()
    found = look(user, text)
    _remember(found, request, "registry:search")
    if len(found.pupils) == 1 and not found.classes and set(found.kinds) <= {"number", "document"}:
        return redirect("registry:student", found.pupils[0]["public_id"])
    return render(
        request,
        "registry/search.html",
        {"text": text, "found": found, "may_file": user.may_act_at(Right.FILE, user.acting_path)},
    )


@sensitive_post_parameters("q")
@require_POST
@requires(*_MAY_SEARCH)
def suggest(request: HttpRequest) -> HttpResponse:
    """At most eight suggestions as a fragment."""
    user: Any = request.user
    text = request.POST.get("q", "").strip()
    found = look(user, text, MOST_SUGGESTED)
    _remember(found, request, "registry:suggest")
    left = max(0, MOST_SUGGESTED - len(found.classes) - len(found.schools))
    is_silent = not text or found.kinds == ["none"]
    return render(
        request,
        "registry/_suggestions.html",
        {
            "found": found,
            "pupils": found.pupils[:left],
            "is_silent": is_silent,
            "is_school": user.acting_office.kind == Organization.Kind.SCHOOL,
            "nothing": _("没有找到"),
        },
    )


def _remember(found: Found, request: HttpRequest, route: str) -> None:
    """One access entry with the ids that were shown; what was typed stays out of the log."""
    user: Any = request.user
    record_list("student", [row["student_id"] for row in found.pupils], actor=user, route=route)
