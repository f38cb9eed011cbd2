"""Children who stay away from the story's school: some absences, an alarm, the watch list, the reports."""

from datetime import timedelta

from accounts.models import Organization, Post, User
from config.clock import today
from registry.demo.country import STORY_SCHOOL
from registry.dropout import absences, alarm, reporting, watching
from registry.models import Absence, Enrolment, PersuasionVisit
from registry.status import NORMAL

# Days absent, whether excused, how often somebody tried to reach the family.
_AWAY = ((3, True, 0), (9, False, 1), (33, False, 2))


def stay_away(users: dict[str, User]) -> None:
    """A few pupils are away, as the registrar reported; then the jobs of the night run for the county."""
    school = Organization.objects.select_related("parent").get(code=STORY_SCHOOL, kind="school")
    post = Post.objects.filter(office=school, role="registrar", stands_for=None).order_by("pk").first()
    if post is None or school.parent is None:
        return
    registrar = next(user for user in users.values() if user.pk == post.user_id)
    registrar.acting_post = post
    rows = Enrolment.objects.filter(org_path=school.path, status=NORMAL, school_class__isnull=False)
    rows = rows.filter(valid__startswith__lt=today() - timedelta(days=_AWAY[-1][0]))
    for spell, (days, is_excused, tries) in zip(rows.order_by("-grade", "pk")[:3], _AWAY, strict=False):
        _away(spell, registrar, days, is_excused, tries)
    county = school.parent.path
    alarm.watch(county)
    reporting.make(county)
    watching.fold(school.path)


def _away(spell: Enrolment, registrar: User, days: int, is_excused: bool, tries: int) -> None:
    first = today() - timedelta(days=days)
    reason = Absence.Reason.ILL if is_excused else Absence.Reason.UNKNOWN
    absences.report(spell, actor=registrar, from_on=first, is_excused=is_excused, reason=reason)
    for number in range(tries):
        attempt = absences.Attempt(
            first + timedelta(days=2 + number), PersuasionVisit.Way.PHONE, "班主任",
            PersuasionVisit.Met.NOBODY, PersuasionVisit.Result.UNREACHED,
        )  # fmt: skip
        absences.visit(spell.student, attempt, actor=registrar)
