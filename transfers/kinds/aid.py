"""家庭经济困难认定 and its removal: the school asks, the authority approves, effective by itself (D17)."""

from datetime import date

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy

from audit.services import Actor
from config.clock import today
from registry.codes import choices
from registry.findings import in_words
from registry.services.aid import aid_of, end_aid, has_aid, recognize
from registry.services.allowances import last_day
from registry.status import NORMAL, SUSPENDED
from transfers.asking import Ask, Asking, Choices, from_list
from transfers.kind import About, EvidenceNeed, Facts, Kind, Party, Requirement
from transfers.kinds.answers import reopen
from transfers.kinds.conditions import NOT_FROZEN, status_in
from transfers.kinds.effects import undo
from transfers.kinds.own_pupil import SCHOOL_AND_AUTHORITY, pupil_of
from transfers.models import Case

LEVELS = ("1", "2")  # of list hardship_level: 特别困难, 一般困难
STATUSES = (NORMAL, SUSPENDED)
_SOURCE = "家庭经济困难学生认定办法"


def levels(asking: Asking) -> Choices:
    return choices("hardship_level", LEVELS)


def note(case: Case, actor: Actor) -> None:
    """The effect: the dated flag on the record."""
    assert case.student is not None
    answers = case.payload["asked"]
    recognize(
        case.student, answers["level"], answers["basis"],
        first=date.fromisoformat(answers["from_on"]), last=date.fromisoformat(answers["until"]),
        case_no=case.number, kind=RECOGNITION.name, actor=actor,
    )  # fmt: skip


def remove(case: Case, actor: Actor) -> None:
    assert case.student is not None
    end_aid(case.student, case_no=case.number, kind=REMOVAL.name, actor=actor)


# ── Conditions: an empty text when met, else what is wrong and what to do ────────────────────────────────
def period(facts: Facts) -> str:
    """Recognized year by year: never beyond the school year in which it begins."""
    first, last = (date.fromisoformat(facts.asked(key)) for key in ("from_on", "until"))
    ends = last_day(first)
    if first <= last <= ends and last >= today():
        return ""
    return _("认定按学年进行：截止日应在起始日和今天之后、{ends}之前（含当日）。").format(ends=in_words(ends))


def not_twice(facts: Facts) -> str:
    first, last = (date.fromisoformat(facts.asked(key)) for key in ("from_on", "until"))
    if first > last or not has_aid(facts.student, first, last):
        return ""
    return _("该生在此期间已有家庭经济困难认定；情况变化的，请先取消原认定。")


def is_recognized(facts: Facts) -> str:
    return "" if aid_of(facts.student, today()) else _("该生现在没有有效的家庭经济困难认定，无须取消。")


_STATUS = Requirement("status", "在籍学生", "D17", _SOURCE, status_in(*STATUSES))

RECOGNITION = Kind(
    code="aid",
    name="家庭经济困难认定",
    prefix="PK",
    article=_SOURCE,
    group="信息变更",
    summary="学校提出，主管部门核准后自动生效，到期自动失效；在学籍上注明起止日期。",
    about=About.OWN_PUPIL,
    started_by=Party.TAKE_OVER_SCHOOL,
    statuses=STATUSES,
    asks=(
        Ask("level", _lazy("认定等级"), "choice", levels),
        Ask("basis", _lazy("认定依据"), "choice", from_list("hardship_reason")),
        Ask("from_on", _lazy("起始日期"), "date"),
        Ask("until", _lazy("截止日期"), "date", hint=_lazy("不晚于该学年结束（8月31日）"), when="future"),
        Ask("note", _lazy("情况说明"), "textarea", is_required=False, most=500),
    ),
    open=pupil_of(*STATUSES),
    reopen=reopen,
    evidence=(EvidenceNeed("困难认定申请表或佐证材料", ("31", "15", "19", "08", "99"), "D17"),),
    requirements=(
        _STATUS,
        Requirement("period", "起止日期在一学年内", "D17", _SOURCE, period),
        Requirement("once", "没有重复认定", "D17", _SOURCE, not_twice),
        NOT_FROZEN,
    ),
    route=SCHOOL_AND_AUTHORITY,
    effect=note,
    undo=undo,
)

REMOVAL = Kind(
    code="aid_removal",
    name="取消家庭经济困难认定",
    prefix="PQ",
    article=_SOURCE,
    group="信息变更",
    summary="家庭情况好转或认定有误的，学校提出，主管部门核准后自当日起终止认定；原认定记录保留。",
    about=About.OWN_PUPIL,
    started_by=Party.TAKE_OVER_SCHOOL,
    statuses=STATUSES,
    asks=(Ask("note", _lazy("取消原因"), "textarea", most=500),),
    open=pupil_of(*STATUSES),
    reopen=reopen,
    requirements=(
        _STATUS,
        Requirement("recognized", "有有效的认定", "D17", _SOURCE, is_recognized),
    ),
    route=SCHOOL_AND_AUTHORITY,
    effect=remove,
    undo=undo,
)

AID_KINDS = (RECOGNITION, REMOVAL)
