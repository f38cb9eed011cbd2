"""What somebody does before a picture of the user guide is taken: follows a link, fills in a form."""

import base64
import io
import re
from collections.abc import Callable
from datetime import datetime, timedelta

from openpyxl import load_workbook
from PIL import Image
from playwright.sync_api import Browser, Page
from pypdfium2 import PdfDocument

RECORD = r"/registry/students/[0-9a-f-]{36}"
# Of another province: the school that pupils of the story leave.
FORMER = "demo.township.school.registrar"
# Invented, with a right check digit; nobody of the demonstration has it.
NEWCOMER = {"name": "陈知夏", "sex": "2", "birth_on": "2020-03-05", "id_number": "440305202003059047"}

# The same, for a workbook: two numbers that cannot be right and a telephone that is too short.
NEWCOMERS = (
    ("周子墨", "男性", "440305202001150015", "13800000001"),
    ("林语桐", "女性", "440305202002180021", "13800000002"),
    ("阿依古丽·买买提", "女性", "440305202003220048", "1380000003"),
    ("何嘉树", "男性", "440305202004250053", "13800000004"),
    ("欧阳清和", "女性", "440305202005280060", "13800000005"),
    ("陆星野", "男性", "440305202006300070", "13800000006"),
)
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

Act = Callable[[Page], None]


def sign_in(page: Page, base: str, username: str) -> None:
    page.goto(f"{base}/accounts/personas")
    page.locator(f"form:has(input[value='{username}']) button").first.click()
    page.wait_for_load_state("networkidle")


def follow(pattern: str, after: str = "") -> Act:
    """Open the first link that matches, with `after` behind it."""

    def act(page: Page) -> None:
        found = re.search(rf'href="({pattern})"', page.content())
        assert found, f"{page.url}: {pattern}"
        origin = re.match(r"https?://[^/]+", page.url)
        assert origin
        page.goto(f"{origin[0]}{found[1]}{after}")

    return act


def click(selector: str) -> Act:
    return lambda page: page.locator(selector).first.click()


def choose(selector: str, index: int) -> Act:
    return lambda page: page.locator(selector).first.select_option(index=index) and None


def show(selector: str) -> Act:
    """Bring a part of the page to the top of the picture, below the bar."""

    def act(page: Page) -> None:
        page.wait_for_load_state("networkidle")
        part = page.locator(selector).first
        part.evaluate("part => part.scrollIntoView({behavior: 'instant'})")
        page.evaluate("window.scrollBy({top: -72, behavior: 'instant'})")

    return act


def type_in(selector: str, text: str) -> Act:
    return lambda page: page.locator(selector).first.press_sequentially(text, delay=40)


def ago(days: int) -> str:
    return (datetime.now().astimezone().date() - timedelta(days=days)).isoformat()


def upload(*types: str) -> Act:
    """A blank sheet of each of these types."""
    sheet = io.BytesIO()
    Image.new("RGB", (900, 1200), (240, 236, 210)).save(sheet, "JPEG")

    def act(page: Page) -> None:
        for count, code in enumerate(types, 1):
            page.select_option("#id_evidence_type", code)
            file = {"name": f"{code}.jpg", "mimeType": "image/jpeg", "buffer": sheet.getvalue()}
            page.set_input_files("#id_document_file", file)
            page.locator(f"#papers-kept input[name=document] >> nth={count - 1}").wait_for(state="attached")

    return act


def answer(answers: dict[str, str]) -> Act:
    """Fill in question by question: an answer may bring others. `first` and `last` are places in a list."""

    def act(page: Page) -> None:
        for key, text in answers.items():
            field = page.locator(f"#id_{key}")
            field.wait_for()
            if field.evaluate("node => node.tagName") != "SELECT":
                field.fill(text)
            elif text in ("first", "last"):
                field.select_option(index=1 if text == "first" else field.locator("option").count() - 1)
            else:
                field.select_option(text)
            page.wait_for_load_state("networkidle")

    return act


def find_elsewhere(page: Page) -> None:
    """The exact number and name of a pupil of another province, as her family brings them along."""
    theirs = _signed_in(page, FORMER, "/registry/students?kind=J&status=01&grade=13")
    found = [
        (row.inner_text(), re.search(r"J[0-9X]{18}", row.inner_text()))
        for row in theirs.locator("tbody tr").all()
    ]
    name, number = next((text.split()[0], match[0]) for text, match in found if match)
    theirs.context.close()
    page.check("input[name=kind][value=transfer]")
    page.fill("#id_name", name)
    page.fill("#id_number", number)


def open_form(page: Page) -> None:
    page.click("main form .btn-primary")
    page.wait_for_selector("#asks")


def ask_for_a_merger(page: Page) -> None:
    """Two schools of the county that teach the same stages."""
    lines = page.locator("#offices option")
    names = [lines.nth(n).get_attribute("value") or "" for n in range(lines.count())]
    for key, name in (("office", "星海小学"), ("target", "明德小学")):
        page.fill(f"#id_{key}", next(line for line in names if name in line))
    for key, text in (("document_no", "深南教〔2026〕18号"), ("document_by", "深圳市南山区人民政府")):
        page.fill(f"#id_{key}", text)
    page.fill("#id_document_on", ago(5))


