"""Papers that come as PDF: drawn in a limited process of their own and bound anew from the pixels, so that
scripts, forms, attachments and metadata stay behind (SECURITY FI-1, FI-3).
"""

import json
import struct
import sys
from dataclasses import asdict
from io import BytesIO

from PIL import Image

from archives import pdf_pages
from archives.images import LONGEST_SIDE, NATIONAL, QUALITIES, Limits
from archives.pdf_pages import BAD, COUNT, DOTS_PER_POINT, PAGE, SIZE
from archives.refusals import BadPdf, FileTooLarge
from config.limited_child import Child, ChildFailed

JPEG, PDF = "image/jpeg", "application/pdf"
COMMAND = (sys.executable, "-s", "-m", "archives.pdf_pages")
MEMORY_BYTES, CPU_SECONDS = 512 * 1024**2, 20
_HEAD = 1024  # the format allows that much before its mark
_SHORTER_SIDE = 1754  # A4 at 150 dots an inch
# From the finest to the coarsest that can still be read.
_STEPS = [(LONGEST_SIDE, quality) for quality in QUALITIES if quality > 40]
_STEPS += [(_SHORTER_SIDE, quality) for quality in QUALITIES if quality <= 60]
_BINDING_BYTES = 600  # what binding adds to a page, rounded up
_PAGE = (
    b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 %.2f %.2f]/Contents %d 0 R/Resources<</XObject<</I %d 0 R>>>>>>"
)
_PICTURE = (
    b"/Type/XObject/Subtype/Image/ColorSpace/DeviceRGB/BitsPerComponent 8/Filter/DCTDecode/Width %d/Height %d"
)


def is_pdf(data: bytes) -> bool:
    """Whether the bytes claim to be a PDF; the file's name does not matter."""
    return b"%PDF-" in data[:_HEAD]


def read_pdf(data: bytes, limits: Limits = NATIONAL) -> tuple[bytes, str]:
    """A copy of a paper from a PDF, and its type: JPEG when it has one page, else a PDF of JPEGs alone.

    Raises FileTooLarge, BadPdf.
    """
    if len(data) > limits.evidence_kb * 1024:
        raise FileTooLarge(limit=limits.evidence_kb)
    pages = _shrunk(data, limits)
    return (pages[0][0], JPEG) if len(pages) == 1 else (_bound(pages), PDF)


def _shrunk(data: bytes, limits: Limits) -> list[tuple[bytes, int, int]]:
    """Each page as JPEG, with its size as drawn; all together within the limit.

    A page may take its share of what the former ones left over, and starts a little finer than they ended.
    """
    told = pdf_pages.Limits(limits.pdf_pages, LONGEST_SIDE, MEMORY_BYTES, CPU_SECONDS)
    child = Child([*COMMAND, json.dumps(asdict(told))], data, 2.0 * CPU_SECONDS)
    pages: list[tuple[bytes, int, int]] = []
    step = 0
    try:
        [count] = _body(child, COUNT, limits)
        left = limits.evidence_kb * 1024 - _BINDING_BYTES * (count + 1)
        for waiting in range(count, 0, -1):
            page = _page(_body(child, PAGE, limits))
            width, height = page.size
            step = max(step - 1, 0)
            while len(jpeg := _jpeg(page, *_STEPS[step])) > left // waiting:
                step += 1
                if step == len(_STEPS):
                    raise BadPdf("pdf_too_detailed", limit=limits.evidence_kb)
            pages.append((jpeg, width, height))
            left -= len(jpeg)
    except (ChildFailed, ValueError, struct.error):  # it died, was slow, or said what nobody asked
        raise BadPdf("pdf_too_heavy") from None
    finally:
        child.end()
    return pages


def _body(child: Child, expected: bytes, limits: Limits) -> bytes:
    kind, body = child.frame()
    if kind == BAD:
        raise BadPdf(body.decode(), pages=limits.pdf_pages)
    if kind != expected:
        raise ChildFailed()
    return body


def _page(body: bytes) -> Image.Image:
    return Image.frombytes("RGB", SIZE.unpack_from(body), body[SIZE.size :])


def _jpeg(page: Image.Image, side: int, quality: int) -> bytes:
    page.thumbnail((side, side), Image.Resampling.LANCZOS)
    out = BytesIO()
    page.save(out, "JPEG", quality=quality, optimize=True)
    return out.getvalue()


def _bound(pages: list[tuple[bytes, int, int]]) -> bytes:
    """A PDF of these pictures, one a page in the size of the original, and of nothing else.

    Written out here: the library would decode every page again, and add names and times of its own.
    """
    kids = b" ".join(b"%d 0 R" % (3 + 3 * at) for at in range(len(pages)))
    objects = [b"<</Type/Catalog/Pages 2 0 R>>", b"<</Type/Pages/Count %d/Kids[%s]>>" % (len(pages), kids)]
    for jpeg, width, height in pages:
        with Image.open(BytesIO(jpeg)) as image:
            pixels = image.size
        box = (width / DOTS_PER_POINT, height / DOTS_PER_POINT)
        own = len(objects) + 1
        objects += [
            _PAGE % (*box, own + 1, own + 2),
            _stream(b"", b"%.2f 0 0 %.2f 0 0 cm /I Do" % box),
            _stream(_PICTURE % pixels, jpeg),
        ]
    return _numbered(objects)


def _stream(words: bytes, content: bytes) -> bytes:
    return b"<<%s/Length %d>>stream\n%s\nendstream" % (words, len(content), content)


def _numbered(objects: list[bytes]) -> bytes:
    """The file of these objects, the first of which is the catalogue: head, objects, where each lies, end."""
    out, places = bytearray(b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n"), []
    for number, words in enumerate(objects, 1):
        places.append(b"%010d 00000 n \n" % len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, words)
    size = len(objects) + 1
    table = b"xref\n0 %d\n0000000000 65535 f \n%s" % (size, b"".join(places))
    end = b"trailer\n<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n" % (size, len(out))
    return bytes(out) + table + end
