"""在内导出 through pages, API and job: two persons, frozen terms, few downloads, one trace for every read."""

import csv
import io
from datetime import timedelta
from pathlib import Path
from time import time
from typing import Any

import pytest
from django.conf import settings
from django.core.management import call_command
from django.db.models.functions import Now
from django.test import Client
from django.urls import reverse
from openpyxl import load_workbook

from accounts.models import Notice, Post, User
from accounts.step_up import FACTOR_AT
from audit.models import AccessEntry, Event
from audit.models_warnings import EarlyWarning
from config import sealed_files
from config.clock import today
from config.crypto import DoesNotOpen
from config.models import Job
from config.rules import PARAMETERS
from registry.exporting import approving, asking, collecting
from registry.exporting.order import agreement, ordered
from registry.exporting.refusals import (
    ClearNotYours,
    ExportIncomplete,
    ExportsSpent,
    FieldNotYours,
    NotNow,
    OwnRequest,
)
from registry.exporting.running import PACK, TABLE, run_export
from registry.exporting.sheets import cell, file_name, open_sheet
from registry.exporting.terms import Terms, read_terms
from registry.models import Enrolment, Export, Protection, SchoolClass
from registry.record import open_number
from registry.tasks import purge_exports
from tests import make

pytestmark = pytest.mark.usefixtures("nation")
FIELDS = ["sex", "id_number", "phone", "class_name", "status_number"]


@pytest.fixture
def office() -> dict[str, Any]:
    found: dict[str, Any] = {
        "class": make.make_class(), "registrar": make.make_registrar(), "leader": make.make_leader(),
        "county": make.make_user("bureau_leader", make.COUNTY),
    }  # fmt: skip
    return found | {"pupils": [make.make_student(found["class"]) for _n in range(6)]}


def sign_in(client: Client, person: User, *, fresh: bool = True) -> Client:
    client.force_login(person)
    if fresh:
        session = client.session
        session[FACTOR_AT] = time()
        session.save()
    return client


def terms(person: User, **changes: Any) -> Terms:
    sent: dict[str, Any] = {
        "purpose": "roster", "purpose_text": "编制开学花名册", "fields": FIELDS, "format": "xlsx",
    }  # fmt: skip
    return read_terms(sent | changes, person)


def asked(office: dict[str, Any], **changes: Any) -> Export:
    return asking.ask(terms(office["registrar"], **changes), actor=office["registrar"])


def work(export: Export) -> Export:
    """The worker's turn."""
    export.refresh_from_db()
    assert export.job_id
    run_export(export.job_id)
    return Export.objects.get(pk=export.pk)


def ready(office: dict[str, Any], **changes: Any) -> Export:
    export = asked(office, **changes)
    approving.approve(export, actor=office["leader"])
    return work(export)


def content_of(export: Export) -> bytes:
    return b"".join(sealed_files.read(export.stored_as, TABLE))


def rows_of(export: Export) -> list[list[str]]:
    """The rows of the file, without the headings."""
    if export.format == "csv":
        lines = list(csv.reader(io.StringIO(content_of(export).decode("utf-8-sig"))))
        return lines[lines.index([]) + 2 :]
    sheet = load_workbook(io.BytesIO(content_of(export)))["数据"]
    return [[value or "" for value in row] for row in sheet.iter_rows(min_row=2, values_only=True)]


def act(client: Client, person: User, export: Export, name: str, *, fresh: bool = True, **sent: str) -> Any:
    sign_in(client, person, fresh=fresh)
    return client.post(reverse(f"registry:export_{name}", args=[export.public_id]), sent)


