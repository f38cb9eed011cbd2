"""New keys while the registry runs, cut by kill -9 at each point; what the inventory says of them (KE-3)."""

import json
import os
import re
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

import pgtrigger
import pytest
from django.apps import apps
from django.conf import settings
from django.db import connection
from django.db.models import BinaryField

from archives import services as archives
from config import keyring as ring
from config import sealed, sealed_files
from config.crypto import DoesNotOpen, key_of, seal, unseal
from config.keyring import KeysNotReady, keyring, make_keyring
from config.scope import NATION, scoped_transaction
from registry.models import Student
from tests import make
from tests.archives.pictures import as_bytes, halves

PAGE = settings.BASE_DIR / "docs" / "operations" / "keys.md"
COUNTY = "CN.44.03.06."  # of its own: these pupils are committed
SCHOOL = f"{COUNTY}2144000977."


@pytest.mark.rule("KE-1", "KE-3")
def test_every_sealed_column_and_file_is_on_a_list() -> None:
    binary = {
        (model._meta.db_table, str(field.column))
        for model in apps.get_models(include_auto_created=True)
        for field in model._meta.concrete_fields
        if isinstance(field, BinaryField)
    }
    listed = {(one.table, one.column) for one in [*sealed.columns()]} | {
        (one.table, one.column) for one in sealed.not_sealed()
    }
    assert binary - listed == set()
    named = {
        (model._meta.db_table, "stored_as")
        for model in apps.get_models()
        if any(field.name == "stored_as" for field in model._meta.concrete_fields)
    }
    assert named == {(one.table, one.column) for one in sealed.files()}


@pytest.mark.rule("KE-7")
def test_the_inventory_page_names_every_use_of_cryptography() -> None:
    page = PAGE.read_text()
    places = [f"`{column.table}.{column.column}`" for column in sealed.columns()]
    places += [f"`{kind.table}.{kind.column}`" for kind in sealed.files()]
    assert [place for place in places if place not in page] == []
    uses = re.compile(r"^\s*(?:from|import) (?:cryptography|hashlib|hmac|argon2|joserfc|jwt)\b", re.M)
    folders = [config.path for config in apps.get_app_configs() if "." not in config.name]
    ours = [Path(path) for path in folders if Path(path).is_relative_to(settings.BASE_DIR)]
    found = {
        str(path.relative_to(settings.BASE_DIR))
        for folder in ours
        if ".venv" not in folder.parts
        for path in folder.rglob("*.py")
        if "migrations" not in path.parts and uses.search(path.read_text())
    }
    assert found == set(re.findall(r"`([a-z_/]+\.py)`", page.partition("## Where")[2]))


@pytest.mark.rule("KE-3", "KE-6")
def test_a_ring_is_taken_up_as_it_stands(
    tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "keys"
    make_keyring(folder, 2026)
    settings.KEYRING = folder
    first = seal(b"x", "t", 1, "f")
    assert ring.begin_rotation(folder) == (2, True)
    assert ring.begin_rotation(folder) == (2, False)  # one is under way
    second = seal(b"x", "t", 1, "f")  # without a restart
    assert (key_of(first), key_of(second)) == (1, 2)
    assert unseal(first, "t", 1, "f") == unseal(second, "t", 1, "f") == b"x"
    # The key-encrypting key: cut before, between and after the files change, the ring opens.
    for point in ("", "keys.kek_written", "keys.ring_rewrapped"):
        wrapped = (folder / "ring.json").read_text()

        def cut(at: str, plan: str = point) -> None:
            if at == plan:
                raise InterruptedError

        monkeypatch.setattr(ring, "fault", cut)
        with suppress(InterruptedError):
            ring.rewrap(folder)
        assert unseal(first, "t", 1, "f") == b"x"
        is_old = (folder / "ring.json").read_text() == wrapped
        assert is_old == (point == "keys.kek_written")
    monkeypatch.undo()
    ring.rewrap(folder)
    assert sorted(path.name for path in folder.iterdir()) == ["kek", "ring.json"]
    assert {oct(path.stat().st_mode & 0o777) for path in folder.iterdir()} == {"0o400"}
    assert unseal(first, "t", 1, "f") == b"x"
    # A former key goes by an explicit step, after a rest; the present one never.
    for number in (1, 2, 3):
        with pytest.raises(KeysNotReady):
            ring.destroy(folder, number)
    ring.end_rotation(folder)
    with pytest.raises(KeysNotReady, match="24 小时"):
        ring.destroy(folder, 1)
    facts = json.loads((folder / "ring.json").read_text())
    facts["data"]["1"]["retired_at"] = "2026-01-01T00:00:00+08:00"
    (folder / "ring.json").chmod(0o600)
    (folder / "ring.json").write_text(json.dumps(facts))
    ring.destroy(folder, 1)
    assert unseal(second, "t", 1, "f") == b"x"
    with pytest.raises(DoesNotOpen):
        unseal(first, "t", 1, "f")  # erased, wherever a copy of it lies
    (folder / "kek").unlink()
    with pytest.raises(KeysNotReady, match="成套"):
        ring.rewrap(folder)


# ── A real process, cut ──────────────────────────────
@pytest.fixture
def pupil(committed_db: None) -> Student:
    with scoped_transaction(NATION):
        made = make.make_student(make.make_class(SCHOOL))
        Student.objects.filter(pk=made.pk).update(talent="围棋")  # so that history has versions of it
        material = archives.add_material(
            as_bytes(halves(400, 500)), kind="photo", actor=make.make_registrar(SCHOOL)
        )
        archives.attach([material], made)
    made.photo_name = material.stored_as  # type: ignore[attr-defined]
    return made


def command(*words: str, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "manage.py", *words], cwd=settings.BASE_DIR, capture_output=True,
        text=True, timeout=120,
        env=os.environ | {"XUEJI_ROLE": "owner", "PYTHONWARNINGS": "ignore"} | env,
    )  # fmt: skip


