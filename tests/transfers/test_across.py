"""Looking beyond the own scope: exact, masked, counted, recorded (R-EST-08, AZ-9, RD-6)."""

from datetime import date
from time import time

import pytest
from django.db.backends.postgresql.psycopg_any import DateRange
from django.test import Client
from django.urls import reverse

from accounts.models import User
from audit.budgets import BudgetSpent, BudgetStepUp
from audit.models import AccessEntry
from config.errors import NotAllowed
from config.models import RuleValue
from config.scope import current_scope, scope
from registry.models import Student
from tests import make
from transfers import across

pytestmark = pytest.mark.usefixtures("nation")


def ask(actor: User, values: dict[str, str]) -> across.Finding:
    """As a request would: under the scope of the office she acts for."""
    with scope(actor.acting_path):
        finding = across.look_up(
            actor,
            name=values["name"],
            id_type=values["id_type"],
            id_number=values["id_number"],
            sex=values["sex"],
            birth_on=date.fromisoformat(values["birth_on"]),
            nationality="CHN",
            route="test",
        )
        assert current_scope() == actor.acting_path  # and back in her own
        return finding


@pytest.mark.rule("R-EST-08", "AZ-9", "RD-1")
def test_a_pupil_elsewhere_is_found_by_exact_number_and_shown_masked() -> None:
    values = make.valid_values(name="欧阳小海")
    make.make_student(make.make_class(make.FAR), **values)
    registrar = make.make_registrar()
    finding = ask(registrar, values)
    (hit,) = finding.hits
    assert (hit.student, hit.name) == (None, "欧＊")
    assert "2151000001" not in hit.school  # the county, not the school
    assert ask(registrar, make.valid_values()).is_empty
    looked = AccessEntry.objects.filter(actor_id=registrar.pk, outcome="look_up").order_by("id")
    assert [entry.code for entry in looked] == ["found", "none"]
    # A number one digit off, or the name alone, finds nothing: exact questions only.
    number = values["id_number"]
    assert ask(
        registrar, values | {"id_number": make.identity_number(date.fromisoformat(values["birth_on"]))}
    ).is_empty
    assert number


@pytest.mark.rule("R-EST-08")
def test_a_pupil_of_the_own_school_is_linked_in_clear() -> None:
    values = make.valid_values()
    student = make.make_student(**values)
    (hit,) = ask(make.make_registrar(), values).hits
    assert isinstance(hit.student, Student)
    assert hit.student.pk == student.pk


@pytest.mark.rule("R-EST-08", "R-EST-05")
def test_without_a_number_name_sex_and_birth_date_are_asked() -> None:
    values = make.valid_values()
    make.make_student(make.make_class(make.FAR), **values)
    question = values | {"id_type": "Z", "id_number": ""}
    assert len(ask(make.make_registrar(), question).hits) == 1
    assert ask(make.make_registrar(), question | {"sex": "1"}).is_empty


@pytest.mark.rule("RD-6")
def test_the_budget_of_look_ups_ends_with_a_sentence() -> None:
    registrar = make.make_registrar()
    RuleValue.objects.create(
        path=make.SCHOOL,
        key="LOOKUPS_PER_HOUR",
        value=2,
        valid=DateRange(date(2020, 1, 1), None),
        document="测试",
        set_by_name="测试",
        created_by_name="测试",
    )
    for _turn in range(2):
        ask(registrar, make.valid_values())
    with pytest.raises(BudgetStepUp, match="2"):
        ask(registrar, make.valid_values())
    registrar.factor_at = time()
    ask(registrar, make.valid_values())  # once
    with pytest.raises(BudgetSpent, match="2"):
        ask(registrar, make.valid_values())
    ask(make.make_registrar(), make.valid_values())  # a budget is a person's own


def test_only_holders_of_the_right_ask() -> None:
    for role, path in (("auditor", make.CITY), ("head_teacher", make.SCHOOL), ("leader", make.SCHOOL)):
        with pytest.raises(NotAllowed):
            ask(make.make_user(role, path), make.valid_values())


@pytest.mark.rule("G-14", "AZ-2", "AZ-8")
def test_a_county_sees_another_s_pupil_only_through_a_case_that_involves_both(client: Client) -> None:
    """The case carries its own card; the record itself stays behind the wall."""
    from tests.transfers.filing import file_pupil
    from transfers.models import Case, Step

    office = {
        "class": make.make_class(),
        "registrar": make.make_registrar(),
        "reviewer": make.make_reviewer(make.NEIGHBOUR_COUNTY),
    }
    case = file_pupil(office)
    student = case.student
    assert student is not None
    client.force_login(office["reviewer"])
    record = reverse("registry:student", args=[student.public_id])
    page = reverse("transfers:case", args=[case.number])
    assert (client.get(record).status_code, client.get(page).status_code) == (404, 404)
    Case.objects.filter(pk=case.pk).update(from_path=make.NEIGHBOUR)
    Step.objects.filter(case=case).update(from_path=make.NEIGHBOUR)
    assert client.get(page).status_code == 200
    assert student.name in client.get(page).content.decode()
    assert client.get(record).status_code == 404
