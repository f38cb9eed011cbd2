"""A pupil's record: who sees which part, what is masked, how it stood on a day, and the trace of every
look.
"""

import re
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.apps import apps
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from audit.models import AccessEntry, Event
from config.crypto import DoesNotOpen
from registry.models import Enrolment, FamilyMember, IdentityDocument, OpenBusiness, ProblemRecord, Student
from registry.queries import history
from registry.queries.sight import mask, mask_address
from registry.services.editing import update_normal
from tests import make

pytestmark = pytest.mark.usefixtures("nation")
SECRETS = ("13800138000", "13900139000", "南海大道", "518000", "林建国")


def record_of(student: Student, **query: str) -> str:
    address = reverse("registry:student", args=[student.public_id])
    return address + ("?" + "&".join(f"{k}={v}" for k, v in query.items()) if query else "")


def look(client: Any, user: Any, student: Student, **query: str) -> str:
    client.force_login(user)
    response = client.get(record_of(student, **query))
    assert response.status_code == 200, response.content.decode()
    return str(response.content.decode())


def without_what_differs(page: bytes) -> str:
    """An error page without request id, token, clock and address: the rest must be equal byte for byte."""
    text = re.sub(
        r'<i>[0-9A-F]{4}</i>|name="csrfmiddlewaretoken" value="[^"]+"|X-CSRFToken": "[^"]+"',
        "",
        page.decode(),
    )
    return re.sub(r"/registry/students/[0-9a-f-]+|\d\d:\d\d", "", text)


@pytest.mark.rule("RD-1", "RD-7", "R-EXT-06")
@pytest.mark.parametrize("tab", ["basic", "family", "history", "readers"])
def test_nothing_secret_stands_on_a_record_in_clear(tab: str, client: Any) -> None:
    birth = make.first_grader_birth()
    number = make.identity_number(birth)
    student = make.make_student(id_number=number, number=f"G{number}", orphan="1", email="lin@example.com")
    page = look(client, make.make_registrar(), student, tab=tab)
    for secret in (*SECRETS, number, "lin@example.com"):
        assert secret not in page, secret
    assert client.get(record_of(student)).headers["Cache-Control"] == "no-store"
    if tab == "basic":
        assert f"{number[:6]}********{number[-4:]}" in page
        assert "138******00" in page
        assert "深圳市南山区***" in page
        assert f"G{number[:6]}********{number[-4:]}" in page
    if tab == "family":
        assert "林＊" in page
        assert "139******00" in page


def test_addresses_are_shown_to_the_county_or_not_at_all() -> None:
    assert mask_address("广东省深圳市南山区桃园路1号某某小区") == "广东省深圳市南山区***"
    assert mask_address("南山区桃园路1号") == "南山区***"
    assert mask_address("广东省东莞市南城街道元美路") == "广东省东莞市***"
    assert mask_address("浙江省义乌市稠城街道城中小区2栋") == "浙江省义乌市***"
    assert mask_address("深圳南山桃园路1号") == "***"  # no county can be told: nothing is shown
    assert mask_address("桃园路1号") == "***"
    assert mask_address("") == ""
    assert mask("orphan", "1") == mask("orphan", "0") == "***"  # that there is a value, not which
    assert mask("member2_name", "欧阳建国") == "欧＊"


@pytest.mark.rule("AZ-4")
def test_each_role_sees_its_part_of_the_record(client: Any) -> None:
    teacher = make.make_user("head_teacher", make.SCHOOL)
    student = make.make_student(
        make.make_class(head_teacher=teacher), health_status="3", number="L440305202609011234"
    )
    everything = {"基本信息", "家庭成员", "学籍经历", "谁看过"}
    for user, tabs, sees_health in (
        (make.make_registrar(), everything, True),
        (make.make_leader(), everything, False),
        (make.make_reviewer(), everything, False),
        (make.make_user("auditor", make.CITY), everything, False),
        (teacher, everything - {"谁看过"}, False),
        (make.make_user("school_doctor", make.SCHOOL), {"健康信息"}, True),
    ):
        page = look(client, user, student)
        navigation = page[page.index('class="tabs') : page.index("</nav>", page.index('class="tabs'))]
        assert {t for t in everything | {"健康信息"} if t in navigation} == tabs, user
        assert ("慢性病" in page) == sees_health, user
    # The doctor: name, class and health; no number, no document, no birth date.
    assert "L440305" not in page
    assert student.birth_on.isoformat() not in page
    assert "身份证件号" not in page


