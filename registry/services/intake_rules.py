"""What limits an intake, for one pupil and for a whole workbook alike: seats, plan, quota, closing day, base
list (HANDBOOK A4.1, A7.3, D7, D9).

Every function answers for many with a constant number of queries; single registration asks for a set of one.
What is asked lies inside the caller's scope, except the base list, which needs that of the authority.
"""

from collections import defaultdict
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Literal, NamedTuple
from uuid import UUID

from django.db.models import Count, F, IntegerField, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.utils.translation import gettext as _

from accounts.models import Organization
from config.rules import RuleInForce, rule, rules
from config.rules.parameter import month_day_in
from config.scope import ancestors
from registry.codes import label
from registry.models import (
    Attendance,
    Enrolment,
    IntakePlan,
    School,
    SchoolClass,
    SeatPermission,
    StatusQuota,
    Term,
)
from registry.models.enrolment import EnrolmentQuerySet
from registry.record import same_person_index, school_year_start
from registry.services.refusals import ClassFull, ClassUnknown, PlanExceeded, QuotaExceeded
from registry.status import IN_SCHOOL, OPEN

ENTRY_GRADES = ("11", "21", "31")
JUNIOR_ENTRY = "21"
GRADUATED = "07"
_STAGE_KEYS = {"1": "PRIMARY", "2": "JUNIOR", "3": "SENIOR"}
MAX_KEYS = {"1": "CLASS_SIZE_MAX_PRIMARY", "2": "CLASS_SIZE_MAX_SECONDARY", "3": "CLASS_SIZE_MAX_SECONDARY"}
_CAP_RULES = ("CLASS_SIZE_INTAKE_PRIMARY", "CLASS_SIZE_INTAKE_JUNIOR", "CLASS_SIZE_INTAKE_SENIOR",
              "CLASS_SIZE_MAX_PRIMARY", "CLASS_SIZE_MAX_SECONDARY")  # fmt: skip


def stage_of(grade: str) -> str:
    """The stage (list school_stage) that a grade belongs to: 11 → 2, 小学."""
    return str(int(grade[0]) + 1)


def grade_digit(stage: str) -> str:
    """The first digit of the stage's grades: 2, 小学 → 1."""
    return str(int(stage) - 1)


# ── Seats of a class ─────────────────────────────────────────────────────────────────────────────────────
class Seats(NamedTuple):
    """Pupils in a class, the most it may have, and the sentence that says why."""

    taken: int
    cap: int
    why: str

    @property
    def left(self) -> int:
        return max(0, self.cap - self.taken)


def seats_left(
    school_class_ids: Iterable[int], on: date, *, is_intake: bool = True, besides: int | None = None
) -> dict[int, Seats]:
    """The seats of many classes in three queries, if all belong to one school.

    New registrations of an entry grade count against the intake size, all others, and with `is_intake` False
    transfers and resumptions, against the greatest size (D9). A permission of the authority that is valid on
    the day adds its seats (G-19); the class's own cap only tightens. `besides` is a pupil not to be counted.
    """
    both = both_seats(school_class_ids, on, besides=besides)
    return {pk: intake if is_intake else most for pk, (intake, most) in both.items()}


def both_seats(
    school_class_ids: Iterable[int], on: date, *, besides: int | None = None
) -> dict[int, tuple[Seats, Seats]]:
    """By class, its seats for new registrations and those for everybody else."""
    counted = Q(enrolments__status__in=IN_SCHOOL, enrolments__is_void=False)
    # Guests count for the size of their class, never as a status (R-CHG-09).
    guests = Attendance.objects.filter(school_class=OuterRef("pk"), valid__contains=on)
    if besides is not None:
        counted &= ~Q(enrolments__student_id=besides)
        guests = guests.exclude(student_id=besides)
    classes = list(
        SchoolClass.objects.filter(pk__in=set(school_class_ids))
        .annotate(pupils=Count("enrolments", counted))
        .annotate(taken=F("pupils") + _count(guests))
        .values_list("pk", "org_path", "grade", "cap", "taken")
    )
    permitted = SeatPermission.objects.filter(
        school_class_id__in=[row[0] for row in classes], valid__contains=on
    )
    extra = {permission.school_class_id: permission for permission in permitted}
    in_force = {path: rules(_CAP_RULES, at=path, on=on) for path in {row[1] for row in classes}}
    found = {}
    for pk, path, grade, own, taken in classes:
        limits = [_cap(in_force[path], grade, own, extra.get(pk), is_intake=one) for one in (True, False)]
        intake, most = (Seats(taken, cap, why) for cap, why in limits)
        found[pk] = (intake, most)
    return found


