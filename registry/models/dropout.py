"""控辍保学: absences, persuasion, the ledger of suspicion, reports upward, the watch list, household lists
(HANDBOOK A10).
"""

from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from accounts.models import Organization
from config.crypto import seal_json, unseal_json
from config.models import Job
from config.scope import BothPathsQuerySet, PathField, ScopedQuerySet
from registry.models.changes import DropoutEntry
from registry.models.person import Student
from registry.models.school import SchoolClass


class Absence(models.Model):
    """缺勤: a pupil stays away from a day on, until she is back. One that is open at a time."""

    class Reason(models.TextChoices):
        ILL = "ill", "生病"
        FAMILY = "family", "家中有事"
        UNWILLING = "unwilling", "不愿上学"
        WORK = "work", "外出务工"
        AWAY = "away", "随家长外出"
        UNKNOWN = "unknown", "原因不明"
        OTHER = "other", "其他"

    class Ended(models.TextChoices):
        RETURNED = "returned", "已返校"
        CASE = "case", "已办理学籍变动"

    org_path = PathField("路径")
    student = models.ForeignKey(Student, models.PROTECT, related_name="absences", verbose_name="学生")
    school_class = models.ForeignKey(SchoolClass, models.PROTECT, related_name="+", verbose_name="班级")
    name = models.CharField("姓名", max_length=100)
    from_on = models.DateField("缺勤起始")
    is_excused = models.BooleanField("已请假")
    reason = models.CharField("原因", max_length=10, choices=Reason)
    note = models.CharField("说明", max_length=200, blank=True)
    is_warned = models.BooleanField("已提醒", default=False)
    ended_on = models.DateField("结束日期", null=True)
    ended_how = models.CharField("结束方式", max_length=10, choices=Ended, blank=True)
    reported_by_name = models.CharField("登记人", max_length=50)
    ended_by_name = models.CharField("结束登记人", max_length=50, blank=True)
    created_at = models.DateTimeField("登记时间", db_default=Now())

    objects = ScopedQuerySet.as_manager()

    class Meta:
        verbose_name = "缺勤"
        constraints = [
            models.UniqueConstraint(
                fields=["student"], name="one_open_absence", condition=Q(ended_on__isnull=True)
            ),
            models.CheckConstraint(
                name="absence_ends_after_it_began",
                condition=Q(ended_on__isnull=True) | Q(ended_on__gte=models.F("from_on")),
            ),
        ]
        indexes = [
            models.Index(fields=["org_path", "-id"], name="absence_newest"),
            models.Index(fields=["from_on"], name="absence_running", condition=Q(ended_on__isnull=True)),
        ]

    def __str__(self) -> str:
        return f"{self.name} {self.from_on}"


class DropoutList(models.Model):
    """上级下发的疑似辍学名单: a workbook from the ministry, its cells sealed until they are pushed down or
    given up (R-DRP-09).
    """

    org_path = PathField("路径")
    file_name = models.CharField("文件名", max_length=200)
    cells = models.BinaryField("单元格", null=True)
    rows_total = models.PositiveIntegerField("行数")
    skips_faulty = models.BooleanField("跳过有误的行", default=False)
    job = models.OneToOneField(Job, models.PROTECT, null=True, verbose_name="任务")
    counts = models.JSONField("结果", default=dict)
    failure = models.JSONField("未下发的原因", default=dict)
    created_by: Any = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", verbose_name="上传人"
    )
    created_by_name = models.CharField("上传人姓名", max_length=50)
    created_at = models.DateTimeField("上传时间", db_default=Now())
    done_at = models.DateTimeField("下发时间", null=True)

    objects = ScopedQuerySet.as_manager()

    class Meta:
        verbose_name = "下发的疑似辍学名单"
        indexes = [models.Index(fields=["org_path", "-id"], name="dropout_list_newest")]

    def __str__(self) -> str:
        return self.file_name

    def open_cells(self) -> list[tuple[int, dict[str, str]]]:
        """Row number and texts by column. Raises DoesNotOpen; empty when the list is over."""
        if self.cells is None:
            return []
        return [(int(n), dict(said)) for n, said in unseal_json(self.cells, _LIST, self.pk, "cells")]

    def set_cells(self, rows: list[tuple[int, dict[str, str]]]) -> None:
        self.cells = seal_json(rows, _LIST, self.pk, "cells")


_LIST = "registry_dropoutlist"


