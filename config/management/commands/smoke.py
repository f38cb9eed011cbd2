"""Ask the running system's main pages as every demonstration account, over real HTTP."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.cookiejar import CookieJar
from io import StringIO
from time import monotonic
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlencode
from urllib.request import HTTPCookieProcessor, OpenerDirector, Request, build_opener

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.urls import reverse

TIMEOUT_SECONDS = 30
STORY = "demo.school.registrar"

# What each page asks for: any of these rights opens it. Written down here a second time on purpose, so that a
# view that loses its guard is noticed.
PAGES: dict[str, tuple[str, set[str]]] = {
    "registry:students": ("名单", {"view_student", "view_own_class"}),
    "registry:classes": ("班级", {"view_class", "view_own_class"}),
    "accounts:offices": ("单位", {"view_office"}),
    "transfers:cases": ("办件", {"view_case"}),
    "transfers:queue": ("待审", {"review_case", "decide_case"}),
    "audit:events": ("日志", {"view_log"}),
}
APIS: dict[str, tuple[str, set[str]]] = {
    "学籍接口": ("/api/v1/students/", {"view_student"}),
    "办件接口": ("/api/v1/cases/", {"view_case"}),
}
_RECORD = re.compile(r"/registry/students/[0-9a-f-]{36}(?=[\"'?])")
_CASE = re.compile(r"/cases/[A-Z]+[0-9]+(?=[\"'?])")


@dataclass(slots=True)
class Visitor:
    """A browser without a screen: cookies, CSRF, redirects."""

    base: str
    opener: OpenerDirector = field(init=False)
    jar: CookieJar = field(init=False)

    def __post_init__(self) -> None:
        self.jar = CookieJar()
        self.opener = build_opener(HTTPCookieProcessor(self.jar))

    def get(self, path: str) -> tuple[int, str, str]:
        """Status, path after redirects, and text of a page."""
        return self._ask(Request(self.base + path))  # noqa: S310  (the caller's own server)

    def post(self, path: str, values: dict[str, str]) -> tuple[int, str, str]:
        token = next((cookie.value for cookie in self.jar if cookie.name == settings.CSRF_COOKIE_NAME), "")
        body = urlencode(values | {"csrfmiddlewaretoken": token or ""}).encode()
        return self._ask(
            Request(self.base + path, body, {"Referer": self.base + path, "Origin": self.base})  # noqa: S310
        )

    def sign_in(self, username: str, password: str) -> tuple[int, str, str]:
        address = reverse("accounts:sign_in")
        self.get(address)
        return self.post(address, {"username": username, "password": password})

    def _ask(self, request: Request) -> tuple[int, str, str]:
        try:
            with self.opener.open(request, timeout=TIMEOUT_SECONDS) as answer:
                return answer.status, self._path(answer.url), answer.read().decode("utf-8", "replace")
        except HTTPError as error:
            with error:
                return error.code, self._path(error.url), error.read().decode("utf-8", "replace")
        except (URLError, OSError) as error:
            return 0, request.full_url, f"没有应答({type(error).__name__})"

    def _path(self, url: str) -> str:
        return url.removeprefix(self.base)


@dataclass(slots=True)
class Report:
    """What one account saw: a short word for each page, and the faults."""

    seen: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    def expect(self, name: str, status: int, *allowed: int) -> None:
        self.seen.append(f"{name} {status}")
        if status not in allowed:
            self.faults.append(f"{name}:{status},应为 {'或'.join(str(one) for one in allowed)}")


@dataclass(frozen=True, slots=True)
class Account:
    """One demonstration account as `manage.py personas --json` tells it."""

    username: str
    is_sealed: bool
    path: str  # of the office she acts for: the first of her posts
    rights: frozenset[str]

    def covers(self, path: str) -> bool:
        return bool(self.path) and path.startswith(self.path)


@dataclass(slots=True)
class Samples:
    """What the story's registrar sees: others see it, or not, by their place in the tree."""

    school: str
    record: str = ""
    case: str = ""


