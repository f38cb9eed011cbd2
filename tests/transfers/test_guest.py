"""借读: an attendance at the host that counts for its class and nowhere twice (R-CHG-09, G-21)."""

from datetime import date, timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from audit.models import Event
from audit.services import System
from config.clock import today
from config.errors import Refusal
from registry.models import Attendance, AttendanceReport, Enrolment, ProblemRecord, SchoolClass, Student
from registry.queries.schools import class_counts, grade_counts
from registry.record import school_year_start
from registry.services.changing import Change
from registry.services.guests import MOST_DAYS, AlreadyGuest, GuestEnded, begin, end_early, stay_from
from registry.services.intake_rules import quota_state, seats_left
from registry.status import NORMAL, SUSPENDED
from tests import make
from tests.transfers.moving import GRADE, file_move, open_season, pupil_at, sign_all
from transfers.kinds.guest import GUEST
from transfers.models import Case

PAPERS = ("01", "09")


@pytest.fixture(autouse=True)
def season(nation: None) -> None:
    open_season()


def given(target: SchoolClass, **changed: str) -> dict[str, str]:
    begins = today().isoformat()
    return {"class_id": str(target.pk), "begins_on": begins, "statement": "随父母务工居住"} | changed


def file_guest(student: Student, target: SchoolClass, **changed: Any) -> Case:
    papers = changed.pop("papers", PAPERS)
    return file_move(student, target, kind=GUEST, papers=papers, given=given(target, **changed))


@pytest.mark.rule("R-CHG-09", "G-21", "GUEST_STUDY", "D19")
def test_a_guest_studies_here_and_belongs_there(client: Client) -> None:
    """From filing to the term report, with totals at every level before and after."""
    student = pupil_at(make.NEIGHBOUR)
    target = make.make_class(make.SCHOOL, grade=GRADE, name="借读班")
    totals = {path: Enrolment.objects.within(path).in_school().count()
              for path in (make.SCHOOL, make.COUNTY, make.NEIGHBOUR_COUNTY, make.PROVINCE)}  # fmt: skip
    case = file_guest(student, target)
    offices = list(case.steps.order_by("ordinal").values_list("office_path", flat=True))
    assert offices == [make.SCHOOL, make.COUNTY]  # the home school is told, it does not sign
    case = sign_all(case)
    assert case.state == Case.State.DONE
    stay = Attendance.objects.get(student=student)
    assert (stay.org_path, stay.home_path, stay.school_class) == (make.SCHOOL, make.NEIGHBOUR, target)
    assert stay.valid.upper == date(school_year_start(today()).year + 1, 9, 1)

    # The status did not move and nobody is counted twice, at no level (G-21).
    spell = student.enrolments.get()
    assert (spell.status, spell.org_path, spell.is_void) == (NORMAL, make.NEIGHBOUR, False)
    assert totals == {path: Enrolment.objects.within(path).in_school().count() for path in totals}
    reviewer = make.make_reviewer(make.PROVINCE)
    assert class_counts(reviewer, [target.pk]) == {}
    assert grade_counts(reviewer, target.school) == []
    make.make_rule("QUOTA_ENABLED", True, make.CITY)
    quota = quota_state(target.school, "2", today())
    assert quota is not None
    assert quota.taken == 0
    # But the class is fuller by one.
    assert seats_left([target.pk], today(), is_intake=False)[target.pk].taken == 1

    # The host's roll shows the guest as such; its registrar reports once a term.
    host = make.make_registrar(make.SCHOOL)
    client.force_login(host)
    roll = client.get(reverse("registry:school_class", args=[target.pk])).text
    assert student.name in roll
    assert "借读学生" in roll
    page = reverse("registry:guest", args=[stay.pk])
    for bad in (
        {"days_present": "", "days_absent": "1"},
        {"days_present": f"{MOST_DAYS}", "days_absent": "1"},
    ):
        assert client.post(page, bad).status_code == 422
    report = {"days_present": "80", "days_absent": "2", "remark": "学习认真"}
    assert [client.post(page, report).status_code for _turn in range(2)] == [302, 409]
    assert AttendanceReport.objects.get(attendance=stay).reported_by_name == host.name

    # The home school reads it on the record, and that the guest study began; it cannot report or end.
    home = make.make_registrar(make.NEIGHBOUR)
    client.force_login(home)
    record = client.get(reverse("registry:student", args=[student.public_id]), {"tab": "history"}).text
    assert "学习认真" in record
    assert "到学校2144000001借读" in record
    assert student.name in client.get(reverse("registry:guests")).text
    assert client.get(page).status_code == 200
    assert client.post(page, report).status_code == 403
    assert client.post(reverse("registry:guest_end", args=[stay.pk])).status_code == 403
    client.force_login(make.make_registrar(make.SISTER))
    assert student.name not in client.get(reverse("registry:guests")).text
    assert client.get(page).status_code == 404

    # Ended early by the host: off the roll from tomorrow on, and it cannot end twice.
    client.force_login(host)
    end = reverse("registry:guest_end", args=[stay.pk])
    assert [client.post(end).status_code for _turn in range(2)] == [302, 409]
    stay.refresh_from_db()
    assert stay.valid.upper <= today() + timedelta(days=1)
    acts = Event.objects.filter(action__startswith="registry.guest").order_by("id")
    assert [act.action for act in acts] == [
        "registry.guest.begin",
        "registry.guest.report",
        "registry.guest.end",
    ]


