"""Legal statuses of an enrolment as data (list student_status_national); everything else is a flag."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Status:
    """`is_open`: occupies the person's one place in the country (R-EST-01). `in_school`: counts in class
    and lists.
    """

    code: str
    name: str
    is_open: bool
    in_school: bool


PENDING = "00"  # our own value: filed, not yet decided (R-EST-04)
NORMAL = "01"
SUSPENDED = "02"
LEFT = "03"
ABROAD = "04"
MISSING = "05"
DROPPED_OUT = "06"
GRADUATED, COMPLETED, PARTIAL = "07", "08", "09"  # 毕业, 结业, 肄业
WITHDRAWN = "10"
EXPELLED = "11"
DEAD = "12"
MOVED = "97"  # our own value: the spell ended because the status moved to another school
VOIDED = "96"  # our own value: the status counts as never having been (撤销); the spell is void
REFUSED = "98"  # our own value: registration refused or withdrawn; the spell is void

STATUSES = {
    status.code: status
    for status in (
        Status(PENDING, "待核准", True, True),
        Status(NORMAL, "正常在校", True, True),
        Status(SUSPENDED, "休学", True, False),
        Status(LEFT, "其他离校", False, False),
        Status(ABROAD, "出国", True, False),
        Status(MISSING, "失踪", True, False),
        Status(DROPPED_OUT, "辍学", True, False),
        Status(GRADUATED, "毕业", False, False),
        Status(COMPLETED, "结业", False, False),
        Status(PARTIAL, "肄业", False, False),
        Status(WITHDRAWN, "退学", False, False),
        Status(EXPELLED, "开除", False, False),
        Status(DEAD, "死亡", False, False),
        Status(VOIDED, "已撤销", False, False),
        Status(MOVED, "已转出", False, False),
        Status(REFUSED, "未予注册", False, False),
    )
}
GRADUATE = (GRADUATED, COMPLETED, PARTIAL)  # the stage is finished: basic data are frozen (R-GRD-06)
OPEN = tuple(code for code, status in STATUSES.items() if status.is_open)
IN_SCHOOL = tuple(code for code, status in STATUSES.items() if status.in_school)
