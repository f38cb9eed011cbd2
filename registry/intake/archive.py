"""The ZIP archive of a workbook, read byte by byte: libraries believe headers, and readers disagree about odd
archives (SECURITY FI-2). Only the plain form is taken that Excel, WPS and LibreOffice write. Standard library
only.
"""

from __future__ import annotations

import contextlib
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from registry.intake.sheet import BadWorkbook, Limits

CHUNK = 2 * 1024 * 1024
_PACKED = 256 * 1024  # packed bytes handed to the inflater at once
WORKBOOK = "xl/workbook.xml"

_LOCAL, _CENTRAL, _END = b"PK\x03\x04", b"PK\x01\x02", b"PK\x05\x06"
_END_RECORD = struct.Struct("<4s4H2LH")
_CENTRAL_RECORD = struct.Struct("<4s6H3L5H2L")
_LOCAL_RECORD = struct.Struct("<4s5H3L2H")
_STORED, _DEFLATED = 0, 8
_ENCRYPTED = 0x0001 | 0x0040 | 0x2000
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"

# What an old-style file holds tells what it is.
_STREAMS = {"EncryptedPackage": "file_encrypted", "Workbook": "file_xls", "Book": "file_xls"}
# By the beginning of a part's name: what does not belong into a form that is filled in.
_FORBIDDEN = {
    "xl/vbaproject": "file_macro",
    "xl/vbadata": "file_macro",
    "xl/macrosheets/": "file_macro",
    "xl/dialogsheets/": "file_macro",
    "xl/externallinks/": "external_link",
    "xl/connections": "external_link",
    "xl/querytables/": "external_link",
    "xl/embeddings/": "embedded_object",
    "xl/activex/": "embedded_object",
    "xl/model/": "embedded_object",
}
_PRINTER = "xl/printersettings/"  # the only binary part that ordinary saving leaves behind


@dataclass(frozen=True, slots=True)
class Part:
    """One entry of the archive: where its packed bytes lie, and how much the directory claims."""

    name: str
    method: int
    begin: int
    end: int
    claimed: int


