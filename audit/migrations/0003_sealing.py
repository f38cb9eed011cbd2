"""Merkle sealing of the log: leaves, the roots of full subtrees, what each pass had seen, signed checkpoints.

None of it is walled: a leaf is a number, an id and a hash, and says nothing about anybody.
"""

from typing import ClassVar

from django.db import migrations, models

from audit.partitions import append_only_sql

LEAF = """
CREATE TABLE audit_leaf (
    number bigint PRIMARY KEY,
    source smallint NOT NULL,
    entry_id bigint NOT NULL,
    at timestamptz NOT NULL,
    suite smallint NOT NULL,
    form smallint NOT NULL,
    hash bytea NOT NULL CHECK (length(hash) = 32),
    UNIQUE (source, entry_id)
)
"""
# Level 1 holds the roots of 256 leaves each, level 2 the roots of 256 of those, and so on.
NODE = """
CREATE TABLE audit_node (
    level smallint NOT NULL,
    number bigint NOT NULL,
    hash bytea NOT NULL CHECK (length(hash) = 32),
    PRIMARY KEY (level, number)
)
"""
SEEN = """
CREATE TABLE audit_sealpass (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    seen pg_snapshot NOT NULL,
    size bigint NOT NULL
)
"""
CHECKPOINT = """
CREATE TABLE audit_checkpoint (
    number bigint PRIMARY KEY,
    at timestamptz NOT NULL,
    origin varchar(255) NOT NULL,
    size bigint NOT NULL,
    root bytea NOT NULL CHECK (length(root) = 32),
    previous bytea UNIQUE CHECK (length(previous) = 32),
    key varchar(400) NOT NULL,
    next_key varchar(400) NOT NULL,
    note text NOT NULL,
    CHECK ((previous IS NULL) = (number = 0))
)
"""
TABLES = ("audit_leaf", "audit_node", "audit_sealpass", "audit_checkpoint")


class Migration(migrations.Migration):
    dependencies: ClassVar = [("audit", "0002_log")]
    operations: ClassVar = [
        migrations.CreateModel(
            name="Leaf",
            fields=[
                (
                    "number",
                    models.BigIntegerField(primary_key=True, serialize=False, verbose_name="序号"),
                ),
                ("source", models.SmallIntegerField(verbose_name="来源")),
                ("entry_id", models.BigIntegerField(verbose_name="日志编号")),
                ("at", models.DateTimeField(verbose_name="时间")),
                ("suite", models.SmallIntegerField(verbose_name="算法")),
                ("form", models.SmallIntegerField(verbose_name="格式")),
                ("hash", models.BinaryField(verbose_name="散列值")),
            ],
            options={"verbose_name": "日志封存", "db_table": "audit_leaf", "managed": False},
        ),
        migrations.CreateModel(
            name="Checkpoint",
            fields=[
                (
                    "number",
                    models.BigIntegerField(primary_key=True, serialize=False, verbose_name="编号"),
                ),
                ("at", models.DateTimeField(verbose_name="时间")),
                ("origin", models.CharField(max_length=255, verbose_name="日志名称")),
                ("size", models.BigIntegerField(verbose_name="条数")),
                ("root", models.BinaryField(verbose_name="根散列值")),
                ("previous", models.BinaryField(null=True, verbose_name="上一检查点的散列值")),
                ("key", models.CharField(max_length=400, verbose_name="公钥")),
                ("next_key", models.CharField(blank=True, max_length=400, verbose_name="下一把公钥")),
                ("note", models.TextField(verbose_name="签名文本")),
            ],
            options={"verbose_name": "检查点", "db_table": "audit_checkpoint", "managed": False},
        ),
        migrations.RunSQL(
            [
                LEAF, NODE, SEEN, CHECKPOINT,
                # The sealer asks for the rows of transactions, whatever their month.
                "CREATE INDEX ON audit_event (xid)",
                "CREATE INDEX ON audit_accessentry (xid)",
                # Log pages: who acted, which office acted.
                "CREATE INDEX ON audit_event (actor_id, at)",
                "CREATE INDEX ON audit_event (office_path, at)",
                "CREATE INDEX ON audit_accessentry (office_path, at)",
                *(statement for table in TABLES for statement in append_only_sql(table)),
                f"REVOKE UPDATE, DELETE, TRUNCATE ON {', '.join(TABLES)} FROM xueji_app, xueji_worker",
                # Only the worker seals: who serves requests cannot add a leaf.
                f"REVOKE INSERT ON {', '.join(TABLES)} FROM xueji_app",
            ],
            migrations.RunSQL.noop,
        ),
    ]  # fmt: skip
