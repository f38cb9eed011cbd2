"""Two administrators appoint at the same moment: what may not be in one hand comes into none (AC-11)."""

import threading
from collections.abc import Callable

import pytest
from django.db import connection

from accounts.administration.appointing import Appointment, appoint
from accounts.administration.granting import Grant, grant
from accounts.models import OfficeGrant, Post, User
from config.clock import today
from config.errors import Refusal
from config.scope import NATION, scoped_transaction
from tests import make
from tests.accounts.administering import again

ROUNDS = 2
REASON = "岗位调整"


def at_once(*acts: Callable[[], object]) -> list[str]:
    """Run them together; answers each one's refusal, or nothing."""
    gate, said = threading.Barrier(len(acts)), [""] * len(acts)

    def run(number: int) -> None:
        try:
            with scoped_transaction(make.COUNTY):
                gate.wait()
                acts[number]()
        except Refusal as refused:
            said[number] = refused.code
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(number,)) for number in range(len(acts))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return said


@pytest.mark.rule("AC-11", "R-ACC-02", "R-ACC-05", "R-ACC-10")
@pytest.mark.usefixtures("committed_db")
def test_of_two_appointments_that_exclude_each_other_one_wins() -> None:
    with scoped_transaction(NATION):
        first, second = make.make_administrator(), make.make_administrator()
    for number in range(ROUNDS):
        with scoped_transaction(NATION):
            path = f"{make.COUNTY}21{first.pk % 10**6:06d}{number:02d}."
            office, county = make.make_office(path), make.make_office(make.COUNTY)
            one, other = (make.make_user("subject_teacher", path) for _n in range(2))
            clerk = make.make_user("head_teacher", path)
            Post.objects.filter(user=clerk).delete()

        def give(person: User, role: str, at: object, actor: User) -> Callable[[], object]:
            wanted = Appointment(at, role, today())  # type: ignore[arg-type]
            return lambda: appoint(person, wanted, actor=again(actor), reason=REASON)

        # One person as registrar and as leader of one school.
        said = at_once(give(one, "registrar", office, first), give(one, "leader", office, second))
        assert sorted(said) == ["", "registrar_and_leader"]
        # Two persons as the one system administrator of a school.
        with scoped_transaction(NATION):
            fresh = [make.make_user("head_teacher", path) for _n in range(2)]
            Post.objects.filter(user__in=fresh).delete()
        said = at_once(*(give(person, "system_administrator", office, actor)
                         for person, actor in zip(fresh, (first, second), strict=True)))  # fmt: skip
        assert sorted(said) == ["", "school_has_administrator"]
        # A business post and an administration; an administration and a grant to look.
        said = at_once(
            give(clerk, "reviewer", county, first), give(clerk, "network_administrator", county, second)
        )
        assert sorted(said) == ["", "two_administrations"]
        with scoped_transaction(NATION):
            Post.objects.filter(user=other).delete()
        look = Grant(office, "view_student", today(), today())
        said = at_once(
            give(other, "network_administrator", county, first),
            lambda person=other, look=look: grant(person, look, actor=again(second), reason=REASON),
        )
        assert sorted(said) in (["", "administrator_granted"], ["", "administrator_reads"])
        with scoped_transaction(NATION):
            assert (
                Post.objects.filter(user=other).count() + OfficeGrant.objects.filter(user=other).count() == 1
            )
