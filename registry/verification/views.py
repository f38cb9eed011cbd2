"""Pages of the verification: progress by level, the school's own findings, sign-off (R-VER-01, R-VER-05)."""

import secrets
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.dateparse import parse_date
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy
from django.views.decorators.http import require_GET, require_POST

from accounts.idempotency import claim, form_digest
from accounts.models import Organization
from accounts.rights import requires
from accounts.roles import Right
from audit.services import record_list
from config.errors import BadRequest, Refusal
from config.jobs import OPEN
from config.rules import rule
from registry.models import Campaign, Finding, SchoolVerification
from registry.queries.rosters import number_in
from registry.verification import acts, campaigns, queries
from registry.verification.kinds import CHECKS, KINDS, OFFENCES
from registry.verification.signing import refuse, sign

SHOWS = {
    "": _lazy("全部"), "open": _lazy("待处理"), "planned": _lazy("整改中"), "closed": _lazy("已销号"),
    "overdue": _lazy("逾期"), "ordered": _lazy("责令整改"),
}  # fmt: skip


def chosen_campaign(request: HttpRequest) -> Campaign | None:
    """The campaign an address names, else the newest that concerns her office."""
    user: Any = request.user
    wanted = request.GET.get("campaign", "")
    return campaigns.campaign_for(user.acting_path, number_in(wanted) if wanted else None)


@requires(Right.VIEW_STUDENT)
@require_GET
def home(request: HttpRequest) -> HttpResponse:
    """Progress of a campaign by level; a school is led to its own page."""
    return _home(request)


def _home(request: HttpRequest, refusal: Refusal | None = None) -> HttpResponse:
    user: Any = request.user
    campaign = chosen_campaign(request)
    if user.acting_office.kind == Organization.Kind.SCHOOL and campaign:
        own = queries.school_rows(user).filter(campaign=campaign, org_path=user.acting_path).first()
        if own is not None:
            return redirect("verification:school", own.pk)
    context: dict[str, Any] = {
        "campaign": campaign, "campaigns": campaigns.campaigns_over(user.acting_path), "refusal": refusal,
        "may_open": campaigns.may_open(user), "key": request.POST.get("key") or secrets.token_urlsafe(24),
        "required": rule("VERIFY_PER_SEMESTER", at=user.acting_path), "due": request.POST.get("due_on", ""),
    }  # fmt: skip
    if campaign:
        office = queries.office_in(user, request.GET.get("office", ""))
        found = queries.progress(campaign, office, user)
        above = office.parent if office.path != user.acting_path else None
        context |= {
            "progress": found, "office": office, "above": above,
            "is_running": campaign.job.state in OPEN,
            "may_again": user.may_act_at(Right.OPEN_CAMPAIGN, campaign.path),
            "term": campaigns.term_name(campaign.school_year, campaign.semester),
        }  # fmt: skip
    return render(request, "verification/home.html", context, status=refusal.status if refusal else 200)


@requires(Right.OPEN_CAMPAIGN)
@require_POST
def open_campaign(request: HttpRequest) -> HttpResponse:
    """Open the present semester's verification."""
    user: Any = request.user
    try:
        held = claim(user, "verification:open", request.POST.get("key", ""), form_digest(request.POST))
        if not held.location:
            due_on = day_in(request.POST.get("due_on", ""))
            campaign = campaigns.open_campaign(actor=user, due_on=due_on)
            held.answer(302, reverse("verification:home") + f"?campaign={campaign.pk}")
            messages.success(request, _("已开始核准，系统正在逐县检查。"))
        return redirect(held.location)
    except Refusal as refused:
        request.refusal = refused  # type: ignore[attr-defined]
        return _home(request, refused)


def day_in(text: str) -> Any:
    """A day from a form; None for what is none."""
    try:
        return parse_date(text)
    except ValueError:
        return None


def _campaign(request: HttpRequest, pk: int) -> Campaign:
    user: Any = request.user
    found = campaigns.campaign_for(user.acting_path, pk)
    assert found is not None  # noqa: S101  # campaign_for raises for one that is not hers
    request.subject = found  # type: ignore[attr-defined]
    return found


