"""新生注册 at the school: the national search, then the form, checked as often as wanted, filed once."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.idempotency import claim, form_digest
from accounts.models import Organization, User
from accounts.rights import requires
from accounts.roles import Right
from archives.models import Material
from archives.services import find_uploads
from config.clock import today
from config.errors import BadRequest, Refusal
from registry.checks import check_record
from registry.codes import choices, known_division
from registry.divisions import find_divisions
from registry.fields import BY_KEY
from registry.findings import Finding
from registry.form_values import parse_date
from registry.identity import check_number
from registry.models import SchoolClass
from registry.record import school_year_start
from registry.services.placement import unplaced
from registry.services.registration import check_context, examine
from transfers import across
from transfers.form_words import COPY_FROM
from transfers.forms import (
    CLASS,
    DIVISION_KEYS,
    LABELS,
    Question,
    Sheet,
    class_number,
    expect,
    placed,
    read_sheet,
)
from transfers.kinds import KINDS
from transfers.kinds.entry import ENTRY_PAPERS, check_deferral, entry_doubts
from transfers.kinds.registration import DISPUTE_PAPERS, REGISTRATION
from transfers.queries import seats
from transfers.services import file_case

SHORTEST_REASON = 6  # characters: long enough to name a paper or a person
_PAPERS = ("01", "02", "03", "04", "07", "17", "20", "19", *ENTRY_PAPERS, "99")


# ── Step 1: 全国查重 ──────────────────────────────────────────────────────────────────────────────────────
@requires(Right.FILE)
@require_http_methods(["GET", "POST"])
def register(request: HttpRequest) -> HttpResponse:
    """GET asks who the child is; POST looks in the whole country and says what to do (R-EST-08)."""
    user: Any = request.user
    if request.method == "GET":
        context = {"question": Question(), "labels": LABELS, "unplaced": unplaced(user.acting_path).count()}
        return render(request, "transfers/register.html", context)
    expect(request.POST, *Question.KEYS, "is_disputed")
    question = Question.read(request.POST)
    is_disputed = request.POST.get("is_disputed") == "1"
    found = _check_question(question, is_disputed)
    refusal: Refusal | None = None
    if not found:
        try:
            answer = across.look_up(
                user,
                name=question.name,
                id_type=question.id_type,
                # A number that is wrong in itself finds nobody: look by the person instead.
                id_number="" if is_disputed else question.id_number,
                sex=question.sex,
                birth_on=parse_date(question.birth_on) or today(),
                nationality=question.nationality,
                route="transfers:register",
            )
            context = {"question": question, "answer": answer, "is_disputed": is_disputed}
            return render(request, "transfers/looked_up.html", context | {"own_path": user.acting_path})
        except Refusal as refused:
            refusal = refused
            request.refusal = refused  # type: ignore[attr-defined]
    by_field: dict[str, list[Finding]] = {}
    for finding in found:
        by_field.setdefault(finding.field, []).append(finding)
    context = {
        "question": question,
        "labels": LABELS,
        "errors": by_field,
        "refusal": refusal,
        "may_dispute": any(finding.disputable for finding in found),
    }
    return render(request, "transfers/register.html", context, status=refusal.status if refusal else 422)


def _check_question(question: Question, is_disputed: bool) -> list[Finding]:
    """What keeps the search from being asked: a field left open, or a number wrong in itself."""
    birth = parse_date(question.birth_on)
    found = [
        Finding(key, "missing", _("请填写“{label}”。").format(label=LABELS[key]), "R-EST-08", "", "")
        for key in ("name", "sex", "nationality", "id_type")
        if not getattr(question, key)
    ]
    found += [
        Finding(key, "not_in_list", _("请从列表中选择“{label}”。").format(label=LABELS[key]), "C1", "", "")
        for key in ("sex", "nationality", "id_type")
        if getattr(question, key) and getattr(question, key) not in dict(BY_KEY[key].choices)
    ]
    if birth is None or birth > today():
        words = _("请填写真实的出生日期，如 20190315。")
        found.append(Finding("birth_on", "date_form", words, "R-EST-06", "", ""))
    if question.id_number and birth and not found:
        found += [
            finding
            for finding in check_number(
                question.id_type,
                question.id_number,
                birth,
                question.sex,
                today(),
                nationality=question.nationality,
                known_division=known_division,
            )
            if finding.level == "error" and not (is_disputed and finding.disputable)
        ]
    return found


# ── Step 2: the form ──────────────────────────────────────────────────────────────────────────────────────
@requires(Right.FILE)
@require_POST
def register_form(request: HttpRequest) -> HttpResponse:
    """Show the form, mark the number as disputed, or file it; a refusal keeps all that was typed."""
    user: Any = request.user
    sheet = read_sheet(request.POST)
    action = request.POST.get("action", "")
    if action == "file":
        return _file(request, user, sheet)
    if action == "dispute":
        sheet.is_disputed = True
        sheet.found = examine_sheet(user, sheet)
    elif action in ("show", "distinct"):
        if action == "distinct" and len(sheet.distinct_reason) < SHORTEST_REASON:
            raise BadRequest(why=_("请写明为什么不是同一人（至少 {n} 个字）。").format(n=SHORTEST_REASON))
        year = school_year_start(today()).year
        sheet.values = {
            "overseas_status": "00",
            "nationality": "CHN",
            "entry_month": f"{year}-09",
        } | sheet.values
    else:
        raise BadRequest(why="action")
    return show_form(request, user, sheet)


def _file(request: HttpRequest, user: User, sheet: Sheet) -> HttpResponse:
    try:
        held = claim(user, "transfers:register_form", sheet.key, form_digest(request.POST))
        if held.location:
            return redirect(held.location)
        case = file_case(
            REGISTRATION,
            own_school(user),
            actor=user,
            materials=materials_of(user, sheet),
            payload=sheet.payload,
            values=sheet.values,
            class_id=class_number(sheet.class_id),
        )
    except Refusal as refusal:
        request.refusal = refusal  # type: ignore[attr-defined]
        sheet.object(refusal, examine_sheet(user, sheet))
        return show_form(request, user, sheet, status=refusal.status, refusal=refusal)
    location = reverse("transfers:case", args=[case.number])
    held.answer(302, location)
    messages.success(
        request, _("已提交，办件号 {number}。现在由本校学籍主管领导审核。").format(number=case.number)
    )
    return redirect(location)


def show_form(
    request: HttpRequest,
    user: User,
    sheet: Sheet,
    *,
    status: int = 200,
    refusal: Refusal | None = None,
    **more: Any,
) -> HttpResponse:
    """The form page; also for the correction of a returned registration."""
    school = own_school(user)
    context = {
        "sheet": sheet,
        "parts": sheet.parts(),
        "errors": sheet.by_field(),
        "labels": LABELS,
        "refusal": refusal,
        "seats": seats(user),
        "class_id": class_number(sheet.class_id),
        "school": school,
        "photo": uploads_shown(user, [sheet.photo]),
        "documents": uploads_shown(user, sheet.documents),
        "papers": [pair for pair in choices("evidence_type") if pair[0] in _PAPERS],
        "dispute_papers": [pair for pair in choices("evidence_type") if pair[0] in DISPUTE_PAPERS],
        "needs": KINDS["registration"].needs({}),
        "copy_from": COPY_FROM,
        "act": reverse("transfers:register_form"),
    }
    return render(request, "transfers/register_form.html", context | more, status=status)


@requires(Right.FILE)
@require_POST
def check(request: HttpRequest) -> HttpResponse:
    """Everything wrong or doubtful about the form as it stands; nothing is saved."""
    user: Any = request.user
    sheet = read_sheet(request.POST)
    sheet.found = examine_sheet(user, sheet)
    context = {"sheet": sheet, "parts": sheet.parts(), "errors": sheet.by_field(), "labels": LABELS}
    return render(request, "transfers/_checked.html", context)


@requires(Right.FILE)
@require_GET
def divisions(request: HttpRequest) -> HttpResponse:
    """Options for the place pickers; the picker sends what is typed under its own field's name."""
    text = next((request.GET[key] for key in (*DIVISION_KEYS, "q") if key in request.GET), "")
    return render(request, "transfers/_divisions.html", {"found": find_divisions(text[:40])})


