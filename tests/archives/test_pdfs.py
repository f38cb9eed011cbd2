"""A paper that comes as PDF: its pages are kept, everything else vanishes, and hostile ones harm only the
process that draws them (FI-1, FI-3).
"""

import re
import sys
from collections.abc import Callable
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from PIL import Image

from accounts.models import User
from archives import pdfs, services
from archives.images import NATIONAL
from archives.models import Material
from archives.pdfs import JPEG, PDF, read_pdf
from archives.refusals import BadPdf
from audit.models import Event
from tests import make
from tests.archives import pdf_files as f
from tests.archives.pictures import CANARY, as_bytes, halves, noise
from tests.archives.test_materials import folder, send, send_to_api, show  # noqa: F401

pytestmark = [pytest.mark.rule("FI-1"), pytest.mark.django_db, pytest.mark.usefixtures("nation")]
LATER = {"OpenAction", "JavaScript", "JS", "EmbeddedFile", "Filespec", "Annots", "AcroForm", "Info", "AA"}


@pytest.fixture
def registrar() -> User:
    return make.make_registrar()


def pictures(content: bytes) -> list[Image.Image]:
    """The pages of a PDF that we wrote."""
    found = re.findall(rb"DCTDecode.*?>>stream\n(.*?)\nendstream", content, re.DOTALL)
    return [Image.open(BytesIO(jpeg)) for jpeg in found]


def scan(count: int) -> bytes:
    """Pages that nothing can compress, as a scanner without sense would send them."""
    out = BytesIO()
    page = noise(300, 400)
    page.save(out, "PDF", save_all=True, append_images=[page] * (count - 1), resolution=200, quality=30)
    return out.getvalue()


def colour(image: Image.Image, across: float, down: float) -> str:
    pixel = image.convert("RGB").getpixel((int(across * (image.width - 1)), int(down * (image.height - 1))))
    assert isinstance(pixel, tuple)
    return "rgb"[pixel.index(max(pixel))]


def test_the_pages_are_kept_and_nothing_else(client: Client, registrar: User) -> None:
    answer = send(client, registrar, f.armed(), kind="document", evidence_type="02", name="户口簿.pdf")
    text = answer.content.decode()
    assert answer.status_code == 200, text
    material = Material.objects.get()
    address = reverse("archives:material", args=[material.public_id])
    assert f'<a href="{address}" download>下载 PDF</a>' in text
    assert "<img" not in text

    shown = show(client, registrar, material)
    assert (shown["Content-Type"], material.content_type) == (PDF, PDF)
    assert shown["Content-Disposition"] == f'attachment; filename="{material.public_id}.pdf"'
    assert shown["Content-Security-Policy"] == "default-src 'none'; sandbox"
    written = shown.content
    assert (len(written), written) == (material.size, services.open_material(material))
    assert set(re.findall(r"/([A-Za-z]+)", written.decode("latin-1"))).isdisjoint(LATER)
    assert CANARY not in written
    red, blue = pictures(written)
    assert (red.size, blue.size) == ((834, 1112), (1112, 834))
    assert (colour(red, 0.5, 0.5), colour(red, 0.1, 0.9), colour(blue, 0.5, 0.5)) == ("r", "g", "b")
    again, kind = read_pdf(written)  # a reader of PDFs in general opens what we wrote
    assert (kind, len(pictures(again))) == (PDF, 2)


def test_a_single_page_becomes_a_picture_and_a_font_that_is_not_brought_is_replaced() -> None:
    written, kind = read_pdf(f.foreign_font("户口簿"))
    image = Image.open(BytesIO(written))
    assert (kind, image.format, image.size) == (JPEG, "JPEG", (834, 417))
    assert sum(image.convert("L").histogram()[:100]) > 2000  # there are words on it


def test_the_name_of_a_file_does_not_matter(client: Client, registrar: User) -> None:
    data = as_bytes(halves(400, 500), "PNG")
    assert send(client, registrar, data, kind="document", name="户口簿.pdf").status_code == 200
    assert Material.objects.get().content_type == JPEG


def test_the_api_takes_a_pdf(registrar: User) -> None:
    def sent(data: bytes, key: str) -> Any:
        file = SimpleUploadedFile("a.pdf", data, PDF)
        return send_to_api(registrar, {"file": file, "kind": "document", "evidence_type": "02"}, key)

    assert sent(f.pages(2), "first-key").status_code == 201
    assert Material.objects.get().content_type == PDF
    refused = sent(f.locked(), "second-key")
    assert (refused.status_code, b'"pdf_encrypted"' in refused.content) == (422, True)


