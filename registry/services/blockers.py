"""在办业务 before graduation: it blocks, and is listed (R-GRD-02, G-10)."""

from collections.abc import Iterable
from typing import Any

from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from config.errors import Refusal
from registry.models import OpenBusiness, School
from registry.services.seasons import is_graduating
from registry.status import OPEN

_SHOWN = 20
_GRADES = [f"{stage}{year}" for stage in "123" for year in range(1, 7)]


class BusinessUnfinished(Refusal):
    """`cases` are the numbers of all cases that stand in the way."""

    code, status = "business_unfinished", 409
    rule, article = "R-GRD-02", "教育部年度毕业升级工作通知"
    message = _(
        "有 {count} 名学生的业务尚未办结，不能办理毕业：{listed}。请先办结或撤回；"
        "确实无法办结的，由学籍主管部门在“毕业年级在办业务”中清理。"
    )

    def __init__(self, *, cases: Iterable[str] = (), **data: Any) -> None:
        super().__init__(**data)
        self.cases = tuple(cases)


def refuse_if_open_business(student_ids: Iterable[int], *, besides: str = "") -> None:
    """The gate of graduation: raise BusinessUnfinished, naming each case, while one of these pupils has open
    business. `besides` is the number of the graduation's own case. One query, however many pupils.
    """
    held = OpenBusiness.objects.filter(student_id__in=list(student_ids)).order_by("case_no")
    held = held.exclude(case_no=besides) if besides else held
    found = list(held.values_list("case_no", "kind_name"))
    if not found:
        return
    listed = "、".join(f"{name}（{number}）" for number, name in found[:_SHOWN])
    if len(found) > _SHOWN:
        listed += "……"
    numbers = dict.fromkeys(number for number, _name in found)
    raise BusinessUnfinished(count=len(found), listed=listed, cases=numbers)


def graduating_spells(prefix: str = "") -> Q:
    """Open spells in the last grade of their stage, by the school's length of schooling; `prefix` leads from
    the table asked to the spell.
    """
    grades = Q()
    for schooling, _name in School._meta.get_field("schooling").choices or ():
        last = [grade for grade in _GRADES if is_graduating(grade, str(schooling))]
        grades |= Q(**{f"{prefix}school__school__schooling": schooling, f"{prefix}grade__in": last})
    return Q(**{f"{prefix}is_void": False, f"{prefix}status__in": OPEN}) & grades
