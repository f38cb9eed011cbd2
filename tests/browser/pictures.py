"""The pictures of README.md, taken from a running demonstration at both widths."""

import io
import re
import shutil
import sys
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, sync_playwright

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "pictures"
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
SIZES = {"desk": (1440, 900), "phone": (390, 844)}
PASSWORD = "Xueji-demo-2026"  # of the demonstration only; `manage.py personas` prints it


def sign_in(page: Page, base: str, username: str) -> None:
    page.goto(f"{base}/accounts/sign-in")
    page.fill("input[name=username]", username)
    page.fill("input[name=password]", PASSWORD)
    page.click("main form button.btn-primary")
    page.wait_for_load_state("networkidle")


def keep(page: Page, name: str, size: str) -> None:
    """One screen, in 128 colours: a page has few, and the repository stays small."""
    image = Image.open(io.BytesIO(page.screenshot()))
    image.convert("RGB").quantize(128).save(FOLDER / f"{name}-{size}.png", optimize=True)


def first_link(page: Page, pattern: str) -> str:
    found = re.search(rf'href="({pattern})"', page.content())
    assert found, pattern
    return found[1]


def take(page: Page, base: str, size: str) -> None:
    sign_in(page, base, "demo.school.registrar")
    keep(page, "home", size)
    page.goto(f"{base}/registry/students")
    record = first_link(page, r"/registry/students/[0-9a-f-]{36}")
    keep(page, "students", size)
    page.goto(base + record)
    keep(page, "record", size)
    page.goto(f"{base}/register")
    keep(page, "register", size)
    page.context.clear_cookies()
    sign_in(page, base, "demo.county.reviewer")
    page.goto(f"{base}/queue")
    keep(page, "queue", size)
    page.goto(base + first_link(page, r"/cases/ZC[0-9]+"))
    page.wait_for_timeout(800)
    keep(page, "case", size)


def main() -> None:
    base = sys.argv[1].rstrip("/")
    FOLDER.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        for size, (width, height) in SIZES.items():
            context = browser.new_context(viewport={"width": width, "height": height}, locale="zh-CN")
            take(context.new_page(), base, size)
            context.close()
        browser.close()
    for picture in sorted(FOLDER.glob("*.png")):
        print(f"{picture.name}  {picture.stat().st_size // 1024} KB")


if __name__ == "__main__":
    main()
