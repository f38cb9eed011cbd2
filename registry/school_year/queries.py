"""What the pages and the API say about promotions: runs, units, schools, and who does not move."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import connection
from django.utils.translation import gettext_lazy

from accounts.models import User
from accounts.roles import Right
from config.clock import today
from config.errors import NotFound
from config.paging import count_up_to
from config.rules import rule
from registry.codes import label
from registry.models import PromotionPart, PromotionRun, PromotionSchool, School
from registry.models.promotion import PartQuerySet
from registry.protection import hidden_from
from registry.queries.rosters import number_in
from registry.queries.sight import students_seen_by
from registry.school_year.promoting import FATES, fate_sql, given
from registry.school_year.undoing import authority_path, last_day
from registry.school_year.year import school_year
from registry.services.grades import next_grade_sql
from registry.status import OPEN

PAGE = 50
# What a rehearsal finds before it is too late, and what to do about it.
FINDINGS = {
    "early": (
        gettext_lazy("将提前毕业"),
        gettext_lazy("学校的学制与本地不同，这些学生会比本地早一年毕业。没有六年级的学校在六年制地区仍填六年，请更正学制。"),
    ),
    "other_schooling": (
        gettext_lazy("学制与本地不同的学校"),
        gettext_lazy("请核对学校的学制；确为试点的，由主管部门设定本地学制。"),
    ),
    "beyond": (
        gettext_lazy("年级超出学制"),
        gettext_lazy("学校的学制没有这个年级，学生不会升级。请更正学制或学生的年级。"),
    ),
    "blocked": (
        gettext_lazy("有在办业务"),
        gettext_lazy("不影响升级，但毕业年级的须先办结或清理才能毕业。"),
    ),
    "without_class": (
        gettext_lazy("升级后待编班"),
        gettext_lazy("原班级随同学升级，留级和待核准的学生须由学校重新编班。"),
    ),
    "no_successor": (
        gettext_lazy("升入年级尚无班级"),
        gettext_lazy("学校现在没有这些班级将升入的年级。教学点的学生须转入中心校的，请先办转学。"),
    ),
}  # fmt: skip
# In the order of the equation: before = these together.
WAYS = {**FATES, "graduated": gettext_lazy("已毕业"), "left": gettext_lazy("已离校")}


@dataclass(frozen=True, slots=True)
class Line:
    """One way in which pupils are accounted for, or one finding."""

    key: str
    title: str
    count: int
    hint: str = ""


def ways(counts: dict[str, int]) -> list[Line]:
    """The right side of the equation, what is not there left out."""
    return [Line(key, str(title), counts[key]) for key, title in WAYS.items() if counts.get(key)]


def findings(counts: dict[str, int]) -> list[Line]:
    return [
        Line(key, str(title), counts[key], str(hint))
        for key, (title, hint) in FINDINGS.items()
        if counts.get(key)
    ]


def runs_seen() -> list[PromotionRun]:
    """The runs of the last years, newest first. Their counts are the country's and no secret."""
    return list(PromotionRun.objects.exclude(state=PromotionRun.State.DROPPED).order_by("-pk")[:PAGE])


def open_run(public_id: UUID | str) -> PromotionRun:
    """Raises NotFound."""
    try:
        run = PromotionRun.objects.filter(public_id=UUID(str(public_id))).first()
    except ValueError:
        raise NotFound() from None
    if run is None:
        raise NotFound()
    return run


def parts_of(
    run: PromotionRun, user: User, after: str = "", only: str = ""
) -> tuple[list[PromotionPart], Any]:
    """A page of the run's units under her office, and the key of the next page."""
    rows: PartQuerySet = PromotionPart.objects.visible_to(user, Right.VIEW_STUDENT).filter(run=run)
    if only in PromotionPart.State.values:
        rows = rows.filter(state=only)
    if after:
        rows = rows.filter(pk__gt=number_in(after))
    found = list(rows.order_by("pk")[: PAGE + 1])
    return found[:PAGE], found[PAGE - 1].pk if len(found) > PAGE else None


def schools_of(
    run: PromotionRun, user: User, part: int | None = None, after: str = ""
) -> tuple[list[Any], Any]:
    """A page of the schools under her office, of one unit if it is named, and the key of the next page."""
    rows = PromotionSchool.objects.visible_to(user, Right.VIEW_STUDENT).filter(part__run=run)
    if part is not None:
        rows = rows.filter(part=part)
    if after:
        rows = rows.filter(pk__gt=number_in(after))
    keys = list(rows.order_by("pk").values_list("pk", flat=True)[: PAGE + 1])
    shown = PromotionSchool.objects.filter(pk__in=keys[:PAGE]).defer("spells", "classes", "unplaced")
    found = list(shown.select_related("school").order_by("pk"))
    return found, keys[PAGE - 1] if len(keys) > PAGE else None


