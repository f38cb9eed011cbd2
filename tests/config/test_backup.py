"""Backups that lie sealed, the drill that restores one, and the fence around the copy (RE-6, RE-7, RE-8)."""

import base64
import io
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import psycopg
import pytest
from celery.exceptions import Ignore
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.urls import reverse

from accounts import mass_runs, tasks
from accounts.models import AccountList, Notice, Organization, User
from config import fence, sealed_files
from config.backups import drill, restoring, store, taking
from config.backups.streams import BackupDamaged, backup_key, open_stream, seal_stream
from config.crypto import seal
from config.models import FenceLift, MassRun, UpkeepRun
from config.scope import NATION
from config.upkeep import problems
from tests import make

MARK = date(2999, 1, 1)


@pytest.fixture
def folder(tmp_path: Path, settings: Any) -> Path:
    settings.BACKUPS, settings.BACKUP_KEY = tmp_path / "backups", tmp_path / "elsewhere" / "backup"
    settings.MEDIA_ROOT, settings.VAR = tmp_path / "materials", tmp_path / "var"
    return tmp_path


@pytest.fixture
def server(committed_db: None, folder: Path) -> Iterator[None]:
    """The suite's own server, with one sealed value; what is committed here goes again."""
    office = Organization.objects.create(
        path="CN.99.", kind="province", code="99", name="演练省", division="990000", valid=make.ALWAYS
    )
    person = User.objects.create(username="drill.holder", name="杜演练")
    listed = AccountList(office=office, created_by=person, file_name="x", count=1)
    listed.rows = seal(b"[]", "accounts_accountlist", str(listed.public_id), "rows")
    listed.save()
    try:
        yield
    finally:
        for row in (listed, person, office):
            row.delete()
        MassRun.objects.filter(day__gte=MARK).delete()
        UpkeepRun.objects.all().delete()
        with psycopg.connect(taking.address(), autocommit=True) as backup:
            backup.execute(
                "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name = %s",
                [taking.SLOT],
            )


def mark(days: int) -> None:
    MassRun.objects.create(
        kind="seal", path=NATION, day=MARK + timedelta(days=days), touched=1, is_planned=True
    )


def moment() -> Any:
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        return cursor.fetchone()[0]