class Archive:
    """The parts of one workbook, or those given by `directory`; inflated in chunks, counted against the
    limits while inflating.
    """

    def __init__(self, data: bytes, limits: Limits, parts: dict[str, Part] | None = None) -> None:
        self.parts = look_at(data, limits) if parts is None else parts
        self._data, self._limits = memoryview(data), limits
        self._unpacked: dict[str, int] = {}

    def chunks(self, name: str) -> Iterator[bytes]:
        """The part in pieces of at most CHUNK bytes. Raises BadWorkbook when it grows beyond the limits."""
        part, size = self.parts[name], 0
        for chunk in _inflate(self._data[part.begin : part.end], part):
            yield chunk
            # Afterwards: one chunk too many does no harm, and whoever looks may know a better reason.
            size += len(chunk)
            self._count(part, size)
        if size != part.claimed:
            raise BadWorkbook("damaged", part=name)

    def _count(self, part: Part, size: int) -> None:
        if size > self._limits.ratio * (part.end - part.begin):
            raise BadWorkbook("ratio", part=part.name, limit=self._limits.ratio)
        self._unpacked[part.name] = max(size, self._unpacked.get(part.name, 0))
        if sum(self._unpacked.values()) > self._limits.unpacked_bytes:
            raise BadWorkbook("unpacked", limit=self._limits.unpacked_bytes // 1024**2)


def look_at(data: bytes, limits: Limits) -> dict[str, Part]:
    """The parts by name, without inflating any. Raises BadWorkbook: size, kind of file, form of the archive,
    forbidden parts.
    """
    if len(data) > limits.file_bytes:
        raise BadWorkbook("file_too_big", limit=limits.file_bytes // 1024**2)
    _recognise(data)
    parts = directory(data, limits)
    _check_kind(parts)
    return parts


def _recognise(data: bytes) -> None:
    """What pretends to be a workbook is called by its name, so that the user knows what to save anew."""
    head = data[:4096].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if not data or data.startswith(_END):
        raise BadWorkbook("file_empty")
    if data.startswith(_OLE):
        for stream, code in _STREAMS.items():
            if stream.encode("utf-16-le") in data:
                raise BadWorkbook(code)
    elif data.startswith(_LOCAL):
        return
    elif head.startswith((b"<html", b"<!doctype html", b"<table", b"<meta", b"mime-version", b"<?xml")):
        raise BadWorkbook("file_html")
    elif not head.startswith(b"%pdf") and _is_text(data):
        raise BadWorkbook("file_csv")
    raise BadWorkbook("file_other")


def _is_text(data: bytes) -> bool:
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return True
    if any(byte < 32 and byte not in (9, 10, 12, 13, 26) for byte in data[:4096]):
        return False
    for encoding in ("utf-8", "gb18030"):
        try:
            data.decode(encoding)
        except UnicodeDecodeError:
            continue
        return True
    return False


def directory(data: bytes, limits: Limits, encodings: tuple[str, ...] = ("utf-8",)) -> dict[str, Part]:
    """The central directory, which must lie at the very end, name each part once and overlap nowhere.

    Names are read in the first of `encodings` that fits.
    """
    if not data.startswith(_END, max(0, len(data) - _END_RECORD.size)):
        raise BadWorkbook("archive_form" if _END in data else "truncated")
    end = len(data) - _END_RECORD.size
    _, disk, first_disk, here, count, size, offset, _ = _END_RECORD.unpack_from(data, end)
    if count > limits.parts:
        raise BadWorkbook("parts", limit=limits.parts)
    if disk or first_disk or here != count or offset + size != end:
        raise BadWorkbook("archive_form")
    parts, spans, names = {}, [], set()
    for _ in range(count):
        part, span, offset = _entry(data, offset, end, encodings)
        if part.name.casefold() in names:
            raise BadWorkbook("overlap", part=part.name)
        names.add(part.name.casefold())
        parts[part.name] = part
        spans.append(span)
    if offset != end:
        raise BadWorkbook("archive_form")
    spans.sort()
    for (_begin, finish), (begin, _finish) in zip(spans, [*spans[1:], (end - size, end)], strict=True):
        if finish > begin:
            raise BadWorkbook("overlap")
    return parts


def _entry(
    data: bytes, offset: int, end: int, encodings: tuple[str, ...]
) -> tuple[Part, tuple[int, int], int]:
    """One record of the directory: the part, the bytes it occupies, and where the next record begins."""
    if offset + _CENTRAL_RECORD.size > end:
        raise BadWorkbook("archive_form")
    record = _CENTRAL_RECORD.unpack_from(data, offset)
    magic, flags, method, packed, claimed = record[0], record[3], record[4], record[8], record[9]
    name_size, extra_size, comment_size, local = record[10], record[11], record[12], record[16]
    names_at = offset + _CENTRAL_RECORD.size
    raw = data[names_at : names_at + name_size]
    if magic != _CENTRAL or local + _LOCAL_RECORD.size > end:
        raise BadWorkbook("archive_form")
    name = _name(raw, encodings)
    here = _LOCAL_RECORD.unpack_from(data, local)
    named = local + _LOCAL_RECORD.size
    begin = named + here[9] + here[10]
    if (flags | here[2]) & _ENCRYPTED:
        raise BadWorkbook("file_encrypted")
    if here[0] != _LOCAL or here[3] != method or data[named : named + here[9]] != raw:
        raise BadWorkbook("archive_form")
    if method not in (_STORED, _DEFLATED) or begin + packed > end:
        raise BadWorkbook("archive_form")
    following = names_at + name_size + extra_size + comment_size
    return Part(name, method, begin, begin + packed, claimed), (local, begin + packed), following


def _name(raw: bytes, encodings: tuple[str, ...]) -> str:
    """The name of a part. Raises BadWorkbook for one that would leave the archive or be read in two ways."""
    name = ""
    for encoding in encodings:
        with contextlib.suppress(UnicodeDecodeError):
            name = raw.decode(encoding)
            break
    is_odd = any(letter in '\\:*?"<>|' or not letter.isprintable() for letter in name)
    if is_odd or not name or name.startswith("/") or {"", ".", ".."} & set(name.removesuffix("/").split("/")):
        raise BadWorkbook("part_name")
    return name


def _check_kind(parts: dict[str, Part]) -> None:
    """Other formats that are ZIP archives too, and parts that are forbidden."""
    names = {name.lower() for name in parts}
    if "xl/workbook.bin" in names:
        raise BadWorkbook("file_xlsb")
    if "content.xml" in names and "mimetype" in names:
        raise BadWorkbook("file_ods")
    for name in names:
        for beginning, code in _FORBIDDEN.items():
            if name.startswith(beginning):
                raise BadWorkbook(code, part=name)
        if name.endswith(".bin") and not name.startswith(_PRINTER):
            raise BadWorkbook("embedded_object", part=name)
    if WORKBOOK not in parts or "[Content_Types].xml" not in parts:
        raise BadWorkbook("file_other")


def _inflate(packed: memoryview, part: Part) -> Iterator[bytes]:
    if part.method == _STORED:
        for begin in range(0, len(packed), CHUNK):
            yield bytes(packed[begin : begin + CHUNK])
        return
    inflater = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        for begin in range(0, len(packed), _PACKED):
            rest: bytes | memoryview = packed[begin : begin + _PACKED]
            while rest:
                if chunk := inflater.decompress(rest, CHUNK):
                    yield chunk
                rest = inflater.unconsumed_tail
        if chunk := inflater.flush():
            yield chunk
    except zlib.error:
        raise BadWorkbook("damaged", part=part.name) from None
    if not inflater.eof:
        raise BadWorkbook("damaged", part=part.name)
    if inflater.unused_data:
        raise BadWorkbook("archive_form")
