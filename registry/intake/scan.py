"""The scan before parsing: an .xlsx is inflated in chunks, and nothing of it is believed (SECURITY FI-2).

Runs in the reading process; standard library only, no Django.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from xml.etree import ElementTree  # noqa: S405  # parts with a DTD or entities are refused before

from registry.intake.archive import WORKBOOK, Archive
from registry.intake.sheet import OWN_SHEETS, PUPILS, BadWorkbook, Limits, column_number
from registry.intake.worksheet import DOUBT, VALUES, LongRun, Skim, Walk, too_long, whole_tags

_TYPES, _STRINGS = "[Content_Types].xml", "xl/sharedStrings.xml"
_MAIN = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"
_SHEET_PART = re.compile(r"xl/worksheets/[\w.-]+\.xml", re.ASCII)
_RELATION_ID = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
_STRICT_RELATION_ID = "{http://purl.oclc.org/ooxml/officeDocument/relationships}id"
_DECLARED = re.compile(rb"<\?xml[^>]*?encoding\s*=\s*[\"']([\w.-]+)", re.ASCII)
_ENTITIES = re.compile(rb"<!(?!--|\[CDATA\[)")
_ESCAPED = 16  # a character takes up to so many bytes when it is written as an entity
_SMALL = 16 * 1024 * 1024  # bytes; parts that are read as a tree: a link for every e-mail address


@dataclass(frozen=True, slots=True)
class Found:
    """The sheet with the pupils, and what of it is hidden from whoever looks at it."""

    sheet: str
    hidden_rows: frozenset[int] = frozenset()
    hidden_columns: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class _Sheet:
    name: str
    part: str
    is_hidden: bool


def scan(data: bytes, limits: Limits) -> Found:
    """What to read. Raises BadWorkbook for everything that is not a plain .xlsx within `limits`, with one
    sheet of pupils, and nothing in it that a reader understands differently from whoever filled it in.
    """
    archive = Archive(data, limits)
    _check_type(archive)
    sheets = _sheets(archive)
    by_part = {sheet.part: sheet for sheet in sheets}
    skims = {}
    for name in archive.parts:
        if _SHEET_PART.fullmatch(name):
            skims[name] = _skim(archive, name, by_part.get(name), limits)
        elif name.endswith(".rels"):
            _check_relations(archive, name)
        elif name == _STRINGS:
            _skim_strings(archive, sheets, limits)
        elif name not in (_TYPES, WORKBOOK):
            look = _plain_xml if name.endswith((".xml", ".vml")) else Archive.chunks
            for _chunk in look(archive, name):
                pass
    return _choose(sheets, skims)


def _choose(sheets: list[_Sheet], skims: dict[str, Skim]) -> Found:
    """The one sheet of pupils: the one of that name, else the only one. Others must be ours or empty."""
    others = [sheet for sheet in sheets if sheet.name not in OWN_SHEETS]
    filled = [sheet for sheet in others if skims[sheet.part].found & VALUES]
    named = [sheet for sheet in others if sheet.name == PUPILS]
    chosen = named[0] if named else others[0] if len(others) == 1 else None
    if chosen is None:
        raise BadWorkbook("no_sheet")
    for sheet in filled:
        if sheet != chosen:
            raise BadWorkbook("hidden_sheet" if sheet.is_hidden else "extra_sheet", sheet=sheet.name)
    if chosen.is_hidden:
        raise BadWorkbook("hidden_sheet", sheet=chosen.name)
    skim = skims[chosen.part]
    if not skim.found & VALUES:
        raise BadWorkbook("sheet_empty", sheet=chosen.name)
    if skim.merged:
        row, column = skim.merged
        raise BadWorkbook("merged_cells", sheet=chosen.name, row=row, column=column)
    return Found(chosen.name, frozenset(skim.hidden_rows), frozenset(skim.hidden_columns))


def _utf8(archive: Archive, name: str) -> Iterator[bytes]:
    """The part in chunks. Raises BadWorkbook for another encoding, in which tags would not be recognised."""
    is_first = True
    for chunk in archive.chunks(name):
        declared = _DECLARED.search(chunk[:200]) if is_first else None
        is_other = declared and declared[1].lower() not in (b"utf-8", b"utf8", b"us-ascii")
        if is_other or b"\0" in chunk or (is_first and chunk.startswith((b"\xff\xfe", b"\xfe\xff"))):
            raise BadWorkbook("encoding", part=name)
        is_first = False
        yield chunk


def _plain_xml(archive: Archive, name: str) -> Iterator[bytes]:
    """The part in chunks. Raises BadWorkbook for a DTD or entities, and for another encoding."""
    before = b""
    for chunk in _utf8(archive, name):
        if _ENTITIES.search(before + chunk):
            raise BadWorkbook("entities", part=name)
        yield chunk
        before = chunk[-8:]


def _tree(archive: Archive, name: str) -> ElementTree.Element:
    """A small part as a tree."""
    if name not in archive.parts:
        raise BadWorkbook("file_other")
    content = bytearray()
    for chunk in _plain_xml(archive, name):
        content += chunk
        if len(content) > _SMALL:
            raise BadWorkbook("exotic", part=name)
    try:
        return ElementTree.fromstring(bytes(content))  # noqa: S314  # neither DTD nor entities
    except (ElementTree.ParseError, ValueError, LookupError):
        raise BadWorkbook("damaged", part=name) from None


def _check_type(archive: Archive) -> None:
    types = _tree(archive, _TYPES)
    named = {element.get("PartName"): element.get("ContentType", "") for element in types}
    default = {element.get("Extension"): element.get("ContentType", "") for element in types}
    kind = named.get(f"/{WORKBOOK}") or default.get("xml") or ""
    if "macroenabled" in kind.lower():
        raise BadWorkbook("file_macro", part=WORKBOOK)
    if kind != _MAIN:
        raise BadWorkbook("file_other")


def _check_relations(archive: Archive, name: str) -> None:
    """Links that office programs make of an e-mail address are let be; nothing else may point outside."""
    for relation in _tree(archive, name):
        if relation.get("TargetMode") == "External" and not relation.get("Type", "").endswith("/hyperlink"):
            raise BadWorkbook("external_link", part=name)


def _sheets(archive: Archive) -> list[_Sheet]:
    """The worksheets in the order of the workbook."""
    targets = {
        relation.get("Id"): (relation.get("Type", ""), relation.get("Target", ""))
        for relation in _tree(archive, "xl/_rels/workbook.xml.rels")
    }
    sheets = []
    for element in _tree(archive, WORKBOOK).iter():
        if element.tag.rpartition("}")[2] == "sheet":
            name = element.get("name", "")
            link = element.get(_RELATION_ID) or element.get(_STRICT_RELATION_ID)
            kind, target = targets.get(link, ("", ""))
            part = target.removeprefix("/") if target.startswith("/") else f"xl/{target}"
            if not kind.endswith("/worksheet"):
                raise BadWorkbook("extra_sheet", sheet=name)
            if not _SHEET_PART.fullmatch(part) or part not in archive.parts:
                raise BadWorkbook("exotic", part=WORKBOOK)
            sheets.append(_Sheet(name, part, element.get("state", "visible") != "visible"))
    names = {sheet.name.strip().casefold() for sheet in sheets}
    if len(names) < len(sheets) or len({sheet.part for sheet in sheets}) < len(sheets):
        raise BadWorkbook("exotic", part=WORKBOOK)
    return sheets


def _skim(archive: Archive, part: str, sheet: _Sheet | None, limits: Limits) -> Skim:
    """One worksheet; walked from cell to cell where its tags give reason to doubt."""
    skim, walk = Skim(limits), Walk(limits)
    try:
        for piece in _pieces(archive, part, limits):
            skim.look(piece)
        if skim.found & DOUBT:
            for piece in _pieces(archive, part, limits):
                walk.look(piece)
    except LongRun as run:
        raise _on(sheet, too_long(run)) from None
    except BadWorkbook as fault:
        raise _on(sheet, fault) from None
    return skim


def _on(sheet: _Sheet | None, fault: BadWorkbook) -> BadWorkbook:
    fault.sheet = sheet.name if sheet else ""
    return fault


def _pieces(archive: Archive, part: str, limits: Limits) -> Iterator[bytes]:
    return whole_tags(_utf8(archive, part), limits.characters * _ESCAPED)


def _skim_strings(archive: Archive, sheets: list[_Sheet], limits: Limits) -> None:
    """The texts that cells share. More of them than there may be cells belong to nobody."""
    skim, count = Skim(limits), 0
    try:
        for piece in _pieces(archive, _STRINGS, limits):
            skim.look(piece)
            count += piece.count(b"<si>")
    except LongRun as run:
        raise _cell_showing(archive, sheets, count + run.before.count(b"<si>") - 1) from None
    if count > limits.last_row * limits.columns:
        raise BadWorkbook("exotic", part=_STRINGS)


def _cell_showing(archive: Archive, sheets: list[_Sheet], string: int) -> BadWorkbook:
    """The refusal of the first cell that shows the shared text of this number, which is too long."""
    cell = re.compile(rb'<c r="([A-Z]{1,3})([0-9]{1,7})"[^<>]*><v>%d</v>' % string)
    for sheet in sheets:
        before = b""
        for chunk in archive.chunks(sheet.part):
            if found := cell.search(before + chunk):
                row, column = int(found[2]), column_number(found[1].decode())
                return BadWorkbook("cell_too_long", sheet=sheet.name, row=row, column=column)
            before = chunk[-300:]
    return BadWorkbook("cell_too_long")
