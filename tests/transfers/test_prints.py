"""Printed forms of a case and a pupil: the page's own view on paper, each print recorded."""

from typing import Any

import pytest
from django.test import Client

from audit.models import AccessEntry
from tests import make
from tests.archives.test_printing import pages_of
from tests.transfers.filing import file_pupil
from transfers.models import Case
from transfers.tracking import code_of

pytestmark = pytest.mark.usefixtures("nation")


@pytest.fixture
def office() -> dict[str, Any]:
    return {
        "class": make.make_class(),
        "registrar": make.make_registrar(),
        "leader": make.make_leader(),
        "reviewer": make.make_reviewer(),
    }


@pytest.mark.rule("RD-1", "RD-3", "R-TRF-22")
def test_the_receipt_carries_the_code_and_the_route(office: dict[str, Any], client: Client) -> None:
    case: Case = file_pupil(office)
    client.force_login(office["registrar"])
    answer = client.get(f"/cases/{case.number}/print/case_receipt")
    assert answer.status_code == 200
    assert answer["Content-Disposition"] == f'attachment; filename="case_receipt-{case.number}.pdf"'
    words = "".join(pages_of(answer.content)).replace(" ", "")
    assert "受理回执" in words
    assert code_of(case.number) in words
    assert "主管部门核准" in words
    trace = AccessEntry.objects.filter(subject_type="case", route="transfers:case_print").get()
    assert trace.purpose == "打印受理回执"


@pytest.mark.rule("RD-1", "AZ-2")
def test_a_form_that_the_case_does_not_have_is_none(office: dict[str, Any], client: Client) -> None:
    case = file_pupil(office)
    client.force_login(office["registrar"])
    assert client.get(f"/cases/{case.number}/print/transfer_certificate").status_code == 404
    client.force_login(make.make_user("reviewer", make.NEIGHBOUR_COUNTY))
    assert client.get(f"/cases/{case.number}/print/case_receipt").status_code == 404


@pytest.mark.rule("RD-1", "RD-3")
def test_the_status_card_masks_what_the_page_masks(office: dict[str, Any], client: Client) -> None:
    student = make.make_student(office["class"])
    client.force_login(office["registrar"])
    answer = client.get(f"/students/{student.public_id}/card")
    words = "".join(pages_of(answer.content)).replace(" ", "")
    assert student.name in words
    assert student.documents.get().mask in words
    assert "正常在校" in words
    assert AccessEntry.objects.filter(route="transfers:student_card", subject_id=student.pk).count() == 1