def _count(rows: QuerySet[Any]) -> Any:
    """How many of `rows` belong to the row of the outer query."""
    counted = rows.order_by().values("school_class").annotate(n=Count("pk")).values("n")
    return Coalesce(Subquery(counted, output_field=IntegerField()), 0)


def _cap(
    in_force: Mapping[str, RuleInForce],
    grade: str,
    own: int | None,
    permission: SeatPermission | None,
    *,
    is_intake: bool,
) -> tuple[int, str]:
    limit = in_force[MAX_KEYS[grade[0]]]
    if is_intake and grade in ENTRY_GRADES:
        limit = min(limit, in_force[f"CLASS_SIZE_INTAKE_{_STAGE_KEYS[grade[0]]}"], key=lambda one: one.number)
    cap, why = limit.number, limit.explain()
    if permission is not None:
        cap += permission.seats
        why += _("另经{office}许可（{document}），本班可超 {n} 人。").format(
            office=permission.office_name, document=permission.document, n=permission.seats
        )
    if own is not None and own < cap:
        return own, _("该上限由学校为本班设定。")
    return cap, why


# ── Plan and quota of a school ───────────────────────────────────────────────────────────────────────────
@dataclass(frozen=True, slots=True)
class Places:
    """How many a school may take, how many it has, and the sentence that says who decided."""

    mode: Literal["warn", "block"]
    planned: int
    taken: int
    why: str

    @property
    def left(self) -> int:
        return max(0, self.planned - self.taken)

    @property
    def over(self) -> int:
        return max(0, self.taken - self.planned)


def plan_state(
    school: School, school_year: int, stage: str, on: date, *, besides: int | None = None
) -> Places | None:
    """The intake plan of a stage against the pupils registered in its entry grade this school year.

    None where the plan is not checked, or where nobody has set one and it only warns. A place that blocks
    without a plan has none to give.
    """
    path = school.organization.path
    mode = rule("INTAKE_PLAN", at=path, on=on)
    if mode.word == "off":
        return None
    plan = IntakePlan.objects.filter(school=school, school_year=school_year, stage=stage).first()
    if plan is None and mode.word == "warn":
        return None
    taken = entrants(path, school_year, stage, besides=besides)
    name, year = label("school_stage", stage), school_year
    if plan is None:
        said = _("主管部门尚未下达{year}年{stage}招生计划。").format(year=year, stage=name)
    else:
        said = _("{year}年{stage}招生计划 {planned} 人，由{office}（{document}）下达。").format(
            year=year, stage=name, planned=plan.planned, office=plan.office_name, document=plan.document
        )
    strictness: Literal["warn", "block"] = "block" if mode.word == "block" else "warn"
    return Places(strictness, plan.planned if plan else 0, taken, said)


def quota_state(school: School, stage: str, on: date, *, besides: int | None = None) -> Places | None:
    """The total quota of a stage against its open statuses; None where the quota is not used.

    The school's own figure first, then the locality's; where the quota is used and none is set, it is zero.
    """
    path = school.organization.path
    in_force = rules(("QUOTA_ENABLED", "QUOTA"), at=path, on=on)
    if not in_force["QUOTA_ENABLED"].is_on:
        return None
    quota = StatusQuota.objects.filter(school=school, stage=stage).first()
    taken = members(path, stage, besides=besides)
    if quota is None:
        return Places("block", in_force["QUOTA"].number, taken, in_force["QUOTA"].explain())
    said = _("{stage}学籍总量 {most} 人，由{office}（{document}）核定。").format(
        stage=label("school_stage", stage), most=quota.most, office=quota.office_name, document=quota.document
    )
    return Places("block", quota.most, taken, said)


def entrants(path: str, school_year: int, stage: str, *, besides: int | None = None) -> int:
    """Pupils of the entry grade whose spell at the school began in the school year, pending ones included."""
    since = date(school_year, 7, 1)
    spells = _open_spells(path, besides).filter(grade=grade_digit(stage) + "1")
    return spells.filter(valid__startswith__gte=since).count()


def members(path: str, stage: str, *, besides: int | None = None) -> int:
    """Open statuses of the stage at the school, wherever the pupils are."""
    return _open_spells(path, besides).filter(grade__startswith=grade_digit(stage)).count()


