"""Every committed entry gets exactly one leaf, whenever it commits; checkpoints sign all (AU-3, AU-4)."""

from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import DatabaseError, transaction
from django.test import Client

from audit import checkpoints, sealing, tasks
from audit.checkpoints import make_checkpoint, newest, rotate_key, silent_for, write_day
from audit.merkle import Tree
from audit.models import AccessEntry
from audit.models_sealing import Leaf
from audit.models_warnings import EarlyWarning
from audit.proofs import NotSealedYet, inclusion_proof
from audit.sealing import LogFromAnotherCluster, Seen, seal_all, tree
from audit.services import System, record_list
from config.rules import rule
from config.scope import scope, scoped_transaction
from tests import make
from tests.audit.sealed import acting_as, commit_acts, run, seal, sign


def leaves_of(ids: list[int]) -> dict[int, int]:
    return dict(Leaf.objects.filter(source=1, entry_id__in=ids).values_list("entry_id", "number"))


@pytest.mark.rule("AU-3")
def test_a_transaction_that_commits_late_is_sealed_late_and_nothing_is_skipped(committed_db: None) -> None:
    before = Leaf.objects.count() + seal()
    with acting_as("web"), transaction.atomic(), scope("CN."):
        record_list("student", [11], actor=System(make.SCHOOL), route="late")
        late = AccessEntry.objects.filter(route="late").latest("pk").pk
        with acting_as("web"):  # others work beside it, and one of them fails
            with transaction.atomic(), scope("CN."):
                record_list("student", [12], actor=System(make.SCHOOL), route="undone")
                transaction.set_rollback(True)
            first, second = commit_acts(), commit_acts()
            assert seal() == 2
            third = commit_acts(3)
            assert seal() == 3
            assert not Leaf.objects.filter(source=2, entry_id=late).exists()
    assert seal() == 1
    numbers = leaves_of([*first, *second, *third])
    assert sorted(numbers.values()) == list(range(before, before + 5))
    assert Leaf.objects.get(source=2, entry_id=late).number == before + 5
    assert seal() == 0


@pytest.mark.rule("AU-3", "RE-1")
def test_one_seals_at_a_time_and_a_cut_pass_leaves_nothing(
    committed_db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    seal()
    ids = commit_acts(2)
    with acting_as("worker"), transaction.atomic():
        run("SELECT pg_advisory_xact_lock(hashtextextended('seal log', 0))")
        assert seal() == 0

    def cut(point: str) -> None:
        raise ConnectionError(point)

    with monkeypatch.context() as patched:
        patched.setattr(sealing, "fault", cut)
        with pytest.raises(ConnectionError):
            seal()
    assert leaves_of(ids) == {}
    monkeypatch.setattr(sealing, "PACK", 3)  # a pass takes a transaction itself
    assert seal() == 2
    assert len(leaves_of(ids)) == 2
    assert seal() == 0


@pytest.mark.rule("AU-3")
def test_a_log_from_another_cluster_is_not_sealed_on(
    committed_db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    commit_acts()
    seal()
    monkeypatch.setattr(sealing, "last_pass", lambda _cursor: (Seen(10**15, ()), 0))
    with acting_as("worker"), pytest.raises(LogFromAnotherCluster):
        seal_all()


@pytest.mark.rule("AU-2", "AU-3")
def test_leaves_and_checkpoints_are_added_by_the_worker_and_changed_by_nobody(committed_db: None) -> None:
    commit_acts(300)  # a full subtree, so that there is a node
    sign()
    for role in ("web", "worker", "owner"):
        for table, column in (
            ("audit_leaf", "number"),
            ("audit_node", "number"),
            ("audit_sealpass", "size"),
            ("audit_checkpoint", "size"),
        ):
            statements = [
                f"UPDATE {table} SET {column} = {column}",
                f"DELETE FROM {table}",
                f"TRUNCATE {table}",
            ]
            if role == "web":
                statements.append(f"INSERT INTO {table} DEFAULT VALUES")
            for statement in statements:
                refused = pytest.raises(DatabaseError, match=r"append-only|denied")
                with acting_as(role), refused, transaction.atomic():
                    run(statement)


@pytest.mark.rule("AU-4")
def test_checkpoints_are_chained_and_the_key_is_changed_by_the_old_key(
    committed_db: None, tmp_path: Any
) -> None:
    commit_acts()
    first = sign()
    with acting_as("worker"):
        announced = rotate_key()
        assert rotate_key().number == announced.number  # cut and called again
        second, third = make_checkpoint(), make_checkpoint()
    assert (announced.key, second.key, third.key) == (first.key, announced.next_key, announced.next_key)
    assert second.key != first.key
    assert [announced.number, second.number, third.number] == [first.number + n for n in (1, 2, 3)]
    assert bytes(tree(first.size).root()) == bytes(first.root)
    with pytest.raises(DatabaseError), acting_as("worker"), transaction.atomic():
        run(
            "INSERT INTO audit_checkpoint SELECT number + 1, at, origin, size, root, previous, key, '', note"
            " FROM audit_checkpoint WHERE number = %s",
            third.number,
        )  # a second successor of the same checkpoint
    day = third.at.astimezone(checkpoints.timezone.get_default_timezone()).date()
    lines, sheet = write_day(day, tmp_path)
    assert third.note in sheet.read_text(encoding="utf-8")
    assert len(lines.read_text().splitlines()) >= 4
    assert write_day(day - timedelta(days=400), tmp_path) == []


@pytest.mark.rule("AU-3")
def test_an_entry_without_a_checkpoint_has_no_proof_yet(committed_db: None) -> None:
    (pk,) = commit_acts()
    with scoped_transaction("CN."), pytest.raises(NotSealedYet):
        inclusion_proof("audit_event", pk)
    seal()
    with scoped_transaction("CN."), pytest.raises(NotSealedYet):
        inclusion_proof("audit_event", pk)
    sign()
    with scoped_transaction("CN."):
        assert inclusion_proof("audit_event", pk)["id"] == pk


@pytest.mark.rule("AU-4", "W15", "LOG_SILENT_HOURS")
def test_a_silent_sealer_is_a_warning_and_turns_health_yellow(
    nation: None, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    hours = rule("LOG_SILENT_HOURS").number
    for silent, warned in ((hours * 60 - 1, 0), (hours * 60, 1), (hours * 60 + 1, 2)):
        monkeypatch.setattr(checkpoints, "silent_for", lambda silent=silent: timedelta(minutes=silent))
        assert tasks.watch_sealer() is bool(warned)
        found = EarlyWarning.objects.filter(rule="W15", key="log:sealer").values_list("count", flat=True)
        assert sum(found) == warned
    states = {}
    for limit in (hours, 0):
        monkeypatch.setattr("config.health.rule", lambda _key, limit=limit: SimpleNamespace(number=limit))
        checks = client.get("/healthz").json()["checks"]
        states[limit] = next(one["problem"] for one in checks if one["check"] == "sealer")
    assert states[hours] == ""
    assert "检查点" in states[0]


def test_before_the_first_checkpoint_nobody_is_silent(monkeypatch: pytest.MonkeyPatch, db: None) -> None:
    monkeypatch.setattr(checkpoints, "newest", lambda: None)
    assert silent_for() == timedelta()
    assert newest() is None or newest()
    assert Tree(0, lambda _level, _number: []).root().hex().startswith("e3b0c442")
