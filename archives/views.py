"""Uploads as fragments, files as attachments; every image shown leaves its trace (SECURITY FI-4, RD-3)."""

import re
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET, require_POST

from accounts.models import User
from accounts.rights import requires
from accounts.roles import Right
from archives.models import Material
from archives.pdfs import JPEG, PDF
from archives.refusals import FileMissing, UploadGone
from archives.services import (
    UPLOADERS,
    add_material,
    current_photo,
    find_uploads,
    open_material,
    refuse_oversized,
    remove_upload,
)
from audit.services import record_read
from config.errors import NotFound, Refusal
from registry.codes import label
from registry.models import Student


@require_POST
@requires(*UPLOADERS)
def upload(request: HttpRequest) -> HttpResponse:
    """POST file, kind, evidence_type; `field` names the hidden input and may bring what it held until now.

    The type may also stand in the address: a field for one certain paper knows it beforehand. A refused file
    leaves the form as it was: the answer holds the former upload and the sentence.
    """
    user: Any = request.user
    kind = request.POST.get("kind", "")
    evidence_type = request.POST.get("evidence_type") or request.GET.get("evidence_type", "")
    field = request.POST.get("field", "")
    if not re.fullmatch("[a-z][a-z0-9_]{0,40}", field):
        field = "photo" if kind == Material.Kind.PHOTO else "document"
    refusal: Refusal | None = None
    material: Material | None
    try:
        material = add_material(sent_file(request), kind=kind, evidence_type=evidence_type, actor=user)
    except Refusal as refused:
        refusal = refused
        request.refusal = refused  # type: ignore[attr-defined]
        material = _former(request.POST.get(field, ""), user)
    context = {"material": material, "field": field, "refusal": refusal, "type_label": _type_label(material)}
    return render(request, "archives/_uploaded.html", context, status=refusal.status if refusal else 200)


@require_POST
@requires(*UPLOADERS)
def remove(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Take an upload back; the page drops its fragment."""
    user: Any = request.user
    remove_upload(_material(public_id, user), actor=user)
    return HttpResponse()


@require_GET
@requires(Right.VIEW_STUDENT)
def material(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """One file: of a pupil she may see, or an upload of her own office that is not on any file yet."""
    user: Any = request.user
    found = _material(public_id, user)
    fields = ["photo" if found.kind == Material.Kind.PHOTO else "material"]
    record_read(found.student or found, actor=user, route="archives:material", fields=fields)
    return image_answer(open_material(found), found.public_id, found.content_type)


@require_GET
@requires(Right.VIEW_STUDENT)
def photo(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """The latest photo of a pupil she may see."""
    user: Any = request.user
    student = Student.objects.visible_to(user, Right.VIEW_STUDENT).filter(public_id=public_id).first()
    found = current_photo(student) if student else None
    if student is None or found is None:
        raise NotFound()
    record_read(student, actor=user, route="archives:photo", fields=["photo"])
    return image_answer(open_material(found), found.public_id)


def _material(public_id: UUID, user: User) -> Material:
    # What is not filed yet is a school's own working paper: offices above see it once it belongs to a pupil
    # or a case.
    seen = Material.objects.visible_to(user, Right.VIEW_STUDENT).filter(
        Q(student__isnull=False) | Q(evidence__isnull=False) | Q(org_path=user.acting_path),
        public_id=public_id,
    )
    found: Material | None = seen.select_related("student").first()
    if found is None:
        raise NotFound()
    return found


def sent_file(request: HttpRequest) -> bytes:
    file = request.FILES.get("file")
    # Never more in memory than an upload may hold; the rule's own limit is lower and refuses the rest.
    if file is not None:
        return bytes(file.read(settings.FILE_UPLOAD_MAX_MEMORY_SIZE))
    refuse_oversized(request)
    raise FileMissing()


def _former(public_id: str, user: User) -> Material | None:
    try:
        return find_uploads([public_id], actor=user)[0] if public_id else None
    except UploadGone:
        return None


def _type_label(shown: Material | None) -> str:
    if shown is None:
        return ""
    return label("evidence_type", shown.evidence_type) if shown.evidence_type else shown.get_kind_display()


def image_answer(content: bytes, public_id: UUID, content_type: str = JPEG) -> HttpResponse:
    """A file we wrote, under a policy of its own: opened by itself, it is saved and can run nothing."""
    ending = "pdf" if content_type == PDF else "jpg"
    return HttpResponse(
        content,
        content_type=content_type,
        headers={
            "Content-Disposition": f'attachment; filename="{public_id}.{ending}"',
            "Content-Security-Policy": "default-src 'none'; sandbox",
            "X-Content-Type-Options": "nosniff",
            "Cache-Control": "no-store",
        },
    )
