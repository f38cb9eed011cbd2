"""Budgets of looking (RD-6): told at eighty per cent, a second factor once, then refused."""

from time import time
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from accounts.models import Notice, User
from accounts.step_up import FACTOR_AT
from audit.budgets import BudgetStepUp, spend
from audit.models import AccessEntry
from audit.models_warnings import EarlyWarning, SignInAttempt
from audit.services import record_read
from audit.warning_rules import ROW
from audit.warnings import Stopped, close, refuse_stopped, take
from audit.watching import address_stop_key
from tests import make

pytestmark = pytest.mark.usefixtures("nation")


def prove_factor(client: Client, *, at: float | None = None) -> None:
    session = client.session
    session[FACTOR_AT] = time() if at is None else at
    session.save()


def refusals(user: User) -> list[str]:
    rows = AccessEntry.objects.filter(actor_id=user.pk, outcome="refused").order_by("id")
    return list(rows.values_list("code", flat=True))


@pytest.mark.rule(
    "RD-6", "RECORDS_PER_HOUR", "RECORDS_PER_DAY", "BUDGET_NOTICE_PERCENT", "BUDGET_EXTRA_PERCENT"
)
@pytest.mark.parametrize("key", ["RECORDS_PER_HOUR", "RECORDS_PER_DAY"])
def test_records_by_page_and_api_are_one_budget(client: Client, key: str) -> None:
    make.make_rule(key, 5, make.PROVINCE)
    user, school_class = make.make_registrar(), make.make_class()
    pupils = [make.make_student(school_class) for _ in range(8)]
    places = ["registry:student", "student-detail"]
    pages = [reverse(places[n % 2], args=[pupil.public_id]) for n, pupil in enumerate(pupils)]
    client.force_login(user)
    prove_factor(client, at=0)
    for n, page in enumerate(pages[:5]):
        assert client.get(page).status_code == 200
        assert Notice.objects.filter(user=user, kind="budget").count() == (n >= 3)  # at four of five, once
    assert client.get(pages[4]).status_code == 403
    assert client.get(pages[5]).json()["code"] == "step_up_needed"
    warning = EarlyWarning.objects.get(rule="W3")
    assert (warning.subjects, warning.facts["budget"]) == ([user.pk], "records")
    prove_factor(client)
    assert client.get(pages[5]).status_code == 200  # once, a fifth more
    assert client.get(pages[6]).status_code == 429
    assert client.get(pages[7]).json()["code"] == "budget_spent"
    assert refusals(user) == ["step_up_needed", "step_up_needed", "budget_spent", "budget_spent"]
    client.force_login(make.make_registrar())  # a budget is a person's own
    assert client.get(pages[0]).status_code == 200


@pytest.mark.rule("RD-6")
def test_counting_takes_one_query_and_sees_what_she_did_in_another_post() -> None:
    make.make_rule("RECORDS_PER_HOUR", 2, make.PROVINCE)
    user = make.make_registrar()
    here, elsewhere = user.acting_post, make.add_post(user, "registrar", make.FAR, make.ALWAYS)
    user.acting_post = elsewhere
    for pupil in (make.make_student(make.make_class(make.FAR)) for _ in range(2)):
        record_read(pupil, actor=user, route="registry:student")
    assert AccessEntry.objects.filter(org_path=make.FAR, actor_id=user.pk).count() == 2
    user.acting_post = here
    with CaptureQueriesContext(connection) as seen, pytest.raises(BudgetStepUp):
        spend(user, "records")
    assert len(seen) == 1


@pytest.mark.rule("RD-6", "AC-7", "RD-2", "REVEALS_PER_HOUR", "REVEALS_PER_DAY", "REVEALS_STEP_UP")
@pytest.mark.parametrize("key", ["REVEALS_PER_HOUR", "REVEALS_PER_DAY"])
def test_reveals_need_a_second_factor_beyond_ten_and_end_at_the_budget(client: Client, key: str) -> None:
    make.make_rule(key, 12, make.PROVINCE)
    user, pupil = make.make_registrar(), make.make_student()
    sent = {"field": "phone", "reason": "contact", "text": "家访前核对电话"}
    address = reverse("registry:reveal", args=[pupil.public_id])
    client.force_login(user)
    prove_factor(client, at=0)
    assert [client.post(address, sent).status_code for _ in range(10)] == [200] * 10
    refused = client.post(address, sent)
    assert (refused.status_code, "13800138000" in refused.text) == (403, False)
    assert reverse("accounts:step_up") in refused.text  # where the proof is given
    prove_factor(client)
    assert [client.post(address, sent).status_code for _ in range(2)] == [200, 200]
    # Twelve are used: the fresh factor stretches the budget once, to fourteen.
    assert [client.post(address, sent).status_code for _ in range(3)] == [200, 200, 429]
    client.force_login(make.make_leader())
    assert client.post(address, sent).status_code == 200


