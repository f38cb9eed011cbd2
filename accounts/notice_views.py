"""Her notices, where one leads, and which of them reach her how."""

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts import notices as service
from accounts.forms import ChoicesForm
from accounts.models import Notice
from accounts.rights import requires
from config.errors import BadRequest, NotFound
from config.paging import count_up_to


@requires()
@require_GET
def notices(request: HttpRequest) -> HttpResponse:
    """Her notices, newest first."""
    user: Any = request.user
    only_unread = request.GET.get("unread", "")
    if only_unread not in ("", "1"):
        raise NotFound()
    rows = service.own_notices(user)
    if only_unread:
        rows = rows.filter(read_at=None)
    total = count_up_to(rows)
    if after := request.GET.get("after", ""):
        rows = rows.filter(pk__lt=own_notice(user, after).pk)
    found = list(rows.order_by("-pk")[: service.PAGE + 1])
    shown = found[: service.PAGE]
    context = {
        "rows": [(notice, service.KINDS[notice.kind].label) for notice in shown],
        "after": shown[-1].pk if len(found) > service.PAGE else "",
        "total": total,
        "only_unread": only_unread,
        "newest": shown[0].pk if shown else 0,
    }
    return render(request, "accounts/notices.html", context)


def own_notice(user: Any, pk: str) -> Notice:
    """Raises NotFound for what is not a notice of hers."""
    if not (pk.isascii() and pk.isdigit() and len(pk) < 19):
        raise NotFound()
    found = service.own_notices(user).filter(pk=int(pk)).first()
    if found is None:
        raise NotFound()
    return found


@requires()
@require_POST
def read_all(request: HttpRequest) -> HttpResponse:
    """Mark as read what she has been shown; what came since stays."""
    user: Any = request.user
    newest = own_notice(user, request.POST.get("newest", ""))
    service.mark_read(service.own_notices(user).filter(pk__lte=newest.pk))
    return redirect("accounts:notices")


@requires()
@require_POST
def notice(request: HttpRequest, pk: int) -> HttpResponse:
    """Mark it as read and go where it leads."""
    user: Any = request.user
    found = own_notice(user, str(pk))
    service.mark_read(Notice.objects.filter(pk=found.pk))
    is_ours = found.target.startswith("/") and url_has_allowed_host_and_scheme(found.target, None)
    return redirect(found.target if is_ours else reverse("accounts:notices"))


@requires()
@require_http_methods(["GET", "POST"])
def choices(request: HttpRequest) -> HttpResponse:
    """Which kinds reach her in the page and by e-mail, and at which address."""
    user: Any = request.user
    # Every switch off sends nothing but the token: still a form to be read.
    given = request.POST if request.method == "POST" else None
    form = ChoicesForm(given, choices=service.choices_of(user), initial={"email": user.email})
    if given is not None:
        if unknown := set(given) - {*form.fields, "csrfmiddlewaretoken"}:
            raise BadRequest(why="、".join(sorted(unknown))[:60])
        if form.is_valid():
            service.choose(user, form.cleaned_data["email"], form.wanted())
            messages.success(request, _("通知设置已保存。"))
            return redirect("accounts:notice_choices")
    context = {"form": form, "lines": form.lines(), "mail_is_on": settings.MAIL_IS_ON}
    return render(request, "accounts/notice_choices.html", context, status=400 if form.errors else 200)
