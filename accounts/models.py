"""Who, where in the tree, with which right."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateRangeField, RangeOperators
from django.db import models
from django.db.models import CharField, Exists, IntegerField, OuterRef, Q, Value
from django.db.models.functions import Now
from django.utils.functional import cached_property
from guardian.models import UserObjectPermissionBase

from accounts.roles import GRANTABLE, RIGHT_LABELS, ROLES
from config.clock import today
from config.rules.catalogue import TRAINING_VALID_DAYS
from config.scope import PathField, ScopedQuerySet


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


class User(AbstractBaseUser):
    """One natural person, one account (AC-9). There is no superuser: rights come from posts and dated
    grants.
    """

    username = models.CharField("账号", max_length=50, unique=True)
    name = models.CharField("姓名", max_length=50)
    phone = models.CharField("办公电话", max_length=30, blank=True)
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

    def scope_paths(self, right: str) -> list[str]:
        """Paths of the offices at which she holds `right` today; none when sealed, inactive or untrained."""
        return sorted({
            line.path
            for line in self.held
            if line.right == right or (line.role and right in ROLES[line.role].rights)
        })  # fmt: skip

    def may_act_at(self, right: str, path: str) -> bool:
        """Acting needs a post with the right at exactly this office; it does not flow down and is never
        granted.
        """
        return any(line.path == path and line.role and right in ROLES[line.role].rights for line in self.held)

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


class Post(models.Model):
    """A person holds a role at an office for a time."""

    user = models.ForeignKey(User, models.PROTECT, related_name="posts", verbose_name="用户")
    office = models.ForeignKey(Organization, models.PROTECT, related_name="posts", verbose_name="单位")
    role = models.CharField(
        "角色", max_length=30, choices=[(code, role.name) for code, role in ROLES.items()]
    )
    valid = DateRangeField("任期")
    appointed_by_name = models.CharField("任命人", max_length=50, blank=True)

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
            )
        ]

    def __str__(self) -> str:
        return f"{self.office} · {self.role_name}"

    @property
    def role_name(self) -> str:
        return ROLES[self.role].name


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


def held_rights(user: User) -> list[HeldRight]:
    """The offices, roles and granted rights of `user` today, in one query."""
    day = today()
    is_open = Q(user__is_active=True, user__sealed_at=None, valid__contains=day)
    trained = Exists(
        TrainingRecord.objects.filter(
            user=OuterRef("user"),
            completed_on__gt=day - timedelta(days=int(str(TRAINING_VALID_DAYS.value))),
            completed_on__lte=day,
        )
    )
    untrained_roles = [code for code, role in ROLES.items() if not role.needs_training]
    posts = (
        Post.objects.filter(is_open, user=user, office__valid__contains=day)
        .filter(Q(role__in=untrained_roles) | trained)
        .annotate(none=Value("", CharField()))
        .values_list("office__path", "role", "none", "office__name", "id")
    )
    grants = (
        OfficeGrant.objects.filter(is_open, user=user)
        .annotate(none=Value("", CharField()), no_post=Value(0, IntegerField()))
        .values_list(
            "content_object__path", "none", "permission__codename", "content_object__name", "no_post"
        )
    )
    return [HeldRight(*row) for row in posts.union(grants, all=True)]
