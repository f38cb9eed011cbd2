"""Counting what lies encrypted in the pupils' records: each is opened, looked at and forgotten.

Only sums leave this module; nothing of a single pupil is kept in clear.
"""

from collections import Counter
from typing import Any

from django.db.models import QuerySet

from config.crypto import unseal_json
from reports.cubes import FLAGS

_PACK = 2000


def count_sealed(rows: "QuerySet[Any]", names: dict[str, Any]) -> list[dict[str, Any]]:
    """How many of the spells `rows` carry each flag, grouped by the expressions `names`.

    Raises DoesNotOpen: a value that is not its row's is an alarm, never a zero.
    """
    found: dict[tuple[Any, ...], Counter[str]] = {}
    columns = [f"by_{name}" for name in names]
    wanted = rows.order_by().annotate(**dict(zip(columns, names.values(), strict=True)))
    for pk, private, *group in wanted.values_list("student_id", "student__private", *columns).iterator(_PACK):
        values = unseal_json(private, "registry_student", pk, "private")
        counts = found.setdefault(tuple(group), Counter())
        counts.update(flag for flag, (key, counted) in FLAGS.items() if values.get(key, "") in counted)
    if not names:
        found.setdefault((), Counter())
    zero = dict.fromkeys(FLAGS, 0)
    return [dict(zip(names, group, strict=True)) | zero | dict(counts) for group, counts in found.items()]
