"""Lists page by key, never by offset, and counts have an upper end: pages and API alike."""

from collections.abc import Sequence
from typing import Any

from django.db.models import F, Value
from django.db.models.fields.tuple_lookups import TupleGreaterThan

MOST_COUNTED = 10_000


def count_up_to(rows: Any) -> int:
    """How many rows, exact up to MOST_COUNTED; beyond it one more, which pages show as 10,000+."""
    return int(rows.order_by().values("pk")[: MOST_COUNTED + 1].count())


def after_key(rows: Any, order: Sequence[str], last: Sequence[Any]) -> Any:
    """The rows that follow the sort key `last`; one comparison of rows, entered by the index."""
    return rows.filter(
        TupleGreaterThan(tuple(F(name) for name in order), tuple(Value(part) for part in last))
    )
