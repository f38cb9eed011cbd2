#!/usr/bin/env python3
"""Checks the log of a Xueji registry without the registry: one file, standard library only, no network.

    verify_log.py verify EXPORT [--key KEY] [--known FILE …]  all of an export of `manage.py export_log`
    verify_log.py about student:42 EXPORT [--until NUMBER]    all about one subject, and what that proves
    verify_log.py inclusion PROOF [--key KEY]                 one entry's proof, as downloaded from its page
    verify_log.py consistency PROOF | OLD NEW [--key KEY]     that the log only grew
    verify_log.py self-test                                   the vectors of RFC 8032 and of RFC 6962

KEY is the first public key (`name+id+base64`), from the printed slip or from the operator by another way than
the export. Without it signatures are checked against the key that the export itself names, which is printed:
compare it. FILE is a daily file of checkpoints that was kept elsewhere; a log that was rolled back or forked
cannot agree with it. The status is 0 when all is true, 1 when something is not, 2 when it cannot be read.
"""

from __future__ import annotations

import argparse
import base64
import json
import re
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from hashlib import sha256, sha512
from pathlib import Path
from typing import Any

sys.stdout.reconfigure(encoding="utf-8")  # type: ignore[union-attr]
BLOCK = 256  # leaves under one stored root
GRACE = timedelta(hours=1)  # no transaction of the registry lives longer
MOST_SHOWN = 200


class Unreadable(Exception):
    """The file is not what it should be. The text says where."""


