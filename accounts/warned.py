"""Who is told of an early warning, and of a budget that is nearly used up (SECURITY 11, RD-6)."""

from datetime import date

from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.models import Organization
from accounts.notices import notify
from accounts.rights import seated
from accounts.roles import Right
from audit.budgets import Budget
from audit.models_warnings import EarlyWarning
from config.clock import today
from config.scope import ancestors


def tell_of_warning(warning: EarlyWarning) -> None:
    """Tell the security administrators of the office and of the next one above that has any; once more
    means it is overdue: then the next above those who were told.

    Schools have none, and whoever it is about is not counted: the matter climbs.
    """
    line = ancestors(warning.org_path)
    offices = {office.path: office.name for office in Organization.objects.filter(path__in=line)}
    desks = seated((path, Right.HANDLE_WARNINGS) for path in line)
    climbing = [
        (path, people)
        for path in reversed(line)
        if (people := sorted(set(desks[path, Right.HANDLE_WARNINGS]) - set(warning.subjects)))
    ]
    is_overdue = bool(warning.told_path)
    if is_overdue:
        told = [(path, people) for path, people in climbing if len(path) < len(warning.told_path)][
            :1
        ] or climbing[-1:]
    else:
        told = climbing[:2]
    name = offices.get(warning.org_path, "")
    EarlyWarning.objects.filter(pk=warning.pk).update(
        office_name=name, told_path=told[-1][0] if told else warning.told_path
    )
    words = _("预警逾期未处置：{title}（{office}）") if is_overdue else _("{level}：{title}（{office}）")
    text = words.format(level=warning.get_level_display(), title=warning.about.title, office=name)
    people_told = [person for _path, people in told for person in people]
    notify(people_told, "warning", text, reverse("audit:warning", args=[warning.pk]))


def tell_of_budget(person: int, budget: Budget, used: int, limit: int) -> None:
    """Tell her, once a day for each budget, that it is nearly used up."""
    text = _("您{name}的次数已达 {used} 次，限额为 {limit} 次。").format(
        name=budget.name, used=used, limit=limit
    )
    notify([person], "budget", text, reverse("accounts:notices"), once_key=_once(budget, today()))


def _once(budget: Budget, day: date) -> str:
    return f"budget {budget.code} {day:%Y%m%d}"