@pytest.mark.rule("EX-1", "EX-5", "R-EXT-07", "AC-7", "AZ-7", "RD-3")
def test_two_persons_from_the_form_to_the_file(client: Client, office: dict[str, Any]) -> None:
    registrar, leader, pupils = office["registrar"], office["leader"], office["pupils"]
    sign_in(client, registrar, fresh=False)
    form = client.get(reverse("registry:export_new"), {"class": office["class"].pk}).content.decode()
    assert "共 6 人" in form
    assert (
        "共 6 人"
        in client.get(reverse("registry:export_count"), {"class": office["class"].pk}).content.decode()
    )
    sent = {
        "key": "k" * 20, "class": office["class"].pk, "fields": FIELDS, "purpose": "roster",
        "purpose_text": "编制开学花名册", "format": "xlsx",
    }  # fmt: skip
    wrongs: list[dict[str, Any]] = [
        {"purpose": ""}, {"purpose_text": "短"}, {"fields": []}, {"format": "exe"}, {"fields": ["x"]},
    ]  # fmt: skip
    for wrong in wrongs:
        refused = client.post(reverse("registry:export_new"), sent | wrong)
        assert (refused.status_code, "导出申请不完整" in refused.content.decode()) == (422, True), wrong
    first = client.post(reverse("registry:export_new"), sent)
    again = client.post(reverse("registry:export_new"), sent)
    assert (first.status_code, first["Location"]) == (302, again["Location"])  # one form, one request
    export = Export.objects.get(requested_by=registrar)
    assert (export.state, export.row_cap, export.stored_as) == ("asked", 6, "")
    page = reverse("registry:export", args=[export.public_id])
    assert Notice.objects.filter(user=leader, kind="export", target=page).count() == 1
    assert "等待本单位或上级单位" in client.get(page).content.decode()
    # Nobody decides for herself, nor without a fresh second factor, nor from beside or below.
    assert act(client, registrar, export, "approve").status_code == 403
    assert act(client, leader, export, "approve", fresh=False).status_code == 403
    assert act(client, make.make_leader(make.SISTER), export, "approve").status_code == 404
    assert act(client, registrar, export, "file").status_code == 409
    assert "批准导出" in sign_in(client, leader).get(page).content.decode()
    assert act(client, leader, export, "approve").status_code == 302
    assert act(client, office["county"], export, "approve").status_code == 409  # too late: it is decided
    assert "hx-get" in sign_in(client, registrar).get(page).content.decode()
    before = AccessEntry.objects.filter(actor_id=registrar.pk, outcome="list").count()
    export = work(export)
    assert (export.state, export.rows, export.job.state) == ("ready", 6, Job.State.DONE)  # type: ignore[union-attr]
    reads = AccessEntry.objects.filter(actor_id=registrar.pk, outcome="list")[before:]
    assert {pk for read in reads for pk in read.subject_ids} == {pupil.pk for pupil in pupils}
    assert "可领取" in Notice.objects.get(user=registrar, kind="export").text
    # Collected by her alone, with a step-up, three times.
    assert act(client, leader, export, "file").status_code == 403
    assert act(client, registrar, export, "file", fresh=False).status_code == 403
    for _time in range(3):
        answer = act(client, registrar, export, "file")
        assert (answer.status_code, answer["Cache-Control"]) == (200, "no-store")
        assert answer["Content-Disposition"].startswith("attachment")
        body = b"".join(answer.streaming_content)
    spent = act(client, registrar, export, "file")
    assert (spent.status_code, "已领取 3 次" in spent.content.decode()) == (409, True)
    book = load_workbook(io.BytesIO(body))
    about = {row[0]: row[1] for row in book["导出说明"].iter_rows(values_only=True)}
    assert about["导出单号"] == export.approval_number
    assert (leader.name in about["批准"], registrar.name in about["水印"]) == (True, True)
    assert (about["人数"], "编制开学花名册" in about["用途"]) == ("6", True)
    acts = ("ask", "approve", "run", "collect")
    done = Event.objects.filter(subject_type="export", subject_id=export.pk).values_list("action", flat=True)
    assert {f"registry.export.{name}" for name in acts} == set(done)


