"""Files that must be whole, and still there after a power cut."""

import os
from pathlib import Path


def write_new(file: Path, content: bytes) -> None:
    """The new file `file`, for its owner to read, on the disk before this returns. Raises FileExistsError."""
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o400), "wb") as handle:
        handle.write(content)
        handle.flush()
        os.fsync(handle.fileno())


def make_whole(file: Path, content: bytes) -> None:
    """The same, whole or not at all: a killed call leaves no half file under the name.

    Raises FileExistsError for the second of two at once, who leaves the first one's file as it is.
    """
    unfinished = file.with_suffix(f".{os.getpid()}")
    write_new(unfinished, content)
    try:
        os.link(unfinished, file)
    finally:
        unfinished.unlink()
    sync_folder(file.parent)


def sync_folder(folder: Path) -> None:
    """A name is only safe once its folder is on the disk."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
