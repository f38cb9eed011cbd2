"""What happens to a status after registration: changes, guests, snapshots, aid, dropouts (HANDBOOK A6)."""

from typing import Any

from django.contrib.postgres.constraints import ExclusionConstraint
from django.contrib.postgres.fields import DateRangeField, RangeOperators
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from accounts.models import Organization
from config.crypto import seal_json, unseal_json
from config.scope import BothPathsQuerySet, PathField, ScopedQuerySet
from registry.models.enrolment import Enrolment
from registry.models.person import Student
from registry.models.school import SchoolClass


class StatusChange(models.Model):
    """学籍变动: one change of a pupil's status, grade, class or school, as it took effect.

    `category` is a code of the list status_change_category, `reason` one of the list that the change's
    procedure uses. A suspension runs until `until`; `closed_on` is the day it was extended or ended.
    `to_path` follows the pupil, so that her school reads her past; `counted_path` stays with the school that
    received her: what a year counted there is counted there for good (G-21).
    """

    from_path = PathField("来源路径")
    to_path = PathField("去向路径")
    counted_path = PathField("计入学校路径")
    student = models.ForeignKey(Student, models.PROTECT, related_name="changes", verbose_name="学生")
    case_no = models.CharField("办件号", max_length=20)
    kind = models.CharField("业务", max_length=30)
    category = models.CharField("变动类别", max_length=2)
    reason = models.CharField("变动原因", max_length=2, blank=True)
    from_school = models.ForeignKey(Organization, models.PROTECT, related_name="+", verbose_name="原学校")
    to_school = models.ForeignKey(
        Organization, models.PROTECT, null=True, related_name="+", verbose_name="现学校"
    )
    from_status = models.CharField("原状态", max_length=2)
    to_status = models.CharField("现状态", max_length=2)
    from_grade = models.CharField("原年级", max_length=2)
    to_grade = models.CharField("现年级", max_length=2, blank=True)
    from_class = models.CharField("原班级", max_length=50, blank=True)
    to_class = models.CharField("现班级", max_length=50, blank=True)
    happened_on = models.DateField("发生日期")
    effective_on = models.DateField("生效日期")
    until = models.DateField("截止日期", null=True)
    closed_on = models.DateField("结束日期", null=True)
    is_late = models.BooleanField("逾期办理", default=False)
    # The promotion in which the former school stood when she moved: her turn of that year is over (G-09).
    promoted_in = models.PositiveSmallIntegerField("原学校已升级年份", null=True)
    # As they were: whoever counts a former school's changes does not see the pupil's own row any more.
    sex = models.CharField("性别", max_length=1, blank=True, db_default="")
    ethnic_group = models.CharField("民族", max_length=2, blank=True, db_default="")
    hukou_division = models.CharField("户口所在地", max_length=12, blank=True, db_default="")
    created_at = models.DateTimeField("登记时间", db_default=Now())

    objects = BothPathsQuerySet.as_manager()

    class Meta:
        verbose_name = "学籍变动"
        constraints = [models.UniqueConstraint(fields=["case_no", "student"], name="change_once_a_case")]
        indexes = [
            models.Index(fields=["student", "-id"], name="change_of_student"),
            models.Index(fields=["from_path", "effective_on"], name="change_out"),
            models.Index(fields=["to_path", "effective_on"], name="change_in"),
            models.Index(fields=["counted_path", "effective_on"], name="change_counted"),
            # Suspensions that run out: the nightly reminder reads them by day.
            models.Index(
                fields=["until"], name="change_running", condition=Q(until__isnull=False, closed_on=None)
            ),
        ]

    def __str__(self) -> str:
        return f"{self.category} {self.effective_on}"


