"""规则: what holds at an office, who set it by which document, and how an office sets its own."""

from collections.abc import Callable
from datetime import date
from typing import Any
from uuid import uuid4

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.cache import patch_vary_headers
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_POST

from accounts import offices, rulebook
from accounts.idempotency import claim, form_digest
from accounts.models import Organization, User
from accounts.rights import requires, who_can
from accounts.roles import RIGHT_LABELS, Right
from audit.services import record_list
from config.clock import today
from config.errors import BadRequest, NotAllowed, NotFound, Refusal
from config.models import RuleValue
from config.rules import PARAMETERS, SUBJECTS, Parameter, RuleInForce, rule, rules
from config.scope import ancestors
from config.workdays import ONE_DAY
from registry.backtests import Draft
from transfers.backtests import BACKTESTS
from transfers.forms import expect
from transfers.rule_form import EndForm, RuleForm, initial

_ONLY: dict[str, tuple[Any, Callable[[rulebook.Line], bool]]] = {
    "": (gettext_lazy("全部"), lambda line: True),
    "own": (gettext_lazy("本级设定的"), lambda line: line.is_own),
    "settable": (gettext_lazy("本级可设定的"), lambda line: line.is_settable),
    "coming": (gettext_lazy("将施行的"), lambda line: line.coming is not None),
}


# --- Reading -------------------------------------------------------------------------------------------


@requires(Right.VIEW_OFFICE)
@require_GET
def rules_page(request: HttpRequest) -> HttpResponse:
    """Every parameter at the office she acts for, or at one below it. The same queries however many rules."""
    user: Any = request.user
    at = _office(user, request.GET.get("at", ""))
    words, only = request.GET.get("q", "").strip()[:50], request.GET.get("only", "")
    if only not in _ONLY:
        raise NotFound()
    is_wanted = _ONLY[only][1]
    subjects = [(title, list(lines)) for title, lines in rulebook.lines(at)]
    shown = [
        (title, [line for line in lines if is_wanted(line) and (not words or line.speaks_of(words))])
        for title, lines in subjects
    ]
    context = {
        "at": at,
        "words": words,
        "only": only,
        "subjects": [(title, lines) for title, lines in shown if lines],
        "shown": sum(len(lines) for _title, lines in shown),
        "choices": [
            (key, label, sum(test(line) for _title, lines in subjects for line in lines))
            for key, (label, test) in _ONLY.items()
        ],
    }
    return render(request, "transfers/rules.html", context)


@requires(Right.VIEW_OFFICE)
@require_GET
def rule_page(request: HttpRequest, key: str) -> HttpResponse:
    user: Any = request.user
    return _show(request, user, _parameter(key), _office(user, request.GET.get("at", "")))


def _show(
    request: HttpRequest,
    user: User,
    parameter: Parameter,
    at: Organization,
    *,
    form: RuleForm | None = None,
    end_form: EndForm | None = None,
    refusal: Refusal | None = None,
) -> HttpResponse:
    in_force = rules((parameter.key, "RULE_VALID_TO"), at.path)
    held = in_force[parameter.key]
    may_set = at.path == user.acting_path and user.may_act_at(Right.SET_RULES, at.path)
    if may_set and parameter.may_be_set_by(at.kind) and form is None:
        given = initial(held, _own_end(in_force["RULE_VALID_TO"], at))
        form = RuleForm(parameter, initial={**given, "office": at.pk})
    context = {
        "parameter": parameter,
        "subject": next(subject.title for subject, found in SUBJECTS if parameter in found),
        "at": at,
        "held": held,
        "is_own": held.set_at == at.path,
        "chain": rulebook.chain(parameter, at),
        "history": rulebook.history(parameter, at),
        "reach": None if at.kind == Organization.Kind.SCHOOL else rulebook.reach(parameter, at, today()),
        "form": form,
        "end_form": end_form,
        "may_end": may_set,
        "tomorrow": today() + ONE_DAY,
        "default": parameter.display(parameter.value),
        "above": _above(parameter, at),
        "why_not": "" if form else _why_not(user, parameter, at),
        "refusal": refusal,
        "labels": {field.name: field.label for field in form} if form else {},
    }
    wrong = (form is not None and form.is_bound and not form.is_valid()) or end_form is not None
    status = refusal.status if refusal else 422 if wrong else 200
    return render(request, "transfers/rule.html", context, status=status)


