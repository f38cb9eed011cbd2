"""What stays behind when pupils move: snapshots of the former school, the term list of a host county."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from accounts.models import Organization
from accounts.rights import requires
from accounts.roles import Right
from audit.services import record_list, record_read
from config.errors import NotFound
from registry.codes import choices, label
from registry.models import EnrolmentSnapshot, Student
from registry.queries import host_notes as notes
from registry.queries import snapshots as queries
from registry.queries.rosters import number_in


@requires(Right.VIEW_STUDENT)
@require_GET
def snapshots(request: HttpRequest) -> HttpResponse:
    """离校备份 in scope, or of one school. One access entry with the pupils that were shown (RD-3)."""
    user: Any = request.user
    office = None
    if wanted := request.GET.get("office", ""):
        offices = Organization.objects.visible_to(user, Right.VIEW_STUDENT).within(user.acting_path)
        office = offices.filter(pk=number_in(wanted)).first()
        if office is None:
            raise NotFound()
    page = queries.read_snapshots(user, office, request.GET.get("after", ""))
    record_list("student", [row["student_id"] for row in page.rows], actor=user, route="registry:snapshots")
    return render(request, "registry/snapshots.html", {"page": page, "office": office})


@requires(Right.VIEW_STUDENT)
@require_GET
def snapshot(request: HttpRequest, pk: int) -> HttpResponse:
    """One snapshot: the record as the school gave it away, masked."""
    user: Any = request.user
    found = queries.open_snapshot(user, pk)
    request.subject = found  # type: ignore[attr-defined]
    sight = queries.sight_on(user, found)
    growth = queries.growth_of(found, sight)
    record_read(
        _pupil_then(found), actor=user, route="registry:snapshot", purpose=_("离校备份"),
        fields=[kind.code for kind, _lines, _may_add in growth],
    )  # fmt: skip
    return render(
        request,
        "registry/snapshot.html",
        {
            "snapshot": found,
            "grade_name": label("grade", found.grade),
            "blocks": queries.blocks_of(found, sight),
            "growth": growth,
        },
    )


def _pupil_then(snapshot: EnrolmentSnapshot) -> Student:
    """The pupil as the log names her: her row is the new school's by now, her record is what was read."""
    return Student(pk=snapshot.student_id, org_path=snapshot.org_path)


@requires(Right.VIEW_STUDENT)
@require_GET
def host_notes(request: HttpRequest) -> HttpResponse:
    """直属学校变动通报 of a term, to look at and to print. One access entry with the pupils (RD-3)."""
    user: Any = request.user
    term = notes.read_notes(user, request.GET.get("year", ""), request.GET.get("semester", ""))
    shown = [note.student_id for note in (*term.arrived, *term.left)]
    record_list("student", shown, actor=user, route="registry:host_notes")
    context = {
        "term": term,
        "semesters": choices("semester", notes.SEMESTERS),
        "semester_name": label("semester", term.semester),
        "lists": [(_("转入"), term.arrived, _("转自")), (_("转出"), term.left, _("转往"))],
    }
    return render(request, "registry/host_notes.html", context)
