"""A pack of rows as the file holds them, with the trace of reading them."""

from collections.abc import Sequence

from accounts.models import User
from audit.services import record_list
from registry.exporting.columns import COLUMNS, shown
from registry.fields import BY_KEY
from registry.models import Enrolment, Export
from registry.protection import in_force
from registry.queries.sight import HIDDEN, enrolments_seen_by
from registry.record import ENROLMENT_KEYS, load_records, values_of

ROUTE = "registry:export"
MARK = "导出标识"  # the last column: every row says which export it comes from


def headings(export: Export) -> list[str]:
    return [*(COLUMNS[key].label for key in export.fields), MARK]


def read_pack(export: Export, ids: Sequence[int], user: User) -> list[list[str]]:
    """The rows of these spells in this order; one access entry names the pupils. Constant queries.

    A spell that has left her sight since it was counted is left out. Raises DoesNotOpen.
    """
    seen = enrolments_seen_by(user).filter(pk__in=ids).select_related("school", "school_class")
    spells = {spell.pk: spell for spell in seen}
    values = _values(list(spells.values()), with_secrets=_needs_secrets(export))
    present = [pk for pk in ids if pk in spells]
    record_list(
        "student", [spells[pk].student_id for pk in present], actor=user, route=ROUTE,
        purpose=export.approval_number,
    )  # fmt: skip
    students = {spells[pk].student_id for pk in present}
    guarded = set(in_force().filter(student_id__in=students).values_list("student_id", flat=True))
    return [_line(export, values[pk], is_guarded=spells[pk].student_id in guarded) for pk in present]


def _line(export: Export, values: dict[str, str], *, is_guarded: bool) -> list[str]:
    """The texts of one row. Of a protected pupil nothing that is masked leaves, not even its mask (AZ-10)."""
    clear = set(export.clear_fields)
    texts = []
    for key in export.fields:
        value = values.get(key, "")
        hides = is_guarded and COLUMNS[key].is_masked
        texts.append((HIDDEN if value else "") if hides else shown(key, value, is_clear=key in clear))
    return [*texts, export.approval_number]


def _values(spells: list[Enrolment], *, with_secrets: bool) -> dict[int, dict[str, str]]:
    """What there is to say about each spell. Of a pupil who has left, only what the spell itself carries."""
    records = load_records([spell.student_id for spell in spells])
    found = {}
    for spell in spells:
        record = records.get(spell.student_id)
        values = {}
        if record is not None:
            values = values_of(record, with_secrets=with_secrets)
        values |= {key: getattr(spell, key) for key in ENROLMENT_KEYS}
        found[spell.pk] = values | {
            "name": spell.name, "sex": spell.sex, "grade": spell.grade, "class_number": spell.class_number,
            "school_name": spell.school.name, "status": spell.status,
            "class_name": spell.school_class.name if spell.school_class else "",
        }  # fmt: skip
    return found


def _needs_secrets(export: Export) -> bool:
    """Whether sealed values must be opened; a masked identity number has its mask beside it."""
    sealed = [key for key in export.fields if key in BY_KEY and BY_KEY[key].place in ("private", "member")]
    return bool(sealed) or "id_number" in export.clear_fields
