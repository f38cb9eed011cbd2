"""What a case of arbitration shows beside what every case shows."""

from typing import Any

from django import template

from transfers.casefile import CaseFile
from transfers.problem_file import problem_of_case

register = template.Library()


@register.inclusion_tag("transfers/_arbitration_case.html", takes_context=True)
def arbitration_case(context: dict[str, Any], file: CaseFile) -> dict[str, Any]:
    """Both proofs side by side; nothing for other cases."""
    return {"about": problem_of_case(file.case, context["request"].user)}
