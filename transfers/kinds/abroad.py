"""出国（境）就读, and the return to the same school (HANDBOOK A6; 2013 rule, article 20)."""

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from audit.services import Actor
from registry.status import ABROAD, NORMAL, SUSPENDED
from transfers.asking import Ask, from_list
from transfers.kind import About, EvidenceNeed, Facts, Kind, Party, Requirement
from transfers.kinds.answers import reopen
from transfers.kinds.conditions import NOT_FROZEN, SEAT_FREE
from transfers.kinds.effects import undo
from transfers.kinds.own_pupil import SCHOOL_AND_AUTHORITY, pupil_of
from transfers.kinds.state import (
    PASSPORT_PAPER,
    RULE_2013,
    SAME_STAGE,
    STATEMENT,
    after_birth,
    among,
    become,
    class_ask,
    proposing,
)
from transfers.models import Case

GROUP = "出国（境）"
_ART_20 = f"{RULE_2013}第二十条"
_HOME = "CHN"
_REASONS = among("status_change_reason", "28", "30", "99")


def go(case: Case, actor: Actor) -> None:
    become(case, actor, ABROAD, "19", basis="2013年办法第二十条")


def elsewhere(facts: Facts) -> str:
    """Hong Kong, Macao and Taiwan are places of their own in the list."""
    return _("前往国家或地区不能是中国内地，请核对。") if facts.asked("country") == _HOME else ""


GOING_ABROAD = Kind(
    code="abroad",
    name="出国（境）就读",
    prefix="CG",
    article="2013年办法第二十条",
    started_by=Party.TAKE_OVER_SCHOOL,
    about=About.OWN_PUPIL,
    group=GROUP,
    summary="凭护照签证等在就读学校办理，学籍保留，状态变为“出国”，不占班级学位。",
    statuses=(NORMAL, SUSPENDED),
    asks=(
        Ask(
            "reason",
            gettext_lazy("出国（境）原因"),
            "choice",
            among("status_change_reason", "28", "30", "99"),
        ),
        Ask("country", gettext_lazy("前往国家或地区"), "choice", from_list("country_region")),
        Ask("happened_on", gettext_lazy("离校日期"), "date", when="past"),
        STATEMENT,
    ),
    evidence=(PASSPORT_PAPER,),
    open=pupil_of(NORMAL, SUSPENDED),
    reopen=reopen,
    requirements=(
        Requirement("country", "前往国家或地区", "A6.1", _ART_20, elsewhere),
        Requirement("day", "离校日期", "A6.1", _ART_20, after_birth("happened_on")),
        NOT_FROZEN,
    ),
    route=SCHOOL_AND_AUTHORITY,
    effect=go,
    undo=undo,
    proposes=proposing(ABROAD),
)


def come_back(case: Case, actor: Actor) -> None:
    # The category marks the study abroad in her file, which goes on.
    become(case, actor, NORMAL, "08", basis="2013年办法第二十条")


RETURN_FROM_ABROAD = Kind(
    code="abroad_return",
    name="回国（境）复学",
    prefix="HJ",
    article="2013年办法第二十条",
    started_by=Party.TAKE_OVER_SCHOOL,
    about=About.OWN_PUPIL,
    group=GROUP,
    summary="按境外就读证明编入相应年级，原学籍档案接续使用。",
    statuses=(ABROAD,),
    asks=(
        Ask("happened_on", gettext_lazy("返校日期"), "date"),
        Ask("country", gettext_lazy("境外就读国家或地区"), "choice", from_list("country_region")),
        class_ask(gettext_lazy("编入班级"), gettext_lazy("年级依据境外就读证明确定")),
        STATEMENT,
    ),
    evidence=(EvidenceNeed("境外就读证明", ("20", "99"), "A6.1"),),
    open=pupil_of(ABROAD),
    reopen=reopen,
    requirements=(
        Requirement("country", "境外就读国家或地区", "A6.1", _ART_20, elsewhere),
        SAME_STAGE,
        NOT_FROZEN,
        SEAT_FREE,
    ),
    route=SCHOOL_AND_AUTHORITY,
    effect=come_back,
    undo=undo,
    proposes=proposing(NORMAL),
)
