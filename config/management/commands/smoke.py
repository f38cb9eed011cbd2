"""Ask the running system's main pages as every demonstration account, over real HTTP."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from io import BytesIO, StringIO
from time import monotonic, sleep
from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.urls import reverse
from PIL import Image

from config.visitor import Answer, Visitor

STORY = "demo.school.registrar"
ASKED_FIRST = ("name", "sex", "birth_on", "nationality", "id_type", "id_number")
COMPLETION_SECONDS = 60
DONE = "已办结"

# What each page asks for: any of these rights opens it. Written down here a second time on purpose, so that a
# view that loses its guard is noticed.
PAGES: dict[str, tuple[str, set[str]]] = {
    "registry:students": ("名单", {"view_student", "view_own_class"}),
    "registry:classes": ("班级", {"view_class", "view_own_class"}),
    "accounts:offices": ("单位", {"view_office"}),
    "transfers:cases": ("办件", {"view_case"}),
    "transfers:queue": ("待审", {"review_case", "decide_case", "file_case", "arbitrate"}),
    "audit:events": ("日志", {"view_log"}),
    "verification:home": ("核准", {"view_student"}),
    "year:calendar": ("学年", {"view_office"}),
    "graduation:lists": ("毕业", {"view_student"}),
    "dropout:ledgers": ("控辍", {"view_student"}),
    "reports:index": ("统计", {"view_report"}),
}
APIS: dict[str, tuple[str, set[str]]] = {
    "学籍接口": ("/api/v1/students/", {"view_student", "view_own_class"}),
    "办件接口": ("/api/v1/cases/", {"view_case"}),
    "规则接口": ("/api/v1/rules/", {"view_office"}),
    "导入接口": ("/api/v1/imports/", {"file_case"}),
}
_RECORD = re.compile(r"/registry/students/[0-9a-f-]{36}(?=[\"'?])")
_CASE = re.compile(r"/cases/[A-Z]+[0-9]+")


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
    help = "以每个演示账号登录运行中的系统，访问首页、名单、学籍、办件与接口，核对应答状态。"

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--base-url", required=True, help="系统地址，如 http://127.0.0.1:8000")
        parser.add_argument("--only", default="", help="只检查账号名以此开头的")
        parser.add_argument("--play", action="store_true", help="并真实办理一件新生注册（会写入数据）")

    def handle(self, *args: Any, **options: Any) -> None:
        base, started = options["base_url"].rstrip("/"), monotonic()
        accounts = read_cast()
        faults = list(self._check_health(base))
        story = next(account for account in accounts if account.username == STORY)
        samples = find_samples(base, story)
        if not samples.record:
            faults.append(f"{STORY} 的名单中没有学籍")
        if options["play"]:
            try:
                samples.case = play_story(base)
                self.stdout.write(f"通过 新生注册：登记、审核、核准、办结({samples.case})")
            except StoryFailed as failure:
                faults.append(f"新生注册：{failure}")
        chosen = [account for account in accounts if account.username.startswith(options["only"])]
        for account in chosen:
            report = check(base, account, samples)
            faults += [f"{account.username} {fault}" for fault in report.faults]
            mark = "失败" if report.faults else "通过"
            self.stdout.write(f"{mark} {account.username:<38}{' · '.join(report.seen)}")
        if faults:
            raise CommandError("\n".join(["冒烟检查未通过：", *faults]))
        self.stdout.write(f"冒烟检查通过：{len(chosen)} 个账号，{monotonic() - started:.0f} 秒。")

    def _check_health(self, base: str) -> Iterator[str]:
        answer = Visitor(base).get(reverse("health"))
        problems = [answer.text]
        if answer.status:
            problems = [row["problem"] for row in json.loads(answer.text)["checks"] if row["problem"]]
        said = f"健康检查 {answer.status} {';'.join(problems)}"
        self.stdout.write(said)
        if answer.status != 200:
            yield said


def read_cast() -> list[Account]:
    """The accounts. Asked of the command, for config may not import accounts."""
    output = StringIO()
    call_command("personas", "--json", stdout=output, skip_checks=True)
    cast = json.loads(output.getvalue())
    accounts = []
    for row in cast["personas"]:
        acting = row["held"][0]["path"] if row["held"] and not row["remark"] else ""
        rights = {right for post in row["held"] for right in post["rights"] if post["path"] == acting}
        accounts.append(Account(row["username"], row["is_sealed"], acting, frozenset(rights)))
    return accounts


def find_samples(base: str, story: Account) -> Samples:
    """A record and, if there is one, a case that the story's registrar sees."""
    visitor, samples = Visitor(base), Samples(story.path)
    visitor.enter_as(story.username)
    if found := _RECORD.search(visitor.get(reverse("registry:students")).text):
        samples.record = found[0]
    if found := _CASE.search(visitor.get(reverse("transfers:cases")).text):
        samples.case = found[0]
    return samples


