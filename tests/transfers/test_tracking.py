"""The family's tracking page: by an unguessable code, with nothing of the child (issue: courier view)."""

from datetime import timedelta
from typing import Any

import pytest
from django.db.models.functions import Now
from django.test import Client

from audit.models import AccessEntry
from tests import make
from tests.transfers.filing import file_pupil
from transfers.lanes import fold_lanes
from transfers.models import Case, LanePace, Tracking
from transfers.tracking import code_of, digest_of

pytestmark = pytest.mark.usefixtures("nation")


@pytest.fixture
def case() -> Case:
    school_class = make.make_class()
    office: dict[str, Any] = {"class": school_class, "registrar": make.make_registrar()}
    make.make_leader()
    return file_pupil(office)


@pytest.mark.rule("R-TRF-22", "RD-3", "AZ-9")
def test_a_family_sees_who_holds_the_case_and_nothing_of_the_child(case: Case, client: Client) -> None:
    pace = LanePace.objects.create(lane=case.lane, count=12, half=3, most=9)
    before = AccessEntry.objects.count()
    answer = client.get(f"/track/{code_of(case.number).lower()}")
    page = answer.content.decode()
    assert answer.status_code == 200
    assert case.to_name in page
    assert "学校领导审核" in page
    assert "还剩" in page
    assert "半数情况" in page
    card = case.open_card()
    assert not [words for words in (card["name"], card["id_mask"], card["birth_on"]) if words in page]
    assert AccessEntry.objects.count() == before + 1
    pace.delete()
    assert "暂不能推算" in client.get(f"/track/{code_of(case.number)}").content.decode()


@pytest.mark.rule("AZ-9")
def test_a_wrong_code_opens_nothing_and_the_table_keeps_no_code(case: Case, client: Client) -> None:
    wrong = "A" * 26
    assert client.get(f"/track/{wrong}").status_code == 404
    assert client.get("/track/1").status_code == 404
    assert client.post("/track", {"code": wrong}).status_code == 404
    assert client.post("/track", {"code": code_of(case.number)}).status_code == 302
    row = Tracking.objects.get(case_no=case.number)
    assert row.digest == digest_of(code_of(case.number))
    assert code_of(case.number) not in str(vars(row))


@pytest.mark.parametrize("days", [(1, 2, 3, 4, 50)])
def test_a_lane_is_folded_from_its_ended_cases(case: Case, days: tuple[int, ...]) -> None:
    for took in days:
        case.pk, case.number, case.card = None, f"ZC{took:012d}", None
        case.student_id, case.state, case.is_open = None, "done", False
        case.filed_at, case.ended_at = Now() - timedelta(days=took * 7), Now()
        case._state.adding = True
        case.save(force_insert=True)
    assert fold_lanes() == 1
    pace = LanePace.objects.get(lane="registration")
    assert pace.count == len(days)
    assert pace.half < pace.most
    assert pace.most >= 30 * 5 - 20  # fifty weeks, holidays taken off