def state_of(pupil: Student) -> dict[str, Any]:
    """What the pupil's sealed values say, and how many versions history has."""
    with scoped_transaction(NATION), connection.cursor() as cursor:
        found = Student.objects.get(pk=pupil.pk)
        cursor.execute(
            "SELECT private FROM registry_studentevent WHERE pgh_obj_id = %s ORDER BY pgh_id", [pupil.pk]
        )
        versions = [bytes(row[0]) for row in cursor.fetchall()]
        return {
            "private": found.open_private(), "document": bool(found.documents.get().number),
            "family": [member.open_private() for member in found.family.all()],
            "versions": [unseal(one, "registry_student", pupil.pk, "private") for one in versions],
            "photo": len(archives.open_material(archives.current_photo(found))),  # type: ignore[arg-type]
        }  # fmt: skip


@pytest.mark.rule("KE-3", "RE-9", "RE-4")
def test_a_rotation_is_cut_at_each_point_and_ends_with_nothing_left(pupil: Student, tmp_path: Path) -> None:
    ring.end_rotation(settings.KEYRING)  # of a run of the suite that was cut
    before, former = state_of(pupil), keyring().current
    refused = command("rotate_keys", XUEJI_ROLE="web")
    assert (refused.returncode, "XUEJI_ROLE=owner" in refused.stderr) == (1, True)
    for point in ("keys.ring", "keys.batch@2", "files.written"):
        log = tmp_path / point
        cut = command("rotate_keys", "--batch", "2", XUEJI_FAULT=point, XUEJI_FAULT_LOG=str(log))
        assert (cut.returncode, log.exists()) == (-9, True), (point, cut.stderr)
        assert state_of(pupil) == before, point
        assert keyring().current == former + 1  # this process has the new ring
    done = command("rotate_keys")
    assert (done.returncode, "已无剩余" in done.stdout) == (0, True), done.stderr
    assert state_of(pupil) == before
    name = pupil.photo_name  # type: ignore[attr-defined]
    assert sealed_files.keys_of(name, "archives_material") == {former + 1}
    shown = command("key_inventory").stdout
    assert f"数据密钥 {former + 1}：" in shown
    assert f" {former} 号 " not in shown
    too_soon = command("rotate_keys", "--destroy", str(former))
    assert (too_soon.returncode, "24 小时" in too_soon.stderr) == (1, True)
    assert command("rotate_keys", "--destroy", str(former + 1)).returncode == 1
    # A value in another's row is left, told, and keeps its key.
    with scoped_transaction(NATION):
        other = make.make_student(make.make_class(SCHOOL))
        with pgtrigger.ignore():  # history would keep the wrong value as well
            stolen = Student.objects.get(pk=pupil.pk).private
            Student.objects.filter(pk=other.pk).update(private=stolen)
    broken = command("rotate_keys")
    assert (broken.returncode, f"registry_student.private {other.pk}" in broken.stderr) == (1, True)
    assert "还有" in broken.stderr
    with scoped_transaction(NATION), pgtrigger.ignore():
        other.set_private({})
        Student.objects.filter(pk=other.pk).update(private=other.private)
    assert command("rotate_keys").returncode == 0
