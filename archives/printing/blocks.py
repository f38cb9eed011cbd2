"""What a paper is built of. A form is a list of these, in reading order; each turns its share of the values
into plain data for the template, which only draws. A value that is missing leaves its place blank, for a pen.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from string import Formatter
from typing import Any

from django.utils.timezone import is_aware, localtime

from archives.printing.fonts import printable

Values = Mapping[str, Any]
# number: 办件号 or 学籍号; url: what the square says; generated_at: a datetime; caption: under the square, in
# place of the form's own words; printed_by: who printed it. MUST are given, the others may be left out.
MUST = ("number", "url", "generated_at")
COMMON = frozenset({*MUST, "caption", "printed_by"})
# (key, label) of each cell of a row, left to right.
Row = tuple[tuple[str, str], ...]
_DAY_FOR_A_PEN: list[dict[str, Any]] = [
    part
    for width, unit in ((3, "年"), (2, "月"), (2, "日"))
    for part in ({"fill": "", "width": width}, {"text": unit})
]


class WrongValues(ValueError):
    """The caller gave a form what it cannot print. Names keys and types only, never a value."""


def words(value: object) -> str:
    """A value as a paper says it: a day as 2026年9月1日, nothing as nothing."""
    if value is None:
        return ""
    if isinstance(value, datetime):
        value = localtime(value) if is_aware(value) else value
        return f"{day_in_words(value)} {value:%H:%M}"
    if isinstance(value, date):
        return day_in_words(value)
    if isinstance(value, str | int) and not isinstance(value, bool):
        return printable(str(value))
    raise WrongValues(f"{type(value).__name__} is no word")


def day_in_words(day: date) -> str:
    return f"{day.year}年{day.month}月{day.day}日"


def runs(template: str, values: Values) -> list[dict[str, Any]]:
    """A sentence of ours as text and blanks: `{name:4}` is the value of `name`, on a line of 4 characters at
    least, `{name:0}` runs in the text, `{moved_on:day}` is a day. The values are never parsed.
    """
    found: list[dict[str, Any]] = []
    for text, key, width, _conversion in Formatter().parse(template):
        if text:
            found.append({"text": text})
        if key and width == "day" and not values.get(key):
            found += _DAY_FOR_A_PEN
        elif key:
            found.append({"fill": words(values.get(key)), "width": 9 if width == "day" else int(width or 4)})
    return found


def keys_of(templates: Sequence[str]) -> Iterator[str]:
    return (key for template in templates for _text, key, *_rest in Formatter().parse(template) if key)


@dataclass(frozen=True, slots=True)
class Opinion:
    """What one office says on a case, and the place for its seal. With `by` empty, somebody signs by hand."""

    label: str  # 转入学校意见
    text: str = ""  # 同意接收
    office: str = ""
    by: str = ""
    on: date | None = None


@dataclass(frozen=True, slots=True)
class Fields:
    """Rows of labels and values beside a title. With `has_photo` the value `photo` (JPEG bytes, or nothing)
    stands to their right.
    """

    title: str
    rows: tuple[Row, ...]
    has_photo: bool = False

    def keys(self) -> set[str]:
        return {key for row in self.rows for key, _label in row} | ({"photo"} if self.has_photo else set())

    def drawn(self, values: Values) -> dict[str, Any]:
        rows = [
            [{"label": label, "value": words(values.get(key))} for key, label in row] for row in self.rows
        ]
        return {"kind": "fields", "title": self.title, "rows": rows, "has_photo": self.has_photo}


@dataclass(frozen=True, slots=True)
class Box:
    """Sentences in a frame beside a title; with `signature`, who signs below them, and a day."""

    title: str
    paragraphs: tuple[str, ...]
    signature: str = ""
    least_mm: int = 22

    def keys(self) -> set[str]:
        return set(keys_of((*self.paragraphs, self.signature)))

    def drawn(self, values: Values) -> dict[str, Any]:
        paragraphs = [runs(paragraph, values) for paragraph in self.paragraphs]
        return {
            "kind": "box", "title": self.title, "paragraphs": paragraphs, "least": self.least_mm,
            "signature": runs(self.signature, values),
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Table:
    """The rows of the value `key`, numbered; each row holds as many words as `head`.

    At least `least` lines are drawn, for a pen, and at most `most`: a last line says how many are left out.
    """

    key: str
    title: str
    head: tuple[str, ...]
    widths: tuple[int, ...]
    least: int = 2
    most: int = 30

    def keys(self) -> set[str]:
        return {self.key}

    def drawn(self, values: Values) -> dict[str, Any]:
        given = [[words(value) for value in row] for row in values.get(self.key) or ()]
        if any(len(row) != len(self.head) for row in given):
            raise WrongValues(f"{self.key}: each row has {len(self.head)} words")
        shown = [[str(number), *row] for number, row in enumerate(given[: self.most], start=1)]
        shown += [[""] * (len(self.head) + 1)] * (self.least - len(shown))
        left = len(given) - self.most
        return {
            "kind": "table", "title": self.title, "head": ["序号", *self.head], "widths": [2, *self.widths],
            "rows": shown, "more": f"另有 {left} 项，见系统记录。" if left > 0 else "",
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Opinions:
    """The value `opinions` (a list of Opinion), two beside each other; without it, the form's own blank
    boxes.
    """

    title: str
    usual: tuple[str, ...]

    def keys(self) -> set[str]:
        return {"opinions"}

    def drawn(self, values: Values) -> dict[str, Any]:
        given: Sequence[Opinion] = values.get("opinions") or [Opinion(label) for label in self.usual]
        boxes = [
            {"label": words(one.label), "text": words(one.text), "office": words(one.office),
             "by": words(one.by), "on": words(one.on)}
            for one in given
        ]  # fmt: skip
        return {"kind": "opinions", "title": self.title, "boxes": boxes}


@dataclass(frozen=True, slots=True)
class Letter:
    """A letter: whom it is to (a key, or empty), sentences, who signs it (sentences, set to the right)."""

    to: str
    paragraphs: tuple[str, ...]
    closing: tuple[str, ...]
    greeting: tuple[str, ...] = ()  # 特此证明。
    size_pt: int = 12

    def keys(self) -> set[str]:
        return {self.to, *keys_of((*self.paragraphs, *self.closing, *self.greeting))} - {""}

    def drawn(self, values: Values) -> dict[str, Any]:
        parts = {"paragraphs": self.paragraphs, "closing": self.closing, "greeting": self.greeting}
        drawn = {name: [runs(line, values) for line in lines] for name, lines in parts.items()}
        to = words(values.get(self.to)) if self.to else None
        return {"kind": "letter", "to": to, "size": self.size_pt, **drawn}


@dataclass(frozen=True, slots=True)
class Cut:
    """The line along which the paper is cut, and the heading of what comes after it."""

    heading: str

    def keys(self) -> set[str]:
        return set()

    def drawn(self, values: Values) -> dict[str, Any]:
        return {"kind": "cut", "heading": self.heading}


@dataclass(frozen=True, slots=True)
class Tracking:
    """The code under which a family follows its case, large, beside the square."""

    paragraphs: tuple[str, ...]

    def keys(self) -> set[str]:
        return {"tracking_code", *keys_of(self.paragraphs)}

    def drawn(self, values: Values) -> dict[str, Any]:
        return {
            "kind": "tracking", "code": words(values.get("tracking_code")),
            "paragraphs": [runs(paragraph, values) for paragraph in self.paragraphs],
        }  # fmt: skip


Block = Fields | Box | Table | Opinions | Letter | Cut | Tracking


@dataclass(frozen=True, slots=True)
class Form:
    """A printed form. Its text is Chinese whatever language the reader has set: it is an official paper."""

    code: str
    title: str
    number_label: str  # 办件号 or 学籍号
    caption: str  # under the square: what a telephone finds there
    blocks: tuple[Block, ...]
    notes: tuple[str, ...] = ()
    square_in_corner: bool = True
    # Sizes of text in points: the first at which the form fits on one page, or several pages of the first.
    sizes: tuple[float, ...] = (10, 9, 8.5)

    def keys(self) -> frozenset[str]:
        """Every value that it prints."""
        return COMMON.union(*(block.keys() for block in self.blocks))
