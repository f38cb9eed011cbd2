"""Reading early warnings: pages of them, and their facts, persons and history in words."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from django.contrib.auth import get_user_model
from django.utils.translation import gettext_lazy as _

from audit.models import Event
from audit.models_warnings import EarlyWarning
from audit.sentences import sentence
from config.errors import NotFound

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

PAGE_SIZE = 50
STATES: "dict[str, StrOrPromise]" = {
    "unclosed": _("未办结"),
    "open": _("待处置"),
    "taken": _("处置中"),
    "closed": _("已办结"),
    "all": _("全部"),
}
# What a warning knows, by key; other keys (of rules that other apps raise) are shown as they are.
_FACTS: "dict[str, StrOrPromise]" = {
    "reveals": _("查看明文次数"),
    "budget": _("用尽的限额"),
    "hour": _("一小时内次数"),
    "day": _("一日内次数"),
    "look_ups": _("当日查重次数"),
    "without_case": _("没有随后办件的查重次数"),
    "failures": _("登录失败次数"),
    "accounts": _("尝试的账号数"),
    "posts": _("同一人的岗位数"),
    "persons": _("同一设备的人数"),
    "number": _("办件号"),
    "rows": _("导出行数"),
    "exports": _("导出次数"),
    "days": _("天数"),
    "kind": _("种类"),
    "table": _("数据表"),
    "count": _("数量"),
    "cells": _("更正的汇总数字"),
    "touched": _("涉及数量"),
    "of": _("总数"),
    "job": _("作业"),
    "fields": _("字段"),
    "quota": _("额度"),
    "hours": _("小时数"),
    "problem": _("问题"),
    "place": _("位置"),
    "export": _("导出编号"),
}


def page_of_warnings(
    rows: Any, path: str, state: str, rule: str, after: str
) -> tuple[list[EarlyWarning], int | None]:
    """One page, newest first, and the key of the next one or None. Raises NotFound for a foreign key."""
    found = rows
    if state == "unclosed":
        found = found.exclude(state="closed")
    elif state != "all":
        found = found.filter(state=state)
    if rule:
        found = found.filter(rule=rule)
    if after:
        if not (after.isascii() and after.isdigit() and len(after) < 19):
            raise NotFound()
        last = rows.filter(pk=int(after)).values_list("pk", flat=True).first()
        if last is None:
            raise NotFound()
        found = found.filter(pk__lt=last)
    shown = list(found.newest_first(path)[: PAGE_SIZE + 1])
    return shown[:PAGE_SIZE], shown[PAGE_SIZE - 1].pk if len(shown) > PAGE_SIZE else None


def facts_in_words(facts: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What was seen, as pairs of label and value."""
    from audit.budgets import BUDGETS

    return [
        (str(_FACTS.get(key, key)), str(BUDGETS[value].name) if key == "budget" else _said(value))
        for key, value in facts.items()
    ]


def _said(value: Any) -> str:
    return "、".join(map(str, value)) if isinstance(value, list) else str(value)


def names_of(ids: Iterable[int]) -> list[str]:
    """The names of the persons it is about."""
    people = get_user_model().objects.filter(pk__in=list(ids)).order_by("pk")
    return [str(person) for person in people]


def history(warning: EarlyWarning) -> list[dict[str, Any]]:
    """What became of it, oldest first, each act as a sentence."""
    acts = Event.objects.filter(subject_type="earlywarning", subject_id=warning.pk)
    events = acts.order_by("at", "pk")[:100]
    return [{"at": one.at, "sentence": sentence(one), "reason": one.reason} for one in events]
