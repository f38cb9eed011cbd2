"""Structured logs: one JSON line an event, with request id and office, never with personal data."""

import logging
import re
import sys
from typing import Any

import structlog

# Identity numbers, mobile numbers and student-status numbers: whatever slipped into a text leaves it here.
_PERSONAL = re.compile(r"(?<!\d)(?:[GJL]?\d{17}[\dXx]|1\d{10})(?!\d)")


def drop_personal(_logger: Any, _name: str, event: dict[str, Any]) -> dict[str, Any]:
    """Blank what looks like a number of a person, and drop fields that carry names or form values."""
    for key in ("name", "values", "payload", "body", "post"):
        event.pop(key, None)
    return {
        key: _PERSONAL.sub("[…]", value) if isinstance(value, str) else value for key, value in event.items()
    }


def configure(_settings: dict[str, Any] | None = None) -> None:
    """Set up structlog for the process and send the standard library's records through the same chain."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        drop_personal,
    ]
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=shared,
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter)
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.INFO)
    # django.request repeats each 4xx with its path, and a path may carry an id.
    logging.getLogger("django.request").setLevel(logging.ERROR)
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
