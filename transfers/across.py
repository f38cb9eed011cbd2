"""Looking beyond the own scope: the one module that may (ARCHITECTURE 2). Exact questions only; masked,
counted, recorded.
"""

from collections.abc import Collection, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial, reduce

from django.core import signing
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from accounts.models import Organization, User
from accounts.rights import explain
from accounts.roles import Right
from archives.models import Material
from audit.budgets import spend
from audit.services import record_look_up
from config.clock import today
from config.crypto import blind_index
from config.errors import NotFound
from config.scope import NATION, ancestors, common_path, current_scope, scope
from registry.enrolling.admissions import LIVE, OWN
from registry.form_values import parse_date
from registry.identity import canonical, family, fold_number, mask_name, search_keys
from registry.models import (
    Admission,
    Enrolment,
    IdentityDocument,
    ImportBatch,
    ImportRow,
    OpenBusiness,
    School,
    Student,
    StudentNumber,
)
from registry.names import fold_name
from registry.numbers import FORMAL, parse_status_number
from registry.protection import HIDDEN_PLACE, is_protected
from registry.record import latest_spell, same_person_index
from registry.services.duplicates import SAME_NUMBER, Suspicion, blocking_problems, note_problem
from registry.services.intake_rules import Entrant, base_list_area, not_on_base_list, stage_of
from registry.status import LEFT, OPEN, STATUSES
from transfers.consistency import (
    DoesNotMatch,
    EnrolledElsewhere,
    FoundExpired,
    MarkedAsLeft,
    OpenElsewhere,
    ProblemFirst,
    StatusEnded,
)
from transfers.models import Evidence

_BUREAUS = ("county", "city", "province")
FOUND_MINUTES = 30  # a look-up that no filing followed by then is forgotten
_FOUND = "transfers.across.found"


@contextmanager
def reaching(first: str, second: str) -> Iterator[None]:
    """Look at both sides of a case: what its own row, seen or about to be filed, entitles to.

    Conditions of a move need the pupil at one school and the class at the other; nothing of it is shown but
    the sentence that says whether they are met. Does nothing where the present scope covers both.
    """
    held, both = current_scope(), common_path(first, second)
    if held and both.startswith(held):
        yield
    else:
        with scope(both):
            yield


def both_sides() -> AbstractContextManager[None]:
    """Look at the other side of an own problem record, wherever it lies: what it says is yes or no."""
    return scope(NATION)


@dataclass(frozen=True, slots=True)
class Hit:
    """A record found in the country. `student` is set only inside the asker's own scope; outside, words are
    masked.
    """

    student: Student | None
    name: str
    school: str
    status: str
    matched: str


@dataclass(frozen=True, slots=True)
class Finding:
    """What the national search answered."""

    hits: tuple[Hit, ...]
    asked: str

    @property
    def is_empty(self) -> bool:
        return not self.hits


def look_up(
    actor: User,
    *,
    name: str,
    id_type: str,
    id_number: str,
    sex: str,
    birth_on: date,
    nationality: str,
    route: str,
) -> Finding:
    """Does the country already have a record for this child (R-EST-08)? By exact number and name; without a
    number by name, sex and birth date.

    Outside the asker's scope the answer names only the county, and the name is masked. Each look-up is
    counted and recorded. Raises NotAllowed, BudgetStepUp, BudgetSpent, Stopped.
    """
    explain(actor, Right.LOOK_UP, at=actor.acting_path).or_raise()
    spend(actor, "look_ups")
    form = canonical(id_type, fold_number(id_number), nationality) if id_number else ""
    with scope(NATION):
        if form:
            holders = IdentityDocument.objects.filter(blind=blind_index(family(id_type), form))
            ids = set(holders.values_list("student_id", flat=True)[:10])
            matched = "身份证件号"
        else:
            ids = set(_same_person(name, sex, birth_on).values_list("pk", flat=True)[:10])
            matched = "姓名、性别、出生日期"
        spells = list(
            Enrolment.objects.filter(student_id__in=ids, is_void=False)
            .select_related("student")
            .order_by("student_id", "-valid")
            .distinct("student_id")
        )
        offices = {
            office.path: office
            for office in Organization.objects.filter(
                path__in={path for spell in spells for path in ancestors(spell.org_path)}
            )
        }
    hits = tuple(_hit(spell, offices, actor, matched) for spell in spells)
    record_look_up(actor=actor, route=route, found=bool(hits))
    return Finding(hits, matched)


