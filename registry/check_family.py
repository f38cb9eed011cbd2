"""The two family members of a record: who must be given, and what contradicts (HANDBOOK C1, R-PRB-06)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date

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
# Holders of these have no household register.
OVERSEAS_DOCUMENTS = tuple("6789ACDEF")


def has_second_member(record: Mapping[str, str]) -> bool:
    """Whether anything of the second block is filled in; the guardian flag alone, which a form always sends,
    is not.
    """
    return any(record[f"member2_{item}"] for item in MEMBER_KEYS if item != "is_guardian")


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
    members = MEMBERS if has_second_member(record) else MEMBERS[:1]
    found: list[Finding] = []
    for member in members:
        mine = {item: record[f"{member}_{item}"] for item in MEMBER_KEYS}
        found += _check_member(member, mine, record, today, known_division)
        if member == "member2":
            found += _check_block(mine, pupil_is_overseas)
        if mine["is_guardian"] == "1" and mine["phone"] in school_phones:
            found.append(f.GUARDIAN_PHONE_IS_SCHOOLS.at(f"{member}_phone"))
    if not any(record[f"{member}_is_guardian"] == "1" for member in members):
        found.append(f.NO_GUARDIAN.at("member1_is_guardian"))
    has_number = any(record[f"{member}_id_type"] and record[f"{member}_id_number"] for member in members)
    if record["id_type"] == NO_NUMBER_NEEDED and not record["id_number"] and not has_number:
        found.append(f.FAMILY_NUMBER_MISSING.at("member1_id_number"))
    if len(members) == 2:
        found += _check_pair(record)
    return found


def _check_member(
    member: str,
    mine: Mapping[str, str],
    record: Mapping[str, str],
    today: date,
    known_division: Callable[[str], bool],
) -> list[Finding]:
    found: list[Finding] = []
    if mine["name"]:
        found += check_name(mine["name"], f"{member}_name")
        if fold_name(mine["name"]) == fold_name(record["name"]):
            found.append(f.FAMILY_NAME_IS_PUPILS.at(f"{member}_name"))
    if mine["relation"] == NOT_A_RELATIVE and not mine["relation_note"]:
        found.append(f.RELATION_EXPLANATION.at(f"{member}_relation_note"))
    if record["orphan"] == "1" and mine["relation"] in (FATHER, MOTHER):
        found.append(f.ORPHAN_WITH_PARENT.at(f"{member}_relation"))
    return found + _check_document(member, mine, record, today, known_division)


def _check_document(
    member: str,
    mine: Mapping[str, str],
    record: Mapping[str, str],
    today: date,
    known_division: Callable[[str], bool],
) -> list[Finding]:
    field = f"{member}_id_number"
    if not mine["id_number"] and not mine["id_type"]:
        return []
    if not mine["id_type"]:
        return [f.FAMILY_ID_TYPE_MISSING.at(f"{member}_id_type")]
    if not codes.is_code("id_document_type", mine["id_type"]):
        return []  # said already, of the type
    # A relative's nationality is not asked for, so a passport is only checked for its form.
    found = check_number(
        mine["id_type"],
        mine["id_number"],
        None,
        "",
        today,
        nationality="-",
        known_division=known_division,
        field=field,
    )
    sex = {FATHER: "1", MOTHER: "2"}.get(mine["relation"])
    if sex and carries_birth_and_sex(mine["id_type"], mine["id_number"]) and sex_in(mine["id_number"]) != sex:
        found.append(f.FAMILY_SEX.at(field, relation=codes.label("guardian_relation_form", mine["relation"])))
    if mine["id_number"] and mine["id_number"] == record["id_number"]:
        found.append(f.FAMILY_NUMBER_IS_PUPILS.at(field))
    return found


def _check_block(mine: Mapping[str, str], pupil_is_overseas: bool) -> list[Finding]:
    without_register = pupil_is_overseas or mine["id_type"] in OVERSEAS_DOCUMENTS
    return [
        f.MISSING.at(key, label=BY_KEY[key].label_zh)
        for item in BLOCK
        if not mine[item] and not (item == "hukou_division" and without_register)
        for key in (f"member2_{item}",)
    ]


def _check_pair(record: Mapping[str, str]) -> list[Finding]:
    found = []
    relation, number = record["member1_relation"], record["member1_id_number"]
    if relation in (FATHER, MOTHER) and relation == record["member2_relation"]:
        label = codes.label("guardian_relation_form", relation)
        found.append(f.SAME_RELATION.at("member2_relation", relation=label))
    if number and number == record["member2_id_number"]:
        found.append(f.FAMILY_NUMBER_TWICE.at("member2_id_number"))
    return found