def _open_spells(path: str, besides: int | None) -> EnrolmentQuerySet:
    spells = Enrolment.objects.filter(org_path=path, status__in=OPEN, is_void=False)
    return spells if besides is None else spells.exclude(student_id=besides)


def lock_places(
    school: School,
    wanted: Mapping[int, int],
    on: date,
    *,
    without_class: Mapping[str, int] | None = None,
    is_intake: bool = True,
    besides: int | None = None,
) -> dict[int, SchoolClass]:
    """Take the locks of plan, quota and classes, always in this order, and make sure that `wanted[class]` new
    pupils have a place in each class, and those `without_class` (by grade) in plan and quota. Returns the
    locked classes.

    Two registrars, or two workbooks, that fill the last place at once come one after the other. Raises
    ClassUnknown for a class closed meanwhile, PlanExceeded, QuotaExceeded or ClassFull.
    """
    own = SchoolClass.objects.filter(pk__in=wanted, school=school)
    grades = dict(own.values_list("pk", "grade"))
    newcomers: dict[str, int] = defaultdict(int)
    everybody: dict[str, int] = defaultdict(int)
    if wanted.keys() - grades.keys():
        raise ClassUnknown()
    by_grade = [(grades[pk], count) for pk, count in wanted.items()]
    for grade, count in [*by_grade, *(without_class or {}).items()]:
        everybody[stage_of(grade)] += count
        if is_intake and grade in ENTRY_GRADES:
            newcomers[stage_of(grade)] += count
    year = school_year_start(on).year
    in_force = rules(("INTAKE_PLAN", "QUOTA_ENABLED"), at=school.organization.path, on=on)
    if in_force["INTAKE_PLAN"].word != "block":
        newcomers.clear()  # nothing to queue for
    if not in_force["QUOTA_ENABLED"].is_on:
        everybody.clear()
    plans = IntakePlan.objects.select_for_update(no_key=True).filter(school=school, school_year=year)
    list(plans.filter(stage__in=newcomers).order_by("stage"))
    quotas = StatusQuota.objects.select_for_update(no_key=True).filter(school=school)
    list(quotas.filter(stage__in=everybody).order_by("stage"))
    for stage, count in sorted(newcomers.items()):
        refuse_beyond(PlanExceeded, plan_state(school, year, stage, on, besides=besides), count)
    for stage, count in sorted(everybody.items()):
        refuse_beyond(QuotaExceeded, quota_state(school, stage, on, besides=besides), count)
    return lock_classes(school, wanted, on, is_intake=is_intake, besides=besides)


def lock_classes(
    school: School,
    wanted: Mapping[int, int],
    on: date,
    *,
    is_intake: bool = True,
    besides: int | None = None,
) -> dict[int, SchoolClass]:
    """Take the locks of the classes alone, for pupils who count in plan and quota already. Raises
    ClassUnknown for a class of another school or closed meanwhile, and ClassFull.
    """
    own = SchoolClass.objects.filter(pk__in=wanted, school=school)
    classes = {one.pk: one for one in own.select_for_update(no_key=True).order_by("pk")}
    if len(classes) != len(wanted) or any(not one.is_open for one in classes.values()):
        raise ClassUnknown()
    seats = seats_left(wanted, on, is_intake=is_intake, besides=besides)
    for pk, one in classes.items():
        if seats[pk].left < wanted[pk]:
            taken, cap, why = seats[pk]
            raise ClassFull(name=one.name, count=taken, cap=cap, why=why)
    return classes


def refuse_beyond(
    refusal: type[PlanExceeded] | type[QuotaExceeded], places: Places | None, count: int
) -> None:
    """Raise `refusal` when `count` more would pass a limit that blocks."""
    if places is not None and places.mode == "block" and places.left < count:
        raise refusal(planned=places.planned, taken=places.taken, new=count, why=places.why)


# ── The calendar of registration ─────────────────────────────────────────────────────────────────────────
def registration_closes(path: str, on: date) -> tuple[date, RuleInForce]:
    """The last day on which new pupils register in the school year that `on` lies in, and the rule."""
    in_force = rule("REGISTRATION_CLOSES", at=path, on=on)
    year = school_year_start(on).year
    return month_day_in(year if in_force.word >= "0701" else year + 1, in_force.word), in_force


def is_omitted(grade: str, on: date, path: str) -> bool:
    """Whether a new status in this grade is a 补录 (R-EST-13): no entry grade, or after the closing day."""
    return grade not in ENTRY_GRADES or on > registration_closes(path, on)[0]


