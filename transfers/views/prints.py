"""Printed forms as files: each print is a read of the record and leaves its trace (RD-3)."""

from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from accounts.rights import requires
from accounts.roles import Right
from archives.printing.forms import FORMS
from audit.budgets import spend
from audit.services import record_read
from registry.queries.dossier import open_dossier
from registry.queries.sight import open_record
from transfers.casefile import open_file
from transfers.prints import CARD, print_card, print_case
from transfers.queries import open_case


@requires(Right.VIEW_CASE)
@require_GET
def case_print(request: HttpRequest, number: str, code: str) -> HttpResponse:
    """One form of a case as PDF."""
    user: Any = request.user
    found = open_case(user, number)
    request.subject = found  # type: ignore[attr-defined]
    content = print_case(open_file(found, user), code, user)
    record_read(found, actor=user, route="transfers:case_print", purpose=_printed(code))
    return as_file(content, f"{code}-{number}")


@requires(Right.VIEW_STUDENT)
@require_GET
def student_card(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """学籍卡 of one pupil as PDF."""
    user: Any = request.user
    student, sight = open_record(user, public_id)
    request.subject = student  # type: ignore[attr-defined]
    spend(user, "records")
    content = print_card(student, open_dossier(student, sight), user)
    record_read(student, actor=user, route="transfers:student_card", purpose=_printed(CARD))
    return as_file(content, f"{CARD}-{student.public_id}")


def _printed(code: str) -> str:
    return _("打印{form}").format(form=FORMS[code].title)


def as_file(content: bytes, name: str) -> HttpResponse:
    """An attachment under an ASCII name, with a policy of its own (FI-4)."""
    response = HttpResponse(content, content_type="application/pdf")
    response["Content-Disposition"] = f'attachment; filename="{name}.pdf"'
    response["Content-Security-Policy"] = "sandbox"
    return response