# ── What both pages of a registration need ────────────────────────────────────────────────────────────────
def own_school(user: User) -> Organization:
    assert user.own_office is not None, "the door has asked for a right"
    return user.own_office


def materials_of(user: User, sheet: Sheet) -> list[Material]:
    """The uploads the form names, photo first. Raises UploadGone."""
    return find_uploads([text for text in (sheet.photo, *sheet.documents) if text], actor=user)


def uploads_shown(user: User, ids: list[str]) -> list[Material]:
    """Uploads to show again; one that has gone is left out, the form says so by asking for it."""
    try:
        return find_uploads([text for text in ids if text], actor=user)
    except Refusal:
        return []


def examine_sheet(user: User, sheet: Sheet) -> list[Finding]:
    """All findings of the form. Without a class, what depends on the grade is left for later."""
    own = SchoolClass.objects.visible_to(user, Right.FILE).filter(org_path=user.acting_path, is_open=True)
    classes = own.select_related("school__organization")
    chosen = classes.filter(pk=class_number(sheet.class_id)).first()
    if chosen is not None:
        found = examine(sheet.values, chosen, is_disputed=sheet.is_disputed)[1] + entry_doubts(chosen)
        try:
            check_deferral(chosen.org_path, sheet.deferred_until, today())
        except Refusal as refusal:
            found.append(placed(refusal))
        return found
    missing = Finding(CLASS, "missing", _("请选择班级。"), "R-EST-11", "", _("年级、入学年龄随班级核对。"))
    any_class = classes.order_by("grade", "number").first()
    if any_class is None:
        return [missing]
    found = check_record(sheet.values, check_context(any_class, today()))
    # What depends on the grade, and what the class itself gives, is said once there is a class.
    apart = ("under_age", "age_grade")
    return [
        missing,
        *(
            finding
            for finding in found
            if finding.field in LABELS
            and finding.rule != "C5"
            and finding.code not in apart
            and not (sheet.is_disputed and finding.disputable)
        ),
    ]
