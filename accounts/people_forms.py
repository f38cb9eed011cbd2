"""Forms of administering accounts; every id is resolved by the view, every rule by the service."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from accounts.models import CodePurpose, Organization
from accounts.roles import GRANTABLE, RIGHT_LABELS, ROLES

LARGEST_ID = 2**63 - 1
_MISSING = {"required": _("请填写此项。"), "invalid": _("请按提示填写此项。")}
_TEXT = {"class": "form-control", "autocomplete": "off"}
_DAY = {"class": "form-control", "type": "date"}


def _text(label: Any, most: int, *, required: bool = True, **shown: Any) -> forms.CharField:
    widget = forms.TextInput(attrs=_TEXT | shown)
    return forms.CharField(
        label=label, max_length=most, required=required, error_messages=_MISSING, widget=widget
    )


def _day(label: Any, *, required: bool = True) -> forms.DateField:
    widget = forms.DateInput(attrs=_DAY, format="%Y-%m-%d")
    return forms.DateField(label=label, required=required, error_messages=_MISSING, widget=widget)


def _one_of(label: Any, choices: Any) -> forms.TypedChoiceField:
    return forms.TypedChoiceField(
        label=label, choices=choices, error_messages=_MISSING | {"invalid_choice": _("请在列表中选择。")},
        widget=forms.Select(attrs={"class": "form-select"}),
    )  # fmt: skip


class PeopleFilter(forms.Form):
    """Which office, which words, which state, after whom."""

    at = forms.IntegerField(required=False, min_value=1, max_value=LARGEST_ID)
    q = forms.CharField(label=_("姓名或账号"), required=False, max_length=50)
    state = forms.ChoiceField(
        label=_("状态"), required=False,
        choices=[("", _("在岗")), ("sealed", _("已封存")), ("left", _("已离任"))],
        widget=forms.Select(attrs={"class": "form-select"}),
    )  # fmt: skip
    after = forms.IntegerField(required=False, min_value=1, max_value=LARGEST_ID)


class PostForm(forms.Form):
    """Where, which post, from when until when, why."""

    office = _one_of(_("单位"), [])
    role = _one_of(_("岗位"), [])
    first = _day(_("开始日期"))
    last = _day(_("结束日期（空着为长期）"), required=False)
    reason = _text(_("理由"), 200, placeholder=_("例如：学期初分工"))

    def __init__(self, *args: Any, offices: list[Organization], **more: Any) -> None:
        super().__init__(*args, **more)
        kinds = {office.kind for office in offices}
        self.offices = {str(office.pk): office for office in offices}
        self.fields["office"].choices = [(pk, office.name) for pk, office in self.offices.items()]  # type: ignore[attr-defined]
        self.fields["role"].choices = [  # type: ignore[attr-defined]
            (role.code, role.name) for role in ROLES.values() if kinds & set(role.kinds)
        ]


class PersonForm(PostForm):
    """A new person with her first post. The identity number is never shown again once it was typed."""

    name = _text(_("姓名（按身份证件）"), 50)
    username = _text(
        _("账号"), 30, placeholder=_("例如：zhang.wei.305"), autocapitalize="none", spellcheck="false"
    )
    number = _text(_("身份证件号码（只用于核对一人一号，系统不保存号码）"), 30)
    phone = _text(_("办公电话"), 30, required=False)
    field_order = ("name", "username", "number", "phone", "office", "role", "first", "last", "reason")


class ReasonForm(forms.Form):
    reason = _text(_("理由"), 200, placeholder=_("不少于 4 个字，写入日志"))


class LeaveForm(ReasonForm):
    """Why, and who takes over what is open."""

    successor = forms.TypedChoiceField(
        label=_("接手人（同单位、同岗位）"), required=False, coerce=int, empty_value=None,
        error_messages={"invalid_choice": _("请在列表中选择接手人。")},
        widget=forms.Select(attrs={"class": "form-select"}),
    )  # fmt: skip

    def __init__(self, *args: Any, successors: list[tuple[int, str]], **more: Any) -> None:
        super().__init__(*args, **more)
        self.fields["successor"].choices = [("", _("无须接手")), *successors]  # type: ignore[attr-defined]


class CodeForm(forms.Form):
    """What is reset, the number on the holder's screen, and how she was seen; a first code needs neither."""

    purpose = _one_of(_("重设内容"), CodePurpose.choices)
    number = _text(
        _("本人屏幕上的申请编号"), 20, required=False, placeholder=_("例如：A2C4-E6G8"),
        autocapitalize="characters", spellcheck="false",
    )  # fmt: skip
    seen_how = _text(_("如何核验了本人"), 200, required=False, placeholder=_("例如：本人持身份证到场"))


class DecideForm(forms.Form):
    decision = forms.ChoiceField(choices=[("confirm", ""), ("refuse", "")])


class TrainingForm(forms.Form):
    """Who was there is ticked in the list; the day and the hours are one for all."""

    person = forms.TypedMultipleChoiceField(coerce=int, required=False)
    completed_on = _day(_("完成日期"))
    hours = forms.IntegerField(
        label=_("学时"), min_value=1, max_value=1000, error_messages=_MISSING,
        widget=forms.NumberInput(attrs={"class": "form-control"}),
    )  # fmt: skip

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        ids = self.data.getlist("person") if hasattr(self.data, "getlist") else []
        # Whether they are hers to enter is asked by the service; here they only have to be ids.
        self.fields["person"].choices = [  # type: ignore[attr-defined]
            (pk, pk) for pk in ids if pk.isascii() and pk.isdigit() and len(pk) < 19
        ]


class GrantForm(forms.Form):
    """Whom, by the exact name of the account; what, where, how long, why."""

    username = _text(_("被授权人的账号（完整填写）"), 50, autocapitalize="none", spellcheck="false")
    office = _one_of(_("可查看的单位"), [])
    right = _one_of(_("可查看的内容"), [(str(right), RIGHT_LABELS[right]) for right in GRANTABLE])
    first = _day(_("开始日期"))
    last = _day(_("结束日期"))
    reason = _text(_("理由"), 200, placeholder=_("例如：受托开展学籍专项检查"))

    def __init__(self, *args: Any, offices: list[Organization], **more: Any) -> None:
        super().__init__(*args, **more)
        self.offices = {str(office.pk): office for office in offices}
        self.fields["office"].choices = [(pk, office.name) for pk, office in self.offices.items()]  # type: ignore[attr-defined]


class ListForm(forms.Form):
    file = forms.FileField(
        label=_("填好的表格（.xlsx）"), error_messages=_MISSING | {"empty": _("文件是空的。")},
        widget=forms.FileInput(attrs={"class": "form-control", "accept": ".xlsx"}),
    )  # fmt: skip