def _same_person(name: str, sex: str, birth_on: date) -> "QuerySet[Student]":
    return Student.objects.filter(birth_on=birth_on, name_fold=fold_name(name), sex=sex)


def _hit(spell: Enrolment, offices: dict[str, Organization], actor: User, matched: str) -> Hit:
    status = STATUSES[spell.status].name
    if any(spell.org_path.startswith(path) for path in actor.scope_paths(Right.VIEW_STUDENT)):
        return Hit(spell.student, spell.name, offices[spell.org_path].name, status, matched)
    if is_protected(spell.student_id):
        return Hit(None, mask_name(spell.name), str(HIDDEN_PLACE), status, matched)
    return Hit(None, mask_name(spell.name), f"{_bureau(spell.org_path, offices)}所辖学校", status, matched)


def _bureau(path: str, offices: Mapping[str, Organization]) -> str:
    """The bureau that a school belongs to, as far as it is told outside its scope."""
    above = [offices[one] for one in ancestors(path)[:-1] if one in offices]
    return next((office.name for office in reversed(above) if office.kind in _BUREAUS), "")


# ── A pupil elsewhere whom a school here takes over or takes in (R-TRF-08) ──────────────────────────────
@dataclass(frozen=True, slots=True)
class Found:
    """The pupil that number and name both name, masked; `token` stands for her until the case is filed."""

    token: str
    name_masked: str
    school_words: str
    grade: str
    stage: str
    status: str


def find_pupil(
    actor: User,
    *,
    name: str,
    number: str,
    route: str,
    is_move: bool = True,
    ended: Collection[str] = (),
    contests: Collection[str] = (),
) -> Found:
    """The pupil with exactly this 学籍号, current or former, and this name; while she has no G, an identity
    number will do. Whatever would stop a filing is said here, before anybody is sent for papers (2001 to
    2003); a problem record stops a move only, open business of the kinds in `contests` nothing.

    Counted and recorded, refused or not. Raises NotAllowed, BudgetStepUp, BudgetSpent, Stopped,
    DoesNotMatch, OpenElsewhere, EnrolledElsewhere, MarkedAsLeft, StatusEnded (unless the status is one of
    `ended`), ProblemFirst.
    """
    explain(actor, Right.LOOK_UP, at=actor.acting_path).or_raise()
    spend(actor, "look_ups")
    with scope(NATION):
        student = _holder_of(number)
        if student is None or student.name_fold != fold_name(name):
            raise DoesNotMatch(afterwards=_counted(actor, route, is_found=False))
        spell = latest_spell(student)
        if spell is None:  # a registration that was refused: no status, and so nothing to be found
            raise DoesNotMatch(afterwards=_counted(actor, route, is_found=False))
        counted = _counted(actor, route, is_found=True)
        _refuse_open(student, actor, counted, contests)
        _refuse_unfit(student, spell, is_move, counted, ended)
        school = _school_words(spell.org_path, actor, student.pk)
    record_look_up(actor=actor, route=route, found=True)
    token = _token(student, actor)
    return Found(
        token, mask_name(student.name), school, spell.grade, stage_of(spell.grade), spell.status
    )  # fmt: skip


def listed(row: Admission, actor: User, *, route: str) -> str:
    """The token of a pupil whom a result list gives to the actor's own school: she need not be searched for,
    and is recorded all the same. Raises NotFound when the list gives her no more.
    """
    if row.state not in LIVE:
        raise NotFound()
    record_look_up(actor=actor, route=route, found=True)
    with scope(NATION):
        return _token(Student.objects.get(pk=row.student_id), actor)


