"""kill -9 in the middle of a graduation, and its leader pressing twice at once: each pupil once (RE-9)."""

import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from django.db import OperationalError, connection

from audit.models import Event
from config.scope import NATION, scoped_transaction
from registry.graduation.checking import examine
from registry.graduation.effect import graduate
from registry.graduation.preparing import hand_in, open_list
from registry.models import Enrolment, GraduationList, GraduationRecord, SchoolClass, StatusChange
from registry.services.blockers import BusinessUnfinished
from tests import make
from tests.races.ground import sign_in
from tests.races.processes import Nursery
from tests.races.story import TALLY
from transfers.kinds import KINDS
from transfers.models import Case
from transfers.services import lock_pupils

SCHOOL = "CN.64.01.04.2164000401."  # graduates are kept for ever: not in the province that is cleared
PUPILS = 40
DAY = "2027-07-20"


@pytest.mark.rule("R-GRD-02", "R-GRD-03", "R-GRD-07", "G-10", "RE-1", "RE-9")
def test_a_list_that_is_cut_or_confirmed_twice_graduates_each_pupil_once(
    web: Nursery, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XUEJI_CLOCK", DAY)
    with scoped_transaction(NATION):
        school_class = make.make_class(SCHOOL, grade="16")
        pupils = {make.make_student(school_class).pk for _each in range(PUPILS)}
        registrar, leader = make.make_registrar(SCHOOL), make.make_leader(SCHOOL)
        made = open_list(make.make_office(SCHOOL), "16", actor=registrar)
        hand_in(made, examine(made).digest, actor=registrar)
        body = {"digest": examine(made).digest}
    confirm = {
        "session": sign_in(leader).session, "path": f"/graduation/{made.public_id}/confirm", "body": body,
        "form": True,
    }  # fmt: skip

    def graduated() -> int:
        """How many have graduated: nobody without record, number, change and event, and all or none."""
        with scoped_transaction(NATION):
            gone = set(
                Enrolment.objects.filter(student__in=pupils, status="07").values_list("student", flat=True)
            )
            records = GraduationRecord.objects.filter(graduation=made)
            serials = sorted(int(number[14:19]) for number in records.values_list("number", flat=True))
            changes = StatusChange.objects.filter(student__in=pupils)
            acts = Event.objects.filter(action="registry.student.graduate", org_path=SCHOOL)
            for kept in (
                records.values_list("student"),
                changes.values_list("student"),
                acts.values_list("subject_id"),
            ):
                assert sorted(pk for (pk,) in kept) == sorted(gone)
            assert gone in (set(), pupils)
            assert serials == list(range(serials[0], serials[0] + PUPILS)) if gone else not serials
            state = GraduationList.objects.get(pk=made.pk).state
            is_open = SchoolClass.objects.get(pk=school_class.pk).is_open
            assert (state, is_open) == (("done", False) if gone else ("handed_in", True))
        return len(gone)

    # Between the look at open business and the end of the spells nobody files any (R-GRD-02, G-10).
    # The transaction that files stays open: its references are checked only at its end, which is too late.
    def file() -> None:
        case = Case(number="ZX1", student_id=min(pupils), from_path=SCHOOL, to_path=SCHOOL)
        try:
            with scoped_transaction(SCHOOL), connection.cursor() as cursor:
                cursor.execute("SET LOCAL lock_timeout = '50ms'")
                with pytest.raises(OperationalError, match="lock timeout"):
                    lock_pupils(KINDS["aid"], case)
        finally:
            connection.close()

    def file_meanwhile(held: GraduationList) -> None:
        with ThreadPoolExecutor(1) as other:
            other.submit(file).result()
        raise BusinessUnfinished(count=0, listed="")

    with monkeypatch.context() as patched:
        patched.setattr("registry.graduation.effect.refuse_if_unready", file_meanwhile)
        with pytest.raises(BusinessUnfinished), scoped_transaction(NATION):
            graduate(made, actor=leader, confirmed_by=leader.name)
    assert graduated() == 0

    for point in ("locked", "ended", "recorded", "done"):
        log, plan = tmp_path / point, f"graduate.{point}"
        child = web.child(XUEJI_CLOCK=DAY, XUEJI_FAULT=plan, XUEJI_FAULT_LOG=str(log))
        assert child.ask("post", **confirm) is None, plan
        child.kill()
        assert log.read_text().endswith(" inside\n"), plan
        TALLY.note("web", plan, inside=True)
        assert graduated() == 0, plan
    both = [web.child(XUEJI_CLOCK=DAY) for _each in range(2)]
    at = time.time() + 0.3
    for child in both:
        child.tell("post", start_at=at, **confirm)
    answers = [child.hear() for child in both]
    assert [answer and answer["status"] for answer in answers] == [302, 302], answers
    assert graduated() == PUPILS
