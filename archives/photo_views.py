"""照片采集: choose a class, upload its ZIP, look at the result, open a photo (HANDBOOK C4)."""

from typing import Any
from uuid import UUID

from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.rights import requires
from accounts.roles import Right
from archives import photo_queries as queries
from archives import photos as services
from archives.models import Material, PhotoBatch, PhotoFile
from archives.photo_refusals import ZipMissing
from archives.services import open_material
from archives.views import image_answer
from audit.services import record_list, record_read
from config.errors import NotFound, Refusal
from config.rules import rule
from registry.models import Student
from registry.queries.imports import progress_of
from registry.queries.rosters import number_in

State = PhotoBatch.State


@requires(Right.FILE)
@require_http_methods(["GET", "POST"])
def photos(request: HttpRequest) -> HttpResponse:
    """Classes with how many photos are missing, and the batches so far; POST takes the ZIP of a class in."""
    user: Any = request.user
    refusal: Refusal | None = None
    chosen = request.POST.get("class") or request.GET.get("class", "")
    if request.method == "POST":
        try:
            batch = _take_in(request, chosen, user)
            return redirect("archives:photo_batch", batch.public_id)
        except NotFound:
            raise
        except Refusal as refused:
            refusal = refused
            request.refusal = refused  # type: ignore[attr-defined]
    rows, after = queries.read_batches(user, request.GET.get("after", ""))
    context = {
        "classes": queries.read_classes(user), "chosen": chosen, "refusal": refusal, "rows": rows,
        "after": after, "megabytes": rule("PHOTO_ZIP_MB").number, "most": rule("PHOTO_ZIP_MOST").number,
    }  # fmt: skip
    return render(request, "archives/photos.html", context, status=refusal.status if refusal else 200)


def _take_in(request: HttpRequest, chosen: str, user: Any) -> PhotoBatch:
    sent = request.FILES.get("file")
    if sent is None:
        raise ZipMissing(limit=rule("PHOTO_ZIP_MB").number)
    school_class = queries.own_classes(user).filter(pk=number_in(chosen)).first()
    if school_class is None:
        raise NotFound()
    return services.take_in(school_class, sent.name or "", sent.read(), actor=user)


@requires(Right.FILE)
@require_GET
def photo_batch(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """One batch: its progress, file by file the pupil or the reason, or what became of it."""
    return show_batch(request, queries.open_batch(_user(request), public_id))


def _user(request: HttpRequest) -> Any:
    return request.user


def show_batch(request: HttpRequest, found: PhotoBatch, refusal: Refusal | None = None) -> HttpResponse:
    user, which = _user(request), request.GET.get("which", "")
    page = queries.read_files(user, found, request.GET.get("after", ""), which=which)
    record_list("student", page.pupil_ids, actor=user, route="archives:photo_batch")
    context = {
        "batch": found, "page": page, "which": which, "refusal": refusal, "progress": progress_of(found.job)
    }  # fmt: skip
    return render(request, "archives/photo_batch.html", context, status=refusal.status if refusal else 200)


@requires(Right.FILE)
@require_GET
def photo_progress(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """The progress alone, asked for every second; when the work is over the page is loaded anew."""
    found = queries.open_batch(_user(request), public_id)
    context = {"batch": found, "progress": progress_of(found.job)}
    response = render(request, "archives/_photo_progress.html", context)
    if found.state not in (State.WAITING, State.CHECKING):
        response["HX-Refresh"] = "true"
    return response


@requires(Right.FILE)
@require_POST
def photo_cancel(request: HttpRequest, public_id: UUID) -> HttpResponse:
    found = queries.open_batch(_user(request), public_id)
    request.subject = found  # type: ignore[attr-defined]
    services.cancel(found, actor=_user(request))
    return redirect("archives:photo_batch", found.public_id)


@requires(Right.VIEW_STUDENT)
@require_GET
def photo_file(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """One photo of a batch; offices above see it once the batch is a case. Each opening leaves its trace."""
    user = _user(request)
    seen = PhotoFile.objects.visible_to(user, Right.VIEW_STUDENT).filter(public_id=public_id, failure={})
    handed_in = Q(batch__state__in=(State.SUBMITTED, State.DONE))
    found = seen.filter(handed_in | Q(org_path=user.acting_path)).first()
    pupils = Student.objects.visible_to(user, Right.VIEW_STUDENT)
    student = pupils.filter(pk=found.student_id or 0).first() if found else None
    material = None
    if found is not None and found.material_id is not None:
        material = Material.objects.visible_to(user, Right.VIEW_STUDENT).filter(pk=found.material_id).first()
    if found is None or student is None or not (material or found.stored_as):
        raise NotFound()
    record_read(student, actor=user, route="archives:photo_file", fields=["photo"])
    return image_answer(open_material(material) if material else services.open_photo(found), found.public_id)
