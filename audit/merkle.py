"""The tree over the log's leaves, after RFC 6962. Pure: hashes come from whoever keeps them, in tiles.

A tile is up to 256 neighbouring hashes of one level: level 0 holds leaves, level n the roots of full subtrees
of 256ⁿ leaves. A proof over a billion leaves reads a handful of tiles.
"""

from collections.abc import Callable, Sequence
from hashlib import sha256

WIDTH_BITS = 8
WIDTH = 1 << WIDTH_BITS
Tile = Callable[[int, int], Sequence[bytes]]  # level, number of the tile


def leaf_hash(entry: bytes) -> bytes:
    return sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    return sha256(b"\x01" + left + right).digest()


def full_root(hashes: Sequence[bytes]) -> bytes:
    """The root over a power of two of hashes."""
    row = list(hashes)
    while len(row) > 1:
        row = [sha256(b"\x01" + row[at] + row[at + 1]).digest() for at in range(0, len(row), 2)]
    return row[0]


def _split(count: int) -> int:
    """The largest power of two below `count`."""
    return int(1 << (count - 1).bit_length() - 1)


class Tree:
    """The first `size` leaves."""

    def __init__(self, size: int, tile: Tile) -> None:
        self.size, self._load = size, tile
        self._tiles: dict[tuple[int, int], Sequence[bytes]] = {}

    def root(self) -> bytes:
        return self._over(0, self.size) if self.size else sha256(b"").digest()

    def inclusion(self, leaf: int) -> list[bytes]:
        """The audit path of a leaf, its sibling first (RFC 6962, 2.1.1)."""
        return self._path(leaf, 0, self.size)

    def consistency(self, former: int) -> list[bytes]:
        """That the first `former` leaves are still the same (RFC 6962, 2.1.2)."""
        return self._grown(former, 0, self.size, is_whole=True) if 0 < former < self.size else []

    def _tile(self, level: int, number: int) -> Sequence[bytes]:
        if (level, number) not in self._tiles:
            self._tiles[level, number] = self._load(level, number)
        return self._tiles[level, number]

    def _full(self, height: int, number: int) -> bytes:
        """The root of a full subtree of 2^height leaves."""
        level, above = divmod(height, WIDTH_BITS)
        first = number << above
        hashes = self._tile(level, first >> WIDTH_BITS)
        at = first & (WIDTH - 1)
        return full_root(hashes[at : at + (1 << above)])

    def _over(self, start: int, end: int) -> bytes:
        count = end - start
        if count & (count - 1) == 0:
            height = count.bit_length() - 1
            return self._full(height, start >> height)
        middle = start + _split(count)
        return node_hash(self._over(start, middle), self._over(middle, end))

    def _path(self, leaf: int, start: int, end: int) -> list[bytes]:
        if end - start == 1:
            return []
        middle = start + _split(end - start)
        if leaf < middle:
            return [*self._path(leaf, start, middle), self._over(middle, end)]
        return [*self._path(leaf, middle, end), self._over(start, middle)]

    def _grown(self, former: int, start: int, end: int, *, is_whole: bool) -> list[bytes]:
        if former == end:
            return [] if is_whole else [self._over(start, end)]
        middle = start + _split(end - start)
        if former <= middle:
            return [*self._grown(former, start, middle, is_whole=is_whole), self._over(middle, end)]
        return [*self._grown(former, middle, end, is_whole=False), self._over(start, middle)]
