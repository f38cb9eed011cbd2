"""Hostile and unsuitable workbooks: refused with file, sheet, row, column and rule in Chinese (FI-2)."""

import ast
from pathlib import Path
from random import Random

import pytest

from registry.intake import reading
from registry.intake.reading import limits_in_force, look_at, read_rows
from registry.intake.refusals import REASONS, BadFile, SetAside
from registry.intake.scan import scan
from registry.intake.sheet import PUPILS, BadWorkbook, Limits
from registry.intake.template import headings
from tests import make
from tests.registry import hostile as h
from tests.registry.uploads import (  # noqa: F401
    FILE,
    LIMITS,
    NATIONAL,
    nothing_stays_behind,
    read,
    refused,
    tighter,
)

LONG = "长" * 4_000_000  # twelve million bytes that pack to nearly none
NAME = h.pupil()[:3]


def inside(xml: str, column: str = "G", row: int = 3, attributes: str = "") -> str:
    """A row of XML whose last cell holds `xml`."""
    return f'<row r="{row}"><c r="{column}{row}"{attributes}>{xml}</c></row>'


def sheet_with(old: bytes, new: bytes) -> bytes:
    parts = h.parts_of()
    return h.pack(parts | {h.SHEET: parts[h.SHEET].replace(old, new)})


def stolen_path(target: str) -> bytes:
    return h.with_parts({"xl/_rels/workbook.xml.rels": h.relations(("worksheet", target))})


DTD = b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'
SIXTEEN = "<worksheet/>".encode("utf-16")
ONE = h.sheet_xml([h.row_of(1, ["旁注"])])
EVIL = [(name, text, 0) for name, text in h.parts_of().items()]

