"""People of an office, one person, and a new account."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_GET, require_http_methods

from accounts import listing_people as reading
from accounts import who_gains
from accounts.administration import appointing, creating, reach, resets
from accounts.administration.appointing import Appointment
from accounts.administration.creating import NewPerson
from accounts.models import Organization, User
from accounts.people_forms import CodeForm, PeopleFilter, PersonForm
from accounts.people_views.acting import STEP, offices_of, person_or_404, posted, read, status_of, try_to
from accounts.rights import requires
from accounts.roles import ROLES, Right
from accounts.step_up import require_step_up
from config.clock import today
from config.errors import BadRequest, Refusal
from config.paging import after_key, count_up_to

PAGE = 50


@requires(Right.MANAGE_ACCOUNTS)
@require_GET
def people(request: HttpRequest) -> HttpResponse:
    """People of her office, of one below (`at`), or of all of them when words are looked for."""
    user: Any = request.user
    form = PeopleFilter(request.GET)
    if not form.is_valid():
        raise BadRequest(why=_("查找条件有误。"))
    asked = form.cleaned_data
    offices = offices_of(request)
    at: Organization | None = None
    if asked["at"]:
        at = get_object_or_404(reach.administered(user), pk=asked["at"])
    elif not asked["q"]:
        at = user.own_office
    rows = reading.listed(user, at, asked["q"].strip(), asked["state"])
    total = count_up_to(rows)
    if asked["after"]:
        last = get_object_or_404(reach.people(user), pk=asked["after"])
        rows = after_key(rows, ("name", "pk"), (last.name, last.pk))
    found = list(rows[: PAGE + 1])
    context = {
        "form": form,
        "at": at,
        "offices": offices,
        "rows": reading.lines(found[:PAGE], user.acting_path),
        "after": found[PAGE - 1].pk if len(found) > PAGE else "",
        "total": total,
        "waiting": resets.waiting(user).count(),
    }
    return render(request, "accounts/people.html", context)


@requires(Right.MANAGE_ACCOUNTS)
@require_GET
def person(request: HttpRequest, pk: int) -> HttpResponse:
    """Posts, trainings, grants, codes, last sign-in, whether sealed; and what may be done."""
    return show_person(request, person_or_404(request, pk))


def show_person(
    request: HttpRequest, found: User, form: CodeForm | None = None, refusal: Refusal | None = None
) -> HttpResponse:
    """The page of one person; with a reset that was refused, what was typed is still there."""
    user: Any = request.user
    dossier = reading.dossier_of(found, user)
    context = {
        "person": found,
        "dossier": dossier,
        "needs_training": any(ROLES[post.role].needs_training for post in dossier.posts),
        "code_form": form or CodeForm(),
        "refusal": refusal,
        "may_reset": dossier.home is not None and reach.is_from_above(user, dossier.home),
        "is_self": found.pk == user.pk,
    }
    return render(request, "accounts/person.html", context, status=status_of(form, refusal))


@requires(Right.MANAGE_ACCOUNTS)
@sensitive_post_parameters("number")
@require_http_methods(["GET", "POST"])
def new(request: HttpRequest) -> HttpResponse:
    """A new account: form, preview of who gains what, then the slip with the first code, shown once."""
    user: Any = request.user
    offices = offices_of(request)
    first = {"first": today(), "office": request.GET.get("at", "")}
    form = PersonForm(posted(request), offices=offices, initial=first)
    refusal: Refusal | None = None
    context: dict[str, Any] = {"form": form, "offices": offices}
    if request.method == "POST" and read(form):
        given = form.cleaned_data
        typed = NewPerson(given["name"], given["username"].lower(), given["number"], given["phone"])
        office = form.offices[given["office"]]
        wanted = Appointment(office, given["role"], given["first"], given["last"])
        if request.POST.get(STEP) == "save":

            def create() -> Any:
                require_step_up(request)
                return creating.create(typed, wanted, actor=user, reason=given["reason"])

            made, refusal = try_to(request, create)
            if made:
                person, post, code = made
                slip = creating.slip_of(post, code)
                messages.success(request, _("已为{name}建立账号。").format(name=person.name))
                return render(request, "accounts/code_slips.html", {"slips": [slip], "person": person})
        else:
            _answer, refusal = try_to(request, lambda: _look_at(typed, wanted, user))
        context["gains"] = who_gains.gained(None, office, ROLES[given["role"]].rights, given["role"])
        context["role"] = ROLES[given["role"]]
    context["refusal"] = refusal
    return render(request, "accounts/person_new.html", context, status=status_of(form, refusal))


def _look_at(typed: NewPerson, wanted: Appointment, user: Any) -> None:
    """What can be said before saving. Raises what the service would."""
    appointing.check_place(wanted, user)
    creating.check(typed)
