"""What an owner of the database does with every trigger off is found and located by verify_log.py (AU-5)."""

import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from audit.canonical import EVENT
from audit.checkpoints import Head, as_line
from audit.exporting import export_log
from audit.models_sealing import Checkpoint, Leaf
from audit.proofs import consistency_proof, inclusion_proof
from config.scope import scoped_transaction
from config.signing import signing_keys
from tests.audit.sealed import commit_acts, owner_without_triggers, run, sign, verify
from tests.make import SCHOOL

SUBJECT = 770_077
ACTS = 600  # two blocks are full


class Log:
    """A sealed log with two checkpoints, and where our acts lie in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.ids = commit_acts(ACTS // 2, subject=SUBJECT)
        commit_acts(2, subject=SUBJECT + 1)
        self.former = sign()
        self.ids += commit_acts(ACTS // 2, subject=SUBJECT)
        self.later = sign()
        self.leaves = dict(
            Leaf.objects.filter(source=1, entry_id__in=self.ids).values_list("entry_id", "number")
        )
        self.ids.sort(key=self.leaves.__getitem__)  # a pass numbers its entries as it finds them
        self.key = Checkpoint.objects.get(number=0).key
        self.known = folder / "known.jsonl"
        self.known.write_text("".join(as_line(one) for one in (self.former, self.later)), encoding="utf-8")
        self.good = self.export("good")

    def export(self, name: str, **options: Any) -> Path:
        folder = self.folder / name
        export_log(folder, **options)
        return folder

    def name(self, place: int) -> str:
        return f"叶 {self.leaves[self.ids[place]]}（event/{self.ids[place]}）"


@pytest.fixture(scope="module")
def log(
    django_db_setup: None, django_db_blocker: Any, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Log]:
    from django.db import connection

    with django_db_blocker.unblock():
        yield Log(tmp_path_factory.mktemp("log"))
        connection.close()


def attacks(log: Log) -> list[tuple[str, list[str], str]]:
    """What is done, the statements, and words of the finding."""
    a, b, last = log.ids[300], log.ids[310], log.ids[-1]
    leaf_a, leaf_b = log.leaves[a], log.leaves[b]
    columns = ", ".join(column for column in EVENT.columns if column not in ("id", "at", "xid"))
    block = leaf_a // 256 * 256
    between = f"叶 {log.former.size} 至 {log.later.size - 1} 之间"
    rehashed = (
        f"UPDATE audit_leaf SET hash = (SELECT {EVENT.leaf_sql()} FROM audit_event WHERE id = {a})"
        f" WHERE number = {leaf_a}"
    )
    return [
        ("edit", [f"UPDATE audit_event SET reason = 'x' WHERE id = {a}"], f"改动：{log.name(300)}"),
        (
            "edit time",
            [f"UPDATE audit_event SET at = at - interval '1 s' WHERE id = {a}"],
            f"删除：{log.name(300)}",
        ),
        (
            "edit with its hash",
            ["SET LOCAL TimeZone = 'UTC'", f"UPDATE audit_event SET reason = 'x' WHERE id = {a}", rehashed],
            f"叶 {block} 至 {block + 255} 之间",
        ),
        ("delete", [f"DELETE FROM audit_event WHERE id = {b}"], f"删除：{log.name(310)}"),
        (
            "delete with its leaf",
            [f"DELETE FROM audit_event WHERE id = {a}", f"DELETE FROM audit_leaf WHERE number = {leaf_a}"],
            f"缺失：叶 {leaf_a}",
        ),
        (
            "delete the last with its leaf",
            [f"DELETE FROM audit_leaf WHERE number = {log.leaves[last]}"],
            f"叶 {log.leaves[last]}",
        ),
        (
            "insert behind the sealer",
            [
                f"INSERT INTO audit_event (id, at, xid, {columns})"
                f" SELECT 9000000001, at, xid, {columns} FROM audit_event WHERE id = {a}"
            ],
            "补插：条目 event/9000000001",
        ),
        (
            "insert with an old time",
            [
                f"INSERT INTO audit_event (id, at, xid, {columns}) SELECT 9000000002,"
                f" at - interval '2 h', '9000000000', {columns} FROM audit_event WHERE id = {a}"
            ],
            "补插：条目 event/9000000002",
        ),
        (
            "insert with a leaf in the middle",
            [
                f"UPDATE audit_leaf SET number = number + 1000000 WHERE number >= {leaf_a}",
                f"UPDATE audit_leaf SET number = number - 999999 WHERE number >= {leaf_a + 1000000}",
                f"INSERT INTO audit_event (id, at, xid, {columns})"
                f" SELECT 9000000003, at, xid, {columns} FROM audit_event WHERE id = {a}",
                "SET LOCAL TimeZone = 'UTC'",
                f"INSERT INTO audit_leaf SELECT {leaf_a}, 1, id, at, 1, 1, {EVENT.leaf_sql()}"
                " FROM audit_event WHERE id = 9000000003",
            ],
            f"叶 {block} 至 {block + 255} 之间",
        ),
        (
            "swap two entries",
            [
                f"UPDATE audit_event SET actor_name = CASE id WHEN {a} THEN '甲' ELSE '乙' END"
                f" WHERE id IN ({a}, {b})"
            ],
            f"改动：{log.name(310)}",
        ),
        (
            "swap two leaves",
            [
                f"UPDATE audit_leaf SET number = -1 WHERE number = {leaf_a}",
                f"UPDATE audit_leaf SET number = {leaf_a} WHERE number = {leaf_b}",
                f"UPDATE audit_leaf SET number = {leaf_b} WHERE number = -1",
            ],
            between,
        ),
        (
            "one entry twice",
            [
                "ALTER TABLE audit_leaf DROP CONSTRAINT audit_leaf_source_entry_id_key",
                f"UPDATE audit_leaf SET (entry_id, at, hash) = (SELECT entry_id, at, hash FROM audit_leaf"
                f" WHERE number = {leaf_a}) WHERE number = {leaf_b}",
            ],
            f"重复：叶 {leaf_b}（event/{a}）",
        ),
        (
            "a checkpoint less",
            [f"DELETE FROM audit_checkpoint WHERE number = {log.former.number}"],
            f"检查点编号不连续：{log.former.number - 1}" if log.former.number else "检查点 0",
        ),
        (
            "a checkpoint of another size",
            [
                "UPDATE audit_checkpoint SET note ="
                f" replace(note, E'\\n{log.later.size}\\n', E'\\n{leaf_a}\\n')"
            ],
            f"检查点 {log.later.number}：签名不符",
        ),
        (
            "rolled back",
            [
                f"DELETE FROM audit_checkpoint WHERE number > {log.former.number}",
                f"DELETE FROM audit_leaf WHERE number >= {log.former.size}",
                f"DELETE FROM audit_event WHERE id > {log.ids[ACTS // 2 - 1]}",
            ],
            f"回退：另存的检查点 {log.later.number} 已有 {log.later.size} 条",
        ),
    ]


@pytest.mark.rule("AU-5", "AU-3", "AU-2")
def test_what_an_owner_does_with_the_triggers_off_is_found_and_located(log: Log) -> None:
    assert verify("verify", log.good, "--key", log.key, "--known", log.known)[0] == 0
    for number, (what, statements, found) in enumerate(attacks(log)):
        with owner_without_triggers():
            for statement in statements:
                run(statement.replace("%", "%%"))
            bad = log.export(f"bad{number}")
        status, said = verify("verify", bad, "--key", log.key, "--known", log.known)
        assert (status, found in said) == (1, True), (what, found, said)
        shutil.rmtree(bad)
    # Without what was kept elsewhere an older state is a true one: that is what the paper is for.
    assert verify("verify", log.good, "--key", log.key, "--until", log.former.number)[0] == 0


@pytest.mark.rule("AU-5", "AU-4")
def test_two_histories_are_told_apart_even_when_both_are_signed(log: Log, tmp_path: Path) -> None:
    key = next(one for one in signing_keys(log.later.origin) if one.verifier == log.later.key)
    head = Head(log.later.number, log.later.origin, log.later.size, sha256(b"other").digest(), log.later.at,
                sha256(log.former.note.encode()).digest())  # fmt: skip
    other = Checkpoint(**{f.attname: getattr(log.later, f.attname) for f in Checkpoint._meta.concrete_fields})
    other.note = f"{head.text()}\n{key.sign(head.text())}"
    kept = tmp_path / "kept.jsonl"
    kept.write_text(as_line(other), encoding="utf-8")
    status, said = verify("verify", log.good, "--key", log.key, "--known", kept)
    assert status == 1
    assert f"分叉：检查点 {log.later.number} 与另存的不同" in said
    # A second root for one size, in the chain itself.
    forked = tmp_path / "forked"
    shutil.copytree(log.good, forked)
    after = replace(head, number=head.number + 1, at=head.at + timedelta(minutes=1),
                    previous=sha256(log.later.note.encode()).digest())  # fmt: skip
    other.note = f"{after.text()}\n{key.sign(after.text())}"
    with (forked / "checkpoints.jsonl").open("a", encoding="utf-8") as chain:
        chain.write(as_line(other))
    status, said = verify("verify", forked, "--key", log.key)
    assert status == 1
    assert f"分叉：检查点 {log.later.number} 与 {after.number} 条数同为 {log.later.size}" in said
    # Two exports, leaf by leaf: the exact place.
    with owner_without_triggers():
        a = log.ids[300]
        run("SET LOCAL TimeZone = 'UTC'")
        run("UPDATE audit_event SET reason = 'x' WHERE id = %s", a)
        run(
            f"UPDATE audit_leaf SET hash = (SELECT {EVENT.leaf_sql()} FROM audit_event WHERE id = %s)"
            " WHERE number = %s", a, log.leaves[a],
        )  # fmt: skip
        changed = log.export("changed")
    status, said = verify("consistency", log.good, changed, "--key", log.key)
    assert (status, f"叶 {log.leaves[a]} 不同" in said) == (1, True), said
    assert verify("consistency", log.good, log.good, "--key", log.key)[0] == 0


@pytest.mark.rule("AU-5")
def test_proofs_stand_by_themselves_and_fall_when_touched(log: Log, tmp_path: Path) -> None:
    with scoped_transaction(SCHOOL):
        proof = inclusion_proof("audit_event", log.ids[7])
        closed = inclusion_proof("audit_event", log.ids[7], with_entry=False)
    assert "entry" not in closed
    grown = consistency_proof(log.former, log.later)
    file = tmp_path / "proof.json"

    def status(command: str, content: Any) -> int:
        file.write_text(json.dumps(content, ensure_ascii=False), encoding="utf-8")
        return verify(command, file, "--key", log.later.key)[0]

    for content, command in ((proof, "inclusion"), (closed, "inclusion"), (grown, "consistency")):
        assert status(command, content) == 0
    path = [*proof["path"][:-1], proof["path"][0]]
    for touched in (
        {"entry": proof["entry"].replace("student", "studenT")},
        {"leaf": proof["leaf"] + 1},
        {"path": path},
        {"path": proof["path"][:-1]},
        {"id": proof["id"] + 1},
        {"checkpoint": proof["checkpoint"].replace(f"\n{log.later.size}\n", f"\n{log.later.size + 1}\n")},
    ):
        assert status("inclusion", proof | touched) == 1, touched
    assert status("consistency", grown | {"path": grown["path"][1:]}) == 1
    assert status("inclusion", grown) == 2


@pytest.mark.rule("AU-5")
def test_everything_about_one_pupil_up_to_a_checkpoint(log: Log) -> None:
    status, said = verify("about", f"student:{SUBJECT}", log.good, "--key", log.key, "--json")
    assert status == 0
    found = [json.loads(line) for line in said.splitlines() if line.startswith("{")]
    assert [int(one["id"]) for one in found] == log.ids
    assert f"涉及该对象的就是以上 {ACTS} 条" in said
    earlier = verify("about", f"student:{SUBJECT}", log.good, "--until", log.former.number, "--json")[1]
    assert f"涉及该对象的就是以上 {ACTS // 2} 条" in earlier
    # Given to somebody who may read only about this pupil: the rest are hashes, and the file says so.
    part = log.export("part", about=("student", SUBJECT))
    others = [line for line in (part / "entries.jsonl").read_text().splitlines() if '"entry"' not in line]
    status, said = verify("about", f"student:{SUBJECT}", part, "--key", log.key)
    assert status == 0
    assert f"已列出 {ACTS} 条" in said
    assert f"另有 {len(others)} 条只给出散列值" in said
    assert verify("about", "student:x", log.good)[0] == 2


@pytest.mark.rule("AU-5")
def test_the_program_knows_the_vectors_and_the_whole_tree() -> None:
    import verify_log
    from audit.merkle import Tree, full_root, leaf_hash

    assert verify("self-test")[0] == 0
    leaves = [leaf_hash(b"%d" % number) for number in range(520)]
    blocks = [full_root(leaves[:256]), full_root(leaves[256:512])]
    roots, growing = {}, verify_log.Growing()
    for leaf in leaves:
        growing.add(leaf)
        roots[growing.size] = growing.root()
    for size in (1, 2, 3, 7, 8, 64, 65, 255, 256, 257, 511, 512, 513, 520):
        tree = Tree(
            size,
            lambda level, at, size=size: blocks if level else leaves[at * 256 : min(at * 256 + 256, size)],
        )
        assert tree.root() == roots[size]
        for leaf in {0, 1, size // 3, size - 1} & set(range(size)):
            path = tree.inclusion(leaf)
            assert verify_log.root_by_inclusion(leaf, size, leaves[leaf], path) == roots[size]
            assert (
                verify_log.root_by_inclusion(leaf ^ 1, size, leaves[leaf], path) != roots[size] or size == 1
            )
        for former in {1, size // 2, 256, size - 1, size} & set(range(1, size + 1)):
            path = tree.consistency(former)
            assert verify_log.is_consistent(former, size, roots[former], roots[size], path)
            assert not verify_log.is_consistent(former, size, roots[520], roots[size], path) or former == 520
