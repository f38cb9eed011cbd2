"""The one table: floor, figure, ratio, target, met or missed. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

ANYWHERE = "anywhere"
ALONE, TOGETHER, SPIKE = "1 client", "16 clients", "spike"
# Clerks at work: sixteen who decide; then sixteen who do everything, five times as many, and sixteen again.
DECIDING, BEFORE, RUSH, AFTER = "16 deciding", "16 at work", "80 at work", "after 80"
Samples = Mapping[str, Mapping[str, float]]
# What is held against the target: the figure itself, or its ratio to the floor.
Bound = Literal["at most", "at least", "ratio at most", "ratio at least"]

# (b): p95 at the server in milliseconds; for a list, times the first page of a school.
MOST_MS = {"search": 25.0, "queue": 30.0, "cases": 30.0, "record": 75.0, "roll": 100.0}
MOST_TIMES_FIRST_PAGE, MOST_GROWTH = 2.0, 1.3
# (a): shares of the floor's speed; (d): the limit of a worker and of the reading process.
LEAST_OF_READING, LEAST_OF_COPY, MOST_MIB = 0.30, 0.04, 400.0
# (e): p95 of who decides, times the plain writes, times the speed of filling, seconds after the spike.
MOST_DECIDING_MS, MOST_TIMES_WRITES, LEAST_TIMES_FILLING, MOST_RECOVERY = 60.0, 2.0, 5.0, 10.0
# The service is itself again from the second on after which ten seconds go by with a p95 like this one.
TIMES_BEFORE, WINDOW_SECONDS = 1.5, 10
WARM_UP = 20  # completions
# (f): entries of the log sealed by a core in a second; the time of writers beside the sealer over plain ones.
LEAST_SEALED, MOST_SLOWED = 100_000.0, 1.25
# (g): a county against the nation, two workers against one, the comparison against a grouping, the summary
# against the live grouping.
LEAST_OF_NATION, LEAST_OF_TWO, LEAST_OF_GROUPING, MOST_OF_LIVE = 0.5, 1.5, 0.12, 0.05
FIRST_PAGE = "list: first page"
FRAME = "frame"


@dataclass(frozen=True, slots=True)
class Row:
    """One line. `floor` is what the same run needs for the least that could be done; None where there is no
    such thing.
    """

    part: str
    what: str
    load: str
    floor: float | None
    figure: float
    unit: str
    target: float | None = None
    bound: Bound = "at most"
    note: str = ""
    subject: str = ""  # page|position of a page that can be explained

    @property
    def ratio(self) -> float | None:
        return self.figure / self.floor if self.floor else None

    @property
    def is_met(self) -> bool | None:
        """None where nothing is asked."""
        if self.target is None:
            return None
        if self.bound == "at most":
            return self.figure <= self.target
        if self.bound == "at least":
            return self.figure >= self.target
        if self.ratio is None:
            return False
        return self.ratio <= self.target if self.bound == "ratio at most" else self.ratio >= self.target

    def as_json(self) -> dict[str, Any]:
        return asdict(self) | {"ratio": self.ratio, "is_met": self.is_met}


def percentile(values: Sequence[float], share: float) -> float:
    """The value that `share` of all do not exceed (nearest rank); NaN of nothing."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)] if ordered else math.nan


def figures(server: Sequence[float], client: Sequence[float]) -> dict[str, float]:
    return {
        "n": len(server),
        "p50": percentile(server, 0.5),
        "p95": percentile(server, 0.95),
        "client_p50": percentile(client, 0.5),
        "client_p95": percentile(client, 0.95),
    }


