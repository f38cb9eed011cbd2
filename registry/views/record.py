"""One pupil's record: header, tabs, and the same as it stood on a former day."""

from datetime import date
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET
from django.views.decorators.vary import vary_on_headers

from accounts.rights import requires
from accounts.roles import Right
from audit.budgets import spend
from audit.services import record_read
from config.clock import today
from config.errors import BadRequest
from registry.entries.reading import lines_of
from registry.graduation.queries import graduations_of
from registry.models import Student
from registry.queries import history
from registry.queries.dossier import Dossier, change_words, flags_of, open_dossier
from registry.queries.guests import stays_of
from registry.queries.sight import Sight, open_record
from registry.services.reporting_in import refreshed_on

# The doctor has a tab of her own; who sees the form finds the health fields in it.
TABS = {
    "basic": gettext_lazy("基本信息"),
    "health": gettext_lazy("健康信息"),
    "family": gettext_lazy("家庭成员"),
    "history": gettext_lazy("学籍经历"),
    "graduation": gettext_lazy("毕业"),
    "growth": gettext_lazy("成长记录"),
    "readers": gettext_lazy("谁看过"),
}


def tabs_of(sight: Sight) -> dict[str, Any]:
    """The tabs of a record that `sight` opens."""
    shown = {key: title for key, title in TABS.items() if sight.shows(key)}
    if "basic" in shown:
        shown.pop("health", None)
    return shown


@requires(Right.VIEW_STUDENT, Right.VIEW_OWN_CLASS, Right.VIEW_HEALTH)
@require_GET
@vary_on_headers("HX-Request")
def student(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """A record, or one of its tabs as a fragment. Every view of it leaves one access entry (RD-3)."""
    user: Any = request.user
    pupil, sight = open_record(user, public_id)
    request.subject = pupil  # type: ignore[attr-defined]
    spend(user, "records")
    tabs = tabs_of(sight)
    tab = request.GET.get("tab", "")
    tab = tab if tab in tabs else next(iter(tabs))
    day = _as_of(request, sight)
    dossier = history.dossier_as_of(pupil, sight, day) if day else open_dossier(pupil, sight)
    record_read(
        pupil,
        actor=user,
        route="registry:student",
        purpose=_("查看 {day} 的历史状态").format(day=day.isoformat()) if day else "",
        fields=[tab],
    )
    context: dict[str, Any] = {
        "student": pupil,
        "sight": sight,
        "dossier": dossier,
        "tabs": tabs,
        "tab": tab,
        "as_of": day,
        "today": today(),
        "change_words": change_words(),
        "enrolment": dossier.record.enrolment if dossier else None,
        **_contents(tab, dossier, pupil, request, sight, day),
    }
    if request.headers.get("HX-Request") and not request.headers.get("HX-History-Restore-Request"):
        return render(request, "registry/_tab.html", context)
    return render(request, "registry/student.html", context | _header(pupil, user, sight, dossier))


def _as_of(request: HttpRequest, sight: Sight) -> date | None:
    """The day the record is asked for, or None for today. Raises BadRequest when it is no day."""
    text = request.GET.get("as_of", "").strip()
    if not text or not sight.shows("as_of"):
        return None
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise BadRequest(why=_("日期应为 2026-09-01 这样的形式")) from None
    return day if day < today() else None


def _contents(
    tab: str,
    dossier: Dossier | None,
    pupil: Student,
    request: HttpRequest,
    sight: Sight,
    day: date | None,
) -> dict[str, Any]:
    """What the chosen tab needs, and nothing else."""
    user: Any = request.user
    if tab == "history":
        return {
            "spells": history.spells_of(pupil, user, sight),
            "stays": stays_of(pupil, user, sight),
            "numbers": dossier.numbers if dossier else history.numbers_of(pupil, user, sight),
            "acts": history.acts_on(pupil, user, sight),
        }
    if tab == "graduation":
        return {"graduations": graduations_of(pupil, user)}
    if tab == "growth":
        found = lines_of(pupil, user, sight, on=day, after=request.GET.get("after", ""))
        return {"growth": found.by_kind, "growth_page": found}
    if tab == "readers":
        return {"readers": history.readers_of(pupil, user, sight), "with_names": sight.shows("reader_names")}
    if dossier is None:
        return {}
    if tab == "family":
        return {"blocks": dossier.family_blocks()}
    if tab == "health":
        return {"lines": dossier.health_lines()}
    return {"blocks": dossier.blocks()}


def _header(pupil: Student, user: Any, sight: Sight, dossier: Dossier | None) -> dict[str, Any]:
    flags = flags_of(pupil, user, sight)
    return {
        "flags": flags,
        "refreshed_on": refreshed_on(pupil),
        "may_look_back": sight.shows("as_of"),
        "may_protect": user.holds(Right.PROTECT_STUDENT),
        "may_start": user.holds(Right.FILE) or user.holds(Right.DECIDE),
        "may_edit": dossier is not None
        and dossier.as_of is None
        and dossier.is_open
        and flags.business is None
        and user.may_act_at(Right.EDIT_STUDENT, pupil.org_path),
    }
