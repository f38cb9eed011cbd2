"""What a form sent: fields named one by one, days that are days (AZ-5)."""

from collections.abc import Mapping
from datetime import date

from django.http import HttpRequest
from django.utils.dateparse import parse_date
from django.utils.translation import gettext as _

from config.errors import BadRequest

VISIT_FIELDS = ("on", "way", "persons", "met", "result", "note")


def act_in(request: HttpRequest, acts: Mapping[str, tuple[str, ...]]) -> str:
    """The act that was pressed, with no other fields than its own. Raises BadRequest."""
    act = request.POST.get("act", "")
    if act not in acts or set(request.POST) - {"act", "csrfmiddlewaretoken", *acts[act]}:
        raise BadRequest(why=_("没有这项操作"))
    return act


def day_in(request: HttpRequest, key: str) -> date | None:
    """The day in a field, or None for what is no day: the service says what is wrong with it."""
    try:
        return parse_date(request.POST.get(key, ""))
    except ValueError:
        return None


def words_in(request: HttpRequest) -> dict[str, str]:
    return {key: request.POST.get(key, "") for key in request.POST}