class PresentTerm(NamedTuple):
    """A term at an office: its school year, semester (list semester) and first day."""

    school_year: int
    semester: str
    starts_on: date


def present_term(path: str, on: date) -> PresentTerm:
    """The present term at the office of `path`: the latest that has begun, or in the holidays before a school
    year the autumn term ahead. It begins on 1 September where nobody has set one.
    """
    year_start = school_year_start(on)
    near: dict[str, Term] = {}
    for term in Term.objects.filter(path__in=ancestors(path), school_year=year_start.year):
        if term.semester not in near or len(term.path) > len(near[term.semester].path):
            near[term.semester] = term
    if "2" in near and near["2"].starts_on <= on:
        return PresentTerm(year_start.year, "2", near["2"].starts_on)
    return PresentTerm(year_start.year, "1", near["1"].starts_on if "1" in near else year_start)


def term_start(path: str, on: date) -> date:
    """The first day of the present term at the office of `path`."""
    return present_term(path, on).starts_on


# ── 小升初底表 ────────────────────────────────────────────────────────────────────────────────────────────
class Entrant(NamedTuple):
    """A new pupil of junior grade 1 as the base list is asked: by number, else by name, sex and birth."""

    key: Hashable
    blind: UUID | None
    same_person: UUID | None


def base_list_rule(path: str, on: date) -> RuleInForce | None:
    """The rule that entrants must stand on the base list; None where it is off."""
    in_force = rule("BASE_LIST_MATCH", at=path, on=on)
    return None if in_force.word == "off" else in_force


def base_list_area(path: str) -> str:
    """Where the base list of a school comes from: its competent authority's whole area."""
    above = Organization.objects.filter(path__in=ancestors(path)[:-1], is_authority=True)
    return str(above.order_by("-path").values_list("path", flat=True).first() or path)


def not_on_base_list(school: School, rows: Iterable[Entrant], on: date) -> set[Hashable]:
    """Keys of those `rows` that no primary leaver of the area stands behind; each leaver stands for one.

    The list is the registry itself: pupils of the last primary grade of last school year, graduated or not
    yet. Ask for a workbook as a whole: one leaver never answers for two rows. Empty where the rule is off.
    The scope must cover `base_list_area`.
    """
    asked = list(rows)
    if not asked or base_list_rule(school.organization.path, on) is None:
        return set()
    leavers = _leavers(base_list_area(school.organization.path), on)
    blinds = {row.blind for row in asked if row.blind}
    by_number: dict[UUID, int] = dict(
        leavers.filter(student__documents__blind__in=blinds, student__documents__is_claimed=True).values_list(
            "student__documents__blind", "student_id"
        )
    )
    matched: dict[Hashable, int] = {}
    for row in asked:
        if row.blind in by_number:
            matched[row.key] = by_number[row.blind]
    rest = [row for row in asked if row.key not in matched]
    if rest:
        _match_persons(rest, leavers, matched)
    return {row.key for row in asked if row.key not in matched}


def _match_persons(rest: list[Entrant], leavers: EnrolmentQuerySet, matched: dict[Hashable, int]) -> None:
    """Match by name, sex and birth date those whose number matched nobody, each leaver once."""
    used = set(matched.values())
    free: dict[UUID, list[int]] = defaultdict(list)
    persons = leavers.values_list("student_id", "student__name_fold", "student__sex", "student__birth_on")
    for pk, name, sex, birth in persons:
        if pk not in used:
            free[same_person_index(name, sex, birth)].append(pk)
    for row in rest:
        if row.same_person and free.get(row.same_person):
            matched[row.key] = free[row.same_person].pop()


def _leavers(area: str, on: date) -> EnrolmentQuerySet:
    """Spells of the last primary grade of last school year in the area.

    A graduate's spell ended in it; one that is still open is last year's by the month of entry, for after
    the promotion this year's pupils stand in the same grade.
    """
    year = school_year_start(on).year
    last = Q()
    for schooling, years in (("6-3", 6), ("5-4", 5)):
        is_left = Q(status=GRADUATED, valid__endswith__gt=date(year - 1, 9, 1))
        is_open = Q(status__in=OPEN, entry_month__lt=f"{year - years + 1}-07")
        last |= Q(grade=f"1{years}", school__school__schooling=schooling) & (is_left | is_open)
    return Enrolment.objects.within(area).filter(last, is_void=False)
