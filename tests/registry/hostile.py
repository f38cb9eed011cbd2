"""Workbooks to upload: plain ones, and ones that break readers, lie, hide or grow."""

import struct
import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from io import BytesIO
from xml.sax.saxutils import escape
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile

from registry.fields import TEMPLATE
from registry.intake.sheet import PUPILS, column_letters
from registry.intake.template import GUIDES, headings, template_version

SHEET, STRINGS, WORKBOOK, TYPES = (
    "xl/worksheets/sheet1.xml",
    "xl/sharedStrings.xml",
    "xl/workbook.xml",
    "[Content_Types].xml",
)
_DECLARATION = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"
XLSM = "application/vnd.ms-excel.sheet.macroEnabled.main+xml"
Parts = dict[str, bytes]


def pupil(**changes: str) -> list[str]:
    """The cells of one pupil, those of the template's example; `changes` by key."""
    return [
        changes.get(field.key, "" if field.key == "template_control" else GUIDES[field.key].example)
        for field in TEMPLATE
    ]


def cell(column: int, row: int, text: str) -> str:
    where = f"{column_letters(column)}{row}"
    return f'<c r="{where}" t="inlineStr"><is><t>{escape(text)}</t></is></c>' if text else ""


def row_of(number: int, texts: Sequence[str], attributes: str = "") -> str:
    cells = "".join(cell(column, number, text) for column, text in enumerate(texts, 1))
    return f'<row r="{number}"{attributes}>{cells}</row>'


def sheet_xml(rows: Iterable[str], before: str = "", after: str = "") -> bytes:
    data = "".join(rows)
    around = f'{_DECLARATION}<worksheet xmlns="{_MAIN}">{before}<sheetData>'
    return f"{around}{data}</sheetData>{after}</worksheet>".encode()


def table(*pupils: Sequence[str]) -> list[str]:
    """Headings and pupils as rows of XML; pupils begin in row 2."""
    return [row_of(number, texts) for number, texts in enumerate((headings(), *pupils), 1)]


def parts_of(sheet: bytes | None = None, *, kind: str = XLSX, name: str = PUPILS, state: str = "") -> Parts:
    """The parts of a workbook with one sheet, by default headings and one pupil."""
    shown = f' state="{state}"' if state else ""
    return {
        TYPES: (
            f'{_DECLARATION}<Types xmlns="{_PACKAGE}/content-types">'
            '<Default Extension="rels" ContentType="application/xml"/>'
            '<Default Extension="xml" ContentType="application/xml"/>'
            f'<Override PartName="/xl/workbook.xml" ContentType="{kind}"/></Types>'
        ).encode(),
        "_rels/.rels": relations(("officeDocument", "xl/workbook.xml")),
        WORKBOOK: (
            f'{_DECLARATION}<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}"><sheets>'
            f'<sheet name="{name}" sheetId="1"{shown} r:id="rId1"/></sheets></workbook>'
        ).encode(),
        "xl/_rels/workbook.xml.rels": relations(("worksheet", "worksheets/sheet1.xml")),
        SHEET: sheet_xml(table(pupil())) if sheet is None else sheet,
    }


def relations(*targets: tuple[str, str], mode: str = "") -> bytes:
    links = "".join(
        f'<Relationship Id="rId{number}" Type="{_OFFICE}/{kind}" Target="{target}"{mode}/>'
        for number, (kind, target) in enumerate(targets, 1)
    )
    return f'{_DECLARATION}<Relationships xmlns="{_PACKAGE}/relationships">{links}</Relationships>'.encode()


def pack(parts: Mapping[str, bytes], method: int = ZIP_DEFLATED) -> bytes:
    content = BytesIO()
    with ZipFile(content, "w", method) as archive:
        for name, text in parts.items():
            archive.writestr(name, text)
    return content.getvalue()


def workbook(*pupils: Sequence[str]) -> bytes:
    return pack(parts_of(sheet_xml(table(*(pupils or (pupil(),))))))


def with_rows(*rows: str, before: str = "", after: str = "") -> bytes:
    """Headings, one pupil, and these rows of XML below; `before` and `after` stand around all rows."""
    return pack(parts_of(sheet_xml([*table(pupil()), *rows], before, after)))


def with_parts(more: Mapping[str, bytes]) -> bytes:
    """A good workbook with further or other parts."""
    return pack(parts_of() | dict(more))