@requires(Right.OPEN_CAMPAIGN)
@require_POST
def again(request: HttpRequest, pk: int) -> HttpResponse:
    """Run the checks again over everything."""
    found = _campaign(request, pk)
    campaigns.check_again(found, actor=request.user)  # type: ignore[arg-type]
    return redirect(reverse("verification:home") + f"?campaign={pk}")


@requires(Right.VIEW_STUDENT)
@require_GET
def running(request: HttpRequest, pk: int) -> HttpResponse:
    """How far the run is, asked for every second; when it is over the page is loaded anew."""
    found = _campaign(request, pk)
    response = render(request, "verification/_running.html", {"campaign": found})
    if found.job.state not in OPEN:
        response["HX-Refresh"] = "true"
    return response


# ── One school ───────────────────────────────────────────────────────────────────────────────────────────
@requires(Right.VIEW_STUDENT)
@require_GET
def school(request: HttpRequest, pk: int) -> HttpResponse:
    """One school's verification: counts, findings with filters, sign-off."""
    return _school(request, queries.open_school(_user(request), pk))


def _user(request: HttpRequest) -> Any:
    return request.user


def _school(request: HttpRequest, found: SchoolVerification, refusal: Refusal | None = None) -> HttpResponse:
    user = _user(request)
    page = queries.read_findings(found.campaign, found.org_path, user, request.GET)
    pupils = [line["row"].student_id for line in page.rows if line["pupil"]]
    record_list("student", pupils, actor=user, route="verification:school")
    may_sign = user.may_act_at(Right.REVIEW, found.org_path)
    context = {
        "school": found, "campaign": found.campaign, "page": page, "refusal": refusal,
        "term": campaigns.term_name(found.campaign.school_year, found.campaign.semester),
        "counts": queries.kind_counts(found), "may_edit": user.may_act_at(Right.EDIT_STUDENT, found.org_path),
        "may_sign": may_sign, "in_the_way": _in_the_way(found, user) if may_sign else None,
        "shows": SHOWS, "show": request.GET.get("show", ""), "kind": KINDS.get(request.GET.get("kind", "")),
        "checks": CHECKS, "check": request.GET.get("check", ""), "sent": request.POST,
        "chosen": set(request.POST.getlist("finding")), "signed_kinds": _signed_kinds(found),
    }  # fmt: skip
    return render(request, "verification/school.html", context, status=refusal.status if refusal else 200)


def _in_the_way(found: SchoolVerification, user: Any) -> Refusal | None:
    """What stands in the way of her signature, if anything does."""
    try:
        refuse(found, user)
    except Refusal as refusal:
        return refusal
    return None


def _signed_kinds(found: SchoolVerification) -> list[dict[str, Any]]:
    kinds = found.counts.get("kinds", {})
    return [
        {
            "label": KINDS[code].label,
            "closed": states.get(Finding.State.CLOSED, 0),
            "total": sum(states.values()),
        }
        for code, states in kinds.items()
    ]


@requires(Right.EDIT_STUDENT, Right.REVIEW)
@require_POST
def school_act(request: HttpRequest, pk: int) -> HttpResponse:
    """Plan or close the chosen findings, check again, or sign."""
    user, posted = _user(request), request.POST
    found = queries.open_school(user, pk)
    request.subject = found  # type: ignore[attr-defined]
    campaign, path, act = found.campaign, found.org_path, posted.get("act", "")
    try:
        if act == "sign":
            sign(found, actor=user)
            messages.success(request, _("已签署，本校本学期学籍核准完成。"))
        elif act == "check":
            changed = campaigns.check_own(campaign, found.school, actor=user)
            messages.success(request, _("已重新检查，{n} 条问题有变化。").format(n=changed))
        elif act in ("plan", "close"):
            ids = {number_in(text) for text in posted.getlist("finding")}
            if act == "plan":
                due_on = day_in(posted.get("due_on", ""))
                count = acts.plan(campaign, path, ids, actor=user, text=posted.get("text", ""), due_on=due_on)
            else:
                count = acts.close(campaign, path, ids, actor=user, how=posted.get("text", ""))
            messages.success(request, _("已保存 {n} 条。").format(n=count))
        else:
            raise BadRequest(why=_("没有这个操作。"))
    except Refusal as refused:
        if refused.status in (400, 404) or refused.code == "not_allowed":
            raise
        request.refusal = refused  # type: ignore[attr-defined]
        return _school(request, found, refused)
    return redirect("verification:school", pk)


