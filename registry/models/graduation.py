"""Graduation: the list of a grade, the record of each graduate, certificates, prints (HANDBOOK A7.1)."""

from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from accounts.models import Organization
from config.crypto import seal_json, unseal_json
from config.scope import PathField, ScopedQuerySet
from registry.models.enrolment import Enrolment
from registry.models.person import NewPublicId, Student


class GraduationList(models.Model):
    """毕业名单 of one graduating grade of one school in one school year.

    A school may make another list for those whom the first one left out; one at a time is open.
    """

    class State(models.TextChoices):
        DRAFT = "draft", "编制中"
        HANDED_IN = "handed_in", "待学校领导确认"
        APPLIED = "applied", "待主管部门核准"
        DONE = "done", "已毕业"

    public_id = models.UUIDField(unique=True, db_default=NewPublicId(), editable=False)
    org_path = PathField("学校路径")
    school = models.ForeignKey(
        Organization, models.PROTECT, related_name="graduation_lists", verbose_name="学校"
    )
    school_year = models.PositiveSmallIntegerField("学年")  # the year it begins in
    grade = models.CharField("毕业年级", max_length=2)
    state = models.CharField("状态", max_length=10, choices=State, default=State.DRAFT)
    prepared_by: Any = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name="编制人"
    )
    prepared_by_name = models.CharField("编制人姓名", max_length=50)
    handed_in_by: Any = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", verbose_name="提交人"
    )
    handed_in_at = models.DateTimeField("提交时间", null=True)
    confirmed_by_name = models.CharField("确认人", max_length=50, blank=True)
    returned_reason = models.CharField("退回原因", max_length=300, blank=True)
    case_no = models.CharField("办件号", max_length=20, blank=True)  # of a senior secondary school
    total = models.PositiveIntegerField("毕业人数", default=0)
    graduated_on = models.DateField("毕业日期", null=True)
    created_at = models.DateTimeField("建立时间", db_default=Now())

    objects = ScopedQuerySet.as_manager()

    class Meta:
        verbose_name = "毕业名单"
        constraints = [
            models.UniqueConstraint(
                fields=["school", "school_year", "grade"],
                name="one_open_graduation_list",
                condition=~Q(state="done"),
            )
        ]
        indexes = [models.Index(fields=["org_path", "-school_year", "-id"], name="graduation_list_scope")]

    def __str__(self) -> str:
        return f"{self.school_year} {self.grade}"

    @property
    def is_senior(self) -> bool:
        return self.grade.startswith("3")

    @property
    def is_draft(self) -> bool:
        return self.state == self.State.DRAFT


class GraduationRow(models.Model):
    """One pupil of a list: how she ends the stage and where she goes, or why she does not graduate now."""

    graduation = models.ForeignKey(
        GraduationList, models.PROTECT, related_name="rows", verbose_name="毕业名单"
    )
    org_path = PathField("学校路径")
    student = models.ForeignKey(Student, models.PROTECT, related_name="+", verbose_name="学生")
    enrolment = models.ForeignKey(Enrolment, models.PROTECT, related_name="+", verbose_name="学籍")
    outcome = models.CharField("毕业类型", max_length=1, default="1")  # list completion_type
    destination = models.CharField("毕业去向", max_length=2, blank=True)  # list graduation_destination
    held = models.CharField("暂不毕业的原因", max_length=200, blank=True)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        verbose_name = "毕业名单学生"
        constraints = [models.UniqueConstraint(fields=["graduation", "student"], name="graduation_row_once")]

    def __str__(self) -> str:
        return self.outcome


class CertificatePrint(models.Model):
    """打印批次: who printed which papers, when, and how many."""

    class Kind(models.TextChoices):
        CERTIFICATE = "certificate", "毕业证书"
        ROLL = "roll", "毕业名册"
        PROOF = "proof", "毕业证明书"

    org_path = PathField("学校路径")
    graduation = models.ForeignKey(
        GraduationList, models.PROTECT, related_name="prints", verbose_name="毕业名单"
    )
    kind = models.CharField("种类", max_length=12, choices=Kind)
    words = models.CharField("范围", max_length=60)  # the class, or the pupil's name
    count = models.PositiveSmallIntegerField("份数")
    printed_by: Any = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name="打印人"
    )
    printed_by_name = models.CharField("打印人姓名", max_length=50)
    printed_at = models.DateTimeField("打印时间", db_default=Now())

    objects = ScopedQuerySet.as_manager()

    class Meta:
        verbose_name = "证书打印批次"
        indexes = [models.Index(fields=["org_path", "-id"], name="certificate_print_newest")]

    def __str__(self) -> str:
        return f"{self.words} {self.count}"


