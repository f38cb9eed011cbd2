"""The short guided flow of every kind that asks: 填写 → 材料 → 核对 → 提交."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST
from django.views.decorators.vary import vary_on_headers

from accounts.idempotency import claim, form_digest
from accounts.models import Organization, User
from accounts.rights import explain, requires
from accounts.roles import Right
from archives.services import find_uploads
from audit.services import record_read
from config.errors import BadRequest, NotFound, Refusal
from config.scope import ancestors
from registry.enrolling.admissions import open_admission
from registry.models import Student
from registry.queries.rosters import number_in
from registry.record import latest_spell
from registry.status import STATUSES
from transfers import across, filing
from transfers.asking import Asking, answers_of
from transfers.filing_form import Draft, prefilled, types_in_words
from transfers.forms import expect
from transfers.kind import About, Kind
from transfers.kinds import KINDS
from transfers.kinds.enrolment_claim import ENROLMENT_CLAIM
from transfers.models import Case
from transfers.views.registration import own_school, uploads_shown

FILERS = (Right.FILE, Right.DECIDE)


@dataclass(frozen=True, slots=True)
class Matter:
    """What a form is about: the kind, the office that files, the pupil; `found` is the card of a pupil
    elsewhere, `case` the returned case that is being corrected.
    """

    kind: Kind
    office: Organization
    student: Student
    act: str
    leave: str
    found: across.Found | None = None
    case: Case | None = None

    @property
    def status_name(self) -> str:
        return STATUSES[self.found.status].name if self.found else ""

    @property
    def asking(self) -> Asking:
        return Asking(self.office, self.student)


# ── 办理业务: a pupil of the own school ───────────────────────────────────────────────────────────────────
@requires(*FILERS)
@require_GET
def kinds(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """What can be done for this pupil, and why the rest cannot be done now."""
    user: Any = request.user
    student = _own_pupil(request, user, public_id)
    record_read(student, actor=user, route="transfers:kinds", purpose=_("办理业务"))
    context = {
        "student": student,
        "spell": latest_spell(student),
        "groups": filing.offers(user, student),
    }
    return render(request, "transfers/kinds.html", context)


@requires(*FILERS)
@require_http_methods(["GET", "POST"])
@vary_on_headers("HX-Request")
def file(request: HttpRequest, public_id: UUID, code: str) -> HttpResponse:
    """The form of one kind; POST shows it again, checks it or files it (`action`)."""
    user: Any = request.user
    kind = filing.kind_asked(code, About.OWN_PUPIL)
    student = _own_pupil(request, user, public_id)
    office = own_school(user)
    explain(user, kind.right, at=office.path).or_raise()
    matter = Matter(
        kind,
        office,
        student,
        act=reverse("transfers:file", args=[public_id, code]),
        leave=reverse("transfers:kinds", args=[public_id]),
    )
    if request.method == "POST":
        return _act(request, user, matter)
    record_read(student, actor=user, route="transfers:file", purpose=kind.name)
    return _show(request, user, matter, Draft(kind, {}))


def _own_pupil(request: HttpRequest, user: User, public_id: UUID) -> Student:
    student: Student | None = (
        Student.objects.visible_to(user, Right.VIEW_STUDENT).filter(public_id=public_id).first()
    )
    if student is None:
        raise NotFound()
    request.subject = student  # type: ignore[attr-defined]
    return student


# ── 转入与借读: a pupil elsewhere, found by exact number and name ─────────────────────────────────────────
@requires(Right.FILE)
@require_http_methods(["GET", "POST"])
def move_in(request: HttpRequest) -> HttpResponse:
    """Which procedure, and for whom; POST looks in the whole country and opens the form (R-TRF-08)."""
    user: Any = request.user
    expect(request.POST, "kind", "name", "number", "admission")
    typed = {key: request.POST.get(key, "").strip()[:100] for key in ("kind", "name", "number")}
    refusal: Refusal | None = None
    if request.method == "POST":
        kind = filing.kind_asked(typed["kind"], About.PUPIL_ELSEWHERE)
        try:
            if listed := request.POST.get("admission"):
                # Whom a result list gave to her school need not be searched for, to claim her.
                if kind is not ENROLMENT_CLAIM:
                    raise NotFound()
                row = open_admission(user, number_in(listed))
                token = across.listed(row, user, route="transfers:move_in")
            else:
                token = filing.find_elsewhere(
                    kind, user, name=typed["name"], number=typed["number"], route="transfers:move_in"
                ).token
            return _show(request, user, _matter_elsewhere(user, kind, token), Draft(kind, {}, token=token))
        except Refusal as refused:
            refusal = refused
            request.refusal = refused  # type: ignore[attr-defined]
    elsewhere = [
        kind
        for kind in filing.kinds_about(About.PUPIL_ELSEWHERE)
        if user.may_act_at(kind.right, user.acting_path)
    ]
    context = {"kinds": elsewhere, "typed": typed, "refusal": refusal}
    return render(request, "transfers/move_in.html", context, status=refusal.status if refusal else 200)


@requires(Right.FILE)
@require_POST
@vary_on_headers("HX-Request")
def file_elsewhere(request: HttpRequest, code: str) -> HttpResponse:
    """The form for a pupil who was found; the token says who, to the person who found her alone."""
    user: Any = request.user
    kind = filing.kind_asked(code, About.PUPIL_ELSEWHERE)
    return _act(request, user, _matter_elsewhere(user, kind, request.POST.get("token", "")))


def _matter_elsewhere(user: User, kind: Kind, token: str) -> Matter:
    student, _school = across.found(token, user)
    return Matter(
        kind,
        own_school(user),
        student,
        act=reverse("transfers:file_elsewhere", args=[kind.code]),
        leave=reverse("transfers:move_in"),
        found=across.found_card(student, user, token),
    )


# ── 补正 ──────────────────────────────────────────────────────────────────────────────────────────────────
def correct_filing(request: HttpRequest, user: User, case: Case) -> HttpResponse:
    """The same form for a returned case, with its answers; POST sends it on its way again."""
    with across.reaching(case.from_path, case.reach):
        student = case.student
    assert student is not None, "these kinds are about one pupil"
    matter = Matter(
        KINDS[case.kind],
        Organization.objects.get(path=case.to_path),
        student,
        act=reverse("transfers:correct", args=[case.number]),
        leave=reverse("transfers:case", args=[case.number]),
        case=case,
    )
    if request.method == "GET":
        record_read(case, actor=user, route="transfers:correct", purpose=_("退回补正"))
        return _show(request, user, matter, prefilled(matter.kind, answers_of(case, case.open_card()), []))
    draft = Draft.read(matter.kind, request.POST)
    if request.POST.get("action") == "continue":
        return _show(request, user, matter, draft)
    try:
        uploads = find_uploads(draft.documents, actor=user)
        filing.refile(case, draft.given, actor=user, materials=uploads)
    except Refusal as refusal:
        request.refusal = refusal  # type: ignore[attr-defined]
        draft.object(refusal)
        return _show(request, user, matter, draft, refusal=refusal)
    messages.success(request, _("{number} 已补正并重新提交。").format(number=case.number))
    return redirect(matter.leave)


# ── The steps of the form ─────────────────────────────────────────────────────────────────────────────────
def _act(request: HttpRequest, user: User, matter: Matter) -> HttpResponse:
    draft = Draft.read(matter.kind, request.POST)
    match request.POST.get("action", ""):
        case "continue":
            return _show(request, user, matter, draft)
        case "check":
            return _check(request, user, matter, draft)
        case "file":
            return _file(request, user, matter, draft)
    raise BadRequest(why="action")


def _check(
    request: HttpRequest, user: User, matter: Matter, draft: Draft, refusal: Refusal | None = None
) -> HttpResponse:
    """What would happen, to be read before it is sent; back to the form when it cannot be told."""
    try:
        made = filing.preview(
            matter.kind,
            matter.office,
            matter.student,
            draft.given,
            actor=user,
            materials=find_uploads(draft.documents, actor=user),
            found=matter.found,
        )
    except Refusal as refused:
        # What stopped the filing comes first: a double click is told that the first one is being worked on.
        cause = refusal or refused
        request.refusal = cause  # type: ignore[attr-defined]
        draft.object(cause)
        return _show(request, user, matter, draft, refusal=cause)
    if refusal is None:
        _leave_trace(user, matter)
    context = _context(user, matter, draft) | {"preview": made, "refusal": refusal}
    return render(request, "transfers/file_check.html", context, status=refusal.status if refusal else 200)


def _file(request: HttpRequest, user: User, matter: Matter, draft: Draft) -> HttpResponse:
    name = "transfers:file_elsewhere" if matter.found else "transfers:file"
    try:
        held = claim(user, name, draft.key, form_digest(request.POST))
        if held.location:
            return redirect(held.location)
        case = filing.file_pupil(
            matter.kind,
            matter.office,
            matter.student,
            draft.given,
            actor=user,
            materials=find_uploads(draft.documents, actor=user),
            exempt=draft.exempt,
            exempt_reason=draft.exempt_reason,
        )
    except Refusal as refusal:
        request.refusal = refusal  # type: ignore[attr-defined]
        if not refusal.findings:
            return _check(request, user, matter, draft, refusal)
        draft.object(refusal)
        return _show(request, user, matter, draft, refusal=refusal)
    location = reverse("transfers:case", args=[case.number])
    held.answer(302, location)
    messages.success(request, _("已提交，办件号 {number}。").format(number=case.number))
    return redirect(location)


def _leave_trace(user: User, matter: Matter) -> None:
    """The check shows what is registered now; of a pupil elsewhere it shows only what the look-up told."""
    if matter.found is None:
        record_read(matter.student, actor=user, route="transfers:file", purpose=matter.kind.name)


def _context(user: User, matter: Matter, draft: Draft) -> dict[str, Any]:
    return {
        "matter": matter,
        "kind": matter.kind,
        "draft": draft,
        "documents": uploads_shown(user, draft.documents),
        "labels": draft.labels,
    }


def _show(
    request: HttpRequest, user: User, matter: Matter, draft: Draft, *, refusal: Refusal | None = None
) -> HttpResponse:
    """The form; to htmx the questions and the list of papers alone."""
    draft.is_across = ancestors(matter.student.org_path)[:2] != ancestors(matter.office.path)[:2]
    with filing.reaching(matter.student, matter.office):
        questions = draft.questions(matter.asking)
    context = _context(user, matter, draft) | {
        "questions": questions,
        "errors": draft.errors,
        "papers": draft.papers(),
        "needs": [(need, types_in_words(need)) for need in draft.needs],
        "refusal": refusal,
    }
    if request.headers.get("HX-Request"):
        return _fragment(request, draft, context | {"is_apart": True})
    if matter.case is not None:
        steps = matter.case.steps.order_by("-ordinal")
        context["back"] = next((step for step in steps if step.decision == "return"), None)
    return render(request, "transfers/file.html", context, status=refusal.status if refusal else 200)


def _fragment(request: HttpRequest, draft: Draft, context: dict[str, Any]) -> HttpResponse:
    """The questions anew, with the list of papers beside them; the list alone while the questions stay the
    same, so that nobody loses what she is typing.
    """
    if draft.shown != draft.applying_keys:
        return render(request, "transfers/_file_asks.html", context)
    answer = render(request, "transfers/_file_needs.html", context)
    answer["HX-Reswap"] = "none"
    return answer