class HostedQuerySet(ScopedQuerySet):
    """Rows of a school that the county sees in which it lies, though it is run by an office above."""

    scope_fields = ("org_path", "host_path")


class SuspectedDropout(models.Model):
    """疑似辍学: opened by the alarm or pushed down from the ministry; closed by the case that changed the
    status, or by the authority that has seen the proof with the school's answer (R-DRP-01, R-DRP-09).

    `host_path` is the county in which a directly run school lies: its ledger holds the row, the pupil stays
    behind the wall (registry.dropout.hosting).
    """

    class Source(models.TextChoices):
        ALARM = "alarm", "缺勤预警"
        MINISTRY = "ministry", "上级下发"

    class Answer(models.TextChoices):
        AT_SCHOOL = "at_school", "在校就读，附证明"
        ABSENT = "absent", "确已缺勤，正在劝返"

    class Closed(models.TextChoices):
        RETURNED = "returned", "返校"  # of earlier years: the mark of a return closes nothing any more
        CASE = "case", "学籍变动办结"
        CONFIRMED = "confirmed", "核实在校"

    org_path = PathField("路径")
    host_path = PathField("所在县路径", null=True)
    student = models.ForeignKey(Student, models.PROTECT, related_name="suspicions", verbose_name="学生")
    source = models.CharField("来源", max_length=10, choices=Source)
    opened_on = models.DateField("立账日期")
    last_seen_on = models.DateField("最后在校日期", null=True)
    # R-DRP-02: the school's report in writing, and everybody who was told, with the moment.
    report_due_on = models.DateField("报告期限")
    reported_at = models.DateTimeField("报告时间", null=True)
    reported_by_name = models.CharField("报告人", max_length=50, blank=True)
    told = models.JSONField("已告知", default=list)
    pushed = models.ForeignKey(
        DropoutList, models.PROTECT, null=True, related_name="suspicions", verbose_name="下发名单"
    )
    answer_due_on = models.DateField("答复期限", null=True)
    answer = models.CharField("答复", max_length=10, choices=Answer, blank=True)
    answer_note = models.CharField("答复说明", max_length=300, blank=True)
    proof = models.UUIDField("在校证明", null=True)  # names the material, which a later app keeps
    answered_at = models.DateTimeField("答复时间", null=True)
    answered_by_name = models.CharField("答复人", max_length=50, blank=True)
    closed_on = models.DateField("销号日期", null=True)
    closed_how = models.CharField("销号依据", max_length=10, choices=Closed, blank=True)
    closed_by_name = models.CharField("销号人", max_length=50, blank=True)
    created_at = models.DateTimeField("登记时间", db_default=Now())

    objects = HostedQuerySet.as_manager()

    class Meta:
        verbose_name = "疑似辍学"
        constraints = [
            models.UniqueConstraint(
                fields=["student"], name="one_open_suspicion", condition=Q(closed_on__isnull=True)
            ),
            # Nobody strikes a child off without saying on which ground (R-DRP-07).
            models.CheckConstraint(
                name="suspicion_closed_with_a_ground", condition=Q(closed_on__isnull=True) | ~Q(closed_how="")
            ),
            models.CheckConstraint(
                name="at_school_with_proof",
                condition=Q(closed_on__isnull=False) | ~Q(answer="at_school") | Q(proof__isnull=False),
            ),
        ]
        indexes = [
            models.Index(fields=["org_path", "-id"], name="suspicion_newest"),
            models.Index(fields=["org_path", "opened_on"], name="suspicion_opened"),
            models.Index(fields=["host_path", "-id"], name="suspicion_hosted"),
        ]

    def __str__(self) -> str:
        return f"{self.get_source_display()} {self.opened_on}"


