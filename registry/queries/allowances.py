"""A school's plan and quota as the page shows them: what is set, by whom, and how much of it is used."""

from dataclasses import dataclass
from datetime import date

from registry.codes import choices
from registry.models import IntakePlan, School, SeatPermission, StatusQuota
from registry.record import school_year_start
from registry.services.intake_rules import MAX_KEYS, entrants, grade_digit, members


@dataclass(frozen=True, slots=True)
class PlanLine:
    """One stage in one school year. `plan` is None where nobody has set one."""

    year: int
    stage: str
    stage_name: str
    plan: IntakePlan | None
    taken: int

    @property
    def over(self) -> int:
        return max(0, self.taken - self.plan.planned) if self.plan else 0


@dataclass(frozen=True, slots=True)
class QuotaLine:
    stage: str
    stage_name: str
    quota: StatusQuota | None
    taken: int

    @property
    def over(self) -> int:
        return max(0, self.taken - self.quota.most) if self.quota else 0


def stages_of(school: School) -> list[tuple[str, str]]:
    """Code and name of the school's stages that have grades."""
    own = [stage for stage in school.stages if stage in "234" and grade_digit(stage) in MAX_KEYS]
    return choices("school_stage", own)


def plan_lines(school: School, day: date) -> list[PlanLine]:
    """This and next school year, stage by stage."""
    year = school_year_start(day).year
    plans = {
        (plan.school_year, plan.stage): plan
        for plan in IntakePlan.objects.filter(school=school, school_year__in=(year, year + 1))
    }
    path = school.organization.path
    return [
        PlanLine(one, stage, name, plans.get((one, stage)), entrants(path, one, stage))
        for one in (year, year + 1)
        for stage, name in stages_of(school)
    ]


def quota_lines(school: School) -> list[QuotaLine]:
    quotas = {quota.stage: quota for quota in StatusQuota.objects.filter(school=school)}
    path = school.organization.path
    return [
        QuotaLine(stage, name, quotas.get(stage), members(path, stage)) for stage, name in stages_of(school)
    ]


def permission_of(school_class_id: int, day: date) -> SeatPermission | None:
    """The seats above the limit that are allowed in a class today."""
    return SeatPermission.objects.filter(school_class_id=school_class_id, valid__contains=day).first()
