"""The drawing process: `python -m archives.pdf_pages LIMITS`, a PDF on stdin, its pages on stdout as pixels.

It limits itself before it looks at a byte; from then on it can open neither a file nor a connection. Scripts
and forms are not run: nothing here could. A hostile PDF may take this process down, and nothing else
(SECURITY FI-1, FI-3). No Django, no database, no settings: it knows its limits and the bytes.

Its frames: `N` how many pages, `P` one page (width, height, RGB), `B` the code of why it cannot be taken.
"""

from __future__ import annotations

import json
import struct
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from registry.limited import confine, send

COUNT, PAGE, BAD = b"N", b"P", b"B"
SIZE = struct.Struct(">HH")
DOTS_PER_POINT = 200 / 72
MOST_POINTS = 14_400  # the format's own limit for a side, 5 m
MOST_PIXELS = 100_000_000  # of one image inside: A3 at 600 dots has 70; larger ones would stay blank
_TAIL = 1024  # where a whole file has its end mark


@dataclass(frozen=True, slots=True)
class Limits:
    """What a PDF and the process that draws it may take; `side` is the longest of a page, in pixels."""

    pages: int
    side: int
    memory_bytes: int
    cpu_seconds: int


def main() -> None:
    """Draw one PDF, or say why it cannot be taken."""
    limits = Limits(**json.loads(sys.argv[1]))
    from archives.pdf_fonts import Fonts  # loads the library, which the parent never does

    Fonts().setup()
    confine(limits.memory_bytes, limits.cpu_seconds, handles=3)
    try:
        for kind, body in frames(sys.stdin.buffer.read(), limits):
            send(kind, body)
    except BrokenPipeError:
        sys.stderr.close()  # the parent has lost interest


def frames(data: bytes, limits: Limits) -> Iterator[tuple[bytes, bytes]]:
    """What goes to the parent, in order."""
    from pypdfium2 import PdfDocument, PdfiumError
    from pypdfium2.raw import FPDF_ERR_PASSWORD

    try:
        if b"%%EOF" not in data[-_TAIL:]:
            # The library would mend what broke off, and a page would be missing half of what it says.
            yield BAD, b"pdf_broken"
            return
        yield from _pages(PdfDocument(data), limits)
    except PdfiumError as fault:
        yield BAD, b"pdf_encrypted" if fault.err_code == FPDF_ERR_PASSWORD else b"pdf_broken"
    except MemoryError:
        yield BAD, b"pdf_too_heavy"


def _pages(document: Any, limits: Limits) -> Iterator[tuple[bytes, bytes]]:
    count = len(document)
    if not 1 <= count <= limits.pages:
        yield BAD, b"pdf_too_many_pages" if count > 0 else b"pdf_broken"
        return
    yield COUNT, bytes([count])
    document.init_forms()  # the seals of electronic papers are fields of a form
    for number in range(count):
        page = document[number]
        longest = max(page.get_size())
        if longest > MOST_POINTS or any(_pixels(image) > MOST_PIXELS for image in _images(page)):
            yield BAD, b"pdf_page_too_large"
            return
        drawn = page.render(scale=min(DOTS_PER_POINT, limits.side / longest), rev_byteorder=True)
        yield PAGE, SIZE.pack(drawn.width, drawn.height) + bytes(drawn.buffer)
        page.close()


def _images(page: Any) -> Iterator[Any]:
    from pypdfium2.raw import FPDF_PAGEOBJ_IMAGE

    found: Iterator[Any] = page.get_objects(filter=[FPDF_PAGEOBJ_IMAGE])
    return found


def _pixels(image: Any) -> int:
    width, height = image.get_px_size()
    return int(width * height)


if __name__ == "__main__":
    main()