def _token(student: Student, actor: User) -> str:
    held = {"student": student.pk, "name": _name_digest(student), "actor": actor.pk}
    return signing.dumps(held, salt=_FOUND)


def found(token: str, actor: User) -> tuple[Student, Organization]:
    """The pupil behind a token that this actor was given, and her present school. Raises FoundExpired."""
    try:
        held = signing.loads(token, salt=_FOUND, max_age=timedelta(minutes=FOUND_MINUTES))
    except signing.BadSignature:
        raise FoundExpired(minutes=FOUND_MINUTES) from None
    if held["actor"] != actor.pk:
        raise FoundExpired(minutes=FOUND_MINUTES)
    with scope(NATION):
        student = Student.objects.filter(pk=held["student"]).first()
    if student is None or _name_digest(student) != held["name"]:
        raise FoundExpired(minutes=FOUND_MINUTES)
    return student, Organization.objects.get(path=student.org_path)


def found_card(student: Student, actor: User, token: str) -> Found:
    """The same masked card again, while the form is being filled in. Raises FoundExpired when the record has
    been voided meanwhile.
    """
    with scope(NATION):
        spell = latest_spell(student)
        if spell is None:
            raise FoundExpired(minutes=FOUND_MINUTES)
        school = _school_words(spell.org_path, actor, student.pk)
    return Found(token, mask_name(student.name), school, spell.grade, stage_of(spell.grade), spell.status)


def material_of(evidence: Evidence) -> Material | None:
    """The paper behind a case's evidence, for whoever sees the case from its other side; None when it has
    left the case's office with the pupil.
    """
    with scope(evidence.to_path):
        paper: Material | None = Material.objects.filter(pk=evidence.material_id).first()
        return paper


def _name_digest(student: Student) -> str:
    return blind_index("found name", student.name_fold).hex


def _counted(actor: User, route: str, *, is_found: bool) -> "partial[None]":
    """Counting a look-up whose request is rolled back with its refusal."""
    return partial(record_look_up, actor=actor, route=route, found=is_found)


def _holder_of(text: str) -> Student | None:
    number = parse_status_number(text)
    if number is not None:
        national = StudentNumber.objects.filter(kind=StudentNumber.Kind.NATIONAL, number=str(number))
        held = national.select_related("student").first()
        return held.student if held else None
    blinds = [blind_index(kind, form) for kind, form in search_keys(text)]
    documents = IdentityDocument.objects.filter(blind__in=blinds, is_claimed=True).select_related("student")
    # Two pupils behind one text (different kinds of papers) cannot be told apart here.
    holders = {one.student_id: one.student for one in documents.exclude(student__number__startswith=FORMAL)}
    return next(iter(holders.values())) if len(holders) == 1 else None


def _refuse_open(student: Student, actor: User, counted: "partial[None]", contests: Collection[str]) -> None:
    """Raise unless nothing about the pupil is open, or only what the asked procedure contests."""
    business = OpenBusiness.objects.filter(student=student).first()
    if business is None or business.kind in contests:
        return
    is_rival = business.kind == OWN and business.to_path != actor.acting_path
    refusal = EnrolledElsewhere if is_rival else OpenElsewhere
    raise refusal(place=_place_of(student.pk, business.to_path), afterwards=counted)


def _refuse_unfit(
    student: Student,
    spell: Enrolment,
    is_move: bool,
    counted: "partial[None]",
    ended: Collection[str],
) -> None:
    """Raise what the national consistency check answers for a pupil whom number and name both name."""
    if spell.status == LEFT:
        raise MarkedAsLeft(place=_place_of(student.pk, spell.org_path), afterwards=counted)
    if spell.status not in OPEN and spell.status not in ended:
        raise StatusEnded(status=STATUSES[spell.status].name, afterwards=counted)
    if is_move and blocking_problems(student):
        raise ProblemFirst(place=_place_of(student.pk, spell.org_path), afterwards=counted)


