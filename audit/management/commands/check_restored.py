import json
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from django.db import connection
from psycopg import sql

from audit.canonical import BY_NUMBER
from audit.checkpoints import newest
from audit.merkle import leaf_hash
from audit.models_sealing import Checkpoint, Leaf
from audit.proofs import canonical
from audit.sealing import tree
from config import sealed
from config.crypto import DoesNotOpen, unseal
from config.fence import is_fenced

SAMPLE = 20


class Command(BaseCommand):
    """Look at a restored copy from within, for the restore drill: sealed values, checkpoints, fence."""

    help = __doc__ or ""

    def handle(self, *args: Any, **options: Any) -> None:
        opened, problems = sealed_values()
        log, broken = log_state()
        problems += broken
        if not is_fenced():
            problems.append("恢复的副本没有被隔离")
        found = {
            "sealed_values": opened, "log": log, "is_fenced": is_fenced(), "application_problems": problems
        }  # fmt: skip
        self.stdout.write(json.dumps(found, ensure_ascii=False))


def log_state() -> tuple[dict[str, Any], list[str]]:
    """The newest checkpoint: its root from the sealed leaves, its newest entries as they stand, and those
    checkpoints that were written out of the database. verify_log.py proves the whole.
    """
    checkpoint = newest()
    if checkpoint is None:
        return {}, []
    problems = []
    if tree(checkpoint.size).root() != bytes(checkpoint.root):
        problems.append(f"日志检查点 {checkpoint.number} 的根散列值不符")
    for leaf in Leaf.objects.filter(number__lt=checkpoint.size).order_by("-number")[:SAMPLE]:
        if leaf_hash(canonical(BY_NUMBER[leaf.source], leaf.entry_id).encode()) != bytes(leaf.hash):
            problems.append(f"第 {leaf.number} 条日志与封存时不符")
    for file in sorted((settings.VAR / "checkpoints").glob("*.jsonl"))[-2:]:
        for line in map(json.loads, file.read_text(encoding="utf-8").splitlines()):
            kept = Checkpoint.objects.filter(number=line["number"]).first()
            if kept is not None and kept.note != line["note"]:
                problems.append(f"日志检查点 {kept.number} 与写出的不同")
    return {"checkpoint": checkpoint.number, "size": checkpoint.size}, problems


def sealed_values() -> tuple[int, list[str]]:
    """How many sealed values of a sample open with the restored keys, and which columns do not."""
    opened, problems = 0, []
    for column in sealed.columns():
        value: sql.Composable = sql.Identifier(column.column)
        if column.json_key:
            value = sql.SQL("decode({} ->> {}, 'base64')").format(value, sql.Literal(column.json_key))
        query = sql.SQL("SELECT {row}, {value} FROM {table} WHERE length({value}) > 0 LIMIT {most}").format(
            row=sql.SQL(f"({column.row})::text"),  # type: ignore[arg-type]  # our own list
            value=value,
            table=sql.Identifier(column.table),
            most=SAMPLE,
        )
        with connection.cursor() as cursor:
            cursor.execute(query.as_string())
            for row, raw in cursor.fetchall():
                try:
                    unseal(raw, column.bound_table, row, column.field)
                    opened += 1
                except DoesNotOpen as error:
                    problems.append(str(error))
    return opened, sorted(set(problems))
