"""Accounts in bulk: template, upload, every row's faults, all or nothing, the printed first codes."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.administration import lists as service
from accounts.administration import workbook
from accounts.people_forms import ListForm
from accounts.people_views.acting import offices_of, posted, status_of, try_to
from accounts.rights import requires
from accounts.roles import Right
from accounts.step_up import require_step_up
from config.errors import Refusal
from config.rules import rules

_XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@requires(Right.MANAGE_ACCOUNTS)
@require_GET
def template(request: HttpRequest) -> HttpResponse:
    """The empty workbook with the codes of her offices."""
    answer = HttpResponse(workbook.template(offices_of(request)), content_type=_XLSX)
    answer["Content-Disposition"] = "attachment; filename*=UTF-8''%E8%B4%A6%E5%8F%B7%E5%90%8D%E5%8D%95.xlsx"
    return answer


@requires(Right.MANAGE_ACCOUNTS)
@require_http_methods(["GET", "POST"])
def lists(request: HttpRequest) -> HttpResponse:
    """Her lists that wait for a word; POST uploads one and leads to its check."""
    user: Any = request.user
    form = ListForm(posted(request), request.FILES if request.method == "POST" else None)
    refusal: Refusal | None = None
    held = rules(["INTAKE_FILE_MB", "ACCOUNT_LIST_ROWS"])
    if request.method == "POST" and form.is_valid():
        file = form.cleaned_data["file"]
        content = file.read(held["INTAKE_FILE_MB"].number * 1024**2 + 1)
        kept, refusal = try_to(request, lambda: service.upload(content, file.name or "", actor=user))
        if kept:
            return redirect("accounts:account_list", public_id=kept.public_id)
    context = {
        "form": form,
        "refusal": refusal,
        "rows": list(service.own_lists(user).filter(done_at=None).order_by("-pk")[:20]),
        "most_rows": held["ACCOUNT_LIST_ROWS"].number,
    }
    return render(request, "accounts/account_lists.html", context, status=status_of(form, refusal))


@requires(Right.MANAGE_ACCOUNTS)
@require_http_methods(["GET", "POST"])
def one_list(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Every row and what is wrong with it; POST creates them all and shows the first codes, once."""
    user: Any = request.user
    refusal: Refusal | None = None
    if request.method == "POST":

        def confirm() -> Any:
            require_step_up(request)
            return service.confirm(public_id, actor=user)

        slips, refusal = try_to(request, confirm)
        if slips:
            messages.success(request, _("已建立 {n} 个账号。").format(n=len(slips)))
            return render(request, "accounts/code_slips.html", {"slips": slips})
    kept = get_object_or_404(service.own_lists(user), public_id=public_id)
    rows = service.checked_rows(kept, user)
    context = {
        "list": kept,
        "headings": workbook.HEADINGS,
        "rows": rows,
        "wrong": sum(bool(row.faults) for row in rows),
        "refusal": refusal,
    }
    return render(request, "accounts/account_list.html", context, status=status_of(None, refusal))


@requires(Right.MANAGE_ACCOUNTS)
@require_POST
def drop(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Forget an uploaded list."""
    user: Any = request.user
    service.drop(public_id, actor=user)
    messages.success(request, _("名单已删除。"))
    return redirect("accounts:account_lists")
