"""Pictures to send: plain ones, and ones that carry more than a picture."""

from io import BytesIO
from random import Random
from typing import Any

from PIL import Image, PngImagePlugin

CANARY = b"CANARY-440305201903150018-CANARY"
EXE = b"MZ\x90\x00\x03This program cannot be run in DOS mode."


def as_bytes(image: Image.Image, kind: str = "JPEG", **how: Any) -> bytes:
    out = BytesIO()
    image.save(out, kind, **how)
    return out.getvalue()


def noise(width: int, height: int) -> Image.Image:
    """The hardest picture to compress."""
    return Image.frombytes("RGB", (width, height), Random(width * height).randbytes(width * height * 3))


def halves(width: int, height: int) -> Image.Image:
    """Red above, blue below."""
    image = Image.new("RGB", (width, height), "red")
    image.paste("blue", (0, height // 2, width, height))
    return image


def with_metadata(kind: str = "JPEG") -> bytes:
    """A red and blue picture with the canary in every place that the format has for words."""
    exif = Image.Exif()
    exif[0x010E] = exif[0x9286] = CANARY.decode()
    image = halves(400, 500)
    if kind == "JPEG":
        return as_bytes(image, exif=exif, comment=CANARY, icc_profile=CANARY, xmp=CANARY)
    info = PngImagePlugin.PngInfo()
    info.add_text("Comment", CANARY.decode())
    info.add_itxt("XML:com.adobe.xmp", CANARY.decode())
    return as_bytes(image, "PNG", pnginfo=info, exif=exif)
