"""Filing and finishing cases in tests, the way page, API and worker do."""

import io
from typing import Any

from django.db.models import Q
from PIL import Image

from accounts.models import User
from archives.models import Material, PhotoBatch
from archives.services import add_material
from config.models import Outbox
from registry.models import ImportRow, Reorganization, Student
from registry.reorganizing.rehearse import rehearse
from tests import make
from tests.archives.photo_zips import JPEG, checked, pupils
from transfers.completion import perform_owed
from transfers.intake import file_batch_case
from transfers.kinds.offices import follow
from transfers.kinds.registration import REGISTRATION
from transfers.models import Case
from transfers.photos import submit_photos
from transfers.services import decide, file_case


def picture(width: int = 300, height: int = 400, colour: tuple[int, int, int] = (90, 140, 200)) -> bytes:
    """A small real JPEG."""
    buffer = io.BytesIO()
    Image.new("RGB", (width, height), colour).save(buffer, "JPEG")
    return buffer.getvalue()


def make_material(actor: User, evidence_type: str = "01") -> Material:
    return add_material(picture(), kind="document", evidence_type=evidence_type, actor=actor)


def file_pupil(office: dict[str, Any], *, actor: User | None = None, **given: Any) -> Case:
    """File a registration by `office`'s registrar into its class; `given` overrides values, materials,
    payload, class.
    """
    school_class = given.get("school_class", office["class"])
    materials = given.get("materials")
    return file_case(
        REGISTRATION,
        make.make_office(make.SCHOOL),
        actor=actor or office["registrar"],
        materials=[make_material(office["registrar"])] if materials is None else materials,
        payload=given.get("payload", {}) | {"class_id": school_class.pk},
        values=given.get("values") or make.valid_values(),
        class_id=school_class.pk,
    )


def file_batch(office: dict[str, Any], count: int = 5, *, reach: str = "", **given: Any) -> Case:
    """The one case of a committed batch of `count` pupils, filed as the commit's job does."""
    batch = make.make_committed_batch(make.SCHOOL, count, **given)
    return file_batch_case(batch, actor=office["registrar"], reach=reach or make.SCHOOL, attested=True)


def file_photos(office: dict[str, Any]) -> tuple[PhotoBatch, Case]:
    """The case of a class's photos, one pupil's, filed as the page does."""
    school_class = make.make_class(name="照片班")
    pupils(school_class, "照片学生")
    batch = checked(school_class, {"照片学生.jpg": JPEG}, actor=office["registrar"])
    return batch, submit_photos(batch, actor=office["registrar"], skips_wrong=False)


def decide_all(case: Case, office: dict[str, Any]) -> None:
    """Leader and reviewer approve."""
    for person in ("leader", "reviewer"):
        ticked = list(case.evidence.values_list("type", flat=True))
        decide(Case.objects.get(pk=case.pk), "approve", actor=office[person], ticked=ticked)


def finish(subject: Case | Student) -> None:
    """What the worker does with the effect that is owed for this case or pupil."""
    kind = "complete_case" if isinstance(subject, Case) else "number_student"
    perform_owed(Outbox.objects.get(kind=kind, subject_id=subject.pk, done_at=None).pk)


def finish_batch(case: Case) -> None:
    """What the worker does after the last decision on a batch: effect, packs, and who is left over."""
    finish(case)
    rows = ImportRow.objects.filter(batch=case.batch)
    for about in (
        Q(kind="number_batch", subject_id__in=rows.values("pk")),
        Q(kind="number_student", subject_id__in=rows.values("student_id")),
    ):
        for pk in Outbox.objects.filter(about, done_at=None).order_by("id").values_list("pk", flat=True):
            perform_owed(pk)


def make_rehearsal(actor: User) -> Reorganization:
    """A rehearsed and not yet filed change of name of the school, by its county."""
    values = {"name": "新名称学校", "document_no": "深教〔2026〕12号", "document_by": "深圳市教育局",
              "document_on": "2026-01-05"}  # fmt: skip
    at, office = actor.own_office, make.make_office(make.SCHOOL)
    assert at is not None
    return rehearse("office_rename", at, office, values, actor=actor, after=follow)
