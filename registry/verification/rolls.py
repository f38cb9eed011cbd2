"""The class roll of a verification: who of a class is present, away, or not of the class (R-VER-02)."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

from django.db import connection, transaction
from django.db.models import Exists, F, OuterRef
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from accounts.rights import explain
from accounts.roles import Right
from audit.services import record
from config.errors import Refusal
from registry.findings import errors
from registry.models import Campaign, ClassRoll, Enrolment, RollMark, SchoolClass, SchoolVerification
from registry.names import check_name, clean_name
from registry.services.reporting_in import may_note, roll_of
from registry.verification.from_rolls import raise_from_roll

Kind, Why = RollMark.Kind, RollMark.Why
LONGEST_NAME = 50
MOST_UNLISTED = 10  # lines on the page; more pupils than that are registered, not noted here


class NoCampaign(Refusal):
    code, status, rule = "no_verification_open", 409, "R-VER-01"
    message = _("本校目前没有开展学期学籍核准，名册暂不能核对。核准开始后再来办理。")


class SchoolSigned(Refusal):
    code, status, rule = "verification_signed", 409, "R-VER-05"
    message = _("本校已由{name}签署核准结果，名册不能再改。确需更正的，请联系学籍主管部门。")


class RollOutdated(Refusal):
    code, status, rule = "roll_outdated", 409, "R-VER-02"
    message = _("班级名单或核对结果在您打开之后有变动，没有保存。请核对下面的最新名单后重新确认。")


class ReasonMissing(Refusal):
    code, status, rule = "away_reason_missing", 422, "R-VER-02"
    message = _("{name}选了“不在校”，但没有选原因。请选择原因后重新确认。")


class NameNotUsable(Refusal):
    code, status, rule = "unlisted_name", 422, "R-VER-06"
    message = _("名册外学生“{name}”不能登记：{why}")


@dataclass(frozen=True, slots=True)
class Mark:
    """What is said of one listed pupil who is not simply present."""

    student: int
    kind: str
    why: str = ""


def verification_of(path: str) -> SchoolVerification | None:
    """The latest verification of the school at `path`, with its campaign; None before the first."""
    rows = SchoolVerification.objects.filter(org_path=path).select_related("campaign", "school")
    found: SchoolVerification | None = rows.order_by("-campaign__opens_on", "-campaign_id").first()
    return found


def may_confirm(user: User, school_class: SchoolClass) -> bool:
    """The head teacher of the class, and the registrar of its school."""
    return user.may_act_at(Right.CONFIRM_ROLL, school_class.org_path) and may_note(user, school_class)


def unconfirmed_classes(campaign: Campaign, org_path: str) -> int:
    """How many classes under `org_path` have a pupil in school whom their roll does not list (R-VER-01)."""
    listed = ClassRoll.objects.filter(
        campaign=campaign, school_class=OuterRef("school_class"), students__contains=[OuterRef("student_id")]
    )
    pupils = Enrolment.objects.within(org_path).in_school().filter(school_class__is_open=True)
    return int(pupils.exclude(Exists(listed)).values("school_class").distinct().count())


def classes_to_confirm(org_path: str) -> int:
    """How many open classes under `org_path` have pupils."""
    pupils = Enrolment.objects.within(org_path).in_school().filter(school_class__is_open=True)
    return int(pupils.values("school_class").distinct().count())


@transaction.atomic
def confirm_roll(
    school_class: SchoolClass,
    listed: Collection[int],
    marks: Iterable[Mark],
    unlisted: Iterable[str],
    *,
    version: int,
    actor: User,
) -> ClassRoll:
    """Confirm who of the class is present: everybody `listed` without a mark. `unlisted` are names of pupils
    who sit in the class and are not on the list (R-VER-06). May be repeated until the school has signed.

    `version` is that of the roll she saw, 0 for none. Raises NotAllowed, NoCampaign, SchoolSigned,
    RollOutdated, ReasonMissing, NameNotUsable.
    """
    if not may_confirm(actor, school_class):
        explain(actor, Right.CONFIRM_ROLL, at=school_class.org_path).or_raise()
    school = _open_verification(school_class.org_path)
    roster = roll_of(school_class)
    marked = {mark.student: mark for mark in marks}
    if not listed or set(listed) != roster.keys() or marked.keys() - roster.keys():
        raise RollOutdated()
    for mark in marked.values():
        if mark.kind == Kind.AWAY and mark.why not in Why:
            raise ReasonMissing(name=roster[mark.student].name)
    names = [_usable(name) for name in unlisted if name.strip()]
    kinds = [mark.kind for mark in marked.values()]
    counts: dict[str, Any] = {
        "present": len(roster) - len(marked), "away": kinds.count(Kind.AWAY),
        "not_ours": kinds.count(Kind.NOT_OURS), "unlisted": len(names),
    }  # fmt: skip
    before = _planned_ways(school.campaign, school_class)
    roll = _save(school_class, school.campaign, sorted(roster), counts, version, actor)
    path = school_class.org_path
    RollMark.objects.bulk_create(
        [
            RollMark(org_path=path, roll=roll, student_id=mark.student, kind=mark.kind, why=mark.why)
            for mark in marked.values()
        ]
        + [
            RollMark(org_path=path, roll=roll, kind=Kind.UNLISTED, name=name, way=before.get(name, ""))
            for name in names
        ]
    )
    raise_from_roll(roll, has_newcomers=not before.keys() >= set(names))
    record(
        "registry.roll.confirm", roll, actor=actor, basis="R-VER-02", class_name=school_class.name, **counts
    )
    total = classes_to_confirm(path)
    SchoolVerification.objects.filter(pk=school.pk).update(
        rolls_total=total, rolls_confirmed=total - unconfirmed_classes(school.campaign, path)
    )
    return roll


def _planned_ways(campaign: Campaign, school_class: SchoolClass) -> dict[str, str]:
    """What is planned for each pupil whom the roll as it stands names beyond its list."""
    marks = RollMark.objects.filter(roll__campaign=campaign, roll__school_class=school_class, student=None)
    return dict(marks.values_list("name", "way"))


def _open_verification(path: str) -> SchoolVerification:
    """The school's verification, locked: sign-off and confirmation wait for each other."""
    found = verification_of(path)
    if found is None:
        raise NoCampaign()
    with connection.cursor() as cursor:
        # Shared among teachers. A run holds it alone (checking.py): both may write the same finding.
        cursor.execute(
            "SELECT pg_advisory_xact_lock_shared(hashtextextended(%s, 0))",
            [f"verify {found.campaign_id} {found.school.parent_id}"],
        )
    locked = SchoolVerification.objects.select_for_update(no_key=True, of=("self",)).select_related(
        "campaign"
    )
    school: SchoolVerification = locked.get(pk=found.pk)
    if school.state == SchoolVerification.State.SIGNED:
        raise SchoolSigned(name=school.signed_by_name)
    return school


def _save(
    school_class: SchoolClass,
    campaign: Campaign,
    students: list[int],
    counts: dict[str, Any],
    version: int,
    actor: User,
) -> ClassRoll:
    """The roll anew, without its former marks. The UPDATE names the version she saw."""
    mine = {"students": students, "confirmed_by": actor, "confirmed_by_name": actor.name, **counts}
    of_class = ClassRoll.objects.filter(campaign=campaign, school_class=school_class)
    if not version:
        if of_class.exists():
            raise RollOutdated()
        return ClassRoll.objects.create(
            org_path=school_class.org_path, campaign=campaign, school_class=school_class, **mine
        )
    changed = of_class.filter(version=version).update(version=F("version") + 1, confirmed_at=Now(), **mine)
    if not changed:
        raise RollOutdated()
    roll: ClassRoll = of_class.get()
    roll.marks.all().delete()
    return roll


def _usable(text: str) -> str:
    name = clean_name(text)
    wrong = errors(check_name(name))
    if wrong or len(name) > LONGEST_NAME:
        why = wrong[0].message if wrong else _("姓名过长。")
        raise NameNotUsable(name=name[:20], why=str(why))
    return name