def intake_rows(runs: Iterable[Mapping[str, float]]) -> Iterator[Row]:
    """(a): rows a second of the whole intake against reading alone, and of its database part against COPY
    alone; (d): the parser's memory.
    """
    for run in runs:
        size, written = f"{run['rows']:,.0f} rows", run["written"]
        parts = f"check {run['check']:.2f} s, commit {run['commit']:.2f} s, reading {run['reading']:.2f} s"
        yield Row("a", "workbook → committed", size, run["rows"] / run["reading"], written / run["whole"],
                  "rows/s", LEAST_OF_READING, "ratio at least", parts)  # fmt: skip
        waited = f"database {run['database']:.2f} s, COPY alone {run['copying']:.3f} s"
        yield Row("a", "database part of the commit", size, written / run["copying"],
                  written / run["database"], "rows/s", LEAST_OF_COPY, "ratio at least", waited)  # fmt: skip
        yield Row("d", "memory of the parser", size, None, run["parser_mib"], "MiB", MOST_MIB)


def page_rows(samples: Samples, counts: Mapping[str, Mapping[str, Any]]) -> Iterator[Row]:
    """(b): every page at every position alone, the slowest anywhere together, and errors."""
    positions = list(dict.fromkeys(key.split("|")[2] for key in samples))
    positions.remove(ANYWHERE)
    for family in MOST_MS:
        for position in positions:
            if row := _worst(samples, ALONE, family, position):
                yield row
    for position in positions:
        yield from _list_rows(samples, ALONE, position)
    for family in MOST_MS:
        if row := _worst(samples, TOGETHER, family, ANYWHERE):
            yield row
    yield from _list_rows(samples, TOGETHER, ANYWHERE)
    for load, count in counts.items():
        said = f"{count['requests']:.0f} requests, {count['rate']:.0f} a second"
        target = 0.0 if load == SPIKE else None
        yield Row("b", "errors", load, None, count["errors"], "", target, note=said)


def _worst(samples: Samples, load: str, family: str, position: str) -> Row | None:
    """The slowest page of a family; the frame of the same position and load is the floor."""
    keys = [key.split("|") for key in samples]
    pages = [page for at, page, there in keys if (at, page.split(":")[0], there) == (load, family, position)]
    if not pages:
        return None
    page = max(pages, key=lambda one: samples[f"{load}|{one}|{position}"]["p95"])
    sample = samples[f"{load}|{page}|{position}"]
    floor = samples[f"{load}|{FRAME}|{position}"]["p95"]
    return Row("b", f"{page}, {position}", load, floor, sample["p95"], "ms", MOST_MS[family],
               note=_note(sample), subject=f"{page}|{position}")  # fmt: skip


def _list_rows(samples: Samples, load: str, position: str) -> Iterator[Row]:
    """List pages against the first page of the largest school under the same load."""
    school = f"{load}|{FIRST_PAGE}|largest school"
    if school not in samples:
        return
    floor = samples[school]["p95"]
    for key, sample in samples.items():
        has_load, page, at = key.split("|")
        if (has_load, at) == (load, position) and page.startswith("list:") and key != school:
            yield Row("b", f"{page}, {position}", load, floor, sample["p95"], "ms", MOST_TIMES_FIRST_PAGE,
                      "ratio at most", _note(sample), f"{page}|{position}")  # fmt: skip


def _note(sample: Mapping[str, float]) -> str:
    return f"p50 {sample['p50']:.1f}; client p95 {sample['client_p95']:.1f}; n {sample['n']:.0f}"


def recovery(before: Sequence[float], after: Iterable[tuple[float, float]]) -> float:
    """The first whole second after a spike from which on `WINDOW_SECONDS` go by with a p95 of at most
    `TIMES_BEFORE` the one before; `after` are (seconds since its end, milliseconds). Infinite when there is
    none.
    """
    most, found = percentile(before, 0.95) * TIMES_BEFORE, list(after)
    last = int(max((at for at, _ms in found), default=0.0)) - WINDOW_SECONDS + 1
    for second in range(last + 1):
        window = [ms for at, ms in found if second <= at < second + WINDOW_SECONDS]
        if window and percentile(window, 0.95) <= most:
            return float(second)
    return math.inf


