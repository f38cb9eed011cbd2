"""A child process under limits, the parent's side: whatever hostile bytes do, only the child dies of it
(SECURITY FI-3).

The child's side, `registry.limited`, stands apart: a child loads neither Django nor this package. A frame is
one letter, the length of its body in four bytes, and the body.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import selectors
import signal
import struct
import subprocess
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import IO

FRAME = struct.Struct(">cI")  # the same in registry.limited
# Nothing of our environment: it holds the passwords of the database.
ENVIRONMENT = {"LC_ALL": "C.UTF-8", "PYTHONDONTWRITEBYTECODE": "1"}
_ROOT = Path(__file__).resolve().parent.parent
_PIPE = 1024 * 1024
_LARGEST_FRAME = 64 * 1024 * 1024  # one row of the longest cells


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
