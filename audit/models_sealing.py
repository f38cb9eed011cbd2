"""The seal over the log: a leaf for every entry, and the signed checkpoints. Rows are only ever added."""

from django.db import models

from audit.canonical import BY_NUMBER


class Leaf(models.Model):
    """That an entry is in the log, at which place. It says nothing about anybody."""

    number = models.BigIntegerField("序号", primary_key=True)
    source = models.SmallIntegerField("来源")
    entry_id = models.BigIntegerField("日志编号")
    at = models.DateTimeField("时间")
    suite = models.SmallIntegerField("算法")
    form = models.SmallIntegerField("格式")
    hash = models.BinaryField("散列值")

    class Meta:
        managed = False
        db_table = "audit_leaf"
        verbose_name = "日志封存"

    def __str__(self) -> str:
        return f"{self.number} {BY_NUMBER[self.source].name}/{self.entry_id}"


class Checkpoint(models.Model):
    """What the log was at one moment, signed: `note` is the text that everybody can check (AU-4)."""

    number = models.BigIntegerField("编号", primary_key=True)
    at = models.DateTimeField("时间")
    origin = models.CharField("日志名称", max_length=255)
    size = models.BigIntegerField("条数")
    root = models.BinaryField("根散列值")
    previous = models.BinaryField("上一检查点的散列值", null=True)
    key = models.CharField("公钥", max_length=400)
    next_key = models.CharField("下一把公钥", max_length=400, blank=True)
    note = models.TextField("签名文本")

    class Meta:
        managed = False
        db_table = "audit_checkpoint"
        verbose_name = "检查点"

    def __str__(self) -> str:
        return f"{self.number} ({self.size})"

    @property
    def key_id(self) -> str:
        return self.key.split("+", 2)[1]
