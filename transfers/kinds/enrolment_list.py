"""统一招生入籍: a school hands in the graduates of its result list as one case; its leader reviews, its
authority decides, and only then are they placed (HANDBOOK A7.3).
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.models import Organization, User
from accounts.roles import Right
from audit.services import Actor
from config.errors import Refusal
from registry.enrolling.admissions import State, give_back, note_enrolled, note_refused, take_ready, unfit
from registry.graduation.afterwards import fill_destination
from registry.models import Admission, SchoolClass
from registry.services.changing import enrol_graduate
from transfers.kind import Facts, Kind, Party, Proposed, Requirement, Stop, Subject
from transfers.kinds.effects import change_of
from transfers.kinds.enrolment import DESTINATIONS, ENTERED
from transfers.models import Case

PACK = 20  # pupils in one transaction of the worker
_DAYS, _NOTICE = "REGISTRATION_STEP_DAYS", "教育部年度毕业升级工作通知"
_UNIFIED = "21"  # list admission_mode_form: 统一招生考试/普通入学
_NEARBY = "11"


def open_list(school: Organization, *, payload: dict[str, Any], actor: User) -> Subject:
    """Take what is ready in hand. Raises NothingReady."""
    ids, reach = take_ready(school.path)
    payload |= {"admissions": ids, "count": len(ids), "reach": reach, "lane": "enrolment_list"}
    return Subject()


def enrol_some(case: Case, actor: Actor) -> bool:
    """The effect, a pack at a time; False while there are more. Safe to repeat."""
    rows = Admission.objects.filter(pk__in=case.payload["admissions"], state=State.FILED).order_by("pk")
    for row in rows.select_related("student")[:PACK]:
        try:
            with transaction.atomic():
                _enrol(row, case, actor)
        except Refusal as refusal:
            note_refused(row, refusal, actor=actor)
    return not rows.exists()


def _enrol(row: Admission, case: Case, actor: Actor) -> None:
    school_class = SchoolClass.objects.select_related("school__organization").get(admissions=row)
    destination = DESTINATIONS.get(row.grade[0], "10")
    fill_destination(row.student, destination, case.to_name, case.number, actor=actor)
    change = replace(change_of(case, ENTERED), basis="A7.3")
    mode = _UNIFIED if row.grade.startswith("3") else _NEARBY
    enrol_graduate(row.student, school_class, change, admission_mode=mode, actor=actor)
    note_enrolled(row)


def undo_list(case: Case, actor: Actor, reason: str) -> None:
    give_back(case.payload["admissions"])


def proposes(case: Case, values: Mapping[str, str]) -> list[Proposed]:
    """Who is to sit in which class."""
    names: dict[str, list[str]] = defaultdict(list)
    rows = Admission.objects.filter(pk__in=case.payload["admissions"]).select_related("school_class")
    for row in rows.order_by("school_class__number", "name", "pk"):
        names[row.school_class.name if row.school_class else "—"].append(row.name)
    return [Proposed(place, "", _("{n} 人：{names}").format(n=len(held), names="、".join(held)))
            for place, held in names.items()]  # fmt: skip


def all_fit(facts: Facts) -> str:
    if not (names := unfit(facts.payload["admissions"])):
        return ""
    return _("{names}已不是毕业状态，或在另一所学校的录取名单中，请退回学校处理后重新报送。").format(
        names="、".join(names[:8])
    )


ENROLMENT_LIST = Kind(
    code="enrolment_list",
    name="统一招生入籍",
    prefix="TZ",
    article=_NOTICE,
    started_by=Party.TAKE_OVER_SCHOOL,
    open=open_list,
    requirements=(Requirement("fit", "均为毕业生，没有重复招生", "A7.3", _NOTICE, all_fit),),
    proposes=proposes,
    route=(
        Stop(Party.TAKE_OVER_SCHOOL, Right.REVIEW, "学校领导审核", _DAYS),
        Stop(Party.TAKE_OVER_AUTHORITY, Right.DECIDE, "主管部门核准", _DAYS),
    ),
    effect=enrol_some,
    undo=undo_list,
)
