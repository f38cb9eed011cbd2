"""The id of the request or job that is running, shared by log, events and history."""

import uuid
from contextvars import ContextVar

request_id: ContextVar[uuid.UUID | None] = ContextVar("request_id", default=None)


def current_request_id() -> uuid.UUID:
    """The running request's id; a job or command that has none yet gets one."""
    known = request_id.get()
    if known is None:
        known = uuid.uuid4()
        request_id.set(known)
    return known


def reference() -> str:
    """The short form that a person reads out on the telephone."""
    return current_request_id().hex[:8].upper()
