"""A restored copy starts fenced: nothing leaves it, nothing is written until a named person says so (RE-8).

Recovery from a backup puts a database on a new timeline, and a copied or upgraded one into another cluster:
the pair of both that may work is a row. Who has no row is fenced; there is nothing to switch on or to forget.
"""

from typing import Any
from weakref import WeakSet

import structlog
from celery import Task
from celery.exceptions import Ignore
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _

from config.errorpages import refusal_response
from config.errors import Refusal
from config.models import FenceLift

log = structlog.get_logger(__name__)
_HERE = (
    "SELECT system_identifier, left(pg_walfile_name(pg_current_wal_insert_lsn()), 8) FROM pg_control_system()"
)
_LIFTED = f"""
SELECT EXISTS (
    SELECT FROM config_fencelift lifted JOIN ({_HERE}) here (cluster, timeline) USING (cluster, timeline))
"""  # noqa: S608  (constants of this module)
_READING = ("GET", "HEAD", "OPTIONS", "TRACE")
# Who wants to look at a copy may sign in and choose a post.
_OPEN = (
    "/accounts/sign-in",
    "/accounts/sign-out",
    "/accounts/post",
    "/accounts/personas",
    "/accounts/language",
)
_unfenced: "WeakSet[Any]" = WeakSet()


class Fenced(Refusal):
    code, status, rule = "fenced", 503, "RE-8"
    message = _("这是从备份恢复的副本，尚未解除隔离：只能查看，不能办理。请系统运维人员核实后解除隔离。")


def is_fenced() -> bool:
    """Whether this database may only be looked at. Asked once of each connection that may work: another
    server means another connection.
    """
    connection.ensure_connection()
    server = connection.connection
    if server in _unfenced:
        return False
    with server.cursor() as cursor:  # the driver's own: no page counts this among its questions
        is_lifted = bool(cursor.execute(_LIFTED).fetchone()[0])
    if is_lifted:
        _unfenced.add(server)
    return not is_lifted


def lift(*, by: str, reason: str) -> bool:
    """Let this database work from now on, as its owner; False when it may already."""
    with connection.cursor() as cursor:
        cursor.execute(_HERE)
        cluster, timeline = cursor.fetchone()
    return FenceLift.objects.get_or_create(
        cluster=cluster, timeline=timeline, defaults={"lifted_by_name": by, "reason": reason}
    )[1]


class FencedTask(Task):
    """Every job: on a fenced copy it does nothing. What is owed stays owed in the database."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if is_fenced():
            log.warning("fenced", task=self.name)
            raise Ignore()
        return super().__call__(*args, **kwargs)


class Fence:
    """Refuse whatever would write on a fenced copy; the refusal is recorded like any other."""

    def __init__(self, get_response: Any) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response: HttpResponse = self.get_response(request)
        return response

    def process_view(self, request: HttpRequest, *_view: Any) -> HttpResponse | None:
        if request.method in _READING or request.path.startswith(_OPEN) or not is_fenced():
            return None
        request.refusal = Fenced()  # type: ignore[attr-defined]
        return refusal_response(request, request.refusal)  # type: ignore[attr-defined]
