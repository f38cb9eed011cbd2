"""缺勤登记: who stays away, who tried to reach the family, who is back (R-DRP-01, R-DRP-07, A14)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from accounts.rights import explain
from accounts.roles import Right
from audit.services import record
from config.clock import today
from config.errors import Refusal
from registry.dropout.watching import is_taught_at_home
from registry.models import Absence, Enrolment, PersuasionVisit, Student
from registry.queries.sight import own_classes
from registry.status import NORMAL


class AbsenceUnclear(Refusal):
    code, status, rule = "absence_unclear", 422, "R-DRP-01"
    message = _("缺勤登记须写明原因，起始日期应在学生入学之后、不晚于今天。请核对后重新提交。")


class AbsentAlready(Refusal):
    code, status, rule = "absent_already", 409, "R-DRP-01"
    message = _("该生已有一条未结束的缺勤登记，请在原登记上补充联系情况，或登记返校。")


class NotOnTheRoll(Refusal):
    code, status, rule = "not_on_the_roll", 409, "R-DRP-01"
    message = _("该生目前不是本校正常在校学生，不能登记缺勤。请刷新名单后核对。")


class TaughtAtHome(Refusal):
    code, status, rule = "taught_at_home", 409, "R-DRP-01"
    message = _("该生由学校送教上门，不作缺勤登记。送教上门已结束的，请先在重点关注名单中终止。")


class VisitUnclear(Refusal):
    code, status, rule = "visit_unclear", 422, "R-DRP-07"
    message = _("劝返记录须写明日期（不晚于今天）、方式、劝返人员、见到何人和结果。请补全后重新提交。")


class ReturnUnclear(Refusal):
    code, status, rule = "return_unclear", 422, "R-DRP-07"
    message = _("返校日期应在缺勤起始日期（{first}）之后、不晚于今天。请核对后重新提交。")


class AbsenceOver(Refusal):
    code, status, rule = "absence_over", 409, "R-DRP-07"
    message = _("该缺勤已结束，或学生已办理学籍变动，不能再改。请刷新后查看。")


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt to reach the family, as a form or the API gives it."""

    on: date | None
    way: str
    persons: str
    met: str
    result: str
    note: str = ""


# ── Who may ──────────────────────────────────────────────────────────────────────────────────────────────
def may_report(user: User, path: str, class_id: int | None) -> bool:
    """The school's registrar, and the head teacher for the classes she heads."""
    if not user.may_act_at(Right.REPORT_ABSENCE, path):
        return False
    if user.may_act_at(Right.VIEW_STUDENT, path):
        return True
    return class_id is not None and bool(own_classes(user).filter(pk=class_id).exists())


def _admit(user: User, path: str, class_id: int | None) -> None:
    if not may_report(user, path, class_id):
        explain(user, Right.REPORT_ABSENCE, at=path).or_raise()
        raise NotOnTheRoll()  # she reports absences, but not of this class


# ── Acts ─────────────────────────────────────────────────────────────────────────────────────────────────
@transaction.atomic
def report(
    spell: Enrolment, *, actor: User, from_on: date | None, is_excused: bool, reason: str, note: str = ""
) -> Absence:
    """Note that the pupil of `spell` stays away from a day on; the constraint decides between two at once.

    Raises NotAllowed, NotOnTheRoll, TaughtAtHome, AbsenceUnclear, AbsentAlready.
    """
    _admit(actor, spell.org_path, spell.school_class_id)
    if spell.status != NORMAL or spell.is_void or spell.school_class_id is None:
        raise NotOnTheRoll()
    if is_taught_at_home(spell.student_id):
        raise TaughtAtHome()
    first: date = spell.valid.lower
    if from_on is None or not first <= from_on <= today() or reason not in Absence.Reason.values:
        raise AbsenceUnclear()
    try:
        with transaction.atomic():
            absence = Absence.objects.create(
                org_path=spell.org_path, student_id=spell.student_id, school_class_id=spell.school_class_id,
                name=spell.name, from_on=from_on, is_excused=is_excused, reason=reason,
                note=_plain(note, 200), reported_by_name=actor.signing_name,
            )  # fmt: skip
    except IntegrityError as error:
        raise AbsentAlready() from error
    record("registry.absence.report", absence, actor=actor, basis="R-DRP-01", day=f"{from_on}")
    return absence


@transaction.atomic
def excuse(absence: Absence, *, actor: User) -> None:
    """An absence turns out to be excused: no alarm any more. Raises NotAllowed, AbsenceOver."""
    _admit(actor, absence.org_path, absence.school_class_id)
    running = Absence.objects.filter(pk=absence.pk, ended_on=None, is_excused=False)
    if running.update(is_excused=True) != 1:
        raise AbsenceOver()
    record("registry.absence.excuse", absence, actor=actor, basis="R-DRP-01")


@transaction.atomic
def come_back(absence: Absence, *, actor: User, on: date | None) -> None:
    """The pupil is at school again: the absence ends. A suspicion stands until the authority confirms the
    proof in the school's answer; who is registered as a dropout comes back by the case 返校复学 (R-DRP-07).

    Raises NotAllowed, ReturnUnclear, AbsenceOver.
    """
    _admit(actor, absence.org_path, absence.school_class_id)
    if on is None or not absence.from_on < on <= today():
        raise ReturnUnclear(first=f"{absence.from_on}")
    Student.objects.select_for_update(no_key=True).only("pk").get(pk=absence.student_id)
    here = Enrolment.objects.filter(
        student_id=absence.student_id, org_path=absence.org_path, status=NORMAL, is_void=False
    )
    running = Absence.objects.filter(pk=absence.pk, ended_on=None)
    if not here.exists() or not running.update(
        ended_on=on, ended_how=Absence.Ended.RETURNED, ended_by_name=actor.signing_name
    ):
        raise AbsenceOver()
    record("registry.absence.return", absence, actor=actor, basis="R-DRP-07", day=f"{on}")


@transaction.atomic
def visit(student: Student, attempt: Attempt, *, actor: User) -> PersuasionVisit:
    """Keep one attempt to reach the family of a pupil of the actor's school: who, when, whom they met, with
    which result. Raises NotAllowed, NotOnTheRoll, VisitUnclear.
    """
    spell = Enrolment.objects.filter(student=student, is_void=False).order_by("-valid").first()
    _admit(actor, student.org_path, spell.school_class_id if spell else None)
    kinds = PersuasionVisit
    persons, day = _plain(attempt.persons, 100), attempt.on
    is_told = (
        persons
        and attempt.way in kinds.Way.values
        and attempt.met in kinds.Met.values
        and attempt.result in kinds.Result.values
        # Whom they did not meet they cannot have persuaded.
        and (attempt.met == kinds.Met.NOBODY) == (attempt.result == kinds.Result.UNREACHED)
    )
    if day is None or day > today() or not is_told:
        raise VisitUnclear()
    kept = PersuasionVisit.objects.create(
        org_path=student.org_path, student=student, on=day, way=attempt.way, persons=persons,
        met=attempt.met, result=attempt.result, note=_plain(attempt.note, 300),
        recorded_by_name=actor.signing_name,
    )  # fmt: skip
    record("registry.absence.visit", kept, actor=actor, basis="R-DRP-07", result=kept.get_result_display())
    return kept


def attempt_from(sent: Mapping[str, str], on: date | None) -> Attempt:
    """The attempt in a form's or a body's fields."""
    return Attempt(on, *(sent.get(key, "") for key in ("way", "persons", "met", "result", "note")))


def _plain(text: str, most: int) -> str:
    return " ".join(text.split())[:most]
