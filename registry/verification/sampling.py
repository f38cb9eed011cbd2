"""Random samples for inspection (R-VER-07): the seed is recorded, so that anybody can draw the same again.

Schools stand in the order of sha256(seed + path), pupils in that of sha256(seed + public id).
"""

import secrets
from hashlib import sha256

from django.db import connection, transaction
from django.db.models import F
from django.db.models.functions import Least, Now

from accounts.models import User
from accounts.rights import explain
from accounts.roles import Right
from audit.services import record
from config.rules import rules
from registry.models import Campaign, Finding, Sample, SampleRow
from registry.protection import hidden_from
from registry.status import OPEN
from registry.verification.acts import SHORTEST, raise_by_hand, tidy
from registry.verification.checking import due_day, hold, recount
from registry.verification.refusals import NotInspecting, ResultMoved, ResultUnclear, SampleEmpty

Result = SampleRow.Result
_DRAW = """
WITH schools AS MATERIALIZED (
  SELECT org_path FROM registry_schoolverification
  WHERE campaign_id = %(campaign)s AND org_path >= %(path)s AND org_path < %(path)s || '~' AND pupils > 0
  ORDER BY sha256(convert_to(%(seed)s || org_path, 'UTF8')) LIMIT %(schools)s
), pupils AS (
  SELECT e.org_path, e.student_id, count(*) OVER () AS total,
    row_number() OVER (ORDER BY sha256(convert_to(%(seed)s || s.public_id::text, 'UTF8'))) AS place
  FROM registry_enrolment e
  JOIN schools k ON k.org_path = e.org_path
  JOIN registry_student s ON s.id = e.student_id
  WHERE e.status = ANY (%(open)s) AND NOT e.is_void AND NOT s.id = ANY (%(hidden)s)
), drawn AS (
  INSERT INTO registry_samplerow (org_path, sample_id, student_id, ordinal)
  SELECT org_path, %(sample)s, student_id, place FROM pupils
  WHERE place <= ceil(total * %(percent)s / 100.0)
  RETURNING 1
)
SELECT (SELECT count(*) FROM schools), (SELECT count(*) FROM pupils), (SELECT count(*) FROM drawn)"""


@transaction.atomic
def draw(campaign: Campaign, *, actor: User) -> Sample:
    """Draw a sample of the pupils under the actor's office. Raises NotAllowed, NotInspecting, SampleEmpty."""
    path, office = actor.acting_path, actor.own_office
    explain(actor, Right.INSPECT, at=path).or_raise()
    if office is None or office.kind == office.Kind.SCHOOL:
        raise NotInspecting()
    held = rules(("VERIFY_SAMPLE_PERCENT", "VERIFY_SAMPLE_SCHOOLS"), at=path)
    percent = held["VERIFY_SAMPLE_PERCENT"].number
    sample = Sample.objects.create(
        org_path=path, campaign=campaign, office_name=office.name, seed=secrets.token_hex(16),
        percent=percent, schools=0, pupils=0, drawn_by=actor, drawn_by_name=actor.signing_name,
    )  # fmt: skip
    with connection.cursor() as cursor:
        cursor.execute(
            _DRAW,
            {
                "campaign": campaign.pk, "path": path, "seed": sample.seed, "sample": sample.pk,
                "schools": held["VERIFY_SAMPLE_SCHOOLS"].number, "percent": percent, "open": list(OPEN),
                "hidden": list(hidden_from(actor)),
            },
        )  # fmt: skip
        sample.schools, sample.pupils, drawn = cursor.fetchone()
    if not drawn:
        raise SampleEmpty()
    sample.save(update_fields=["schools", "pupils"])
    record("registry.sample.draw", sample, actor=actor, basis="R-VER-07", count=drawn, seed=sample.seed)
    return sample


def place_of(seed: str, name: str) -> str:
    """By what a school's path or a pupil's public id is put in order; lowest first."""
    return sha256(f"{seed}{name}".encode()).hexdigest()


@transaction.atomic
def note_result(row: SampleRow, *, actor: User, result: str, note: str) -> None:
    """Note what the inspector saw; a pupil who does not agree becomes a finding of the school.

    Raises NotAllowed, ResultUnclear or ResultMoved.
    """
    explain(actor, Right.INSPECT, at=row.sample.org_path).or_raise()
    note = tidy(note)
    if result not in (Result.AGREES, Result.DISAGREES) or (
        result == Result.DISAGREES and len(note) < SHORTEST
    ):
        raise ResultUnclear(count=SHORTEST)
    changed = SampleRow.objects.filter(pk=row.pk, result=Result.OPEN).update(
        result=result, note=note, inspected_by_name=actor.signing_name, inspected_at=Now()
    )
    if changed != 1:
        raise ResultMoved()
    if result == Result.DISAGREES:
        _make_finding(row)
    record("registry.sample.result", row, actor=actor, basis="R-VER-07", result=result)


def _make_finding(row: SampleRow) -> None:
    """The school's task; one that another sample made is open again."""
    campaign = row.sample.campaign
    due_on = due_day(campaign, row.org_path)
    hold(campaign.pk, [row.org_path])
    known = Finding.objects.filter(
        campaign=campaign, org_path=row.org_path, kind="sample", student_id=row.student_id
    )
    if known.exists():
        known.update(  # a day that was ordered stands
            state=Finding.State.OPEN, closed_at=None, due_on=Least(due_on, F("order_due_on")),
            escalated_on=None,
        )  # fmt: skip
        recount(campaign.pk, [row.org_path])
    else:
        raise_by_hand(campaign, row.org_path, "sample", due_on=due_on, student_id=row.student_id)