class StoryFailed(Exception):
    """The story stopped. The text says where and what was answered."""


def play_story(base: str) -> str:
    """Register a pupil, review, decide, and wait until a worker has completed it; answers the case's address.

    Only where it is asked for: a running demonstration is not filled up by its checks. Raises StoryFailed.
    """
    registrar, leader, reviewer = (Visitor(base) for _each in range(3))
    registrar.enter_as(STORY)
    output = StringIO()
    call_command("demo", "--newcomer", stdout=output, skip_checks=True)
    values = json.loads(output.getvalue())
    asked = {key: values.get(key, "") for key in ASKED_FIRST}
    _must(registrar.post(reverse("transfers:register"), asked), "全国查重")
    form = _must(registrar.post(reverse("transfers:register_form"), asked | {"action": "show"}), "登记表")
    uploaded = _must(
        registrar.upload(
            reverse("archives:upload"),
            {"kind": "document", "evidence_type": "01"},
            "file",
            _picture(),
            "image/png",
        ),
        "上传材料",
    )
    more = {
        "class_id": _first(r'<option value="(\d+)"', form.text.partition('name="class_id"')[2], "班级"),
        "document": _first(r'name="document" value="([0-9a-f-]{36})"', uploaded.text, "材料"),
        "key": _first(r'name="key" value="([0-9a-f]+)"', form.text, "表单"),
        "action": "file",
    }
    filed = _must(registrar.post(reverse("transfers:register_form"), values | more), "提交")
    if not _CASE.fullmatch(filed.path):
        raise StoryFailed(f"提交后停在 {filed.path}")
    for visitor, username in ((leader, "demo.school.leader"), (reviewer, "demo.county.reviewer")):
        visitor.enter_as(username)
        page = _must(visitor.get(filed.path), f"{username} 打开办件")
        ticked = [("ticked", value) for value in re.findall(r'name="ticked" value="([^"]+)"', page.text)]
        _must(visitor.post(f"{filed.path}/decide", [*ticked, ("decision", "approve")]), f"{username} 同意")
    deadline = monotonic() + COMPLETION_SECONDS
    while DONE not in registrar.get(filed.path).text:
        if monotonic() > deadline:
            raise StoryFailed(f"核准后 {COMPLETION_SECONDS} 秒仍未办结，请检查 worker")
        sleep(0.5)
    return filed.path


def _must(answer: Answer, step: str) -> Answer:
    if answer.status != 200:
        raise StoryFailed(f"{step} {answer.status} {_words(answer.text)}")
    return answer


def _words(page: str) -> str:
    """What a refusing page says, without its markup."""
    refused = re.findall(r'class="[^"]*(?:field-error|refusal|alert)[^"]*"[^>]*>(.*?)</', page, re.DOTALL)
    return " ".join(re.sub(r"<[^>]+>|\s+", " ", text).strip() for text in refused)[:300]


def _first(pattern: str, page: str, what: str) -> str:
    found = re.search(pattern, page)
    if found is None:
        raise StoryFailed(f"页面上没有{what}")
    return found[1]


def _picture() -> bytes:
    """A plain image in place of a scanned household register."""
    file = BytesIO()
    Image.new("RGB", (640, 480), (235, 240, 245)).save(file, "PNG")
    return file.getvalue()


def check(base: str, account: Account, samples: Samples) -> Report:
    """Sign in as `account` and ask for every page; each must answer what the role may."""
    report, visitor = Report(), Visitor(base)
    entered = visitor.enter_as(account.username)
    if account.is_sealed:
        report.expect("登录", entered.status, 404)
        return report
    report.expect("首页", entered.status, 200)  # without a post it says so
    if entered.path != reverse("home"):
        report.faults.append(f"登录后停在 {entered.path}")
        return report
    rights, record = account.rights, ""
    for name, (title, wanted) in PAGES.items():
        page = visitor.get(reverse(name))
        report.expect(title, page.status, 200 if rights & wanted else 403)
        if name == "registry:students" and page.status == 200 and (found := _RECORD.search(page.text)):
            record = found[0]
    if record:
        report.expect("学籍", visitor.get(record).status, 200)
    is_inside = account.covers(samples.school)
    if samples.record:
        report.expect("样本学籍", visitor.get(samples.record).status, *_of_record(rights, is_inside))
    if samples.case:
        allowed = 403 if "view_case" not in rights else 200 if is_inside else 404
        report.expect("样本办件", visitor.get(samples.case).status, allowed)
    for title, (address, wanted) in APIS.items():
        report.expect(title, visitor.get(address).status, 200 if rights & wanted else 403)
    return report


def _of_record(rights: frozenset[str], is_inside: bool) -> tuple[int, ...]:
    """What the story's record answers: outside the own line it does not exist; inside, the right decides."""
    if rights & {"view_student", "view_health"}:
        return (200,) if is_inside else (404,)
    return (200, 404) if "view_own_class" in rights else (403,)  # a head teacher: her class or not
