"""One human, for life: the person, her documents, numbers and family."""

from typing import Any

import pghistory
from django.contrib.postgres.functions import TransactionNow
from django.db import models
from django.db.models import Func, Q
from django.db.models.functions import Now

from config.crypto import seal_json, unseal_json
from config.scope import PathField, ScopedQuerySet


class NewPublicId(Func):
    """PostgreSQL's uuidv7(): ids for the outside that sort by time and cannot be guessed."""

    function, template = "uuidv7", "%(function)s()"
    output_field = models.UUIDField()  # type: ignore[assignment]


@pghistory.track()
class Student(models.Model):
    """One human, for life. `org_path` follows the present school; D4 values lie sealed in `private`."""

    public_id = models.UUIDField(unique=True, db_default=NewPublicId(), editable=False)
    org_path = PathField("路径")
    version = models.PositiveIntegerField("版本", default=1)
    name = models.CharField("姓名", max_length=100)
    name_fold = models.CharField("姓名(比对)", max_length=100)
    name_py = models.CharField("拼音键", max_length=200, db_collation="C")
    name_ini = models.CharField("首字母", max_length=50, db_collation="C")
    name_pinyin = models.CharField("姓名拼音", max_length=200, blank=True)
    former_name = models.CharField("曾用名", max_length=100, blank=True)
    sex = models.CharField("性别", max_length=1)
    birth_on = models.DateField("出生日期")
    birthplace = models.CharField("出生地", max_length=12)
    native_place = models.CharField("籍贯", max_length=100)
    ethnic_group = models.CharField("民族", max_length=2, blank=True)
    nationality = models.CharField("国籍/地区", max_length=3)
    overseas_status = models.CharField("港澳台侨外", max_length=2)
    political_status = models.CharField("政治面貌", max_length=2, blank=True)
    hukou_type = models.CharField("户口性质", max_length=1)
    hukou_division = models.CharField("户口所在地", max_length=12)
    talent = models.CharField("特长", max_length=100, blank=True)
    only_child = models.CharField("独生子女", max_length=1, blank=True)
    migrant_child = models.CharField("随迁子女", max_length=1, blank=True)
    had_preschool = models.CharField("受过学前教育", max_length=1, blank=True)
    number = models.CharField("学籍号", max_length=19, blank=True, db_collation="C")
    private = models.BinaryField("敏感信息")
    created_at = models.DateTimeField("建立时间", db_default=Now())

    objects = ScopedQuerySet.as_manager()

    class Meta:
        verbose_name = "学生"
        indexes = [
            models.Index(fields=["org_path", "name_py", "id"], name="student_scope_name"),
            # Duplicates and hints run over the country: equality first.
            models.Index(fields=["birth_on", "name_fold", "sex"], name="student_same_person"),
            models.Index(fields=["name_py", "birth_on"], name="student_same_pinyin"),
            models.Index(fields=["number"], name="student_number", condition=~Q(number="")),
        ]

    def __str__(self) -> str:
        return self.name

    def open_private(self) -> dict[str, str]:
        """The sealed D4 values by field key. Raises DoesNotOpen when the value is not this row's."""
        return dict(unseal_json(self.private, "registry_student", self.pk, "private"))

    def set_private(self, values: dict[str, str]) -> None:
        self.private = seal_json(values, "registry_student", self.pk, "private")


@pghistory.track()
class IdentityDocument(models.Model):
    """One identity document. The number is sealed; `blind` makes it unique in the country without being
    readable.

    `is_claimed` is what the uniqueness rests on: a disputed number, or one of a refused registration,
    claims nothing.
    """

    org_path = PathField("路径")
    student = models.ForeignKey(Student, models.PROTECT, related_name="documents", verbose_name="学生")
    type = models.CharField("证件类型", max_length=1)
    family = models.CharField("证件族", max_length=20)
    number = models.BinaryField("证件号")
    mask = models.CharField("掩码", max_length=30)
    blind = models.UUIDField("盲索引", null=True)
    even_half = models.BigIntegerField("偶位散列", null=True)
    odd_half = models.BigIntegerField("奇位散列", null=True)
    valid_text = models.CharField("有效期", max_length=30, blank=True)
    is_claimed = models.BooleanField("占用唯一号", default=True)
    is_disputed = models.BooleanField("存疑", default=False)
    created_at = models.DateTimeField("登记时间", db_default=Now())

    objects = ScopedQuerySet.as_manager()

    class Meta:
        verbose_name = "身份证件"
        constraints = [
            models.UniqueConstraint(
                fields=["blind"],
                name="one_document_one_person",
                condition=Q(is_claimed=True) & Q(blind__isnull=False),
            )
        ]
        indexes = [
            models.Index(fields=["student"]),
            models.Index(fields=["blind"], name="document_blind"),
            models.Index(fields=["even_half"], name="document_even"),
            models.Index(fields=["odd_half"], name="document_odd"),
        ]

    def __str__(self) -> str:
        return self.mask


class StudentNumber(models.Model):
    """Every number a pupil ever had, 学籍号 and 学籍辅号: unique for ever, never reused (R-NUM-01,
    R-NUM-03).
    """

    class Kind(models.TextChoices):
        NATIONAL = "national", "学籍号"
        AUXILIARY = "auxiliary", "学籍辅号"

    org_path = PathField("路径")
    student = models.ForeignKey(Student, models.PROTECT, related_name="numbers", verbose_name="学生")
    kind = models.CharField("种类", max_length=10, choices=Kind, default=Kind.NATIONAL)
    province = models.CharField("省份", max_length=6, blank=True)
    number = models.CharField("号码", max_length=30, db_collation="C")
    is_current = models.BooleanField("现用", default=True)
    issued_at = models.DateTimeField("签发时间", db_default=TransactionNow())

    objects = ScopedQuerySet.as_manager()

    class Meta:
        verbose_name = "学籍号"
        constraints = [
            models.UniqueConstraint(fields=["kind", "province", "number"], name="number_unique_for_ever"),
            models.UniqueConstraint(
                fields=["student", "kind", "province"],
                name="one_current_number",
                condition=Q(is_current=True),
            ),
        ]

    def __str__(self) -> str:
        return self.number


@pghistory.track(pghistory.InsertEvent(), pghistory.UpdateEvent(), pghistory.DeleteEvent())
class FamilyMember(models.Model):
    """A family member or guardian; name, phone, addresses and document lie sealed in `private`."""

    org_path = PathField("路径")
    student = models.ForeignKey(Student, models.PROTECT, related_name="family", verbose_name="学生")
    ordinal = models.PositiveSmallIntegerField("序号")
    relation = models.CharField("关系", max_length=2)
    is_guardian = models.BooleanField("是否监护人")
    private = models.BinaryField("敏感信息")

    objects = ScopedQuerySet.as_manager()

    class Meta:
        verbose_name = "家庭成员"
        constraints = [models.UniqueConstraint(fields=["student", "ordinal"], name="family_ordinal_once")]

    def __str__(self) -> str:
        return f"{self.ordinal}"

    def open_private(self) -> dict[str, str]:
        return dict(unseal_json(self.private, "registry_familymember", self.pk, "private"))

    def set_private(self, values: dict[str, Any]) -> None:
        self.private = seal_json(values, "registry_familymember", self.pk, "private")
