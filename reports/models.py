"""Summaries that pages of statistics read: folded by a job, reconciled each night."""

from django.db import models

from config.scope import PathField, ScopedQuerySet
from registry.exporting.made import MadeFile


class Cell(models.Model):
    """One number of one cube: where, when, about whom, and what is counted.

    A dimension that the cube does not have is an empty text.
    """

    org_path = PathField("路径")
    cube = models.CharField("统计来源", max_length=20)
    period = models.CharField("学年", max_length=4, blank=True)
    grade = models.CharField("年级", max_length=2, blank=True)
    sex = models.CharField("性别", max_length=1, blank=True)
    ethnic = models.CharField("民族", max_length=10, blank=True)
    hukou = models.CharField("户籍", max_length=10, blank=True)
    code = models.CharField("类别", max_length=30, blank=True)
    measure = models.CharField("指标", max_length=20)

    class Meta:
        abstract = True


KEY = ("org_path", "cube", "period", "grade", "sex", "ethnic", "hukou", "code", "measure")


class SummaryDelta(Cell):
    """What a count has grown or shrunk by since it was last taken: appended, folded once, then gone.

    Nobody waits for anybody: whoever counts adds rows of her own, and only the folding job sums them up.
    """

    unit = PathField("统计单元")
    delta = models.BigIntegerField("增减")

    objects = ScopedQuerySet.as_manager()

    class Meta:
        verbose_name = "统计增量"
        indexes = [models.Index(fields=["unit"], name="summary_delta_unit")]

    def __str__(self) -> str:
        return f"{self.measure} {self.delta}"


class Summary(Cell):
    """The folded number. Of a unit (`is_unit`) it is what was counted there; otherwise everything at and
    below the path, once by its dimensions and once (grade `*`) whatever they are.
    """

    is_unit = models.BooleanField("统计单元")
    unit = PathField("所属统计单元", blank=True)  # "CN." where is_unit is false
    value = models.BigIntegerField("数值")

    objects = ScopedQuerySet.as_manager()

    class Meta:
        verbose_name = "统计汇总"
        constraints = [models.UniqueConstraint(fields=["is_unit", *KEY], name="summary_once")]
        indexes = [
            models.Index(fields=["unit", "cube"], name="summary_unit", condition=models.Q(is_unit=True)),
            models.Index(
                fields=["org_path", "cube", "grade", "period"],
                name="summary_read",
                condition=models.Q(is_unit=False),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.measure} {self.value}"


class UnitQuerySet(ScopedQuerySet):
    scope_fields = ("unit",)


class UnitState(models.Model):
    """How fresh one unit's numbers are, and how far the last nightly recount found them off."""

    unit = PathField("统计单元", unique=True)
    counted_at = models.DateTimeField("统计时间", null=True)
    sealed_counted_at = models.DateTimeField("加密项目统计时间", null=True)
    checked_at = models.DateTimeField("核对时间", null=True)
    drift = models.PositiveIntegerField("核对差异", default=0)

    objects = UnitQuerySet.as_manager()

    class Meta:
        verbose_name = "统计单元状态"

    def __str__(self) -> str:
        return self.unit

    @property
    def path(self) -> str:
        """Where an event about it belongs."""
        return str(self.unit)


class ReportFile(MadeFile):
    """One report as a workbook."""

    report = models.CharField("报表", max_length=20)
    place_path = models.TextField("统计范围路径")  # frozen: a scope that has moved is asked for anew
    place_name = models.CharField("统计范围", max_length=100)
    choice = models.JSONField("统计口径", default=dict)  # enumerations, as in the page's address

    class Meta:
        verbose_name = "统计报表文件"
        constraints = [models.UniqueConstraint(fields=["job"], name="report_file_once_a_job")]
        indexes = [models.Index(fields=["org_path", "-id"], name="report_file_newest")]

    def __str__(self) -> str:
        return f"{self.report} {self.place_name}"