class PersuasionVisit(models.Model):
    """联系与劝返: one attempt to reach the family of a child who stays away (R-DRP-07). Never changed."""

    class Way(models.TextChoices):
        PHONE = "phone", "电话"
        MESSAGE = "message", "短信或网络"
        HOME = "home", "家访"
        LETTER = "letter", "书面通知"

    class Met(models.TextChoices):
        NOBODY = "nobody", "未见到人"
        PUPIL = "pupil", "学生本人"
        GUARDIAN = "guardian", "监护人"
        RELATIVE = "relative", "其他亲属"
        VILLAGE = "village", "村（居）干部"

    class Result(models.TextChoices):
        UNREACHED = "unreached", "未联系上"
        REACHED = "reached", "已联系上"
        PROMISED = "promised", "承诺返校"
        REFUSED = "refused", "不愿返校"

    org_path = PathField("路径")
    student = models.ForeignKey(Student, models.PROTECT, related_name="visits", verbose_name="学生")
    on = models.DateField("日期")
    way = models.CharField("方式", max_length=10, choices=Way)
    persons = models.CharField("劝返人员", max_length=100)
    met = models.CharField("见到", max_length=10, choices=Met)
    result = models.CharField("结果", max_length=10, choices=Result)
    note = models.CharField("情况", max_length=300, blank=True)
    recorded_by_name = models.CharField("登记人", max_length=50)
    created_at = models.DateTimeField("登记时间", db_default=Now())

    objects = ScopedQuerySet.as_manager()

    class Meta:
        verbose_name = "劝返记录"
        indexes = [
            models.Index(fields=["org_path", "on"], name="visit_of_office"),
            models.Index(fields=["student", "-on"], name="visit_of_student"),
        ]

    def __str__(self) -> str:
        return f"{self.get_way_display()} {self.on}"


class DropoutReport(models.Model):
    """控辍保学报告 of one office for one period, with the counts of its last day; zero is a report
    (R-DRP-06).
    """

    class Kind(models.TextChoices):
        MONTH = "month", "学校月报"
        QUARTER = "quarter", "县级季度核查"
        SEMESTER = "semester", "市级学期报告"
        YEAR = "year", "省级学年报告"

    org_path = PathField("路径")
    office = models.ForeignKey(Organization, models.PROTECT, related_name="+", verbose_name="单位")
    kind = models.CharField("种类", max_length=10, choices=Kind)
    starts_on = models.DateField("起")
    ends_on = models.DateField("止")
    due_on = models.DateField("报送期限")
    counts = models.JSONField("数据")
    remark = models.CharField("说明", max_length=300, blank=True)
    signed_by_name = models.CharField("签报人", max_length=50, blank=True)
    signed_at = models.DateTimeField("签报时间", null=True)
    created_at = models.DateTimeField("生成时间", db_default=Now())

    objects = ScopedQuerySet.as_manager()

    class Meta:
        verbose_name = "控辍保学报告"
        constraints = [
            models.UniqueConstraint(fields=["office", "kind", "starts_on"], name="one_dropout_report")
        ]
        indexes = [
            models.Index(fields=["org_path", "kind", "-starts_on", "id"], name="dropout_report_list"),
            models.Index(fields=["due_on"], name="dropout_report_owed", condition=Q(signed_at__isnull=True)),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} {self.starts_on}"


class HandedDropout(models.Model):
    """随迁辍学学生档案转交: what the authority hands to the county of the hukou when the term is over
    (R-CHG-10). Status and ledger stay where they are; the record is as of that day, sealed.
    """

    to_path = PathField("户籍地县路径")
    from_path = PathField("转交单位路径")
    student = models.ForeignKey(Student, models.PROTECT, related_name="handed", verbose_name="学生")
    entry = models.OneToOneField(DropoutEntry, models.PROTECT, related_name="handed", verbose_name="辍学台账")
    name = models.CharField("姓名", max_length=100)
    school_name = models.CharField("原学校", max_length=100)
    from_name = models.CharField("转交单位", max_length=100)
    to_name = models.CharField("接收单位", max_length=100)
    fields = models.BinaryField("档案内容")
    handed_on = models.DateField("转交日期")
    handed_by_name = models.CharField("转交人", max_length=50)
    received_at = models.DateTimeField("接收时间", null=True)
    received_by_name = models.CharField("接收人", max_length=50, blank=True)

    objects = BothPathsQuerySet.as_manager()

    class Meta:
        verbose_name = "辍学档案转交"
        indexes = [
            models.Index(fields=["to_path", "-id"], name="handed_dropout_in"),
            models.Index(fields=["from_path", "-id"], name="handed_dropout_out"),
        ]

    def __str__(self) -> str:
        return f"{self.name} {self.handed_on}"

    @property
    def org_path(self) -> str:
        """Where the record is read: at the county of the hukou."""
        return str(self.to_path)

    def open_fields(self) -> dict[str, str]:
        """The form's values of that day. Raises DoesNotOpen."""
        return dict(unseal_json(self.fields, "registry_handeddropout", self.entry_id, "fields"))

    def set_fields(self, values: dict[str, str]) -> None:
        # Bound to the ledger's entry: it is known before the row is, and an entry is handed over once.
        self.fields = seal_json(values, "registry_handeddropout", self.entry_id, "fields")


