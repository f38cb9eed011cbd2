"""What the pages of cases add to the frame: names of procedures, who holds a step, the route as a stepper."""

from collections.abc import Mapping
from typing import Any

from django import template
from django.utils.translation import gettext as _

from registry.codes import label
from transfers.forms import Asked
from transfers.kinds import KINDS

register = template.Library()


@register.filter
def kind_name(code: str) -> str:
    return KINDS[code].name


@register.filter
def paper_name(code: str) -> str:
    return label("evidence_type", code) if code else _("照片")


@register.filter
def at(mapping: Mapping[str, Any], key: str) -> Any:
    """`mapping[key]`, or an empty text: templates cannot say it."""
    return mapping.get(key, "") if mapping else ""


@register.inclusion_tag("transfers/_people.html")
def people(found: list[tuple[str, str]], office: str = "") -> dict[str, Any]:
    """Names with telephones, the first two; nobody at the office is said in words."""
    return {"people": found[:2], "more": max(0, len(found) - 2), "office": office}


@register.inclusion_tag("transfers/_field.html")
def ask(
    asked: Asked, errors: Mapping[str, list[Any]] | None = None, copy_from: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """One field of the form with its label, hint, value and findings."""
    found = (errors or {}).get(asked.key, [])
    described = []
    if asked.hint:
        described.append(f"id_{asked.key}_hint")
    if found:
        described.append(f"id_{asked.key}_error")
    return {
        "asked": asked,
        "found": found,
        "is_wrong": any(finding.level == "error" for finding in found),
        "described": " ".join(described),
        "copy": (copy_from or {}).get(asked.key, ""),
    }


@register.inclusion_tag("transfers/_papers_field.html")
def papers_field(
    papers: list[tuple[str, str]],
    documents: Any,
    errors: Mapping[str, list[Any]] | None = None,
    hint: str = "",
    is_needed: bool = True,
) -> dict[str, Any]:
    """Choose a kind of paper and a file; each upload is added to the list that the form sends."""
    return {
        "papers": papers,
        "documents": documents,
        "errors": errors or {},
        "hint": hint,
        "is_needed": is_needed,
    }