# ── What is not taken ────────────────────────────────────────────────────
BAD: dict[str, tuple[Callable[[], bytes], str]] = {
    "locked": (f.locked, "pdf_encrypted"),
    "cut off": (lambda: f.pages(2)[:-200], "pdf_broken"),
    "no PDF inside": (lambda: b"%PDF-1.7\n" + CANARY + b"\n%%EOF\n", "pdf_broken"),
    "no page": (lambda: f.pages(0), "pdf_broken"),
    "21 pages": (lambda: f.pages(21), "pdf_too_many_pages"),
    "a page of 1 GB": (lambda: f.pages(2, box=(18_000, 18_000)), "pdf_page_too_large"),
    "an image of 4 gigapixels": (f.huge_image, "pdf_page_too_large"),
    "endless": (f.endless, "pdf_too_heavy"),
    "too long": (lambda: f.pages(1) + b" " * (2048 * 1024), "file_too_large"),
    "text by that name": (lambda: "姓名,性别".encode(), "not_an_image"),
}


@pytest.mark.rule("FI-3", "EVIDENCE_PDF_PAGES")
@pytest.mark.parametrize("case", BAD)
def test_a_refused_pdf_leaves_nothing(
    client: Client,
    registrar: User,
    folder: Path,  # noqa: F811
    monkeypatch: pytest.MonkeyPatch,
    case: str,
) -> None:
    data, code = BAD[case]
    if case == "endless":
        monkeypatch.setattr(pdfs, "CPU_SECONDS", 1)
    events = Event.objects.count()
    answer = send(client, registrar, data(), kind="document", evidence_type="02", name="a.pdf")
    assert (answer.status_code, code in answer.content.decode()) == (413 if "file" in code else 422, True)
    assert not Material.objects.exists()
    assert Event.objects.count() == events
    assert not folder.exists()


def test_a_photo_is_no_pdf(client: Client, registrar: User) -> None:
    answer = send(client, registrar, f.pages(1), kind="photo")
    assert (answer.status_code, "not_an_image" in answer.content.decode()) == (422, True)
    assert not Material.objects.exists()


@pytest.mark.rule("FI-3")
@pytest.mark.parametrize(
    "code",
    [
        "import os, signal; os.kill(os.getpid(), signal.SIGKILL)",
        "import os; os.write(1, b'N\\0\\0\\0\\1\\2P\\0\\0\\0\\5\\0\\1\\0\\1x')",
        "import os; os.write(1, b'B\\0\\0\\0\\1x')",
        "import os, time; os.close(0); time.sleep(30)",
        # What the process may still do after it has limited itself: the answer is its code of refusal.
        "from registry.limited import *; confine(1 << 29, 9, handles=3); import os, socket\n"
        "for grab in (lambda: open('/etc/passwd'), socket.socket, lambda: bytearray(1 << 30)):\n"
        "  try: grab(); send(b'N', b'1')\n"
        "  except (OSError, MemoryError): pass\n"
        "send(b'B', b'pdf_broken' if len(os.environ) < 4 else b'x')",
    ],
)
def test_only_the_drawing_process_dies(monkeypatch: pytest.MonkeyPatch, code: str) -> None:
    monkeypatch.setattr(pdfs, "COMMAND", (sys.executable, "-s", "-c", "import socket\n" + code))
    if "sleep" in code:
        monkeypatch.setattr(pdfs, "CPU_SECONDS", 0.1)
    with pytest.raises(BadPdf) as refused:
        read_pdf(f.pages(1))
    assert refused.value.code == ("pdf_broken" if "confine" in code else "pdf_too_heavy")


@pytest.mark.rule("EVIDENCE_MAX_KB")
def test_pages_share_what_a_file_may_weigh() -> None:
    data = scan(2)
    tight = replace(NATIONAL, evidence_kb=len(data) // 1024 + 1)
    fine, coarse = read_pdf(data)[0], read_pdf(data, tight)[0]
    assert len(coarse) <= tight.evidence_kb * 1024 < len(fine) <= 2048 * 1024
    assert [page.size for page in pictures(coarse)] == [(300, 400)] * 2
    with pytest.raises(BadPdf) as refused:
        read_pdf(f.pages(20, box=(30, 40)), replace(NATIONAL, evidence_kb=16))
    assert refused.value.code == "pdf_too_detailed"
