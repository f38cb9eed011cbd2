"""The pictures of README.md and of the user guide, taken from a running demonstration.

Nothing is filed, decided or changed: the command may be repeated against the same demonstration.
"""

import io
import re
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from openpyxl import load_workbook
from PIL import Image
from playwright.sync_api import BrowserContext, Page, sync_playwright

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "pictures"
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
SIZES = {"desk": (1440, 900), "phone": (390, 844)}
PASSWORD = "Xueji-demo-2026"  # of the demonstration only; `manage.py personas` prints it
MOST_BYTES = 150_000

REGISTRAR, LEADER = "demo.school.registrar", "demo.school.leader"
REVIEWER, CITY = "demo.county.reviewer", "demo.city.reviewer"
BUREAU = "demo.county.bureau_leader"
RECORD = r"/registry/students/[0-9a-f-]{36}"
CASE = r"/cases/ZC[0-9]+"
IMPORT = r"/registry/imports/[0-9a-f-]{36}"
CLASS_SIZE = "/rules/CLASS_SIZE_INTAKE_PRIMARY"
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


@dataclass(frozen=True, slots=True)
class Shot:
    """One picture: who looks ("" is nobody), where she goes, and what she does there before it is taken."""

    name: str
    persona: str
    address: str
    acts: tuple[Act, ...] = ()


# --- What she does ---------------------------------------------------------------------------------


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


# --- The pictures ----------------------------------------------------------------------------------

# Of README.md, at both widths: NAME-desk.png, NAME-phone.png
OVERVIEW = (
    Shot("home", REGISTRAR, "/"),
    Shot("students", REGISTRAR, "/registry/students"),
    Shot("record", REGISTRAR, "/registry/students", (follow(RECORD),)),
    Shot("register", REGISTRAR, "/register"),
    Shot("queue", REVIEWER, "/queue"),
    Shot("case", REVIEWER, "/queue", (follow(CASE),)),
)
_FORM = (look_up, click("button[value=show]"))
# Of docs/guide, at desk width: guide-NAME.png
GUIDE = (
    Shot("sign-in", "", "/accounts/sign-in"),
    Shot("posts", "demo.two.posts", "/", (click("header details summary"),)),
    Shot("search", REGISTRAR, "/", (type_in("#search", "wang"),)),
    Shot("reveal", REGISTRAR, "/registry/students", (follow(RECORD), click("main .secret summary"))),
    Shot("readers", REGISTRAR, "/registry/students", (follow(RECORD, "?tab=readers"),)),
    Shot("looked-up-none", REGISTRAR, "/register", (look_up,)),
    Shot("looked-up-found", REGISTRAR, "/register", (look_up_a_pupil,)),
    Shot("register-form", REGISTRAR, "/register", _FORM),
    Shot("register-papers", REGISTRAR, "/register", (*_FORM, show("#part-papers"))),
    Shot("register-checked", REGISTRAR, "/register", (*_FORM, click(".actions-bar button[type=button]"))),
    Shot("imports", REGISTRAR, "/registry/imports"),
    Shot("import-wrong", REGISTRAR, "/registry/imports", (import_workbook,)),
    Shot("import-check", REGISTRAR, "/registry/imports", (follow(IMPORT), click(".actions .btn-primary"))),
    Shot("batch-case", LEADER, "/queue", (click("main tbody a:has-text(' 人')"),)),
    Shot("waiting", REGISTRAR, "/cases?state=waiting", (follow(CASE),)),
    Shot("returned", REGISTRAR, "/cases?state=returned", (follow(CASE),)),
    Shot("correct", REGISTRAR, "/cases?state=returned", (follow(CASE), follow(CASE + "/correct"))),
    Shot("edit", REGISTRAR, "/registry/students", (follow(RECORD, "/edit"),)),
    Shot(
        "key-change",
        REGISTRAR,
        "/registry/students",
        (follow(RECORD), ask_for_a_key_change),
    ),
    Shot("class", REGISTRAR, "/registry/classes", (follow(r"/registry/classes/\d+"),)),
    Shot("print", REGISTRAR, "/registry/classes", (follow(r"/registry/classes/\d+"), as_printed)),
    Shot("problems", REGISTRAR, "/registry/problems"),
    Shot("leader-home", LEADER, "/"),
    Shot("papers", REVIEWER, "/queue", (follow(CASE), show("#papers-title"))),
    Shot("reasons", REVIEWER, "/queue", (follow(CASE), choose("#id_chosen", 1))),
    Shot("batch", REVIEWER, "/queue", (tick_two,)),
    Shot("overdue", REVIEWER, "/queue?overdue=1"),
    Shot("not-mine", CITY, "/cases?state=waiting", (follow(CASE), show(".actions-bar"))),
    Shot("rules", REVIEWER, "/rules"),
    Shot("rule", BUREAU, CLASS_SIZE),
    Shot("rule-check", BUREAU, CLASS_SIZE, (fill_rule, click("#trial button"))),
    Shot("log", LEADER, "/audit/events"),
)


def keep(page: Page, name: str) -> None:
    """One screen, in as many colours as the size of the file allows: a page has few anyway."""
    image = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    target = FOLDER / f"{name}.png"
    for colours in (128, 64, 32, 16):
        image.quantize(colours).save(target, optimize=True)
        if target.stat().st_size <= MOST_BYTES:
            return


def sign_in(page: Page, base: str, username: str) -> None:
    page.goto(f"{base}/accounts/sign-in")
    page.fill("input[name=username]", username)
    page.fill("input[name=password]", PASSWORD)
    page.click("main form button.btn-primary")
    page.wait_for_load_state("networkidle")


def take(context: BrowserContext, base: str, shot: Shot, name: str) -> None:
    page = context.new_page()
    page.goto(base + shot.address)
    for act in shot.acts:
        act(page)
    page.wait_for_load_state("networkidle")
    page.wait_for_timeout(800)  # pictures of papers, the bar that appears on selection
    keep(page, name)
    page.close()


def main() -> None:
    base = sys.argv[1].rstrip("/")
    FOLDER.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        for size, (width, height) in SIZES.items():
            contexts: dict[str, BrowserContext] = {}
            shots = [(shot, f"{shot.name}-{size}") for shot in OVERVIEW]
            if size == "desk":
                shots += [(shot, f"guide-{shot.name}") for shot in GUIDE]
            for shot, name in shots:
                if shot.persona not in contexts:
                    context = browser.new_context(viewport={"width": width, "height": height}, locale="zh-CN")
                    if shot.persona:
                        sign_in(context.new_page(), base, shot.persona)
                    contexts[shot.persona] = context
                take(contexts[shot.persona], base, shot, name)
        browser.close()
    for picture in sorted(FOLDER.glob("*.png")):
        print(f"{picture.name}  {picture.stat().st_size // 1024} KB")


if __name__ == "__main__":
    main()
