"""Looking beyond the own scope: the one module that may (ARCHITECTURE 2). Exact questions only; masked,
counted, recorded.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import reduce

from django.db.models import QuerySet
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from accounts.models import Organization, User
from accounts.rights import explain
from accounts.roles import Right
from audit.models import AccessEntry
from audit.services import record_look_up
from config.clock import today
from config.crypto import blind_index
from config.errors import Refusal
from config.rules import rules
from config.scope import NATION, ancestors, common_path, scope
from registry.form_values import parse_date
from registry.identity import canonical, family, fold_number, mask_name
from registry.models import Enrolment, IdentityDocument, ImportBatch, ImportRow, School, Student
from registry.names import fold_name
from registry.record import same_person_index
from registry.services.duplicates import SAME_NUMBER, Suspicion, note_problem
from registry.services.intake_rules import Entrant, base_list_area, not_on_base_list
from registry.status import OPEN, STATUSES


class LookUpsSpent(Refusal):
    """RD-6: the person's budget of look-ups across scope is used up."""

    code, status = "look_ups_spent", 429
    rule = "RD-6"
    message = _(
        "您在{period}内的全国查重次数已达上限（{limit} 次），请稍后再试；如确需继续，请联系上级主管部门。"
    )


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


def spend_look_up(actor: User) -> None:
    """Raise LookUpsSpent when the person's hourly or daily budget is used up."""
    budget = rules(("LOOKUPS_PER_HOUR", "LOOKUPS_PER_DAY"), at=actor.acting_path, on=today())
    made = AccessEntry.objects.filter(actor_id=actor.pk, outcome=AccessEntry.Outcome.LOOK_UP)
    for key, length, period in (
        ("LOOKUPS_PER_HOUR", timedelta(hours=1), _("一小时")),
        ("LOOKUPS_PER_DAY", timedelta(days=1), _("一天")),
    ):
        limit = budget[key].number
        if made.filter(at__gt=Now() - length).count() >= limit:
            raise LookUpsSpent(period=period, limit=limit)


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
    counted and recorded. Raises NotAllowed, LookUpsSpent.
    """
    explain(actor, Right.LOOK_UP, at=actor.acting_path).or_raise()
    spend_look_up(actor)
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
    above = [offices[path] for path in ancestors(spell.org_path)[:-1] if path in offices]
    county = next((o for o in reversed(above) if o.kind in ("county", "city", "province")), None)
    return Hit(None, mask_name(spell.name), f"{county.name if county else ''}所辖学校", status, matched)


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
