"""The registration form: the fields as the page asks for them, what was typed, and what is wrong with it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from django.http import QueryDict
from django.utils.translation import gettext_lazy as _

from config.errors import BadRequest, Refusal
from registry.divisions import division_code, division_shown
from registry.fields import BY_KEY, SECTIONS, Field
from registry.findings import Finding, errors, warnings
from registry.form_values import parse_date
from transfers.form_words import HINTS, NUMERIC, TYPED_AS, WIDE

# Given by the class, the office, or the system.
_NOT_ASKED = frozenset(("grade", "class_number", "former_name", "photo", "status_number"))
ASKED = tuple(f for section in SECTIONS for f in section.fields if f.key not in _NOT_ASKED)
ASKED_KEYS = frozenset(f.key for f in ASKED)
DIVISION_KEYS = frozenset(f.key for f in ASKED if f.widget == "division")
# What the page sends besides the form's own values; anything else is refused (AZ-5).
_MORE_KEYS = frozenset((
    "csrfmiddlewaretoken", "action", "key", "class_id", "photo", "document", "is_disputed", "distinct_reason",
    "version", "file", "evidence_type", "deferred_until",
))  # fmt: skip
CLASS, PHOTO, DOCUMENT, DISTINCT = "class_id", "photo", "document", "distinct_reason"
DEFERRED = "deferred_until"
# Which place of the form a refusal without findings belongs to.
_PLACE_OF_CODE = {
    "evidence_not_ticked": DOCUMENT,
    "evidence_missing": DOCUMENT,
    "upload_gone": DOCUMENT,
    "material_taken": DOCUMENT,
    "class_full": CLASS,
    "class_unknown": CLASS,
    "number_taken": "id_number",
    "status_exists": "id_number",
    "same_person_found": DISTINCT,
    "plan_exceeded": CLASS,
    "quota_exceeded": CLASS,
    "deferral_late": DEFERRED,
    "deferral_unclear": DEFERRED,
    "not_on_base_list": "id_number",
}
_PLACE_OF_RULE = {
    "R-EST-08": DOCUMENT, "R-EST-12": DOCUMENT, "R-EST-13": DOCUMENT, "C5": CLASS, "INTAKE_PLAN": CLASS,
    "QUOTA": CLASS, "R-EST-03": "id_number",
}  # fmt: skip
LABELS: dict[str, Any] = {f.key: f.label_zh for f in ASKED} | {
    CLASS: _("班级"),
    PHOTO: _("照片"),
    DOCUMENT: _("材料"),
    DISTINCT: _("确认不是同一人"),
    DEFERRED: _("延期注册至"),
    "happened_on": _("变更发生的日期"),
}


@dataclass(frozen=True, slots=True)
class Asked:
    """One field on the page, with what was typed into it."""

    item: Field
    value: str

    @property
    def key(self) -> str:
        return self.item.key

    @property
    def label(self) -> str:
        return self.item.label_short

    @property
    def must(self) -> str:
        """The word beside the label: mandatory is never said by a sign or colour alone."""
        return {"Y": str(_("必填")), "C": str(_("视情况必填"))}.get(self.item.mandatory, "")

    @property
    def widget(self) -> str:
        return self.item.widget

    @property
    def hint(self) -> str:
        return str(
            HINTS.get(self.item.key.replace("member2_", "member1_"), TYPED_AS.get(self.item.widget, ""))
        )

    @property
    def is_wide(self) -> bool:
        return self.item.key.removeprefix("member1_").removeprefix("member2_") in WIDE

    @property
    def input_mode(self) -> str:
        own = self.item.key.removeprefix("member1_").removeprefix("member2_")
        return "decimal" if self.item.widget == "number" else "numeric" if own in NUMERIC else "text"

    @property
    def shown(self) -> str:
        return division_shown(self.value) if self.item.widget == "division" else self.value

    @property
    def options(self) -> list[tuple[str, str]]:
        if self.item.widget == "yes_no":
            return [("1", str(_("是"))), ("0", str(_("否")))]
        return self.item.choices


@dataclass(frozen=True, slots=True)
class Part:
    """One section of the page. `wrong` counts what stops it."""

    key: str
    title: Any
    fields: list[Asked]
    wrong: int


@dataclass(slots=True)
class Sheet:
    """One registration form: typed values, chosen class and uploads, and what was found wrong."""

    values: dict[str, str]
    class_id: str = ""
    photo: str = ""
    documents: list[str] = field(default_factory=list)
    is_disputed: bool = False
    distinct_reason: str = ""
    deferred_until: str = ""
    version: int = 0
    key: str = field(default_factory=lambda: uuid4().hex)
    found: list[Finding] = field(default_factory=list)

    @property
    def payload(self) -> dict[str, Any]:
        """What the case keeps of the form besides the pupil's own values."""
        return {
            "class_id": class_number(self.class_id),
            "is_disputed": self.is_disputed,
            "distinct_reason": self.distinct_reason,
            "deferred_until": self.deferred_until,
        }

    def parts(self) -> list[Part]:
        wrong = {finding.field for finding in errors(self.found)}
        parts = []
        for section in SECTIONS:
            fields = [Asked(f, self.values.get(f.key, "")) for f in section.fields if f.key in ASKED_KEYS]
            count = sum(f.key in wrong for f in fields)
            if section.key == "status":
                count += CLASS in wrong
            parts.append(Part(section.key.replace(" ", "-"), section.title, fields, count))
        return parts

    @property
    def wrong_papers(self) -> int:
        return len({f.field for f in errors(self.found)} & {PHOTO, DOCUMENT})

    @property
    def wrong(self) -> int:
        return len(errors(self.found))

    @property
    def missing(self) -> list[Finding]:
        """Fields left open: one line with links says it for all of them."""
        return [f for f in errors(self.found) if f.code == "missing"]

    @property
    def faults(self) -> list[Finding]:
        return [f for f in errors(self.found) if f.code != "missing"]

    @property
    def doubts(self) -> list[Finding]:
        return warnings(self.found)

    def by_field(self) -> dict[str, list[Finding]]:
        grouped: dict[str, list[Finding]] = {}
        for finding in self.found:
            grouped.setdefault(finding.field, []).append(finding)
        return grouped

    @property
    def may_dispute(self) -> bool:
        """Whether a fault of the number could be outweighed by evidence (R-EST-08)."""
        return not self.is_disputed and any(f.disputable and f.level == "error" for f in self.found)

    @property
    def wants_distinct(self) -> bool:
        return bool(self.distinct_reason) or any(f.field == DISTINCT for f in self.found)

    def object(self, refusal: Refusal, others: Iterable[Finding] = ()) -> None:
        """Put a refusal onto the form: its findings, or itself at the place it speaks of, beside `others`."""
        own = list(refusal.findings) or [placed(refusal)]
        self.found = own + [finding for finding in others if finding not in own]


