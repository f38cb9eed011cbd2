"""Components of the frame: icons, states, ids, deadlines, findings. They decide nothing, they show.

{% icon "name" %}                               a symbol of static/icons.svg
{% status_badge code label %}                   a state as word and shape; the code gives the shape
{% mono value %}                                an id in groups of four; copied without blanks
{% due day left %}                              还剩 3 个工作日（9月16日）
{% empty_state title hint url label %}          what to do when there is nothing
{% breadcrumbs items %}                         pairs of label and address, or trail=offices
{% paging after shown=n %}                      key-set paging: the link to what follows `after`
{% error_summary errors labels %}               all findings of a form, above it
{% field_errors errors "name" %}                those of one field, below its label
{% article rule article %}                      the rule and article a sentence rests on
{% upload_field name url label %}               a file that is sent as soon as it is chosen
"""

from collections.abc import Iterable, Mapping
from datetime import date
from functools import cache
from typing import Any

from django import template
from django.http import HttpRequest
from django.template.loader import get_template
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.models import Organization
from config.workdays import is_calendar_final

register = template.Library()

# Enrolment statuses, case states, decisions and a few plain words → the shape and tone of the badge.
_TONES = {
    "good": (
        "01",
        "done",
        "approve",
        "approved",
        "ok",
        "verified",
        "read",
        "list",
        "sign_in",
        "active",
        "national",
        "ready",
    ),
    "wait": ("00", "waiting", "asked", "pending", "open", "current", "running", "info", "look_up", "taken"),
    "warn": (
        "02",
        "04",
        "returned",
        "return",
        "hint",
        "warning",
        "overdue",
        "reveal",
        "disputed",
        "provisional",
        "held",
    ),
    "bad": (
        "05",
        "06",
        "11",
        "refused",
        "refuse",
        "problem",
        "error",
        "failed",
        "sealed",
        "locked",
        "severe",
        "void",
    ),
}
_TONE_OF = {code: tone for tone, codes in _TONES.items() for code in codes}
SOON_DAYS = 3


@cache
def _drawn(component: str, **words: str) -> str:
    """A component that says the same whoever asks, rendered once: a case's page has a hundred of them."""
    return get_template(f"components/{component}.html").render(words)


@register.simple_tag
def icon(name: str, size: str = "") -> str:
    return _drawn("icon", name=str(name), size=str(size))


@register.filter
def tone(code: object) -> str:
    """The colour of a state; rows of a list use it, for a tag of its own costs each row a template."""
    return _TONE_OF.get(str(code), "idle")


@register.inclusion_tag("components/status_badge.html")
def status_badge(code: str, label: str = "") -> dict[str, str]:
    """The state `code` with its word; a code nobody listed is shown as ended."""
    return {"tone": tone(code), "label": label or str(code)}


@register.inclusion_tag("components/mono.html")
def mono(value: object) -> dict[str, Any]:
    return {"groups": fours(value), "text": "" if value is None else str(value)}


@register.filter
def fours(value: object) -> list[str]:
    text = "" if value is None else str(value)
    return [text[start : start + 4] for start in range(0, len(text), 4)]


@register.inclusion_tag("components/due.html", takes_context=True)
def due(context: template.Context, day: date | None, left: int | None = None) -> dict[str, Any]:
    """A deadline by working days left, marked while its year's holidays are not announced; without a count
    only its day is shown.
    """
    if day is None:
        return {"words": "", "tone": "", "day": ""}
    shown = _("{month}月{day}日").format(month=day.month, day=day.day)
    if left is None:
        return {"words": shown, "tone": "", "day": "", "iso": day.isoformat()}
    if left < 0:
        words, tone = ngettext("已超期 {n} 个工作日", "已超期 {n} 个工作日", -left), "over"
    elif left == 0:
        words, tone = _("今天到期"), "soon"
    else:
        words = ngettext("还剩 {n} 个工作日", "还剩 {n} 个工作日", left)
        tone = "soon" if left <= SOON_DAYS else ""
    facts = {"words": words.format(n=abs(left)), "tone": tone, "day": shown, "iso": day.isoformat()}
    return facts | {"guessed_year": "" if _is_final(context, day.year) else str(day.year)}


def _is_final(context: template.Context, year: int) -> bool:
    """Whether the calendar of `year` is announced: asked once a page, however many deadlines it shows."""
    request: Any = context.get("request")
    known: dict[int, bool] = request.__dict__.setdefault("final_years", {}) if request else {}
    if year not in known:
        known[year] = is_calendar_final(year)
    return known[year]


@register.inclusion_tag("components/empty_state.html")
def empty_state(
    title: str, hint: str = "", url: str = "", label: str = "", icon: str = "info"
) -> dict[str, str]:
    return {"title": title, "hint": hint, "url": url, "label": label, "icon": icon}