def with_sheets(*sheets: tuple[str, str, bytes], main: str = PUPILS) -> bytes:
    """A good workbook with further sheets (name, state, XML); its own first sheet is called `main`."""
    parts = parts_of()
    entries = f'<sheet name="{main}" sheetId="1" r:id="rId1"/>'
    targets = [("worksheet", "worksheets/sheet1.xml")]
    for number, (name, state, xml) in enumerate(sheets, 2):
        entries += f'<sheet name="{name}" sheetId="{number}" state="{state}" r:id="rId{number}"/>'
        targets.append(("worksheet", f"worksheets/sheet{number}.xml"))
        parts[f"xl/worksheets/sheet{number}.xml"] = xml
    parts[WORKBOOK] = (
        f'<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}"><sheets>{entries}</sheets></workbook>'.encode()
    )
    parts["xl/_rels/workbook.xml.rels"] = relations(*targets)
    return pack(parts)


def with_shared_strings(strings: Sequence[str], *rows: str) -> bytes:
    texts = "".join(f"<si><t>{escape(text)}</t></si>" for text in strings)
    parts = parts_of(sheet_xml([*table(pupil()), *rows]))
    parts[STRINGS] = f'{_DECLARATION}<sst xmlns="{_MAIN}">{texts}</sst>'.encode()
    parts["xl/_rels/workbook.xml.rels"] = relations(
        ("worksheet", "worksheets/sheet1.xml"), ("sharedStrings", "sharedStrings.xml")
    )
    return pack(parts)


def with_headings(change: Callable[[list[str]], object]) -> bytes:
    """One pupil under headings that somebody has changed."""
    changed = headings()
    change(changed)
    return pack(parts_of(sheet_xml([row_of(1, changed), row_of(2, pupil())])))


def another_version() -> bytes:
    def change(texts: list[str]) -> None:
        texts[texts.index(template_version())] = template_version()[:-1] + "?"

    return with_headings(change)


# ── Archives that lie ──────────────────────────────
def bomb(megabytes: int) -> bytes:
    """A sheet of empty rows that packs a thousandfold."""
    parts = parts_of()
    rows = b"<row></row>" * (megabytes * 1024**2 // 11)
    parts[SHEET] = parts[SHEET].replace(b"<sheetData>", b"<sheetData>" + rows)
    return pack(parts)


def claiming(packed: bytes, size: int) -> bytes:
    """The same archive, but its directory says that the sheet unpacks to `size` bytes."""
    place = packed.rindex(SHEET.encode()) - 46  # the directory's record of the sheet
    return packed[: place + 24] + struct.pack("<L", size) + packed[place + 28 :]


def overlapping() -> bytes:
    """Two names in the directory for the bytes of one part."""
    parts = parts_of()
    parts["xl/worksheets/sheet2.xml"] = parts[SHEET]
    packed = pack(parts)
    first, second = (packed.rindex(name) - 46 for name in (SHEET.encode(), b"xl/worksheets/sheet2.xml"))
    offset = packed[first + 42 : first + 46]
    moved = packed[: second + 42] + offset + packed[second + 46 :]
    # The local header has to bear the second name too, else the names alone would betray it.
    return moved.replace(b"xl/worksheets/sheet2.xml", SHEET.encode())


def repeated(first: str, second: str) -> bytes:
    """Two parts whose names differ by nothing or by capitals only."""
    entries = [*parts_of().items(), (first, b"<a/>"), (second, b"<b/>")]
    return raw_zip([(name, text, 0) for name, text in entries])


def raw_zip(entries: Sequence[tuple[str, bytes, int]]) -> bytes:
    """An archive of (name, content, flags), written by hand: names need not be decent."""
    body, directory = b"", b""
    for name, text, flags in entries:
        raw = name.encode()
        squeezed = zlib.compressobj(9, zlib.DEFLATED, -15)
        packed = squeezed.compress(text) + squeezed.flush()
        sizes = struct.pack("<3L", zlib.crc32(text), len(packed), len(text))
        head = struct.pack("<4H", 20, flags, 8, 0) + b"\0\0" + sizes + struct.pack("<2H", len(raw), 0)
        directory += (
            b"PK\1\2" + struct.pack("<H", 20) + head + struct.pack("<3H2L", 0, 0, 0, 0, len(body)) + raw
        )
        body += b"PK\3\4" + head + raw + packed
    end = struct.pack("<4H2LH", 0, 0, len(entries), len(entries), len(directory), len(body), 0)
    return body + directory + b"PK\5\6" + end


# ── Other formats ──────────────────────────────
def old_style(stream: str) -> bytes:
    """An OLE2 file with a stream of this name: what .xls and encrypted workbooks are."""
    return b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(1016) + stream.encode("utf-16-le") + bytes(2048)


def open_document() -> bytes:
    kind = b"application/vnd.oasis.opendocument.spreadsheet"
    return pack({"mimetype": kind, "content.xml": b"<office/>", "META-INF/manifest.xml": b"<m/>"}, ZIP_STORED)


CSV = "姓名,性别,出生日期\n张三,男,20190315\n".encode("gb18030")
HTML = "<html><table><tr><td>姓名</td></tr></table></html>".encode()