# What it is, the file, the reason, row and column.
BAD: list[tuple[str, bytes, str, int, int]] = [
    ("empty file", b"", "file_empty", 0, 0),
    ("empty archive", b"PK\5\6" + bytes(18), "file_empty", 0, 0),
    ("too big", b"PK\3\4" + bytes(20 * 1024**2), "file_too_big", 0, 0),
    ("encrypted", h.old_style("EncryptedPackage"), "file_encrypted", 0, 0),
    ("encrypted entry", h.raw_zip([(n, t, 1) for n, t, _ in EVIL]), "file_encrypted", 0, 0),
    ("xls", h.old_style("Workbook"), "file_xls", 0, 0),
    ("doc", h.old_style("WordDocument"), "file_other", 0, 0),
    ("ods", h.open_document(), "file_ods", 0, 0),
    ("csv", h.CSV, "file_csv", 0, 0),
    ("csv of Windows", "姓名\t性别".encode("utf-16"), "file_csv", 0, 0),
    ("html", h.HTML, "file_html", 0, 0),
    ("pdf", b"%PDF-1.7\n%text", "file_other", 0, 0),
    ("xlsb", h.with_parts({"xl/workbook.bin": b""}), "file_xlsb", 0, 0),
    ("docx", h.pack({h.TYPES: b"<Types/>", "word/document.xml": b"<a/>"}), "file_other", 0, 0),
    ("xltx", h.pack(h.parts_of(kind=h.XLSX.replace("sheet.main", "template.main"))), "file_other", 0, 0),
    ("macros", h.with_parts({"xl/vbaProject.bin": b""}), "file_macro", 0, 0),
    ("xlsm", h.pack(h.parts_of(kind=h.XLSM)), "file_macro", 0, 0),
    ("macro sheet", h.with_parts({"xl/macrosheets/sheet1.xml": b"<a/>"}), "file_macro", 0, 0),
    (
        "external workbook",
        h.with_parts({"xl/externalLinks/externalLink1.xml": b"<a/>"}),
        "external_link",
        0,
        0,
    ),
    (
        "external picture",
        h.with_parts(
            {
                "xl/drawings/_rels/d.xml.rels": h.relations(
                    ("image", "http://a"), mode=' TargetMode="External"'
                )
            }
        ),
        "external_link",
        0,
        0,
    ),
    ("object", h.with_parts({"xl/embeddings/oleObject1.bin": b"MZ"}), "embedded_object", 0, 0),
    ("unknown binary", h.with_parts({"xl/thing.bin": b"MZ"}), "embedded_object", 0, 0),
    # Archives
    ("truncated", h.workbook()[:-200], "truncated", 0, 0),
    ("something behind", h.workbook() + b"more", "archive_form", 0, 0),
    ("something before", b"PK\3\4" + h.workbook(), "archive_form", 0, 0),
    ("zip bomb", h.bomb(50), "ratio", 0, 0),
    ("zip bomb that lies", h.claiming(h.bomb(50), 1000), "ratio", 0, 0),
    (
        "bomb in another part",
        h.with_parts({"xl/styles.xml": b"<a>" + bytes([32]) * 10**7 + b"</a>"}),
        "ratio",
        0,
        0,
    ),
    ("size that lies", h.claiming(h.workbook(), 1000), "damaged", 0, 0),
    ("overlapping entries", h.overlapping(), "overlap", 0, 0),
    ("one name twice", h.repeated("xl/a.xml", "xl/a.xml"), "overlap", 0, 0),
    ("names by capitals only", h.repeated("xl/a.xml", "xl/A.xml"), "overlap", 0, 0),
    ("201 entries", h.with_parts({f"x{n}.xml": b"<a/>" for n in range(196)}), "parts", 0, 0),
    *(
        (f"name {name}", h.raw_zip([*EVIL, (name, b"<a/>", 0)]), "part_name", 0, 0)
        for name in (
            "../evil.xml",
            "xl/../../evil.xml",
            "/etc/passwd",
            "xl\\evil.xml",
            "C:evil.xml",
            "xl//a.xml",
            "a\nb",
        )
    ),
    # XML
    ("entities in a part", h.with_parts({"xl/styles.xml": DTD}), "entities", 0, 0),
    ("entities in the workbook", h.with_parts({h.WORKBOOK: DTD}), "entities", 0, 0),
    ("entities in the sheet", h.with_parts({h.SHEET: DTD}), "entities", 0, 0),
    ("UTF-16", h.with_parts({h.SHEET: SIXTEEN}), "encoding", 0, 0),
    ("another encoding", sheet_with(b'"UTF-8"', b'"GB2312"'), "encoding", 0, 0),
    ("comment", sheet_with(b"<sheetData>", b"<!-- <sheetData> --><sheetData>"), "exotic", 0, 0),
    (
        "CDATA",
        h.with_rows(inside("<is><t><![CDATA[x]]></t></is>", attributes=' t="inlineStr"')),
        "exotic",
        0,
        0,
    ),
    ("tag in a tag", h.with_rows('<row r="3"><c r="A3" x="<f>"><v>1</v></c></row>'), "exotic", 0, 0),
    (
        "attribute twice",
        h.with_rows('<row r="3"><c r="A3" r="XFD1048576"><v>1</v></c></row>'),
        "exotic",
        0,
        0,
    ),
    ("sheet elsewhere", stolen_path("../evil.xml"), "exotic", 0, 0),
    ("sheet nowhere", stolen_path("worksheets/sheet9.xml"), "exotic", 0, 0),
    # Sheets
    ("two sheets with data", h.with_sheets(("Sheet2", "visible", ONE)), "extra_sheet", 0, 0),
    ("hidden sheet with data", h.with_sheets(("Sheet2", "veryHidden", ONE)), "hidden_sheet", 0, 0),
    ("pupils in a hidden sheet", h.pack(h.parts_of(state="hidden")), "hidden_sheet", 0, 0),
    ("two sheets of other names", h.with_sheets(("乙", "visible", ONE), main="甲"), "no_sheet", 0, 0),
    ("one sheet twice", h.with_sheets((PUPILS, "visible", ONE)), "exotic", 0, 0),
    (
        "chart",
        h.with_parts({"xl/_rels/workbook.xml.rels": h.relations(("chartsheet", "x.xml"))}),
        "extra_sheet",
        0,
        0,
    ),
    ("empty sheet", h.pack(h.parts_of(h.sheet_xml([]))), "sheet_empty", 0, 0),
    # Cells
    ("formula", h.with_rows(inside("<f>1+1</f><v>2</v>")), "formula", 3, 7),
    ("formula of a neighbour", h.with_rows(inside("<f t='shared' si='0'/><v>2</v>")), "formula", 3, 7),
    ("error value", h.with_rows(inside("<v>#N/A</v>", attributes=' t="e"')), "error_cell", 3, 7),
    (
        "merged cells",
        h.with_rows(after='<mergeCells><mergeCell ref="C2:C5"/></mergeCells>'),
        "merged_cells",
        2,
        3,
    ),
    ("hidden row", h.with_rows(h.row_of(3, NAME, ' hidden="1"')), "hidden_rows", 3, 0),
    (
        "hidden columns",
        h.with_rows(before='<cols><col min="27" max="30" hidden="1"/></cols>'),
        "hidden_columns",
        2,
        27,
    ),
    ("far cell", h.with_rows(inside("<v>1</v>", "XFD", 1048576)), "too_many_columns", 1048576, 16384),
    (
        "far cell in single quotes",
        h.with_rows("<row r='3'><c r='XFD1048576'/></row>"),
        "too_many_columns",
        1048576,
        16384,
    ),
    (
        "far cell with a prefix",
        h.with_rows('<x:row><x:c r="XFD1048576"/></x:row>'),
        "too_many_columns",
        1048576,
        16384,
    ),
    ("far row", h.with_rows(inside("<v>1</v>", "A", 60000)), "too_many_rows", 60000, 1),
    ("far row just beyond", h.with_rows(inside("<v>1</v>", "A", 50004)), "too_many_rows", 50004, 1),
    ("201 columns", h.with_rows(inside("<v>1</v>", "GS")), "too_many_columns", 3, 201),
    (
        "201 cells without a place",
        h.with_rows(f"<row>{'<c><v>1</v></c>' * 201}</row>"),
        "too_many_columns",
        3,
        201,
    ),
    ("10 MB in a cell", h.with_rows(h.row_of(3, [*NAME[:2], LONG])), "cell_too_long", 3, 3),
    (
        "10 MB in a shared text",
        h.with_shared_strings(["短", LONG], '<row r="3"><c r="C3" t="s"><v>1</v></c></row>'),
        "cell_too_long",
        3,
        3,
    ),
    ("32,768 characters", h.with_rows(h.row_of(3, [*NAME[:2], "长" * 32_768])), "cell_too_long", 3, 3),
    ("not XML", sheet_with(b"</sheetData></worksheet>", b""), "unreadable", 0, 0),
    (
        "shared text that is not there",
        h.with_rows(inside("<v>9</v>", attributes=' t="s"')),
        "unreadable",
        0,
        0,
    ),
]


