"""A real web process, a real worker and a real Chromium against the suite's database; without Chromium the
suite fails.
"""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.contrib.sessions.backends.db import SessionStore
from django.test import Client
from playwright.sync_api import Browser, Page, sync_playwright

from accounts.models import User
from accounts.step_up import FACTOR_AT
from config.scope import scoped_transaction
from tests import make

Open = Callable[..., Page]

_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
WIDTHS = {"desk": (1440, 900), "phone": (390, 844)}


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Process:
    """One child of ours, ended by pid."""

    def __init__(self, name: str, arguments: list[str], **environment: str) -> None:
        folder = Path(os.environ["XUEJI_VAR"])
        self.log = (folder / f"browser-{name}.log").open("wb")
        self.child = subprocess.Popen(
            [sys.executable, "-m", *arguments],
            cwd=settings.BASE_DIR,
            env=os.environ | environment,
            stdin=subprocess.DEVNULL,
            stdout=self.log,
            stderr=self.log,
            start_new_session=True,
        )

    def stop(self, how: int = signal.SIGTERM) -> None:
        if self.child.poll() is None:
            os.killpg(self.child.pid, how)
            self.child.wait(20)
        self.log.close()


def start_worker() -> Process:
    return Process(
        "worker",
        [
            "celery",
            "-A",
            "config",
            "worker",
            "--pool",
            "solo",
            "--without-gossip",
            "--without-mingle",
            "-l",
            "info",
        ],
        XUEJI_ROLE="worker",
    )


@pytest.fixture(scope="session")
def site() -> Iterator[str]:
    """The address of a running web process."""
    port = _free_port()
    process = Process(
        "web",
        ["granian", "--interface", "wsgi", "--host", "127.0.0.1", "--port", str(port), "--workers", "1",
         "--blocking-threads", "4", "config.wsgi:application"],
        XUEJI_ROLE="web",
        XUEJI_ORIGIN=f"http://127.0.0.1:{port}",
    )  # fmt: skip
    address = f"http://127.0.0.1:{port}"
    for _try in range(100):
        try:
            urllib.request.urlopen(f"{address}/healthz", timeout=2)  # noqa: S310
            break
        except OSError:
            time.sleep(0.2)
    else:
        process.stop()
        raise RuntimeError("the web process does not answer")
    yield address
    process.stop()


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    # The shell is the same browser without its own frame, and takes a quarter less of two cores.
    names = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")
    path = next((found for found in map(shutil.which, names) if found), None)
    assert path, "Chromium is needed: install Debian's chromium and fonts-noto-cjk"
    # The driver answers on a thread of its own; Django would take its event loop for an asynchronous caller.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=path, args=_FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def open_page(chromium: Browser, site: str) -> Iterator[Callable[..., Page]]:
    """Open a page as nobody, at a width; console errors and policy violations fail the test at its end."""
    contexts: list[Any] = []
    complaints: list[str] = []

    def open_at(width: str = "desk") -> Page:
        size = WIDTHS[width]
        context = chromium.new_context(
            base_url=site,
            viewport={"width": size[0], "height": size[1]},
            locale="zh-CN",
            accept_downloads=True,
        )
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(15000)

        def note(message: Any) -> None:
            # A refused form answers 4xx, which the console reports as a failed resource: that is no
            # complaint. htmx reports a request that typing has overtaken.
            expected = ("the server responded with a status of 4", "htmx:", "Response Status Error Code 4")
            if message.type == "error" and not any(words in message.text for words in expected):
                complaints.append(message.text)

        page.on("console", note)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        return page

    yield open_at
    for context in contexts:
        for page in context.pages:
            print(page.url, page.inner_text("body")[:2000], sep="\n")  # for the report of a failed test
        context.close()
    assert complaints == []


def sign_in(page: Page, username: str) -> None:
    """As after both proofs, which test_sign_in.py plays: every other story begins behind the door."""
    client = Client()
    client.force_login(User.objects.get(username=username))
    key = client.cookies[settings.SESSION_COOKIE_NAME].value
    page.goto("/accounts/sign-in")
    whole_site = page.url.removesuffix("accounts/sign-in")  # the cookie's path is the address's folder
    page.context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": key, "url": whole_site}])
    page.goto("/")


def enter(open_page: Open, person: User, width: str = "desk") -> Page:
    """A page of hers."""
    page = open_page(width)
    sign_in(page, person.username)
    return page


def enter_as(open_page: Open, role: str, path: str, width: str = "desk") -> Page:
    """A page of somebody new in this post."""
    with scoped_transaction("CN."):
        person = make.make_user(role, path)
    return enter(open_page, person, width)


def prove(page: Page) -> None:
    """As after a second factor just now, which test_sign_in.py plays."""
    key = next(one["value"] for one in page.context.cookies() if one["name"] == settings.SESSION_COOKIE_NAME)
    session = SessionStore(key)
    session[FACTOR_AT] = time.time()
    session.save()


def staffed_school(county: str = "CN.44.03.08.", school: str = "2144000808.") -> dict[str, Any]:
    """A school of a county, and who acts for both."""
    path = county + school
    make.make_office(county, name="盐田区教育局")
    make.make_office(path, name="盐田区实验小学")
    return {
        "path": path,
        "registrar": make.make_registrar(path),
        "leader": make.make_leader(path),
        "county": make.make_reviewer(county),
    }


def wait_until(condition: Callable[[], bool], seconds: int = 40) -> None:
    limit = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < limit, "waited too long"
        time.sleep(0.3)


def looked_at(page: Page) -> None:
    """Accessible on a phone, and at both widths no wider than the screen."""
    for name in ("phone", "desk"):
        page.set_viewport_size({"width": WIDTHS[name][0], "height": WIDTHS[name][1]})
        if name == "phone":
            assert_accessible(page)
        assert_fits(page)


def assert_accessible(page: Page) -> None:
    """Axe finds nothing serious or critical, and the page does not scroll sideways."""
    from axe_playwright_python.sync_playwright import Axe

    found = Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
    serious = [
        f"{v['id']}: {v['help']} @ {v['nodes'][0]['target']}"
        for v in found
        if v["impact"] in ("serious", "critical")
    ]
    assert serious == [], page.url
    assert_fits(page)


def assert_fits(page: Page) -> None:
    """The page does not scroll sideways."""
    width = page.evaluate("[document.documentElement.scrollWidth, window.innerWidth]")
    assert width[0] <= width[1], f"{page.url} is wider than the screen"
