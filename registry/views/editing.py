"""Maintenance of a record's normal fields by the school's registrar (R-UPD-05)."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from accounts.rights import explain, requires
from accounts.roles import Right
from audit.budgets import spend
from audit.services import record_read
from config.errors import Refusal
from registry.fields import BY_KEY
from registry.forms import EditForm
from registry.queries.dossier import open_dossier
from registry.queries.sight import open_record
from registry.services.editing import update_normal
from registry.services.locks import refuse_if_locked
from registry.services.refusals import frozen


@sensitive_post_parameters()
@require_http_methods(["GET", "POST"])
@requires(Right.EDIT_STUDENT)
def edit(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """GET shows the form; POST saves what was changed, or shows it again with everything typed and what is
    wrong.
    """
    user: Any = request.user
    pupil, sight = open_record(user, public_id)
    request.subject = pupil  # type: ignore[attr-defined]
    explain(user, Right.EDIT_STUDENT, at=pupil.org_path).or_raise()
    dossier = open_dossier(pupil, sight)
    if request.method == "GET":
        if not dossier.is_open:
            raise frozen(dossier.record.enrolment.status)
        refuse_if_locked(pupil)
        spend(user, "records")
        record_read(pupil, actor=user, route="registry:student_edit", fields=["edit"])
        return _page(request, EditForm.blank(dossier))
    form = EditForm.read(request.POST.dict(), dossier)
    try:
        changed = update_normal(pupil, form.changes(), version=form.version, actor=user)
    except Refusal as refusal:
        request.refusal = refusal  # type: ignore[attr-defined]
        return _page(request, form, refusal)
    if changed:
        names = "、".join(BY_KEY[key].label_zh for key in changed)
        messages.success(request, _("已保存：{names}。").format(names=names))
    else:
        messages.info(request, _("没有改动，未保存。"))
    return redirect("registry:student", pupil.public_id)


def _page(request: HttpRequest, form: EditForm, refusal: Refusal | None = None) -> HttpResponse:
    return render(
        request,
        "registry/edit.html",
        {
            "student": form.dossier.student,
            "form": form,
            "refusal": refusal,
            "labels": {key: item.label_zh for key, item in BY_KEY.items()},
        },
        status=refusal.status if refusal else 200,
    )
