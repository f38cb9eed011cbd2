"""The confirmation sheets of whole classes as a file: asked for, set by a job class after class, fetched
(R-VER-04). Setting a class takes seconds of processor, so none of it happens in a request.
"""

from collections.abc import Collection
from typing import IO, Any, cast
from uuid import UUID
from zipfile import ZIP_STORED, ZipFile

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from accounts.rights import acting_at
from accounts.roles import Right
from archives.models import SheetPrint
from archives.sheets import NobodyToPrint, read_papers, record_print, refuse_unless_hers, set_sheets
from audit.services import record, record_read
from config import sealed_files
from config.errors import NotFound, Refusal
from config.faults import fault
from config.jobs import JobCancelled, held, queue, report
from config.models import Job
from config.scope import scoped_transaction
from registry.exporting.collecting import Collected
from registry.exporting.made import State, finish_file, give_up, open_for, request_by
from registry.exporting.sheets import file_name
from registry.models import Enrolment, SchoolClass
from registry.queries.sight import classes_seen_by
from registry.verification.rolls import NoCampaign, verification_of

PRINT = "archives.tasks.print_sheets"
TABLE = "archives_sheetprint"
MOST = 300  # classes of one school
_FILES = "确认表"  # how their names begin


class ClassNotChosen(Refusal):
    code, status, rule = "class_not_chosen", 422, "R-VER-04"
    message = _("没有选班级。请勾选要打印的班级，一次最多 {most} 个。")


@transaction.atomic
def ask(ids: Collection[int], *, actor: User) -> SheetPrint:
    """Queue the sheets of these classes; pressed twice it is one file.

    Raises ClassNotChosen, NotFound, NotAllowed, NoCampaign, NobodyToPrint.
    """
    wanted = sorted(set(ids))
    if not 0 < len(wanted) <= MOST:
        raise ClassNotChosen(most=MOST)
    seen = classes_seen_by(actor).filter(pk__in=wanted, is_open=True, org_path=actor.acting_path)
    if seen.count() < len(wanted):
        raise NotFound()
    # Their rows queue two who ask at once.
    rows = SchoolClass.objects.select_for_update(no_key=True).filter(pk__in=wanted).order_by("pk")
    classes = sorted(rows, key=lambda one: (one.grade, one.number))
    for school_class in classes:
        refuse_unless_hers(actor, school_class)
    if verification_of(actor.acting_path) is None:
        raise NoCampaign()
    if not Enrolment.objects.in_school().filter(school_class__in=wanted).exists():
        raise NobodyToPrint()
    order = [one.pk for one in classes]
    mine = SheetPrint.objects.filter(requested_by=actor, state=State.WAITING, org_path=actor.acting_path)
    if known := mine.filter(classes=order).first():
        return cast(SheetPrint, known)
    names = "、".join(one.name for one in classes)
    made = SheetPrint.objects.create(
        classes=order, class_names=names if len(names) <= 200 else f"{names[:180]}等 {len(classes)} 个班",
        **request_by(actor, PRINT, total=len(classes)),
    )  # fmt: skip
    made.refresh_from_db()
    record("archives.sheet.ask", made, actor=actor, basis="R-VER-04", classes=made.class_names)
    queue(made.job)
    return made


def make(job_id: int) -> None:
    """Set the sheets of one job; cut anywhere it begins anew, run twice it changes nothing."""
    with held(job_id) as job:
        if job is None:
            return
        try:
            _make(job)
        except (Refusal, JobCancelled) as why:
            give_up(SheetPrint, job, why)


def _make(job: Job) -> None:
    sink = sealed_files.Writer(TABLE)
    try:
        with scoped_transaction(job.path):
            made = SheetPrint.objects.filter(job=job, state=State.WAITING).first()
            if made is None:
                raise NotFound()
            if made.stored_as:  # of a run that was cut
                sealed_files.erase(made.stored_as)
            SheetPrint.objects.filter(pk=made.pk).update(stored_as=sink.name)
        counts = _write(made, sink, job)
        sink.finish()
        fault("sheets.written")
        with scoped_transaction(job.path):
            actor = _asker(made)
            for school_class, count in counts:
                record_print(school_class, count, actor=actor)
            finish_file(made, job, sink)
    except BaseException:
        sink.abandon()
        raise


def _write(made: SheetPrint, sink: sealed_files.Writer, job: Job) -> list[tuple[SchoolClass, int]]:
    """Class after class into the file; the classes with how many sheets each. Raises NobodyToPrint."""
    report(job, 0, total=len(made.classes))
    # A file that can neither seek nor tell is written from front to back.
    bundle = ZipFile(cast(IO[bytes], sink), "w", ZIP_STORED) if len(made.classes) > 1 else None
    counts: list[tuple[SchoolClass, int]] = []
    for place, pk in enumerate(made.classes, start=1):
        with scoped_transaction(job.path):
            # Her rights of this moment: a class that is hers no longer stops the run.
            school_class = SchoolClass.objects.select_related("school__organization").get(pk=pk)
            papers = _papers(school_class, actor=_asker(made))
            fault("sheets.class")
        if papers:
            content = set_sheets(papers)  # outside any transaction: nobody waits for it
            counts.append((school_class, len(papers)))
            if bundle is None:
                sink.write(content)
            else:
                bundle.writestr(file_name(school_class.name, f"{place:03d}", "pdf", kind=_FILES), content)
        report(job, place)
    if not counts:
        raise NobodyToPrint()
    if bundle is not None:
        bundle.close()
    return counts


def _papers(school_class: SchoolClass, *, actor: User) -> list[dict[str, Any]]:
    try:
        return read_papers(school_class, actor=actor)
    except NobodyToPrint:
        return []  # of several classes one may have emptied meanwhile


def _asker(made: SheetPrint) -> User:
    return acting_at(made.requested_by_id, Right.CONFIRM_ROLL, at=made.org_path)


# ── Fetching ─────────────────────────────────────────────────────────────────────────────────────────────
def prints_of(user: User) -> Any:
    """Her own files at the office she acts for, newest first."""
    rows = SheetPrint.objects.visible_to(user, Right.CONFIRM_ROLL).filter(requested_by=user)
    return rows.filter(org_path=user.acting_path).select_related("job").order_by("-pk")


def open_print(user: User, public_id: UUID) -> SheetPrint:
    """One of her own files. Raises NotFound."""
    found = prints_of(user).filter(public_id=public_id).first()
    if found is None:
        raise NotFound()
    return cast(SheetPrint, found)


@transaction.atomic
def collect(made: SheetPrint, *, actor: User) -> Collected:
    """The file, for who asked for it. Raises NotYourFile, NotAllowed, FileNotReady, DoesNotOpen."""
    pieces = open_for(made, TABLE, actor=actor, right=Right.CONFIRM_ROLL)
    record(
        "archives.sheet.collect", made, actor=actor, basis="EX-5", classes=made.class_names,
        count=made.downloads,
    )  # fmt: skip
    record_read(made, actor=actor, route="archives:sheet_file", purpose=made.class_names)
    ending, content_type = (
        ("pdf", "application/pdf") if len(made.classes) == 1 else ("zip", "application/zip")
    )
    name = file_name(made.class_names, f"QR-{made.pk:08d}", ending, kind=_FILES)
    return Collected(name, content_type, made.size, pieces)
