"""What an auditor may ask of the log: enumerations, a name, days. No key of hers reaches the query (AP-1)."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from audit.sentences import choices


def _day(label: Any) -> forms.DateField:
    return forms.DateField(
        label=label,
        required=False,
        error_messages={"invalid": _("请按“2026-09-01”的格式填写日期。")},
        widget=forms.DateInput(attrs={"type": "date", "class": "form-control"}, format="%Y-%m-%d"),
    )


class EventFilter(forms.Form):
    """`action` is one act or a whole group of them; `after` is the last row of the page before."""

    action = forms.ChoiceField(
        label=_("行为"), required=False, widget=forms.Select(attrs={"class": "form-select"})
    )
    actor = forms.CharField(
        label=_("操作人"),
        required=False,
        max_length=50,
        widget=forms.TextInput(attrs={"class": "form-control", "autocomplete": "off"}),
    )
    first = _day(_("自"))
    last = _day(_("至"))
    after = forms.IntegerField(required=False, min_value=1, widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        action = self.fields["action"]
        assert isinstance(action, forms.ChoiceField)
        action.choices = [("", _("全部行为")), *choices()]

    def clean(self) -> dict[str, Any]:
        chosen = self.cleaned_data
        if chosen.get("first") and chosen.get("last") and chosen["first"] > chosen["last"]:
            self.add_error("last", _("截止日期不能早于起始日期。"))
        return chosen
