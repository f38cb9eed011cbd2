"""查询码: the family's way to a case, unguessable and bound to nothing but its number (ARCHITECTURE 2)."""

import base64
import hashlib
import re
from dataclasses import dataclass, replace
from datetime import date, datetime

from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import Organization
from audit.services import System, record_read
from config.crypto import blind_index
from config.errors import NotFound
from config.scope import scoped_transaction
from config.workdays import add_workdays
from registry.protection import HIDDEN_PLACE, is_protected
from transfers.kinds import KINDS
from transfers.models import Case, LanePace, Step, Tracking
from transfers.queries import workdays_left

ENOUGH = 5  # ended cases of a lane, before its history says anything about the next one
_CODE = re.compile("[A-Z2-7]{26}")


def code_of(number: str) -> str:
    """The code of the case `number`: 26 letters and digits, the same each time a receipt is printed."""
    return base64.b32encode(blind_index("tracking", number).bytes).decode().rstrip("=")


def digest_of(code: str) -> str:
    """What is kept of a code: who reads the table cannot open the page."""
    return hashlib.sha256(code.encode()).hexdigest()


def tidy(text: str) -> str:
    """A code as people copy it from paper: in small letters, in groups, with 0 and 1 for O and I."""
    return re.sub(r"[\s\-]", "", text).upper().replace("0", "O").replace("1", "I")[:40]


def open_tracking(case: Case) -> None:
    """Let the code of `case` be found."""
    Tracking.objects.create(
        digest=digest_of(code_of(case.number)),
        case_no=case.number,
        from_path=case.from_path,
        to_path=case.to_path,
    )


@dataclass(frozen=True, slots=True)
class Stop:
    """One step as the family sees it: which office, since when, until when, whom to call; nobody's name."""

    label: str
    office: str
    phone: str
    tone: str  # done, now, over, returned, refused, later
    since: datetime | None
    until: date | None
    left: int | None
    decided_at: datetime | None


@dataclass(frozen=True, slots=True)
class Forecast:
    """By when half and nine tenths of the lane's cases had ended, counted from the filing of this one."""

    half: date
    most: date
    count: int


@dataclass(frozen=True, slots=True)
class Track:
    """A case as its tracking page shows it: procedure, offices and clock, nothing of the child."""

    number: str
    kind: str
    from_name: str
    to_name: str
    state: str
    state_name: str
    filed_at: datetime
    ended_at: datetime | None
    stops: tuple[Stop, ...]
    forecast: Forecast | None
    answer: str = ""  # of the school, to what the guardian herself has filed

    @property
    def current(self) -> Stop | None:
        return next((stop for stop in self.stops if stop.tone in ("now", "over")), None)


def read_track(code: str) -> Track:
    """The case behind `code`, read under its own path and recorded (RD-3). Raises NotFound."""
    row = Tracking.objects.filter(digest=digest_of(code)).first() if _CODE.fullmatch(code) else None
    if row is None:
        raise NotFound()
    with scoped_transaction(row.to_path):
        case = Case.objects.get(number=row.case_no)
        reader = System(acting_path=row.to_path, name="家长查询", acting_office_name="查询码")
        record_read(case, actor=reader, route="transfers:track", purpose=KINDS[case.kind].name)
        return _track(case)


def _track(case: Case) -> Track:
    steps = list(case.steps.order_by("ordinal"))
    paths = {step.office_path for step in steps if step.is_current}
    phones = dict(Organization.objects.filter(path__in=paths).values_list("path", "contact_phone"))
    left = workdays_left(step.due_on for step in steps if step.is_current)
    kind = KINDS[case.kind]
    if is_protected(case.student_id):  # the page tells what is done, not where or by whom (AZ-10)
        return _track_hidden(case, steps, left)
    return Track(
        number=case.number,
        kind=kind.name,
        from_name=case.from_name,
        to_name=case.to_name,
        state=case.state,
        state_name=str(case.get_state_display()),
        filed_at=case.filed_at,
        ended_at=case.ended_at,
        stops=tuple(_stop(step, phones, left) for step in steps),
        forecast=forecast(case) if case.is_open else None,
        answer=steps[-1].reason if kind.is_answered and not case.is_open else "",
    )


def _track_hidden(case: Case, steps: list[Step], left: dict[date, int]) -> Track:
    office, label = _("承办单位"), _("办理")
    stops = [replace(_stop(step, {}, left), office=office, label=label) for step in steps]
    place = str(HIDDEN_PLACE)
    return Track(
        case.number, KINDS[case.kind].name, place, place, case.state, str(case.get_state_display()),
        case.filed_at, case.ended_at, tuple(stops), None,
    )  # fmt: skip


def _stop(step: Step, phones: dict[str, str], left: dict[date, int]) -> Stop:
    tones = {"approve": "done", "return": "returned", "refuse": "refused"}
    days = left.get(step.due_on) if step.is_current and step.due_on else None
    now = "over" if days is not None and days < 0 else "now"
    tone = tones.get(step.decision) or (now if step.is_current else "later")
    return Stop(
        step.label, step.office_name, phones.get(step.office_path, ""), tone, step.arrived_at,
        step.due_on if step.is_current else None, days, step.decided_at,
    )  # fmt: skip


def forecast(case: Case) -> Forecast | None:
    """When this case will probably end, by the history of its lane; None while there is too little of it."""
    pace = LanePace.objects.filter(lane=case.lane, count__gte=ENOUGH).first()
    if pace is None:
        return None
    begun = timezone.localdate(case.filed_at)
    return Forecast(add_workdays(begun, pace.half), add_workdays(begun, pace.most), pace.count)
