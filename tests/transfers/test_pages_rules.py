"""The Rules page: everybody reads, the entitled office sets its own within the bound, nothing is lost."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import User
from audit.models import Event
from audit.sentences import sentence
from config.clock import today
from config.models import RuleValue
from config.rules import PARAMETERS, rule
from tests import make

pytestmark = pytest.mark.usefixtures("nation")
LIST = reverse("transfers:rules")
SIZE = "CLASS_SIZE_MAX_PRIMARY"
DOCUMENT = "深南教〔2026〕3号"
LATER, TOMORROW = today() + timedelta(days=30), today() + timedelta(days=1)


def at(name: str, key: str = SIZE) -> str:
    return reverse(f"transfers:{name}", args=[key])


def stored(key: str, value: object, path: str, **fields: Any) -> RuleValue:
    facts = {"document": "粤教基〔2025〕8号", "set_by_name": "广东省教育厅", "created_by_name": "李明"}
    valid = fields.pop("valid", (today() - timedelta(days=100), None))
    return RuleValue.objects.create(path=path, key=key, value=value, valid=valid, **facts | fields)


def filled(user: User, **changes: Any) -> dict[str, Any]:
    """What the form sends; `changes` overwrite."""
    office = make.make_office(user.acting_path)
    sent = {"office": office.pk, "value": 45, "starts": TOMORROW, "document": DOCUMENT, "key": "a-press-1"}
    return {name: value for name, value in (sent | changes).items() if value is not None}


@pytest.fixture
def leader() -> User:
    make.make_office(make.SCHOOL)
    return make.make_user("bureau_leader", make.COUNTY, name="周局")


@pytest.fixture
def entered(client: Client, leader: User) -> Client:
    client.force_login(leader)
    return client


# --- Reading -------------------------------------------------------------------------------------------


def test_everybody_reads_every_rule_with_its_source(client: Client) -> None:
    stored(SIZE, 50, make.PROVINCE)
    client.force_login(make.make_user("subject_teacher", make.SCHOOL))
    response = client.get(LIST)
    lines = {line.parameter.key: line for _title, found in response.context["subjects"] for line in found}
    assert list(lines) == list(PARAMETERS)
    assert lines[SIZE].held.value == 50
    assert "粤教基〔2025〕8号" in response.text
    assert not any(line.is_settable for line in lines.values())
    page = client.get(at("rule"))
    assert "广东省教育厅" in page.text
    assert page.context["form"] is None
    assert "该参数由国家、省级、县级设定。" in page.text


def test_the_list_is_narrowed_by_words_and_by_who_set_it(entered: Client) -> None:
    stored(SIZE, 45, make.COUNTY, set_by_name="南山区教育局")
    stored("ENTRY_CUTOFF", "1231", make.PROVINCE)
    stored("INTAKE_PLAN", "block", make.COUNTY, valid=(LATER, None))

    def keys(**query: str) -> list[str]:
        found = entered.get(LIST, query).context["subjects"]
        return [line.parameter.key for _title, lines in found for line in lines]

    assert keys(only="own") == [SIZE]
    assert keys(only="coming") == ["INTAKE_PLAN"]
    assert "TRANSFER_STEP_DAYS" not in keys(only="settable")
    assert keys(q="入学年龄") == ["ENTRY_CUTOFF"]
    assert keys(q="第十五条", only="settable") == ["TRANSFER_WINDOWS"]
    assert keys(q="没有这条") == []
    assert entered.get(LIST, {"only": "nonsense"}).status_code == 404


def test_an_office_above_reads_those_below_and_nobody_reads_beside(entered: Client) -> None:
    school, beside = make.make_office(make.SCHOOL), make.make_office(make.NEIGHBOUR_COUNTY)
    stored(SIZE, 45, make.COUNTY)
    for address in (LIST, at("rule")):
        assert entered.get(address, {"at": school.pk}).status_code == 200
        assert entered.get(address, {"at": beside.pk}).status_code == 404
        assert entered.get(address, {"at": "1 OR 1"}).status_code == 404
    assert entered.get(at("rule", "NO_SUCH_RULE")).status_code == 404
    below = entered.get(at("rule"), {"at": school.pk})
    assert below.context["held"].value == 45
    assert below.context["form"] is None  # a value is set for the own office only


def test_the_levels_and_the_own_history_stand_on_the_page(client: Client) -> None:
    for path, value in (
        (make.NATION, 60),
        (make.PROVINCE, 50),
        (make.COUNTY, 45),
        (make.NEIGHBOUR_COUNTY, 40),
    ):
        make.make_office(path)
        stored(SIZE, value, path)
    stored(SIZE, 48, make.PROVINCE, valid=(today() - timedelta(days=900), today() - timedelta(days=100)))
    make.make_class()
    client.force_login(make.make_user("bureau_leader", make.PROVINCE))
    context = client.get(at("rule")).context
    assert [rung.held and rung.held.value for rung in context["chain"]] == [60, 50]
    assert [entry.held.value for entry in context["history"]] == [48, 50]
    assert [entry.state for entry in context["history"]] == ["past", "now"]
    assert {office.path for office, _own in context["reach"].own} == {make.COUNTY, make.NEIGHBOUR_COUNTY}


def test_the_list_asks_as_much_whatever_is_set(entered: Client) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as found:
            assert entered.get(LIST).status_code == 200
        return len(found)

    queries()
    before = queries()
    for key in list(PARAMETERS)[:12]:
        parameter = PARAMETERS[key]
        held = parameter.value
        stored(key, list(held) if isinstance(held, tuple) else held, make.PROVINCE)
        stored(key, list(held) if isinstance(held, tuple) else held, make.COUNTY, valid=(LATER, None))
    assert queries() == before


# --- Setting -------------------------------------------------------------------------------------------


def test_a_value_holds_below_and_not_beside_and_is_recorded(entered: Client, leader: User) -> None:
    stored(SIZE, 50, make.PROVINCE)
    answer = entered.post(at("rule_set"), filled(leader, reason="新校区启用"))
    assert (answer.status_code, answer.url) == (302, at("rule"))
    values = {path: rule(SIZE, path, TOMORROW).value for path in (make.SCHOOL, make.NEIGHBOUR, make.FAR)}
    assert values == {make.SCHOOL: 45, make.NEIGHBOUR: 50, make.FAR: 55}
    assert rule(SIZE, make.SCHOOL).value == 50
    event = Event.objects.get(action="config.rule.set", actor_id=leader.pk)
    assert (event.org_path, event.reason) == (make.COUNTY, "新校区启用")
    assert sentence(event) == (
        f"南山区教育局的周局设定规则“小学班级在转入、复学后的最大人数”：由50人改为45人，"
        f"自{TOMORROW}起施行（{DOCUMENT}）"
    )
    assert "将施行" in entered.get(at("rule")).text


REFUSED: list[tuple[str, dict[str, Any], int, str]] = [
    (SIZE, {"value": 66}, 422, "应为1至65人"),
    (SIZE, {"value": 0}, 422, "应为1至65人"),
    (SIZE, {"value": "许多"}, 422, "请填写整数"),
    (SIZE, {"document": " "}, 422, "须写明依据文件"),
    (SIZE, {"starts": ""}, 422, "请填写日期"),
    (SIZE, {"starts": "1999-12-31"}, 422, "2000 年至 2099 年"),
    (SIZE, {"last": today()}, 422, "施行的最后一日"),
    ("TRANSFER_STEP_DAYS", {"value": 5}, 403, "只能由国家、省级设定，县级不能设定"),
    ("ENTRY_CUTOFF", {"value": "8-31"}, 403, "只能由国家、省级设定"),
    ("REGISTRATION_CLOSES", {"value": "2-30"}, 422, "不是该参数可用的值"),
    ("REGISTRATION_CLOSES", {"value": "月底"}, 422, "请按“8-31”的格式"),
    ("ROUTE_EXTRA_LEVELS", {"value": "village"}, 422, "village"),
    (SIZE, {"path": make.PROVINCE}, 400, "不认识的字段"),
]


@pytest.mark.parametrize(("key", "changes", "status", "words"), REFUSED)
def test_what_is_refused_changes_nothing(
    entered: Client, leader: User, key: str, changes: dict[str, Any], status: int, words: str
) -> None:
    """The same form with a sound value goes through: see the test above."""
    before = list(RuleValue.objects.values_list("pk", flat=True))
    for act in ("rule_preview", "rule_set"):
        answer = entered.post(at(act, key), filled(leader, **changes))
        assert (answer.status_code, words in answer.text) == (status, True), act
    assert list(RuleValue.objects.values_list("pk", flat=True)) == before
    assert not Event.objects.filter(action="config.rule.set", actor_id=leader.pk).exists()


def test_a_value_is_set_for_the_own_office_only(entered: Client, leader: User) -> None:
    school, beside, above = (make.make_office(p) for p in (make.SCHOOL, make.NEIGHBOUR_COUNTY, make.PROVINCE))
    for office, status in ((school, 403), (beside, 404), (above, 404)):
        for act in ("rule_preview", "rule_set"):
            assert entered.post(at(act), filled(leader, office=office.pk)).status_code == status
    assert entered.post(at("rule_set"), filled(leader)).status_code == 302
    # A second post at the city gives no hand at the county, nor the county's post one at the city.
    make.add_post(leader, "bureau_leader", make.CITY)
    answer = entered.post(
        at("rule_set", "TRANSFER_WINDOWS"),
        filled(leader, value=None, key="other-press", kind1="day", first1="8-20", last1="9-20"),
    )
    assert answer.status_code == 403
    assert not RuleValue.objects.filter(key="TRANSFER_WINDOWS", path__in=(make.COUNTY, make.CITY)).exists()


@pytest.mark.parametrize("role", ["reviewer", "system_administrator", "audit_administrator"])
def test_without_the_right_nobody_sets(client: Client, role: str) -> None:
    user = make.make_user(role, make.COUNTY)
    client.force_login(user)
    for act in ("rule_preview", "rule_try", "rule_set", "rule_end"):
        assert client.post(at(act), filled(user)).status_code == 403
    assert client.get(at("rule")).context["form"] is None


def test_two_values_cannot_hold_on_one_day(entered: Client, leader: User) -> None:
    assert entered.post(at("rule_set"), filled(leader)).status_code == 302
    for act in ("rule_preview", "rule_set"):
        answer = entered.post(at(act), filled(leader, value=44, key="another-press"))
        assert (answer.status_code, "在这段时间内已有设定" in answer.text) == (409, True)
    assert rule(SIZE, make.COUNTY, TOMORROW).value == 45


@pytest.mark.rule("AP-4")
def test_pressing_twice_sets_once(entered: Client, leader: User) -> None:
    for _press in range(2):
        assert entered.post(at("rule_set"), filled(leader)).status_code == 302
    assert RuleValue.objects.filter(path=make.COUNTY, key=SIZE).count() == 1
    assert entered.post(at("rule_set"), filled(leader, value=44)).status_code == 422
    assert entered.post(at("rule_set"), filled(leader, key="")).status_code == 400


def test_the_preview_shows_old_and_new_and_keeps_nothing(entered: Client, leader: User) -> None:
    stored(SIZE, 50, make.PROVINCE)
    answer = entered.post(at("rule_preview"), filled(leader, last=LATER))
    assert answer.status_code == 200
    before, after = answer.context["before"], answer.context["after"]
    assert (before.value, after.value, after.last) == (50, 45, LATER)
    assert answer.context["reach"].schools >= 1
    assert not RuleValue.objects.filter(path=make.COUNTY, key=SIZE).exists()
    assert not Event.objects.filter(actor_id=leader.pk).exists()


@pytest.mark.parametrize("key", sorted(PARAMETERS))
def test_the_form_of_every_rule_sends_back_the_value_it_shows(client: Client, key: str) -> None:
    """A control for each kind of value: what the form opens with is what it would set."""
    parameter = PARAMETERS[key]
    path = make.NATION if parameter.may_be_set_by("nation") else make.PROVINCE
    user = make.make_user("bureau_leader", path)
    client.force_login(user)
    form = client.get(at("rule", key)).context["form"]
    sent = {field.name: value for field in form if (value := field.value()) is not None}
    answer = client.post(at("rule_preview", key), sent | {"document": DOCUMENT})
    assert answer.status_code == 200, answer.text
    assert answer.context["after"].value == answer.context["before"].value
    assert answer.context["after"].set_at == path


def test_windows_are_read_as_they_are_written(entered: Client, leader: User) -> None:
    rows = {
        "kind1": "term", "first1": "-7", "last1": "14", "kind2": "day", "first2": "8月20日", "last2": "9/20",
        "kind3": "lunar", "first3": "1-8", "last3": "1-20",
    }  # fmt: skip
    assert (
        entered.post(at("rule_set", "TRANSFER_WINDOWS"), filled(leader, value=None, **rows)).status_code
        == 302
    )
    windows = ("term-7..term+14", "0820..0920", "lunar0108..lunar0120")
    assert rule("TRANSFER_WINDOWS", make.SCHOOL, TOMORROW).words == windows
    wrong = filled(leader, value=None, kind1="term", first1="一周", last1="14")
    assert "与开学日相差的天数" in entered.post(at("rule_preview", "TRANSFER_WINDOWS"), wrong).text


# --- Ending --------------------------------------------------------------------------------------------


def test_an_own_value_is_ended_by_a_document_and_stays_in_the_history(entered: Client, leader: User) -> None:
    stored(SIZE, 50, make.PROVINCE)
    row = stored(SIZE, 45, make.COUNTY)
    office = make.make_office(make.COUNTY).pk
    sent = {"office": office, "row": row.pk, "ends": TOMORROW, "document": DOCUMENT, "reason": "扩班"}
    for changes, status in (({"document": ""}, 422), ({"ends": "2020-01-01"}, 422), ({"row": 0}, 404)):
        assert entered.post(at("rule_end"), sent | changes).status_code == status
    assert rule(SIZE, make.SCHOOL, TOMORROW).value == 45
    assert entered.post(at("rule_end"), sent).status_code == 302
    assert [rule(SIZE, make.SCHOOL, day).value for day in (today(), TOMORROW)] == [45, 50]
    event = Event.objects.get(action="config.rule.end", actor_id=leader.pk)
    assert "终止本级规则" in sentence(event)
    assert [entry.state for entry in entered.get(at("rule")).context["history"]] == ["end", "now"]
    assert RuleValue.objects.filter(pk=row.pk).exists()
    neighbour = stored(SIZE, 40, make.NEIGHBOUR_COUNTY)
    assert entered.post(at("rule_end"), sent | {"row": neighbour.pk}).status_code == 404
    other = make.make_user("bureau_leader", make.PROVINCE)
    entered.force_login(other)  # she sees the county, and ends nothing there
    assert entered.post(at("rule_end"), sent | {"row": row.pk}).status_code == 403


def test_a_coming_value_is_withdrawn_once(entered: Client, leader: User) -> None:
    entered.post(at("rule_set"), filled(leader))
    row = RuleValue.objects.get(path=make.COUNTY, key=SIZE)
    sent = {"office": make.make_office(make.COUNTY).pk, "row": row.pk, "ends": TOMORROW, "document": DOCUMENT}
    assert entered.post(at("rule_end"), sent).status_code == 302
    assert rule(SIZE, make.SCHOOL, TOMORROW).value == 55
    assert "撤回尚未施行的规则设定" in sentence(
        Event.objects.get(action="config.rule.withdraw", actor_id=leader.pk)
    )
    assert entered.post(at("rule_end"), sent).status_code == 409
    page = entered.get(at("rule"))
    assert [entry.state for entry in page.context["history"]] == ["end", "withdrawn"]
    assert "未施行" in page.text