class WatchEntry(models.Model):
    """重点关注: why a child is watched over, from a day until a day (R-DRP-08). Kind and note are D4: sealed;
    `kind_index` lets the database compare kinds without reading them.
    """

    org_path = PathField("路径")
    student = models.ForeignKey(Student, models.PROTECT, related_name="watched", verbose_name="学生")
    kind_index = models.UUIDField("类别索引")
    private = models.BinaryField("内容")
    is_from_record = models.BooleanField("出自学籍", default=False)
    from_on = models.DateField("起")
    until = models.DateField("止", null=True)
    entered_by_name = models.CharField("登记人", max_length=50)
    created_at = models.DateTimeField("登记时间", db_default=Now())

    objects = ScopedQuerySet.as_manager()

    class Meta:
        verbose_name = "重点关注"
        constraints = [
            models.UniqueConstraint(
                fields=["student", "kind_index"], name="watched_once_a_kind", condition=Q(until__isnull=True)
            )
        ]
        indexes = [models.Index(fields=["org_path", "-id"], name="watch_newest")]

    def __str__(self) -> str:
        return f"{self.from_on}"

    def open_private(self) -> dict[str, str]:
        """Kind and note. Raises DoesNotOpen."""
        return dict(unseal_json(self.private, "registry_watchentry", self.pk, "private"))

    def set_private(self, values: dict[str, str]) -> None:
        self.private = seal_json(values, "registry_watchentry", self.pk, "private")


class HouseholdList(models.Model):
    """户籍比对: one list of children that a county imported, kept for some days only (R-DRP-05)."""

    class State(models.TextChoices):
        WAITING = "waiting", "等待比对"
        DONE = "done", "已比对"
        FAILED = "failed", "无法读取"

    org_path = PathField("路径")
    file_name = models.CharField("文件名", max_length=200)
    stored_as = models.CharField("存储名", max_length=32, blank=True)  # erased as soon as it is read
    digest = models.CharField("文件摘要", max_length=64)
    state = models.CharField("状态", max_length=10, choices=State, default=State.WAITING)
    failure = models.JSONField("读取失败", default=dict)
    counts = models.JSONField("结果", default=dict)
    job = models.ForeignKey(Job, models.PROTECT, null=True, verbose_name="任务")
    created_by_name = models.CharField("上传人", max_length=50)
    created_at = models.DateTimeField("上传时间", db_default=Now())

    objects = ScopedQuerySet.as_manager()

    class Meta:
        verbose_name = "户籍比对"
        indexes = [models.Index(fields=["org_path", "-id"], name="household_newest")]

    def __str__(self) -> str:
        return self.file_name


class HouseholdRow(models.Model):
    """One child of such a list. What the list says is sealed; `finding` is what the comparison found."""

    class Finding(models.TextChoices):
        HERE = "here", "本地有学籍"
        ELSEWHERE = "elsewhere", "外地有学籍"
        NEVER = "never", "适龄无学籍"
        ABSENT = "absent", "有学籍未到校"
        DROPPED = "dropped", "已登记辍学"
        OTHER_AGE = "other_age", "非适龄"
        UNCLEAR = "unclear", "证件号有误"

    org_path = PathField("路径")
    sheet = models.ForeignKey(HouseholdList, models.CASCADE, related_name="rows", verbose_name="名单")
    number = models.PositiveIntegerField("行号")
    cells = models.BinaryField("内容")
    blind = models.UUIDField("盲索引", null=True)
    birth_on = models.DateField("出生日期", null=True)
    is_poor = models.BooleanField("脱贫户", default=False)
    finding = models.CharField("比对结果", max_length=10, choices=Finding, blank=True)
    student = models.ForeignKey(
        Student, models.PROTECT, null=True, related_name="household_rows", verbose_name="学生"
    )

    objects = ScopedQuerySet.as_manager()

    class Meta:
        verbose_name = "户籍名单行"
        constraints = [models.UniqueConstraint(fields=["sheet", "number"], name="household_row_once")]
        indexes = [
            models.Index(fields=["sheet", "finding", "number"], name="household_finding"),
            models.Index(fields=["sheet", "blind"], name="household_blind"),
        ]

    def __str__(self) -> str:
        return f"{self.number}"

    def open_cells(self) -> dict[str, str]:
        """The row as the list said it. Raises DoesNotOpen."""
        bound = f"{self.sheet_id}.{self.number}"
        return dict(unseal_json(self.cells, "registry_householdrow", bound, "cells"))
