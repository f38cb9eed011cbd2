"""Forms of signing in and of the proofs of one's own account. Whether a proof fits is not their business."""

from typing import Any

from django import forms
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from accounts.factors import NAME_LENGTH
from accounts.models import User

_ACCOUNT = {
    "class": "form-control", "autocomplete": "username", "autocapitalize": "none", "spellcheck": "false",
}  # fmt: skip


def _password(label: Any, missing: Any, autocomplete: str) -> forms.CharField:
    # Longer than any that is accepted: a long one is refused in words, never cut.
    return forms.CharField(
        label=label,
        max_length=1000,
        strip=False,
        error_messages={"required": missing},
        widget=forms.PasswordInput(attrs={"class": "form-control", "autocomplete": autocomplete}),
    )


class AccountForm(forms.Form):
    """Whose account."""

    username = forms.CharField(
        label=_("账号"), max_length=50, error_messages={"required": _("请输入账号。")},
        widget=forms.TextInput(attrs=_ACCOUNT),
    )  # fmt: skip


class SignInForm(AccountForm):
    """Account and password (AC-5)."""

    password = _password(_("密码"), _("请输入密码。"), "current-password")


class RedeemForm(AccountForm):
    """Account and the one-use code that she was handed (AC-4)."""

    code = forms.CharField(
        label=_("一次性验证码"), max_length=40, error_messages={"required": _("请输入发放给您的验证码。")},
        widget=forms.TextInput(
            attrs={"class": "form-control num", "autocomplete": "off", "autocapitalize": "characters",
                   "spellcheck": "false"}
        ),
    )  # fmt: skip


class OwnPasswordForm(forms.Form):
    """The present password, once more."""

    password = _password(_("现在的密码"), _("请输入现在的密码。"), "current-password")


class NewPasswordForm(forms.Form):
    """A new password, twice; each rule that it breaks is a sentence of its own (AC-1)."""

    new = _password(_("新密码"), _("请输入新密码。"), "new-password")
    again = _password(_("再输入一次"), _("请再输入一次新密码。"), "new-password")

    def __init__(self, *args: Any, user: User, **more: Any) -> None:
        super().__init__(*args, **more)
        self.user = user

    def clean(self) -> None:
        given = super().clean() or {}
        new, again = given.get("new"), given.get("again")
        if new and again and new != again:
            self.add_error("again", ValidationError(_("两次输入的新密码不一样。"), code="password_differs"))
        if new:
            try:
                validate_password(new, self.user)
            except ValidationError as error:
                self.add_error("new", error)


class ChangePasswordForm(NewPasswordForm):
    """The present password and a new one."""

    password = _password(_("现在的密码"), _("请输入现在的密码。"), "current-password")
    field_order = ("password", "new", "again")


class FactorForm(forms.Form):
    """A code, or what the browser's passkey answered."""

    code = forms.CharField(
        label=_("验证码"), max_length=20, required=False,
        widget=forms.TextInput(
            attrs={"class": "form-control num", "autocomplete": "one-time-code", "inputmode": "numeric"}
        ),
    )  # fmt: skip
    credential = forms.JSONField(required=False, widget=forms.HiddenInput)
    name = forms.CharField(
        label=_("名称"), max_length=NAME_LENGTH, required=False,
        widget=forms.TextInput(attrs={"class": "form-control", "autocomplete": "off"}),
    )  # fmt: skip
