"""The form by which an office sets a parameter: a control for each kind of value, days, document, reason."""

import re
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from config.clock import today
from config.rules import Parameter, RuleInForce, Value
from config.rules.bounds import AddOnly, Between

WINDOWS = 4  # rows that the form offers
_WINDOW_KINDS = (
    ("", _("（不用）")), ("term", _("开学日前后（天）")), ("day", _("公历")), ("lunar", _("农历")),
)  # fmt: skip
_MONTH_DAY = re.compile(r"(\d{1,2})\s*[-/.月]\s*(\d{1,2})\s*日?")
_CONTROL = {"class": "form-control", "autocomplete": "off"}
_FIRST, _LAST = date(2000, 1, 1), date(2099, 12, 31)


def _day(label: Any, **more: Any) -> forms.DateField:
    return forms.DateField(
        label=label,
        error_messages={
            "required": _("请填写日期。"), "invalid": _("请按“2026-09-01”的格式填写日期。")
        },
        validators=[_sensible],
        widget=forms.DateInput(attrs={"type": "date", "class": "form-control"}, format="%Y-%m-%d"),
        **more,
    )  # fmt: skip


def _sensible(day: date) -> None:
    if not _FIRST <= day <= _LAST:
        raise ValidationError(_("请填写 2000 年至 2099 年之间的日期。"))


def _document() -> forms.CharField:
    return forms.CharField(
        label=_("依据文件"), max_length=200, required=False, widget=forms.TextInput(attrs=_CONTROL)
    )


def _reason() -> forms.CharField:
    return forms.CharField(
        label=_("说明"), max_length=200, required=False, widget=forms.TextInput(attrs=_CONTROL)
    )


class EndForm(forms.Form):
    """Ending an own value: which, from when on no longer, by which document."""

    office = forms.IntegerField(widget=forms.HiddenInput)
    row = forms.IntegerField(widget=forms.HiddenInput)
    ends = _day(_("自该日起不再施行"))
    document = _document()
    reason = _reason()


