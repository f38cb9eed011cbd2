"""辍学, and the return of a dropout or missing pupil (HANDBOOK A6, A10; R-DRP-01, R-DRP-03, R-DRP-07)."""

from datetime import date, timedelta

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.roles import Right
from audit.services import Actor
from config.clock import today
from config.rules import rule
from registry.services.dropouts import open_entry
from registry.services.state_rules import running_suspension
from registry.status import DROPPED_OUT, MISSING, NORMAL, SUSPENDED
from transfers.asking import Ask, from_list
from transfers.kind import About, EvidenceNeed, Facts, Kind, Party, Requirement, Stop
from transfers.kinds.answers import reopen
from transfers.kinds.conditions import SEAT_FREE, compulsory_only
from transfers.kinds.effects import undo
from transfers.kinds.own_pupil import SCHOOL_AND_AUTHORITY, pupil_of
from transfers.kinds.state import (
    CONTACT_PAPER,
    RULE_2013,
    SAME_STAGE,
    after_birth,
    become,
    class_ask,
    filed_on,
    number_asked,
    proposing,
)
from transfers.models import Case

GROUP = "控辍保学"
_ART_22 = f"{RULE_2013}第二十二条"


def drop_out(case: Case, actor: Actor) -> None:
    """The status is kept through the compulsory years; the ledger opens (R-DRP-03)."""
    assert case.student is not None
    become(case, actor, DROPPED_OUT, "19", basis="R-DRP-03")
    answers = case.payload["asked"]
    last_seen = date.fromisoformat(answers["happened_on"])
    open_entry(case.student, case.number, answers["reason"], last_seen, today())


def long_absent(facts: Facts) -> str:
    """Absent without excuse for the weeks of the rule; counted from the end of a suspension that ran out."""
    last_seen = facts.day_asked("happened_on")
    if last_seen is None:
        return ""
    running = running_suspension(facts.student)
    if running is not None and running.until is not None:
        last_seen = max(last_seen, running.until)
    held = rule("DROPOUT_WEEKS", at=facts.to_path, on=filed_on(facts.payload))
    due = last_seen + timedelta(weeks=held.number)
    if filed_on(facts.payload) >= due:
        return ""
    return (
        _("该生缺课未满规定时间，{due}起方可登记，请继续联系劝返。").format(due=f"{due:%Y-%m-%d}")
        + held.explain()
    )


def was_contacted(facts: Facts) -> str:
    if number_asked(facts, "contacts"):
        return ""
    return _("登记辍学前须联系劝返并留有记录，请填写联系次数。")


DROPOUT = Kind(
    code="dropout",
    name="辍学",
    prefix="LS",
    article="2013年办法第二十二条",
    started_by=Party.TAKE_OVER_SCHOOL,
    about=About.OWN_PUPIL,
    group=GROUP,
    summary="仅限义务教育阶段：劝返无果的登记辍学并建立台账，学籍保留至义务教育年限结束。",
    statuses=(NORMAL, SUSPENDED),
    asks=(
        Ask("reason", gettext_lazy("辍学原因"), "choice", from_list("dropout_reason")),
        Ask("happened_on", gettext_lazy("最后在校日期"), "date", when="past"),
        Ask("contacts", gettext_lazy("联系劝返次数"), "number"),
        Ask("statement", gettext_lazy("联系劝返情况"), "textarea", most=300),
    ),
    evidence=(CONTACT_PAPER,),
    open=pupil_of(NORMAL, SUSPENDED),
    reopen=reopen,
    requirements=(
        Requirement("compulsory", "仅限义务教育阶段", "R-DRP-03", _ART_22, compulsory_only),
        Requirement("day", "最后在校日期", "R-DRP-01", _ART_22, after_birth("happened_on")),
        Requirement("absent", "缺课达到规定时间", "R-DRP-01", _ART_22, long_absent),
        Requirement("contacts", "已联系劝返", "R-DRP-07", _ART_22, was_contacted),
    ),
    # The county hears of it whoever runs the school (R-DRP-02).
    route=(
        *SCHOOL_AND_AUTHORITY,
        Stop(Party.TAKE_OVER_COUNTY, Right.DECIDE, "县级教育行政部门核办", "CHANGE_STEP_DAYS"),
    ),
    effect=drop_out,
    undo=undo,
    proposes=proposing(DROPPED_OUT),
)


def come_back(case: Case, actor: Actor) -> None:
    become(case, actor, NORMAL, "12", basis="R-DRP-07")


RETURN_TO_SCHOOL = Kind(
    code="return_to_school",
    name="返校复学",
    prefix="HX",
    article="2013年办法第二十二条",
    started_by=Party.TAKE_OVER_SCHOOL,
    about=About.OWN_PUPIL,
    group=GROUP,
    summary="辍学或失踪学生返校，编入商定的年级，台账销号。",
    statuses=(DROPPED_OUT, MISSING),
    asks=(
        Ask("happened_on", gettext_lazy("返校日期"), "date", when="past"),
        class_ask(gettext_lazy("编入班级"), gettext_lazy("年级由监护人与学校商定，不随升级推定")),
        Ask("statement", gettext_lazy("返校情况"), "textarea", most=300),
    ),
    evidence=(EvidenceNeed("返校就读证明", ("20",), "R-DRP-07"),),
    open=pupil_of(DROPPED_OUT, MISSING),
    reopen=reopen,
    requirements=(SAME_STAGE, SEAT_FREE),
    route=SCHOOL_AND_AUTHORITY,
    effect=come_back,
    undo=undo,
    proposes=proposing(NORMAL),
)