@pytest.mark.rule("FI-2", "R-EST-10")
@pytest.mark.parametrize(
    ("content", "reason", "row", "column"), [bad[1:] for bad in BAD], ids=[bad[0] for bad in BAD]
)
def test_a_bad_workbook_is_refused_by_file_sheet_row_column_and_rule(content, reason, row, column):
    bad = refused(content)
    assert (bad.code, bad.status, bad.row, bad.column) == (f"import_{reason}", 422, row, column)
    assert bad.detail.startswith(f"文件“{FILE}”")
    assert bad.detail.endswith(f"（规则{bad.rule}）")
    if row:
        assert f"工作表“{PUPILS}”第{row}行" in bad.detail
    assert bad.in_words()["code"] == bad.code


@pytest.mark.rule("FI-2")
def test_every_reason_has_a_sentence_and_every_sentence_a_reason():
    named, raised = set(), {bad[2] for bad in BAD}
    for path in Path(reading.__file__).parent.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and called(node) in ("BadWorkbook", "BadFile", "_bad", "bad"):
                raised |= {part.value for part in ast.walk(node.args[0]) if isinstance(part, ast.Constant)}
            if path.name != "refusals.py" and isinstance(node, ast.Constant):
                named.add(node.value)
    assert raised - {"e", "code"} <= set(REASONS) <= named | {"set_aside"}
    assert "搁置" in SetAside(file=FILE).detail


def called(node: ast.Call) -> str:
    return getattr(node.func, "id", getattr(node.func, "attr", ""))


@pytest.mark.rule("FI-2")
def test_limits_hold_at_the_bound():
    rows = [h.row_of(number, NAME) for number in range(2, 50_003)]
    head = h.row_of(1, headings())
    assert len(read(h.pack(h.parts_of(h.sheet_xml([head, *rows[:-1]]))))) == 50_000
    bad = refused(h.pack(h.parts_of(h.sheet_xml([head, *rows]))))
    assert (bad.code, bad.row) == ("import_too_many_rows", 50_002)
    [(_number, values)] = read(h.workbook(h.pupil(current_address="长" * 32_767)))
    assert len(values["current_address"]) == 32_767
    bad = refused(h.with_rows(inside("<v>1</v>", "GR")))  # the two-hundredth: no fault of size
    assert (bad.code, bad.column) == ("import_columns_unknown", 200)
    assert len(read(h.with_parts({f"x{number}.xml": b"<a/>" for number in range(195)}))) == 1