# ── Findings of an office, and one of them ───────────────────────────────────────────────────────────────
@requires(Right.VIEW_STUDENT)
@require_GET
def findings(request: HttpRequest) -> HttpResponse:
    """Findings under an office: overdue ones, by kind, with an order."""
    user = _user(request)
    campaign, office = chosen_campaign(request), queries.office_in(user, request.GET.get("office", ""))
    page = queries.read_findings(campaign, office.path, user, request.GET) if campaign else None
    if page:
        pupils = [line["row"].student_id for line in page.rows if line["pupil"]]
        record_list("student", pupils, actor=user, route="verification:findings")
    context = {
        "campaign": campaign, "office": office, "page": page, "shows": SHOWS, "kinds": KINDS,
        "show": request.GET.get("show", ""), "kind": KINDS.get(request.GET.get("kind", "")),
    }  # fmt: skip
    return render(request, "verification/findings.html", context)


@requires(Right.VIEW_STUDENT)
@require_GET
def finding(request: HttpRequest, pk: int) -> HttpResponse:
    """One finding with its plan, order and answer."""
    return _finding(request, queries.open_finding(_user(request), pk))


def _finding(request: HttpRequest, found: Finding, refusal: Refusal | None = None) -> HttpResponse:
    user = _user(request)
    (line,) = queries.in_words([found], user)
    named = queries.without_photo(found, user) if found.kind == "photo" else []
    seen = [one["pk"] for one in [*named, line["pupil"]] if one]
    if seen:
        record_list("student", seen, actor=user, route="verification:finding")
    own = queries.school_rows(user).filter(campaign=found.campaign, org_path=found.org_path).first()
    is_open = found.state != Finding.State.CLOSED
    ordered_here = bool(found.order_office and user.may_act_at(Right.INSPECT, found.order_office.path))
    marks = acts.unlisted_marks(Finding.objects.filter(pk=found.pk)) if found.kind == "unlisted" else []
    context = {
        "line": line, "finding": found, "school": own, "offences": OFFENCES, "refusal": refusal,
        "sent": request.POST, "ways": [(one, request.POST.get(f"way{one.pk}", one.way)) for one in marks],
        "named": named,
        "may_plan": is_open and user.may_act_at(Right.EDIT_STUDENT, found.org_path),
        "may_file": user.may_act_at(Right.FILE, found.org_path),
        "may_order": found.offence is None and acts.may_inspect(user, found.org_path),
        "may_answer": bool(found.offence) and is_open and user.may_act_at(Right.EDIT_STUDENT, found.org_path),
        "may_close": is_open and ordered_here,
    }  # fmt: skip
    return render(request, "verification/finding.html", context, status=refusal.status if refusal else 200)


@requires(Right.EDIT_STUDENT, Right.INSPECT)
@require_POST
def finding_act(request: HttpRequest, pk: int) -> HttpResponse:
    """Order, answer or close an order; plan for each pupil beyond a class's list."""
    user, posted = _user(request), request.POST
    found = queries.open_finding(user, pk)
    request.subject = found  # type: ignore[attr-defined]
    act, text = posted.get("act", ""), posted.get("text", "")
    try:
        if act == "order":
            offence, due_on = posted.get("offence", ""), day_in(posted.get("due_on", ""))
            acts.order(
                found, actor=user, offence=int(offence) if offence in map(str, OFFENCES) else 0, text=text,
                due_on=due_on,
            )  # fmt: skip
            messages.success(request, _("已责令整改并通知学校。"))
        elif act == "ways":
            ways = {number_in(key[3:]): posted[key] for key in posted if key.startswith("way")}
            acts.plan_ways(found, ways, actor=user, text=text, due_on=day_in(posted.get("due_on", "")))
            messages.success(request, _("已保存，逐人的去向记入整改计划。"))
        elif act == "answer":
            acts.answer(found, actor=user, text=text)
            messages.success(request, _("整改报告已提交。"))
        elif act == "close":
            acts.close_order(found, actor=user, how=text)
            messages.success(request, _("已销号。"))
        else:
            raise BadRequest(why=_("没有这个操作。"))
    except Refusal as refused:
        if refused.status in (400, 403, 404):
            raise
        request.refusal = refused  # type: ignore[attr-defined]
        return _finding(request, found, refused)
    return redirect("verification:finding", pk)
