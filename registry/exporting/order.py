"""The order of an export's rows tells which export it was, even when nothing else on them does (EX-5).

Classes follow each other as in lists; within a class the pupils stand in an order that only the key and the
export's id give. Ten pupils have 3.6 million orders.
"""

from collections.abc import Iterable, Sequence

from config.crypto import keyed_digest
from registry.models import Export

Place = tuple[int, str, str, str]  # enrolment id, path, grade, class number


def ordered(export: Export, rows: Iterable[Place]) -> list[int]:
    """The ids in the order of this export."""
    return [row[0] for row in sorted(rows, key=lambda row: (*row[1:], _rank(export, row[0])))]


def agreement(export: Export, found: Sequence[Place]) -> float:
    """How far the order in which rows were found is this export's: the share of neighbours of one class that
    stand as it would put them. 1 for its own file or a part of it, about a half for any other.
    """
    pairs = [(one, two) for one, two in zip(found, found[1:], strict=False) if one[1:] == two[1:]]
    if not pairs:
        return 0.0
    kept = sum(_rank(export, one[0]) < _rank(export, two[0]) for one, two in pairs)
    return kept / len(pairs)


def _rank(export: Export, enrolment: int) -> str:
    return keyed_digest("export order", str(export.public_id), str(enrolment))