@pytest.mark.rule(
    "R-CHG-09", "R-CHG-07", "R-TRF-06", "R-TRF-09", "R-TRF-10", "R-TRF-16", "GUEST_STUDY", "A6.1"
)
def test_what_refuses_a_guest_study() -> None:
    student, target = pupil_at(make.NEIGHBOUR), make.make_class(make.SCHOOL, grade=GRADE)
    make.make_rule("GUEST_STUDY", False, make.COUNTY)
    with pytest.raises(Refusal, match="不接收借读生"):
        file_guest(student, target)
    make.make_rule("GUEST_STUDY", True, make.COUNTY)
    with pytest.raises(Refusal, match="务工或居住证明"):
        file_guest(student, target, papers=("01",))
    Enrolment.objects.filter(student=student).update(status=SUSPENDED)
    with pytest.raises(Refusal, match="休学"):
        file_guest(student, target)
    Enrolment.objects.filter(student=student).update(status=NORMAL)
    SchoolClass.objects.filter(pk=target.pk).update(cap=0)
    with pytest.raises(Refusal, match="上限 0 人"):
        file_guest(student, target)
    SchoolClass.objects.filter(pk=target.pk).update(cap=None)
    other_grade = make.make_class(make.SCHOOL, grade="14")
    with pytest.raises(Refusal) as refused:
        file_guest(student, other_grade)
    assert [one.field for one in refused.value.findings] == ["class_id"]
    own = pupil_at(make.SCHOOL)
    with pytest.raises(Refusal, match="学籍就在本校"):
        file_guest(own, target)
    # A problem record stops a move, never attendance (R-PRB-05).
    ProblemRecord.objects.create(
        org_path=make.NEIGHBOUR, other_path=make.NEIGHBOUR, type="1", side="single", student=student,
        found_by="测试", detail="测试",
    )  # fmt: skip
    sign_all(file_guest(student, target))
    # One guest study at a time: the condition says where, the constraint decides.
    with pytest.raises(Refusal, match="已在学校2144000001借读"):
        file_guest(student, make.make_class(make.SISTER, grade=GRADE))
    change = Change("guest", "借读", "JD0", "99", today(), today())
    with pytest.raises(AlreadyGuest):
        begin(student, make.make_class(make.SISTER), stay_from(today()), change, actor=System(make.CITY))


@pytest.mark.rule("R-CHG-09", "R-TRF-17")
def test_the_one_who_takes_the_status_over_ends_the_guest_study() -> None:
    """The common end: the family stays, and the status follows."""
    student, target = pupil_at(make.NEIGHBOUR), make.make_class(make.SCHOOL, grade=GRADE)
    sign_all(file_guest(student, target))
    assert sign_all(file_move(student, target)).state == Case.State.DONE
    stay = Attendance.objects.get(student=student)
    assert (stay.home_path, student.enrolments.get(status=NORMAL).school_class) == (make.SCHOOL, target)
    assert stay.valid.upper <= today() + timedelta(days=1)
    Attendance.objects.filter(pk=stay.pk).update(valid=(today() - timedelta(days=9), today()))
    with pytest.raises(GuestEnded):
        end_early(Attendance.objects.get(pk=stay.pk), actor=make.make_registrar(make.SCHOOL))
