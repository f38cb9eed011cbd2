"""The forms of the six changes of schools and offices, as data, and how they name an office."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from accounts.models import Organization
from config.clock import today
from registry.codes import choices
from registry.models import School
from registry.reorganizing.plan import ALTER, CLOSE, FOUND, MERGE, MOST, REHANG, RENAME, STAGES

OFFERED = 500  # offices in the list of suggestions; any other one is typed by its code


@dataclass(frozen=True, slots=True)
class Question:
    """One field: `widget` is text, date, office, select or stages."""

    key: str
    label: Any
    widget: str = "text"
    hint: Any = ""
    codes: str = ""
    is_required: bool = True

    @property
    def most(self) -> int:
        return MOST.get(self.key, 100)

    @property
    def options(self) -> list[tuple[str, Any]]:
        match self.key:
            case "office_kind":
                kinds = (Organization.Kind.SCHOOL, Organization.Kind.COUNTY, Organization.Kind.CITY)
                return [(kind.value, kind.label) for kind in kinds]
            case "schooling":
                return list(School._meta.get_field("schooling").choices or ())  # type: ignore[arg-type]
            case "stages":
                return choices(self.codes, STAGES)
            case "running_type":
                return [pair for pair in choices(self.codes) if len(pair[0]) == 3]
        return choices(self.codes)


OFFICE = Question("office", _("单位"), "office", _("填代码或全称，如 2144000001"))
DOCUMENT = (
    Question("document_no", _("批复文号")),
    Question("document_by", _("批复机关")),
    Question("document_on", _("批复日期"), "date", _("如 2026-07-01")),
)
_TYPE = Question("running_type", _("办学类型"), "select", codes="school_running_type")
_OWNERSHIP = Question("ownership", _("办别"), "select", codes="school_ownership")
_STAGES = Question("stages", _("学段"), "stages", codes="school_stage")
_SCHOOLING = Question("schooling", _("学制"), "select")
_CODE = Question("code", _("代码"), hint=_("学校为 10 位标识码，机构为 6 位行政区划代码；用过的代码不能再用"))


def _optional(*questions: Question) -> tuple[Question, ...]:
    return tuple(
        Question(one.key, one.label, one.widget, one.hint, one.codes, is_required=False) for one in questions
    )


FORMS: dict[str, tuple[Question, ...]] = {
    FOUND: (
        Question("office_kind", _("单位类型"), "select"),
        Question("parent", _("主管部门"), "office", _("填代码或全称")),
        Question("name", _("名称"), hint=_("与公章一致")),
        _CODE,
        *_optional(_TYPE, _OWNERSHIP, _STAGES, _SCHOOLING),
        *_optional(
            Question("address", _("地址")), Question("principal", _("校长")), Question("phone", _("电话"))
        ),
        *DOCUMENT,
    ),
    RENAME: (OFFICE, Question("name", _("新名称"), hint=_("与公章一致")), *DOCUMENT),
    MERGE: (
        OFFICE,
        Question("target", _("承接单位"), "office", _("被合并单位的学生、班级、岗位和档案都归到这里")),
        *DOCUMENT,
    ),
    CLOSE: (
        OFFICE,
        Question("target", _("档案接收单位"), "office", _("由县级教育行政部门指定")),
        *DOCUMENT,
    ),
    ALTER: (OFFICE, *_optional(_TYPE, _OWNERSHIP, _STAGES, _SCHOOLING, _CODE), *DOCUMENT),
    REHANG: (OFFICE, Question("parent", _("新的主管部门"), "office", _("填代码或全称")), *DOCUMENT),
}


def find_office(at: Organization, text: str) -> Organization | None:
    """The office of today at or below `at` that `text` names: by code, or by its name if only one has it."""
    words = " ".join(text.split())
    if not words:
        return None
    below = Organization.objects.within(at.path).filter(valid__contains=today())
    code = words.partition(" ")[0]
    named = Q(code=code) | Q(school__code=code) | Q(name=words)
    if len(code) == 6 and code.isdigit():
        named |= Q(division=code) & ~Q(kind=Organization.Kind.SCHOOL)
    found = list(below.filter(named).distinct()[:2])
    return found[0] if len(found) == 1 else None


def suggestions(at: Organization) -> list[str]:
    """Code and name of the offices at and below `at`, the nearest ones first."""
    rows = Organization.objects.within(at.path).filter(valid__contains=today()).order_by("path")
    return [f"{code} {name}" for code, name in rows.values_list("code", "name")[:OFFERED]]


def read_form(
    kind: str, at: Organization, posted: Mapping[str, Any]
) -> "tuple[Organization | None, dict[str, str]]":
    """The office and the values of a form, offices by their ids. `posted` has a list for stages."""
    values: dict[str, str] = {}
    for question in FORMS[kind]:
        given = posted.get(question.key, "")
        text = ",".join(given) if isinstance(given, list) else str(given)
        if question.widget == "office":
            found = find_office(at, text)
            # An office that is not found keeps a value that no office has: the plan says what is wrong.
            text = str(found.pk) if found else ("0" if text else "")
        values[question.key] = text
    office = values.pop("office", "")
    return Organization.objects.filter(pk=int(office or 0)).first(), values
