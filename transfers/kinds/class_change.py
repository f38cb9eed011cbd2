"""调班: another class of the same grade at the same school; the school's leader alone reviews (R-UPD-10)."""

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy

from audit.services import Actor
from registry.record import latest_spell
from registry.services.changing import change_class
from registry.status import NORMAL
from transfers.asking import Ask, Asking, Choices
from transfers.kind import About, Facts, Kind, Party, Requirement
from transfers.kinds.answers import class_asked, reopen
from transfers.kinds.conditions import NOT_FROZEN, SEAT_FREE, status_in
from transfers.kinds.effects import change_of, undo
from transfers.kinds.own_pupil import SCHOOL_ALONE, pupil_of
from transfers.models import Case

CLASS_OTHERWISE = "29"  # list status_change_category: 转班级


def other_classes(asking: Asking) -> Choices:
    """Open classes of the pupil's grade but her own."""
    assert asking.student is not None
    spell = latest_spell(asking.student, at=asking.office.path)
    if spell is None:
        return []
    own = str(spell.school_class_id)
    return [(pk, name) for pk, name in asking.classes(grades=[spell.grade]) if pk != own]


def move(case: Case, actor: Actor) -> None:
    """The effect: she sits in the other class, where a seat is free. Safe to repeat."""
    assert case.student is not None
    school_class = class_asked(case.to_path, case.payload["asked"]["class_id"])
    change_class(case.student, school_class, change_of(case, CLASS_OTHERWISE, basis="R-UPD-10"), actor=actor)


def same_grade(facts: Facts) -> str:
    spell, wanted = facts.spell, facts.school_class
    if spell is None or wanted is None:
        return _("所选班级不属于本校，请重新选择。")
    if wanted.grade != spell.grade:
        return _("调班只在本年级内进行；年级变动的，请办理留级、跳级等业务。")
    return _("该生已在所选班级。") if wanted.pk == spell.school_class_id else ""


CLASS_CHANGE = Kind(
    code="class_change",
    name="调班",
    prefix="TB",
    article="第七条",
    group="信息变更",
    summary="把学生调到本校同年级的另一个班，学校领导审核后即生效。",
    about=About.OWN_PUPIL,
    started_by=Party.TAKE_OVER_SCHOOL,
    statuses=(NORMAL,),
    asks=(
        Ask("class_id", _lazy("调入班级"), "choice", other_classes),
        Ask("note", _lazy("调班原因"), "textarea", most=200),
    ),
    open=pupil_of(NORMAL),
    reopen=reopen,
    requirements=(
        Requirement("status", "正常在校", "R-UPD-10", "第七条", status_in(NORMAL)),
        Requirement("same_grade", "同年级的其他班级", "R-UPD-10", "第七条", same_grade),
        SEAT_FREE,
        NOT_FROZEN,
    ),
    route=SCHOOL_ALONE,
    effect=move,
    undo=undo,
)
