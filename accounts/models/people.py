"""Persons, their posts and trainings, and what these give them today."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateRangeField, RangeOperators
from django.db import connection, models
from django.db.models import Case, F, Q, Value, When
from django.db.models.functions import Now
from django.utils.functional import cached_property

from accounts.models.offices import Organization
from accounts.roles import ROLES, THREE_ADMINISTRATIONS
from config.clock import today
from config.rules.catalogue import TRAINING_VALID_DAYS
from config.scope import NATION

NAME_LENGTH = 50  # of a person, wherever one is kept


@dataclass(frozen=True, slots=True)
class HeldRight:
    """One line of what a user holds today: a post's role at an office, or a dated grant on one."""

    path: str
    role: str
    right: str
    office: str
    post_id: int
    is_own: bool = True  # not in the place of somebody absent (代办)


class User(AbstractBaseUser):
    """One natural person, one account (AC-9). There is no superuser: rights come from posts and dated
    grants.
    """

    username = models.CharField("账号", max_length=50, unique=True)
    name = models.CharField("姓名", max_length=50)
    phone = models.CharField("办公电话", max_length=30, blank=True)
    email = models.EmailField("电子邮箱", blank=True)  # for notices; shown to herself only
    is_active = models.BooleanField("在用", default=True)
    sealed_at = models.DateTimeField("封存时间", null=True, blank=True)
    created_at = models.DateTimeField("建立时间", db_default=Now())
    # None until she has chosen one herself: a password that somebody else set must be changed (AC-2).
    password_chosen_at = models.DateTimeField("密码启用时间", null=True, blank=True)

    USERNAME_FIELD = "username"
    REQUIRED_FIELDS = ["name"]
    objects = BaseUserManager()

    class Meta:
        verbose_name = "用户"

    # The post she acts under in this request; the middleware sets it, jobs and tests may. Under a dated grant
    # she looks at the granted office instead, and may only look.
    acting_post: "Post | None" = None
    granted_office: Organization | None = None
    # When she last proved a second factor in this sign-in, in seconds since 1970; the middleware sets it.
    factor_at: float = 0.0
    code_purpose: str = ""  # what the one-use code opens that she has just given (accounts.codes)

    def __str__(self) -> str:
        return self.name

    @cached_property
    def held(self) -> list[HeldRight]:
        """What posts and grants give her today: one query, kept no longer than this object (one request)."""
        return held_rights(self)

    @property
    def in_effect(self) -> list[HeldRight]:
        """What she holds at this moment. What standing in for somebody gives counts only while she acts under
        that very post: whatever is done with it bears both names.
        """
        acting = self.acting_post.pk if self.acting_post else None
        return [line for line in self.held if line.is_own or line.post_id == acting]

    def scope_paths(self, right: str) -> list[str]:
        """Paths of the offices at which she holds `right` today; none when sealed, inactive or untrained."""
        return sorted({
            line.path
            for line in self.in_effect
            if line.right == right or (line.role and right in ROLES[line.role].rights)
        })  # fmt: skip

    def may_act_at(self, right: str, path: str) -> bool:
        """Acting needs a post with the right at exactly this office; it does not flow down and is never
        granted.
        """
        return any(
            line.path == path and line.role and right in ROLES[line.role].rights for line in self.in_effect
        )

    @property
    def path(self) -> str:
        """Where acts about her account belong in the log: her highest post's office, else the nation."""
        paths = Post.objects.filter(user=self, stands_for=None).order_by("office__path")
        return paths.values_list("office__path", flat=True).first() or NATION

    @property
    def signing_name(self) -> str:
        """The name that signs and stands in the log: under a substitute's post that of the absent as well."""
        absent = self.acting_post.stands_for if self.acting_post else None
        return both_names(self.name, absent.name) if absent else self.name

    @property
    def own_office(self) -> Organization | None:
        """The office of her post: who she is in the log."""
        return self.acting_post.office if self.acting_post else None

    @property
    def acting_office(self) -> Organization | None:
        """The office whose scope this request has: her post's, or the one a dated grant opens to her."""
        return self.granted_office or self.own_office

    @property
    def acting_path(self) -> str:
        return self.acting_office.path if self.acting_office else ""

    @property
    def acting_office_name(self) -> str:
        return self.acting_office.name if self.acting_office else ""

    def holds(self, right: str) -> bool:
        """Whether she holds `right` at the office she acts for, or by a grant reachable from there."""
        return any(path.startswith(self.acting_path) or self.acting_path.startswith(path)
                   for path in self.scope_paths(right)) if self.acting_path else False  # fmt: skip


def both_names(name: str, absent: str) -> str:
    """李审核（代王审核）, never longer than the columns that keep a name."""
    most = (NAME_LENGTH - len("（代）")) // 2
    if len(name) + len(absent) > 2 * most:
        name, absent = name[:most], absent[:most]
    return f"{name}（代{absent}）"