class Command(BaseCommand):
    help = "以每个演示账号登录运行中的系统,访问首页、名单、学籍、办件与接口,核对应答状态。"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--base-url", required=True, help="系统地址,如 http://127.0.0.1:8000")
        parser.add_argument("--only", default="", help="只检查账号名以此开头的")

    def handle(self, *args: Any, **options: Any) -> None:
        base, started = options["base_url"].rstrip("/"), monotonic()
        password, accounts = read_cast()
        faults = list(self._check_health(base))
        story = next(account for account in accounts if account.username == STORY)
        samples = find_samples(base, story, password)
        if not samples.record:
            faults.append(f"{STORY} 的名单中没有学籍")
        chosen = [account for account in accounts if account.username.startswith(options["only"])]
        for account in chosen:
            report = check(base, account, password, samples)
            faults += [f"{account.username} {fault}" for fault in report.faults]
            mark = "失败" if report.faults else "通过"
            self.stdout.write(f"{mark} {account.username:<38}{' · '.join(report.seen)}")
        if faults:
            raise CommandError("\n".join(["冒烟检查未通过:", *faults]))
        self.stdout.write(f"冒烟检查通过:{len(chosen)} 个账号,{monotonic() - started:.0f} 秒。")

    def _check_health(self, base: str) -> Iterator[str]:
        status, _path, text = Visitor(base).get(reverse("health"))
        problems = (
            [row["problem"] for row in json.loads(text)["checks"] if row["problem"]] if status else [text]
        )
        self.stdout.write(f"健康检查 {status} {';'.join(problems)}")
        if status != 200:
            yield f"健康检查 {status} {';'.join(problems)}"


def read_cast() -> tuple[str, list[Account]]:
    """The common password and the accounts. Asked of the command, for config may not import accounts."""
    output = StringIO()
    call_command("personas", "--json", stdout=output, skip_checks=True)
    cast = json.loads(output.getvalue())
    accounts = []
    for row in cast["personas"]:
        acting = row["held"][0]["path"] if row["held"] and not row["remark"] else ""
        rights = {right for post in row["held"] for right in post["rights"] if post["path"] == acting}
        accounts.append(Account(row["username"], row["is_sealed"], acting, frozenset(rights)))
    return cast["password"], accounts


def find_samples(base: str, story: Account, password: str) -> Samples:
    """A record and, if there is one, a case that the story's registrar sees."""
    visitor, samples = Visitor(base), Samples(story.path)
    visitor.sign_in(story.username, password)
    if found := _RECORD.search(visitor.get(reverse("registry:students"))[2]):
        samples.record = found[0]
    if found := _CASE.search(visitor.get(reverse("transfers:cases"))[2]):
        samples.case = found[0]
    return samples


def check(base: str, account: Account, password: str, samples: Samples) -> Report:
    """Sign in as `account` and ask for every page; each must answer what the role may."""
    report, visitor = Report(), Visitor(base)
    status, path, _text = visitor.sign_in(account.username, password)
    if account.is_sealed:
        report.expect("登录", status, 403)
        return report
    report.expect("首页", status, 200 if account.rights else 403)
    if path != reverse("home"):
        report.faults.append(f"登录后停在 {path}")
        return report
    rights, record = account.rights, ""
    for name, (title, wanted) in PAGES.items():
        status, _path, text = visitor.get(reverse(name))
        report.expect(title, status, 200 if rights & wanted else 403)
        if name == "registry:students" and status == 200 and (found := _RECORD.search(text)):
            record = found[0]
    if record:
        report.expect("学籍", visitor.get(record)[0], 200)
    is_inside = account.covers(samples.school)
    if samples.record:
        report.expect("样本学籍", visitor.get(samples.record)[0], *_of_record(rights, is_inside))
    if samples.case:
        allowed = 403 if "view_case" not in rights else 200 if is_inside else 404
        report.expect("样本办件", visitor.get(samples.case)[0], allowed)
    for title, (address, wanted) in APIS.items():
        report.expect(title, visitor.get(address)[0], 200 if rights & wanted else 403)
    return report


def _of_record(rights: frozenset[str], is_inside: bool) -> tuple[int, ...]:
    """What the story school's record answers: outside the own line it does not exist; inside the right decides."""
    if rights & {"view_student", "view_health"}:
        return (200,) if is_inside else (404,)
    return (200, 404) if "view_own_class" in rights else (403,)  # a head teacher: her class or not
