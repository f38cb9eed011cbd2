"""Who plays the demonstration country: the persona page's groups, and what each role is there to try."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.utils.translation import gettext_lazy as _

from accounts.models import Organization, Post, User
from config.clock import today

PREFIX = "demo."
# What to try first, by role.
TRY = {
    "registrar": _("登记一名新生,上传照片与材料;试试填错证件号"),
    "leader": _("审核本校登记员提交的学籍注册"),
    "head_teacher": _("查看本班学生"),
    "subject_teacher": _("查看班级名单(不含证件信息)"),
    "school_doctor": _("查看健康信息"),
    "system_administrator": _("查看本单位账号与岗位"),
    "network_administrator": _("查看单位;看不到任何学生"),
    "reviewer": _("在待审队列中核准、退回或不予通过"),
    "bureau_leader": _("查看辖区学生、办件与日志"),
    "auditor": _("抽查学籍与日志;查看明文须写明理由"),
    "national_operator": _("查看全国;学籍号由系统签发"),
    "security_administrator": _("查看单位;看不到任何学生"),
    "audit_administrator": _("按人、按日查日志"),
}
_LEVELS = [kind for kind in Organization.Kind if kind != Organization.Kind.SCHOOL] + [
    Organization.Kind.SCHOOL
]


@dataclass(frozen=True, slots=True)
class Persona:
    """One card of the page: an account and the posts it holds today."""

    user: User
    posts: list[Post]

    @property
    def level(self) -> str:
        return self.posts[0].office.kind

    @property
    def tries(self) -> list[str]:
        return [str(TRY[post.role]) for post in self.posts if post.role in TRY]


def personas() -> Iterable[tuple[str, list[Persona]]]:
    """Label of each level from the nation down, with its personas; two queries."""
    by_user: dict[int, list[Post]] = {}
    for post in (
        Post.objects.filter(user__username__startswith=PREFIX, user__is_active=True, valid__contains=today())
        .select_related("office", "user")
        .order_by("office__path", "user__username", "role")
    ):
        by_user.setdefault(post.user_id, []).append(post)
    everybody = [Persona(posts[0].user, posts) for posts in by_user.values()]
    for level in _LEVELS:
        if found := [one for one in everybody if one.level == level]:
            yield level.label, found


def persona(username: str) -> User | None:
    """The persona of this name, or None for every other account."""
    if not username.startswith(PREFIX):
        return None
    return User.objects.filter(username=username, is_active=True, sealed_at=None).first()
