"""Forms of finding an office, of notices and of standing in for somebody."""

from collections.abc import Iterator
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.notices import Choice


class OfficeFilter(forms.Form):
    """Where in the tree, which name, after which row: ids that the view resolves in scope."""

    at = forms.IntegerField(required=False, min_value=1)
    q = forms.CharField(label=_("名称或代码"), required=False, max_length=50)
    after = forms.IntegerField(required=False, min_value=1)


class ChoicesForm(forms.Form):
    """Her address, and for each kind of notice two switches."""

    email = forms.EmailField(
        label=_("电子邮箱"),
        required=False,
        error_messages={"invalid": _("请填写完整的邮箱地址，例如 name@example.cn。")},
        widget=forms.EmailInput(attrs={"class": "form-control", "autocomplete": "email"}),
    )

    def __init__(self, *args: Any, choices: list[Choice], **more: Any) -> None:
        super().__init__(*args, **more)
        self.choices = choices
        for choice in choices:
            for channel, is_on in (("page", choice.in_page), ("email", choice.by_email)):
                switch = forms.CheckboxInput(attrs={"class": "form-check-input"})
                self.fields[f"{choice.kind.code}_{channel}"] = forms.BooleanField(
                    label=choice.kind.label, required=False, initial=is_on, widget=switch
                )

    def lines(self) -> "Iterator[tuple[Choice, forms.BoundField, forms.BoundField]]":
        """Each kind with its two switches."""
        for choice in self.choices:
            yield choice, self[f"{choice.kind.code}_page"], self[f"{choice.kind.code}_email"]

    def wanted(self) -> dict[str, tuple[bool, bool]]:
        """What was chosen, by kind."""
        given = self.cleaned_data
        return {
            choice.kind.code: (given[f"{choice.kind.code}_page"], given[f"{choice.kind.code}_email"])
            for choice in self.choices
        }


class SubstituteForm(forms.Form):
    """Which post, who takes it, from when until when, why; the ids are resolved by the view."""

    post = forms.IntegerField(label=_("代办的岗位"), min_value=1)
    colleague = forms.IntegerField(label=_("代办人"), min_value=1)
    first = forms.DateField(label=_("开始日期"))
    last = forms.DateField(label=_("结束日期"))
    reason = forms.CharField(label=_("事由"), max_length=200, required=False)