def open_business_words(student_id: int) -> dict[str, str]:
    """Which procedure of a pupil is open, and at which bureau: for who comes second and may not see it."""
    with scope(NATION):
        held = OpenBusiness.objects.filter(student=student_id).first()
        if held is None:  # it has just ended
            return {"place": str(_("他处")), "kind": str(_("其他业务"))}
        return {"place": _place_of(student_id, held.to_path), "kind": held.kind_name}


def _school_words(path: str, actor: User, student_id: int) -> str:
    """The school by name inside the asker's scope; outside, the county it belongs to, or nothing (AZ-10)."""
    if any(path.startswith(above) for above in actor.scope_paths(Right.VIEW_STUDENT)):
        return Organization.objects.get(path=path).name
    return str(HIDDEN_PLACE) if is_protected(student_id) else f"{_place_words(path)}所辖学校"


def _place_of(student_id: int, path: str) -> str:
    """The bureau to ask about a pupil elsewhere; of a protected one none is named (AZ-10)."""
    return str(HIDDEN_PLACE) if is_protected(student_id) else _place_words(path)


def _place_words(path: str) -> str:
    offices = {office.path: office for office in Organization.objects.filter(path__in=ancestors(path))}
    return _bureau(path, offices)


def same_person_count(name: str, sex: str, birth_on: date, *, besides: int | None = None) -> int:
    """How many open records of the country have this name, sex and birth date (at most 10 are counted)."""
    with scope(NATION):
        same = _same_person(name, sex, birth_on).filter(
            enrolments__status__in=OPEN, enrolments__is_void=False
        )
        same = same.exclude(pk=besides or 0)
        return same[:10].count()


def note_taken_number(actor: User, *, id_type: str, id_number: str, nationality: str, route: str) -> None:
    """After a registration was refused because the number is taken: count it as a look-up, and open a
    duplicate finding with its two sides, the holder and the school that asked (G-01, AZ-9).
    """
    record_look_up(actor=actor, route=route, found=True)
    form = canonical(id_type, fold_number(id_number), nationality)
    with scope(NATION):
        held = (
            IdentityDocument.objects.filter(blind=blind_index(family(id_type), form), is_claimed=True)
            .select_related("student")
            .first()
        )
        # A repeat at the holder's own school is no other side.
        if held is not None and held.org_path != actor.acting_path:
            suspicion = Suspicion(SAME_NUMBER, None, False, "另一学校登记同一证件号码，已被拒绝")
            note_problem(
                held.student, suspicion, actor=actor, found_by="新生注册", other_path=actor.acting_path
            )


def base_list_without(school: School, values: Mapping[str, str]) -> str:
    """The name of the area whose list of primary leavers lacks this child, or an empty text (D9).

    `values` are cleaned; a birth date or name that the form refuses anyway is not looked for.
    """
    birth = parse_date(values.get("birth_on", ""))
    if birth is None or not values.get("name"):
        return ""
    number = values.get("id_number", "")
    form = canonical(values["id_type"], number, values.get("nationality", "")) if number else ""
    blind = blind_index(family(values["id_type"]), form) if form else None
    person = same_person_index(fold_name(values["name"]), values.get("sex", ""), birth)
    area = base_list_area(school.organization.path)
    with scope(area):
        if not not_on_base_list(school, [Entrant(1, blind, person)], today()):
            return ""
    return Organization.objects.get(path=area).name


def reach_of(batch: ImportBatch) -> str:
    """The path that holds the school of a batch and every record its rows continue."""
    with scope(NATION):
        rows = ImportRow.objects.filter(batch=batch, student__isnull=False)
        paths = set(rows.values_list("student__org_path", flat=True))
    return reduce(common_path, sorted(paths), batch.org_path)


def is_number_taken(student: Student, id_type: str, id_number: str) -> bool:
    """Whether somebody else in the country holds this document."""
    form = canonical(id_type, fold_number(id_number), student.nationality)
    with scope(NATION):
        holders = IdentityDocument.objects.filter(blind=blind_index(family(id_type), form), is_claimed=True)
        return bool(form) and holders.exclude(student=student).exists()