def count_schools(run: PromotionRun, user: User) -> int:
    """How many schools under her office the run concerns, up to what lists count."""
    rows = PromotionSchool.objects.visible_to(user, Right.VIEW_STUDENT)
    return count_up_to(rows.filter(part__run=run))


def open_school(run: PromotionRun, user: User, school: int) -> PromotionSchool:
    """What the run does at one school. Raises NotFound."""
    rows = PromotionSchool.objects.visible_to(user, Right.VIEW_STUDENT).filter(
        part__run=run, school_id=school
    )
    found = rows.select_related("school__school", "part__run").first()
    if found is None:
        raise NotFound()
    row: PromotionSchool = found
    return row


def open_part(run: PromotionRun, user: User, pk: int) -> PromotionPart:
    """One unit of the run under her office. Raises NotFound."""
    rows: PartQuerySet = PromotionPart.objects.visible_to(user, Right.VIEW_STUDENT)
    part = rows.filter(run=run, pk=pk).first()
    if part is None:
        raise NotFound()
    found: PromotionPart = part
    return found


def may_undo(row: PromotionSchool, user: User) -> bool:
    """Whether the button is shown: the authority's, while it is time."""
    if row.done_at is None or row.undone_at is not None or today() > last_day(row):
        return False
    return user.may_act_at(Right.DECIDE, authority_path(row))


def steps(row: PromotionSchool) -> list[tuple[str, str, int]]:
    """How many went up from which grade to which; nothing before it is done."""
    return [
        (label("grade", grade), label("grade", f"{grade[0]}{int(grade[1]) + 1}"), len(spells))
        for grade, spells in sorted(row.spells.items())
    ]


def remaining(counts: dict[str, int]) -> int:
    """Who is still on the school's roll after the promotion."""
    return counts.get("before", 0) - counts.get("graduated", 0) - counts.get("left", 0)


def schooling_words(row: PromotionSchool) -> tuple[str, str]:
    """The school's length of stages and the locality's (R-GRD-09)."""
    words = dict(School._meta.get_field("schooling").flatchoices)
    local = local_schooling(row.org_path)
    return str(words[row.school.school.schooling]), "" if local == row.school.school.schooling else str(
        words[local]
    )


def title(fate: str) -> str:
    """The heading of a list of pupils."""
    return str(FATES.get(fate) or FINDINGS.get(fate, ("",))[0])


def local_schooling(path: str) -> str:
    return rule("SCHOOLING", at=path).word


def listed(row: PromotionSchool) -> tuple[str, ...]:
    """The fates whose pupils the page lists; afterwards those who moved are told by their events alone."""
    unmoved = tuple(fate for fate in FATES if fate not in ("promoted", "graduating"))
    return unmoved if row.done_at else (*FATES, "blocked", "early")


_WANTED = {
    "blocked": "f.case_no IS NOT NULL AND f.fate IN ('promoted', 'graduating')",
    "early": "f.fate = 'graduating' AND f.local_next <> ''",
}


def pupils(row: PromotionSchool, user: User, fate: str, after: str = "") -> tuple[list[dict[str, Any]], Any]:
    """A page of the school's pupils of one fate as they stand today, and the key of the next one."""
    asked = given(school_year(row.year)) | {
        "fate": fate, "school": row.school_id, "open": list(OPEN),
        "after": number_in(after) if after else 0,
        "most": PAGE + 1, "local": local_schooling(row.org_path),
    }  # fmt: skip
    with connection.cursor() as cursor:
        wanted = _WANTED.get(fate, "f.fate = %(fate)s")
        cursor.execute(f"{_pupils()} WHERE {wanted} ORDER BY f.id LIMIT %(most)s", asked)
        names = [column[0] for column in cursor.description or ()]
        found = [dict(zip(names, line, strict=True)) for line in cursor.fetchall()]
    after_key = found[PAGE - 1]["id"] if len(found) > PAGE else None
    seen = students_seen_by(user).filter(pk__in=[one["student_id"] for one in found[:PAGE]])
    seen = seen.exclude(pk__in=hidden_from(user))
    public = dict(seen.values_list("pk", "public_id"))
    shown = [one for one in found[:PAGE] if one["student_id"] in public]
    for one in shown:
        one["public_id"], one["grade_name"] = public[one["student_id"]], label("grade", one["grade"])
    return shown, after_key


def _pupils() -> str:
    return f"""SELECT f.* FROM (SELECT e.id, e.student_id, e.name, e.grade, c.name AS class_name, b.kind_name,
  b.case_no, {fate_sql()} AS fate, {next_grade_sql("e.grade", "%(local)s::text")} AS local_next
FROM registry_enrolment e JOIN registry_school s ON s.organization_id = e.school_id
  LEFT JOIN registry_schoolclass c ON c.id = e.school_class_id
  LEFT JOIN registry_openbusiness b ON b.student_id = e.student_id
WHERE e.school_id = %(school)s AND e.status = ANY(%(open)s) AND NOT e.is_void AND e.id > %(after)s) f"""  # noqa: S608  # our own constants