def expect(posted: Iterable[str], *keys: str) -> None:
    """Raise BadRequest when a form sends a key that it does not have (AZ-5)."""
    unknown = sorted(set(posted) - set(keys) - {"csrfmiddlewaretoken"})
    if unknown:
        raise BadRequest(why=str(_("不认识的字段 {keys}。")).format(keys="、".join(unknown)[:100]))


def placed(refusal: Refusal) -> Finding:
    """A refusal without findings as one finding at its place on the form."""
    place = _PLACE_OF_CODE.get(refusal.code, "")
    if refusal.code == "requirement_failed":
        place = _PLACE_OF_RULE.get(refusal.rule, "")
    return Finding(place or "__all__", refusal.code, refusal.detail, refusal.rule, refusal.article, "")


def read_sheet(posted: QueryDict) -> Sheet:
    """What the page sent. Raises BadRequest for a key that is not on the form."""
    expect(posted, *ASKED_KEYS, *_MORE_KEYS)
    values = {f.key: posted.get(f.key, "") for f in ASKED if f.key in posted}
    for key in DIVISION_KEYS & values.keys():
        values[key] = division_code(values[key])
    version = posted.get("version", "")
    return Sheet(
        values=values,
        class_id=posted.get(CLASS, ""),
        photo=posted.get(PHOTO, ""),
        documents=[text for text in posted.getlist(DOCUMENT) if text],
        is_disputed=posted.get("is_disputed") == "1",
        distinct_reason=" ".join(posted.get(DISTINCT, "").split()),
        deferred_until=_iso_day(posted.get(DEFERRED, "").strip()),
        version=int(version) if version.isascii() and version.isdigit() and len(version) < 9 else 0,
        key=posted.get("key", "") or uuid4().hex,
    )


def _iso_day(text: str) -> str:
    """A day as typed, in ISO form; what is no day stays as it is, for the check to refuse."""
    day = parse_date(text)
    return day.isoformat() if day else text


def class_number(text: str) -> int:
    """The id of a class from a form; 0, which is no class, for anything else."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else 0


@dataclass(slots=True)
class Question:
    """What the national search asks: enough to tell one child from another."""

    name: str = ""
    sex: str = ""
    birth_on: str = ""
    nationality: str = "CHN"
    id_type: str = "1"
    id_number: str = ""

    KEYS = ("name", "sex", "birth_on", "nationality", "id_type", "id_number")

    @classmethod
    def read(cls, posted: Mapping[str, str]) -> "Question":
        return cls(**{key: posted.get(key, "").strip() for key in cls.KEYS})

    @property
    def fields(self) -> list[Asked]:
        return [Asked(BY_KEY[key], getattr(self, key)) for key in self.KEYS]
