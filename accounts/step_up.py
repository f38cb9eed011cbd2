"""Step-up: a second factor given in the last minutes, for what does harm in another's hands (AC-7)."""

from collections.abc import Callable
from functools import wraps
from time import time
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy

from config.errors import Refusal
from config.rules.catalogue import STEP_UP_MINUTES

FACTOR_AT = "factor_at"  # in the session: seconds since 1970 at which she last proved a second factor
FRESH_SECONDS = int(str(STEP_UP_MINUTES.value)) * 60


class StepUpNeeded(Refusal):
    """The second factor is older than five minutes; its page leads to the proof and back."""

    code, status, rule = "step_up_needed", 403, "AC-7"
    message = gettext_lazy("此操作须先再次验证身份（动态口令或通行密钥），验证后五分钟内有效。")


def is_fresh(request: HttpRequest) -> bool:
    """Whether she proved a second factor within the last five minutes of this sign-in."""
    return time() - request.session.get(FACTOR_AT, 0) < FRESH_SECONDS


def require_step_up(request: HttpRequest) -> None:
    """Raises StepUpNeeded."""
    if not is_fresh(request):
        raise StepUpNeeded()


def steps_up(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Let a POST through only after a step-up; reading the page needs none. Goes below `@requires`."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if request.method == "POST":
            require_step_up(request)
        return view(request, *args, **kwargs)

    return guarded