# ── Ed25519, verification only, after RFC 8032 section 5.1 ────────────────────────────────────────────────
_P = 2**255 - 19
_ORDER = 2**252 + 27742317777372353535851937790883648493
_D = -121665 * pow(121666, -1, _P) % _P
_ROOT = pow(2, (_P - 1) // 4, _P)
Point = tuple[int, int, int, int]  # extended coordinates


def _add(p: Point, q: Point) -> Point:
    a, b = (p[1] - p[0]) * (q[1] - q[0]) % _P, (p[1] + p[0]) * (q[1] + q[0]) % _P
    c, d = 2 * p[3] * q[3] * _D % _P, 2 * p[2] * q[2] % _P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % _P, g * h % _P, f * g % _P, e * h % _P


def _times(factor: int, p: Point) -> Point:
    result: Point = (0, 1, 1, 0)
    while factor:
        if factor & 1:
            result = _add(result, p)
        p, factor = _add(p, p), factor >> 1
    return result


def _same(p: Point, q: Point) -> bool:
    return (p[0] * q[2] - q[0] * p[2]) % _P == 0 and (p[1] * q[2] - q[1] * p[2]) % _P == 0


def _x_of(y: int, sign: int) -> int | None:
    if y >= _P:
        return None
    square = (y * y - 1) * pow(_D * y * y + 1, -1, _P) % _P
    if square == 0:
        return None if sign else 0
    x = pow(square, (_P + 3) // 8, _P)
    if (x * x - square) % _P:
        x = x * _ROOT % _P
    if (x * x - square) % _P:
        return None
    return _P - x if x & 1 != sign else x


def _decode(raw: bytes) -> Point | None:
    number = int.from_bytes(raw, "little")
    y, sign = number & ((1 << 255) - 1), number >> 255
    x = _x_of(y, sign)
    return None if x is None else (x, y, 1, x * y % _P)


_BASE_Y = 4 * pow(5, -1, _P) % _P
_BASE_X = _x_of(_BASE_Y, 0) or 0
_BASE: Point = (_BASE_X, _BASE_Y, 1, _BASE_X * _BASE_Y % _P)


def is_signed(public: bytes, message: bytes, signature: bytes) -> bool:
    """Whether `signature` is the Ed25519 signature of `message` under `public`."""
    if len(public) != 32 or len(signature) != 64:
        return False
    a, r = _decode(public), _decode(signature[:32])
    s = int.from_bytes(signature[32:], "little")
    if a is None or r is None or s >= _ORDER:
        return False
    h = int.from_bytes(sha512(signature[:32] + public + message).digest(), "little") % _ORDER
    return _same(_times(s, _BASE), _add(r, _times(h, a)))


# ── The tree, after RFC 6962 section 2.1 ──────────────────────────────────────────────────────────────────
def leaf_hash(entry: bytes) -> bytes:
    return sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    return sha256(b"\x01" + left + right).digest()


class Growing:
    """The root over leaves that come one after the other; keeps one hash per level."""

    def __init__(self) -> None:
        self.size, self._levels = 0, []  # type: tuple[int, list[bytes | None]]

    def add(self, leaf: bytes) -> None:
        self.size += 1
        for level, left in enumerate(self._levels):
            if left is None:
                self._levels[level] = leaf
                return
            leaf = sha256(b"\x01" + left + leaf).digest()
            self._levels[level] = None
        self._levels.append(leaf)

    def root(self) -> bytes:
        whole: bytes | None = None
        for left in self._levels:
            if left is not None:
                whole = left if whole is None else node_hash(left, whole)
        return whole if whole is not None else sha256(b"").digest()


def root_by_inclusion(leaf: int, size: int, hashed: bytes, path: list[bytes]) -> bytes | None:
    """The root that an audit path leads to (RFC 9162, 2.1.3.2); None when it does not fit the place."""
    if not 0 <= leaf < size:
        return None
    at, last = leaf, size - 1
    for sibling in path:
        if last == 0:
            return None
        if at & 1 or at == last:
            hashed = node_hash(sibling, hashed)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            hashed = node_hash(hashed, sibling)
        at, last = at >> 1, last >> 1
    return hashed if last == 0 else None


def is_consistent(former: int, later: int, old: bytes, new: bytes, path: list[bytes]) -> bool:
    """Whether the first `former` leaves under root `new` are those under root `old` (RFC 9162, 2.1.4.2)."""
    if former > later:
        return False
    if former == later or former == 0:
        return not path and (former == 0 or old == new)
    if former & (former - 1) == 0:
        path = [old, *path]
    if not path:
        return False
    at, last = former - 1, later - 1
    while at & 1:
        at, last = at >> 1, last >> 1
    first = second = path[0]
    for one in path[1:]:
        if last == 0:
            return False
        if at & 1 or at == last:
            first, second = node_hash(one, first), node_hash(one, second)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            second = node_hash(second, one)
        at, last = at >> 1, last >> 1
    return last == 0 and first == old and second == new


# ── Signed checkpoints ────────────────────────────────────────────────────────────────────────────────────
class Checkpoint:
    """A note as it was signed. Raises Unreadable when it is none."""

    def __init__(self, note: str, key: str) -> None:
        self.note, self.key = note, key
        self.text, _blank, signed = note.rpartition("\n\n")
        self.text += "\n"
        lines = self.text.splitlines()
        more = dict(line.partition(" ")[::2] for line in lines[3:])
        try:
            self.origin, self.size, self.root = lines[0], int(lines[1]), base64.b64decode(lines[2])
            self.number, self.previous = int(more["number"]), more["previous"]
            self.at = datetime.fromisoformat(more["time"].replace("Z", "+00:00"))
            self.next_key, suite = more.get("next-key", ""), more["suite"]
            self.signature = base64.b64decode(signed.split(" ")[2])
        except (KeyError, ValueError, IndexError) as error:
            raise Unreadable(f"检查点的文本读不懂：{error}") from None
        if suite != "1" or self.size < 0:
            raise Unreadable(f"检查点 {self.number} 用的算法 {suite} 本程序不认识")

    @property
    def digest(self) -> str:
        return sha256(self.note.encode()).hexdigest()

    def is_signed_by(self, key: str) -> bool:
        """`key` as `name+id+base64`, whose id must be its own fingerprint."""
        name, _id, public = key.split("+", 2) if key.count("+") >= 2 else ("", "", "")
        try:
            raw = base64.b64decode(public)
        except ValueError:
            return False
        mark = sha256(name.encode() + b"\n" + raw).digest()[:4]
        return (
            name == self.origin
            and raw[:1] == b"\x01"
            and self.signature[:4] == mark
            and is_signed(raw[1:], self.text.encode(), self.signature[4:])
        )


class Report:
    """What was found to be untrue, in words that name the place."""

    def __init__(self) -> None:
        self.findings: list[str] = []

    def find(self, text: str) -> None:
        self.findings.append(text)

    def end(self, well: str) -> int:
        for text in self.findings[:MOST_SHOWN]:
            print(f"✗ {text}")
        if len(self.findings) > MOST_SHOWN:
            print(f"✗ ……另有 {len(self.findings) - MOST_SHOWN} 项")
        print(f"共发现 {len(self.findings)} 项问题。" if self.findings else f"✓ {well}")
        return 1 if self.findings else 0


def read_checkpoints(file: Path) -> list[Checkpoint]:
    found = []
    for place, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
        try:
            row = json.loads(line)
            found.append(Checkpoint(row["note"], row["key"]))
        except (ValueError, KeyError, TypeError) as error:
            raise Unreadable(f"{file.name} 第 {place} 行读不懂：{error}") from None
    return found


def check_chain(chain: list[Checkpoint], key: str, report: Report) -> None:
    """Signatures, numbers, hashes of the one before, sizes, times, and that no size has two roots."""
    expected = key or (chain[0].key if chain else "")
    before: Checkpoint | None = None
    roots: dict[int, Checkpoint] = {}
    for one in chain:
        if not one.is_signed_by(expected):
            report.find(f"检查点 {one.number}：签名不符（应由公钥 {expected} 签名）")
        twin = roots.setdefault(one.size, one)
        if twin.root != one.root:
            report.find(f"分叉：检查点 {twin.number} 与 {one.number} 条数同为 {one.size}，根散列值不同")
        if before is None:
            if one.number != 0:
                report.find(f"检查点 0 至 {one.number - 1} 缺失")
        else:
            if one.number != before.number + 1:
                report.find(f"检查点编号不连续：{before.number} 之后是 {one.number}")
            if one.previous != before.digest:
                report.find(f"检查点 {one.number} 所记的上一检查点不是 {before.number}")
            if one.size < before.size or one.at < before.at or one.origin != before.origin:
                report.find(f"检查点 {one.number} 的条数、时间或日志名称与 {before.number} 不相接")
        expected, before = one.next_key or expected, one


def check_known(chain: list[Checkpoint], known: list[Checkpoint], report: Report) -> list[Checkpoint]:
    """Compare with checkpoints that were kept elsewhere; answers those whose root is still to be compared."""
    by_number = {one.number: one for one in chain}
    newest = chain[-1] if chain else None
    keys = {one.key for one in chain} | {one.next_key for one in chain}
    open_ones = []
    for kept in known:
        own = by_number.get(kept.number)
        if not kept.is_signed_by(kept.key) or kept.key not in keys:
            report.find(f"另存的检查点 {kept.number} 签名不符，或不是本日志的公钥所签")
        elif own is None or newest is None or kept.size > newest.size:
            have = f"检查点 {newest.number}、{newest.size} 条" if newest else "没有检查点"
            report.find(
                f"回退：另存的检查点 {kept.number} 已有 {kept.size} 条，本导出只到{have}；"
                f"叶 {newest.size if newest else 0} 至 {kept.size - 1} 缺失"
            )
        elif own.note != kept.note:
            report.find(f"分叉：检查点 {kept.number} 与另存的不同（{kept.size} 条与 {own.size} 条）")
            open_ones.append(kept)
    return open_ones


# ── Entries ───────────────────────────────────────────────────────────────────────────────────────────────
_LINE = re.compile(
    rb'\{"leaf":(\d+),"suite":(\d+),"source":"(event|access)","id":(\d+),"hash":"([0-9a-f]{64})"'
    rb'(?:,"entry":(\[.*\]|null))?\}\n?'
)
COLUMNS = {
    "event": (
        "id", "xid", "at", "request_id", "actor_id", "actor_name", "office_path", "office_name", "org_path",
        "subject_type", "subject_id", "other_path", "action", "reason", "basis", "fields", "digest", "detail",
    ),
    "access": (
        "id", "xid", "at", "request_id", "actor_id", "actor_name", "office_path", "office_name", "org_path",
        "subject_type", "subject_id", "outcome", "route", "purpose", "code", "subject_ids", "fields",
    ),
}  # fmt: skip


class Ids:
    """A set of row ids, one bit each: ids are counted, and there may be a billion."""

    def __init__(self) -> None:
        self._bits = bytearray()

    def add(self, number: int) -> bool:
        """Whether it was new."""
        at, bit = number >> 3, 1 << (number & 7)
        if at >= len(self._bits):
            self._bits.extend(bytes(at + 1 - len(self._bits) + 65536))
        is_new = not self._bits[at] & bit
        self._bits[at] |= bit
        return is_new


def columns_of(entry: bytes) -> dict[str, Any]:
    """The columns of a canonical entry. Raises Unreadable for a form that this program does not know."""
    values = json.loads(entry)
    if values[0] != "1":
        raise Unreadable(f"条目格式 {values[0]} 本程序不认识")
    return dict(zip(COLUMNS[values[1]], values[2:], strict=True)) | {"source": values[1]}


def moment_of(entry: bytes) -> datetime:
    text = columns_of(entry)["at"]
    return datetime.strptime(
        text if "." in text else text.replace("+00", ".0+00"), "%Y-%m-%d %H:%M:%S.%f+00"
    ).replace(tzinfo=UTC)


class Walk:
    """One pass over entries.jsonl: every leaf is compared with its entry, every root with its checkpoint."""

    def __init__(
        self, folder: Path, chain: list[Checkpoint], known: list[Checkpoint], report: Report
    ) -> None:
        self.folder, self.report = folder, report
        self.end = chain[-1].size if chain else 0
        self.marks: dict[int, list[Checkpoint]] = {}
        for one in [*chain, *known]:
            self.marks.setdefault(one.size, []).append(one)
        self.tree, self.block = Growing(), Growing()
        self.blocks = read_blocks(folder / "blocks.jsonl")
        self.ids = {b"event": Ids(), b"access": Ids()}
        self.good_to, self.bad_blocks, self.closed = 0, 0, 0
        self.earliest: datetime | None = None  # a leaf added now cannot be much older

    def lines(self) -> Iterator[tuple[int, bytes | None]]:
        """Every leaf's number and entry, checked; None where the entry was given as a hash only."""
        self._reach(0)
        expected = 0
        with (self.folder / "entries.jsonl").open("rb") as file:
            for line in file:
                match = _LINE.fullmatch(line)
                if match is None:
                    raise Unreadable(f"entries.jsonl 第 {self.tree.size + 1} 行读不懂")
                number, suite, source, pk, stored, entry = match.groups()
                leaf = int(number)
                if leaf >= self.end:
                    break
                if leaf != expected:
                    self._misnumbered(leaf, expected)
                expected = leaf + 1
                self._check(leaf, suite, source, pk, stored, entry)
                self._grow(bytes.fromhex(stored.decode()))
                yield leaf, entry
        if self.tree.size < self.end:
            self.report.find(f"缺失：叶 {expected} 至 {self.end - 1}，检查点已有 {self.end} 叶")

    def _misnumbered(self, leaf: int, expected: int) -> None:
        if leaf > expected:
            self.report.find(f"缺失：叶 {expected}" + (f" 至 {leaf - 1}" if leaf - 1 > expected else ""))
        else:
            self.report.find(f"重号：叶 {leaf} 出现不止一次")

    def _check(
        self, leaf: int, suite: bytes, source: bytes, pk: bytes, stored: bytes, entry: bytes | None
    ) -> None:
        name = f"叶 {leaf}（{source.decode()}/{pk.decode()}）"
        if suite != b"1":
            raise Unreadable(f"{name}用的算法本程序不认识")
        if not self.ids[source].add(int(pk)):
            self.report.find(f"重复：{name}的条目已在前面的叶中")
        if entry is None:
            return
        if entry == b"null":
            self.report.find(f"删除：{name}的条目不在日志表中，或时间被改")
        elif leaf_hash(entry).hex().encode() != stored:
            self.report.find(f"改动：{name}的条目与封存时不同")
        elif not entry.startswith(b'["1","%s","%s",' % (source, pk)):
            self.report.find(f"调换：{name}封存的是另一条目")
        elif self.earliest is not None and moment_of(entry) < self.earliest:
            self.report.find(f"补插：{name}的时间早于它封存之前的检查点")

    def _grow(self, leaf: bytes) -> None:
        self.tree.add(leaf)
        self.block.add(leaf)
        if self.block.size == BLOCK:
            number = self.tree.size // BLOCK - 1
            stored = self.blocks.get(number)
            if stored is not None and stored != self.block.root():
                self.bad_blocks += 1
                if self.bad_blocks <= 3:
                    first = number * BLOCK
                    self.report.find(
                        f"次序或散列值被改：叶 {first} 至 {first + BLOCK - 1} 之间（与所存的块根不符）"
                    )
            self.block = Growing()
        if self.tree.size in self.marks:
            self._reach(self.tree.size)

    def _reach(self, size: int) -> None:
        for mark in self.marks.get(size, ()):
            if self.tree.root() == mark.root:
                self.good_to = size
                # Leaves added later cannot be of entries much older than this.
                self.earliest = mark.at - GRACE
            else:
                self.report.find(
                    f"检查点 {mark.number}：前 {size} 叶的根散列值与签名的不符，"
                    f"叶 {self.good_to} 至 {size - 1} 之间有改动、插入、删除或调换"
                )


def read_blocks(file: Path) -> dict[int, bytes]:
    if not file.exists():
        return {}
    rows = (json.loads(line) for line in file.read_text(encoding="utf-8").splitlines())
    return {row["block"]: bytes.fromhex(row["hash"]) for row in rows}


def check_unsealed(folder: Path, chain: list[Checkpoint], report: Report) -> int:
    """Entries that have no leaf: fresh ones are in order, others slipped in behind the sealer."""
    file, fresh = folder / "unsealed.jsonl", 0
    if not file.exists():
        return 0
    with file.open(encoding="utf-8") as lines:
        for line in lines:
            row = json.loads(line)
            entry = json.dumps(row["entry"], ensure_ascii=False).encode()
            if row["passed_by"] or (chain and moment_of(entry) < chain[-1].at - GRACE):
                report.find(f"补插：条目 {row['source']}/{row['id']} 没有叶，却早于最新的封存")
            else:
                fresh += 1
    return fresh


# ── Commands ──────────────────────────────────────────────────────────────────────────────────────────────
def cut(chain: list[Checkpoint], until: int | None) -> list[Checkpoint]:
    if until is None:
        return chain
    if until not in {one.number for one in chain}:
        raise Unreadable(f"导出中没有检查点 {until}")
    return [one for one in chain if one.number <= until]


def told_key(chain: list[Checkpoint], key: str) -> None:
    if chain and not key:
        print(f"未指定 --key，按导出自带的公钥核对，请与纸质检查点单比对：\n  {chain[0].key}")


def verify(options: argparse.Namespace) -> int:
    report, folder = Report(), options.export
    chain = cut(read_checkpoints(folder / "checkpoints.jsonl"), options.until)
    told_key(chain, options.key)
    check_chain(chain, options.key, report)
    kept = [one for file in options.known for one in read_checkpoints(file)]
    if not chain:
        report.find("导出中没有检查点")
    walk = Walk(folder, chain, check_known(chain, kept, report), report)
    hidden = sum(entry is None for _leaf, entry in walk.lines())
    fresh = 0 if options.until is not None else check_unsealed(folder, chain, report)
    if hidden:
        print(f"其中 {hidden} 条只给出散列值，内容未核对。")
    if fresh:
        print(f"另有 {fresh} 条尚未封存（在最近一次封存之后写入）。")
    return report.end(f"{walk.tree.size} 条、{len(chain)} 个检查点全部相符。")


def about(options: argparse.Namespace) -> int:
    kind, _colon, pk = options.subject.partition(":")
    if not kind or not pk.isdigit():
        raise Unreadable("对象应写作 student:42")
    report = Report()
    chain = cut(read_checkpoints(options.export / "checkpoints.jsonl"), options.until)
    told_key(chain, options.key)
    check_chain(chain, options.key, report)
    walk, hidden, shown = Walk(options.export, chain, [], report), 0, 0
    mark = pk.encode()
    for leaf, entry in walk.lines():
        if entry is None:
            hidden += 1
        elif mark in entry and is_about(row := columns_of(entry), kind, pk):
            shown += 1
            print(
                json.dumps({"leaf": leaf} | row, ensure_ascii=False) if options.json else in_words(leaf, row)
            )
    size = walk.tree.size
    if hidden:
        well = (
            f"已列出 {shown} 条，各在日志之中；另有 {hidden} 条只给出散列值，"
            "其中是否还有涉及该对象的，本导出不能证明。"
        )
    else:
        last = chain[-1].number if chain else "—"
        well = f"至检查点 {last} 为止，日志共 {size} 条，逐条核对，涉及该对象的就是以上 {shown} 条。"
    return report.end(well)


def is_about(row: dict[str, Any], kind: str, pk: str) -> bool:
    if row["subject_type"] != kind:
        return False
    return row["subject_id"] == pk or int(pk) in json.loads(row.get("subject_ids") or "[]")


def in_words(leaf: int, row: dict[str, Any]) -> str:
    act = row.get("action") or f"{row.get('outcome')} {row.get('route')}"
    more = row.get("reason") or row.get("purpose") or ""
    return f"叶 {leaf}  {row['at']}  {row['office_name']} {row['actor_name']}  {act}  {more}".rstrip()


def read_proof(file: Path, wanted: str) -> dict[str, Any]:
    try:
        proof: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    except ValueError as error:
        raise Unreadable(f"{file.name} 不是证明文件：{error}") from None
    if not isinstance(proof, dict) or proof.get("format") != wanted:
        raise Unreadable(f"{file.name} 不是 {wanted} 证明")
    return proof


def signed(row: dict[str, Any], key: str, report: Report) -> Checkpoint:
    one = Checkpoint(row["checkpoint"], row["key"])
    if not key:
        print(f"未指定 --key，按证明自带的公钥核对，请与纸质检查点单比对：\n  {one.key}")
    if not one.is_signed_by(key or one.key):
        report.find(f"检查点 {one.number}：签名不符")
    return one


def inclusion(options: argparse.Namespace) -> int:
    report, proof = Report(), read_proof(options.proof, "xueji-inclusion/1")
    one = signed(proof, options.key, report)
    hashed, leaf = bytes.fromhex(proof["hash"]), proof["leaf"]
    name = f"叶 {leaf}（{proof['source']}/{proof['id']}）"
    if "entry" in proof:
        entry = proof["entry"].encode()
        if leaf_hash(entry) != hashed:
            report.find(f"改动：{name}的条目与散列值不符")
        elif not entry.startswith(f'["1","{proof["source"]}","{proof["id"]}",'.encode()):
            report.find(f"调换：{name}证明的是另一条目")
        else:
            print(in_words(leaf, columns_of(entry)))
    else:
        print("条目内容未公开，只证明其散列值在日志之中。")
    path = [bytes.fromhex(step) for step in proof["path"]]
    if root_by_inclusion(leaf, one.size, hashed, path) != one.root:
        report.find(f"{name}不在检查点 {one.number} 的日志之中")
    return report.end(f"{name}在检查点 {one.number}（{one.at.isoformat()}，共 {one.size} 条）的日志之中。")


def consistency(options: argparse.Namespace) -> int:
    if options.new is not None:
        return compare(options)
    report, proof = Report(), read_proof(options.old, "xueji-consistency/1")
    former, later = signed(proof["former"], options.key, report), Checkpoint(**as_words(proof["later"]))
    if not later.is_signed_by(later.key):
        report.find(f"检查点 {later.number}：签名不符")
    elif later.key not in (former.key, former.next_key):
        print(f"两个检查点之间换过公钥，请另行核对：\n  {later.key}")
    path = [bytes.fromhex(step) for step in proof["path"]]
    if not is_consistent(former.size, later.size, former.root, later.root, path):
        report.find(f"检查点 {later.number} 的日志不是由检查点 {former.number} 增长而来")
    return report.end(
        f"检查点 {former.number}（{former.size} 条）原样在检查点 {later.number}（{later.size} 条）之中。"
    )


def as_words(row: dict[str, str]) -> dict[str, str]:
    return {"note": row["checkpoint"], "key": row["key"]}


def compare(options: argparse.Namespace) -> int:
    """Two exports of the same log, leaf by leaf: the exact place where they part."""
    report = Report()
    old, new = (read_checkpoints(folder / "checkpoints.jsonl") for folder in (options.old, options.new))
    told_key(old, options.key)
    for chain in (old, new):
        check_chain(chain, options.key or (old[0].key if old else ""), report)
    check_known(new, old, report)
    count, parted = 0, 0
    with (
        (options.old / "entries.jsonl").open("rb") as first,
        (options.new / "entries.jsonl").open("rb") as second,
    ):
        for count, (before, after) in enumerate(zip(first, second, strict=False), 1):
            left, right = _LINE.fullmatch(before), _LINE.fullmatch(after)
            if left is None or right is None:
                raise Unreadable(f"entries.jsonl 第 {count} 行读不懂")
            if left.group(1, 3, 4, 5) != right.group(1, 3, 4, 5):
                parted += 1
                if parted <= 5:
                    report.find(
                        f"叶 {left[1].decode()} 不同：原为 {left[3].decode()}/{left[4].decode()}，"
                        f"现为叶 {right[1].decode()} {right[3].decode()}/{right[4].decode()}"
                    )
    if old and count < old[-1].size:
        report.find(f"回退：原有 {old[-1].size} 叶，现只有 {count} 叶可比")
    return report.end(f"新导出包含原导出的全部 {count} 条，内容一致。")


# RFC 8032 section 7.1, tests 1, 2, 3 and SHA(abc): public key, message, signature.
_VECTORS = (
    ("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
     "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"),
    ("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
     "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"),
    ("fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025", "af82",
     "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a"),
    ("ec172b93ad5e563bf4932c70e1245034c35467ef2efd4d64ebf819683467e2bf",
     "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
     "dc2a4459e7369633a52b1bf277839a00201009a3efbf3ecb69bea2186c26b58909351fc9ac90b3ecfdfbc7c66431e0303dca179c138ac17ad9bef1177331a704"),
)  # fmt: skip
# The eight leaves that implementations of RFC 6962 are tried with, and the roots over the first n of them.
_LEAVES = ("", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f")
_ROOTS = (
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
)


def self_test(_options: argparse.Namespace) -> int:
    report = Report()
    for number, (public, message, signature) in enumerate(_VECTORS, 1):
        key, text, mark = (bytes.fromhex(part) for part in (public, message, signature))
        if not is_signed(key, text, mark):
            report.find(f"RFC 8032 向量 {number} 未通过")
        late = (int.from_bytes(mark[32:], "little") + _ORDER).to_bytes(33, "little")[:32]
        for wrong in (mark[:-1] + bytes([mark[-1] ^ 1]), bytes([mark[0] ^ 1]) + mark[1:], mark[:32] + late):
            if is_signed(key, text, wrong):
                report.find(f"RFC 8032 向量 {number} 改动后仍通过")
        if is_signed(key, text + b"x", mark):
            report.find(f"RFC 8032 向量 {number} 换文后仍通过")
    tree = Growing()
    for leaf, root in zip(_LEAVES, _ROOTS, strict=True):
        tree.add(leaf_hash(bytes.fromhex(leaf)))
        if tree.root().hex() != root:
            report.find(f"RFC 6962 前 {tree.size} 叶的根未通过")
    return report.end("RFC 8032 与 RFC 6962 的向量全部通过。")


def arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def command(name: str, run: Any) -> argparse.ArgumentParser:
        one = commands.add_parser(name)
        one.set_defaults(run=run)
        one.add_argument("--key", default="", help="the first public key, from another source than the file")
        return one

    one = command("verify", verify)
    one.add_argument("export", type=Path)
    one.add_argument(
        "--known", type=Path, nargs="+", default=[], help="daily files of checkpoints kept elsewhere"
    )
    one.add_argument("--until", type=int, help="number of the last checkpoint to look at")
    one = command("about", about)
    one.add_argument("subject")
    one.add_argument("export", type=Path)
    one.add_argument("--until", type=int)
    one.add_argument("--json", action="store_true")
    command("inclusion", inclusion).add_argument("proof", type=Path)
    one = command("consistency", consistency)
    one.add_argument("old", type=Path, help="a proof, or the older export")
    one.add_argument("new", type=Path, nargs="?", help="the newer export")
    command("self-test", self_test)
    return parser


@contextmanager
def readable() -> Iterator[None]:
    try:
        yield
    except (OSError, KeyError, ValueError, TypeError) as error:
        raise Unreadable(str(error)) from error


def main(words: Iterable[str] | None = None) -> int:
    options = arguments().parse_args(list(words) if words is not None else None)
    try:
        with readable():
            return int(options.run(options))
    except Unreadable as error:
        print(f"无法核对：{error}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
