"""成长记录: entering one, voiding or lifting one, a class on one page. The lists by kind are a tab of the
pupil's record.
"""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from accounts.rights import requires
from accounts.roles import Right
from audit.budgets import spend
from audit.services import record_list, record_read
from config.clock import today
from config.errors import BadRequest, NotFound, Refusal
from registry.codes import label
from registry.entries import services
from registry.entries.cleaning import LONGEST
from registry.entries.kinds import KINDS, WRITES, Kind
from registry.entries.reading import (
    kinds_in_class,
    kinds_of,
    may_write,
    open_entry,
    sheet_of,
    term_words,
    terms_back,
)
from registry.models import SchoolClass, Student
from registry.queries.schools import open_class
from registry.queries.sight import open_record, own_classes

_SHOWN = (409, 422)  # refusals shown beside what was typed


def refuse_unknown(request: HttpRequest, *known: str) -> None:
    """Raise BadRequest for fields the form does not have (AZ-5)."""
    if unknown := sorted(set(request.POST) - {"csrfmiddlewaretoken", *known}):
        raise BadRequest(why=_("不认识的字段 {keys}。").format(keys="、".join(unknown)[:100]))


def shown(request: HttpRequest, refused: Refusal) -> Refusal:
    """The refusal for the page, if it belongs there; else it goes its way."""
    if refused.status not in _SHOWN:
        raise refused
    request.refusal = refused  # type: ignore[attr-defined]
    return refused


@requires(*WRITES)
@require_http_methods(["GET", "POST"])
def add(request: HttpRequest, public_id: UUID, code: str) -> HttpResponse:
    """The form of one kind for one pupil of her school; POST enters it."""
    user: Any = request.user
    pupil, sight = open_record(user, public_id)
    request.subject = pupil  # type: ignore[attr-defined]
    kind = KINDS.get(code)
    if kind is None or kind not in kinds_of(sight):
        raise NotFound()
    services.refuse_foreign(user, kind, pupil.org_path)
    refusal: Refusal | None = None
    typed = {key: request.POST.get(key, "") for key in ("when", *(c.key for c in kind.columns))}
    if request.method == "POST":
        refuse_unknown(request, *typed)
        try:
            services.add_entry(pupil, kind.code, typed, actor=user)
            messages.success(request, _("已登记{kind}。").format(kind=kind.name))
            return redirect(_record_of(pupil))
        except Refusal as refused:
            refusal = shown(request, refused)
    spend(user, "records")
    record_read(pupil, actor=user, route="entries:add", fields=[kind.code])
    return render(request, "entries/add.html", _form(pupil, kind, typed, refusal), status=_status(refusal))


def _form(pupil: Student, kind: Kind, typed: dict[str, str], refusal: Refusal | None) -> dict[str, Any]:
    when = _("学年学期") if kind.is_once_a_term else _("日期")
    terms = terms_back(pupil.org_path, today())
    return {
        "student": pupil, "kind": kind, "when": typed["when"], "when_label": when, "longest": LONGEST,
        "today": today(), "fields": [(column, typed[column.key]) for column in kind.columns],
        "labels": {"when": when} | {column.key: column.label for column in kind.columns},
        "terms": [(f"{year}-{half}", term_words(year, half)) for year, half in terms],
        "refusal": refusal,
    }  # fmt: skip


def _status(refusal: Refusal | None) -> int:
    return refusal.status if refusal else 200


def _record_of(pupil: Student) -> str:
    return f"{reverse('registry:student', args=[pupil.public_id])}?tab=growth"


@requires(*WRITES)
@require_http_methods(["GET", "POST"])
def end(request: HttpRequest, pk: int) -> HttpResponse:
    """One entry with what may end it: POST with `act` void or lift, and a reason."""
    user: Any = request.user
    entry, line = open_entry(user, pk)
    pupil = entry.student
    request.subject = pupil  # type: ignore[attr-defined]
    services.refuse_foreign(user, line.kind, entry.org_path)
    acts = {"void": services.void_entry, "lift": services.lift_sanction}
    refusal: Refusal | None = None
    reason = request.POST.get("reason", "")
    if request.method == "POST":
        refuse_unknown(request, "act", "reason")
        act = acts.get(request.POST.get("act", ""))
        if act is None:
            raise BadRequest(why=_("没有这项操作"))
        try:
            act(entry, reason=reason, actor=user)
            messages.success(request, _("已办理，原记录仍可查阅。"))
            return redirect(_record_of(pupil))
        except Refusal as refused:
            refusal = shown(request, refused)
    record_read(pupil, actor=user, route="entries:end", fields=[entry.kind])
    context = {"student": pupil, "line": line, "refusal": refusal, "reason": reason}
    return render(request, "entries/end.html", context, status=_status(refusal))


@requires(Right.VIEW_CLASS, Right.VIEW_OWN_CLASS)
@require_GET
def class_sheet(request: HttpRequest, pk: int) -> HttpResponse:
    """A class by name with one kind of one term: what a subject teacher has, without numbers (C6)."""
    user: Any = request.user
    found = open_class(user, pk)
    request.subject = found  # type: ignore[attr-defined]
    kinds = kinds_in_class(user, found)
    wanted = request.GET.get("kind", kinds[0].code if kinds else "")
    kind = next((one for one in kinds if one.code == wanted), None)
    if kind is None:
        raise NotFound()
    terms = terms_back(found.org_path, today())
    year, semester = _term(request.GET.get("term", ""), terms)
    rows = sheet_of(found, user, kind, year, semester)
    record_list(
        "student", [student for student, _row in rows], actor=user, route="entries:class_sheet",
        fields=[kind.code],
    )  # fmt: skip
    context = {
        "school_class": found, "grade_name": label("grade", found.grade), "kinds": kinds, "kind": kind,
        "terms": [(f"{one}-{half}", term_words(one, half)) for one, half in terms],
        "term": f"{year}-{semester}", "term_words": term_words(year, semester),
        "rows": [row for _student, row in rows],
        "may_open": _opens_records(user, found),
        "may_write": may_write(user, kind, found.org_path),
    }  # fmt: skip
    return render(request, "entries/class_sheet.html", context)


def _opens_records(user: Any, school_class: SchoolClass) -> bool:
    """Whether the names lead to records: not for a subject teacher."""
    rights = (Right.VIEW_STUDENT, Right.VIEW_HEALTH)
    paths = [path for right in rights for path in user.scope_paths(right)]
    if any(school_class.org_path.startswith(path) for path in paths):
        return True
    return own_classes(user).filter(pk=school_class.pk).exists()


def _term(text: str, terms: list[tuple[int, str]]) -> tuple[int, str]:
    """The term asked for, one of those offered, the newest without one. Raises NotFound."""
    if not text:
        return terms[0]
    for year, semester in terms:
        if text == f"{year}-{semester}":
            return year, semester
    raise NotFound()