class EnrolmentSnapshot(models.Model):
    """The record as it stood when a pupil left a school: all that the former school reads (R-TRF-17, G-15).

    The card, the form's values and the dated entries of that day are sealed; nothing here ever changes.
    """

    org_path = PathField("原学校路径")
    student = models.ForeignKey(Student, models.PROTECT, related_name="snapshots", verbose_name="学生")
    enrolment = models.ForeignKey(Enrolment, models.PROTECT, related_name="+", verbose_name="学籍")
    case_no = models.CharField("办件号", max_length=20)
    as_of = models.DateField("截至")
    name = models.CharField("姓名", max_length=100)
    grade = models.CharField("年级", max_length=2)
    class_name = models.CharField("班级", max_length=50, blank=True)
    to_name = models.CharField("去向", max_length=100, blank=True)
    # Of the spell that ended: the school's intake of its year is counted by it (G-21).
    began_on = models.DateField("学籍开始日期")
    entry_month = models.CharField("入学年月", max_length=7)
    sex = models.CharField("性别", max_length=1, blank=True)
    ethnic_group = models.CharField("民族", max_length=2, blank=True)
    hukou_division = models.CharField("户口所在地", max_length=12, blank=True)
    fields = models.BinaryField("档案内容")
    created_at = models.DateTimeField("形成时间", db_default=Now())

    objects = ScopedQuerySet.as_manager()

    class Meta:
        verbose_name = "离校备份"
        constraints = [models.UniqueConstraint(fields=["enrolment"], name="snapshot_once_a_spell")]
        indexes = [models.Index(fields=["org_path", "-id"], name="snapshot_newest")]

    def __str__(self) -> str:
        return f"{self.name} {self.as_of}"

    def open_fields(self) -> dict[str, str]:
        """The form's values of that day. Raises DoesNotOpen."""
        return {key: value for key, value in self._opened().items() if key != _ENTRIES}

    def open_entries(self) -> list[dict[str, Any]]:
        """The dated entries that stood on that day, as `registry.entries.keeping` reads them. Raises
        DoesNotOpen; empty for a snapshot from before entries were kept.
        """
        return list(self._opened().get(_ENTRIES, []))

    def set_fields(self, values: dict[str, str], entries: list[dict[str, Any]]) -> None:
        # Bound to the spell: it is known before the row is, and a spell has one snapshot.
        held = {**values, _ENTRIES: entries}
        self.fields = seal_json(held, "registry_enrolmentsnapshot", self.enrolment_id, "fields")

    def _opened(self) -> dict[str, Any]:
        return dict(unseal_json(self.fields, "registry_enrolmentsnapshot", self.enrolment_id, "fields"))


_ENTRIES = "entries"  # beside the form's values in what is sealed; no field of the form has this key


class GuestQuerySet(ScopedQuerySet):
    """Rows that the host and the home school share."""

    scope_fields = ("org_path", "home_path")


class Attendance(models.Model):
    """借读: a pupil studies at a host school while the status stays at home (R-CHG-09).

    Counts for the host's class size, never as a second status (G-21). It carries the name, because the host
    does not see the pupil's row.
    """

    org_path = PathField("就读学校路径")
    home_path = PathField("学籍学校路径")
    student = models.ForeignKey(Student, models.PROTECT, related_name="attendances", verbose_name="学生")
    host = models.ForeignKey(Organization, models.PROTECT, related_name="+", verbose_name="就读学校")
    home = models.ForeignKey(Organization, models.PROTECT, related_name="+", verbose_name="学籍学校")
    school_class = models.ForeignKey(
        SchoolClass, models.PROTECT, related_name="attendances", verbose_name="就读班级"
    )
    name = models.CharField("姓名", max_length=100)
    sex = models.CharField("性别", max_length=1)
    grade = models.CharField("年级", max_length=2)
    valid = DateRangeField("借读期间")
    case_no = models.CharField("办件号", max_length=20)
    created_at = models.DateTimeField("登记时间", db_default=Now())

    objects = GuestQuerySet.as_manager()

    class Meta:
        verbose_name = "借读"
        constraints = [
            ExclusionConstraint(
                name="one_guest_study_at_a_time",
                expressions=[("student", RangeOperators.EQUAL), ("valid", RangeOperators.OVERLAPS)],
            )
        ]
        indexes = [
            models.Index(fields=["org_path", "school_class"], name="attendance_host"),
            models.Index(fields=["home_path"], name="attendance_home"),
        ]

    def __str__(self) -> str:
        return self.name


