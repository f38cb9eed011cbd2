"""Rolls that teachers of the story's school have confirmed already; the others wait for the visitor."""

from accounts.models import User
from registry.demo.country import STORY_SCHOOL
from registry.models import RollMark, SchoolClass
from registry.services.reporting_in import roll_of
from registry.verification.rolls import Kind, Mark, confirm_roll

# Teacher → what she says of the first pupils on her list, and who sits there without being on it.
_SAYS: dict[str, tuple[tuple[tuple[str, str], ...], tuple[str, ...]]] = {
    "teacher1": ((), ()),
    "teacher2": (
        ((Kind.AWAY, RollMark.Why.SICK), (Kind.AWAY, RollMark.Why.UNKNOWN), (Kind.NOT_OURS, "")),
        ("吴新禾",),
    ),
}


def confirm_rolls(users: dict[str, User]) -> None:
    """Confirm as the head teachers do."""
    for name, (said, unlisted) in _SAYS.items():
        teacher = users[f"{STORY_SCHOOL}.{name}"]
        teacher.acting_post = teacher.posts.get()
        for school_class in SchoolClass.objects.filter(head_teacher=teacher, is_open=True):
            roster = list(roll_of(school_class))
            marks = [Mark(pk, *one) for pk, one in zip(roster, said, strict=False)]
            confirm_roll(school_class, roster, marks, unlisted, version=0, actor=teacher)