@register.inclusion_tag("components/breadcrumbs.html")
def breadcrumbs(items: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """Pairs of label and address from the top down; an empty address is the page itself."""
    return {"items": list(items)}


@register.inclusion_tag("components/paging.html", takes_context=True)
def paging(
    context: template.Context, after: object = "", shown: int = 0, total: int | None = None
) -> dict[str, Any]:
    """The link to the rows after the key `after` (nothing when empty), keeping the filters in the address."""
    request: HttpRequest = context["request"]
    query = request.GET.copy()
    is_later = bool(query.pop("after", None))
    first = query.urlencode()
    if after:
        query["after"] = str(after)
    return {
        "next": query.urlencode() if after else "",
        "first": f"{request.path}?{first}" if is_later else "",
        "path": request.path,
        "shown": shown,
        "total": total,
        "total_words": many(total),
    }


@register.filter
def many(count: int | None) -> str:
    """A count as lists show it: exact up to ten thousand, then 10,000+."""
    if count is None:
        return ""
    return "10,000+" if count > 10_000 else f"{count:,}"


@register.inclusion_tag("components/error_summary.html")
def error_summary(errors: Any, labels: Mapping[str, Any] | None = None, title: str = "") -> dict[str, Any]:
    """Every finding, each a link to its field. `errors` is a Refusal, `form.errors`, or field → findings.

    `title` replaces "有 n 处需要更正，尚未保存" where nothing was to be saved.
    """
    lines = [
        {**line, "field": field, "label": (labels or {}).get(field, "")}
        for field, found in _by_field(errors).items()
        for line in found
    ]
    stops = [line for line in lines if line["level"] != "warning"]
    doubts = [line for line in lines if line["level"] == "warning"]
    return {"stops": stops, "doubts": doubts, "title": title}


@register.inclusion_tag("components/field_errors.html")
def field_errors(errors: Any, field: str) -> dict[str, Any]:
    return {"field": field, "lines": _by_field(errors).get(field, [])}


@register.filter
def has_error(errors: Any, field: str) -> bool:
    """Whether something stops `field`: {% if errors|has_error:"name" %}is-wrong{% endif %}."""
    return any(line["level"] != "warning" for line in _by_field(errors).get(field, []))


@register.simple_tag
def article(rule: str = "", article: str = "") -> str:
    return _drawn("article", rule=str(rule), article=str(article))


@register.inclusion_tag("components/upload_field.html")
def upload_field(
    name: str,
    url: str,
    label: str,
    hint: str = "",
    accept: str = "image/jpeg,image/png",
    kept: str = "",
    kind: str = "",
) -> dict[str, str]:
    """A file chosen here is posted to `url` as `file` (with `kind` and `field`) at once.

    The answer replaces what is shown below and brings `<input type="hidden" name="{name}">` with the id of
    the kept material; `kept` is that id when a form comes back with errors.
    """
    return {
        "name": name,
        "url": url,
        "label": label,
        "hint": hint,
        "accept": accept,
        "kept": kept,
        "kind": kind,
    }


@register.inclusion_tag("components/contact_above.html")
def contact_above(office: Organization) -> dict[str, Any]:
    """The office above, to whom a question goes; the nation asks itself."""
    return {"office": office.parent or office}


@register.inclusion_tag("components/watermark.html", takes_context=True)
def watermark(context: template.Context) -> dict[str, Any]:
    """Name, office and minute across the page (RD-7); nothing when nobody is signed in."""
    user: Any = getattr(context.get("request"), "user", None)
    if user is None or not user.is_authenticated:
        return {"marks": []}
    minute = timezone.localtime().strftime("%Y-%m-%d %H:%M")
    return {"marks": [f"{user.name} {user.acting_office_name} {minute}"] * 32}


@register.filter
def reference(request_id: object) -> str:
    """The short form of a request id that pages show and people read out."""
    return str(request_id).replace("-", "")[:8].upper()


@register.filter
def begins(path: str, start: str) -> bool:
    return path.startswith(start)


def _by_field(errors: Any) -> dict[str, list[dict[str, str]]]:
    """Findings in one form, whoever made them: our refusals, dicts of findings, Django's form errors."""
    if not errors:
        return {}
    if hasattr(errors, "findings"):
        errors = errors.fields()
    return {field: [_line(found) for found in founds] for field, founds in errors.items()}


def _line(found: Any) -> dict[str, str]:
    names = ("code", "message", "rule", "article", "remedy", "level")
    if isinstance(found, Mapping):
        line = {name: str(found.get(name, "")) for name in names}
    elif hasattr(found, "message") and hasattr(found, "remedy"):
        line = {name: str(getattr(found, name, "")) for name in names}
    else:
        line = {**dict.fromkeys(names, ""), "message": str(found)}
    return {**line, "level": line["level"] or "error"}
