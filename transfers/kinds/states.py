"""Every change of state, in the order of the menu (HANDBOOK A6)."""

from transfers.kind import Kind
from transfers.kinds.abroad import GOING_ABROAD, RETURN_FROM_ABROAD
from transfers.kinds.dropout import DROPOUT, RETURN_TO_SCHOOL
from transfers.kinds.leaving import (
    AUTOMATIC_WITHDRAWAL,
    DEATH,
    EXPULSION,
    MISSING_PUPIL,
    OTHER_LEAVING,
    WITHDRAWAL,
)
from transfers.kinds.regrading import LOWER_PLACEMENT, REPEATING, SKIPPING
from transfers.kinds.suspension import EXTENSION, RESUMPTION, SUSPENSION

STATE_KINDS: tuple[Kind, ...] = (
    SUSPENSION, EXTENSION, RESUMPTION,
    REPEATING, SKIPPING, LOWER_PLACEMENT,
    GOING_ABROAD, RETURN_FROM_ABROAD,
    DROPOUT, RETURN_TO_SCHOOL,
    WITHDRAWAL, AUTOMATIC_WITHDRAWAL, EXPULSION, DEATH, MISSING_PUPIL, OTHER_LEAVING,
)  # fmt: skip
