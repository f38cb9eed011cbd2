"""The procedures. Adding one is adding a module of data and its name here."""

from transfers.kind import Kind
from transfers.kinds.identity_change import IDENTITY_CHANGE
from transfers.kinds.photos import PHOTOS
from transfers.kinds.registration import REGISTRATION
from transfers.kinds.registration_batch import REGISTRATION_BATCH

KINDS: dict[str, Kind] = {
    kind.code: kind for kind in (REGISTRATION, REGISTRATION_BATCH, IDENTITY_CHANGE, PHOTOS)
}
