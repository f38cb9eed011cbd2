"""Pages of graduation: the lists of a school, one list, its roll, and the graduates."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.rights import requires
from accounts.roles import Right
from audit.services import record_list, record_read
from config.errors import BadRequest, NotFound, Refusal
from registry.codes import choices, label
from registry.fields import BY_KEY
from registry.graduation import afterwards, preparing, queries
from registry.graduation.checking import examine
from registry.models import GraduationList, GraduationRecord, Student
from registry.queries.rosters import number_in
from registry.queries.sight import mask


def _posted(request: HttpRequest, *known: str) -> dict[str, str]:
    """The single values of a form. Raises BadRequest for what it does not ask (AZ-5)."""
    if unknown := sorted(set(request.POST) - {*known, "csrfmiddlewaretoken"}):
        raise BadRequest(why=_("不认识的字段 {keys}。").format(keys="、".join(unknown)[:100]))
    return {key: request.POST.get(key, "").strip() for key in known}


# ── Lists ────────────────────────────────────────────────────────────────────────────────────────────────
@requires(Right.VIEW_STUDENT)
@require_GET
def lists(request: HttpRequest) -> HttpResponse:
    """The lists of her office and below; a school's registrar makes a new one here."""
    user: Any = request.user
    return _show_lists(request, user)


def _show_lists(request: HttpRequest, user: Any, refusal: Refusal | None = None) -> HttpResponse:
    office = user.acting_office
    may_file = office is not None and office.kind == "school" and user.may_act_at(Right.FILE, office.path)
    context = {
        "page": queries.read_lists(user, request.GET.get("after", "")),
        "grades": queries.graduating_grades(office) if may_file else [],
        "may_file": may_file,
        "refusal": refusal,
    }
    return render(request, "graduation/lists.html", context, status=refusal.status if refusal else 200)


@requires(Right.FILE)
@require_POST
def create(request: HttpRequest) -> HttpResponse:
    """A list of one graduating grade of her school."""
    user: Any = request.user
    grade = _posted(request, "grade")["grade"]
    office = user.acting_office
    if office is None or office.kind != "school":
        raise NotFound()
    try:
        made = preparing.open_list(office, grade, actor=user)
    except Refusal as refusal:
        request.refusal = refusal  # type: ignore[attr-defined]
        return _show_lists(request, user, refusal)
    messages.success(request, _("已编制，{n} 人。请核对毕业类型和去向。").format(n=made.total))
    return redirect("graduation:list", made.public_id)