@pytest.mark.rule("W3", "RD-2")
def test_an_open_warning_about_her_reveals_asks_for_the_factor_each_time(client: Client) -> None:
    user, pupil = make.make_registrar(), make.make_student()
    make.make_warning("W3", make.SCHOOL, f"user:{user.pk}")
    sent = {"field": "phone", "reason": "contact", "text": "家访前核对电话"}
    client.force_login(user)
    prove_factor(client, at=0)
    address = reverse("registry:reveal", args=[pupil.public_id])
    assert client.post(address, sent).status_code == 403
    prove_factor(client)
    assert client.post(address, sent).status_code == 200


@pytest.mark.rule("W5", "RD-6")
def test_a_warning_stops_her_look_ups(client: Client) -> None:
    user = make.make_registrar()
    client.force_login(user)
    make.make_warning("W5", make.SCHOOL, f"user:{user.pk}")
    values = make.valid_values()
    asked = {key: values[key] for key in ("name", "sex", "birth_on", "nationality", "id_type", "id_number")}
    stopped = client.post(reverse("transfers:register"), asked)
    assert (stopped.status_code, "频繁跨范围查重" in stopped.text) == (409, True)


@pytest.mark.rule("W9")
def test_a_warning_stops_the_next_decision_on_the_case(client: Client) -> None:
    from tests.transfers.filing import file_pupil

    office: dict[str, Any] = {
        "class": make.make_class(),
        "registrar": make.make_registrar(),
        "leader": make.make_leader(),
        "reviewer": make.make_reviewer(),
    }
    case = file_pupil(office)
    warning = make.make_warning("W9", make.SCHOOL, f"case:{case.pk}")
    client.force_login(office["leader"])
    decide = reverse("transfers:decide", args=[case.number])
    sent = {"decision": "refuse", "text": "材料与学生情况不符"}
    stopped = client.post(decide, sent)
    assert (stopped.status_code, "一人多岗或一机多人" in stopped.text) == (409, True)
    body = {"decision": "refuse", "reason": "材料与学生情况不符"}
    api = client.post(reverse("case-decide", args=[case.number]), body, content_type="application/json")
    assert api.json()["code"] == "stopped_by_warning"
    assert client.get(reverse("transfers:case", args=[case.number])).status_code == 200
    handler = make.make_security_administrator(make.COUNTY)
    take(warning, actor=handler)
    close(warning, actor=handler, finding="经核查为临时代班，已补办手续")
    assert client.post(decide, sent).status_code != 409
    case.refresh_from_db()
    assert case.state == "refused"


@pytest.mark.rule("W7", "AC-5")
def test_attempts_at_the_door_are_kept_as_digests_and_a_warning_slows_the_address(client: Client) -> None:
    user = make.make_registrar()
    door = reverse("accounts:sign_in")
    assert client.get(door).cookies["device"].value
    client.post(door, {"username": user.username, "password": "不是这个密码"})
    client.post(door, {"username": "没有这个账号", "password": "不是这个密码"})
    known, unknown = SignInAttempt.objects.order_by("id")
    assert (known.account, known.office_path, known.roles) == (user.pk, make.SCHOOL, ["registrar"])
    assert unknown.account < 0
    assert known.device == unknown.device
    assert known.is_failure
    make.make_warning("W7", make.NATION, address_stop_key("127.0.0.1"))
    from accounts.throttle import Meter

    assert Meter("password", "typed somebody", "198.51.100.1").admit()
    slowed = [Meter("password", f"typed {n}", "127.0.0.1").admit() for n in range(6)]
    assert slowed == [True, True, True, False, False, False]  # two failures before; five are the limit


@pytest.mark.rule("W15", "KE-2")
def test_a_sealed_value_that_does_not_open_warns_and_stops_the_row(client: Client) -> None:
    from registry.services.editing import update_normal

    user, pupil, sound = make.make_registrar(), make.make_student(), make.make_student()
    pupil.private = sound.private  # a value copied to another row does_not_open
    pupil.save()
    client.force_login(user)
    client.raise_request_exception = False
    assert client.get(reverse("registry:student", args=[pupil.public_id])).status_code == 500
    warning = EarlyWarning.objects.get(rule="W15")
    assert (warning.key, warning.level, warning.org_path) == (f"student:{pupil.pk}", "severe", make.SCHOOL)
    pupil.private = sound.private
    with pytest.raises(Stopped):
        refuse_stopped(ROW, f"student:{pupil.pk}")
    assert update_normal(sound, {"talent": "围棋"}, version=sound.version, actor=user) == ["talent"]
    make.make_warning("W15", make.SCHOOL, f"student:{sound.pk}")
    sound.refresh_from_db()
    with pytest.raises(Stopped):
        update_normal(sound, {"talent": "书法"}, version=sound.version, actor=user)
