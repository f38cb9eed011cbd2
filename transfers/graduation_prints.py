"""Certificates, proofs and rolls as PDF: what a graduate's record says, with a square that leads there."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from accounts.models import User
from archives.printing.graduation_forms import CERTIFICATES
from archives.printing.render import render, render_all
from config.clock import now
from registry.codes import label
from registry.graduation.queries import roll_row
from registry.models import CertificateProof, GraduationList, GraduationRecord
from registry.queries.sight import mask
from transfers.prints import address


def certificates(records: Sequence[GraduationRecord], user: User) -> bytes:
    """One page for each of `records`, all of one outcome."""
    return render_all(CERTIFICATES[records[0].outcome], [_of_record(one, user) for one in records])


def proof_paper(proof: CertificateProof, user: User) -> bytes:
    values = _of_record(proof.record, user) | {
        "number": proof.number,
        "certificate": proof.record.number,
        "outcome": label("completion_type", proof.record.outcome),
        "ground": proof.ground,
        "issued_on": proof.issued_on,
    }
    return render("graduation_proof", values)


def roll_paper(graduation: GraduationList, records: Sequence[GraduationRecord], user: User) -> bytes:
    rows = [roll_row(one) for one in records]
    return render(
        "graduation_roll",
        {
            "number": f"{graduation.school.code}-{graduation.school_year}-{graduation.grade}",
            "url": address("graduation:list", graduation.public_id),
            "generated_at": now(),
            "printed_by": _who(user),
            "school": graduation.school.name,
            "year": graduation.school_year,
            "grade": label("grade", graduation.grade),
            "class_name": records[0].class_name,
            "count": len(rows),
            "graduates": [
                (
                    row["record"].name, row["sex_name"], row["birth_on"], row["student_number"],
                    row["outcome_name"], row["record"].number, row["destination_name"],
                )
                for row in rows
            ],
        },
    )  # fmt: skip


def _of_record(one: GraduationRecord, user: User) -> dict[str, Any]:
    """The frozen data of one graduate, masked as on her page."""
    held = one.open_fields()
    return {
        "number": one.number,
        "url": address("graduation:graduate", one.public_id),
        "generated_at": now(),
        "printed_by": _who(user),
        "name": one.name,
        "sex": label("sex", one.sex).removesuffix("性"),
        "birth_date": date.fromisoformat(held["birth_on"]),
        "student_number": mask("status_number", held.get("status_number", "")),
        "entry_month": _month(held.get("entry_month", "")),
        "left_month": _month(f"{one.graduated_on:%Y-%m}"),
        "stage": label("school_stage", str(int(one.grade[0]) + 1)),
        "school": one.school_name,
        "issued_on": one.graduated_on,
    }


def _month(text: str) -> str:
    """`2026-09` as a paper says it."""
    year, _dash, month = text.partition("-")
    return f"{year}年{int(month)}月" if month.isdigit() else text


def _who(user: User) -> str:
    return f"{user.acting_office_name} {user.name}"
