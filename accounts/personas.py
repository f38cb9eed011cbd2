"""The demonstration's accounts, as the persona page and `manage.py personas` show them.

Only where settings.DEMO is set.
"""

from dataclasses import asdict, dataclass
from typing import Any

from django.conf import settings
from django.contrib.postgres.aggregates import ArrayAgg
from django.core.management.base import CommandError

from accounts.models import User
from accounts.roles import RIGHT_LABELS, ROLES, Right

# Public on purpose: the demonstration's accounts see invented pupils only, and production has neither.
PASSWORD = "Xueji-demo-2026"  # noqa: S105
PREFIX = "demo."


@dataclass(frozen=True, slots=True)
class Persona:
    """One demonstration account: its posts and their offices side by side, and the rights they give.

    `remark` says what is special: sealed, untrained.
    """

    username: str
    name: str
    posts: tuple[str, ...]
    offices: tuple[str, ...]
    paths: tuple[str, ...]
    roles: tuple[str, ...]
    rights: tuple[str, ...]
    remark: str
    is_sealed: bool

    @property
    def may(self) -> str:
        """What she may do, in words."""
        labels = [str(RIGHT_LABELS[right]) for right in Right if right in self.rights]
        return self.remark or "、".join(labels)

    def as_json(self) -> dict[str, Any]:
        """The same for programs, with the rights of each post, that of the highest office first."""
        held = sorted(zip(self.paths, self.roles, strict=True))
        posts = [
            {
                "path": path,
                "role": role,
                "rights": [] if self.remark else sorted(map(str, ROLES[role].rights)),
            }
            for path, role in held
        ]
        return asdict(self) | {"may": self.may, "held": posts}


def require_demo() -> None:
    """Raises CommandError unless this installation is a demonstration."""
    if not settings.DEMO:
        raise CommandError("本机不是演示环境（未设置 XUEJI_DEMO=1），不装载也不显示演示账号。")


def personas() -> list[Persona]:
    """Every demonstration account, lowest level first, in one query for accounts and one for posts."""
    users = (
        User.objects.filter(username__startswith=PREFIX)
        .annotate(trainings_held=ArrayAgg("trainings__completed_on", default=[], distinct=True))
        .prefetch_related("posts__office")
        .order_by("id")
    )
    return [_persona(user) for user in users]


def _persona(user: Any) -> Persona:
    posts = sorted(user.posts.all(), key=lambda post: post.pk)
    roles = [ROLES[post.role] for post in posts]
    is_untrained = any(role.needs_training for role in roles) and not any(user.trainings_held)
    remark = ""
    if user.sealed_at:
        remark = "账号已封存，不能登录"
    elif is_untrained:
        remark = "未经培训，岗位尚无权限"
    rights = () if remark else tuple(sorted({str(right) for role in roles for right in role.rights}))
    return Persona(
        username=user.username,
        name=user.name,
        posts=tuple(role.name for role in roles),
        offices=tuple(post.office.name for post in posts),
        paths=tuple(post.office.path for post in posts),
        roles=tuple(role.code for role in roles),
        rights=rights,
        remark=remark,
        is_sealed=bool(user.sealed_at),
    )
