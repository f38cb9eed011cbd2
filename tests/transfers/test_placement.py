"""编班即注册 (D7): who waits, the even spread, the placement, its case and its refusals."""

from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from audit.models import Event
from config.clock import today
from config.errors import NotAllowed
from config.workdays import add_workdays
from registry.models import Enrolment, ImportBatch, ImportRow, School, SchoolClass, Term
from registry.record import school_year_start
from registry.services.intake_rules import Seats
from registry.services.placement import Waiting, grade_without_class, place, placement_due, spread, unplaced
from registry.services.refusals import (
    ClassFull,
    ClassUnknown,
    GradeOtherwise,
    PlacedMeanwhile,
    PlacementUnclear,
)
from registry.status import PENDING
from tests import make
from transfers.models import Case
from transfers.placement import place_and_register
from transfers.refusals import RequirementFailed

pytestmark = pytest.mark.usefixtures("nation")
PAGE = reverse("transfers:placement")


def make_waiting(count: int = 4) -> ImportBatch:
    """A committed workbook whose pupils have no class yet."""
    batch = make.make_committed_batch(count=count)
    Enrolment.objects.filter(org_path=make.SCHOOL, status=PENDING).update(school_class=None, class_number="")
    ImportRow.objects.filter(batch=batch).update(school_class=None)
    SchoolClass.objects.filter(org_path=make.SCHOOL).update(is_open=False)
    return batch


def spells_of(batch: ImportBatch) -> list[int]:
    return list(unplaced(make.SCHOOL, batch).order_by("pk").values_list("pk", flat=True))


@pytest.mark.rule("PLACEMENT_REGISTERS", "D7")
def test_placing_the_last_pupil_files_the_registration_by_itself() -> None:
    batch, registrar = make_waiting(4), make.make_registrar()
    first, second = make.make_class(), make.make_class()
    spells = spells_of(batch)
    assert len(spells) == 4
    case, _late = place_and_register(
        batch, dict.fromkeys(spells[:3], first.pk), actor=registrar, attested=True
    )
    assert case is None
    assert not Case.objects.exists()
    with pytest.raises(RequirementFailed, match="身份证件原件"):
        place_and_register(batch, {spells[3]: second.pk}, actor=registrar, attested=False)
    case, _late = place_and_register(batch, {spells[3]: second.pk}, actor=registrar, attested=True)
    assert case is not None
    assert (case.kind, case.count, ImportBatch.objects.get(pk=batch.pk).case_no) == (
        "registration_batch", 4, case.number,
    )  # fmt: skip
    placed = Enrolment.objects.filter(pk__in=spells)
    assert Counter(placed.values_list("school_class", flat=True)) == {first.pk: 3, second.pk: 1}
    assert set(placed.values_list("status", "grade")) == {(PENDING, "11")}
    assert set(placed.values_list("class_number", flat=True)) == {first.number, second.number}
    assert not ImportRow.objects.filter(batch=batch, school_class=None).exists()
    assert Event.objects.filter(action="registry.student.place").count() == 4


@pytest.mark.rule("PLACEMENT_REGISTERS", "C5")
def test_a_placement_that_does_not_fit_changes_nothing() -> None:
    batch, registrar = make_waiting(3), make.make_registrar()
    spells = spells_of(batch)
    small, closed = make.make_class(cap=2), make.make_class(is_open=False)
    other_grade, elsewhere = make.make_class(grade="12"), make.make_class(make.SISTER)
    office = make.make_office(make.SCHOOL)
    for choice, refusal in (
        ({}, PlacementUnclear),
        (dict.fromkeys(spells, small.pk), ClassFull),
        ({spells[0]: closed.pk}, ClassUnknown),
        ({spells[0]: elsewhere.pk}, ClassUnknown),
        ({spells[0]: other_grade.pk}, GradeOtherwise),
        ({spells[0]: small.pk, 0: small.pk}, PlacedMeanwhile),
    ):
        with pytest.raises(refusal):
            place(office, choice, actor=registrar)
    for outsider in (make.make_leader(), make.make_reviewer(), make.make_registrar(make.SISTER)):
        with pytest.raises(NotAllowed):
            place(office, {spells[0]: small.pk}, actor=outsider)
    assert spells_of(batch) == spells
    place(office, dict.fromkeys(spells[:2], small.pk), actor=registrar)
    with pytest.raises(PlacedMeanwhile):
        place(office, {spells[0]: make.make_class().pk}, actor=registrar)


@pytest.mark.rule("PLACEMENT_DAYS", "D7")
def test_a_placement_after_the_working_days_is_done_and_marked_late() -> None:
    office, registrar = make.make_office(make.SCHOOL), make.make_registrar()
    year = school_year_start(today()).year
    for days_ago, is_late in ((10, False), (11, True)):
        batch, school_class = make_waiting(1), make.make_class()
        starts = add_workdays(today(), -days_ago)
        Term.objects.filter(path=make.COUNTY).delete()
        for semester in ("1", "2"):
            Term.objects.create(
                path=make.COUNTY, school_year=year, semester=semester, starts_on=starts,
                ends_on=starts + timedelta(days=120),
            )  # fmt: skip
        assert (today() > placement_due(make.SCHOOL, today())[0]) is is_late
        spell = spells_of(batch)[0]
        assert place(office, {spell: school_class.pk}, actor=registrar) is is_late
        student = Enrolment.objects.get(pk=spell).student_id
        event = Event.objects.get(action="registry.student.place", subject_id=student)
        assert event.detail["is_late"] is is_late


