"""What a former school keeps of the dated entries: as they stood when the pupil left (R-TRF-17)."""

import json
from collections.abc import Collection, Iterable
from typing import Any

from django.core.serializers.json import DjangoJSONEncoder

from registry.models import RecordEntry

_COLUMNS = (
    "kind", "happened_on", "school_year", "semester", "entered_by_name", "office_name", "created_at",
    "lifted_on", "lifted_by_name", "voided_at", "voided_by_name", "void_reason",
)  # fmt: skip


def entries_of(students: Collection[int]) -> dict[int, list[dict[str, Any]]]:
    """Pupil → every entry as plain values, newest first: to be sealed where they are kept."""
    found: dict[int, list[dict[str, Any]]] = {pk: [] for pk in students}
    for row in RecordEntry.objects.filter(student_id__in=found).order_by("-happened_on", "-pk"):
        held = {name: getattr(row, name) for name in _COLUMNS} | {"data": row.open_values()}
        found[row.student_id].append(json.loads(json.dumps(held, cls=DjangoJSONEncoder)))
    return found


def as_entries(held: Iterable[dict[str, Any]]) -> list[RecordEntry]:
    """The same as entries to read, none of which is a row."""
    fields = {field.name: field for field in RecordEntry._meta.fields}
    rows = ({name: fields[name].to_python(value) for name, value in row.items()} for row in held)
    return [RecordEntry(**row) for row in rows]
