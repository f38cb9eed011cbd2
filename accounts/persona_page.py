"""What the persona page shows: the story's three persons first, then everybody by level, with what to try."""

from collections.abc import Iterator
from dataclasses import dataclass

from django.utils.translation import gettext_lazy as _

from accounts.models import Organization, User
from accounts.personas import PREFIX, Persona, personas

# The story of the demonstration, in order: account → what this person does in it.
STORY = {
    "demo.school.registrar": _("登记一名新生，上传照片与材料，提交学籍注册"),
    "demo.school.leader": _("审核登记员提交的注册；自己不能审自己"),
    "demo.county.reviewer": _("在待审队列中核准；系统随后办结并签发学籍号"),
}
# What to try first, by role.
TRY = {
    "registrar": _("登记新生，上传照片与材料；试试填错证件号"),
    "leader": _("审核本校提交的学籍注册"),
    "head_teacher": _("查看本班学生"),
    "subject_teacher": _("查看班级名单（不含证件信息）"),
    "school_doctor": _("查看健康信息"),
    "system_administrator": _("查看本单位人员与岗位；看不到学生"),
    "network_administrator": _("查看单位；看不到学生"),
    "reviewer": _("在待审队列中核准、退回或不予通过"),
    "bureau_leader": _("查看辖区学生、办件与日志"),
    "auditor": _("抽查学籍与日志；查看明文须写明理由"),
    "national_operator": _("查看全国学籍与办件"),
    "security_administrator": _("查看单位；看不到学生"),
    "audit_administrator": _("按人、按日查日志"),
}
_UPWARDS = [Organization.Kind.SCHOOL, *(kind for kind in reversed(Organization.Kind) if kind != "school")]


@dataclass(frozen=True, slots=True)
class Line:
    """One person of the page. A sealed account is shown, but has no button."""

    persona: Persona
    tries: str
    kind: str
    may_enter: bool


def lines() -> list[Line]:
    """Everybody, in three queries."""
    found = personas()
    kinds = dict(
        Organization.objects.filter(path__in={path for one in found for path in one.paths}).values_list(
            "path", "kind"
        )
    )
    sealed = set(
        User.objects.filter(username__startswith=PREFIX, sealed_at__isnull=False).values_list(
            "username", flat=True
        )
    )
    return [
        Line(
            persona=one,
            tries=one.remark or "；".join(str(TRY[role]) for role in one.roles if role in TRY),
            kind=kinds[one.paths[0]],
            may_enter=one.username not in sealed,
        )
        for one in found
        if one.paths
    ]


def story(everybody: list[Line]) -> list[tuple[Line, str]]:
    """The persons of the story with their part, in its order."""
    by_name = {line.persona.username: line for line in everybody}
    return [(by_name[name], str(part)) for name, part in STORY.items() if name in by_name]


def by_level(everybody: list[Line]) -> Iterator[tuple[str, list[Line]]]:
    """Label of each level from the school up, with its persons."""
    for kind in _UPWARDS:
        if found := [line for line in everybody if line.kind == kind]:
            yield str(kind.label), found
