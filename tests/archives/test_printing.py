"""Printed forms: what is on the paper, and what a value cannot do to it."""

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime
from io import BytesIO
from typing import Any

import pypdfium2
import pytest
import segno
import typst
from PIL import Image

from archives.printing.blocks import Fields, Opinion, Opinions, Table, Tracking, WrongValues
from archives.printing.fonts import printable
from archives.printing.forms import CASE_RECEIPT, FORMS, STATUS_CARD, TRANSFER_APPLICATION
from archives.printing.render import TEMPLATES, compiler, draw, render

URL = "https://xueji.example.cn/track/8K4M2Q7R9XTC"
MUST: dict[str, Any] = {
    "number": "ZX44030520260001", "url": URL, "generated_at": datetime(2026, 11, 21, 19, 10, tzinfo=UTC),
}  # fmt: skip
RARE = "欧阳䶮㛃𠅤"
HOSTILE = '#read("form.typ") *a* $b$ \\u{41} #[c] </svg> {name} `d`'
ACTIVE = re.compile(r"@preview|(?<![\w-])(plugin|read|eval|cbor|csv|toml|xml|yaml)\(|https?:")


def photo() -> bytes:
    out = BytesIO()
    Image.linear_gradient("L").resize((260, 320)).convert("RGB").save(out, "JPEG")
    return out.getvalue()


def filled(code: str, text: str = "") -> dict[str, Any]:
    """A value of its own for everything that the form prints, or `text` in each place."""
    form = FORMS[code]
    keys = sorted(form.keys() - MUST.keys())
    values: dict[str, Any] = {key: text or f"甲{number:02}乙" for number, key in enumerate(keys)}
    for block in form.blocks:
        if isinstance(block, Table):
            values[block.key] = [
                [text or f"{block.key}{row}列{column}" for column in range(len(block.head))] for row in (1, 2)
            ]
        if isinstance(block, Opinions):
            one = Opinion(
                "转入学校意见", text or "同意接收", text or "向阳小学", text or "李校长", date(2026, 9, 1)
            )
            values["opinions"] = [one, Opinion("转出学校意见")]
        if isinstance(block, Fields) and block.has_photo:
            values["photo"] = photo()
    return MUST | values


def spaceless(text: str) -> str:
    return re.sub(r"\s", "", text)


def pages_of(pdf: bytes) -> list[str]:
    """The text of each page as another program reads it, without spaces: those are set, not written."""
    with pypdfium2.PdfDocument(pdf) as document:
        return [spaceless(page.get_textpage().get_text_range()) for page in document]


def words_in(values: dict[str, Any]) -> list[str]:
    found = []
    for key, value in values.items():
        if isinstance(value, list):
            found += [word for row in value if not isinstance(row, Opinion) for word in row]
        elif isinstance(value, str) and key != "url":
            found.append(value)
    return found


@pytest.mark.parametrize("code", FORMS)
def test_a_form_shows_every_value_on_one_lasting_page(code: str) -> None:
    values = filled(code) | dict.fromkeys({"name"} & FORMS[code].keys(), RARE)
    pdf = render(code, values)
    assert pdf.startswith(b"%PDF-1.7")
    assert b"<pdfaid:part>2</pdfaid:part><pdfaid:conformance>B<" in re.sub(rb"\s*\n\s*", b"", pdf)
    (text,) = pages_of(pdf)
    assert [word for word in words_in(values) if word not in text] == []
    if "opinions" in values:
        assert all(word in text for word in ("同意接收", "李校长", "2026年9月1日", "（公章）"))
    assert FORMS[code].title in text
    assert "生成时间2026年11月22日03:10" in text
    assert "第1页共1页" in text
    fonts = set(re.findall(rb"/BaseFont/\w+\+(\w+)-", pdf))
    assert fonts <= {b"NotoSerifSC", b"NotoSansSC", b"NotoSansCJKsc"}
    assert render(code, values) == pdf
    assert pdf.count(b"/Subtype/Image") == (code == "status_card")


@pytest.mark.parametrize("code", FORMS)
def test_an_empty_form_is_one_page_for_a_pen(code: str) -> None:
    (text,) = pages_of(render(code, MUST))
    rows = [row for block in FORMS[code].blocks if isinstance(block, Fields) for row in block.rows]
    labels = {label for row in rows for _key, label in row}
    assert [label for label in labels if label.replace("\n", "") not in text] == []


@pytest.mark.parametrize("code", FORMS)
def test_a_value_is_drawn_and_never_read(code: str) -> None:
    text = "".join(pages_of(render(code, filled(code, HOSTILE))))
    assert text.count(spaceless(HOSTILE)) >= words_in(filled(code, HOSTILE)).count(HOSTILE)


