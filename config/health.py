"""The health page: says what is wrong in words, without personal data."""

import shutil
from collections.abc import Callable
from typing import Any

import redis
from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.db import connection
from django.http import HttpRequest, HttpResponse, JsonResponse

from config.breaker import held
from config.fence import is_fenced
from config.roles import dangers
from config.rules import rule
from config.upkeep import problems

_PARTITIONS_AHEAD = 3  # months; below it the page turns yellow (ARCHITECTURE 7)
_DISK_FREE_SHARE = 0.15  # SECURITY W16


def _database() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
    return ""


def _queue() -> str:
    redis.Redis.from_url(settings.REDIS_URL, socket_timeout=2).ping()
    return ""


def _role() -> str:
    found = dangers()
    return "数据库角色权限过大：" + ",".join(found) if found else ""


def _partitions() -> str:
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT count(*) FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
               WHERE i.inhparent = 'audit_event'::regclass
                 AND right(c.relname, 6) > to_char(now(), 'YYYYMM')"""
        )
        ahead = cursor.fetchone()[0]
    return (
        f"审计分区仅剩 {ahead} 个月，请以属主运行 manage.py partitions" if ahead < _PARTITIONS_AHEAD else ""
    )


def _outbox() -> str:
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT count(*) FROM config_outbox
               WHERE done_at IS NULL AND created_at < now() - interval '15 minutes'"""
        )
        late = cursor.fetchone()[0]
    return f"{late} 项办结任务等待超过 15 分钟，请检查 worker" if late else ""


def _disk() -> str:
    usage = shutil.disk_usage(settings.VAR if settings.VAR.exists() else settings.BASE_DIR)
    return "磁盘剩余不足 15%" if usage.free / usage.total < _DISK_FREE_SHARE else ""


def _keys() -> str:
    return "" if (settings.KEYRING / "ring.json").exists() else "密钥环不存在，请运行 manage.py make_keys"


def _mass_runs() -> str:
    waiting = held().filter(is_planned=False).count()
    return f"{waiting} 项批量操作超过上限或因时钟跳变暂停，待两人确认" if waiting else ""


def _fence() -> str:
    return "从备份恢复的副本，尚未解除隔离：不办理、不发信、不跑任务" if is_fenced() else ""


def _upkeep() -> str:
    return "；".join(problem.text for problem in problems())


def _sealer() -> str:
    """Before the first checkpoint the installation's own age counts."""
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT extract(epoch FROM now() - greatest(
                   (SELECT max(applied) FROM django_migrations WHERE app = 'audit' AND name = '0003_sealing'),
                   (SELECT at FROM audit_checkpoint ORDER BY number DESC LIMIT 1))) / 3600"""
        )
        hours = cursor.fetchone()[0] or 0
    return (
        f"日志已 {int(hours)} 小时没有签署检查点，请检查 worker 与 beat"
        if hours >= rule("LOG_SILENT_HOURS").number
        else ""
    )


_CHECKS: tuple[tuple[str, Callable[[], str], bool], ...] = (
    ("database", _database, True),
    ("queue", _queue, False),  # the database keeps the promises; a dead queue only delays
    ("role", _role, True),
    ("keys", _keys, True),
    ("partitions", _partitions, False),
    ("outbox", _outbox, False),
    ("sealer", _sealer, False),
    ("disk", _disk, False),
    ("mass_runs", _mass_runs, False),
    ("fence", _fence, False),
    ("upkeep", _upkeep, False),
)


@login_not_required
def health(request: HttpRequest) -> HttpResponse:
    """GET /healthz: 200 with `ok` or `warning`, 503 with `failing` when requests cannot be served."""
    rows: list[dict[str, Any]] = []
    state = "ok"
    for name, check, is_vital in _CHECKS:
        try:
            problem = check()
        except Exception as error:
            problem = f"不可用({type(error).__name__})"
        if problem:
            state = "failing" if is_vital or state == "failing" else "warning"
        rows.append({"check": name, "problem": problem})
    return JsonResponse(
        {"state": state, "version": settings.VERSION, "checks": rows},
        status=503 if state == "failing" else 200,
        json_dumps_params={"ensure_ascii": False},
    )
