"""接续: what a workbook brings to a former pupil's record beside the new spell (R-EST-08)."""

from collections.abc import Iterable, Mapping

from registry.fields import BY_KEY
from registry.record import PRIVATE_KEYS, STUDENT_KEYS, member_values
from registry.services.editing import key_fields


def open_keys(path: str) -> list[str]:
    """The person's own fields beside the key fields, which have a procedure of their own (R-UPD-05)."""
    locked = {*key_fields(path), "name", "sex", "birth_on"}
    return [key for key in STUDENT_KEYS if key not in locked]


def filled_in(stored: Mapping[str, str], path: str) -> dict[str, str]:
    """What a row says of the person; a cell left open takes nothing away from the record."""
    private = [key for key in PRIVATE_KEYS if key not in key_fields(path)]
    return {key: stored[key] for key in (*open_keys(path), *private) if stored.get(key)}


def changed_labels(before: Mapping[str, str], stored: Mapping[str, str], path: str) -> list[str]:
    """Labels of the fields that a continuation brings up to date, in form order; values stay out of it."""
    after = filled_in(stored, path)
    for ordinal in (1, 2):
        block = member_values(dict(stored), ordinal)
        after |= {f"member{ordinal}_{key}": text for key, text in block.items() if text}
    return _labels(key for key, text in after.items() if text != before.get(key, ""))


def _labels(keys: Iterable[str]) -> list[str]:
    wanted = set(keys)
    return [field.label_zh for key, field in BY_KEY.items() if key in wanted]
