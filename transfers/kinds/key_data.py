"""What a change of key data needs, field by field, as data: the papers, and the words of the compare table
(R-UPD-07).
"""

from collections.abc import Mapping
from typing import Any

from registry.codes import choices
from registry.fields import BY_KEY
from registry.identity import mask_number
from registry.queries.sight import in_words
from registry.services.key_data import PROPOSABLE
from transfers.kind import EvidenceNeed, Proposed
from transfers.kinds.registration import IDENTITY_PAPERS
from transfers.models import Case

# What is proposed and what stood there lie sealed in the card under these prefixes.
NEW, OLD = "proposed_", "was_"

REGISTER, POLICE, BIRTH, RESIDENCE, VISA, CARD = "01", "03", "04", "07", "17", "02"
_RULE = "R-UPD-07"
_IDENTITY = EvidenceNeed("姓名、证件：户口簿、身份证或公安证明", IDENTITY_PAPERS, _RULE)
NEEDS: tuple[tuple[frozenset[str], EvidenceNeed], ...] = (
    (frozenset(("name", "id_type", "id_number")), _IDENTITY),
    (
        frozenset(("sex", "birth_on")),
        EvidenceNeed("性别、出生日期：户口簿或公安户籍证明", (REGISTER, POLICE), _RULE),
    ),
    (
        frozenset(("ethnic_group", "native_place", "hukou_type", "hukou_division")),
        EvidenceNeed("民族、籍贯、户口：户口簿或公安户籍证明", (REGISTER, POLICE), _RULE),
    ),
    (
        frozenset(("birthplace",)),
        EvidenceNeed("出生地：出生医学证明、户口簿或公安户籍证明", (BIRTH, REGISTER, POLICE), _RULE),
    ),
    (
        frozenset(("nationality", "overseas_status")),
        EvidenceNeed("国籍、港澳台侨外：有效身份证件", (REGISTER, CARD, RESIDENCE, VISA), _RULE),
    ),
    (frozenset(("attendance_mode",)), EvidenceNeed("就读方式：学校证明", ("20", "99"), _RULE)),
)


def papers_for(payload: Mapping[str, Any]) -> tuple[EvidenceNeed, ...]:
    """The papers that the proposed fields ask for; one paper may meet several needs."""
    fields = frozenset(payload.get("fields", ()))
    return tuple(need for keys, need in NEEDS if keys & fields) or (_IDENTITY,)


def paper_choices() -> list[tuple[str, str]]:
    """The kinds of paper that any change of key data takes."""
    wanted = {code for _keys, need in NEEDS for code in need.types}
    return [pair for pair in choices("evidence_type") if pair[0] in wanted]


def proposed_in(card: Mapping[str, str]) -> dict[str, str]:
    """The proposed values that a card holds."""
    return {key: card[NEW + key] for key in PROPOSABLE if card.get(NEW + key)}


def compare(case: Case, card: Mapping[str, str]) -> list[Proposed]:
    """What is proposed beside what stood there at filing; numbers are masked (RD-1)."""
    lines = []
    for key, value in proposed_in(card).items():
        field = BY_KEY[key]
        before = card.get(OLD + key, card.get(key, ""))
        if key == "id_number":
            mask = card.get("id_mask", "")
            lines.append(Proposed(field.label_zh, mask, mask_number(value), is_number=True))
        else:
            lines.append(Proposed(field.label_zh, in_words(field, before), in_words(field, value)))
    return lines