def _above(parameter: Parameter, at: Organization) -> RuleInForce:
    """What holds here without an own value."""
    path = ancestors(at.path)
    return rule(parameter, path[-2]) if len(path) > 1 else RuleInForce(parameter.value, parameter)


def _own_end(valid_to: RuleInForce, at: Organization) -> date | None:
    """The day on which the office's own rules end, if it has said so."""
    return date.fromisoformat(valid_to.word) if valid_to.set_at == at.path and valid_to.word else None


def _why_not(user: User, parameter: Parameter, at: Organization) -> str:
    """Who sets this value, for somebody who may not."""
    levels = _("该参数由{levels}设定。").format(levels=parameter.levels())
    if at.path != user.acting_path:
        return levels
    if parameter.may_be_set_by(at.kind):
        return who_can(Right.SET_RULES, at=at.path)
    above = rulebook.setters(parameter, at)
    return levels + (_("对本单位，最近的是{office}。").format(office=above[0].name) if above else "")


# --- A draft -------------------------------------------------------------------------------------------


@requires(Right.SET_RULES)
@require_POST
def rule_preview(request: HttpRequest, key: str) -> HttpResponse:
    """Old and new side by side, whom it reaches, and the back-test on demand. Nothing is kept."""
    return _with_draft(request, key, _show_preview)


@requires(Right.SET_RULES)
@require_POST
def rule_try(request: HttpRequest, key: str) -> HttpResponse:
    """The back-test of the draft: how many among the data that are there, and some of them (RD-3)."""
    return _with_draft(request, key, _try)


@requires(Right.SET_RULES)
@require_POST
def rule_set(request: HttpRequest, key: str) -> HttpResponse:
    """Set it. A second press of the same form answers what the first one did."""
    return _with_draft(request, key, _set)


def _with_draft(request: HttpRequest, key: str, go_on: Any) -> HttpResponse:
    """Read the form and go on with a sound draft; else the page comes back with all that was typed."""
    user: Any = request.user
    parameter = _parameter(key)
    form = RuleForm(parameter, request.POST)
    expect(request.POST, *form.fields)
    at = _office(user, request.POST.get("office", ""))
    if not form.is_valid():
        if request.htmx:  # type: ignore[attr-defined]
            raise BadRequest(why="、".join(form.errors))
        return _show(request, user, parameter, at, form=form)
    try:
        answer: HttpResponse = go_on(request, user, parameter, at, form)
        return answer
    except Refusal as refusal:
        if request.htmx:  # type: ignore[attr-defined]
            raise
        request.refusal = refusal  # type: ignore[attr-defined]
        return _show(request, user, parameter, at, form=form, refusal=refusal)


def _given(user: User, at: Organization, form: RuleForm) -> dict[str, Any]:
    chosen = form.cleaned_data
    names = ("document", "starts", "reason")
    return {"at": at, "actor": user, "until": form.until, **{name: chosen[name] for name in names}}


def _show_preview(
    request: HttpRequest, user: User, parameter: Parameter, at: Organization, form: RuleForm, **more: Any
) -> HttpResponse:
    starts: date = form.cleaned_data["starts"]
    before = rule(parameter, at.path, starts)
    after = rulebook.rehearse(parameter, form.value, **_given(user, at, form))
    test = BACKTESTS.get(parameter.key)
    context = {
        "parameter": parameter,
        "at": at,
        "form": form,
        "before": before,
        "after": after,
        "is_late": starts < today(),
        "reach": rulebook.reach(parameter, at, starts),
        "test": test,
        "test_right": RIGHT_LABELS[test.right] if test and not test.is_open_to(user, at.path) else "",
        "sent": [
            (name, text) for name in form.fields for text in request.POST.getlist(name) if name != "key"
        ],
        "idempotency_key": uuid4().hex,
        **more,
    }
    return render(request, "transfers/rule_preview.html", context)


