"""Who, where in the tree, with which right."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateRangeField, RangeOperators
from django.db import connection, models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.functional import cached_property
from guardian.models import UserObjectPermissionBase

from accounts.roles import GRANTABLE, RIGHT_LABELS, ROLES
from config.clock import today
from config.rules.catalogue import TRAINING_VALID_DAYS
from config.scope import PathField, ScopedQuerySet

NAME_LENGTH = 50  # of a person, wherever one is kept


class OrganizationQuerySet(ScopedQuerySet):
    scope_fields = ("path",)


class Organization(models.Model):
    """An office or school. `path` is the line of authority; `division` is the place it lies in, a plain
    code.

    A school run directly by a city hangs under the city although it lies in a county; a municipality's
    districts hang under their province. Offices are never deleted: `valid` ends and successors name them as
    predecessor.
    """

    class Kind(models.TextChoices):
        NATION = "nation", "国家"
        PROVINCE = "province", "省级"
        CITY = "city", "市级"
        COUNTY = "county", "县级"
        TOWNSHIP = "township", "乡镇"
        SCHOOL = "school", "学校"
        AUTHORITY = "authority", "非教育主管机构"

    kind = models.CharField("类型", max_length=10, choices=Kind)
    code = models.CharField("代码", max_length=12)
    name = models.CharField("名称", max_length=100)
    path = PathField("路径", unique=True)
    parent = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="children", verbose_name="上级"
    )
    division = models.CharField("所在行政区划", max_length=12)
    is_authority = models.BooleanField("学籍主管部门", default=False)
    valid = DateRangeField("有效期")
    predecessors: "models.ManyToManyField[Any, Any]" = models.ManyToManyField(
        "self", symmetrical=False, related_name="successors", blank=True, verbose_name="前身"
    )
    contact_name = models.CharField("联系人", max_length=50, blank=True)
    contact_phone = models.CharField("联系电话", max_length=30, blank=True)

    objects = OrganizationQuerySet.as_manager()

    class Meta:
        verbose_name = "单位"
        default_permissions = ()
        permissions = [(str(right), str(RIGHT_LABELS[right])) for right in GRANTABLE]
        constraints = [
            models.CheckConstraint(
                name="organization_path_ends_with_code",
                condition=Q(path__endswith=".") & Q(path__gte="CN.") & Q(path__lt="CN.~"),
            )
        ]
        indexes = [models.Index(fields=["division"]), models.Index(fields=["code"])]

    def __str__(self) -> str:
        return self.name


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

    USERNAME_FIELD = "username"
    REQUIRED_FIELDS = ["name"]
    objects = BaseUserManager()

    class Meta:
        verbose_name = "用户"

    # The post she acts under in this request; the middleware sets it, jobs and tests may. Under a dated grant
    # she looks at the granted office instead, and may only look.
    acting_post: "Post | None" = None
    granted_office: Organization | None = None

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

    class Meta:
        verbose_name = "培训记录"

    def __str__(self) -> str:
        return f"{self.completed_on} {self.hours}h"


class OfficeGrant(UserObjectPermissionBase):
    """A dated grant to see an office outside the own line (a delegated auditor, a host county).

    django-guardian's direct-key model with the object fixed to an office; never a row per pupil.
    """

    content_object = models.ForeignKey(Organization, models.PROTECT, verbose_name="单位")
    valid = DateRangeField("有效期")
    reason = models.CharField("理由", max_length=200)
    granted_by_name = models.CharField("授权人", max_length=50)

    class Meta:
        verbose_name = "临时授权"

    def __str__(self) -> str:
        return f"{self.permission} @ {self.content_object}"


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


class Notice(models.Model):
    """Something she should know of, with the page it leads to. Neither pupils nor D4 values stand in it.

    `in_page` and `by_email` are her choices of the moment in which it was written.
    """

    user = models.ForeignKey(User, models.CASCADE, related_name="notices", verbose_name="用户")
    kind = models.CharField("种类", max_length=20)
    text = models.CharField("内容", max_length=300)
    about = models.CharField("办件号", max_length=20, blank=True)  # an e-mail says kind, this and the link
    target = models.CharField("去向", max_length=200)  # a path on this site
    once_key = models.CharField("去重键", max_length=60, blank=True)
    in_page = models.BooleanField("页面提醒", default=True)
    by_email = models.BooleanField("邮件提醒", default=False)
    created_at = models.DateTimeField("时间", db_default=Now())
    read_at = models.DateTimeField("已读时间", null=True)
    emailed_at = models.DateTimeField("发送时间", null=True)

    class Meta:
        verbose_name = "通知"
        constraints = [
            models.UniqueConstraint(
                fields=["user", "once_key"], name="notice_once", condition=~Q(once_key="")
            )
        ]
        indexes = [
            models.Index(fields=["user", "-id"], name="notice_list", condition=Q(in_page=True)),
            models.Index(
                fields=["user"], name="notice_unread", condition=Q(in_page=True, read_at__isnull=True)
            ),
            models.Index(
                fields=["id"], name="notice_unsent", condition=Q(by_email=True, emailed_at__isnull=True)
            ),
        ]

    def __str__(self) -> str:
        return self.text


class NoticeChoice(models.Model):
    """Where one kind of notice reaches one person; without a row the kind's own default holds."""

    user = models.ForeignKey(User, models.CASCADE, related_name="notice_choices", verbose_name="用户")
    kind = models.CharField("种类", max_length=20)
    in_page = models.BooleanField("页面提醒")
    by_email = models.BooleanField("邮件提醒")

    class Meta:
        verbose_name = "通知设置"
        constraints = [models.UniqueConstraint(fields=["user", "kind"], name="notice_choice_once")]

    def __str__(self) -> str:
        return f"{self.kind} {self.in_page} {self.by_email}"
