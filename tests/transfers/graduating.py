"""A grade that graduates, who acts for it, and lists as pages and cases leave them."""

from typing import Any

from django.test import Client

from accounts.models import User
from registry.graduation.afterwards import issue_proof
from registry.graduation.checking import examine
from registry.graduation.preparing import confirm, hand_in, open_list
from registry.models import CertificateProof, Enrolment, GraduationList, GraduationRecord, Student
from tests import make


def open_window() -> None:
    """Graduation on any day, whichever the suite runs on."""
    make.make_rule("GRADUATION_WINDOW", "0101..1231", make.NATION)


def status_of(student: Student) -> str:
    return str(Enrolment.objects.get(student=student).status)


class Leavers:
    """Pupils of a last grade who are in school, and their registrar, leader and reviewer."""

    def __init__(self, grade: str = "16", pupils: int = 3) -> None:
        open_window()
        self.school_class = make.make_class(grade=grade, name="六(1)班")
        self.pupils = [make.make_student(self.school_class) for _each in range(pupils)]
        self.registrar, self.leader = make.make_registrar(), make.make_leader()
        self.reviewer = make.make_reviewer()
        self.client, self._signed_in = Client(), 0

    def enter(self, who: User) -> Client:
        """The browser, with `who` before it."""
        if who.pk != self._signed_in:
            self.client.force_login(who)
            self._signed_in = who.pk
        return self.client

    def post(self, who: User, route: str, **given: Any) -> Any:
        return self.enter(who).post(route, given)

    def get(self, who: User, route: str) -> Any:
        return self.enter(who).get(route)

    def digest(self, graduation: GraduationList) -> str:
        return examine(graduation).digest

    def draft(self) -> GraduationList:
        return open_list(make.make_office(make.SCHOOL), self.school_class.grade, actor=self.registrar)

    def submit(self, graduation: GraduationList) -> Any:
        route = f"/graduation/{graduation.public_id}/submit"
        return self.post(self.registrar, route, digest=self.digest(graduation))

    def confirm(self, graduation: GraduationList) -> Any:
        route = f"/graduation/{graduation.public_id}/confirm"
        return self.post(self.leader, route, digest=self.digest(graduation))

    def graduate(self) -> GraduationList:
        """The compulsory stage to its end, without a page."""
        made = self.draft()
        hand_in(made, self.digest(made), actor=self.registrar)
        confirm(made, self.digest(made), actor=self.leader)
        made.refresh_from_db()
        return made


def make_graduation() -> tuple[GraduationList, GraduationRecord, CertificateProof]:
    """A draft of the school's grade 6; and a graduate of the list before it, with a proof."""
    leavers = Leavers(pupils=1)
    leavers.graduate()
    record = GraduationRecord.objects.get(student=leavers.pupils[0])
    proof = issue_proof(record, "ZM000000000001", "遗失", actor=leavers.registrar)
    make.make_student(make.make_class(grade="16", name="六(8)班"))
    return leavers.draft(), record, proof
