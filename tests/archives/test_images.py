"""What survives of a file from outside: its pixels, and nothing else (FI-1)."""

import struct
import zlib
from dataclasses import replace
from io import BytesIO
from random import Random
from typing import Any

import pytest
from PIL import Image, PngImagePlugin

from archives.images import LONGEST_SIDE, NATIONAL, read_image, read_photo
from archives.refusals import FileTooLarge, ImageTooDetailed, ImageTooLarge, ImageTooSmall, NotAnImage
from config.errors import Refusal
from tests.archives.pictures import CANARY, EXE, as_bytes, halves, noise, with_metadata

pytestmark = pytest.mark.rule("FI-1")


def opened(data: bytes) -> Image.Image:
    image = Image.open(BytesIO(data))
    image.load()
    return image


@pytest.mark.rule("C4")
@pytest.mark.parametrize("size", [(260, 320), (1200, 900), (900, 1200), (101, 2000)])
def test_a_photo_gets_the_size_of_the_rules(size: tuple[int, int]) -> None:
    written = read_photo(as_bytes(noise(*size), "PNG" if size[0] < 500 else "JPEG"))
    image = opened(written)
    assert (image.format, image.mode, image.size) == ("JPEG", "RGB", (260, 320))
    assert len(written) <= 60 * 1024


@pytest.mark.rule("C4")
def test_the_photo_follows_a_rule_that_was_changed() -> None:
    written = read_photo(as_bytes(noise(600, 700)), replace(NATIONAL, width=130, height=160, photo_kb=8))
    assert opened(written).size == (130, 160)
    assert len(written) <= 8 * 1024


def test_a_photo_that_cannot_be_made_small_enough_is_refused() -> None:
    with pytest.raises(ImageTooDetailed):
        read_photo(as_bytes(noise(600, 700)), replace(NATIONAL, photo_kb=1))


