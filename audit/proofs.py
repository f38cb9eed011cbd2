"""Proofs that leave the house: that an entry is in the log, that the log only grew, what it has on a subject.

Each is one JSON object that verify_log.py checks without the database.
"""

from typing import Any

from django.db import connection, transaction
from django.utils.translation import gettext_lazy as _

from audit.canonical import AS_WRITTEN, BY_NAME, SOURCES, Source
from audit.checkpoints import newest
from audit.models_sealing import Checkpoint, Leaf
from audit.sealing import tree
from config.errors import NotFound, Refusal

_BY_TABLE = {source.table: source for source in SOURCES} | BY_NAME


class NotSealedYet(Refusal):
    code, status, rule = "not_sealed_yet", 409, "AU-3"
    message = _("这条日志还没有写入签名检查点，请在一小时后再试。")


def inclusion_proof(table: str, pk: int, *, with_entry: bool = True) -> dict[str, Any]:
    """That one entry is in the log, under the newest checkpoint; needs the scope of somebody who may see it.

    Without the entry the proof holds only its hash: for readers who may know that they were looked at, but
    not by whom (RD-4). Raises NotSealedYet, and NotFound for an entry that is not there.
    """
    source = _BY_TABLE[table]
    entry = canonical(source, pk)
    leaf, checkpoint = sealed_under(source, pk)
    if leaf is None or checkpoint is None:
        raise NotSealedYet
    return {
        "format": "xueji-inclusion/1",
        "leaf": leaf.number,
        "source": source.name,
        "id": pk,
        **({"entry": entry} if with_entry else {}),
        "hash": bytes(leaf.hash).hex(),
        "path": [one.hex() for one in tree(checkpoint.size).inclusion(leaf.number)],
        "checkpoint": checkpoint.note,
        "key": checkpoint.key,
    }


def consistency_proof(former: Checkpoint, later: Checkpoint) -> dict[str, Any]:
    """That between two checkpoints the log only grew."""
    return {
        "format": "xueji-consistency/1",
        "path": [one.hex() for one in tree(later.size).consistency(former.size)],
        "former": {"checkpoint": former.note, "key": former.key},
        "later": {"checkpoint": later.note, "key": later.key},
    }


def sealed_under(source: Source, pk: int) -> tuple[Leaf | None, Checkpoint | None]:
    """The leaf of an entry and the newest checkpoint, each None while there is none that covers it."""
    leaf = Leaf.objects.filter(source=source.number, entry_id=pk).first()
    if leaf is None:
        return None, None
    checkpoint = newest()
    return leaf, checkpoint if checkpoint and checkpoint.size > leaf.number else None


def canonical(source: Source, pk: int) -> str:
    """The canonical text of one entry as it stands now. Raises NotFound."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('TimeZone')")
        zone = cursor.fetchone()[0]
        cursor.execute(AS_WRITTEN)
        cursor.execute(f"SELECT {source.canonical_sql()} FROM {source.table} WHERE id = %s", [pk])  # noqa: S608
        found = cursor.fetchone()
        cursor.execute("SELECT set_config('TimeZone', %s, true)", [zone])
    if found is None:
        raise NotFound
    return str(found[0])


def entries_about(subject_type: str, subject_id: int, at: int | None = None) -> list[dict[str, Any]]:
    """The entries about one subject, in the order of the log, up to the checkpoint number `at` (the newest).

    Lists that showed the subject count too. Needs the scope of somebody who may see them; what lies outside
    it is not among them. Raises NotFound for a checkpoint that is not there.
    """
    checkpoint = newest() if at is None else Checkpoint.objects.filter(number=at).first()
    if checkpoint is None:
        raise NotFound
    found: list[dict[str, Any]] = []
    with connection.cursor() as cursor:
        for source in SOURCES:
            shown = " OR subject_ids @> ARRAY[%(id)s]::bigint[]" if "subject_ids" in source.columns else ""
            cursor.execute(
                f"SELECT l.number, e.id, e.at FROM {source.table} e"  # noqa: S608
                f" JOIN audit_leaf l ON l.source = {source.number} AND l.entry_id = e.id"
                f" WHERE e.subject_type = %(type)s AND (e.subject_id = %(id)s{shown})"
                " AND l.number < %(size)s",
                {"type": subject_type, "id": subject_id, "size": checkpoint.size},
            )
            found += [
                {"leaf": leaf, "source": source.name, "id": pk, "at": at}
                for leaf, pk, at in cursor.fetchall()
            ]
    return sorted(found, key=lambda one: int(one["leaf"]))
