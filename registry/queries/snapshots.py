"""离校备份: what a former school reads of a pupil who left, as of that day and no later (R-TRF-17, G-15)."""

from typing import Any

from accounts.models import Organization, User
from accounts.roles import Right
from config.errors import NotFound
from config.paging import count_up_to
from registry.entries.keeping import as_entries
from registry.entries.kinds import Kind
from registry.entries.reading import Line as EntryLine
from registry.entries.reading import lines_kept
from registry.field_rights import roles_at
from registry.fields import SECTIONS
from registry.models import EnrolmentSnapshot, HandedDropout
from registry.protection import HIDDEN_PLACE, is_protected, protected_ids
from registry.queries.dossier import Block, Line
from registry.queries.rosters import PAGE, Page, go_on
from registry.queries.sight import Sight

_COLUMNS = ("id", "org_path", "student_id", "name", "grade", "class_name", "as_of", "to_name", "case_no")
_NOT_LINES = ("photo",)


def _in_scope(user: User) -> Any:
    return EnrolmentSnapshot.objects.visible_to(user, Right.VIEW_STUDENT)


def read_snapshots(user: User, office: Organization | None, after: str) -> Page:
    """Snapshots of one school or of everything below her office, newest first, key-set paged."""
    path = office.path if office else user.acting_path
    rows = _in_scope(user).within(path)
    total = count_up_to(rows)
    rows = go_on(rows, _in_scope(user), after)
    shown = list(rows.newest_first(path).values(*_COLUMNS)[: PAGE + 1])
    has_more, shown = len(shown) > PAGE, shown[:PAGE]
    hidden = set(protected_ids())
    for row in shown:
        row["to_name"] = str(HIDDEN_PLACE) if row["student_id"] in hidden else row["to_name"]
    return Page(shown, shown[-1]["id"] if has_more else None, total)


def open_snapshot(user: User, pk: int) -> EnrolmentSnapshot:
    """One snapshot in scope; where a protected pupil went is not said (AZ-10). Raises NotFound."""
    found: EnrolmentSnapshot | None = _in_scope(user).filter(pk=pk).first()
    if found is None:
        raise NotFound()
    if is_protected(found.student_id):
        found.to_name = str(HIDDEN_PLACE)
    return found


def sight_on(user: User, snapshot: EnrolmentSnapshot | HandedDropout) -> Sight:
    """What she may see of it: by her rights at the former school, as with a record that is still there."""
    held = {
        str(right) for right in Right
        if any(snapshot.org_path.startswith(path) for path in user.scope_paths(right))
    }  # fmt: skip
    return Sight(str(Right.VIEW_STUDENT), frozenset(held), roles_at(user, snapshot.org_path))


def blocks_of(snapshot: EnrolmentSnapshot | HandedDropout, sight: Sight) -> list[Block]:
    """The form's sections of that day, masked; nothing of a snapshot is ever revealed. Raises DoesNotOpen."""
    values = snapshot.open_fields()
    blocks = []
    for section in SECTIONS:
        lines = [
            Line(
                key=item.key,
                label=item.label_short,
                shown=sight.show(item, values.get(item.key, "")),
                form_no=item.form_no,
                change="system",
                is_number=item.key.endswith(("id_number", "status_number")),
            )
            for item in section.fields
            if item.key not in _NOT_LINES and sight.shows_field(item.key)
        ]
        if any(line.shown for line in lines):
            blocks.append(Block(section.key, str(section.title), lines))
    return blocks


def growth_of(snapshot: EnrolmentSnapshot, sight: Sight) -> list[tuple[Kind, list[EntryLine], bool]]:
    """The dated entries that stood when the pupil left, by the kinds that her roles at the former school read
    (HANDBOOK C6). Raises DoesNotOpen.
    """
    return lines_kept(as_entries(snapshot.open_entries()), sight)
