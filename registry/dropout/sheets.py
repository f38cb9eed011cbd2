"""Workbooks of the dropout control: read in the limited process, columns known by their headings (FI-3)."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from django.utils.translation import gettext_lazy as _

from config.errors import Refusal
from registry.intake.reading import read_rows
from registry.intake.sheet import Limits, fold

_LONGEST = 200  # characters of a cell that are kept


class HeadingsMissing(Refusal):
    code, status, rule = "list_headings", 422, "FI-2"
    message = _("名单第一行应有列名，其中须有{needed}；没有读到。请补上列名后重新上传。")


Needed = Sequence[tuple[tuple[str, ...], Any]]


def read_headed(
    content: bytes, file: str, columns: Mapping[str, str], needed: Needed, limits: Limits | None = None
) -> Iterator[tuple[int, dict[str, str]]]:
    """The rows that hold anything, by the keys that `columns` gives to headings, numbered as in the file.

    Each of `needed` is some keys, one of which must have a column, and how people call them. Raises BadFile,
    HeadingsMissing.
    """
    with read_rows(content, file, limits) as reading:
        _number, headings = next(reading, (0, []))
        keys = [columns.get(fold(text), "") for text in headings]
        if missing := [str(words) for any_of, words in needed if not set(any_of) & set(keys)]:
            raise HeadingsMissing(needed="、".join(missing))
        for number, cells in reading:
            if any(map(str.strip, cells)):
                yield number, {k: text.strip()[:_LONGEST] for k, text in zip(keys, cells, strict=False) if k}
