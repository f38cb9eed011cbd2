"""Who can see this pupil, and by which post or grant."""

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from accounts.rights import requires
from accounts.roles import Right
from accounts.who_can_see import who_can_see as onlookers
from audit.services import record_read
from config.errors import NotFound
from registry.models import SchoolClass
from registry.queries.sight import open_record
from registry.status import OPEN


@requires(Right.VIEW_STUDENT)
@require_GET
def who_can_see(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Everybody whose post or grant opens her record today: for who sees the record by office."""
    user: Any = request.user
    pupil, sight = open_record(user, public_id)
    if not sight.shows("readers"):
        raise NotFound()
    request.subject = pupil  # type: ignore[attr-defined]
    classes = SchoolClass.objects.filter(
        enrolments__student=pupil, enrolments__status__in=OPEN, enrolments__is_void=False
    )
    heads = classes.exclude(head_teacher=None).values_list("head_teacher_id", flat=True)
    rows = onlookers(pupil.org_path, list(heads))
    record_read(pupil, actor=user, route="registry:who_can_see", fields=["who_can_see"])
    context = {
        "student": pupil,
        "posts": [row for row in rows if row.role],
        "grants": [row for row in rows if not row.role],
        # As in 谁看过: a school reads the names of its own people; those above, who may read the log.
        "own_path": "" if sight.shows("reader_names") else user.acting_path,
    }
    return render(request, "registry/who_can_see.html", context)