@pytest.mark.rule("EX-6", "RD-1", "AZ-4")
def test_cells_are_masked_strings_that_no_program_takes_for_a_formula(
    client: Client, office: dict[str, Any]
) -> None:
    pupil = office["pupils"][0]
    number, phone = "110105194912310021", "13812345678"
    hostile = "=HYPERLINK(1)"
    SchoolClass.objects.filter(pk=office["class"].pk).update(name=hostile)
    pupil.set_private(pupil.open_private() | {"phone": phone})
    pupil.number = f"G{number}"
    pupil.save()
    for kind in ("csv", "xlsx"):
        export = ready(office, format=kind)
        assert number not in content_of(export).decode("utf-8", "ignore")
        rows = {row[0]: row for row in rows_of(export)}
        assert len(rows) == 6
        row = rows[pupil.name]
        assert row[-1] == export.approval_number  # every row says where it comes from
        assert f"'{hostile}" in row
        assert "138******78" in row
        assert "G110105********0021" in row
        assert not any(text.startswith(("=", "+", "-", "@", "＝")) for text in row)
    for text in ("=1", "+1", "-1", "@a", "|x", "%x", "\tx", "\rx", "\nx", "＝1", "＋1", "－1", "＠a"):
        assert cell(text).startswith("'")
    assert cell("a\0b") == "a□b"
    assert file_name("=../a b\\c", "DC-1", "csv") == "学籍导出-=..abc-DC-1.csv"
    book = load_workbook(io.BytesIO(content_of(export)))
    kinds = {one.data_type for line in book["数据"].iter_rows() for one in line if one.value}
    assert kinds <= {"s", "inlineStr"}


@pytest.mark.rule("EX-1", "AZ-4", "AZ-6", "AZ-10", "KE-1")
def test_clear_numbers_need_the_right_and_stand_as_text(office: dict[str, Any]) -> None:
    clear = ready(office, clear_fields=["id_number"], format="csv")
    numbers = {row[3] for row in rows_of(clear)}  # after name, class and sex
    expected = {open_number(pupil.documents.get()) for pupil in office["pupils"]}
    assert {number.removeprefix("'") for number in numbers} == expected
    assert not any(number.isdigit() for number in numbers)  # a text: no program rounds it
    # A protected pupil's numbers and addresses do not leave, not even masked (AZ-10).
    pupil = office["pupils"][0]
    Protection.objects.create(
        org_path=make.SCHOOL, student=pupil, state="in_force", reason="家庭暴力，法院保护令",
        until=today() + timedelta(days=9), proposed_by=office["leader"], proposed_by_name="领导",
    )  # fmt: skip
    export = ready(office, clear_fields=["id_number"], format="csv")
    row = next(row for row in rows_of(export) if row[0] == pupil.name)
    assert (row[3], row[4]) == ("***", "***")
    for wrong in (["sex"], ["member1_phone"]):
        with pytest.raises(ExportIncomplete):
            terms(office["registrar"], clear_fields=wrong)
    auditor = make.make_user("national_operator", make.NATION)
    with pytest.raises(FieldNotYours):
        terms(auditor, fields=["blood_type"])
    with pytest.raises(ClearNotYours):
        terms(auditor, clear_fields=["phone"])
    assert export.clear_fields == ["id_number"]


@pytest.mark.rule("EX-1", "AZ-6", "AZ-7")
def test_what_changes_after_the_approval_needs_another_one(client: Client, office: dict[str, Any]) -> None:
    registrar, leader = office["registrar"], office["leader"]
    # More rows than approved: the approver is asked again, with the new count.
    export = asked(office)
    approving.approve(export, actor=leader)
    make.make_student(office["class"])
    export = work(export)
    assert (export.state, export.row_cap, export.stored_as, export.decided_by) == ("asked", 7, "", None)
    assert "由 6 增至 7" in export.reason
    approving.approve(export, actor=leader)
    assert work(export).state == "ready"
    # Terms that somebody changed in the database, and rights lost: at the run, and at the collection.
    for change, words in (
        ({"fields": ["name", "sex", "phone", "id_number", "status_number"]}, "不一致"),
        ({"clear_fields": ["id_number"]}, "不一致"),
        ({"row_cap": 10**6}, "不一致"),
        ({"scope_path": make.COUNTY}, "不一致"),
        ({}, "不再具有"),
    ):
        Export.objects.filter(requested_by=registrar).update(
            requested_at=Now() - timedelta(days=9), decided_at=Now() - timedelta(days=9)
        )
        run, kept = asked(office), ready(office)
        approving.approve(run, actor=leader)
        if change:
            Export.objects.filter(pk__in=(run.pk, kept.pk)).update(**change)
        else:
            Post.objects.filter(user=registrar).update(role="subject_teacher")
        run = work(run)
        assert (run.state, run.stored_as, words in run.reason) == ("void", "", True), run.reason
        if change:
            answer = act(client, registrar, kept, "file")
            assert (answer.status_code, words in answer.content.decode()) == (409, True)
            kept.refresh_from_db()
            assert (kept.state, kept.stored_as) == ("void", "")
        else:
            assert act(client, registrar, kept, "file").status_code == 403
    with pytest.raises(NotNow):
        approving.approve(run, actor=leader)


