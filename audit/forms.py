"""What an auditor may ask of the log: enumerations, names, days. No key of hers reaches the query (AP-1)."""

import re
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from audit.models import AccessEntry
from audit.sentences import choices

_SUBJECT = re.compile(r"([a-z]{1,30}):([0-9]{1,18})")


def _day(label: Any) -> forms.DateField:
    return forms.DateField(
        label=label,
        required=False,
        error_messages={"invalid": _("请按“2026-09-01”的格式填写日期。")},
        widget=forms.DateInput(attrs={"type": "date", "class": "form-control"}, format="%Y-%m-%d"),
    )


def _words(label: Any, length: int, **more: str) -> forms.CharField:
    attributes = {"class": "form-control", "autocomplete": "off", **more}
    return forms.CharField(
        label=label, required=False, max_length=length, widget=forms.TextInput(attrs=attributes)
    )


def _choice(label: Any) -> forms.ChoiceField:
    return forms.ChoiceField(label=label, required=False, widget=forms.Select(attrs={"class": "form-select"}))


class LogFilter(forms.Form):
    """What acts and reads are both asked by; `after` is the last row of the page before."""

    actor = _words(_("操作人"), 50)
    office = _words(_("操作单位"), 100)
    subject = _words(_("对象"), 50, placeholder="student:42")
    first = _day(_("自"))
    last = _day(_("至"))
    after = forms.IntegerField(required=False, min_value=1, widget=forms.HiddenInput)

    def clean_subject(self) -> tuple[str, int] | None:
        """A kind and id, as entry pages show them and link to."""
        given = self.cleaned_data["subject"]
        if not given:
            return None
        match = _SUBJECT.fullmatch(given)
        if match is None:
            raise forms.ValidationError(_("对象请写作“student:42”，即日志详情页所示的类型与编号。"))
        return match[1], int(match[2])

    def clean(self) -> dict[str, Any]:
        chosen = self.cleaned_data
        if chosen.get("first") and chosen.get("last") and chosen["first"] > chosen["last"]:
            self.add_error("last", _("截止日期不能早于起始日期。"))
        return chosen


class EventFilter(LogFilter):
    """`action` is one act or a whole group of them."""

    action = _choice(_("行为"))
    field_order = ("action",)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        action = self.fields["action"]
        assert isinstance(action, forms.ChoiceField)
        action.choices = [("", _("全部行为")), *choices()]


class AccessFilter(LogFilter):
    """Reads, lists, reveals, look-ups, refusals, sign-ins."""

    outcome = _choice(_("方式"))
    field_order = ("outcome",)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        outcome = self.fields["outcome"]
        assert isinstance(outcome, forms.ChoiceField)
        outcome.choices = [("", _("全部方式")), *AccessEntry.Outcome.choices]
