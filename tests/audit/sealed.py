"""A log with leaves and checkpoints for tests: really committed, sealed by the worker's role."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection, connections, transaction
from django.db.backends.postgresql.base import DatabaseWrapper

from audit.checkpoints import make_checkpoint
from audit.models import Event
from audit.models_sealing import Checkpoint
from audit.sealing import seal_all
from audit.services import System, record_many
from config.scope import scoped_transaction
from config.settings import database
from tests import make

VERIFY = settings.BASE_DIR / "verify_log.py"


@contextmanager
def acting_as(role: str) -> Iterator[None]:
    """Another connection takes the place of the test's own: `worker`, `owner`, or `web` once more."""
    url = os.environ["DATABASE_URL" if role == "web" else f"DATABASE_{role.upper()}_URL"]
    before = connections["default"]
    connections["default"] = other = DatabaseWrapper(before.settings_dict | database(url), alias="default")
    try:
        yield
    finally:
        connections["default"] = before
        other.close()


@contextmanager
def owner_without_triggers() -> Iterator[None]:
    """What an owner may do who takes every refusal off; undone at the end."""
    with acting_as("owner"), transaction.atomic():
        for table in ("audit_event", "audit_accessentry", "audit_leaf", "audit_node", "audit_checkpoint"):
            run(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        yield
        transaction.set_rollback(True)


def run(sql: str, *params: object) -> list[Any]:
    with connection.cursor() as cursor:
        cursor.execute(sql, params or None)
        return cursor.fetchall() if cursor.description else []


def commit_acts(count: int = 1, *, path: str = make.SCHOOL, subject: int = 1) -> list[int]:
    """Really committed acts about a pupil; answers their ids."""
    before = newest_event()
    with scoped_transaction("CN."):
        record_many("registry.student.update", "student", [(subject, path)] * count, actor=System(path))
        made = Event.objects.filter(pk__gt=before, subject_type="student", subject_id=subject)
        return list(made.order_by("pk").values_list("pk", flat=True))


def newest_event() -> int:
    with scoped_transaction("CN."):
        return Event.objects.order_by("-pk").values_list("pk", flat=True).first() or 0


def seal() -> int:
    with acting_as("worker"):
        return seal_all()


def sign() -> Checkpoint:
    with acting_as("worker"):
        return make_checkpoint()


def verify(*words: object) -> tuple[int, str]:
    """verify_log.py in a process of its own, as an outsider runs it; its status and everything it said."""
    done = subprocess.run(
        [sys.executable, "-I", str(VERIFY), *map(str, words)], text=True, capture_output=True, check=False,
        cwd=Path("/"), env={"PYTHONIOENCODING": "utf-8"},
    )  # fmt: skip
    return done.returncode, done.stdout + done.stderr
