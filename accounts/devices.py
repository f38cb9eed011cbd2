"""What early warning needs of an attempt to sign in: whose, from which address and device, in which posts.

A device is a random cookie that says nothing but that it is the same browser again; the log of attempts keeps
address and device as keyed digests only.
"""

from collections.abc import Callable
from secrets import token_hex

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from accounts.models import User
from accounts.rights import valid_posts
from accounts.throttle import address_of
from audit.watching import note_attempt
from config.scope import NATION

COOKIE = "__Host-device" if settings.IS_HTTPS else "device"
_YEAR = 365 * 24 * 3600
_DOOR = "/accounts/sign-in"


class DeviceCookie:
    """Give a browser its mark when it first opens the sign-in page."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if request.path.startswith(_DOOR) and not _mark(request):
            response.set_cookie(
                COOKIE,
                token_hex(16),
                max_age=_YEAR,
                secure=settings.IS_HTTPS,
                httponly=True,
                samesite="Lax",
            )
        return response


def note(request: HttpRequest, user: User | None, typed: str = "", *, is_failure: bool) -> None:
    """Keep one attempt for the evaluator; a failed one of somebody known belongs to her first office."""
    posts = valid_posts(user) if user else []
    note_attempt(
        account=user.pk if user else None,
        typed=typed,
        address=address_of(request),
        device=_mark(request),
        office_path=posts[0].office.path if posts else NATION,
        roles=sorted({post.role for post in posts}),
        is_failure=is_failure,
    )


def _mark(request: HttpRequest) -> str:
    """The browser's mark; what is not one of ours counts as none."""
    mark = request.COOKIES.get(COOKIE, "")
    return mark if len(mark) == 32 and mark.isalnum() else ""
