"""Field rights (AZ-4): the reviewed table, and every place that shows fields obeying it."""

import re
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import User
from accounts.roles import ROLES
from registry import field_rights
from registry.exporting.columns import COLUMNS, offered_to
from registry.field_rights import GRANT, GUARDIAN, Reading, readable, table
from registry.fields import BY_KEY
from registry.models import Student
from registry.queries.dossier import open_dossier
from registry.queries.sight import mask, sight_of
from registry.services.editing import update_normal
from registry.services.refusals import FieldNotYours
from tests import make
from transfers.prints import _ON_CARD, _shown

pytestmark = [pytest.mark.usefixtures("nation"), pytest.mark.rule("AZ-4")]

HEALTH = {"health_status", "disability", "inclusive_education", "blood_type"}
# Roles without a column read nothing of a pupil: the three administrations and the network (AC-11).
BLIND = {
    "system_administrator", "network_administrator", "security_administrator", "audit_administrator",
}  # fmt: skip
PLACES = {
    "registrar": make.SCHOOL, "leader": make.SCHOOL, "head_teacher": make.SCHOOL,
    "subject_teacher": make.SCHOOL, "school_doctor": make.SCHOOL, "reviewer": make.COUNTY,
    "bureau_leader": make.COUNTY, "auditor": make.CITY, "national_operator": make.NATION,
}  # fmt: skip


@pytest.fixture
def pupil() -> Student:
    number = make.identity_number(make.first_grader_birth())
    return make.make_student(make.make_class(), id_number=number, talent="围棋", health_status="1")


def person(role: str, pupil: Student) -> User:
    user = make.make_user(role, PLACES[role])
    if role == "head_teacher":
        spell = pupil.enrolments.get()
        spell.school_class.head_teacher = user
        spell.school_class.save()
    return user


def test_the_table_names_every_field_and_every_role_that_sees_pupils() -> None:
    assert set(table()) == set(PLACES) | {GRANT, GUARDIAN}
    assert set(ROLES) == set(PLACES) | BLIND
    assert all(fields.keys() == BY_KEY.keys() for fields in table().values())


