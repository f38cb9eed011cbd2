"""Materials: take in, attach to a pupil, open, take back, purge."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

import structlog
from django.conf import settings
from django.db import transaction
from django.http import HttpRequest

from accounts.models import Organization, User
from accounts.rights import explain
from accounts.roles import Right
from archives.images import limits_in_force, read_image, read_photo
from archives.models import Material
from archives.pdfs import JPEG, is_pdf, read_pdf
from archives.refusals import FileTooLarge, KindUnknown, MaterialTaken, UploadGone
from audit.services import Actor, System, record
from config import sealed_files
from config.crypto import DoesNotOpen
from config.rules import rule
from config.scope import NATION, ScopedQuerySet, scoped_transaction
from registry.codes import is_code
from registry.models import Student

log = structlog.get_logger(__name__)
UPLOADERS = (Right.FILE, Right.EDIT_STUDENT, Right.MANAGE_OFFICES, Right.DECIDE)
BATCH = 200
MATERIAL_TABLE = "archives_material"


def refuse_oversized(request: HttpRequest) -> None:
    """Raise FileTooLarge for a request above what memory takes: its file never arrives, and that is why."""
    if int(request.headers.get("Content-Length") or 0) > settings.FILE_UPLOAD_MAX_MEMORY_SIZE:
        raise FileTooLarge(limit=rule("EVIDENCE_MAX_KB").number)


@transaction.atomic
def add_material(data: bytes, *, kind: str, evidence_type: str = "", actor: User) -> Material:
    """Take in one file for the office she acts for, written anew and sealed; it belongs to no pupil yet.

    Raises NotAllowed, KindUnknown and the refusals of archives.images and archives.pdfs. When the caller
    rolls back, the sealed file stays behind under a name that no row knows.
    """
    _refuse_unless_uploader(actor)
    if kind not in Material.Kind or (evidence_type and not is_code("evidence_type", evidence_type)):
        raise KindUnknown()
    if kind == Material.Kind.PHOTO and evidence_type:
        raise KindUnknown()  # A photo that calls itself a paper would meet a requirement for papers.
    return keep(data, kind=kind, evidence_type=evidence_type, actor=actor)


def keep(data: bytes, *, kind: str, evidence_type: str, actor: User) -> Material:
    """`add_material` for a caller who has asked whether she may."""
    limits = limits_in_force(actor.acting_path)
    if kind == Material.Kind.PHOTO:
        content, content_type = read_photo(data, limits), JPEG
    else:
        content, content_type = read_pdf(data, limits) if is_pdf(data) else (read_image(data, limits), JPEG)
    material = Material.objects.create(
        org_path=actor.acting_path,
        kind=kind,
        evidence_type=evidence_type,
        content_type=content_type,
        size=len(content),
        digest=sealed_files.digest_of(content),
        stored_as=sealed_files.store(content, MATERIAL_TABLE),
        created_by=actor.pk,
        created_by_name=actor.name,
    )
    record("archives.material.add", material, actor=actor, kind=kind, evidence_type=evidence_type)
    return material


def find_uploads(ids: Iterable[str | UUID], *, actor: User) -> list[Material]:
    """The materials a form names, each once, in its order, all of her acting office. Raises UploadGone."""
    wanted = list(dict.fromkeys(_as_uuid(text) for text in ids))
    mine = Material.objects.visible_to(actor, Right.VIEW_STUDENT).filter(org_path=actor.acting_path)
    found = {material.public_id: material for material in mine.filter(public_id__in=wanted)}
    if len(found) < len(wanted):
        raise UploadGone()
    return [found[public_id] for public_id in wanted]


@transaction.atomic
def attach(materials: Iterable[Material], student: Student, *, actor: Actor | None = None) -> None:
    """Make uploads of the pupil's own office part of her file; safe to repeat for the same pupil.

    The UPDATE names the state it expects. Raises MaterialTaken, and nothing is attached, when one belongs to
    another pupil or office. A case that files materials is the recorded act; otherwise give the `actor`.
    """
    for material in materials:
        own = Material.objects.filter(pk=material.pk, org_path=student.org_path)
        taken = own.filter(student=None).update(student=student)
        if not taken and not own.filter(student=student).exists():
            raise MaterialTaken()
        if taken and actor:
            record("archives.material.attach", student, actor=actor, material=material.pk, kind=material.kind)


def open_material(material: Material) -> bytes:
    """The file itself; whoever calls records the read. Raises DoesNotOpen, which is an alarm (W15)."""
    try:
        return sealed_files.load(material.stored_as, MATERIAL_TABLE, material.digest)
    except DoesNotOpen:
        log.error("material_does_not_open", material=material.pk)
        raise


def current_photo(student: Student) -> Material | None:
    """The latest photo on the pupil's file."""
    return Material.objects.filter(student=student, kind=Material.Kind.PHOTO).order_by("-pk").first()


@transaction.atomic
def remove_upload(material: Material, *, actor: User) -> None:
    """Erase an upload of her office that no pupil's file holds. Raises NotAllowed or MaterialTaken."""
    _refuse_unless_uploader(actor)
    own = Material.objects.filter(pk=material.pk, org_path=actor.acting_path, student=None)
    locked = own.exclude(evidence__isnull=False).select_for_update().first()
    if locked is None:
        raise MaterialTaken()
    _destroy(locked, "archives.material.remove", actor=actor)


def purge_unattached(before: datetime) -> int:
    """Erase uploads of the whole country from before that moment that no pupil's file holds; how many (RD-8).

    Safe to cut and to repeat.
    """
    done = 0
    for path in top_paths():
        while count := _purge_batch(path, before):
            done += count
    return done


def count_unattached(before: datetime) -> int:
    """How many uploads `purge_unattached` would erase now."""
    total = 0
    for path in top_paths():
        with scoped_transaction(path):
            total += _unattached(path, before).count()
    return total


def _purge_batch(path: str, before: datetime) -> int:
    with scoped_transaction(path):
        rows = list(_unattached(path, before).select_for_update(skip_locked=True).order_by("pk")[:BATCH])
        for material in rows:
            _destroy(material, "archives.material.purge", actor=System(path))
        return len(rows)


def _unattached(path: str, before: datetime) -> ScopedQuerySet:
    loose = Material.objects.within(path).filter(student=None, created_at__lt=before)
    return loose.exclude(evidence__isnull=False)  # a case about many pupils holds papers of its own


def _destroy(locked: Material, action: str, *, actor: Actor) -> None:
    record(action, locked, actor=actor, kind=locked.kind)
    name = locked.stored_as
    locked.delete()
    # Before the commit: cut here, the row comes back and is purged again. Afterwards a cut would leave a
    # child's photo behind for ever.
    sealed_files.erase(name)


def top_paths() -> list[str]:
    """The paths right below the nation: jobs over the whole country go through them one by one."""
    tops = Organization.objects.filter(parent__path=NATION).order_by("path")
    return list(tops.values_list("path", flat=True))


def _refuse_unless_uploader(actor: User) -> None:
    if not any(actor.may_act_at(right, actor.acting_path) for right in UPLOADERS):
        explain(actor, Right.FILE, at=actor.acting_path).or_raise()


def _as_uuid(text: str | UUID) -> UUID:
    try:
        return text if isinstance(text, UUID) else UUID(text)
    except ValueError:
        raise UploadGone() from None