@pytest.mark.rule("EX-1", "RE-1")
def test_a_run_is_taken_up_again_and_set_aside_when_it_never_ends(office: dict[str, Any]) -> None:
    export = asked(office)
    approving.approve(export, actor=office["leader"])
    for attempts, state in ((2, "ready"), (3, "void")):
        Export.objects.filter(pk=export.pk).update(state="approved", attempts=attempts, stored_as="")
        Job.objects.filter(export=export).update(state=Job.State.RUNNING)  # its worker has died
        export = work(export)
        assert export.state == state
        again = work(export)  # a message that comes twice
        assert (again.state, again.stored_as, again.rows) == (state, export.stored_as, export.rows)
    assert "多次中断" in export.reason


@pytest.mark.rule("W1", "AP-6", "EX-1")
def test_many_rows_warn_and_many_exports_wait_for_a_second_word(
    client: Client, office: dict[str, Any]
) -> None:
    assert [PARAMETERS[key].value for key in ("W1_ROWS", "W1_EXPORTS", "W1_DAYS")] == [5000, 3, 7]
    assert [PARAMETERS[key].value for key in ("EXPORTS_PER_DAY", "EXPORT_ROWS")] == [3, 200_000]
    leader = office["leader"]

    def warned_of(person: User) -> int:
        return EarlyWarning.objects.filter(rule="W1", key=f"user {person.pk}").count()

    for rows, warned in ((4999, 0), (5000, 0), (5001, 1)):
        person = make.make_registrar()
        export = asked(office | {"registrar": person})
        Export.objects.filter(pk=export.pk).update(row_cap=rows)
        export.refresh_from_db()
        approving.approve(export, actor=leader)
        assert (warned_of(person), export.state) == (warned, "approved"), rows
    registrar = office["registrar"]
    for number, state, warned in ((1, "approved", 0), (2, "approved", 0), (3, "held", 1), (4, "held", 1)):
        if number == 4:
            with pytest.raises(ExportsSpent):
                asked(office)
            answer = sign_in(client, registrar).post(
                reverse("registry:export_new"),
                {
                    "key": "k" * 20,
                    "fields": FIELDS,
                    "purpose": "roster",
                    "purpose_text": "编制开学花名册",
                    "format": "csv",
                },
            )
            assert (answer.status_code, int(answer["Retry-After"]) > 0) == (429, True)
            # On another day she may ask again; seven days are not over.
            Export.objects.filter(requested_by=registrar).update(requested_at=Now() - timedelta(days=2))
        export = asked(office)
        approving.approve(export, actor=leader)
        assert (export.state, warned_of(registrar)) == (state, warned), number
    assert EarlyWarning.objects.get(rule="W1", key=f"user {registrar.pk}").subjects == [registrar.pk]
    with pytest.raises(OwnRequest):
        approving.confirm(export, actor=registrar)
    assert export.job is None
    assert act(client, leader, export, "approve", again="1").status_code == 302
    assert work(export).state == "ready"
    # After seven days the count begins anew.
    Export.objects.filter(requested_by=registrar).update(
        requested_at=Now() - timedelta(days=8), decided_at=Now() - timedelta(days=8)
    )
    assert ready(office).state == "ready"
    refused = asked(office)
    assert act(client, leader, refused, "refuse", reason="  ").status_code == 422
    assert act(client, leader, refused, "refuse", reason="项目过多").status_code == 302
    assert (
        "项目过多"
        in sign_in(client, registrar)
        .get(reverse("registry:export", args=[refused.public_id]))
        .content.decode()
    )


