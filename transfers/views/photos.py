"""照片采集 as a case: handing a batch in, looking at its photos, sending a returned one on again."""

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
from archives.photo_queries import open_batch, read_files
from archives.photo_views import show_batch
from audit.services import record_list, record_read
from config.errors import BadRequest, NotFound, Refusal
from transfers import services
from transfers.casefile import open_file
from transfers.forms import expect
from transfers.models import Case
from transfers.photos import batch_of, submit_photos
from transfers.queries import open_case

PAGE = 24  # photos to look at on one page


@requires(Right.FILE)
@require_POST
def submit(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Hand a checked batch in; `skips_wrong` leaves the refused files out."""
    user: Any = request.user
    found = open_batch(user, public_id)
    request.subject = found  # type: ignore[attr-defined]
    expect(request.POST, "skips_wrong")
    try:
        case = submit_photos(found, actor=user, skips_wrong=request.POST.get("skips_wrong") == "1")
    except Refusal as refusal:
        request.refusal = refusal  # type: ignore[attr-defined]
        return show_batch(request, open_batch(user, public_id), refusal)
    messages.success(request, _("已提交，办件号 {number}。").format(number=case.number))
    return redirect("transfers:case", case.number)


@requires(Right.VIEW_CASE)
@require_GET
def case_photos(request: HttpRequest, number: str) -> HttpResponse:
    """The photos beside the present ones, some at a time. One access entry for the page; each photo, as it
    opens, leaves its own (RD-3).
    """
    user: Any = request.user
    case = open_case(user, number)
    request.subject = case  # type: ignore[attr-defined]
    record_read(case, actor=user, route="transfers:case_photos", purpose=_("核对照片"))
    context = {"file": open_file(case, user), "case": case, "page": _page(request, user, case)}
    return render(request, "transfers/case_photos.html", context)


def _page(request: HttpRequest, user: User, case: Case) -> Any:
    batch = batch_of(case, user)
    if batch is None:
        raise NotFound()
    page = read_files(user, batch, request.GET.get("after", ""), which="good", size=PAGE)
    record_list("student", page.pupil_ids, actor=user, route="transfers:case_photos", purpose=_("核对照片"))
    return page


def correct_photos(request: HttpRequest, user: User, case: Case) -> HttpResponse:
    """A returned batch: photos that were objected to are taken out, the others go on their way again."""
    refusal: Refusal | None = None
    expect(request.POST, "dropped")
    dropped = request.POST.getlist("dropped")
    if not all(text.isascii() and text.isdigit() and len(text) < 5 for text in dropped):
        raise BadRequest(why="dropped")
    if request.method == "POST":
        try:
            services.refile(case, actor=user, payload={"dropped": [int(text) for text in dropped]})
            messages.success(request, _("{number} 已补正并重新提交。").format(number=case.number))
            return redirect("transfers:case", case.number)
        except Refusal as refused:
            refusal = refused
            request.refusal = refused  # type: ignore[attr-defined]
            case = open_case(user, case.number)
    batch = batch_of(case, user)
    if batch is None:
        raise NotFound()
    page = read_files(user, batch, which="good", size=batch.files_total)
    record_list("student", page.pupil_ids, actor=user, route="transfers:correct", purpose=_("退回补正"))
    back = next((s for s in case.steps.order_by("-ordinal") if s.decision == "return"), None)
    context = {"case": case, "page": page, "back": back, "dropped": dropped, "refusal": refusal}
    return render(
        request, "transfers/correct_photos.html", context, status=refusal.status if refusal else 200
    )
