"""What a case about a school or office shows beside what every case shows."""

from typing import Any

from django import template
from django.utils.translation import gettext as _

from transfers.casefile import CaseFile
from transfers.kinds.offices import APPROVAL
from transfers.models import Case
from transfers.offices import change_of_case

register = template.Library()


@register.inclusion_tag("transfers/_office_case.html", takes_context=True)
def office_change(context: dict[str, Any], file: CaseFile) -> dict[str, Any]:
    """The plan and the rehearsal of such a case, with what she may do about it; nothing for other cases."""
    return {
        "case": file.case,
        "change": change_of_case(file.case),
        "is_turn": file.turn is not None,
        "is_returned": file.may_correct and file.case.state == Case.State.RETURNED,
        "papers": [(APPROVAL, _("批复文件"))],
        "csrf_token": context.get("csrf_token"),
    }