class GraduationRecord(models.Model):
    """毕业记录: that this school graduated this pupil, with the data as they stood (R-GRD-06).

    It stays under the school that graduated her wherever she goes. `number` is never given again, not even
    after a roll-back, which makes it void. The form's values are sealed.
    """

    public_id = models.UUIDField(unique=True, db_default=NewPublicId(), editable=False)
    org_path = PathField("毕业学校路径")
    graduation = models.ForeignKey(
        GraduationList, models.PROTECT, related_name="records", verbose_name="毕业名单"
    )
    student = models.ForeignKey(Student, models.PROTECT, related_name="graduations", verbose_name="学生")
    enrolment = models.ForeignKey(Enrolment, models.PROTECT, related_name="+", verbose_name="学籍")
    school_name = models.CharField("毕业学校", max_length=100)
    school_year = models.PositiveSmallIntegerField("学年")
    grade = models.CharField("毕业年级", max_length=2)
    class_number = models.CharField("班号", max_length=7)
    class_name = models.CharField("班级", max_length=50, blank=True)
    name = models.CharField("姓名", max_length=100)
    sex = models.CharField("性别", max_length=1)
    outcome = models.CharField("毕业类型", max_length=1)
    number = models.CharField("证书编号", max_length=20, unique=True, db_collation="C")
    graduated_on = models.DateField("毕业日期")
    destination = models.CharField("毕业去向", max_length=2, blank=True)
    next_school = models.CharField("升入学校", max_length=100, blank=True)
    next_case_no = models.CharField("升学办件号", max_length=20, blank=True)
    fields = models.BinaryField("毕业时基础数据")
    printed = models.ForeignKey(
        CertificatePrint, models.PROTECT, null=True, related_name="records", verbose_name="打印批次"
    )
    voided_on = models.DateField("回退日期", null=True)
    voided_by_case = models.CharField("回退办件号", max_length=20, blank=True)
    created_at = models.DateTimeField("登记时间", db_default=Now())

    objects = ScopedQuerySet.as_manager()

    class Meta:
        verbose_name = "毕业记录"
        constraints = [
            models.UniqueConstraint(
                fields=["enrolment"], name="one_graduation_a_spell", condition=Q(voided_on=None)
            )
        ]
        indexes = [
            models.Index(fields=["org_path", "-school_year", "id"], name="graduate_scope"),
            models.Index(fields=["org_path", "name"], name="graduate_name"),
        ]

    def __str__(self) -> str:
        return f"{self.name} {self.number}"

    @property
    def is_void(self) -> bool:
        return self.voided_on is not None

    def open_fields(self) -> dict[str, str]:
        """The form's values of that day. Raises DoesNotOpen."""
        return dict(unseal_json(self.fields, "registry_graduationrecord", self.pk, "fields"))

    def set_fields(self, values: dict[str, str]) -> None:
        self.fields = seal_json(values, "registry_graduationrecord", self.pk, "fields")


class CertificateProof(models.Model):
    """毕业证明书 in the place of a lost certificate: there is no second original (R-GRD-07)."""

    record = models.ForeignKey(
        GraduationRecord, models.PROTECT, related_name="proofs", verbose_name="毕业记录"
    )
    org_path = PathField("毕业学校路径")
    number = models.CharField("证明书编号", max_length=24, unique=True, db_collation="C")
    case_no = models.CharField("办件号", max_length=20, unique=True)
    issued_on = models.DateField("出具日期")
    ground = models.CharField("补办原因", max_length=10)
    printed = models.ForeignKey(
        CertificatePrint, models.PROTECT, null=True, related_name="+", verbose_name="打印批次"
    )

    objects = ScopedQuerySet.as_manager()

    class Meta:
        verbose_name = "毕业证明书"

    def __str__(self) -> str:
        return self.number
