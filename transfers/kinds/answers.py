"""What was answered: anew after a return, and as the class that it names."""

from typing import Any

from accounts.models import Organization, User
from registry.models import SchoolClass
from registry.services.refusals import ClassUnknown
from transfers.asking import Asking, split, take_answers
from transfers.models import Case


def reopen(case: Case, given: dict[str, Any], actor: User) -> None:
    """After a return: the questions answered anew; without answers the former ones stay."""
    from transfers.kinds import KINDS  # the kinds import this module

    if "answers" not in given:
        return
    kind = KINDS[case.kind]
    office = Organization.objects.get(path=case.to_path)
    answers = take_answers(kind, given["answers"], Asking(office, case.student))
    clear, sealed = split(kind, answers)
    case.payload["asked"] = clear
    case.set_card(case.open_card() | sealed)


def class_asked(school_path: str, class_id: str | int) -> SchoolClass:
    """The open class of this school that an answer names. Raises ClassUnknown: a class of another school
    looks like none.
    """
    classes = SchoolClass.objects.select_related("school__organization")
    found = classes.filter(org_path=school_path, pk=int(class_id or 0), is_open=True).first()
    if found is None:
        raise ClassUnknown()
    return found