def rehearse(page: Page) -> None:
    page.click("main form .btn-primary")
    page.wait_for_selector("input[name=digest]", state="attached", timeout=60_000)


def name_a_substitute(page: Page) -> None:
    page.select_option("#id_post", index=0)  # her own
    page.select_option("#id_colleague", index=1)
    page.fill("#id_first", ago(-3))
    page.fill("#id_last", ago(-7))
    page.fill("#id_reason", "外出培训")


def see_paper(code: str) -> Act:
    """The printed form of the case that is open, drawn as its reader sees it."""

    def act(page: Page) -> None:
        sheet = io.BytesIO()
        _paper(page, code)[0].render(scale=1.6).to_pil().save(sheet, "PNG")
        drawn = base64.b64encode(sheet.getvalue()).decode()
        page.goto("about:blank")
        page.set_content(f"<center><img src='data:image/png;base64,{drawn}'></center>")

    return act


def track_it(page: Page) -> None:
    """The case that is open, as the family sees it: signed in as nobody."""
    persona = page.context.cookies()
    found = re.search(r'href="(/track/[A-Z2-7]{26})"', page.content())
    assert found, page.url
    page.context.clear_cookies()
    page.goto(page.url.split("/cases/")[0] + found[1])
    page.context.add_cookies([*persona])


def _paper(page: Page, code: str) -> PdfDocument:
    return PdfDocument(page.context.request.get(f"{page.url.split('?')[0]}/print/{code}").body())


def _signed_in(page: Page, persona: str, address: str) -> Page:
    """Somebody else's window beside this one."""
    browser: Browser | None = page.context.browser
    assert browser is not None
    base = "/".join(page.url.split("/")[:3])
    window = browser.new_context(locale="zh-CN").new_page()
    sign_in(window, base, persona)
    window.goto(base + address)
    return window


def as_printed(page: Page) -> None:
    page.emulate_media(media="print")
    page.evaluate("document.body.style.margin = '32px'")  # the paper's


def ask_for_a_key_change(page: Page) -> None:
    page.goto(page.url.replace("/registry/students/", "/students/") + "/identity-change")


def tick_two(page: Page) -> None:
    for box in page.locator("input[data-select]").all()[:2]:
        box.check()


def look_up(page: Page) -> None:
    """Step 1 of a registration, for a child without a record."""
    page.select_option("#id_sex", NEWCOMER["sex"])
    for key in ("name", "birth_on", "id_number"):
        page.fill(f"#id_{key}", NEWCOMER[key])
    page.click("main form .btn-primary")
    page.wait_for_load_state("networkidle")


def look_up_a_pupil(page: Page) -> None:
    """Step 1 for a child who has a record: one of the own school, asked for without a number."""
    start = page.url
    page.goto(start.replace("/register", "/registry/students"))
    follow(RECORD)(page)
    name, sex, birth = (
        page.locator(f"xpath=//dt[span='{label}']/following-sibling::dd[1]").first
        for label in ("姓名", "性别", "出生日期")
    )
    given = [re.sub(r"\s", "", part.inner_text()) for part in (name, sex, birth)]
    page.goto(start)
    page.select_option("#id_id_type", label="其他")
    page.select_option("#id_sex", label=given[1])
    page.fill("#id_name", given[0])
    page.fill("#id_birth_on", given[2])
    page.click("main form .btn-primary")
    page.wait_for_load_state("networkidle")


def fill_rule(page: Page) -> None:
    page.fill(".rule-value input", "40")
    page.fill("[name=document]", "深南教〔2026〕18号")
    page.click("main form[method=post] .card-footer .btn-primary")


def import_workbook(page: Page) -> None:
    """The school's own template, filled in for six pupils with three mistakes, uploaded and checked."""
    template = page.context.request.get(f"{page.url}/template").body()
    page.set_input_files(
        "#id_file", {"name": "一年级新生.xlsx", "mimeType": XLSX, "buffer": filled_in(template)}
    )
    page.click("main form .btn-primary")
    page.wait_for_selector(".tiles", timeout=60_000)  # a worker checks it, and the page comes back by itself


def filled_in(template: bytes) -> bytes:
    book = load_workbook(io.BytesIO(template))
    pupils = book["学生信息"]
    heads = {str(cell.value).lstrip("★").split("/")[0]: cell.column for cell in pupils[1]}
    example = [cell.value for cell in pupils[3]]
    lists = {str(column[0].value): [cell.value for cell in column[1:]] for column in book["字典"].iter_cols()}
    newest = max(line for line in lists["班级"] if line)
    for row, (name, sex, number, phone) in enumerate(NEWCOMERS, 4):
        birth = number[6:14]
        told = {"姓名": name, "性别": sex, "出生日期": birth, "身份证件号": number, "联系电话": phone}
        told |= {"班号": newest, "入学年月": newest[:4] + "09", "班内学号": str(80 + row)}
        told |= {"学校标识码": pupils.cell(4, heads["学校标识码"]).value, "学籍导入模板": None}
        for column, value in enumerate(example, 1):
            pupils.cell(row, column, value)
        for head, value in told.items():
            pupils.cell(row, heads[head], value)
    content = io.BytesIO()
    book.save(content)
    return content.getvalue()