@pytest.mark.parametrize("broken", ["line", "cell"])
def test_a_line_less_or_a_cell_that_says_nothing_stops_the_start(
    broken: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [dict(row) for row in field_rights.rows_of(field_rights.DATA / "field_rights.csv")]
    if broken == "line":
        rows.pop()
    else:
        rows[3]["leader"] = "yes"
    monkeypatch.setattr(field_rights, "rows_of", lambda _path: iter(rows))
    with pytest.raises(ValueError, match="field_rights"):
        table.__wrapped__()


@pytest.mark.rule("RD-1", "C6")
def test_what_the_table_says_about_the_hard_cases() -> None:
    cells = table()
    for role, fields in cells.items():
        clear = {key for key, cell in fields.items() if cell[0] == "c"}
        readers = {"registrar", "school_doctor", GUARDIAN}
        assert clear & HEALTH == (HEALTH if role in readers else set()), role
        sealed = {key for key, field in BY_KEY.items() if field.sealed} - HEALTH - {"photo"}
        assert not clear & sealed, role  # what is D4 is masked for everybody
        written = {key for key, cell in fields.items() if cell.endswith("+")}
        assert bool(written) == (role == "registrar"), role
    shown = {key for key, cell in cells["subject_teacher"].items() if cell != "-"}
    assert shown == {"name", "sex", "grade", "class_number", "school_code", "number_in_class"}
    assert {cells[role]["id_number"] for role in ("head_teacher", "bureau_leader", GRANT)} == {"m"}
    assert cells["auditor"]["phone"] == "r"  # masked, in clear with a reason only


def seen_on_record(client: Client, pupil: Student) -> set[str]:
    """The fields whose labels stand on the tabs of the record; members' labels repeat, so own ones only."""
    labels = {BY_KEY[key].label_short: key for key in BY_KEY if not key.startswith("member")}
    shown: set[str] = set()
    for tab in ("basic", "health"):
        answer = client.get(reverse("registry:student", args=[pupil.public_id]), {"tab": tab})
        if answer.status_code == 200:
            texts = re.findall(r"<(?:span|dt)>([^<]+)</(?:span></)?dt>", answer.text)
            shown |= {labels[text] for text in texts if text in labels}
    return shown


@pytest.mark.parametrize("role", PLACES)
def test_every_place_shows_what_the_table_says(role: str, client: Client, pupil: Student) -> None:
    user = person(role, pupil)
    cells = table()[role]
    client.force_login(user)
    opens_records = role != "subject_teacher"

    # Lists and the roll of the class: last four or nothing, never an address or a phone (RD-1).
    roll = client.get(reverse("registry:school_class", args=[pupil.enrolments.get().school_class_id]))
    assert roll.status_code == 200
    last = pupil.documents.get().mask[-4:]
    assert (last in roll.text) == (cells["id_number"] != "-")
    assert "13800138000" not in roll.text
    assert "138******00" not in roll.text

    # The record, by page and by API.
    shown = seen_on_record(client, pupil)
    if opens_records:
        allowed = {key for key, cell in cells.items() if cell != "-"}
        assert shown
        assert shown <= allowed | {"class_number", "school_code"}
        assert bool(shown & HEALTH) == (cells["health_status"] != "-")
        assert ("phone" in shown) == (cells["phone"] != "-")
    else:
        assert shown == set()
    api = client.get(reverse("student-detail", args=[pupil.public_id]))
    if role in ("subject_teacher", "school_doctor"):
        assert api.status_code == 403
    else:
        assert api.status_code == 200
        fields = {line["key"]: line for block in api.json()["sections"] for line in block["fields"]}
        for key, cell in cells.items():
            if key in fields:
                assert cell != "-", key
                assert fields[key]["masked"] == (cell[0] in "mr" and bool(fields[key]["value"])), key
        assert HEALTH.isdisjoint(fields) == (cells["health_status"] == "-")
        assert "13800138000" not in api.text

    # What an export offers, what the printed card holds, and what may be revealed.
    assert {column.key for column in offered_to(user)} & BY_KEY.keys() == {
        key for key in COLUMNS.keys() & BY_KEY.keys() if cells[key] != "-"
    }
    if opens_records:
        sight = sight_of(user, pupil)
        printed = _shown(open_dossier(pupil, sight), _ON_CARD)
        assert {_ON_CARD[name] for name in printed} <= {key for key, cell in cells.items() if cell != "-"}
        sent = {"field": "phone", "reason": "contact", "text": "家访前核对电话"}
        answer = client.post(reverse("registry:reveal", args=[pupil.public_id]), sent)
        assert answer.status_code == (200 if cells["phone"][0] == "r" else 403)
        assert ("13800138000" in answer.text) == (cells["phone"][0] == "r")
    assert client.get(reverse("registry:export_new")).status_code == (
        200 if role in ("registrar", "reviewer", "auditor") else 403
    )


def test_a_changed_cell_changes_every_place(
    client: Client, pupil: Student, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The table decides, not a list beside it: take a field from the registrar, and it is gone everywhere."""
    user = make.make_registrar()
    client.force_login(user)
    record = reverse("registry:student", args=[pupil.public_id])
    api = reverse("student-detail", args=[pupil.public_id])
    assert "围棋" in client.get(record).text
    changed = {role: dict(fields) for role, fields in table().items()}
    changed["registrar"] |= {"talent": "-", "phone": "-", "ethnic_group": "m"}
    monkeypatch.setattr(field_rights, "table", lambda: changed)
    for address in (record, api):
        answer = client.get(address).text
        assert "围棋" not in answer
        assert "138******00" not in answer
        assert "汉族" not in answer
    sent = {"field": "phone", "reason": "contact", "text": "家访前核对电话"}
    assert client.post(reverse("registry:reveal", args=[pupil.public_id]), sent).status_code == 403
    assert "talent" not in {column.key for column in offered_to(user)}
    with pytest.raises(FieldNotYours):
        update_normal(pupil, {"talent": "书法"}, version=pupil.version, actor=user)


def test_nobody_reads_beyond_her_offices_or_in_a_class_that_is_not_hers(pupil: Student) -> None:
    stranger, teacher = make.make_registrar(make.FAR), make.make_user("head_teacher", make.SCHOOL)
    assert readable(stranger, "name", at=pupil.org_path) == Reading.NONE
    assert readable(make.make_security_administrator(make.COUNTY), "name", at=pupil.org_path) == Reading.NONE
    with pytest.raises(Exception, match="没有找到"):
        sight_of(teacher, pupil)
    registrar: Any = make.make_registrar()
    assert readable(registrar, "phone") == Reading.REVEALABLE
    assert mask("phone", "13800138000") == "138******00"