@pytest.mark.rule("RE-6", "RE-7", "RE-8", "KE-3", "BACKUP_KEEP_DAYS")
def test_a_backup_comes_back_at_the_marked_second_and_a_damaged_one_never(
    server: None, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    stored = sealed_files.store("身份证明".encode() * 50, "archives_material")
    mark(0)
    call_command("backup")
    mark(1)
    marked = moment()
    mark(2)
    assert taking.fetch_log() >= 1
    assert taking.fetch_log() >= 1, "again, from where it was"
    lifted: list[str] = []

    def look(copy: restoring.Restored, facts: dict[str, Any]) -> None:
        honest(copy, facts)
        lifted.append(lift(copy))

    honest = drill._look
    monkeypatch.setattr(drill, "_look", look)
    call_command("restore_drill", at=marked.isoformat())
    (run,) = UpkeepRun.objects.filter(kind="drill")
    (report,) = (settings.VAR / "drills").glob("*.json")
    text = report.read_text()
    facts = json.loads(text)
    assert (run.is_well, facts["passed"], facts["problems"]) == (True, True, [])
    assert facts["rows"]["config_massrun"] == MassRun.objects.count() - 1, (
        "what came after the second is gone"
    )
    assert facts["rows"]["config_fencelift"] == FenceLift.objects.count()
    assert (facts["is_fenced"], facts["files"]) == (True, 1)
    assert facts["sealed_values"] >= 1
    assert facts["constraints"] > 100
    assert lifted == ["已由王运维解除隔离，即可办理业务。"]
    assert is_signed(text, report.with_suffix(".sig").read_text(), facts["signer"])
    assert sorted(path.name for path in (settings.VAR / "drills").iterdir()) == [
        report.name, report.with_suffix(".sig").name,
    ]  # fmt: skip

    everything = b"".join(path.read_bytes() for path in settings.BACKUPS.rglob("*") if path.is_file())
    assert base64.b64encode(backup_key()) not in everything
    assert (settings.KEYRING / "kek").read_bytes().strip() not in everything
    clear = b"".join(path.read_bytes() for path in (settings.BACKUPS / taking.SPOOL).iterdir())
    assert "杜演练".encode() not in everything.replace(clear, b"")
    assert sealed_files.load(stored, "archives_material", sealed_files.digest_of("身份证明".encode() * 50))

    (name,) = store.names()
    base = settings.BACKUPS / name
    for file, words in ((store.BASE, "与清单不符"), ("manifest.json", "清单已被改动")):
        content = (base / file).read_bytes()
        (base / file).write_bytes(content[:-9] + bytes([content[-9] ^ 1]) + content[-8:])
        with pytest.raises(CommandError, match=words):
            call_command("restore_drill")
        (base / file).write_bytes(content)
    assert [problem.code for problem in problems()] == ["drill_failed"]
    settings.BACKUP_KEY.rename(folder / "lost")
    with pytest.raises(CommandError, match="没有备份密钥"):
        call_command("restore_drill")


def lift(copy: restoring.Restored) -> str:
    """A named person lets the copy work: by its owner, and only once."""
    given = urlsplit(os.environ["DATABASE_OWNER_URL"])
    owner = f"postgresql://{given.netloc.rpartition('@')[0]}@127.0.0.1:{urlsplit(copy.url).port}{given.path}"
    done = subprocess.run(
        [sys.executable, "manage.py", "lift_fence", "--by", "王运维", "--reason", "演练核对无误"],
        cwd=settings.BASE_DIR, env=dict(os.environ) | {"XUEJI_ROLE": "owner", "DATABASE_OWNER_URL": owner},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    with psycopg.connect(owner) as connected:
        assert connected.execute(fence._LIFTED).fetchone() == (True,)
        events = connected.execute("SELECT actor_name FROM audit_event WHERE action = 'config.fence.lift'")
        assert events.fetchall() == [("王运维",)]
    return done.stdout.strip() or done.stderr


def is_signed(text: str, line: str, verifier: str) -> bool:
    """By the key that the report names; InvalidSignature otherwise."""
    public = base64.b64decode(verifier.split("+", 2)[2])[1:]
    found = re.fullmatch(r"— \S+ (\S+)\n", line)
    assert found, line
    Ed25519PublicKey.from_public_bytes(public).verify(base64.b64decode(found[1])[4:], text.encode())
    return True


@pytest.mark.rule("RE-6", "KE-6")
def test_a_sealed_stream_opens_whole_and_in_its_place_only(folder: Path) -> None:
    key, file = backup_key(make=True), folder / "sealed"
    content = os.urandom(3 << 20) + b"end"
    size, digest = seal_stream(io.BytesIO(content), file, key, "wal/1")
    assert (size, digest) == (file.stat().st_size, store.digest_of(file))
    assert b"".join(open_stream(file, key, "wal/1")) == content
    whole = file.read_bytes()
    for label, changed, other in (
        ("wal/2", whole, key),
        ("wal/1", whole, uuid4().bytes * 2),
        ("wal/1", whole[: len(whole) // 2], key),
        ("wal/1", whole + b"x", key),
        ("wal/1", whole[:2000] + bytes([whole[2000] ^ 1]) + whole[2001:], key),
        ("wal/1", b"x" + whole[1:], key),
    ):
        file.write_bytes(changed)
        with pytest.raises(BackupDamaged):
            b"".join(open_stream(file, other, label))
    with pytest.raises(BackupDamaged, match="缺少"):
        b"".join(open_stream(folder / "none", key, "wal/1"))


@pytest.mark.rule("RE-8")
def test_a_fenced_copy_is_looked_at_and_does_nothing(
    client: Client, nation: None, settings: Any, mailoutbox: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    person = make.make_registrar(email="a@example.cn")
    settings.MAIL_IS_ON = True
    Notice.objects.create(user=person, kind="urged", target="/", by_email=True)
    client.force_login(person)
    read = reverse("accounts:notices_read")
    newest = {"newest": Notice.objects.get(user=person).pk}
    monkeypatch.setattr(fence, "_LIFTED", fence._LIFTED.replace("SELECT EXISTS", "SELECT NOT EXISTS"))
    fence._unfenced.clear()
    assert "隔离中的恢复副本" in client.get(reverse("accounts:notices")).content.decode()
    assert client.post(read, newest).status_code == 503
    answer = client.post(reverse("notice-read", args=[newest["newest"]]), {}, content_type="application/json")
    assert (answer.status_code, answer.json()["code"]) == (503, "fenced")
    with pytest.raises(Ignore):
        tasks.send_notices()
    assert mailoutbox == []
    assert "尚未解除隔离" in client.get(reverse("health")).content.decode()
    with pytest.raises(CommandError, match="须以属主运行"):
        call_command("lift_fence", by="王运维", reason="演练核对无误")
    monkeypatch.undo()
    assert client.post(read, newest).status_code == 302
    assert "隔离中的恢复副本" not in client.get(reverse("accounts:notices")).content.decode()
    settings.MAIL_IS_ON = True
    assert tasks.send_notices() == len(mailoutbox) == 1, "what was owed goes out now"


@pytest.mark.rule("RE-7", "W15", "DRILL_AGE_DAYS", "BACKUP_AGE_DAYS")
def test_a_drill_that_nobody_ran_for_a_month_is_a_warning(
    nation: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[tuple[str, str]] = []
    monkeypatch.setattr(mass_runs, "warn", lambda rule, *, key, **_facts: told.append((rule, key)))
    assert problems() == [], "installed just now"
    for kind, hours, found in (
        ("backup", 25, []), ("drill", 31 * 24 - 1, []),
        ("backup", 27, ["backup"]), ("drill", 31 * 24 + 1, ["drill"]),
    ):  # fmt: skip
        UpkeepRun.objects.all().delete()
        others = {"backup", "drill"} - {kind}
        for one, age in ((kind, hours), *((other, 0) for other in others)):
            UpkeepRun.objects.create(
                kind=one, name="x", is_well=True, ended_at=moment() - timedelta(hours=age)
            )
        assert [problem.code for problem in problems()] == found, (kind, hours)
    assert tasks.watch_upkeep() == 1
    assert told == [("W15", "upkeep:drill")]
    UpkeepRun.objects.create(kind="wal", name="x", is_well=True, ended_at=moment() - timedelta(minutes=6))
    assert [problem.code for problem in problems()] == ["wal", "drill"]
