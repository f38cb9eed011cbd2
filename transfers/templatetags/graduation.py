"""What a case of graduation shows beside what every case shows."""

from typing import Any

from django import template

from transfers.casefile import CaseFile
from transfers.graduation import graduation_of_case

register = template.Library()


@register.inclusion_tag("transfers/_graduation_case.html", takes_context=True)
def graduation_case(context: dict[str, Any], file: CaseFile) -> dict[str, Any]:
    """The list and its counts, or the graduate; nothing for other cases."""
    return {"about": graduation_of_case(file.case, context["request"].user)}
