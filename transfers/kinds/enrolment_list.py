"""统一招生入籍: a school hands in the graduates of its result list as one case; its leader reviews, its
authority decides, and only then are they placed (HANDBOOK A7.3).
"""

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from accounts.models import Organization, User
from accounts.roles import Right
from audit.services import Actor
from config.errors import Refusal
from registry.enrolling.admissions import (
    State,
    give_back,
    in_doubt,
    note_enrolled,
    note_refused,
    take_ready,
    unfit,
)
from registry.models import Admission, SchoolClass
from transfers.kind import Facts, Kind, Party, Proposed, Requirement, Stop, Subject
from transfers.kinds.enrolment import continue_graduates
from transfers.kinds.enrolment_claim import claims_against
from transfers.models import Case

PACK, SINGLES = 500, 20  # pupils in one transaction of the worker: together, and one by one
_DAYS, _NOTICE = "REGISTRATION_STEP_DAYS", "教育部年度毕业升级工作通知"
_UNIFIED = "21"  # list admission_mode_form: 统一招生考试/普通入学
_NEARBY = "11"


def open_list(school: Organization, *, payload: dict[str, Any], actor: User) -> Subject:
    """Take what is ready in hand. Raises NothingReady."""
    waiting = Admission.objects.filter(org_path=school.path, state=State.WAITING)
    ids, reach = take_ready(school.path, _contested(school.path, waiting))
    payload |= {"admissions": ids, "count": len(ids), "reach": reach, "lane": "enrolment_list"}
    return Subject()


def _contested(path: str, rows: "QuerySet[Admission]") -> set[int]:
    """Those of the rows whom another school claims."""
    claims = claims_against(path, rows.values("student_id"))
    return set(claims.values_list("student_id", flat=True))


def enrol_some(case: Case, actor: Actor) -> bool:
    """The effect, a pack at a time; False while there are more. Where somebody of a pack cannot be enrolled,
    the next few go one by one, and whoever it is goes back alone. Safe to repeat.
    """
    rows = Admission.objects.filter(pk__in=case.payload["admissions"], state=State.FILED).order_by("pk")
    pack = list(rows[:PACK])
    try:
        _enrol(pack, case, actor)
    except Refusal:
        for row in pack[:SINGLES]:
            try:
                _enrol([row], case, actor)
            except Refusal as refusal:
                note_refused(row, refusal, actor=actor)
    return not rows.exists()


@transaction.atomic
def _enrol(pack: list[Admission], case: Case, actor: Actor) -> None:
    """Locked first: whom the ruling on a double enrolment has taken off the list meanwhile is left out."""
    filed = Admission.objects.filter(pk__in=[row.pk for row in pack], state=State.FILED)
    rows = list(filed.select_for_update(no_key=True).order_by("pk"))
    classes = SchoolClass.objects.select_related("school__organization").in_bulk(
        {row.school_class_id for row in rows if row.school_class_id}
    )
    by_mode: dict[str, dict[int, SchoolClass]] = defaultdict(dict)
    for row in rows:
        mode = _UNIFIED if row.grade.startswith("3") else _NEARBY
        by_mode[mode][row.student_id] = classes[row.school_class_id or 0]
    for mode, places in sorted(by_mode.items()):
        continue_graduates(case, places, mode, actor=actor)
    note_enrolled(rows)


def undo_list(case: Case, actor: Actor, reason: str) -> None:
    give_back(case.payload["admissions"])


def proposes(case: Case, values: Mapping[str, str]) -> list[Proposed]:
    """Who is to sit in which class."""
    names: dict[str, list[str]] = defaultdict(list)
    rows = Admission.objects.filter(pk__in=case.payload["admissions"]).exclude(state=State.DROPPED)
    rows = rows.select_related("school_class")
    for row in rows.order_by("school_class__number", "name", "pk"):
        names[row.school_class.name if row.school_class else "—"].append(row.name)
    return [Proposed(place, "", _("{n} 人：{names}").format(n=len(held), names="、".join(held)))
            for place, held in names.items()]  # fmt: skip


def all_fit(facts: Facts) -> str:
    ids = facts.payload["admissions"]
    names = unfit(ids, _contested(facts.to_path, Admission.objects.filter(pk__in=ids)))
    if not names:
        return ""
    return _(
        "{names}已不是毕业状态，或另一所学校也录取了（重复招生），请退回学校处理，或先裁定重复招生核实。"
    ).format(names="、".join(names[:8]))


def none_in_doubt(facts: Facts) -> str:
    if not (names := in_doubt(facts.payload["admissions"])):
        return ""
    said = _("{names}有未处理的问题学籍，请先处理，或取消其编班，先办理其他学生。")
    return said.format(names="、".join(names[:8]))


ENROLMENT_LIST = Kind(
    code="enrolment_list",
    name="统一招生入籍",
    prefix="TZ",
    article=_NOTICE,
    started_by=Party.TAKE_OVER_SCHOOL,
    open=open_list,
    requirements=(
        Requirement("fit", "均为毕业生，没有重复招生", "A7.3", _NOTICE, all_fit),
        Requirement("problem", "没有问题学籍", "R-PRB-05", "第九条", none_in_doubt),
    ),
    proposes=proposes,
    route=(
        Stop(Party.TAKE_OVER_SCHOOL, Right.REVIEW, "学校领导审核", _DAYS),
        Stop(Party.TAKE_OVER_AUTHORITY, Right.DECIDE, "主管部门核准", _DAYS),
    ),
    effect=enrol_some,
    undo=undo_list,
)