@pytest.mark.rule("AZ-1", "AZ-2")
def test_hidden_and_missing_records_answer_alike(client: Any) -> None:
    hidden = make.make_student(make.make_class(make.NEIGHBOUR))
    client.force_login(make.make_registrar())
    answers = [
        client.get(reverse("registry:student", args=[one]))
        for one in (hidden.public_id, "01890000-0000-7000-8000-000000000000")
    ]
    assert [a.status_code for a in answers] == [404, 404]
    assert without_what_differs(answers[0].content) == without_what_differs(answers[1].content)
    assert hidden.name not in answers[0].content.decode()
    for name in ("registry:student_edit", "registry:reveal"):
        assert client.get(reverse(name, args=[hidden.public_id])).status_code == 404


@pytest.mark.rule("RD-3")
def test_every_tab_is_one_read_in_the_log_and_a_fragment_is_one_too(client: Any) -> None:
    student, user = make.make_student(), make.make_registrar()
    look(client, user, student)
    look(client, user, student, tab="history")
    fragment = client.get(record_of(student, tab="family"), headers={"HX-Request": "true"})
    assert fragment.content.decode().lstrip().startswith('<div id="record-tabs"')
    assert "HX-Request" in fragment.headers["Vary"]
    reads = AccessEntry.objects.filter(
        actor_id=user.pk, subject_type="student", subject_id=student.pk
    ).order_by("id")
    assert [(e.outcome, e.fields) for e in reads] == [
        ("read", ["basic"]),
        ("read", ["history"]),
        ("read", ["family"]),
    ]
    assert {(e.actor_name, e.office_name, e.route) for e in reads} == {
        (user.name, user.acting_office_name, "registry:student")
    }


@pytest.mark.rule("RD-4", "AU-6")
def test_who_looked_is_told_to_the_office_by_person_only_with_the_right_to_the_log(client: Any) -> None:
    student = make.make_student()
    registrar, leader = make.make_registrar(name="钱登记"), make.make_leader(name="孙领导")
    look(client, leader, student)
    page = look(client, registrar, student, tab="readers")
    assert leader.acting_office_name in page
    assert "孙领导" not in page
    assert "钱登记" in page  # one's own looks are no secret to oneself
    assert "孙领导" in look(client, leader, student, tab="readers")
    assert "钱登记" in look(client, leader, student, tab="readers")


def kept_since(student: Student, moment: datetime) -> None:
    """Add to the history what stands now as if it had been kept at `moment`; versions cannot be moved."""
    for model, whose in (
        (Student, "id"),
        (Enrolment, "student_id"),
        (IdentityDocument, "student_id"),
        (FamilyMember, "student_id"),
    ):
        kept = apps.get_model("registry", f"{model.__name__}Event")._meta
        columns = ", ".join(
            f.column for f in kept.concrete_fields if f.column not in ("pgh_id", "pgh_created_at")
        )
        with connection.cursor() as cursor:
            cursor.execute(
                f"INSERT INTO {kept.db_table} ({columns}, pgh_created_at) "
                f"SELECT {columns}, %s FROM {kept.db_table} WHERE {whose} = %s",
                [moment, student.pk],
            )
            assert cursor.rowcount >= 1


