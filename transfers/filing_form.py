"""The form of every kind that asks: its questions as the page shows them, and all that was typed."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from django.http import QueryDict
from django.utils.translation import gettext as _

from config.errors import Refusal
from registry.codes import choices, label
from registry.findings import Finding
from transfers.asking import Ask, Asking
from transfers.form_words import TYPED_AS
from transfers.forms import DOCUMENT, LABELS, expect, placed
from transfers.kind import EvidenceNeed, Kind

# What the page sends besides the answers; no kind may ask under one of these names (a test looks).
RESERVED = frozenset((
    "csrfmiddlewaretoken", "action", "key", "token", "kind", DOCUMENT, "file", "evidence_type", "exempt",
    "exempt_reason", "shown",
))  # fmt: skip
OTHER_PAPER = "99"
_WIDGETS = {"choice": "select"}


@dataclass(frozen=True, slots=True)
class Posed:
    """One question on the page, with what was typed; stands where a field of the registration form does."""

    ask: Ask
    value: str
    options: list[tuple[str, str]]

    @property
    def key(self) -> str:
        return self.ask.key

    @property
    def label(self) -> Any:
        return self.ask.label

    @property
    def must(self) -> str:
        return str(_("必填")) if self.ask.is_required else ""

    @property
    def widget(self) -> str:
        return _WIDGETS.get(self.ask.widget, self.ask.widget)

    @property
    def hint(self) -> str:
        return str(self.ask.hint or TYPED_AS.get(self.ask.widget, ""))

    @property
    def is_wide(self) -> bool:
        return self.ask.widget == "textarea"

    @property
    def input_mode(self) -> str:
        return "numeric" if self.ask.widget in ("date", "number") else "text"

    @property
    def max_length(self) -> int:
        return self.ask.most if self.ask.is_sealed else 20

    @property
    def item(self) -> "Posed":
        """Where the field's template looks for the length."""
        return self


@dataclass(slots=True)
class Draft:
    """One form of `kind` as it was sent: answers, papers, exceptions, and what was found wrong with it."""

    kind: Kind
    given: dict[str, str]
    documents: list[str] = field(default_factory=list)
    exempt: list[str] = field(default_factory=list)
    exempt_reason: str = ""
    token: str = ""
    key: str = field(default_factory=lambda: uuid4().hex)
    shown: str = ""  # the questions that the page showed when it was sent
    is_across: bool = False  # the pupil's record lies in another province
    errors: dict[str, list[Finding]] = field(default_factory=dict)

    @classmethod
    def read(cls, kind: Kind, posted: QueryDict) -> "Draft":
        """What the page sent. Raises BadRequest for a name that the form does not have."""
        asked = [ask.key for ask in kind.asks]
        expect(posted, *asked, *RESERVED)
        return cls(
            kind=kind,
            given={key: posted.get(key, "") for key in asked if key in posted},
            documents=[text for text in posted.getlist(DOCUMENT) if text],
            exempt=posted.getlist("exempt"),
            exempt_reason=" ".join(posted.get("exempt_reason", "").split())[:300],
            token=posted.get("token", ""),
            key=posted.get("key", "") or uuid4().hex,
            shown=posted.get("shown", ""),
        )

    def applying(self) -> list[Ask]:
        """The questions that apply to what was answered so far."""
        answers: dict[str, str] = {}
        found = []
        for ask in self.kind.asks:
            if ask.applies(answers):
                answers[ask.key] = self.given.get(ask.key, "").strip()
                found.append(ask)
        return found

    def questions(self, asking: Asking) -> list[Posed]:
        return [
            Posed(
                ask,
                self.given.get(ask.key, ""),
                [(code, str(name)) for code, name in ask.options(asking)] if ask.options else [],
            )
            for ask in self.applying()
        ]

    def aside(self) -> list[tuple[str, str]]:
        """What was typed into questions that do not apply now: kept, should they apply again."""
        applying = {ask.key for ask in self.applying()}
        return [(key, text) for key, text in self.given.items() if text and key not in applying]

    @property
    def applying_keys(self) -> str:
        return " ".join(ask.key for ask in self.applying())

    @property
    def is_conditional(self) -> bool:
        """Whether an answer changes what else is asked."""
        return self.kind.papers is not None or any(ask.only_if for ask in self.kind.asks)

    @property
    def labels(self) -> dict[str, Any]:
        return LABELS | {ask.key: ask.label for ask in self.kind.asks}

    @property
    def needs(self) -> tuple[EvidenceNeed, ...]:
        """The papers that the answers so far ask for."""
        clear = {ask.key: self.given.get(ask.key, "").strip() for ask in self.applying() if not ask.is_sealed}
        return self.kind.needs({"asked": clear, "is_across": self.is_across})

    def papers(self) -> list[tuple[str, str]]:
        """Kinds of papers to choose from: those needed first, then the rest."""
        needed = list(dict.fromkeys(code for need in self.needs for code in need.types))
        rest = [pair for pair in choices("evidence_type") if pair[0] not in needed]
        return [(code, label("evidence_type", code)) for code in needed] + rest

    def object(self, refusal: Refusal) -> None:
        """Put a refusal onto the form: its findings, or itself at the place it speaks of."""
        self.errors = {}
        for finding in list(refusal.findings) or [placed(refusal)]:
            self.errors.setdefault(finding.field, []).append(finding)


def types_in_words(need: EvidenceNeed) -> str:
    """The kinds of paper that satisfy a need, as people call them."""
    return "、".join(label("evidence_type", code) for code in need.types)


def prefilled(kind: Kind, answers: Mapping[str, str], documents: list[str]) -> Draft:
    """The form of a returned case with what was answered and handed in."""
    return Draft(kind, dict(answers), documents)
