"""Builds the invented country, starts the product over it, measures, prints one table.

python -m benchmarks                          200,000 pupils
python -m benchmarks --pupils 200000 1200000  both, and how the larger compares with the smaller
python -m benchmarks --write                  also writes the tables of docs/performance.md

A country is kept under var/benchmarks/ and used again while what made it has not changed.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path
from signal import SIGTERM
from typing import Any

from benchmarks import LOG_FORMAT, memory, table
from benchmarks.table import Row
from config.embedded import ServiceError, Services, free_port, stop_with_parent
from config.runner import ROOT, Installation, StepFailed, environment, prepare, say, stopped_by_signals

VAR = Path(os.environ.get("XUEJI_VAR", ROOT / "var")).resolve()
RESULTS, DOCUMENT = VAR / "benchmarks.json", ROOT / "docs" / "performance.md"
LANES = 2
QUIET = 0.5  # load average; above it the figures say more about the neighbours
# What decides how a country looks; the year because ages and terms follow it.
MADE_BY = (
    "benchmarks/country.py", "benchmarks/ground.py", "benchmarks/pupils.py", "benchmarks/data/*",
    "registry/demo/**/*", "registry/record.py", "registry/names.py", "*/migrations/*.py",
)  # fmt: skip


class Country:
    """One database with `pupils` invented pupils under `folder`."""

    def __init__(self, pupils: int) -> None:
        self.pupils, self.folder = pupils, VAR / "benchmarks" / str(pupils)
        self.stamp, self.log = self.folder / "made.json", self.folder / "log" / "benchmarks.log"
        self.copy = self.folder.with_name(f"{pupils}-measured")

    def fingerprint(self) -> str:
        files = sorted({path for pattern in MADE_BY for path in ROOT.glob(pattern) if path.is_file()})
        digest = hashlib.sha256(f"{self.pupils} {time.strftime('%Y')}".encode())
        for path in files:
            if "__pycache__" not in path.parts:
                digest.update(str(path.relative_to(ROOT)).encode() + path.read_bytes())
        return digest.hexdigest()

    def made(self) -> dict[str, Any]:
        """What is known of the country when it stands and is what would be made now; else nothing."""
        found: dict[str, Any] = json.loads(self.stamp.read_text()) if self.stamp.exists() else {}
        return found if found.get("fingerprint") == self.fingerprint() else {}

    def step(self, env: dict[str, str], *words: str) -> str:
        """Run one step inside Django and answer the last line that it printed. Raises StepFailed."""
        process = self.start_step(env, *words)
        output, _none = process.communicate()
        if process.returncode:
            raise StepFailed(f"{' '.join(words[:2])}: see {self.log}\n{self.log.read_text()[-2000:]}")
        return output.rstrip().rsplit("\n", 1)[-1]

    def start_step(self, env: dict[str, str], *words: str) -> subprocess.Popen[str]:
        with self.log.open("a", encoding="utf-8") as log:
            return subprocess.Popen(
                [sys.executable, "-m", "benchmarks.steps", words[0], str(self.pupils), *words[1:]],
                cwd=ROOT, env=env | {"DJANGO_SETTINGS_MODULE": "config.settings"}, text=True,
                stdout=subprocess.PIPE, stderr=log, preexec_fn=stop_with_parent(SIGTERM),
            )  # fmt: skip

    def make(self) -> None:
        """Build it from nothing. Raises StepFailed, ServiceError."""
        say(f"Making a country of {self.pupils:,} pupils…")
        fingerprint = self.fingerprint()
        shutil.rmtree(self.folder, ignore_errors=True)
        self.log.parent.mkdir(parents=True)
        started = time.monotonic()
        # Durable only when it is measured: what is cut while it is made is made again.
        services = Services(self.folder / "services", durable=False, log_folder=self.folder / "log", given={})
        try:
            services.start()
            env = environment(services, self.folder, "owner", XUEJI_VAR=str(self.folder), XUEJI_DEMO="0")
            prepare(env, self.folder / "log" / "prepare.log")
            statements = self.folder / "statements.json"
            statements.write_text(self.step(env, "build"))
            say(f"  offices, schools and staff: {time.monotonic() - started:.0f} s")
            self._fill(env)
            say(f"  pupils: {time.monotonic() - started:.0f} s")
            count = int(self.step(env, "close", str(statements)))
        finally:
            services.stop()
        seconds = round(time.monotonic() - started)
        say(f"  indexes, constraints, statistics: {seconds} s; {count:,} pupils")
        made = {"fingerprint": fingerprint, "pupils": count, "seconds": seconds}
        self.stamp.write_text(json.dumps(made))

    def _fill(self, env: dict[str, str]) -> None:
        lanes = [self.start_step(env, "lane", str(number), str(LANES)) for number in range(LANES)]
        for lane in lanes:
            assert lane.stdout
            for line in lane.stdout:
                if sys.stdout.isatty():
                    print(f"  about {int(line) * LANES:,} of {self.pupils:,}", end="\r", flush=True)
        if any(lane.wait() for lane in lanes):
            raise StepFailed(f"lane: see {self.log}\n{self.log.read_text()[-2000:]}")

    def measure(self, seconds: int, smaller: dict[str, Any]) -> dict[str, Any]:
        """Start the product as bin/run does and ask; compare with what was measured in the `smaller` country.
        Decisions move pupils: a copy is measured, the country stays as it was made. Raises StepFailed,
        ServiceError.
        """
        shutil.rmtree(self.copy, ignore_errors=True)
        shutil.copytree(self.folder, self.copy, ignore=shutil.ignore_patterns("log"))
        try:
            return self._measure(seconds, smaller)
        finally:
            shutil.rmtree(self.copy)

    def _measure(self, seconds: int, smaller: dict[str, Any]) -> dict[str, Any]:
        installation = Installation(self.copy, free_port())
        installation.more |= {
            "XUEJI_DEMO": "0", "XUEJI_VAR": str(self.copy),
            "GRANIAN_LOG_ACCESS_ENABLED": "true", "GRANIAN_LOG_ACCESS_FMT": LOG_FORMAT,
        }  # fmt: skip
        try:
            installation.start()
            web, worker, log = (
                installation.env("web"),
                installation.env("worker"),
                installation.logs / "web.log",
            )
            bare = float(self.step(web, "bare"))
            self.step(worker, "open_year")
            measured = self.made() | json.loads(
                self.step(web, "measure", installation.url, str(log), str(seconds))
            )
            say("  pages asked; now clerks decide")
            moves = str(self.copy / "moves.json")
            self.step(installation.env("owner"), "file_moves", moves)
            work = json.loads(self.step(web, "decide", installation.url, str(log), moves))
            drained = json.loads(self.step(worker, "drain", moves))
            held = {
                child.name: memory.held(memory.family(child.process.pid)).as_json()
                for child in installation.children
                if child.process
            }
            # The service is idle by then: a workbook alone, in a process that does what the worker does.
            taken = json.loads(self.step(worker, "take_in"))
            rows = [*table.intake_rows(taken), *table.page_rows(measured["samples"], measured["counts"])]
            rows += table.growth_rows(smaller, measured) if smaller else []
            rows += table.memory_rows(bare, held)
            rows += table.case_rows(measured["samples"], work, drained)
            missed = sorted({row.subject for row in rows if row.is_met is False and row.subject})
            plans = json.loads(self.step(web, "explain", json.dumps(missed)))
            for child in installation.children:
                child.stop()  # nobody else writes while completions are told from their floor
            rows.append(table.completion_row(self._completions(installation, moves)))
            self.step(installation.env("owner"), "plain_log")
            rows += table.log_rows(json.loads(self.step(worker, "seal_log")))
            self.step(installation.env("owner"), "plain_enrolment")
            rows += table.year_rows(json.loads(self.step(worker, "school_year")))
        finally:
            installation.stop()
        return measured | {"rows": rows, "plans": plans}

    def _completions(self, installation: Installation, moves: str) -> dict[str, float]:
        """One completion after the other, and the same rows alone."""
        owner, worker = installation.env("owner"), installation.env("worker")
        writes = json.loads(self.step(worker, "touched", moves))
        self.step(owner, "copy_tables", json.dumps(list(writes["tables"])))
        done = json.loads(self.step(worker, "complete", moves))
        alone = json.loads(self.step(owner, "floor", json.dumps(writes["tables"]), json.dumps(done["spans"])))
        sizes = {"rows": alone["rows"], "tables": len(writes["tables"]), "statements": writes["statements"]}
        return table.compare(done["ms"], alone["ms"]) | sizes


def machine() -> dict[str, str]:
    model = re.search(r"^model name\s*:\s*(.*)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return {
        "processors": f"{os.cpu_count()} × {model[1] if model else platform.machine()}",
        "memory": f"{pages / 2**30:.0f} GiB",
        "python": f"Python {platform.python_version()}",
        "load": f"load average before {os.getloadavg()[0]:.1f}",
        "measured_on": time.strftime("%Y-%m-%d"),
    }


def write_document(about: dict[str, str], rows: list[Row], plans: dict[str, list[str]]) -> None:
    """Put table and plans between their marks in docs/performance.md; the words around them stay."""
    said = " · ".join(about.values())
    texts = [f"**{subject.replace('|', ', ')}**\n\n" + "\n\n".join(f"```\n{one}\n```" for one in found)
             for subject, found in plans.items()]  # fmt: skip
    text = DOCUMENT.read_text(encoding="utf-8")
    for mark, content in (
        ("table", f"{said}\n\n{table.as_markdown(rows)}"),
        ("plans", "\n\n".join(texts) or "No target was missed."),
    ):
        before, rest = text.split(f"<!-- {mark} -->\n")
        text = f"{before}<!-- {mark} -->\n{content}\n<!-- /{mark} -->{rest.split(f'<!-- /{mark} -->')[1]}"
    DOCUMENT.write_text(text, encoding="utf-8")


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--pupils", type=int, nargs="+", default=[200_000])
    parser.add_argument("--seconds", type=int, default=120, help="how long the 16 clients ask (120)")
    parser.add_argument("--fresh", action="store_true", help="make the countries anew")
    parser.add_argument("--write", action="store_true", help="write the tables of docs/performance.md")
    options = parser.parse_args()
    if given := {"DATABASE_URL", "REDIS_URL"} & os.environ.keys():
        say(f"{', '.join(sorted(given))} is set: benchmarks use servers of their own and touch no other.")
        return 1
    about = machine()
    if os.getloadavg()[0] > QUIET:
        say(f"Others use this machine ({about['load']}): times will be longer than the product's.")
    found: list[dict[str, Any]] = []
    with stopped_by_signals():
        try:
            for pupils in sorted(options.pupils):
                country = Country(pupils)
                if options.fresh or not country.made():
                    country.make()
                found.append(country.measure(options.seconds, found[0] if found else {}))
        except (ServiceError, StepFailed) as error:
            say(str(error))
            return 1
        except KeyboardInterrupt:
            return 130
    rows: list[Row] = found[-1]["rows"]
    say(table.as_text(rows))
    results = [one | {"rows": [row.as_json() for row in one["rows"]]} for one in found]
    RESULTS.write_text(json.dumps({"machine": about, "countries": results}, ensure_ascii=False, indent=1))
    if options.write:
        write_document(about, rows, found[-1]["plans"])
    return 0


if __name__ == "__main__":
    sys.exit(main())
