"""Handing over, checking and ending the guardians' codes."""

import base64
import secrets
from datetime import timedelta
from typing import Any

from django.db.models import F
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from accounts.rights import explain
from accounts.roles import Right
from audit.services import System, record
from config.clock import today
from config.crypto import blind_index
from config.errors import NotFound, Refusal
from config.rules import rule
from config.scope import scoped_transaction
from exchange.guardians.models import GuardianCode
from registry.identity import canonical, family, fold_number
from registry.models import Student
from registry.names import fold_name
from registry.record import has_number, load_record
from transfers.tracking import digest_of, tidy


class NotRecognised(Refusal):
    """One sentence for a wrong code, a wrong name, a wrong number, an ended code and a pupil who has left."""

    code, status, rule = "guardian_not_recognised", 403, "RD-4"
    message = _(
        "查询码、学生姓名或证件号码不相符，或查询码已停用。请核对后重试；学生转学、查询码过期或多次核对失败后，请向就读学校重新领取。"
    )


def issue(student: Student, relation: str, *, by: User) -> tuple[GuardianCode, str]:
    """A new code for a guardian of `student`, shown this once; former codes for the same relation end.

    Raises NotAllowed unless `by` holds the right at the pupil's school.
    """
    explain(by, Right.GUARDIAN_CODE, at=student.org_path).or_raise()
    code = base64.b32encode(secrets.token_bytes(16)).decode().rstrip("=")
    GuardianCode.objects.filter(student=student, relation=relation, ended_at=None).update(ended_at=Now())
    days = rule("GUARDIAN_CODE_DAYS", at=student.org_path, on=today()).number
    row = GuardianCode.objects.create(
        digest=digest_of(code), student=student, org_path=student.org_path, relation=relation,
        issued_by=by.pk, issued_by_name=by.signing_name, until=today() + timedelta(days=days),
    )  # fmt: skip
    record("exchange.guardian.issue", student, actor=by, relation=relation)
    return row, code


def end(row: GuardianCode, *, by: User) -> None:
    """Stop a code at once. Raises NotAllowed unless `by` holds the right at the school that gave it."""
    explain(by, Right.GUARDIAN_CODE, at=row.org_path).or_raise()
    if GuardianCode.objects.filter(pk=row.pk, ended_at=None).update(ended_at=Now()):
        record("exchange.guardian.end", row.student, actor=by)


def guardian(row: GuardianCode) -> System:
    """Who a guardian is in the log: her relation, under the school whose code she holds."""
    return System(acting_path=row.org_path, name="监护人", acting_office_name="监护人查询")


def valid_code(pk: int) -> GuardianCode:
    """The code row `pk` if it is still good today. Raises NotFound."""
    row = GuardianCode.objects.filter(pk=pk, ended_at=None, until__gte=today()).first()
    if row is None:
        raise NotFound()
    return row


def enter(code: str, name: str, number: str) -> GuardianCode:
    """The code's row, when code, the pupil's name and identity number (or 学籍号) fit together.

    Wrong answers are counted on the code, outside any transaction of the caller; too many end it: only who
    holds the code can cause that. Raises NotRecognised.
    """
    row = GuardianCode.objects.filter(digest=digest_of(tidy(code)), ended_at=None, until__gte=today()).first()
    if row is None:
        raise NotRecognised()
    with scoped_transaction(row.org_path):
        fits = _fits(row, name, number)
        if fits:
            GuardianCode.objects.filter(pk=row.pk).update(failures=0, last_used_at=Now())
            record("exchange.guardian.enter", row.student, actor=guardian(row))
            return row
        most = rule("GUARDIAN_CODE_TRIES", at=row.org_path, on=today()).number
        GuardianCode.objects.filter(pk=row.pk).update(failures=F("failures") + 1)
        GuardianCode.objects.filter(pk=row.pk, failures__gte=most).update(ended_at=Now())
    raise NotRecognised()


def _fits(row: GuardianCode, name: str, number: str) -> bool:
    # Asked under the school's own path: who has left the school is not found.
    student = Student.objects.filter(pk=row.student_id).first()
    if student is None or student.org_path != row.org_path:
        return False
    document: Any = load_record(student).document
    given = fold_number(number)
    numbers = [student.number] if student.number else []
    if has_number(document) and document.blind:
        form = canonical(document.type, given, student.nationality)
        is_number = bool(form) and blind_index(family(document.type), form) == document.blind
    else:
        is_number = False
    return fold_name(name) == student.name_fold and bool(given) and (is_number or given in numbers)
