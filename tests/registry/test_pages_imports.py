"""The four screens of the intake, and what they refuse (UI.md, R-EST-10)."""

from io import BytesIO

import pytest
from django.urls import reverse
from openpyxl import load_workbook

from audit.models import AccessEntry, Event
from registry.models import Enrolment, ImportBatch, ImportRow
from tests import make
from tests.registry.importing import as_file, checked, committed, work
from tests.registry.workbooks import FIRST_ROW, line, lines, workbook
from transfers.models import Case
from transfers.services import withdraw

pytestmark = pytest.mark.usefixtures("nation")


@pytest.fixture
def school(client):
    found = {"class": make.make_class(), "registrar": make.make_registrar()}
    client.force_login(found["registrar"])
    return found


def page(batch: ImportBatch, name: str = "import") -> str:
    return reverse(f"registry:{name}", args=[batch.public_id])


@pytest.mark.rule("R-EST-10")
def test_from_template_to_case_through_the_pages(client, school):
    template = client.get(reverse("registry:import_template"))
    assert template.status_code == 200
    assert load_workbook(BytesIO(template.content)).sheetnames[0] == "学生信息"
    sent = client.post(reverse("registry:imports"), {"file": as_file(workbook(lines(school["class"], 3)))})
    assert sent.status_code == 302
    batch = ImportBatch.objects.get(created_by=school["registrar"])
    assert "hx-get" in client.get(page(batch)).content.decode()
    batch = work(batch)
    assert "3 行全部通过检查" in client.get(page(batch)).content.decode()
    assert client.post(page(batch, "import_preview")).status_code == 302
    check = client.get(page(batch, "import_check"))
    batch.refresh_from_db()
    assert batch.preview["hash"] in check.content.decode()
    unsworn = client.post(page(batch, "import_commit"), {"hash": batch.preview["hash"]})
    assert (unsworn.status_code, "身份证件原件" in unsworn.content.decode()) == (422, True)
    sent = client.post(page(batch, "import_commit"), {"hash": batch.preview["hash"], "is_attested": "1"})
    assert sent.status_code == 302
    batch = work(batch)
    done = client.get(page(batch)).content.decode()
    assert batch.case_no
    assert batch.case_no in done
    assert Enrolment.objects.filter(school_class=school["class"], status="00").count() == 3


@pytest.mark.rule("R-EST-10", "R-EST-06")
def test_all_faults_are_shown_mended_in_the_page_and_checked_again(client, school):
    good = line(school["class"])
    wrong = line(school["class"], phone="12", id_number=good["id_number"][:-1] + "?")
    batch = checked([good, wrong], actor=school["registrar"])
    text = client.get(page(batch)).content.decode()
    assert (
        f'name="cell-{FIRST_ROW + 1}-phone"' in text,
        f'name="cell-{FIRST_ROW + 1}-id_number"' in text,
    ) == (True, True)
    only = client.get(page(batch), {"code": "phone_form"}).content.decode()
    assert f'name="cell-{FIRST_ROW + 1}-id_number"' not in only
    by_rule = client.get(page(batch), {"rule": "R-EST-03"}).content.decode()
    assert (
        f'name="cell-{FIRST_ROW + 1}-phone"' in by_rule,
        f"cell-{FIRST_ROW + 1}-id_number" in by_rule,
    ) == (False, True)
    right = line(school["class"])
    mended = {
        f"cell-{FIRST_ROW + 1}-phone": "13800138001",
        f"cell-{FIRST_ROW + 1}-id_number": right["id_number"],
    }
    assert client.post(page(batch, "import_cells"), mended).status_code == 302
    batch = work(batch)
    assert (batch.state, batch.rows_wrong) == ("checked", 0)
    event = Event.objects.get(action="registry.import.correct", subject_id=batch.pk)
    assert event.fields == ["id_number", "phone"]


def test_the_annotated_workbook_can_be_mended_and_sent_again(client, school):
    batch = checked([line(school["class"]), line(school["class"], phone="12")], actor=school["registrar"])
    returned = client.get(page(batch, "import_workbook"))
    assert returned.status_code == 200
    book = load_workbook(BytesIO(returned.content))
    assert "问题清单" in book.sheetnames
    client.post(page(batch, "import_cancel"))
    buffer = BytesIO()
    book.save(buffer)
    again = client.post(reverse("registry:imports"), {"file": as_file(buffer.getvalue(), "改.xlsx")})
    assert again.status_code == 302
    second = work(ImportBatch.objects.get(created_by=school["registrar"], state="waiting"))
    assert (second.state, second.rows_total, second.rows_wrong) == ("checked", 2, 1), second.failure


def test_the_same_file_twice_and_a_wrong_kind_of_file_are_refused_in_the_page(client, school):
    content = workbook(lines(school["class"], 1))
    client.post(reverse("registry:imports"), {"file": as_file(content)})
    twice = client.post(reverse("registry:imports"), {"file": as_file(content, "别名.xlsx")})
    assert (twice.status_code, "不能重复导入" in twice.content.decode()) == (409, True)
    for sent in ({}, {"file": as_file(b"name,sex\n", "名单.xlsx")}):
        refused = client.post(reverse("registry:imports"), sent)
        assert (refused.status_code, "没有办成" in refused.content.decode()) == (422, True)
    assert ImportBatch.objects.filter(created_by=school["registrar"]).count() == 1
    assert AccessEntry.objects.filter(outcome="refused", actor_id=school["registrar"].pk).count() == 3


@pytest.mark.rule("AZ-1", "AZ-2")
def test_another_school_and_the_county_find_no_such_import(client, school):
    batch = checked(lines(school["class"], 1), actor=school["registrar"])
    strangers = [make.make_registrar(make.SISTER), make.make_reviewer()]
    for stranger, status in zip(strangers, (404, 403), strict=True):
        client.force_login(stranger)
        assert client.get(page(batch)).status_code == status
        for act in ("cells", "preview", "commit", "cancel"):
            assert client.post(page(batch, f"import_{act}")).status_code == status, act
    assert ImportBatch.objects.get(pk=batch.pk).state == "checked"


def test_query_counts_do_not_grow_with_faulty_rows(client, school, django_assert_max_num_queries):
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    counts = []
    for rows in (1, 9):
        bad = [line(school["class"], phone="12") for _row in range(rows)]
        batch = checked([*bad, *lines(school["class"], 1)], actor=school["registrar"])
        client.get(page(batch))
        with CaptureQueriesContext(
            connection,
        ) as found:
            assert client.get(page(batch)).status_code == 200
        counts.append(len(found))
    assert counts[0] == counts[1]


def test_giving_up_leaves_nothing(client, school):
    batch = checked(lines(school["class"], 2), actor=school["registrar"])
    assert client.post(page(batch, "import_cancel")).status_code == 302
    batch.refresh_from_db()
    assert (batch.state, batch.stored_as, ImportRow.objects.filter(batch=batch).count()) == (
        "cancelled",
        "",
        0,
    )
    assert client.post(page(batch, "import_preview")).status_code == 409


@pytest.mark.rule("R-EST-10")
def test_a_batch_whose_case_is_withdrawn_says_so_and_not_that_nothing_was_written(client, school):
    batch = checked(lines(school["class"], 2), actor=school["registrar"])
    batch = committed(batch, actor=school["registrar"])
    withdraw(Case.objects.get(number=batch.case_no), actor=school["registrar"], reason="班级要重新编排")
    text = client.get(page(batch)).content.decode()
    said = [words in text for words in ("登记已全部撤销", "没有写入任何学生", batch.case_no)]
    assert said == [True, False, True]
