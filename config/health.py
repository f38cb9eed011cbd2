"""The health page: says what is wrong in words, without personal data."""

import shutil
from collections.abc import Callable
from typing import Any

import redis
from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.db import connection
from django.http import HttpRequest, HttpResponse, JsonResponse

from config.roles import dangers

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


_CHECKS: tuple[tuple[str, Callable[[], str], bool], ...] = (
    ("database", _database, True),
    ("queue", _queue, False),  # the database keeps the promises; a dead queue only delays
    ("role", _role, True),
    ("keys", _keys, True),
    ("partitions", _partitions, False),
    ("outbox", _outbox, False),
    ("disk", _disk, False),
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
