"""Forms of signing in and of finding an office."""

from django import forms
from django.utils.translation import gettext_lazy as _


class SignInForm(forms.Form):
    """Account and password; whether they fit is not the form's business (AC-5)."""

    username = forms.CharField(
        label=_("账号"),
        max_length=50,
        error_messages={"required": _("请输入账号。")},
        widget=forms.TextInput(
            attrs={
                "class": "form-control",
                "autocomplete": "username",
                "autocapitalize": "none",
                "spellcheck": "false",
            }
        ),
    )
    password = forms.CharField(
        label=_("密码"),
        max_length=128,
        strip=False,
        error_messages={"required": _("请输入密码。")},
        widget=forms.PasswordInput(attrs={"class": "form-control", "autocomplete": "current-password"}),
    )


class OfficeFilter(forms.Form):
    """Where in the tree, which name, after which row: ids that the view resolves in scope."""

    at = forms.IntegerField(required=False, min_value=1)
    q = forms.CharField(label=_("名称或代码"), required=False, max_length=50)
    after = forms.IntegerField(required=False, min_value=1)