def test_the_templates_fetch_nothing_and_read_nothing_outside_their_folder() -> None:
    for path in TEMPLATES.iterdir():
        source = path.read_text()
        assert ACTIVE.search(source) is None, path.name
        assert set(re.findall(r'(?:import|include) "([^"]+)"', source)) <= {"page.typ", "blocks.typ"}
    try:
        for outside in ("../forms.py", "/../forms.py", "/etc/hostname"):
            with pytest.raises(typst.TypstError):
                compiler().compile(input=f'#read("{outside}")'.encode())
    finally:
        compiler.cache_clear()  # it would keep the last input


def test_what_no_font_has_is_printed_by_its_number() -> None:
    assert printable("䶮㛃𠅤𬭊𫘧𬬻·É") == "䶮㛃𠅤𬭊𫘧𬬻·É"
    assert printable("\U0002a6d6\U0001f600") == "〔U+2A6D6〕〔U+1F600〕"
    assert printable("张\u202e三\x01\u200b\n四") == "张三\n四"
    (text,) = pages_of(render("contact_letter", MUST | {"name": "王\U0002a6d6\U0010ffff\ufffd"}))
    assert "王〔U+2A6D6〕〔U+10FFFF〕〔U+FFFD〕" in text


def test_a_long_paper_goes_on_with_its_number_and_the_card_stays_one_page() -> None:
    long = [Opinion(f"第{number}步意见", "情况属实。" * 100, by="李校长") for number in range(8)]
    pages = pages_of(render("transfer_application", MUST | {"opinions": long}))
    assert len(pages) > 1
    for number, page in enumerate(pages, start=1):
        assert f"第{number}页共{len(pages)}页" in page
        assert "ZX44030520260001" in page
    assert "".join(pages).count("情况属实。") == 800
    address = "湖南省岳阳市平江县长寿镇邵阳村第三组二十六号" * 4
    full = dict.fromkeys(STATUS_CARD.keys() - MUST.keys(), address[:40]) | {"current_address": address}
    changes = [
        (f"2026-09-{day:02}", "转入", "平江县长寿镇中心小学", "向阳小学", "ZX4403") for day in range(1, 12)
    ]
    family = [("欧阳某某", "父亲", "是", "某某科技有限公司平台部", "138******10")] * 4
    (card,) = pages_of(
        render("status_card", MUST | full | {"changes": changes, "family": family, "photo": photo()})
    )
    assert "2026-09-08" in card
    assert "2026-09-09" not in card
    assert "另有3项" in card


def test_threads_share_the_compiler() -> None:
    papers = [(code, filled(code)) for code in FORMS]
    alone = [render(*paper) for paper in papers]
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(lambda paper: render(*paper), papers)) == alone


@pytest.mark.parametrize("form", [TRANSFER_APPLICATION, CASE_RECEIPT], ids=lambda form: form.code)
def test_the_square_holds_the_address(form: Any) -> None:
    ppi = 288
    page = Image.open(BytesIO(draw(form, [MUST], "png", ppi)[0])).convert("1", dither=Image.Dither.NONE)
    matrix = segno.make(URL, error="m", micro=False).matrix
    side_mm = 32 if any(isinstance(block, Tracking) for block in form.blocks) else 21
    module = side_mm / 25.4 * ppi / (len(matrix) + 2)
    left, top = corner(page, module)
    middles = [round((step + 0.5) * module) for step in range(len(matrix))]
    seen = [[int(not page.getpixel((left + x, top + y))) for x in middles] for y in middles]
    assert seen == [list(row) for row in matrix]


def corner(page: Image.Image, module: float) -> tuple[int, int]:
    """Left and top of the square's own mark, right of the middle: the first black run of seven modules that
    is also a module high.
    """
    run, half = int(7 * module) - 2, page.width // 2
    for y in range(page.height // 3):
        row = [not page.getpixel((x, y)) for x in range(half, page.width)]
        for x in range(len(row) - 2 * run):
            if all(row[x : x + run]) and not all(row[x : x + 2 * run]):
                below = (page.getpixel((half + x + run // 2, y + step)) for step in range(int(module) - 2))
                if not any(below):
                    return half + x, y
    raise AssertionError("no square")


@pytest.mark.parametrize(
    ("code", "values", "says"),
    [
        ("case_receipt", {"nmae": "王小明"}, "does not print nmae"),
        ("case_receipt", {"url": ""}, "lacks url"),
        ("case_receipt", {"steps": [("王小明", "学校")]}, "each row has 4 words"),
        ("case_receipt", {"name": ["王小明"]}, "list is no word"),
        ("status_card", {"photo": b"<svg>"}, "no JPEG"),
    ],
)
def test_a_wrong_value_is_refused_without_being_quoted(code: str, values: dict[str, Any], says: str) -> None:
    with pytest.raises(WrongValues, match=says) as caught:
        render(code, MUST | values)
    assert "王小明" not in str(caught.value)