def test_evidence_keeps_its_shape_and_becomes_shorter() -> None:
    image = opened(read_image(as_bytes(Image.new("RGB", (3000, 1500), "white"))))
    assert image.size == (LONGEST_SIDE, LONGEST_SIDE // 2)
    assert opened(read_image(as_bytes(Image.new("RGB", (300, 150))))).size == (300, 150)


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
@pytest.mark.parametrize("read", [read_photo, read_image])
def test_metadata_and_tails_are_gone(kind: str, read: object) -> None:
    sent = with_metadata(kind) + CANARY
    assert sent.count(CANARY) >= 3
    written = read(sent)  # type: ignore[operator]
    assert CANARY not in written
    image = opened(written)
    assert not image.getexif()
    assert not set(image.info) & {"comment", "exif", "xmp", "icc_profile", "Comment"}
    assert written.endswith(b"\xff\xd9")


def test_a_program_inside_a_png_is_gone() -> None:
    info = PngImagePlugin.PngInfo()
    info.add(b"exEc", EXE, after_idat=True)
    sent = as_bytes(Image.new("RGB", (300, 300), "red"), "PNG", pnginfo=info)
    assert EXE in sent
    assert EXE not in read_image(sent)


@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
def test_a_photo_taken_sideways_stands_upright(orientation: int) -> None:
    turned = {1: 0, 3: 180, 6: 90, 8: 270}[orientation]
    stored = halves(400, 500).rotate(turned, expand=True)
    exif = Image.Exif()
    exif[0x0112] = orientation
    for read in (read_photo, read_image):
        image = opened(read(as_bytes(stored, exif=exif)))
        assert image.height > image.width
        middle = image.width // 2
        top: Any = image.getpixel((middle, 10))
        bottom: Any = image.getpixel((middle, image.height - 10))
        assert top[0] > 200 > 60 > top[2]  # red above
        assert bottom[2] > 200 > 60 > bottom[0]  # blue below


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA", "I;16"])
def test_every_kind_of_png_becomes_rgb(mode: str) -> None:
    image = opened(read_image(as_bytes(Image.new(mode, (300, 300)), "PNG")))
    assert image.mode == "RGB"


def test_what_is_transparent_becomes_white_and_sixteen_bits_keep_their_grey() -> None:
    glass = opened(read_image(as_bytes(Image.new("RGBA", (300, 300), (0, 0, 0, 0)), "PNG")))
    assert glass.getpixel((9, 9)) == (255, 255, 255)
    grey = opened(read_image(as_bytes(Image.new("I;16", (300, 300), 0x8000), "PNG")))
    assert grey.getpixel((9, 9)) == (128, 128, 128)


def test_cmyk_is_read() -> None:
    assert opened(read_image(as_bytes(Image.new("CMYK", (300, 300))))).mode == "RGB"


FULL = as_bytes(noise(300, 400))
NOT_IMAGES = {
    "nothing": b"",
    "text": "学籍".encode() * 50,
    "program": EXE,
    "page": b"<html><script>alert(1)</script></html>",
    "vector": b'<svg xmlns="http://www.w3.org/2000/svg"><script/></svg>',
    "pdf": b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\n",
    "gif": as_bytes(noise(300, 400), "GIF"),
    "bmp": as_bytes(noise(300, 400), "BMP"),
    "webp": as_bytes(noise(300, 400), "WEBP"),
    "tiff": as_bytes(noise(300, 400), "TIFF"),
    "head of a jpeg": b"\xff\xd8\xff\xe0" + b"\x00" * 500,
    "jpeg cut off": FULL[: len(FULL) // 2],
    "png cut off": as_bytes(noise(300, 400), "PNG")[:5000],
    "png with a broken sum": as_bytes(noise(100, 130), "PNG")[:40] + b"\xff" * 400,
}


@pytest.mark.parametrize("name", NOT_IMAGES)
@pytest.mark.parametrize("read", [read_photo, read_image])
def test_what_is_no_jpeg_or_png_is_refused(name: str, read: object) -> None:
    with pytest.raises(NotAnImage) as refused:
        read(NOT_IMAGES[name])  # type: ignore[operator]
    assert refused.value.status == 422
    assert "上传" in refused.value.detail


def bare_png(width: int, height: int, rows: bytes) -> bytes:
    """A one-bit PNG that claims any size."""

    def chunk(name: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))

    head = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize(
    ("width", "height"), [(5001, 5000), (6000, 6000), (50000, 50000), (2**31 - 1, 2**31 - 1)]
)
def test_more_than_25_megapixels_are_refused_before_they_are_decoded(width: int, height: int) -> None:
    with pytest.raises(ImageTooLarge) as refused:
        read_image(bare_png(width, height, b""))
    assert refused.value.status == 413


def test_25_megapixels_are_read() -> None:
    rows = (b"\x00" + b"\xff" * 625) * 5000
    assert opened(read_image(bare_png(5000, 5000, rows))).size == (LONGEST_SIDE, LONGEST_SIDE)


def test_a_bomb_in_a_text_chunk_is_refused() -> None:
    info = PngImagePlugin.PngInfo()
    info.add(b"zTXt", b"k\x00\x00" + zlib.compress(b"\x00" * 50_000_000))
    with pytest.raises(NotAnImage):
        read_image(as_bytes(Image.new("L", (300, 300)), "PNG", pnginfo=info))


def test_files_and_photos_are_refused_at_their_bounds() -> None:
    padded = FULL + b"\x00" * (2048 * 1024 - len(FULL))
    assert read_image(padded)
    with pytest.raises(FileTooLarge) as refused:
        read_image(padded + b"\x00")
    assert "2048 KB" in refused.value.detail
    assert read_photo(as_bytes(noise(100, 120)))
    with pytest.raises(ImageTooSmall) as small:
        read_photo(as_bytes(noise(99, 120)))
    assert "99×120" in small.value.detail


def test_broken_bytes_are_read_or_refused_but_never_fail() -> None:
    random = Random(20250901)
    for sample in (with_metadata("JPEG"), with_metadata("PNG")):
        for _turn in range(150):
            broken = bytearray(sample)
            for _flip in range(random.randint(1, 30)):
                broken[random.randrange(len(broken))] = random.randrange(256)
            try:
                written = read_image(bytes(broken[: random.randint(1, len(broken))]))
            except Refusal:
                continue
            assert opened(written).format == "JPEG"
