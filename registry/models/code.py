from django.contrib.postgres.fields import DateRangeField
from django.db import models


class CodeValue(models.Model):
    """One value of a code list, with the days it is valid on: lists change, records keep their code
    (HANDBOOK B6).
    """

    list = models.CharField("代码表", max_length=40)
    code = models.CharField("代码", max_length=12)
    name_zh = models.CharField("名称", max_length=100)
    name_en = models.CharField("英文名称", max_length=150, blank=True)
    source = models.CharField("来源", max_length=100, blank=True)
    confidence = models.CharField("可信度", max_length=10, blank=True)
    valid = DateRangeField("有效期")

    class Meta:
        verbose_name = "代码"
        constraints = [models.UniqueConstraint(fields=["list", "code", "valid"], name="code_once_a_version")]

    def __str__(self) -> str:
        return f"{self.list} {self.code} {self.name_zh}"
