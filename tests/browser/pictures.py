"""The pictures of README.md and of the user guide, taken from a running demonstration.

Nothing is filed, decided or changed: the command may be repeated against the same demonstration. What it
looks up, uploads and rehearses leaves its trace, as it does for everybody.
"""

import io
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

from PIL import Image
from playwright.sync_api import BrowserContext, Page, sync_playwright

from tests.browser.acts import (
    FORMER,
    RECORD,
    Act,
    ago,
    answer,
    as_printed,
    ask_for_a_key_change,
    ask_for_a_merger,
    choose,
    click,
    fill_rule,
    find_elsewhere,
    follow,
    import_workbook,
    look_up,
    look_up_a_pupil,
    name_a_substitute,
    open_form,
    rehearse,
    see_paper,
    show,
    sign_in,
    tick_two,
    track_it,
    type_in,
    upload,
)

FOLDER = Path(__file__).resolve().parents[2] / "docs" / "pictures"
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
SIZES = {"desk": (1440, 900), "phone": (390, 844)}
MOST_BYTES = 150_000

REGISTRAR, LEADER = "demo.school.registrar", "demo.school.leader"
REVIEWER, CITY = "demo.county.reviewer", "demo.city.reviewer"
BUREAU = "demo.county.bureau_leader"
HEAD_TEACHER, AUDITOR = "demo.school.head_teacher", "demo.province.auditor"
OPERATOR = "demo.nation.national_operator"
FORMER_LEADER = "demo.township.school.leader"
CASE = r"/cases/ZC[0-9]+"
MOVE = r"/cases/ZX[0-9]+"
IMPORT = r"/registry/imports/[0-9a-f-]{36}"
CLASS_SIZE = "/rules/CLASS_SIZE_INTAKE_PRIMARY"


@dataclass(frozen=True, slots=True)
class Shot:
    """One picture: who looks ("" is nobody), where she goes, and what she does there before it is taken."""

    name: str
    persona: str
    address: str
    acts: tuple[Act, ...] = ()


_ENDED, _OPEN = "/cases?kind=transfer&state=done", "/cases?kind=transfer&state=waiting"
# Of README.md, at both widths: NAME-desk.png, NAME-phone.png
OVERVIEW = (
    Shot("home", REGISTRAR, "/"),
    Shot("students", REGISTRAR, "/registry/students"),
    Shot("record", REGISTRAR, "/registry/students", (follow(RECORD),)),
    Shot("register", REGISTRAR, "/register"),
    Shot("queue", REVIEWER, "/queue"),
    Shot("case", REVIEWER, "/queue", (follow(CASE),)),
    Shot("track", FORMER, _OPEN, (follow(MOVE), track_it)),
)
_HOME = {
    "class_id": "last", "move_on": ago(-7), "reason": "05", "same_register": "1", "handed_over_on": ago(40),
    "is_voluntary": "1", "under_sanction": "0", "recorded_later": "0",
}  # fmt: skip
_ILLNESS = {
    "reason": "01", "starts_on": ago(6), "until": ago(-200), "on_request": "1", "hospital": "南山区人民医院",
    "diagnosed_on": ago(8), "rest_days": "120", "statement": "医院建议休养四个月。",
}  # fmt: skip
_MOVE_IN = (find_elsewhere, open_form, answer(_HOME), upload("01", "05", "22"))
_CHECK = click("button[value=check]")
_OWN = "/registry/students?grade=14&status=01"
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
    # Every change of status as a case
    Shot("move-in", REGISTRAR, "/move-in", (find_elsewhere,)),
    Shot("move-form", REGISTRAR, "/move-in", _MOVE_IN),
    Shot("move-check", REGISTRAR, "/move-in", (*_MOVE_IN, _CHECK)),
    Shot("move-conditions", REGISTRAR, "/move-in", (*_MOVE_IN, _CHECK, show("#checks-title"))),
    Shot("move-release", FORMER_LEADER, "/queue", (follow(MOVE),)),
    Shot("move-done", REGISTRAR, _ENDED, (follow(MOVE),)),
    Shot("certificate", REGISTRAR, _ENDED, (follow(MOVE), see_paper("transfer_certificate"))),
    Shot("snapshot", FORMER, "/registry/snapshots", (follow(r"/registry/snapshots/\d+"),)),
    Shot("handovers", REGISTRAR, "/handovers"),
    Shot("guest", REGISTRAR, "/registry/guests", (follow(r"/registry/guests/\d+"),)),
    Shot("kinds", REGISTRAR, _OWN, (follow(RECORD), click("a[href$='/business']"))),
    Shot(
        "suspension",
        REGISTRAR,
        _OWN,
        (follow(RECORD), click("a[href$='/business']"), click("a[href$='/suspension']"), answer(_ILLNESS)),
    ),
    Shot("suspensions", REGISTRAR, "/suspensions"),
    Shot("receipt", REGISTRAR, _OPEN, (follow(MOVE), see_paper("case_receipt"))),
    Shot("notices", LEADER, "/accounts/notices/choices"),
    Shot(
        "together",
        REVIEWER,
        "/queue?kind=registration",
        (tick_two, click("form[action$='/queue/approve'] .btn-primary")),
    ),
    Shot("overdue-below", CITY, "/overdue"),
    Shot("pace", REVIEWER, "/pace"),
    Shot("substitutes", REVIEWER, "/accounts/substitutes", (name_a_substitute,)),
    Shot("merger", REVIEWER, "/offices/new?kind=office_merge", (ask_for_a_merger,)),
    Shot("rehearsal", REVIEWER, "/offices/new?kind=office_merge", (ask_for_a_merger, rehearse)),
    # The school year
    Shot("verification", REGISTRAR, "/verification/"),
    Shot("roll", HEAD_TEACHER, "/verification/rolls", (follow(r"/verification/rolls/\d+"),)),
    Shot("calendar", REGISTRAR, "/year/calendar"),
    Shot("promotion", OPERATOR, "/year/promotion", (follow(r"/year/promotion/[0-9a-f-]{36}"),)),
    Shot("graduation", REGISTRAR, "/graduation/"),
    Shot("ledgers", REVIEWER, "/dropout/ledgers"),
    Shot("entries", REGISTRAR, _OWN, (follow(RECORD, "?tab=growth"),)),
    Shot("results", REVIEWER, "/enrolling/results"),
    Shot("report", AUDITOR, "/reports/overview"),
    Shot("evaluation", REVIEWER, "/reports/evaluation"),
)


def keep(page: Page, name: str) -> None:
    """One screen, in as many colours as the size of the file allows: a page has few anyway."""
    image = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
    target = FOLDER / f"{name}.png"
    for colours in (128, 64, 32, 16):
        image.quantize(colours).save(target, optimize=True)
        if target.stat().st_size <= MOST_BYTES:
            return


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
    """All of them, or those whose names follow the address."""
    base, wanted = sys.argv[1].rstrip("/"), set(sys.argv[2:])
    FOLDER.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        for size, (width, height) in SIZES.items():
            contexts: dict[str, BrowserContext] = {}
            shots = [(shot, f"{shot.name}-{size}") for shot in OVERVIEW]
            if size == "desk":
                shots += [(shot, f"guide-{shot.name}") for shot in GUIDE]
            for shot, name in shots:
                if wanted and name not in wanted:
                    continue
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