@pytest.mark.rule("D7")
def test_the_spread_is_even_by_sex_and_keeps_to_grade_and_seats() -> None:
    pupils = [Waiting(n, n, f"生{n}", f"{n:03}", "12"[n % 3 == 0], "11") for n in range(30)]
    empty = ("11", Seats(0, 45, ""))
    placed = spread(pupils, {1: empty, 2: empty, 3: empty, 9: ("12", Seats(0, 45, ""))})
    sexes = Counter((placed[pupil.spell], pupil.sex) for pupil in pupils)
    girls, boys = ([sexes[pk, sex] for pk in (1, 2, 3)] for sex in "21")
    assert max(girls) - min(girls) <= 1
    assert max(boys) - min(boys) <= 1
    assert Counter(placed.values()) == {1: 10, 2: 10, 3: 10}
    filled = spread(pupils, {1: ("11", Seats(20, 45, "")), 2: empty})
    assert Counter(filled.values()) == {1: 5, 2: 25}
    tight = spread(pupils, {1: ("11", Seats(41, 45, "")), 2: ("11", Seats(0, 5, ""))})
    assert Counter(tight.values()) == {1: 4, 2: 5}


@pytest.mark.rule("PLACEMENT_REGISTERS")
def test_a_row_may_leave_its_class_open_only_where_placement_registers() -> None:
    school = make.make_office(make.SCHOOL).school
    School.objects.filter(pk=school.pk).update(stages=["2"])
    school.refresh_from_db()
    assert grade_without_class(school, "", today()) == ""
    make.make_rule("PLACEMENT_REGISTERS", True, make.PROVINCE)
    assert grade_without_class(school, " ", today()) == "11"
    assert grade_without_class(school, "初中一年级", today()) == ""
    School.objects.filter(pk=school.pk).update(stages=["2", "3"])
    school.refresh_from_db()
    assert grade_without_class(school, "", today()) == ""  # which of the two?
    assert grade_without_class(school, "初中一年级", today()) == "21"
    assert grade_without_class(school, "小学二年级", today()) == ""


def page(client: Client, user: Any) -> str:
    client.force_login(user)
    return client.get(PAGE).content.decode()


@pytest.mark.rule("PLACEMENT_REGISTERS", "D7")
def test_the_page_proposes_a_spread_and_places_what_was_chosen(client: Client) -> None:
    registrar = make.make_registrar()
    assert "没有待分班的新生" in page(client, registrar)
    batch = make_waiting(3)
    first, second = make.make_class(name="一(7)班"), make.make_class(name="一(8)班", cap=1)
    shown = page(client, registrar)
    assert shown.count(" selected>") == 3
    assert "待分班 3 人" in shown
    assert PAGE in client.get(reverse("transfers:register")).content.decode()
    spells = spells_of(batch)
    sent = {"batch": str(batch.public_id), **{f"pupil_{pk}": "" for pk in spells}}
    full = sent | dict.fromkeys((f"pupil_{pk}" for pk in spells[:2]), str(second.pk))
    refused = client.post(PAGE, full)
    assert (refused.status_code, "上限 1 人" in refused.content.decode()) == (409, True)
    assert client.post(PAGE, sent).status_code == 422
    assert client.post(PAGE, sent | {"org_path": "CN."}).status_code == 400
    assert client.post(PAGE, sent | {"batch": "x"}).status_code == 404
    some = client.post(PAGE, sent | {f"pupil_{spells[0]}": str(second.pk)})
    assert some["Location"] == f"{PAGE}?batch={batch.public_id}"
    last = sent | dict.fromkeys((f"pupil_{pk}" for pk in spells[1:]), str(first.pk))
    answer = client.post(PAGE, last | {"attested": "1"})
    assert answer["Location"] == reverse("transfers:case", args=[Case.objects.get().number])
    assert client.get(f"{PAGE}?batch={batch.public_id}").status_code == 200  # all placed: nothing waits
    assert "没有待分班的新生" in page(client, registrar)
    sister = make.make_registrar(make.SISTER)
    client.force_login(sister)
    assert client.get(f"{PAGE}?batch={batch.public_id}").status_code == 404


def test_the_page_asks_as_much_for_one_pupil_as_for_many(client: Client) -> None:
    client.force_login(make.make_registrar())
    counts = []
    for count in (1, 12):
        Enrolment.objects.filter(org_path=make.SCHOOL).update(is_void=True)
        make_waiting(count)
        make.make_class()
        client.get(PAGE)
        with CaptureQueriesContext(connection) as asked:
            client.get(PAGE)
        counts.append(len(asked))
    assert counts[0] == counts[1]
    assert counts[0] <= 30