@pytest.mark.rule("EX-5", "RD-8", "KE-2")
def test_files_are_sealed_end_after_three_days_and_give_the_alarm_when_exchanged(
    client: Client, office: dict[str, Any]
) -> None:
    assert [PARAMETERS[key].value for key in ("EXPORT_KEEP_DAYS", "EXPORT_DOWNLOADS")] == [3, 3]
    registrar = office["registrar"]
    export, other = ready(office, format="csv"), ready(office, format="csv")
    place = settings.MEDIA_ROOT / export.stored_as[:2] / export.stored_as
    assert office["pupils"][0].name.encode() not in place.read_bytes()
    kept = export.expires_at - export.ready_at  # type: ignore[operator]
    assert kept == timedelta(hours=72)
    # Another export's file in its place: a page that says so, a warning, and no byte of it.
    own = place.read_bytes()
    place.write_bytes((settings.MEDIA_ROOT / other.stored_as[:2] / other.stored_as).read_bytes())
    warnings = EarlyWarning.objects.filter(rule="W15", org_path=make.SCHOOL)
    before = warnings.count()
    answer = act(client, registrar, export, "file")
    assert (answer.status_code, "严重预警" in answer.content.decode()) == (500, True)
    assert warnings.count() == before + 1
    place.write_bytes(own[:-1])
    with pytest.raises(DoesNotOpen):
        content_of(export)
    place.write_bytes(own)
    # Just before the end it is there; after it nobody gets it; the purge rehearses, then erases.
    Export.objects.filter(pk=export.pk).update(expires_at=Now() + timedelta(minutes=1))
    assert act(client, registrar, export, "file").status_code == 200
    assert collecting.purge(["CN.44."], is_rehearsal=True) == 0
    Export.objects.filter(pk=export.pk).update(expires_at=Now())
    assert act(client, registrar, export, "file").status_code == 409
    said = io.StringIO()
    call_command("purge_exports", "--dry-run", stdout=said)
    assert ("将删除 1 个" in said.getvalue(), place.exists()) == (True, True)
    assert [purge_exports(), purge_exports()] == [1, 0]
    export.refresh_from_db()
    assert (export.state, export.stored_as, place.exists()) == ("erased", "", False)
    # Given up while it is made: the run stops, nothing stays.
    assert act(client, registrar, other, "cancel").status_code == 302
    assert not (settings.MEDIA_ROOT / other.stored_as[:2] / other.stored_as).exists()
    with pytest.raises(NotNow):
        asking.cancel(other, actor=registrar)


@pytest.mark.rule("EX-5")
def test_the_order_of_the_rows_tells_which_export_it_was(office: dict[str, Any], tmp_path: Path) -> None:
    for _n in range(24):
        make.make_student(office["class"])
    exports = [asked(office), asked(office), asked(office)]
    places = list(
        Enrolment.objects.filter(school_class=office["class"]).values_list(
            "pk", "org_path", "grade", "class_number"
        )
    )
    for own in exports:
        by_id = {place[0]: place for place in places}
        leaked = [by_id[pk] for pk in ordered(own, places)][3:25]  # a part of it is enough
        agreed = {one.pk: agreement(one, leaked) for one in exports}
        assert agreed.pop(own.pk) == 1.0
        assert max(agreed.values()) < 0.9
    assert agreement(exports[0], []) == 0.0
    # The command finds it in a file without mark or number.
    Export.objects.filter(pk__in=[one.pk for one in exports]).update(rows=30)
    names = dict(Enrolment.objects.filter(school_class=office["class"]).values_list("pk", "name"))
    leak = tmp_path / "leak.csv"
    leak.write_text("\n".join(["姓名", *(names[pk] for pk in ordered(exports[1], places)[2:28])]))
    said = io.StringIO()
    call_command("trace_export", str(leak), stdout=said)
    assert said.getvalue().startswith(f"100% {exports[1].approval_number} ")