@requires(Right.VIEW_STUDENT)
@require_GET
def graduation(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """One list, a class at a time, with who is skipped and what stands in the way."""
    user: Any = request.user
    found = queries.open_list(user, public_id)
    request.subject = found  # type: ignore[attr-defined]
    return show_list(request, user, found)


def show_list(
    request: HttpRequest, user: Any, found: GraduationList, refusal: Refusal | None = None
) -> HttpResponse:
    """One access entry with the pupils shown (RD-3)."""
    classes = queries.classes_of(found)
    numbers = [one["class_number"] for one in classes]
    wanted = request.GET.get("class", "")
    if wanted and wanted not in numbers:
        raise NotFound()
    shown = wanted or (numbers[0] if numbers else "")
    is_done = found.state == GraduationList.State.DONE
    rows = queries.roll_rows(found, shown, user) if is_done else queries.rows_of(found, shown, user)
    record_list("student", [row["student_id"] for row in rows], actor=user, route="graduation:list")
    may_file = user.may_act_at(Right.FILE, found.org_path)
    context = {
        "graduation": found,
        "classes": classes,
        "shown": shown,
        "rows": rows,
        "examined": None if is_done else examine(found, user),
        "is_done": is_done,
        "may_edit": may_file and found.is_draft,
        "may_print": may_file and is_done,
        "may_confirm": found.state == GraduationList.State.HANDED_IN
        and user.may_act_at(Right.REVIEW, found.org_path),
        "is_own": user.pk in (found.prepared_by_id, found.handed_in_by_id),
        "grade_name": label("grade", found.grade),
        "outcomes": choices("completion_type") if found.is_senior else choices("completion_type", ("1",)),
        "destinations": choices("graduation_destination"),
        "prints": list(found.prints.order_by("-id")[:20]),
        "refusal": refusal,
    }
    return render(request, "graduation/list.html", context, status=refusal.status if refusal else 200)


def _act(request: HttpRequest, public_id: UUID, act: Callable[[Any, GraduationList], str]) -> HttpResponse:
    """Do something with a list and say what was done; a refusal shows the list with the reason."""
    user: Any = request.user
    found = queries.open_list(user, public_id)
    request.subject = found  # type: ignore[attr-defined]
    try:
        messages.success(request, act(user, found))
    except Refusal as refusal:
        if refusal.status in (403, 404):
            raise
        request.refusal = refusal  # type: ignore[attr-defined]
        found.refresh_from_db()
        return show_list(request, user, found, refusal)
    shown = request.GET.get("class", "")
    answer = redirect("graduation:list", public_id)
    if shown:
        answer["Location"] += f"?class={number_in(shown)}"
    return answer


@requires(Right.FILE)
@require_POST
def rows(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Set outcome, destination or the reason to wait for the ticked pupils; `release` takes them in again."""
    given = _posted(request, "outcome", "destination", "held", "release", "row")
    students = [number_in(text) for text in request.POST.getlist("row")]
    values = {key: given[key] for key in ("outcome", "destination", "held") if given[key]}
    if given["release"]:
        values["held"] = ""

    def act(user: Any, found: GraduationList) -> str:
        changed = preparing.set_rows(found, students, values, actor=user)
        return _("已修改 {n} 人。").format(n=changed)

    return _act(request, public_id, act)


@requires(Right.FILE)
@require_POST
def refresh(request: HttpRequest, public_id: UUID) -> HttpResponse:
    _posted(request)

    def act(user: Any, found: GraduationList) -> str:
        return _("已按现有在校学生刷新，变动 {n} 人。").format(n=preparing.refresh(found, actor=user))

    return _act(request, public_id, act)


@requires(Right.REVIEW)
@require_POST
def confirm(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """The leader's word: final in the compulsory stage."""
    digest = _posted(request, "digest")["digest"]

    def act(user: Any, found: GraduationList) -> str:
        return _("已办理毕业，{n} 人。").format(n=preparing.confirm(found, digest, actor=user))

    return _act(request, public_id, act)


@requires(Right.REVIEW)
@require_POST
def give_back(request: HttpRequest, public_id: UUID) -> HttpResponse:
    reason = _posted(request, "reason")["reason"]

    def act(user: Any, found: GraduationList) -> str:
        preparing.give_back(found, reason, actor=user)
        return _("已退回学籍管理员。")

    return _act(request, public_id, act)


# ── 毕业名册 ──────────────────────────────────────────────────────────────────────────────────────────────
@requires(Right.VIEW_STUDENT)
@require_GET
def roll(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """毕业名册 of one class, to look at and to print."""
    user: Any = request.user
    found = queries.open_list(user, public_id)
    request.subject = found  # type: ignore[attr-defined]
    classes = queries.classes_of(found) if found.state == GraduationList.State.DONE else []
    wanted = request.GET.get("class", "") or (classes[0]["class_number"] if classes else "")
    if wanted not in [one["class_number"] for one in classes]:
        raise NotFound()
    shown = [row for row in queries.roll_rows(found, wanted, user) if not row["record"].is_void]
    record_list("student", [row["student_id"] for row in shown], actor=user, route="graduation:roll")
    context = {
        "graduation": found,
        "classes": classes,
        "shown": wanted,
        "rows": shown,
        "class_name": shown[0]["record"].class_name if shown else "",
        "grade_name": label("grade", found.grade),
    }
    return render(request, "graduation/roll.html", context)


# ── Graduates ────────────────────────────────────────────────────────────────────────────────────────────
@requires(Right.VIEW_STUDENT)
@require_http_methods(["GET", "POST"])
def graduates(request: HttpRequest) -> HttpResponse:
    """The graduates of her office and below, by school year; POST looks for a name or a certificate number,
    which stay out of addresses.
    """
    user: Any = request.user
    year, text = request.GET.get("year", ""), request.POST.get("q", "")[:60]
    page = queries.read_graduates(user, year=year, text=text, after=request.GET.get("after", ""))
    record_list("student", [row["student_id"] for row in page.rows], actor=user, route="graduation:graduates")
    context = {"page": page, "year": year, "q": text, "years": queries.school_years(user)}
    return render(request, "graduation/graduates.html", context)


@requires(Right.VIEW_STUDENT)
@require_GET
def graduate(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """One graduate: what the certificate says, whether it is genuine and still holds. The square on each
    paper leads here.
    """
    user: Any = request.user
    return _show_graduate(request, user, queries.open_graduate(user, public_id))


def _show_graduate(
    request: HttpRequest, user: Any, found: GraduationRecord, refusal: Refusal | None = None
) -> HttpResponse:
    request.subject = found  # type: ignore[attr-defined]
    # Her row may lie at the next school by now; the log names the pupil whose data were read.
    pupil = Student(pk=found.student_id, org_path=found.org_path)
    record_read(pupil, actor=user, route="graduation:graduate", purpose=_("毕业记录"))
    held = found.open_fields()
    may_file = user.may_act_at(Right.FILE, found.org_path)
    context = {
        "one": found,
        "row": queries.roll_row(found),
        "grade_name": label("grade", found.grade),
        "lines": [(BY_KEY[key].label_zh, mask(key, held.get(key, ""))) for key in ("id_number",)],
        "proofs": list(found.proofs.select_related("printed").order_by("id")),
        "destinations": choices("graduation_destination"),
        "may_file": may_file and not found.is_void,
        "refusal": refusal,
    }
    return render(request, "graduation/graduate.html", context, status=refusal.status if refusal else 200)


@requires(Right.FILE)
@require_POST
def destination(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """Where she went, as the school learned later (R-GRD-05)."""
    user: Any = request.user
    found = queries.open_graduate(user, public_id)
    request.subject = found  # type: ignore[attr-defined]
    code = _posted(request, "destination")["destination"]
    try:
        afterwards.set_destination(found, code, actor=user)
    except Refusal as refusal:
        if refusal.status == 403:
            raise
        request.refusal = refusal  # type: ignore[attr-defined]
        return _show_graduate(request, user, found, refusal)
    messages.success(request, _("毕业去向已登记。"))
    return redirect("graduation:graduate", public_id)