class Post(models.Model):
    """A person holds a role at an office for a time; with `stands_for`, in the place of somebody absent."""

    user = models.ForeignKey(User, models.PROTECT, related_name="posts", verbose_name="用户")
    office = models.ForeignKey(Organization, models.PROTECT, related_name="posts", verbose_name="单位")
    role = models.CharField(
        "角色", max_length=30, choices=[(code, role.name) for code, role in ROLES.items()]
    )
    valid = DateRangeField("任期")
    appointed_by_name = models.CharField("任命人", max_length=50, blank=True)
    stands_for = models.ForeignKey(
        User, models.PROTECT, null=True, blank=True, related_name="substitutes", verbose_name="代谁办理"
    )
    reason = models.CharField("代办事由", max_length=200, blank=True)

    class Meta:
        verbose_name = "岗位"
        constraints = [
            ExclusionConstraint(
                name="post_once_at_a_time",
                expressions=[
                    ("user", RangeOperators.EQUAL),
                    ("office", RangeOperators.EQUAL),
                    ("role", RangeOperators.EQUAL),
                    ("valid", RangeOperators.OVERLAPS),
                ],
            ),
            ExclusionConstraint(
                name="post_one_substitute",
                expressions=[
                    ("stands_for", RangeOperators.EQUAL),
                    ("office", RangeOperators.EQUAL),
                    ("role", RangeOperators.EQUAL),
                    ("valid", RangeOperators.OVERLAPS),
                ],
                condition=Q(stands_for__isnull=False),
            ),
            # Each of the three administrations excludes every other post, at whatever office (AC-11): two who
            # appoint at once are decided here, not by a look before.
            ExclusionConstraint(
                name="post_one_administration",
                expressions=[
                    ("user", RangeOperators.EQUAL),
                    (
                        Case(When(role__in=THREE_ADMINISTRATIONS, then=F("role")), default=Value("other")),
                        RangeOperators.NOT_EQUAL,
                    ),
                    ("valid", RangeOperators.OVERLAPS),
                ],
            ),
        ]

    def __str__(self) -> str:
        return f"{self.office} · {self.role_name}"

    @property
    def role_name(self) -> str:
        name = ROLES[self.role].name
        return both_names(name, self.stands_for.name) if self.stands_for else name

    @property
    def first_day(self) -> date:
        day: date = self.valid.lower
        return day

    @property
    def last_day(self) -> date | None:
        return self.valid.upper - timedelta(days=1) if self.valid.upper else None

    @property
    def path(self) -> str:
        """Where an act about this post belongs in the log."""
        return self.office.path


class TrainingRecord(models.Model):
    """Proof of training before duty (第二十二条)."""

    user = models.ForeignKey(User, models.PROTECT, related_name="trainings", verbose_name="用户")
    completed_on = models.DateField("完成日期")
    hours = models.PositiveSmallIntegerField("学时")
    entered_by_name = models.CharField("登记人", max_length=50, blank=True)

    class Meta:
        verbose_name = "培训记录"
        constraints = [models.UniqueConstraint(fields=["user", "completed_on"], name="training_once_a_day")]

    def __str__(self) -> str:
        return f"{self.completed_on} {self.hours}h"


def oldest_training(on: date) -> date:
    """The day after which a training must have been completed to let somebody work on a day (AC-10)."""
    return on - timedelta(days=int(str(TRAINING_VALID_DAYS.value)))


def trainings_valid(on: date) -> "models.QuerySet[TrainingRecord]":
    """The training records that let somebody work on a day (AC-10)."""
    return TrainingRecord.objects.filter(completed_on__gt=oldest_training(on), completed_on__lte=on)


# Written out, because every request of everybody asks it: building the same union by the ORM takes 1.8 ms of
# processor time, a fifth of a bare page; this takes 0.2 ms.
_HELD_SQL = """
SELECT o.path, p.role, '', o.name, p.id, p.stands_for_id IS NULL
FROM accounts_post p
JOIN accounts_user u ON u.id = p.user_id
JOIN accounts_organization o ON o.id = p.office_id
WHERE p.user_id = %(user)s AND u.is_active AND u.sealed_at IS NULL
  AND p.valid @> %(day)s AND o.valid @> %(day)s
  AND (p.role = ANY(%(untrained)s) OR EXISTS (
      SELECT FROM accounts_trainingrecord t
      WHERE t.user_id = p.user_id AND t.completed_on > %(oldest)s AND t.completed_on <= %(day)s))
UNION ALL
SELECT o.path, '', r.codename, o.name, 0, true
FROM accounts_officegrant g
JOIN accounts_user u ON u.id = g.user_id
JOIN accounts_organization o ON o.id = g.content_object_id
JOIN auth_permission r ON r.id = g.permission_id
WHERE g.user_id = %(user)s AND u.is_active AND u.sealed_at IS NULL AND g.valid @> %(day)s
"""
_UNTRAINED = [code for code, role in ROLES.items() if not role.needs_training]


def held_rights(user: User) -> list[HeldRight]:
    """The offices, roles and granted rights of `user` today, in one query."""
    day = today()
    values: Any = {"user": user.pk, "day": day, "untrained": _UNTRAINED, "oldest": oldest_training(day)}
    with connection.cursor() as cursor:
        cursor.execute(_HELD_SQL, values)
        return [HeldRight(*row) for row in cursor.fetchall()]