@pytest.mark.rule("EX-1", "AP-4", "AZ-5", "AZ-2")
def test_the_api_does_the_same_acts(client: Client, office: dict[str, Any]) -> None:
    registrar, leader = office["registrar"], office["leader"]
    sign_in(client, registrar)
    url = reverse("export-list")
    sent = {
        "purpose": "check", "purpose_text": "核对学籍数据", "fields": ["sex", "class_name"], "format": "csv",
        "filters": {"grade": "11", "class": office["class"].pk},
    }  # fmt: skip
    key = {"Idempotency-Key": "export-api-0001"}
    assert client.post(url, sent | {"row_cap": 5}, "application/json", headers=key).status_code == 400
    assert client.post(url, sent | {"fields": ["photo"]}, "application/json", headers=key).status_code == 400
    far = make.make_class(make.FAR)
    hidden = sent | {"filters": {"class": far.pk}}
    assert client.post(url, hidden, "application/json", headers=key).status_code == 404
    made = client.post(url, sent, "application/json", headers=key)
    again = client.post(url, sent, "application/json", headers=key)
    assert (made.status_code, made.json()["rows"], again.json()["id"]) == (201, 6, made.json()["id"])
    detail = reverse("export-detail", args=[made.json()["id"]])
    sign_in(client, leader, fresh=False)
    assert client.post(f"{detail}approve/", {}, "application/json").json()["code"] == "step_up_needed"
    sign_in(client, leader)
    assert client.post(f"{detail}approve/", {}, "application/json").json()["state"] == "approved"
    assert client.post(f"{detail}file/", {}, "application/json").status_code == 403
    export = work(Export.objects.get(public_id=made.json()["id"]))
    sign_in(client, registrar)
    assert client.get(detail).json()["progress"]["is_running"] is False
    answer: Any = client.post(f"{detail}file/", {}, "application/json")
    assert b"".join(answer.streaming_content).startswith(b"\xef\xbb\xbf")
    assert len(rows_of(export)) == 6
    assert client.post(f"{detail}cancel/", {}, "application/json").json()["state"] == "cancelled"
    assert client.get(url).json()["results"][0]["id"] == made.json()["id"]


@pytest.mark.rule("EX-1", "EX-5", "RD-3", "AZ-10")
def test_a_run_reads_in_packs_with_constant_queries_and_little_memory(
    office: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rows of one pupil often over: what counts is what a pack costs, and that none is kept."""
    import tracemalloc

    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    from registry.exporting import running

    monkeypatch.setattr(running, "PACK", 2)
    costs = []
    for count in (1, 3):
        made = make.make_class()
        for _n in range(2 * count):
            make.make_student(made)
        Export.objects.filter(requested_by=office["registrar"]).update(decided_at=Now() - timedelta(days=9))
        export = asked(office, **{"class": made.pk})
        approving.approve(export, actor=office["leader"])
        export.refresh_from_db()
        with CaptureQueriesContext(connection) as caught:
            run_export(export.job_id or 0)
        costs.append(len(caught))
    a_pack = (costs[1] - costs[0]) / 2
    assert a_pack == int(a_pack) <= 20  # the same for each pack
    writer = sealed_files.Writer(TABLE)
    sheet = open_sheet("xlsx", writer, about=[("a", "b")], headings=["姓名"] * 20, mark="m")
    tracemalloc.start()
    for _pack in range(80):
        sheet.add([["林小鹿", *["某某某某某某"] * 19]] * PACK)
    assert tracemalloc.get_traced_memory()[1] < 20 * 2**20  # 40,000 rows are more than that as XML
    tracemalloc.stop()
    sheet.close()
    writer.finish()
    sealed_files.erase(writer.name)
