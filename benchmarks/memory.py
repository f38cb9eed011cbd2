"""How much memory a process and its children hold, from /proc (Linux)."""

from __future__ import annotations

import os
import re
from dataclasses import asdict, dataclass
from pathlib import Path

_PROC = Path("/proc")


@dataclass(frozen=True, slots=True)
class Held:
    """MiB: `pss` counts a shared page once in all, `peak` is the most that the largest process ever held."""

    pss: float
    peak: float
    processes: int

    def as_json(self) -> dict[str, float]:
        return asdict(self)


def own() -> int:
    return os.getpid()


def family(pid: int) -> list[int]:
    """`pid` and every process that descends from it."""
    children: dict[int, list[int]] = {}
    for folder in _PROC.glob("[0-9]*"):
        try:
            after_name = (folder / "stat").read_text().rsplit(")", 1)[1].split()
        except (OSError, IndexError):
            continue  # it has just ended
        children.setdefault(int(after_name[1]), []).append(int(folder.name))
    found = [pid]
    for one in found:
        found += children.get(one, [])
    return found


def held(pids: list[int]) -> Held:
    pss = [_kib(pid, "smaps_rollup", "Pss") for pid in pids]
    peaks = [_kib(pid, "status", "VmHWM") for pid in pids]
    return Held(round(sum(pss) / 1024, 1), round(max(peaks, default=0) / 1024, 1), len(pids))


def _kib(pid: int, file: str, key: str) -> int:
    try:
        found = re.search(rf"^{key}:\s+(\d+) kB", (_PROC / str(pid) / file).read_text(), re.MULTILINE)
    except OSError:
        return 0
    return int(found[1]) if found else 0
