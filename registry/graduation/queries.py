"""Lists and graduates as pages and the API read them: in scope, key-set paged."""

from typing import Any
from uuid import UUID

from django.db.models import Count, Q

from accounts.models import Organization, User
from accounts.roles import Right
from config.errors import NotFound
from config.paging import count_up_to
from registry.codes import label
from registry.graduation.numbers import is_certificate_number
from registry.models import Enrolment, GraduationList, GraduationRecord, Student
from registry.protection import hidden_from
from registry.queries.rosters import PAGE, Page, go_on, number_in
from registry.queries.sight import mask_in_list
from registry.services.seasons import is_graduating
from registry.status import NORMAL

_LIST = (
    "id", "public_id", "school__name", "school_year", "grade", "state", "total", "graduated_on",
    "prepared_by_name", "confirmed_by_name", "case_no",
)  # fmt: skip
_GRADUATE = (
    "id", "public_id", "student_id", "name", "sex", "school_name", "school_year", "grade", "class_name",
    "outcome", "number", "graduated_on", "destination", "next_school", "voided_on",
)  # fmt: skip


def _lists(user: User) -> Any:
    return GraduationList.objects.visible_to(user, Right.VIEW_STUDENT)


def read_lists(user: User, after: str = "") -> Page:
    """The lists of her office and below, newest first."""
    seen = _lists(user)
    rows = seen.within(user.acting_path)
    total = count_up_to(rows)
    rows = go_on(rows, seen, after)
    shown = list(rows.newest_first(user.acting_path).values(*_LIST)[: PAGE + 1])
    for row in shown:
        row["grade_name"] = label("grade", row["grade"])
        row["state_name"] = GraduationList.State(row["state"]).label
    return Page(shown[:PAGE], shown[PAGE - 1]["id"] if len(shown) > PAGE else None, total)


def open_list(user: User, public_id: UUID) -> GraduationList:
    """One list in scope. Raises NotFound."""
    found: GraduationList | None = _lists(user).select_related("school").filter(public_id=public_id).first()
    if found is None:
        raise NotFound()
    return found


def classes_of(graduation: GraduationList) -> list[dict[str, Any]]:
    """The classes of a list: number, name, pupils; of a done list, how many certificates are printed."""
    if graduation.state == GraduationList.State.DONE:
        records = graduation.records.filter(voided_on=None)
        found = records.values("class_number", "class_name")
        counted = found.annotate(count=Count("id"), printed=Count("id", filter=~Q(printed=None)))
        return [dict(row) for row in counted.order_by("class_number")]
    rows = graduation.rows.values("enrolment__class_number", "enrolment__school_class__name")
    return [
        {
            "class_number": row["enrolment__class_number"],
            "class_name": row["enrolment__school_class__name"] or "",
            "count": row["count"],
        }
        for row in rows.annotate(count=Count("id")).order_by("enrolment__class_number")
    ]


def rows_of(graduation: GraduationList, class_number: str, user: User) -> list[dict[str, Any]]:
    """The pupils of one class of a list, by name."""
    rows = graduation.rows.filter(enrolment__class_number=class_number)
    rows = rows.exclude(student_id__in=hidden_from(user))
    return [
        {
            **row,
            "sex_name": label("sex", row["enrolment__sex"]),
            "outcome_name": label("completion_type", row["outcome"]),
            "destination_name": destination_in_words(row["destination"]),
        }
        for row in rows.order_by("enrolment__name_py", "student_id").values(
            "student_id", "student__public_id", "enrolment__name", "enrolment__sex", "outcome", "destination",
            "held",
        )
    ]  # fmt: skip


def graduating_grades(school: Organization) -> list[tuple[str, str, int]]:
    """The graduating grades of a school that have pupils: code, name, how many are normal in school."""
    spells = Enrolment.objects.filter(org_path=school.path, status=NORMAL, is_void=False)
    counts = spells.values("grade").annotate(count=Count("id")).order_by("grade")
    return [
        (row["grade"], label("grade", row["grade"]), row["count"])
        for row in counts
        if is_graduating(row["grade"], school.school.schooling)
    ]


def roll_rows(graduation: GraduationList, class_number: str, user: User) -> list[dict[str, Any]]:
    """The graduates of a class as the roll says them: from the frozen data, masked."""
    records = graduation.records.filter(class_number=class_number).exclude(student_id__in=hidden_from(user))
    return [roll_row(one) for one in records.order_by("number")]


def roll_row(one: GraduationRecord) -> dict[str, Any]:
    held = one.open_fields()
    return {
        "student_id": one.student_id,
        "record": one,
        "sex_name": label("sex", one.sex),
        "birth_on": held.get("birth_on", ""),
        "ethnic_group": label("ethnic_group", held["ethnic_group"]) if held.get("ethnic_group") else "",
        "student_number": mask_in_list(held.get("status_number", "")),
        "entry_month": held.get("entry_month", ""),
        "outcome_name": label("completion_type", one.outcome),
        "destination_name": destination_in_words(one.destination, one.next_school),
    }


# ── Graduates ────────────────────────────────────────────────────────────────────────────────────────────
def _graduates(user: User) -> Any:
    return GraduationRecord.objects.visible_to(user, Right.VIEW_STUDENT)


def read_graduates(user: User, *, year: str = "", text: str = "", after: str = "") -> Page:
    """Graduates of her office and below, newest first; `text` is a name or a whole certificate number."""
    seen = _graduates(user).exclude(student_id__in=hidden_from(user))
    rows = seen.within(user.acting_path)
    if year:
        rows = rows.filter(school_year=number_in(year))
    if text := text.strip().upper():
        is_number = is_certificate_number(text)
        rows = rows.filter(number=text) if is_number else rows.filter(name__startswith=text)
    total = count_up_to(rows)
    rows = go_on(rows, seen, after)
    shown = list(rows.newest_first(user.acting_path).values(*_GRADUATE)[: PAGE + 1])
    for row in shown:
        row["grade_name"] = label("grade", row["grade"])
        row["outcome_name"] = label("completion_type", row["outcome"])
        row["destination_name"] = destination_in_words(row["destination"], row["next_school"])
    return Page(shown[:PAGE], shown[PAGE - 1]["id"] if len(shown) > PAGE else None, total)


def open_graduate(user: User, public_id: UUID) -> GraduationRecord:
    """One graduate in scope. Raises NotFound."""
    graduates = _graduates(user).exclude(student_id__in=hidden_from(user))
    found: GraduationRecord | None = (
        graduates.select_related("graduation", "printed").filter(public_id=public_id).first()
    )
    if found is None:
        raise NotFound()
    return found


def graduations_of(student: Student, user: User) -> list[GraduationRecord]:
    """What the record's tab shows: every graduation of the pupil in her scope, void ones too."""
    return list(_graduates(user).filter(student=student).select_related("printed").order_by("-id"))


def school_years(user: User) -> list[int]:
    """The school years in which somebody of her scope graduated, newest first."""
    years = _lists(user).within(user.acting_path).filter(state=GraduationList.State.DONE)
    return sorted(set(years.values_list("school_year", flat=True)), reverse=True)


def destination_in_words(code: str, school: str = "") -> str:
    words = label("graduation_destination", code) if code else ""
    return f"{words}（{school}）" if words and school else words
