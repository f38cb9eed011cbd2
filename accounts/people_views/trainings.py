"""The list that is filed one level up: who is trained until when; POST enters a training for many."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from accounts.administration import training
from accounts.people_forms import PeopleFilter, TrainingForm
from accounts.people_views.acting import posted, read, status_of, try_to
from accounts.rights import requires
from accounts.roles import Right
from config.errors import BadRequest, Refusal
from config.paging import after_key, count_up_to

PAGE = 50


class TrainingFilter(PeopleFilter):
    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self.fields["state"].choices = [("", _("全部")), *training.STATES.items()]  # type: ignore[attr-defined]


@requires(Right.MANAGE_ACCOUNTS)
@require_http_methods(["GET", "POST"])
def trainings(request: HttpRequest) -> HttpResponse:
    """People of the offices below who need training, by state; POST enters one training for those ticked."""
    user: Any = request.user
    form = TrainingForm(posted(request))
    refusal: Refusal | None = None
    if request.method == "POST" and read(form):
        given = form.cleaned_data
        count, refusal = try_to(
            request,
            lambda: training.enter(
                given["person"], completed_on=given["completed_on"], hours=given["hours"], actor=user
            ),
        )
        if refusal is None:
            said = ngettext("已登记 {n} 人的培训。", "已登记 {n} 人的培训。", count)
            messages.success(request, said.format(n=count))
            return redirect(request.get_full_path())
    found = TrainingFilter(request.GET)
    if not found.is_valid():
        raise BadRequest(why=_("查找条件有误。"))
    asked = found.cleaned_data
    rows = training.listed(user, asked["state"], asked["q"].strip())
    total = count_up_to(rows)
    if asked["after"]:
        last = get_object_or_404(training.to_train(user).select_related("office"), pk=asked["after"])
        rows = after_key(rows, ("office__path", "pk"), (last.office.path, last.pk))
    posts = list(rows.select_related("user", "office")[: PAGE + 1])
    warned = training.warn_days(user.acting_path)
    ticked = set(request.POST.getlist("person"))
    context = {
        "form": form,
        "filter": found,
        "rows": [
            (
                post,
                state := training.state_of(post.trained_on, warned),
                training.STATES[state],
                post.trained_on + training.VALID if post.trained_on else None,
                str(post.user_id) in ticked,
            )
            for post in posts[:PAGE]
        ],
        "after": posts[PAGE - 1].pk if len(posts) > PAGE else "",
        "total": total,
        "warn_days": warned,
        "refusal": refusal,
    }
    return render(request, "accounts/trainings.html", context, status=status_of(form, refusal))
