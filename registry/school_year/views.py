"""The school year as pages: what comes next, and the promotion from rehearsal to undoing."""

import secrets
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from accounts.idempotency import claim, form_digest
from accounts.rights import requires
from accounts.roles import Right
from accounts.step_up import steps_up
from audit.services import record_list
from config.clock import today
from config.errors import NotFound, Refusal
from config.scope import NATION
from registry.models import PromotionRun
from registry.school_year import calendar as coming
from registry.school_year import queries, runs, undoing
from registry.school_year.year import moment_in_words, present_year, school_year


@requires(Right.VIEW_OFFICE)
@require_GET
def calendar(request: HttpRequest) -> HttpResponse:
    """What comes next for the office she acts for."""
    user: Any = request.user
    may_see = any(user.holds(right) for right in (Right.VIEW_STUDENT, Right.CONFIRM_RUN))
    context = {"entries": coming.entries(user.acting_path, today()), "may_see_promotion": may_see}
    return render(request, "school_year/calendar.html", context)


# ── Promotion ────────────────────────────────────────────────────────────────────────────────────────────
@requires(Right.VIEW_STUDENT, Right.CONFIRM_RUN)
@require_GET
def promotions(request: HttpRequest) -> HttpResponse:
    """The runs, newest first, and the way to a rehearsal."""
    user: Any = request.user
    year = present_year()
    context = {
        "runs": queries.runs_seen(), "year": year.year, "moment": moment_in_words(year.at),
        "may_rehearse": user.may_act_at(Right.PROMOTE, NATION), "key": secrets.token_urlsafe(24),
    }  # fmt: skip
    return render(request, "school_year/promotions.html", context)


@requires(Right.PROMOTE)
@require_POST
@steps_up
def rehearse(request: HttpRequest) -> HttpResponse:
    """Begin a rehearsal; a second press leads to the same one."""
    user: Any = request.user
    held = claim(user, "year:rehearse", request.POST.get("key", ""), form_digest(request.POST))
    if not held.location:
        run = runs.rehearse(actor=user)
        held.answer(302, reverse("year:run", args=[run.public_id]))
        messages.success(request, _("演练已开始，完成后通知您。"))
    return redirect(held.location)


@requires(Right.VIEW_STUDENT, Right.CONFIRM_RUN)
@require_GET
def run(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """One run: its counts, its equation, and what it does in the reader's own offices."""
    return _run(request, queries.open_run(public_id))


def _run(request: HttpRequest, found: PromotionRun, refusal: Refusal | None = None) -> HttpResponse:
    user: Any = request.user
    state = request.GET.get("state", "")
    parts, after = queries.parts_of(found, user, request.GET.get("after", ""), state)
    schools, more = (
        ([], None) if parts else queries.schools_of(found, user, after=request.GET.get("after", ""))
    )
    is_nation = user.acting_path == NATION
    context = {
        "run": found, "refusal": refusal, "parts": parts, "after": after or more, "state": state,
        "rows": schools, "is_nation": is_nation, "moment": moment_in_words(school_year(found.year).at),
        "ways": queries.ways(found.counts), "findings": queries.findings(found.counts),
        "may_confirm": _may_confirm(found, user), "unfinished": _unfinished(found),
    }  # fmt: skip
    return render(request, "school_year/run.html", context, status=refusal.status if refusal else 200)


def _may_confirm(found: PromotionRun, user: Any) -> bool:
    if found.state != PromotionRun.State.REHEARSED or found.first_id == user.pk:
        return False
    rights = [Right.PROMOTE] if found.first_id is None else [Right.PROMOTE, Right.CONFIRM_RUN]
    return any(user.may_act_at(right, NATION) for right in rights)


def _unfinished(found: PromotionRun) -> int:
    waiting = {"rehearsing": "waiting", "running": "rehearsed"}.get(found.state)
    return found.parts.filter(state=waiting).count() if waiting else 0


@requires(Right.PROMOTE, Right.CONFIRM_RUN)
@require_POST
@steps_up
def confirm(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """One person's word on the hash that stood on her page."""
    user: Any = request.user
    found = queries.open_run(public_id)
    done = runs.confirm(found, digest=request.POST.get("digest", ""), actor=user)
    messages.success(
        request, _("两人均已确认，到时即执行。") if done.second_id else _("已确认，还须另一人确认。")
    )
    return redirect("year:run", public_id=public_id)


@requires(Right.VIEW_STUDENT)
@require_GET
def unit(request: HttpRequest, public_id: UUID, pk: int) -> HttpResponse:
    """The schools of one unit."""
    user: Any = request.user
    found = queries.open_run(public_id)
    part = queries.open_part(found, user, pk)
    rows, after = queries.schools_of(found, user, part.pk, request.GET.get("after", ""))
    context = {
        "run": found, "part": part, "rows": rows, "after": after,
        "ways": queries.ways(part.counts), "findings": queries.findings(part.counts),
    }  # fmt: skip
    return render(request, "school_year/unit.html", context)


@requires(Right.VIEW_STUDENT)
@require_GET
def school(request: HttpRequest, public_id: UUID, pk: int) -> HttpResponse:
    """What the run does at one school, and a list of those it concerns."""
    return _school(request, public_id, pk)


def _school(request: HttpRequest, public_id: UUID, pk: int, refusal: Refusal | None = None) -> HttpResponse:
    user: Any = request.user
    found = queries.open_run(public_id)
    row = queries.open_school(found, user, pk)
    fates = queries.listed(row)
    fate = request.GET.get("of", "")
    if fate and fate not in fates:
        raise NotFound()
    pupils, after = queries.pupils(row, user, fate, request.GET.get("after", "")) if fate else ([], None)
    record_list("student", [one["student_id"] for one in pupils], actor=user, route="year:school")
    context = {
        "run": found, "row": row, "refusal": refusal, "ways": queries.ways(row.counts),
        "findings": queries.findings(row.counts), "fates": fates, "of": fate, "pupils": pupils,
        "after": after,
        "steps": queries.steps(row), "remaining": queries.remaining(row.counts),
        "title": queries.title(fate), "schooling": queries.schooling_words(row),
        "may_undo": queries.may_undo(row, user), "last_day": undoing.last_day(row) if row.done_at else None,
    }  # fmt: skip
    return render(request, "school_year/school.html", context, status=refusal.status if refusal else 200)


@requires(Right.DECIDE)
@require_POST
@steps_up
def undo(request: HttpRequest, public_id: UUID, pk: int) -> HttpResponse:
    """Undo the promotion of one school."""
    user: Any = request.user
    row = queries.open_school(queries.open_run(public_id), user, pk)
    try:
        undoing.undo(row, actor=user, reason=request.POST.get("reason", ""))
    except Refusal as refused:
        request.refusal = refused  # type: ignore[attr-defined]
        return _school(request, public_id, pk, refused)
    messages.success(request, _("已撤销该校升级，学生和班级恢复原年级。"))
    return redirect("year:school", public_id=public_id, pk=pk)