def case_rows(read: Samples, work: Mapping[str, Any], drained: Mapping[str, float]) -> Iterator[Row]:
    """(e): deciding, the spike of work, and the outbox; the frame under sixteen clients is the floor."""
    samples, counts = work["samples"], work["counts"]
    frame = read[f"{TOGETHER}|{FRAME}|{ANYWHERE}"]["p95"]
    for page in ("decide", "case"):
        sample = samples[f"{DECIDING}|{page}|{ANYWHERE}"]
        yield Row("e", f"{page}, county", DECIDING, frame, sample["p95"], "ms", MOST_DECIDING_MS,
                  note=_note(sample))  # fmt: skip
    for page in ("queue", "case", "decide", "form"):
        for load in (BEFORE, RUSH):
            sample = samples[f"{load}|{page}|{ANYWHERE}"]
            yield Row("e", page, load, frame, sample["p95"], "ms", note=_note(sample))
    for load in (DECIDING, RUSH):
        count = counts[load]
        wrong = "; ".join(f"{n} × {what}" for what, n in count["wrong"].items())
        said = (
            f"{count['requests']} requests, {count['rate']:.0f} a second, {work['decided'][load]:.1f} decided"
        )
        yield Row(
            "e", "errors", load, None, count["errors"], "", 0.0, note="; ".join(filter(None, (said, wrong)))
        )
    yield Row("e", "recovery after the spike", AFTER, None, work["recovery"], "s", MOST_RECOVERY,
              note=f"p95 of all pages before {work['before']:.1f} ms")  # fmt: skip
    said = f"{drained['drained']:.0f} completions at once by 2 workers"
    yield Row("e", "outbox drained", DECIDING, work["decided"][DECIDING], drained["rate"], "a second",
              LEAST_TIMES_FILLING, "ratio at least", said)  # fmt: skip
    yield Row("e", "outbox drained", RUSH, work["decided"][RUSH], drained["rate"], "a second", note=said)
    waited = f"of {drained['completed']:.0f}; empty {drained['emptied']:.1f} s after the clerks had left"
    yield Row("e", "last signature → completed, p95", "all who decided", None, drained["wait_p95"], "s",
              note=waited)  # fmt: skip


def compare(completed: Sequence[float], alone: Sequence[float]) -> dict[str, float]:
    """Both medians without the first runs, which warm up."""
    mine, least = completed[WARM_UP:], alone[WARM_UP:]
    return {
        "n": len(mine), "p50": percentile(mine, 0.5), "p95": percentile(mine, 0.95),
        "floor": percentile(least, 0.5), "floor_p95": percentile(least, 0.95),
    }  # fmt: skip


def completion_row(one: Mapping[str, float]) -> Row:
    """(e): the median completion against the same rows written alone."""
    said = (
        f"p95 {one['p95']:.1f}, floor p95 {one['floor_p95']:.1f}; {one['rows']:.0f} rows in"
        f" {one['tables']:.0f} tables, {one['statements']:.0f} statements; n {one['n']:.0f}"
    )
    return Row("e", "completion of a transfer, p50", "one after the other", one["floor"], one["p50"], "ms",
               MOST_TIMES_WRITES, "ratio at most", said)  # fmt: skip


def log_rows(log: Mapping[str, float]) -> Iterator[Row]:
    """The log: sealing by processor time, what it costs eight writers, and verification."""
    said = f"{log['sealed_per_second']:,.0f} a second by the clock"
    yield Row("f", "log sealed", "1,000,000 entries", None, log["sealed_per_core_second"], "a core second",
              LEAST_SEALED, "at least", said)  # fmt: skip
    yield Row("f", "log exported", "1,000,000 entries", None, log["exported_per_second"], "a second")
    yield Row("f", "log verified", "1,000,000 entries", None, log["verified_per_second"], "a second")
    yield Row("f", "one entry written", "8 clients", 1000 / log["plain"], 1000 / log["beside"], "ms",
              MOST_SLOWED, "ratio at most", "plain insert against insert beside the sealer")  # fmt: skip


