"""Graduation at the story's school: two pupils who left early, and the list of the grade for its leader."""

from accounts.models import Organization, Post, User
from registry.demo.country import STORY_SCHOOL
from registry.graduation.checking import examine
from registry.graduation.preparing import confirm, hand_in, open_list, set_rows
from registry.graduation.queries import graduating_grades
from registry.models import GraduationList

_EARLY = 2
_ON = "16"  # list graduation_destination: 普通初中


def graduate_some(users: dict[str, User]) -> None:
    """As the registrar and the leader do; the second list waits for whoever visits as the leader."""
    school = Organization.objects.select_related("school").get(code=STORY_SCHOOL, kind="school")
    posts = Post.objects.filter(office=school, role__in=("registrar", "leader"), stands_for=None)
    people = {}
    for post in posts.order_by("-pk"):
        people[post.role] = next(user for user in users.values() if user.pk == post.user_id)
        people[post.role].acting_post = post
    grades = graduating_grades(school)
    if not grades or people.keys() != {"registrar", "leader"}:
        return
    registrar = people["registrar"]
    first = open_list(school, grades[0][0], actor=registrar)
    pupils = list(first.rows.order_by("student_id").values_list("student_id", flat=True))
    set_rows(first, pupils[_EARLY:], {"held": "学年结束时统一办理"}, actor=registrar)
    _submit(first, registrar)
    confirm(first, examine(first).digest, actor=people["leader"])
    second = open_list(school, grades[0][0], actor=registrar)
    set_rows(second, pupils[_EARLY:-1], {"destination": _ON}, actor=registrar)
    _submit(second, registrar)


def _submit(graduation: GraduationList, registrar: User) -> None:
    hand_in(graduation, examine(graduation).digest, actor=registrar)
