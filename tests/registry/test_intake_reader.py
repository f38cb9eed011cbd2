"""The reading process: limited, without secrets, gone when it is not needed; any bytes give rows or a refusal
(SECURITY FI-2, FI-3).
"""

import json
import sys
from contextlib import suppress
from dataclasses import replace
from io import BytesIO
from zipfile import ZipFile

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from config import limited_child
from registry.intake import reading
from registry.intake.columns import KEYS
from registry.intake.reading import read_rows
from registry.intake.refusals import BadFile
from registry.intake.scan import scan
from registry.intake.sheet import PUPILS, BadWorkbook
from registry.intake.template import write_template
from tests.registry import hostile as h
from tests.registry.uploads import (  # noqa: F401
    FILE,
    LIMITS,
    children,
    nothing_stays_behind,
    read,
    refused,
)


def instead(monkeypatch: pytest.MonkeyPatch, code: str) -> None:
    """Let the child run `code` after its usual imports."""
    start = "import os, resource, sys, time\nfrom registry.intake import reader\n"
    monkeypatch.setattr(reading, "COMMAND", (sys.executable, "-s", "-c", start + code))


BLIND = f"reader.scan = lambda data, limits: reader.Found({PUPILS!r})\nreader.main()"


@pytest.mark.rule("FI-3")
def test_a_far_cell_past_the_scan_kills_the_child_and_nobody_else(monkeypatch):
    content = h.with_rows('<row r="3"><c r="XFD1048576"><v>1</v></c></row>')
    assert refused(content).code == "import_too_many_columns"
    instead(monkeypatch, BLIND)
    bad = refused(content)
    assert (bad.code, bad.rule) == ("import_reader_died", "FI-3")
    assert len(read(h.workbook())) == 1  # the same blind reader reads what is harmless


@pytest.mark.rule("FI-3", "INTAKE_MEMORY_MB")
def test_memory_and_time_of_the_child_end(monkeypatch):
    instead(monkeypatch, "reader.scan = lambda data, limits: bytearray(4 * 1024**3)\nreader.main()")
    assert refused(h.workbook()).code == "import_memory"
    soon = replace(LIMITS, cpu_seconds=1)
    instead(monkeypatch, "def scan(data, limits):\n while True: pass\nreader.scan = scan\nreader.main()")
    assert refused(h.workbook(), soon).code == "import_reader_slow"
    instead(monkeypatch, "reader.scan = lambda data, limits: time.sleep(60)\nreader.main()")
    assert refused(h.workbook(), soon).code == "import_reader_slow"


@pytest.mark.rule("FI-3")
@pytest.mark.parametrize(
    "code",
    [
        "sys.exit(0)",
        "os.abort()",
        "print('hello, hello')",
        "sys.stdout.buffer.write(b'H' + b'\\xff' * 4)",
        "sys.stdout.buffer.write(b'R\\0\\0\\0\\1x')",
        'sys.stdout.buffer.write(b\'H\\0\\0\\0\\x1a{"sheet": "a", "total": 1}\')',
    ],
)
def test_a_child_that_says_nothing_of_use_is_a_refusal(monkeypatch, code):
    instead(monkeypatch, code)
    assert refused(h.workbook()).code == "import_reader_died"


@pytest.mark.rule("FI-3")
def test_the_child_knows_no_secret_and_may_not_do_much(monkeypatch):
    instead(
        monkeypatch,
        "limits = reader.Limits(**reader.json.loads(sys.argv[1]))\n"
        "reader.confine(limits.memory_bytes, limits.cpu_seconds)\n"
        "kinds = [resource.RLIMIT_AS, resource.RLIMIT_FSIZE, resource.RLIMIT_CORE, resource.RLIMIT_NOFILE]\n"
        "loaded = [name for name in sys.modules if name.startswith(('django', 'config', 'psycopg'))]\n"
        "told = [sorted(os.environ), [resource.getrlimit(kind)[1] for kind in kinds], loaded]\n"
        "kind, body = reader._bad(reader.BadWorkbook('damaged', part=str(told)))\n"
        "reader.send(kind, body)",
    )
    told = str([sorted(limited_child.ENVIRONMENT), [1024**3, 0, 0, 16], []])
    assert f"（{told}）" in refused(h.workbook()).detail


@pytest.mark.rule("FI-3")
def test_a_reading_that_is_left_or_forgotten_ends_its_child():
    content = h.workbook(*(h.pupil(talent="长" * 5000) for _ in range(300)))
    rows = read_rows(content, FILE, LIMITS)
    next(rows)
    rows.close()
    rows.close()
    rows = read_rows(content, FILE, LIMITS)
    next(rows)
    del rows
    with suppress(KeyError), read_rows(content, FILE, LIMITS) as rows:
        next(rows)
        raise KeyError
    assert not children()


# ── Any bytes ──────────────────────────────
GOOD = [
    h.workbook(h.pupil(), h.pupil(name="李四")),
    h.with_shared_strings(["甲", "乙"], '<row r="3"><c r="C3" t="s"><v>1</v></c></row>'),
    write_template("示例学校", "2144000001", [("2025101", "一(1)班")]),
]
SNIPPETS = [
    *(b"<", b">", b"/", b'"', b"&", b"\0", b"<!--", b"-->", b"<![CDATA[", b"]]>", b"<?x ?>", b"<f>", b"</c>"),
    *(
        b'<c r="XFD1048576"/>',
        b"<row>",
        b' r="A1"',
        b' hidden="1"',
        b' t="e"',
        b"<v>1</v>",
        b"\xff",
        b"\xed\xa0\x80",
    ),
    *(
        b"&#0;",
        b"&amp;",
        b"9" * 20,
        b"<c>" * 300,
        b"x:",
        b"\x1e",
        b"\x1f",
        b"</sheetData>",
        b'<mergeCell ref="A1:B2"/>',
    ),
]
CUTS = st.lists(
    st.tuples(st.floats(0, 1), st.integers(0, 40), st.sampled_from(SNIPPETS)), min_size=1, max_size=4
)


def unpacked(content: bytes) -> h.Parts:
    with ZipFile(BytesIO(content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def cut(text: bytes, cuts: list[tuple[float, int, bytes]]) -> bytes:
    for place, length, snippet in cuts:
        begin = int(place * len(text))
        text = text[:begin] + snippet + text[begin + length :]
    return text


def mutated() -> st.SearchStrategy[bytes]:
    """Good workbooks with bytes changed: in the archive, or in a part that is packed again."""

    def inside(content: bytes) -> st.SearchStrategy[bytes]:
        parts = unpacked(content)
        return st.tuples(st.sampled_from(sorted(parts)), CUTS).map(
            lambda change: h.pack(parts | {change[0]: cut(parts[change[0]], change[1])})
        )

    whole = st.sampled_from(GOOD)
    return st.one_of(whole.flatmap(inside), st.tuples(whole, CUTS).map(lambda change: cut(*change)))


@pytest.mark.rule("FI-2")
@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.one_of(mutated(), st.binary(max_size=200), st.binary(max_size=200).map(lambda end: b"PK\3\4" + end))
)
def test_the_scan_survives_any_bytes(content):
    try:
        found = scan(content, LIMITS)
    except BadWorkbook as fault:
        reading.refusal_of(json.loads(json.dumps(fault.as_data())), FILE)
    else:
        assert found.sheet


@pytest.mark.rule("FI-2", "FI-3")
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(mutated())
def test_any_workbook_gives_rows_or_a_refusal(content):
    rows = []
    with suppress(BadFile):
        rows = read(content)
    assert all(list(values) == KEYS for _number, values in rows)
    assert not children()
