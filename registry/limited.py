"""A child process under limits, the child's side: whatever hostile bytes do, only the child dies of it
(SECURITY FI-3).

No Django and no settings: the child imports this. The parent's side is `config.limited_child`. A frame is one
letter, the length of its body in four bytes, and the body.
"""

from __future__ import annotations

import contextlib
import ctypes
import resource
import signal
import struct
import sys

FRAME = struct.Struct(">cI")  # the same in config.limited_child
_PR_SET_PDEATHSIG, _PR_SET_NO_NEW_PRIVS = 1, 38


def confine(memory_bytes: int, cpu_seconds: int, *, handles: int = 16) -> None:
    """Give up everything that the work does not need, before the first byte.

    With 3 `handles` neither a file nor a connection can be opened any more.
    """
    with contextlib.suppress(AttributeError, OSError):
        libc = ctypes.CDLL(None)
        libc.prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)
        libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
    for kind, most in (
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_NOFILE, handles),
        (resource.RLIMIT_AS, memory_bytes),
    ):
        resource.setrlimit(kind, (most, most))
    # The kinder signal first: the parent can tell slowness from death.
    resource.setrlimit(resource.RLIMIT_CPU, (cpu_seconds, cpu_seconds + 1))


def send(kind: bytes, body: bytes) -> None:
    """One frame to the parent. Raises BrokenPipeError when it has lost interest."""
    sys.stdout.buffer.write(FRAME.pack(kind, len(body)))
    sys.stdout.buffer.write(body)
    sys.stdout.buffer.flush()
