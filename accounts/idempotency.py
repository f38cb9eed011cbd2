"""The first answer to a creating request is its answer for ever (SECURITY AP-4)."""

import json
import re
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from django.db import connection
from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from config.errors import Refusal
from config.models import IdempotencyKey

_KEY = re.compile(r"[0-9A-Za-z_-]{8,64}")
# What differs between two sendings of one form without meaning anything.
_NOT_BODY = frozenset(("csrfmiddlewaretoken", "key"))


class KeyMissing(Refusal):
    code, status, rule = "idempotency_key_missing", 400, "AP-4"
    message = _(
        "缺少幂等键：创建类请求必须带 Idempotency-Key（8 至 64 个字母、数字、-、_），重试时使用同一个键。"
    )


class StillRunning(Refusal):
    code, status, rule = "still_running", 409, "AP-4"
    message = _("同一次提交正在处理，请勿重复提交；稍候可在“办件”中查看结果。")


class KeyReused(Refusal):
    code, status, rule = "idempotency_key_reused", 422, "AP-4"
    message = _(
        "这份表单已经提交过一次，而现在的内容与上次不同。请到“办件”查看上次的结果；如需另办，请重新打开表单。"
    )


@dataclass(slots=True)
class Claim:
    """A key held until the request's transaction ends. `location` is the first answer, empty before it."""

    user_id: int
    route: str
    key: str
    digest: bytes
    status: int = 0
    location: str = ""

    def answer(self, status: int, location: str) -> None:
        """Keep the answer, in the act's own transaction: act and answer stand or fall together."""
        IdempotencyKey.objects.create(
            user_id=self.user_id,
            route=self.route,
            key=self.key,
            body_digest=self.digest,
            status=status,
            location=location,
        )
        self.status, self.location = status, location


def form_digest(posted: QueryDict) -> bytes:
    """The digest of a form's values, in one order and without the CSRF token."""
    body = sorted((name, posted.getlist(name)) for name in posted if name not in _NOT_BODY)
    return body_digest(body)


def body_digest(body: Any) -> bytes:
    return sha256(json.dumps(body, sort_keys=True, ensure_ascii=False, default=str).encode()).digest()


def upload_digest(content: bytes, *about: Any) -> bytes:
    """The digest of a body that is a file and what was said of it."""
    return body_digest([sha256(content).hexdigest(), *about])


def lock_name(user: User, route: str, key: str) -> str:
    return f"idempotency {user.pk} {route} {key}"


def claim(user: User, route: str, key: str, digest: bytes) -> Claim:
    """Take `key` for this transaction; the claim carries the first answer when there was one.

    Raises KeyMissing, StillRunning (another request holds it now) or KeyReused (same key, other body).
    """
    if not _KEY.fullmatch(key):
        raise KeyMissing()
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_try_advisory_xact_lock(hashtextextended(%s, 0))", [lock_name(user, route, key)]
        )
        if not cursor.fetchone()[0]:
            raise StillRunning()
    found = Claim(user.pk, route, key, digest)
    first = IdempotencyKey.objects.filter(user_id=user.pk, route=route, key=key).first()
    if first is not None:
        if bytes(first.body_digest) != digest:
            raise KeyReused()
        found.status, found.location = first.status, first.location
    return found
