"""Photos for the demonstration: drawn figures before light blue, nobody's."""

import io
from collections.abc import Iterable
from zipfile import ZIP_STORED, ZipFile

from PIL import Image, ImageDraw

_SKIN = ((241, 205, 172), (232, 190, 155), (222, 178, 142))
_COATS = ((38, 70, 120), (150, 48, 48), (58, 100, 78), (96, 72, 118))


def portrait(seed: int) -> bytes:
    """A head and shoulders as JPEG, in the size that schools hand in."""
    image = Image.new("RGB", (390, 480), (168, 205, 235))
    draw = ImageDraw.Draw(image)
    coat, skin = _COATS[seed % 4], _SKIN[seed % 3]
    draw.ellipse((30, 370, 360, 720), fill=coat)
    draw.rectangle((160, 320, 230, 400), fill=skin)
    draw.ellipse((95, 90, 295, 360), fill=skin)
    draw.chord((88, 70, 302, 300), 180, 360, fill=(35, 30, 32))
    if seed % 2:  # long hair
        draw.rectangle((88, 180, 112, 330), fill=(35, 30, 32))
        draw.rectangle((278, 180, 302, 330), fill=(35, 30, 32))
    for eye in (150, 240):
        draw.ellipse((eye - 9, 214, eye + 9, 230), fill=(30, 28, 30))
    draw.arc((165, 260, 225, 310), 20, 160, fill=(150, 80, 72), width=4)
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=88)
    return buffer.getvalue()


def class_zip(stems: Iterable[str], *, wrong: bool = False) -> bytes:
    """A ZIP with a portrait for each of these file names; `wrong` adds files that are not taken."""
    content = io.BytesIO()
    with ZipFile(content, "w", ZIP_STORED) as archive:
        for seed, stem in enumerate(stems):
            archive.writestr(f"{stem}.jpg", portrait(seed))
        if wrong:
            archive.writestr("集体照.jpg", portrait(1))
            archive.writestr("说明.txt", "本班照片".encode())
    return content.getvalue()