class AttendanceReport(models.Model):
    """What the host tells the home school about a guest pupil, once a term (D19)."""

    org_path = PathField("就读学校路径")
    home_path = PathField("学籍学校路径")
    attendance = models.ForeignKey(Attendance, models.PROTECT, related_name="reports", verbose_name="借读")
    school_year = models.PositiveSmallIntegerField("学年")
    semester = models.CharField("学期", max_length=1)
    days_present = models.PositiveSmallIntegerField("出勤天数")
    days_absent = models.PositiveSmallIntegerField("缺勤天数")
    remark = models.CharField("说明", max_length=200, blank=True)
    reported_by = models.BigIntegerField("报告人编号")
    reported_by_name = models.CharField("报告人", max_length=50)
    reported_at = models.DateTimeField("报告时间", db_default=Now())

    objects = GuestQuerySet.as_manager()

    class Meta:
        verbose_name = "借读情况报告"
        constraints = [
            models.UniqueConstraint(
                fields=["attendance", "school_year", "semester"], name="one_guest_report_a_term"
            )
        ]

    def __str__(self) -> str:
        return f"{self.school_year}-{self.semester}"


class AidRecognition(models.Model):
    """贫困生认定: a dated flag with its approval (D17). Removal ends the row, it never deletes it."""

    org_path = PathField("路径")
    student = models.ForeignKey(Student, models.PROTECT, related_name="aids", verbose_name="学生")
    level = models.CharField("认定等级", max_length=1)
    basis = models.CharField("认定依据", max_length=2)
    valid = DateRangeField("有效期")
    case_no = models.CharField("办件号", max_length=20)
    created_at = models.DateTimeField("登记时间", db_default=Now())

    objects = ScopedQuerySet.as_manager()

    class Meta:
        verbose_name = "家庭经济困难认定"
        constraints = [
            ExclusionConstraint(
                name="one_aid_at_a_time",
                expressions=[("student", RangeOperators.EQUAL), ("valid", RangeOperators.OVERLAPS)],
            )
        ]
        indexes = [models.Index(fields=["org_path"], name="aid_path")]

    def __str__(self) -> str:
        return f"{self.level}"


class DropoutEntry(models.Model):
    """台账 of one dropout: opened by the case of 辍学, closed with proof of return (R-DRP-03, R-DRP-07)."""

    org_path = PathField("路径")
    student = models.ForeignKey(Student, models.PROTECT, related_name="dropouts", verbose_name="学生")
    case_no = models.CharField("办件号", max_length=20)
    reason = models.CharField("辍学原因", max_length=2)
    opened_on = models.DateField("立账日期")
    last_seen_on = models.DateField("最后在校日期")
    closed_on = models.DateField("销号日期", null=True)
    closed_by_case = models.CharField("销号办件号", max_length=20, blank=True)
    legal_end = models.CharField("法定终止", max_length=50, blank=True)
    created_at = models.DateTimeField("登记时间", db_default=Now())

    objects = ScopedQuerySet.as_manager()

    class Meta:
        verbose_name = "辍学台账"
        constraints = [
            models.UniqueConstraint(
                fields=["student"], name="one_open_dropout", condition=Q(closed_on__isnull=True)
            ),
            # Proof of return lies in a case; else the years of compulsory schooling are over (R-DRP-07).
            models.CheckConstraint(
                name="dropout_closed_with_a_ground",
                condition=Q(closed_on__isnull=True) | ~Q(closed_by_case="") | ~Q(legal_end=""),
            ),
        ]
        indexes = [models.Index(fields=["org_path", "-id"], name="dropout_newest")]

    def __str__(self) -> str:
        return f"{self.opened_on}"


class HostNote(models.Model):
    """What the county hears about a directly run school that lies in it: who came, who left (R-TRF-20)."""

    class Direction(models.TextChoices):
        ARRIVED = "in", "转入"
        LEFT = "out", "转出"

    org_path = PathField("所在县路径")
    school = models.ForeignKey(Organization, models.PROTECT, related_name="+", verbose_name="学校")
    student = models.ForeignKey(Student, models.PROTECT, related_name="+", verbose_name="学生")
    name = models.CharField("姓名", max_length=100)
    grade = models.CharField("年级", max_length=2)
    direction = models.CharField("方向", max_length=3, choices=Direction)
    other_name = models.CharField("对方学校", max_length=100, blank=True)
    case_no = models.CharField("办件号", max_length=20)
    on = models.DateField("日期")
    school_year = models.PositiveSmallIntegerField("学年")
    semester = models.CharField("学期", max_length=1)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        verbose_name = "直属学校变动通报"
        constraints = [
            models.UniqueConstraint(fields=["case_no", "student", "direction"], name="host_note_once")
        ]
        indexes = [models.Index(fields=["org_path", "school_year", "semester", "-id"], name="host_note_term")]

    def __str__(self) -> str:
        return f"{self.direction} {self.on}"
