"""What guardians type, and what the school chooses when it hands over a code."""

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from registry.codes import choices
from registry.fields import BY_KEY, FIELDS

_RELATIONS = "guardian_relation_form"
# Beside the fields of the record: what a field cannot say.
OTHER = "other"


def _text(label: Any, most: int, missing: Any, **attrs: str) -> forms.CharField:
    return forms.CharField(
        label=label,
        max_length=most,
        error_messages={"required": missing},
        widget=forms.TextInput(attrs={"class": "form-control", "autocomplete": "off"} | attrs),
    )


class EntryForm(forms.Form):
    """Code, the pupil's name and number: whether they fit is not the form's business."""

    code = _text(
        _("查询码"), 40, _("请输入学校发放的查询码。"), autocapitalize="characters", spellcheck="false"
    )
    name = _text(_("学生姓名"), 100, _("请输入学生姓名。"))
    number = _text(_("学生证件号码或学籍号"), 40, _("请输入学生的证件号码或学籍号。"), spellcheck="false")


class CodeForm(forms.Form):
    """Who gets the code."""

    relation = forms.ChoiceField(
        label=_("领取人与学生关系"),
        error_messages={"required": _("请选择领取人与学生的关系。"), "invalid_choice": _("请从列表中选择。")},
        widget=forms.Select(attrs={"class": "form-select"}),
    )

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self.fields["relation"].choices = [("", _("请选择")), *choices(_RELATIONS)]  # type: ignore[attr-defined]


class DisputeForm(forms.Form):
    """异议: which field, what is wrong, who says so, and how to reach her."""

    field = forms.ChoiceField(
        label=_("有误的项目"),
        error_messages={"required": _("请选择有误的项目。"), "invalid_choice": _("请从列表中选择。")},
        widget=forms.Select(attrs={"class": "form-select"}),
    )
    text = forms.CharField(
        label=_("哪里不对，应当是什么"),
        min_length=6,
        max_length=500,
        error_messages={
            "required": _("请说明哪里不对。"),
            "min_length": _("请说明得具体一些，至少 6 个字。"),
        },
        widget=forms.Textarea(attrs={"class": "form-control", "rows": 3}),
    )
    guardian_name = _text(_("您的姓名"), 50, _("请填写您的姓名。"))
    contact = _text(_("联系电话"), 30, _("请填写联系电话，学校据此答复。"), inputmode="tel")

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        known = [(f.key, f.label_zh) for f in FIELDS if f.key in BY_KEY and f.change_class != "system"]
        self.fields["field"].choices = [("", _("请选择")), *known, (OTHER, _("其他"))]  # type: ignore[attr-defined]
