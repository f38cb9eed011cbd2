"""What a commit would do, with a digest of everything it rests on; and what has moved since (ARCHITECTURE
6).
"""

import json
from collections import Counter
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from django.db import connection, transaction
from django.db.models import Count
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import User
from accounts.rights import explain
from accounts.roles import Right
from config.clock import today
from config.errors import Refusal
from config.rules import rules
from registry.intake.arriving import NotNow, State
from registry.models import ImportBatch, ImportFinding, ImportRow, SchoolClass
from registry.services.intake_rules import seats_left

RULES = (
    "ENTRY_AGE", "ENTRY_CUTOFF", "INTAKE_PLAN", "BASE_LIST_MATCH", "QUOTA_ENABLED", "PLACEMENT_REGISTERS",
    "REGISTRATION_CLOSES", "CHANGE_DEADLINE",
)  # fmt: skip
_MOST_SHOWN = 5


class PreviewMoved(Refusal):
    """Something the commit touches has changed since it was looked at; nothing was written."""

    code, status = "import_moved", 409
    rule = "R-EST-10"
    message = gettext_lazy("核对之后情况有变，没有写入任何学生：{moved}请重新核对后再提交。")


class RowsWrong(Refusal):
    """Strict by default: a batch with faulty rows is committed only when skipping them is chosen (G-22)."""

    code, status = "import_rows_wrong", 422
    rule = "R-EST-10"
    message = gettext_lazy(
        "有 {wrong} 行有误，没有写入任何学生。请改正，或选择“跳过有误的行”，只提交其余 {good} 行。"
    )


class NothingToCommit(Refusal):
    code, status = "import_nothing", 422
    rule = "R-EST-10"
    message = gettext_lazy("没有可以提交的行。请改正有误的行后再提交。")


@dataclass(frozen=True, slots=True)
class Preview:
    """Counts for people, and the parts of the digest."""

    counts: dict[str, Any]
    parts: dict[str, Any]

    @property
    def digest(self) -> str:
        return sha256(json.dumps(self.parts, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def compute(batch: ImportBatch) -> Preview:
    """What a commit of the batch would do as things stand. Constant queries."""
    sound = ImportRow.objects.filter(batch=batch).exclude(action=ImportRow.Action.WRONG)
    per_class = dict(
        sound.exclude(school_class=None).values_list("school_class").annotate(n=Count("pk")).order_by()
    )
    seats = seats_left(set(per_class), today())
    names = dict(SchoolClass.objects.filter(pk__in=per_class).values_list("pk", "name"))
    actions = Counter(dict(sound.values_list("action").annotate(n=Count("pk")).order_by()))
    warnings = ImportFinding.objects.filter(batch=batch, level="warning").exclude(
        row__action=ImportRow.Action.WRONG
    )
    by_code = warnings.values("code", "rule").annotate(n=Count("pk"), rows=Count("number", distinct=True))
    in_force = rules(RULES, at=batch.org_path, on=today())
    classes = [
        {
            "id": pk,
            "name": names[pk],
            "taken": seats[pk].taken,
            "cap": seats[pk].cap,
            "new": count,
            "after": seats[pk].taken + count,
        }
        for pk, count in sorted(per_class.items(), key=lambda item: names[item[0]])
    ]
    counts = {
        "create": actions[ImportRow.Action.CREATE],
        "continue": actions[ImportRow.Action.CONTINUE],
        "wrong": batch.rows_wrong,
        "classes": classes,
        "warnings": [dict(row) for row in by_code.order_by("-n", "code")],
        "unplaced": sound.filter(school_class=None).count(),
    }
    parts = {
        "rows": _digest_of_rows(batch),
        "findings": _findings(batch),
        "classes": {str(pk): [names[pk], seat.taken, seat.cap] for pk, seat in seats.items()},
        "rules": {key: found.display() for key, found in in_force.items()},
    }
    return Preview(counts, parts)


@transaction.atomic
def preview(batch: ImportBatch, *, actor: User) -> dict[str, Any]:
    """Look ahead and keep what was seen; a commit must carry its `hash`. Raises NotAllowed, NotNow."""
    explain(actor, Right.FILE, at=batch.org_path).or_raise()
    seen = compute(batch)
    kept = {"hash": seen.digest, "counts": seen.counts, "parts": seen.parts}
    changed = ImportBatch.objects.filter(pk=batch.pk, state=State.CHECKED).update(preview=kept)
    if not changed:
        raise NotNow(state=ImportBatch.objects.get(pk=batch.pk).get_state_display())
    batch.preview = kept
    return kept


def what_moved(batch: ImportBatch, seen: dict[str, Any], now: Preview) -> list[str]:
    """Sentences about every difference between what was looked at and what is; empty when nothing moved."""
    if seen.get("hash") == now.digest:
        return []
    before, after = seen.get("parts", {}), now.parts
    moved = []
    if before.get("rows") != after["rows"]:
        moved.append(_("批次中的行已被改动。"))
    moved += _moved_findings(batch, before.get("findings", []), after["findings"])
    for pk, (name, taken, cap) in after["classes"].items():
        was = before.get("classes", {}).get(pk)
        if was and was[1] != taken:
            moved.append(_("{name}现有人数由 {was} 变为 {now}。").format(name=name, was=was[1], now=taken))
        if was and was[2] != cap:
            moved.append(_("{name}上限由 {was} 变为 {now}。").format(name=name, was=was[2], now=cap))
    for key, value in after["rules"].items():
        was = before.get("rules", {}).get(key)
        if was is not None and was != value:
            moved.append(_("规则 {key} 由“{was}”变为“{now}”。").format(key=key, was=was, now=value))
    gone = [was[0] for pk, was in before.get("classes", {}).items() if pk not in after["classes"]]
    moved += [_("{name}已停用或不再收人。").format(name=name) for name in gone]
    return moved or [_("批次内容已变化。")]


def _moved_findings(batch: ImportBatch, before: list[Any], after: list[Any]) -> list[str]:
    new = [row for row in after if row not in before][:_MOST_SHOWN]
    found = ImportFinding.objects.filter(batch=batch, number__in={row[0] for row in new})
    words = {(finding.number, finding.field, finding.code): finding.message for finding in found}
    moved = [
        _("第 {number} 行：{why}").format(number=row[0], why=words.get((row[0], row[1], row[2]), row[2]))
        for row in new
    ]
    cleared = sum(row not in after for row in before)
    return moved + ([_("{n} 处原有提示已不存在。").format(n=cleared)] if cleared and not new else [])


def _findings(batch: ImportBatch) -> list[list[Any]]:
    """What the comparison found, so that a new duplicate is seen as such."""
    found = ImportFinding.objects.filter(batch=batch, code__startswith="batch_")
    return [
        [number, field, code, (other or {}).get("version", 0)]
        for number, field, code, other in found.order_by("number", "field", "code", "id").values_list(
            "number", "field", "code", "other"
        )
    ]


def _digest_of_rows(batch: ImportBatch) -> str:
    """Every cell, class and decision of every row; ciphertexts are new whenever a cell is."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT encode(sha256(coalesce(string_agg(concat_ws('|', number, action, school_class_id, "
            "student_id, distinct_reason, encode(sha256(cells), 'hex')), ',' ORDER BY number), '')::bytea), "
            "'hex') FROM registry_importrow WHERE batch_id = %s",
            [batch.pk],
        )
        return str(cursor.fetchone()[0])
