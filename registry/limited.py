"""A child process under limits: whatever hostile bytes do, only the child dies of it (SECURITY FI-3).

Both sides are here, without Django and settings: the child imports this, and the package `config` loads both.
A frame is one letter, the length of its body in four bytes, and the body.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import os
import resource
import selectors
import signal
import struct
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import IO

FRAME = struct.Struct(">cI")
# Nothing of our environment: it holds the passwords of the database.
ENVIRONMENT = {"LC_ALL": "C.UTF-8", "PYTHONDONTWRITEBYTECODE": "1"}
_ROOT = Path(__file__).resolve().parent.parent
_PIPE = 1024 * 1024
_LARGEST_FRAME = 64 * 1024 * 1024  # one row of the longest cells
_PR_SET_PDEATHSIG, _PR_SET_NO_NEW_PRIVS = 1, 38


# ── In the child ─────────────────────────────────────────────────────────
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


# ── In the parent ────────────────────────────────────────────────────────
class ChildFailed(Exception):  # noqa: N818  # the caller makes a refusal of it
    """The child died, ran out of time (`is_slow`), or said what is no frame."""

    def __init__(self, *, is_slow: bool = False) -> None:
        super().__init__("slow" if is_slow else "died")
        self.is_slow = is_slow


class Child:
    """The process, its pipes, and the thread that feeds it. `patience` is for one frame, in seconds."""

    def __init__(self, command: Sequence[str], content: bytes, patience: float) -> None:
        self._patience = patience
        self._buffer = bytearray()
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,  # a parser's last words may hold what it read
            cwd=_ROOT,
            env=ENVIRONMENT,
        )
        assert self._process.stdin
        assert self._process.stdout
        self._output = self._process.stdout.fileno()
        with contextlib.suppress(OSError, AttributeError):
            fcntl.fcntl(self._output, fcntl.F_SETPIPE_SZ, _PIPE)  # fewer turns between the two processes
        self._ready = selectors.DefaultSelector()
        self._ready.register(self._output, selectors.EVENT_READ)
        self._feeder = threading.Thread(target=_feed, args=(self._process.stdin, content), daemon=True)
        self._feeder.start()

    def frame(self) -> tuple[bytes, bytes]:
        """The next frame: its letter and its body. Raises ChildFailed."""
        kind, size = FRAME.unpack(self._take(FRAME.size))
        if size > _LARGEST_FRAME:
            raise ChildFailed()
        return kind, self._take(size)

    def end(self) -> None:
        """Stop the child wherever it is; nothing of it stays. Safe to repeat."""
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait()
        self._feeder.join()
        self._ready.close()
        if self._process.stdout:
            self._process.stdout.close()

    def _take(self, size: int) -> bytes:
        while len(self._buffer) < size:
            if not self._ready.select(self._patience):
                raise ChildFailed(is_slow=True)
            piece = os.read(self._output, _PIPE)
            if not piece:
                raise ChildFailed(is_slow=self._process.wait() == -signal.SIGXCPU)
            self._buffer += piece
        taken = bytes(self._buffer[:size])
        del self._buffer[:size]
        return taken


def _feed(pipe: IO[bytes], content: bytes) -> None:
    # A child that has heard enough closes its end.
    with contextlib.suppress(BrokenPipeError), pipe:
        pipe.write(content)
