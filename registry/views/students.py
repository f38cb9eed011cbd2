"""The list of pupils in scope."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.rights import requires
from accounts.roles import Right
from audit.services import record_list
from registry.codes import choices
from registry.queries import rosters
from registry.queries.rosters import Filters
from registry.status import STATUSES


@requires(Right.VIEW_STUDENT, Right.VIEW_OWN_CLASS)
def students(request: HttpRequest) -> HttpResponse:
    """Pupils in scope, fifty a page. One access entry with the ids that were shown (RD-3)."""
    user: Any = request.user
    filters = rosters.read_filters(request.GET, user)
    page = rosters.read_page(user, filters, request.GET.get("after", ""))
    record_list("student", [row["student_id"] for row in page.rows], actor=user, route="registry:students")
    return render(
        request,
        "registry/students.html",
        {
            "filters": filters,
            "page": page,
            "is_narrow": bool(page.rows) and all(row["org_path"] == filters.path for row in page.rows),
            "chips": _chips(request, filters),
            "may_file": user.may_act_at(Right.FILE, user.acting_path),
            "fields": filter_fields(user, filters),
            "may_export": user.may_act_at(Right.EXPORT, user.acting_path),
        },
    )


def _chips(request: HttpRequest, filters: Filters) -> list[dict[str, str]]:
    """Each filter in force with the address of the same list without it."""
    chips = []
    for chosen in filters.chosen:
        query = request.GET.copy()
        query.pop(chosen.key, None)
        query.pop("after", None)
        if chosen.key == "office":
            query.pop("class", None)
        left = query.urlencode()
        chips.append(
            {
                "title": chosen.title,
                "words": chosen.words,
                "url": f"{request.path}?{left}" if left else request.path,
            }
        )
    return chips


def filter_fields(user: User, filters: Filters) -> list[dict[str, Any]]:
    """The drop-downs above the list; values are enumerations or ids in scope."""
    offices = rosters.offices_below(user, filters)
    classes = rosters.classes_here(user, filters)
    chosen_office = filters.office.pk if filters.office else ""
    chosen_class = filters.school_class.pk if filters.school_class else ""
    fields = [
        _field(
            "office",
            _("下级单位"),
            [(row["id"], row["name"]) for row in offices],
            chosen_office,
            keep=filters.office,
        ),
        _field("grade", _("年级"), rosters.grades(), filters.grade),
        _field(
            "class",
            _("班级"),
            [(row["id"], row["name"]) for row in classes],
            chosen_class,
            keep=filters.school_class,
        ),
        _field("sex", _("性别"), [pair for pair in choices("sex") if pair[0] in "12"], filters.sex),
        _field(
            "status",
            _("状态"),
            [*((status.code, status.name) for status in STATUSES.values()), ("all", _("全部状态"))],
            filters.status,
            blank=_("在校（含待核准）"),
        ),
        _field("kind", _("学籍号"), list(rosters.NUMBER_KINDS.items()), filters.kind),
    ]
    return [field for field in fields if field["options"]]


def _field(
    key: str, title: str, options: list[tuple[Any, Any]], chosen: Any, *, blank: str = "", keep: Any = None
) -> dict[str, Any]:
    if keep is not None and all(value != chosen for value, _name in options):
        options = [(chosen, keep.name), *options]
    return {"key": key, "title": title, "options": options, "chosen": chosen, "blank": blank or _("全部")}