class RuleForm(forms.Form):
    """Setting an own value. `value` is the value as the catalogue stores it once the form is valid.

    Bounds, levels and the document are not its business: the refusal names the article (`config.rules`).
    """

    office = forms.IntegerField(widget=forms.HiddenInput)
    key = forms.CharField(max_length=64, required=False, widget=forms.HiddenInput)
    starts = _day(_("自该日起施行"))
    last = _day(_("施行至（含当日）"), required=False)
    document = _document()
    reason = _reason()
    _ABOUT = ("office", "key", "starts", "last", "document", "reason")

    def __init__(self, parameter: Parameter, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.parameter = parameter
        self.value: Value = ""
        for name, field in _controls(parameter).items():
            self.fields[name] = field

    @property
    def is_wide(self) -> bool:
        """Whether the value takes rows of its own."""
        return self.parameter.kind in ("choices", "windows")

    @property
    def controls(self) -> list[Any]:
        """The fields of the value alone."""
        return [field for field in self if field.name not in self._ABOUT]

    @property
    def until(self) -> date | None:
        last: date | None = self.cleaned_data.get("last")
        return last + timedelta(days=1) if last else None

    def clean(self) -> dict[str, Any]:
        given = self.cleaned_data
        if not self.errors:
            try:
                self.value = _READ[self.parameter.kind](self.parameter, given)
            except ValidationError as error:
                self.add_error(self.controls[0].name, error)
        return given


def initial(held: RuleInForce, own_until: date | None) -> dict[str, Any]:
    """The form as it opens: the value in force, from tomorrow on, until the office's own rules end."""
    return _SHOW[held.parameter.kind](held.parameter, held.value) | {
        "starts": today() + timedelta(days=1),
        "last": own_until,
    }


# --- Controls -------------------------------------------------------------------------------------------


def _controls(parameter: Parameter) -> dict[str, forms.Field]:
    match parameter.kind:
        case "int":
            return {"value": _number(parameter)}
        case "bool":
            return {"value": _radios([("1", _("是")), ("0", _("否"))])}
        case "choice":
            return {"value": _radios([(word, parameter.labels[word]) for word in parameter.labels])}
        case "choices":
            return {"value": _boxes(parameter)}
        case "period":
            return {"value": _text(_("自（月-日）")), "to": _text(_("至（月-日）"))}
        case "moment":
            return {"value": _text(_("月-日")), "clock": _text(_("时:分"))}
        case "windows":
            return _rows()
        case "date":
            return {"value": _day(_("截止日"), required=False)}
    return {"value": _text(_("月-日"))}


def _number(parameter: Parameter) -> forms.Field:
    limits = {}
    if isinstance(bound := parameter.bound, Between):
        limits = {"min": bound.low} | ({"max": bound.high} if bound.high is not None else {})
    return forms.IntegerField(
        label=_("值（{unit}）").format(unit=parameter.measure),
        min_value=-999_999,
        max_value=999_999,
        error_messages={"required": _("请填写数值。"), "invalid": _("请填写整数。")},
        widget=forms.NumberInput(attrs={**_CONTROL, **limits}),
    )


def _text(label: Any, **more: Any) -> forms.CharField:
    attrs = {**_CONTROL, "maxlength": "12"}
    return forms.CharField(
        label=label,
        max_length=12,
        error_messages={"required": _("请填写。")},
        widget=forms.TextInput(attrs=attrs),
        **more,
    )


def _radios(options: list[tuple[str, Any]]) -> forms.ChoiceField:
    widget = forms.RadioSelect(attrs={"class": "form-check-input"})
    return forms.ChoiceField(
        label=_("值"), choices=options, widget=widget, error_messages={"required": _("请选择。")}
    )


def _fixed(parameter: Parameter) -> tuple[str, ...]:
    """Words of a list that no level may leave out: the form does not ask for them."""
    return parameter.bound.words if isinstance(parameter.bound, AddOnly) else ()


def _boxes(parameter: Parameter) -> forms.MultipleChoiceField:
    fixed = _fixed(parameter)
    return forms.MultipleChoiceField(
        label=_("在国家规定的项目之外增加") if fixed else _("可选项"),
        required=False,
        choices=[(word, label) for word, label in parameter.labels.items() if word not in fixed],
        widget=forms.CheckboxSelectMultiple(attrs={"class": "form-check-input"}),
    )


def _rows() -> dict[str, forms.Field]:
    found: dict[str, forms.Field] = {}
    for n in range(1, WINDOWS + 1):
        found[f"kind{n}"] = forms.ChoiceField(
            label=_("时段{n}").format(n=n),
            choices=_WINDOW_KINDS,
            required=False,
            widget=forms.Select(attrs={"class": "form-select"}),
        )
        found[f"first{n}"] = _text(_("自"), required=False)
        found[f"last{n}"] = _text(_("至"), required=False)
    return found


# --- From what was typed to the stored value, and back ----------------------------------------------------


def _month_day(text: str) -> str:
    """8-31, 8月31日 or 0831 → "0831"; whether there is such a day, the catalogue says."""
    plain = text.strip()
    if re.fullmatch(r"[0-9]{4}", plain):
        return plain
    if found := _MONTH_DAY.fullmatch(plain):
        return f"{int(found[1]):02d}{int(found[2]):02d}"
    raise ValidationError(_("请按“8-31”的格式填写月和日。"))


def _spoken(month_day: str) -> str:
    return f"{int(month_day[:2])}-{int(month_day[2:4])}"


def _read_windows(_parameter: Parameter, given: dict[str, Any]) -> Value:
    rows = [
        tuple(given.get(f"{name}{n}", "") for name in ("kind", "first", "last"))
        for n in range(1, WINDOWS + 1)
    ]
    return tuple("..".join(_edge(kind, text) for text in (first, last)) for kind, first, last in rows if kind)


def _edge(kind: str, text: str) -> str:
    if kind == "term":
        if not re.fullmatch(r"[+-]?\d{1,3}", text.strip()):
            raise ValidationError(_("请填写与开学日相差的天数，开学前用负数，如 -7。"))
        return f"term{int(text):+d}"
    return ("lunar" if kind == "lunar" else "") + _month_day(text)


def _show_windows(_parameter: Parameter, value: Any) -> dict[str, Any]:
    shown: dict[str, Any] = {}
    for n, window in enumerate(value[:WINDOWS], 1):
        kind = next((k for k in ("term", "lunar") if window.startswith(k)), "day")
        edges = [edge.removeprefix(kind) for edge in window.split("..")]
        first, last = edges if kind == "term" else [_spoken(edge) for edge in edges]
        shown |= {f"kind{n}": kind, f"first{n}": first, f"last{n}": last}
    return shown


def _read_choices(parameter: Parameter, given: dict[str, Any]) -> Value:
    return (*_fixed(parameter), *given["value"])


def _read_day(_parameter: Parameter, given: dict[str, Any]) -> Value:
    return given["value"].isoformat() if given["value"] else ""


_READ: dict[str, Callable[[Parameter, dict[str, Any]], Value]] = {
    "int": lambda _p, given: given["value"],
    "bool": lambda _p, given: given["value"] == "1",
    "choice": lambda _p, given: given["value"],
    "choices": _read_choices,
    "month_day": lambda _p, given: _month_day(given["value"]),
    "period": lambda _p, given: f"{_month_day(given['value'])}..{_month_day(given['to'])}",
    "moment": lambda _p, given: f"{_month_day(given['value'])} {given['clock'].strip()}",
    "windows": _read_windows,
    "date": _read_day,
}
_SHOW: dict[str, Callable[[Parameter, Any], dict[str, Any]]] = {
    "int": lambda _p, value: {"value": value},
    "bool": lambda _p, value: {"value": "1" if value else "0"},
    "choice": lambda _p, value: {"value": value},
    "choices": lambda p, value: {"value": [word for word in value if word not in _fixed(p)]},
    "month_day": lambda _p, value: {"value": _spoken(value)},
    "period": lambda _p, value: {"value": _spoken(value), "to": _spoken(value.partition("..")[2])},
    "moment": lambda _p, value: {"value": _spoken(value), "clock": value.partition(" ")[2]},
    "windows": _show_windows,
    "date": lambda _p, value: {"value": value or None},
}