@pytest.mark.rule("R-UPD-04")
def test_the_record_as_it_stood_on_a_former_day(client: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("registry.views.record.today", timezone.localdate)  # history has the database's days
    student, registrar = make.make_student(talent="书法"), make.make_registrar()
    kept_since(student, timezone.now() - timedelta(days=3))
    update_normal(student, {"talent": "围棋", "phone": "13700137000"}, version=1, actor=registrar)
    yesterday, earlier = timezone.localdate() - timedelta(days=1), timezone.localdate() - timedelta(days=9)
    page = look(client, registrar, student, as_of=yesterday.isoformat())
    assert f"截至 {yesterday} 的历史状态" in page
    assert "书法" in page
    assert "138******00" in page  # sealed values of a former version open
    assert "围棋" not in page
    assert "修改信息" not in page
    assert "reveal-form" not in page  # a former state is only for reading
    assert "林＊" in look(client, registrar, student, as_of=yesterday.isoformat(), tab="family")
    entry = AccessEntry.objects.filter(actor_id=registrar.pk).latest("id")
    assert str(yesterday) in entry.purpose
    page = look(client, registrar, student, as_of=earlier.isoformat())
    assert "该日尚无本校学籍记录" in page
    page = look(client, registrar, student, as_of=timezone.localdate().isoformat())
    assert "围棋" in page
    assert "历史状态</b>" not in page  # today is no former day
    assert client.get(record_of(student, as_of="2026-13-01")).status_code == 400


def test_a_version_of_another_row_does_not_open() -> None:
    student, other = make.make_student(), make.make_student()
    stolen = history._rows_as_of(Student, timezone.localdate(), pgh_obj_id=other.pk)[0]
    assert stolen.open_private()["phone"] == "13800138000"
    stolen.pk = student.pk
    with pytest.raises(DoesNotOpen):
        stolen.open_private()


@pytest.mark.rule("R-PRB-05", "R-TRF-06", "R-EST-02")
def test_the_header_says_what_stands_in_the_way(client: Any) -> None:
    student = make.make_student(number="L440305202609011234", is_disputed="1")
    registrar = make.make_registrar()
    page = look(client, registrar, student)
    assert "建档期限" in page
    assert "证件号存疑" in page
    assert "修改信息" in page
    ProblemRecord.objects.create(
        org_path=student.org_path, other_path=student.org_path, type="1", side="single", student=student,
        found_by="登记检查", detail="证件号码存疑",
    )  # fmt: skip
    OpenBusiness.objects.create(
        from_path=student.org_path,
        to_path=student.org_path,
        student=student,
        case_no="X1",
        kind="k",
        kind_name="学籍注册",
    )
    page = look(client, registrar, student)
    assert "问题学籍：须先处理" in page
    assert reverse("transfers:case", args=["X1"]) in page
    assert "修改信息" not in page
    done = make.make_student(number=f"J440305202609010{1:02d}X")
    assert "建档期限" not in look(client, registrar, done)


def test_the_timeline_tells_the_acts_in_sentences(client: Any) -> None:
    student, registrar = make.make_student(number="L440305202609011234"), make.make_registrar(name="钱登记")
    update_normal(student, {"talent": "围棋"}, version=1, actor=registrar)
    page = look(client, registrar, student, tab="history")
    assert "钱登记" in page
    assert "修改" in page
    assert "L440305" in page
    assert "小学一年级" in page


def test_a_record_asks_as_much_with_little_as_with_much(client: Any) -> None:
    student, registrar = make.make_student(), make.make_registrar()

    def count(tab: str) -> int:
        with CaptureQueriesContext(connection) as queries:
            look(client, registrar, student, tab=tab)
        return len(queries)

    tabs = ("basic", "family", "history", "readers")
    count("basic")  # the first request loads what a session loads once
    first = [count(tab) for tab in tabs]
    for version in range(1, 6):
        update_normal(student, {"talent": f"第{version}样"}, version=version, actor=registrar)
    assert [count(tab) for tab in tabs] == first
    assert max(first) <= 37  # one of them counts the budget (RD-6)


# ── Reveal ─────────────────────────────────────────────────────────────────────────
def ask(client: Any, student: Student, **data: str) -> Any:
    sent = {"field": "phone", "reason": "contact", "text": "家访前核对电话"} | data
    return client.post(
        reverse("registry:reveal", args=[student.public_id]), sent, headers={"HX-Request": "true"}
    )


@pytest.mark.rule("RD-2")
def test_a_reveal_shows_one_value_for_sixty_seconds_and_is_kept_with_its_reason(client: Any) -> None:
    student, user = make.make_student(), make.make_registrar()
    client.force_login(user)
    answer = ask(client, student)
    page = answer.content.decode()
    assert answer.status_code == 200
    assert "13800138000" in page
    assert 'data-reveal="60"' in page
    assert 'data-mask="138******00"' in page
    assert "南海大道" not in page
    entry = AccessEntry.objects.get(actor_id=user.pk, outcome="reveal")
    assert (entry.subject_id, entry.fields, entry.route) == (student.pk, ["phone"], "registry:reveal")
    assert entry.purpose == "联系学生或监护人：家访前核对电话"
    event = Event.objects.get(action="registry.student.reveal", subject_id=student.pk)
    assert (event.fields, event.actor_name) == (["phone"], user.name)
    assert "13800138000" not in f"{event.detail}{event.digest}{event.reason}{entry.purpose}"


@pytest.mark.rule("RD-2")
@pytest.mark.parametrize(
    ("data", "status"),
    [
        ({"text": "核对"}, 422),
        ({"text": "  核 对  "}, 422),
        ({"reason": ""}, 422),
        ({"reason": "curious"}, 422),
        ({"field": "name"}, 400),
        ({"field": "photo"}, 400),
        ({"field": "health_status"}, 400),
        ({"field": ""}, 400),
    ],
)
def test_without_a_reason_or_a_field_nothing_is_revealed(
    data: dict[str, str], status: int, client: Any
) -> None:
    student, user = make.make_student(), make.make_registrar()
    client.force_login(user)
    answer = ask(client, student, **data)
    assert answer.status_code == status
    assert "13800138000" not in answer.content.decode()
    assert not Event.objects.filter(action="registry.student.reveal", subject_id=student.pk).exists()
    refused = AccessEntry.objects.get(actor_id=user.pk)
    assert (refused.outcome, refused.subject_id) == ("refused", student.pk)
    if status == 422:
        assert refused.code == "reason_needed"
        assert data.get("text", "家访").strip()[0] in answer.content.decode()  # what was typed is kept


@pytest.mark.rule("RD-2", "AZ-4")
def test_reveal_needs_its_own_right(client: Any) -> None:
    teacher = make.make_user("head_teacher", make.SCHOOL)
    student = make.make_student(make.make_class(head_teacher=teacher))
    for user, status in (
        (make.make_reviewer(), 200),
        (make.make_user("auditor", make.CITY), 200),
        (make.make_user("bureau_leader", make.COUNTY), 403),
        (make.make_user("school_doctor", make.SCHOOL), 403),
        (make.make_user("subject_teacher", make.SCHOOL), 403),
        (teacher, 403),
        (make.make_reviewer(make.NEIGHBOUR_COUNTY), 404),
    ):
        client.force_login(user)
        assert ask(client, student).status_code == status, user
        if status == 403:
            assert "138******00" not in ask(client, student).content.decode()


@pytest.mark.parametrize(
    "key", ["id_number", "current_address", "member1_name", "member1_phone", "orphan", "postcode"]
)
def test_each_masked_kind_can_be_revealed(key: str, client: Any) -> None:
    student = make.make_student(id_number=make.identity_number(make.first_grader_birth()))
    client.force_login(make.make_registrar())
    shown = ask(client, student, field=key).content.decode()
    expected = {
        "id_number": r"\d{17}[\dX]",
        "current_address": "南海大道1号2栋301",
        "member1_name": "林建国",
        "member1_phone": "13900139000",
        "orphan": "否",
        "postcode": "518000",
    }[key]
    assert re.search(expected, shown)


def test_without_htmx_a_reveal_is_a_page(client: Any) -> None:
    student = make.make_student()
    client.force_login(make.make_registrar())
    address = reverse("registry:reveal", args=[student.public_id])
    assert "<!doctype html>" in client.get(address, {"field": "phone"}).content.decode()
    page = client.post(
        address, {"field": "phone", "reason": "contact", "text": "家访前核对电话"}
    ).content.decode()
    assert "<!doctype html>" in page
    assert "13800138000" in page
