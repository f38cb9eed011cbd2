"""报到登记 of a class: who notes it, what it keeps, who is missing, what the archive says (R-UPD-01)."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from audit.models import Event
from config.clock import today
from config.errors import NotAllowed
from registry.models import ReportIn, SchoolClass, Student, Term
from registry.record import school_year_start
from registry.services.intake_rules import present_term
from registry.services.reporting_in import (
    Counts,
    ReportTooEarly,
    RollChanged,
    note_reports,
    refreshed_on,
    reports_of,
)
from tests import make

pytestmark = [pytest.mark.usefixtures("nation"), pytest.mark.rule("R-UPD-01")]


@pytest.fixture
def school_class() -> SchoolClass:
    begin_term(0)
    return make.make_class()


def begin_term(in_days: int) -> None:
    """The autumn term begins in so many days, and no spring term is set."""
    make.make_office(make.COUNTY)
    Term.objects.filter(path=make.COUNTY).delete()
    starts = today() + timedelta(days=in_days)
    Term.objects.create(
        path=make.COUNTY, school_year=school_year_start(today()).year, semester="1", starts_on=starts,
        ends_on=starts + timedelta(days=120),
    )  # fmt: skip


def pupils_in(school_class: SchoolClass, count: int = 3) -> list[Student]:
    return [make.make_student(school_class) for _n in range(count)]


def test_who_came_is_noted_with_the_missing_and_a_late_arrival_changes_it(school_class: SchoolClass) -> None:
    registrar, (a, b, c) = make.make_registrar(), pupils_in(school_class)
    make.make_student(school_class, status="02")  # suspended: not on the roll
    listed = [pupil.pk for pupil in (a, b, c)]
    assert note_reports(school_class, listed, [a.pk, b.pk], actor=registrar) == Counts(2, 1, 0)
    term = present_term(make.SCHOOL, today())
    assert {pk: report.is_present for pk, report in reports_of(school_class, term).items()} == {
        a.pk: True, b.pk: True, c.pk: False,
    }  # fmt: skip
    assert (refreshed_on(a), refreshed_on(c)) == (today(), None)
    assert note_reports(school_class, listed, listed, actor=registrar) == Counts(3, 0, 0)
    assert ReportIn.objects.count() == 3
    acts = Event.objects.filter(action="registry.student.report_in").order_by("id")
    # Only what changed is an act: three pupils, then the late one.
    assert [(act.subject_id, act.detail["is_present"]) for act in acts][-1] == (c.pk, True)
    assert acts.count() == 4
    note_reports(school_class, listed, listed, actor=registrar)
    assert acts.all().count() == 4


def test_the_registrar_and_the_classs_own_head_teacher_note_it_and_nobody_else(
    school_class: SchoolClass,
) -> None:
    (pupil,) = pupils_in(school_class, 1)
    head, other = make.make_user("head_teacher", make.SCHOOL), make.make_user("head_teacher", make.SCHOOL)
    SchoolClass.objects.filter(pk=school_class.pk).update(head_teacher=head)
    outsiders = (other, make.make_leader(), make.make_reviewer(), make.make_registrar(make.SISTER))
    for outsider in outsiders:
        with pytest.raises(NotAllowed):
            note_reports(school_class, [pupil.pk], [pupil.pk], actor=outsider)
    for person in (head, make.make_registrar()):
        assert note_reports(school_class, [pupil.pk], [pupil.pk], actor=person).present == 1


def test_a_list_that_has_changed_or_a_term_far_ahead_is_refused(school_class: SchoolClass) -> None:
    registrar, (pupil,) = make.make_registrar(), pupils_in(school_class, 1)
    stranger = make.make_student(make.make_class())
    for listed in ([], [pupil.pk, stranger.pk]):
        with pytest.raises(RollChanged):
            note_reports(school_class, listed, listed, actor=registrar)
    begin_term(8)
    with pytest.raises(ReportTooEarly):
        note_reports(school_class, [pupil.pk], [pupil.pk], actor=registrar)
    begin_term(7)
    note_reports(school_class, [pupil.pk], [pupil.pk], actor=registrar)


def test_the_page_notes_the_class_and_names_the_missing(client: Any, school_class: SchoolClass) -> None:
    came, missing = (make.make_student(school_class, name=name) for name in ("林已到", "林未到"))
    address = reverse("registry:report_in", args=[school_class.pk])
    roll = reverse("registry:school_class", args=[school_class.pk])
    client.force_login(make.make_registrar())
    assert address in client.get(roll).content.decode()
    page = client.get(address).content.decode()
    assert page.count(" checked>") == 2  # proposed as present
    sent = {"listed": [came.pk, missing.pk], "present": [came.pk]}
    assert client.post(address, sent)["Location"] == address
    page = client.get(address).content.decode()
    assert page.count(" checked>") == 1
    assert '<span class="text-secondary">林未到</span>' in page
    record = client.get(reverse("registry:student", args=[came.public_id])).content.decode()
    assert "档案更新" in record
    assert client.post(address, {"present": [came.pk]}).status_code == 409
    assert client.post(address, sent | {"term": "2"}).status_code == 400
    assert client.post(address, sent | {"listed": ["x"]}).status_code == 404
    client.force_login(make.make_leader())
    assert address not in client.get(roll).content.decode()
    assert client.post(address, sent).status_code == 403


def test_the_page_asks_as_much_for_one_pupil_as_for_many(client: Any, school_class: SchoolClass) -> None:
    client.force_login(make.make_registrar())
    address = reverse("registry:report_in", args=[school_class.pk])
    counts = []
    for more in (1, 8):
        pupils_in(school_class, more)
        client.get(address)
        with CaptureQueriesContext(connection) as asked:
            client.get(address)
        counts.append(len(asked))
    assert counts[0] == counts[1]
