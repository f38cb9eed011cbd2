"""What a kind asks when it is filed: questions as data, one form and one API shape for all of them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext_lazy as _

from accounts.models import Organization
from config.clock import today
from config.errors import BadRequest
from registry.codes import choices as code_choices
from registry.codes import label
from registry.findings import Finding, Objection, errors
from registry.form_values import parse_date
from registry.models import SchoolClass, Student
from registry.services.refusals import RecordRefused
from transfers.kind import Kind
from transfers.models import Case

SEALED = "asked_"  # what is personal lies in the card under this prefix

MISSING = Objection("missing", _("请填写“{label}”。"), _("填写后再提交。"), "R-UPD-04")
UNKNOWN = Objection("unknown_choice", _("“{label}”不在可选范围内。"), _("请从列表中选择。"), "R-UPD-04")
TOO_LONG = Objection("too_long", _("“{label}”不得超过 {most} 个字。"), _("请缩短后再提交。"), "R-UPD-04")
NO_DAY = Objection("no_day", _("“{label}”不是日期。"), _("如 2026-9-1、20260901。"), "R-UPD-04")
FUTURE_DAY = Objection("future_day", _("“{label}”不能晚于今天。"), _("请核对日期。"), "R-UPD-04")
PAST_DAY = Objection("past_day", _("“{label}”不能早于今天。"), _("请核对日期。"), "R-UPD-04")
NO_NUMBER = Objection("no_number", _("“{label}”应为整数。"), _("只填数字。"), "R-UPD-04")

Choices = Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Asking:
    """For whom questions are asked: the office that files, and the pupil where it is about one."""

    office: Organization
    student: Student | None = None

    def classes(self, *, grades: Sequence[str] | None = None) -> Choices:
        """Open classes of the filing school, by grade; ids are the values."""
        rows = SchoolClass.objects.filter(org_path=self.office.path, is_open=True).order_by("grade", "number")
        if grades is not None:
            rows = rows.filter(grade__in=grades)
        return [(str(pk), f"{label('grade', grade)} {name}") for pk, grade, name in
                rows.values_list("pk", "grade", "name")]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Ask:
    """One question. Text is personal and sealed with the card; codes, dates and numbers go to the payload.

    `widget`: text, textarea, date, choice, number. `options` gives the choices; `only_if` looks at what was
    answered so far and leaves the question out; `when` bounds a date: past, future or any.
    """

    key: str
    label: Any
    widget: str = "text"
    options: Callable[[Asking], Choices] | None = None
    hint: Any = ""
    is_required: bool = True
    most: int = 200
    when: str = "any"
    only_if: Callable[[Mapping[str, str]], bool] | None = None
    mask: Callable[[str], str] | None = None  # as whoever does not handle the case reads the answer

    @property
    def is_sealed(self) -> bool:
        return self.widget in ("text", "textarea")

    def applies(self, answers: Mapping[str, str]) -> bool:
        return self.only_if is None or self.only_if(answers)


def from_list(name: str) -> Callable[[Asking], Choices]:
    """The values of a code list as choices."""
    return lambda asking: code_choices(name)


YES_NO: tuple[tuple[str, Any], ...] = (("1", _("是")), ("0", _("否")))


def yes_no(asking: Asking) -> Choices:
    return YES_NO


def check_answers(
    kind: Kind, given: Mapping[str, Any], asking: Asking
) -> tuple[dict[str, str], list[Finding]]:
    """The answers as they would be kept, and everything wrong with them. Raises BadRequest for a key that the
    kind does not ask.
    """
    unknown = sorted(set(given) - {ask.key for ask in kind.asks})
    if unknown:
        raise BadRequest(why=str(_("不认识的字段 {keys}。")).format(keys="、".join(unknown)[:100]))
    answers: dict[str, str] = {}
    found: list[Finding] = []
    for ask in kind.asks:
        if not ask.applies(answers):
            continue
        text = _tidy(ask, str(given.get(ask.key, "") or ""))
        answers[ask.key] = text
        if not text:
            if ask.is_required:
                found.append(MISSING.at(ask.key, label=ask.label))
        else:
            answers[ask.key], wrong = _checked(ask, text, asking)
            found += [one.at(ask.key, label=ask.label, most=ask.most) for one in wrong]
    return answers, found


def _tidy(ask: Ask, text: str) -> str:
    lines = text.replace("\x00", "").splitlines() if ask.widget == "textarea" else [text.replace("\x00", "")]
    return "\n".join(" ".join(line.split()) for line in lines).strip()


def _checked(ask: Ask, text: str, asking: Asking) -> tuple[str, list[Objection]]:
    match ask.widget:
        case "choice":
            options = ask.options(asking) if ask.options else ()
            return text, [] if text in {code for code, _name in options} else [UNKNOWN]
        case "date":
            day = parse_date(text)
            if day is None:
                return text, [NO_DAY]
            if ask.when == "past" and day > today():
                return day.isoformat(), [FUTURE_DAY]
            if ask.when == "future" and day < today():
                return day.isoformat(), [PAST_DAY]
            return day.isoformat(), []
        case "number":
            is_number = text.isascii() and text.isdigit() and len(text) < 10
            return (str(int(text)), []) if is_number else (text, [NO_NUMBER])
        case _:
            return text, [TOO_LONG] if len(text) > ask.most else []


def take_answers(kind: Kind, given: Mapping[str, Any], asking: Asking) -> dict[str, str]:
    """The answers to keep. Raises RecordRefused with every fault at once, BadRequest for unknown keys."""
    answers, found = check_answers(kind, given, asking)
    if errors(found):
        raise RecordRefused(findings=found, count=len(errors(found)))
    return answers


def split(kind: Kind, answers: Mapping[str, str]) -> tuple[dict[str, str], dict[str, str]]:
    """What goes to the payload in clear, and what is sealed with the card."""
    sealed = {ask.key for ask in kind.asks if ask.is_sealed}
    clear = {key: text for key, text in answers.items() if key not in sealed}
    return clear, {SEALED + key: text for key, text in answers.items() if key in sealed}


def answers_of(case: Case, card: Mapping[str, str]) -> dict[str, str]:
    """What was answered: the clear part from the payload, the personal part while the card is there."""
    own = {key.removeprefix(SEALED): text for key, text in card.items() if key.startswith(SEALED)}
    return {**case.payload.get("asked", {}), **own}


def in_words(kind: Kind, answers: Mapping[str, str], asking: Asking) -> list[tuple[Any, str]]:
    """Question and answer as people read them; unanswered ones are left out."""
    said: list[tuple[Any, str]] = []
    for ask in kind.asks:
        text = answers.get(ask.key, "")
        if not text or not ask.applies(answers):
            continue
        if ask.widget == "choice" and ask.options is not None:
            text = next((str(name) for code, name in ask.options(asking) if code == text), text)
        said.append((ask.label, text))
    return said