@pytest.mark.rule("FI-2")
def test_bytes_are_counted_while_they_are_inflated():
    noise = Random(1).randbytes(1024**2).hex().encode()
    bad = refused(h.with_parts({"xl/media/image1.png": noise}), tighter(INTAKE_UNPACKED_MB=1))
    assert bad.code == "import_unpacked"
    assert len(read(h.with_parts({"xl/media/image1.png": noise}), tighter(INTAKE_UNPACKED_MB=3))) == 1
    # A few long texts in every cell: small in the file, endless as rows.
    cells = "".join(f'<c r="{letters}{{0}}" t="s"><v>0</v></c>' for letters in ("A", "B", "C", "D"))
    many = [f'<row r="{number}">{cells.format(number)}</row>' for number in range(3, 1003)]
    bad = refused(
        h.with_shared_strings(["".join(map(chr, range(0x4E00, 0x4E00 + 30_000)))], *many),
        tighter(INTAKE_UNPACKED_MB=50),
    )
    assert bad.code == "import_unpacked"


@pytest.mark.rule("FI-2", "INTAKE_FILE_MB", "INTAKE_COLUMNS", "INTAKE_CELL_CHARACTERS", "INTAKE_PARTS")
def test_the_limits_are_those_of_the_rule_book(nation):
    assert limits_in_force() == LIMITS
    assert Limits(*(20 * 1024**2, 50_000, 200, 32_767, 200, 200 * 1024**2, 100, 1024**3, 60)) == LIMITS
    make.make_rule("INTAKE_ROWS", 1, make.NATION)
    assert limits_in_force().rows == 1
    with pytest.raises(BadFile) as caught, read_rows(h.workbook(h.pupil(), h.pupil()), FILE):
        pass
    assert (caught.value.code, caught.value.row) == ("import_too_many_rows", 3)
    look_at(h.workbook())
    with pytest.raises(BadFile, match="宏"):
        look_at(h.with_parts({"xl/vbaProject.bin": b""}), FILE)
    assert {"INTAKE_RATIO", "INTAKE_UNPACKED_MB", "INTAKE_MEMORY_MB", "INTAKE_SECONDS"} <= set(NATIONAL)


FAR = "XFD1048576"
DISGUISES = [
    f'<c  r = "{FAR}" ><v>1</v></c>', f'<c\nr="{FAR}"/>', f'<c\ts="0" r="{FAR}"/>', f'<c r="{FAR.lower()}"/>',
    f'<c r="A1" r="{FAR}"/>', f'<c r="{FAR}" r="A1"/>', f'<c a=">" r="{FAR}"/>', f'<c r="{FAR}" a=">"/>',
    f"<c r={FAR}/>", f'<c r="{FAR} "/>', '<c r="$XFD$1048576"/>', '<c r="&#88;FD1048576"/>',
    f'<v><c r="{FAR}"/></v>', f'</v <c r="{FAR}"/>', f'<!-- <c r="A3"> --><c r="{FAR}"/>',
    '<c r="A001048576"/>', '<c r="AAAAAAAA1"/>',
    '</row><row r="1048576"><c><v>1</v></c>', '</row><row r="1048576"/><row><c><v>1</v></c>',
]  # fmt: skip


@pytest.mark.rule("FI-2", "FI-3")
@pytest.mark.parametrize("disguise", DISGUISES)
def test_no_disguise_takes_a_far_cell_past_the_scan(disguise):
    with pytest.raises(BadWorkbook) as caught:
        scan(h.with_rows(f'<row r="3">{disguise}</row>'), LIMITS)
    assert caught.value.code in ("too_many_columns", "too_many_rows", "exotic")


def test_names_of_hidden_rows_stop_at_ten():
    rows = [h.row_of(number, NAME, ' hidden="true"') for number in range(3, 20)]
    bad = refused(h.with_rows(*rows))
    assert "第3、4、5、6、7、8、9、10、11、12等17行被隐藏" in bad.detail


def test_what_is_hidden_and_says_nothing_is_let_be():
    template = h.row_of(3, ["", "", ""], ' hidden="1"')
    columns = '<cols><col min="80" max="16384" hidden="1"/><col min="49" max="49" hidden="1"/></cols>'
    assert len(read(h.with_rows(template, before=columns))) == 1
    assert len(read(h.with_sheets(("Sheet2", "hidden", h.sheet_xml([]))))) == 1
    # A list that lies elsewhere is a formula of the office program's own, not of a cell.
    outside = "<extLst><ext><x14:f1 xmlns:x14='a'><xm:f xmlns:xm='b'>字典!$A$1</xm:f></x14:f1></ext></extLst>"
    assert len(read(h.with_rows(after=outside))) == 1