def _try(
    request: HttpRequest, user: User, parameter: Parameter, at: Organization, form: RuleForm
) -> HttpResponse:
    after = rulebook.rehearse(parameter, form.value, **_given(user, at, form))
    test = BACKTESTS.get(parameter.key)
    if test is None:
        raise NotFound()
    if not test.is_open_to(user, at.path):
        raise NotAllowed(right=str(RIGHT_LABELS[test.right]), who=who_can(test.right, at=at.path))
    starts: date = form.cleaned_data["starts"]
    now = rule(parameter, at.path, starts)
    trial = test.run(Draft(parameter, after.value, now, at.path, starts, user))
    record_list(test.subject, [one.pk for one in trial.examples], actor=user, route="transfers:rule_try")
    context = {"trial": trial, "test": test, "before": now, "after": after}
    if not request.htmx:  # type: ignore[attr-defined]
        return _show_preview(request, user, parameter, at, form, **context)
    response = render(request, "transfers/_trial.html", context)
    patch_vary_headers(response, ["HX-Request"])
    return response


# --- Acting --------------------------------------------------------------------------------------------


def _set(
    request: HttpRequest, user: User, parameter: Parameter, at: Organization, form: RuleForm
) -> HttpResponse:
    held = claim(user, "transfers:rule_set", form.cleaned_data["key"], form_digest(request.POST))
    if held.location:
        return redirect(held.location)
    row = rulebook.set_value(parameter, form.value, **_given(user, at, form))
    location = reverse("transfers:rule", args=[parameter.key])
    held.answer(302, location)
    words = _("已设定为{value}，自{day}起施行。")
    messages.success(request, words.format(value=parameter.display(form.value), day=row.valid[0]))
    return redirect(location)


@requires(Right.SET_RULES)
@require_POST
def rule_end(request: HttpRequest, key: str) -> HttpResponse:
    """End an own value, or withdraw one that waits for its day; what was stays on the page."""
    user: Any = request.user
    parameter = _parameter(key)
    form = EndForm(request.POST)
    expect(request.POST, *form.fields)
    at = _office(user, request.POST.get("office", ""))
    row = _row(parameter, at, request.POST.get("row", ""))
    if not form.is_valid():
        return _show(request, user, parameter, at, end_form=form)
    given = {name: form.cleaned_data[name] for name in ("ends", "document", "reason")}
    try:
        rulebook.end_value(row, at=at, actor=user, **given)
    except Refusal as refusal:
        request.refusal = refusal  # type: ignore[attr-defined]
        return _show(request, user, parameter, at, end_form=form, refusal=refusal)
    messages.success(request, _("本级的设定已终止，该日起适用上级的值。"))
    return redirect("transfers:rule", parameter.key)


# --- What the address and the form name ------------------------------------------------------------------


def _parameter(key: str) -> Parameter:
    if key not in PARAMETERS:
        raise NotFound()
    return PARAMETERS[key]


def _office(user: User, pk: str) -> Organization:
    """The office she acts for unless `pk` names one at or below it. Raises NotFound."""
    if pk and not (pk.isascii() and pk.isdigit() and len(pk) < 19):
        raise NotFound()
    assert user.acting_office is not None, "the guard has let nobody in without an office"
    wanted = int(pk) if pk else user.acting_office.pk
    found = offices.visible_offices(user).within(user.acting_path).filter(pk=wanted).first()  # type: ignore[attr-defined]
    if found is None:
        raise NotFound()
    return found  # type: ignore[no-any-return]


def _row(parameter: Parameter, at: Organization, pk: str) -> RuleValue:
    if not (pk.isascii() and pk.isdigit() and len(pk) < 19):
        raise NotFound()
    found = RuleValue.objects.filter(pk=int(pk), key=parameter.key, path=at.path).first()
    if found is None:
        raise NotFound()
    return found
