"""成长记录 at the story's school, entered as its registrar and its doctor do, and one pupil admitted by the
county's result list.
"""

from io import BytesIO

from openpyxl import Workbook

from accounts.models import Organization, Post, User
from config.clock import today
from registry.demo.country import STORY_SCHOOL
from registry.enrolling import lists
from registry.enrolling.grades import grades_after
from registry.entries.services import add_entry
from registry.intake.sheet import PUPILS
from registry.models import Enrolment, School, Student
from registry.services.intake_rules import stage_of
from registry.services.seasons import terms_by_day
from registry.status import GRADUATED, NORMAL

_MARKED = 6  # pupils with marks of the term; the first three have more
_MARKS = ("92.5", "88", "95", "76.5", "优", "良")
_MORE = (
    ("registrar", "award", {"title": "青少年航模竞赛", "category": "2", "level": "43", "grade": "3"}),
    ("school_doctor", "health", {"height": "132.5", "weight": "28", "conclusion": "视力轻度下降，其余正常"}),
    ("registrar", "sanction", {"type": "1", "reason": "多次在走廊追逐打闹"}),
)  # fmt: skip


def enter_some(users: dict[str, User]) -> None:
    """Marks for a class, three other entries, and a result list whose pupil the junior school places."""
    school = Organization.objects.get(code=STORY_SCHOOL, kind=Organization.Kind.SCHOOL)
    people = {role: _under(role, school.path, users) for role in ("registrar", "school_doctor")}
    spells = Enrolment.objects.filter(org_path=school.path, status=NORMAL, is_void=False, grade="14")
    pupils = list(Student.objects.filter(enrolments__in=spells).distinct().order_by("pk")[:_MARKED])
    term = "{}-{}".format(*terms_by_day(school.path)(today()))
    registrar = people["registrar"]
    for student, mark in zip(pupils, _MARKS, strict=False):
        if registrar is not None:
            add_entry(student, "marks", {"when": term, "chinese": mark, "overall": "良"}, actor=registrar)
    for student, (role, kind, typed) in zip(pupils, _MORE, strict=False):
        if (person := people[role]) is not None:
            add_entry(student, kind, {"when": today().isoformat(), **typed}, actor=person)
    _admit(school, users)


def _under(role: str, path: str, users: dict[str, User]) -> User | None:
    """One of the accounts under her post, if the demonstration has one there."""
    mine = {user.pk: user for user in users.values() if user.sealed_at is None}
    post = Post.objects.filter(office__path=path, role=role, user__in=mine, stands_for=None).first()
    if post is None:
        return None
    mine[post.user_id].acting_post = post
    return mine[post.user_id]


def _admit(school: Organization, users: dict[str, User]) -> None:
    """The county's result list names one of those who graduated early."""
    assert school.parent is not None
    reviewer = _under("reviewer", school.parent.path, users)
    spell = Enrolment.objects.filter(org_path=school.path, status=GRADUATED).select_related("student").first()
    if reviewer is None or spell is None:
        return
    for next_school in School.objects.filter(organization__path__within=school.parent.path).order_by("code"):
        able = grades_after(spell.grade, school.school.schooling, next_school.schooling)
        if next_school.code != STORY_SCHOOL and any(stage_of(one) in next_school.stages for one in able):
            book = Workbook()
            book.worksheets[0].title = PUPILS
            book.worksheets[0].append(lists.headings())
            book.worksheets[0].append([spell.student.number, spell.name, STORY_SCHOOL, next_school.code])
            out = BytesIO()
            book.save(out)
            made = lists.take_in("小升初录取名单.xlsx", out.getvalue(), actor=reviewer)
            lists.match(made.job_id or 0)
            return
