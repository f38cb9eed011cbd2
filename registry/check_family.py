"""The two family members of a record: who must be given, and what contradicts (HANDBOOK C1, R-PRB-06)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from operator import itemgetter
from typing import NamedTuple

from registry import codes
from registry import objections_form as f
from registry.fields import BY_KEY, MEMBER_KEYS
from registry.findings import Finding
from registry.identity import NO_NUMBER_NEEDED, carries_birth_and_sex, check_number, sex_in
from registry.names import check_name, fold_name

MEMBERS = ("member1", "member2")
# Items a second member must have once the block is begun; the first block's own items are mandatory anyway.
BLOCK = ("name", "relation", "address", "hukou_division", "phone", "is_guardian")
FATHER, MOTHER, NOT_A_RELATIVE = "51", "52", "99"
_SEXES = {FATHER: "1", MOTHER: "2"}
# Holders of these have no household register.
OVERSEAS_DOCUMENTS = tuple("6789ACDEF")


class Member(NamedTuple):
    """What is looked at of one block, `key` being its prefix on the form."""

    key: str
    name: str
    relation: str
    relation_note: str
    address: str
    hukou_division: str
    phone: str
    is_guardian: str
    id_type: str
    id_number: str


_items_of = {member: itemgetter(*(f"{member}_{item}" for item in Member._fields[1:])) for member in MEMBERS}
_second_of = itemgetter(*(f"member2_{item}" for item in MEMBER_KEYS if item != "is_guardian"))


def has_second_member(record: Mapping[str, str]) -> bool:
    """Whether anything of the second block is filled in; the guardian flag alone, which a form always sends,
    is not.
    """
    return any(_second_of(record))


def check_family(
    record: Mapping[str, str],
    today: date,
    school_phones: frozenset[str],
    pupil_is_overseas: bool,
    known_division: Callable[[str], bool],
) -> list[Finding]:
    """Findings on both members of a cleaned record that holds every key; forms of single fields are checked
    elsewhere.
    """
    keys = MEMBERS if has_second_member(record) else MEMBERS[:1]
    members = [Member(key, *_items_of[key](record)) for key in keys]
    found: list[Finding] = []
    for member in members:
        found += _check_member(member, record, today, known_division)
        if member.key == "member2":
            found += _check_block(member, pupil_is_overseas)
        if member.is_guardian == "1" and member.phone in school_phones:
            found.append(f.GUARDIAN_PHONE_IS_SCHOOLS.at(f"{member.key}_phone"))
    if "1" not in [member.is_guardian for member in members]:
        found.append(f.NO_GUARDIAN.at("member1_is_guardian"))
    needs_relatives_number = record["id_type"] == NO_NUMBER_NEEDED and not record["id_number"]
    if needs_relatives_number and not any(member.id_type and member.id_number for member in members):
        found.append(f.FAMILY_NUMBER_MISSING.at("member1_id_number"))
    if len(members) == 2:
        found += _check_pair(*members)
    return found


def _check_member(
    member: Member, record: Mapping[str, str], today: date, known_division: Callable[[str], bool]
) -> list[Finding]:
    found: list[Finding] = []
    if member.name:
        found += check_name(member.name, f"{member.key}_name")
        if fold_name(member.name) == fold_name(record["name"]):
            found.append(f.FAMILY_NAME_IS_PUPILS.at(f"{member.key}_name"))
    if member.relation == NOT_A_RELATIVE and not member.relation_note:
        found.append(f.RELATION_EXPLANATION.at(f"{member.key}_relation_note"))
    if record["orphan"] == "1" and member.relation in (FATHER, MOTHER):
        found.append(f.ORPHAN_WITH_PARENT.at(f"{member.key}_relation"))
    if member.id_type or member.id_number:
        found += _check_document(member, record, today, known_division)
    return found


def _check_document(
    member: Member, record: Mapping[str, str], today: date, known_division: Callable[[str], bool]
) -> list[Finding]:
    kind, number, field = member.id_type, member.id_number, f"{member.key}_id_number"
    if not kind:
        return [f.FAMILY_ID_TYPE_MISSING.at(f"{member.key}_id_type")]
    if not codes.is_code("id_document_type", kind):
        return []  # said already, of the type
    # A relative's nationality is not asked for, so a passport is only checked for its form.
    found = check_number(
        kind, number, None, "", today, nationality="-", known_division=known_division, field=field
    )
    sex = _SEXES.get(member.relation)
    if sex and carries_birth_and_sex(kind, number) and sex_in(number) != sex:
        found.append(f.FAMILY_SEX.at(field, relation=codes.label("guardian_relation_form", member.relation)))
    if number and number == record["id_number"]:
        found.append(f.FAMILY_NUMBER_IS_PUPILS.at(field))
    return found


def _check_block(member: Member, pupil_is_overseas: bool) -> list[Finding]:
    blank = [item for item in BLOCK if not getattr(member, item)]
    if pupil_is_overseas or member.id_type in OVERSEAS_DOCUMENTS:
        blank = [item for item in blank if item != "hukou_division"]
    keys = [f"{member.key}_{item}" for item in blank]
    return [f.MISSING.at(key, label=BY_KEY[key].label_zh) for key in keys]


def _check_pair(first: Member, second: Member) -> list[Finding]:
    found = []
    if first.relation in (FATHER, MOTHER) and first.relation == second.relation:
        label = codes.label("guardian_relation_form", first.relation)
        found.append(f.SAME_RELATION.at("member2_relation", relation=label))
    if first.id_number and first.id_number == second.id_number:
        found.append(f.FAMILY_NUMBER_TWICE.at("member2_id_number"))
    return found
