"""核对班级名册: the classes of a school, and the roll of one on a telephone (R-VER-02)."""

import re
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from accounts.rights import explain, requires
from accounts.roles import Right
from config.errors import BadRequest, Refusal
from registry.models import RollMark
from registry.queries.rosters import number_in
from registry.verification import rolls as services
from registry.verification.queries_rolls import PRESENT, Roll, open_roll, path_of_school, read_rolls

_READERS = (Right.CONFIRM_ROLL, Right.VIEW_STUDENT)
_CHOICES = (PRESENT, RollMark.Kind.AWAY, RollMark.Kind.NOT_OURS)
_OTHERS = frozenset(("csrfmiddlewaretoken", "version", "unlisted"))
_PUPIL, _WHY = re.compile("s([0-9]{1,18})"), re.compile("w[0-9]{1,18}")
_BLANKS = 3  # lines for pupils who are not on the list


@requires(*_READERS)
@require_GET
def rolls(request: HttpRequest) -> HttpResponse:
    """The classes of her school with their rolls; offices above name the school."""
    user: Any = request.user
    named = request.GET.get("school", "")
    path = path_of_school(user, number_in(named) if named else None)
    context = {"page": read_rolls(user, path), "may_print": user.may_act_at(Right.CONFIRM_ROLL, path)}
    return render(request, "verification/rolls.html", context)


@requires(*_READERS)
@require_http_methods(["GET", "POST"])
def roll(request: HttpRequest, pk: int) -> HttpResponse:
    """GET shows the roll, POST confirms it: whoever is not marked is present."""
    user: Any = request.user
    found = open_roll(user, pk, "verification:roll")
    request.subject = found.school_class  # type: ignore[attr-defined]
    refusal: Refusal | None = None
    if request.method == "POST":
        if not found.may_confirm:
            explain(user, Right.CONFIRM_ROLL, at=found.school_class.org_path).or_raise()
        sent = _read(request.POST)
        try:
            services.confirm_roll(found.school_class, *sent, version=_version(request.POST), actor=user)
            messages.success(request, _("{name}的名册已确认。").format(name=found.school_class.name))
            return redirect("verification:roll", pk)
        except Refusal as refused:
            refusal = refused
            request.refusal = refused  # type: ignore[attr-defined]
    return _show(request, found, refusal)


def _show(request: HttpRequest, found: Roll, refusal: Refusal | None) -> HttpResponse:
    """The page; after a refusal with what was typed, for those who are still in the class."""
    typed = request.POST if refusal else None
    lines = [
        {
            "line": line,
            "says": typed.get(f"s{line.student}", PRESENT) if typed else line.says,
            "why": typed.get(f"w{line.student}", "") if typed else line.why,
        }
        for line in found.lines
    ]
    unlisted = [name for name in typed.getlist("unlisted") if name.strip()] if typed else found.unlisted
    room = min(_BLANKS, services.MOST_UNLISTED - len(unlisted))
    context = {
        "roll": found, "lines": lines, "unlisted": [*unlisted, *([""] * room)], "refusal": refusal,
        "why": RollMark.Why.choices, "is_open": found.may_confirm and found.is_open,
        "may_file": request.user.may_act_at(Right.FILE, found.school_class.org_path),  # type: ignore[union-attr]
    }  # fmt: skip
    return render(request, "verification/roll.html", context, status=refusal.status if refusal else 200)


def _read(posted: QueryDict) -> tuple[list[int], list[services.Mark], list[str]]:
    """Who was on the page, who of them is marked, and the names besides. Raises BadRequest."""
    listed, marks = [], []
    for key in posted:
        if key in _OTHERS or _WHY.fullmatch(key):
            continue
        pupil, says = _PUPIL.fullmatch(key), posted.get(key, "")
        if pupil is None or says not in _CHOICES:
            raise BadRequest(why=_("不认识的字段 {keys}。").format(keys=key[:40]))
        student = int(pupil[1])
        listed.append(student)
        if says != PRESENT:
            why = posted.get(f"w{student}", "") if says == RollMark.Kind.AWAY else ""
            marks.append(services.Mark(student, says, why))
    names = posted.getlist("unlisted")
    if len(names) > services.MOST_UNLISTED:
        raise BadRequest(why=_("名册外学生一次最多登记 {count} 人。").format(count=services.MOST_UNLISTED))
    return listed, marks, names


def _version(posted: QueryDict) -> int:
    return number_in(posted.get("version", "0"))