def year_rows(year: Mapping[str, float]) -> Iterator[Row]:
    """(g): the school year's jobs against the least that could be done."""
    said = f"{year['findings']:,.0f} findings in the country"
    size = f"{year['unit_pupils']:,.0f} pupils"
    yield Row("g", "verification of one county", size, year["verified_nation"], year["verified_unit"],
              "pupils/s", LEAST_OF_NATION, "ratio at least", said)  # fmt: skip
    yield Row("g", "verification by two workers", "the country", 1 / year["one_worker"],
              1 / year["two_workers"], "runs/s", LEAST_OF_TWO, "ratio at least",
              f"{year['one_worker']:.1f} s by one, {year['two_workers']:.1f} s by two")  # fmt: skip
    yield Row("g", "comparison of the country", "against a grouping", 1 / year["grouping"],
              1 / year["comparison"], "passes/s", LEAST_OF_GROUPING, "ratio at least",
              f"{year['comparison']:.2f} s, grouping {year['grouping']:.2f} s")  # fmt: skip
    yield Row("g", "promotion with history and events", f"{year['promoted']:,.0f} pupils",
              year["bare_update"], year["promotion"], "s", note="against one bare UPDATE")  # fmt: skip
    yield Row("g", "dashboard of the nation", "summary", year["live"] * 1000, year["summary"] * 1000, "ms",
              MOST_OF_LIVE, "ratio at most", "against the live grouping")  # fmt: skip


def growth_rows(small: Mapping[str, Any], large: Mapping[str, Any]) -> Iterator[Row]:
    """(c): how p50 of one client grows from the smaller country to the larger one."""
    sizes = f"{small['pupils']:,} → {large['pupils']:,} pupils"
    for key, sample in large["samples"].items():
        load, page, position = key.split("|")
        before = small["samples"].get(key)
        is_asked = page.split(":")[0] in (*MOST_MS, "list") and position != ANYWHERE
        if load == ALONE and before and is_asked:
            yield Row("c", f"{page}, {position}", sizes, before["p50"], sample["p50"], "ms", MOST_GROWTH,
                      "ratio at most", subject=f"{page}|{position}")  # fmt: skip


def memory_rows(bare: float, held: Mapping[str, Mapping[str, float]]) -> Iterator[Row]:
    """(d): what web and worker hold; the floor is one process that has only loaded the project."""
    for name, one in held.items():
        note = f"{one['processes']} processes; largest ever {one['peak']:.0f} MiB"
        yield Row("d", f"memory of {name}", "after the run", bare, one["pss"], "MiB", note=note)


HEAD = ("", "what", "load", "floor", "figure", "ratio", "target", "", "note")


def cells(row: Row) -> tuple[str, ...]:
    target = ""
    if row.target is not None:
        plain = {"at most": "≤ {}", "at least": "≥ {}"}
        sign = (plain | {"ratio at most": "≤ {} ×", "ratio at least": "≥ {} ×"})[row.bound]
        target = sign.format(f"{row.target:g}") + (
            f" {row.unit}" if row.bound in ("at most", "at least") and row.unit else ""
        )
    verdict = {None: "", True: "met", False: "missed"}[row.is_met]
    floor = "" if row.floor is None else f"{row.floor:,.1f}"
    ratio = "" if row.ratio is None else f"{row.ratio:.2f}"
    figure = f"{row.figure:,.1f} {row.unit}" if row.unit else f"{row.figure:,.0f}"
    return (row.part, row.what, row.load, floor, figure, ratio, target, verdict, row.note)


def as_text(rows: Iterable[Row]) -> str:
    lines = [HEAD, *(cells(row) for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(HEAD))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in lines
    )


def as_markdown(rows: Iterable[Row]) -> str:
    lines = ["| " + " | ".join(HEAD) + " |", "|---" * len(HEAD) + "|"]
    return "\n".join([*lines, *("| " + " | ".join(cells(row)) + " |" for row in rows)])
