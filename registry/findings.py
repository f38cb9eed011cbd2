"""What a check has to say: one finding per thing that is wrong or doubtful, all of them at once.

An `Objection` is the fixed part, written once as data: code, rule, article, sentence and remedy. `at()`
places it on a field and fills the sentence. Sentences never repeat a number, a phone or an address: findings
are stored and logged.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Literal

from django.utils.text import format_lazy

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

Level = Literal["error", "warning"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One objection to one field of a form, an import row or an API body.

    `field` is a key of `registry.fields`; `code` is stable and for programs; `message` and `remedy` are for
    the person at the screen; `rule` is an id of the handbook, `article` the legal source. An "error" stops,
    a "warning" asks for a second look. `disputable`: the value may be registered as disputed, with evidence
    (R-EST-08).
    """

    field: str
    code: str
    message: StrOrPromise
    rule: str
    article: str
    remedy: StrOrPromise
    level: Level = "error"
    disputable: bool = False


@dataclass(frozen=True, slots=True)
class Objection:
    """A kind of finding, before it is placed on a field. `message` and `remedy` may hold `{placeholders}`."""

    code: str
    message: StrOrPromise
    remedy: StrOrPromise
    rule: str
    article: str = ""
    level: Level = "error"
    disputable: bool = False

    def at(self, field: str, **values: object) -> Finding:
        """This objection on `field`, its sentences filled from `values`."""
        return Finding(
            field=field,
            code=self.code,
            message=format_lazy(self.message, **values) if values else self.message,
            rule=self.rule,
            article=self.article,
            remedy=format_lazy(self.remedy, **values) if values else self.remedy,
            level=self.level,
            disputable=self.disputable,
        )


def errors(findings: Iterable[Finding]) -> list[Finding]:
    """Those findings that stop the record."""
    return [finding for finding in findings if finding.level == "error"]


def warnings(findings: Iterable[Finding]) -> list[Finding]:
    """Those findings that only ask a person to look again."""
    return [finding for finding in findings if finding.level == "warning"]


def in_words(day: date) -> str:
    """A day as sentences show it: 2025年8月31日."""
    return f"{day.year}年{day.month}月{day.day}日"
