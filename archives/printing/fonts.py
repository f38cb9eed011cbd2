"""The fonts that papers are set in, from two libraries, never from the machine: a paper looks the same
everywhere. And which characters they have.
"""

import struct
import unicodedata
from collections.abc import Iterator
from functools import cache
from mmap import ACCESS_READ, mmap
from pathlib import Path

import manimgx_fonts_cjk
import pylopdf_fonts_zh_cn
import typst

FOLDERS = (pylopdf_fonts_zh_cn.serif_path().parent, Path(manimgx_fonts_cjk.__file__).parent)
_ENDS = 0x110000
_SUBTABLE_32_BIT = 12


@cache
def fonts() -> typst.Fonts:
    return typst.Fonts(
        include_system_fonts=False,
        include_embedded_fonts=False,
        font_paths=[str(folder) for folder in FOLDERS],
    )


def printable(text: str) -> str:
    """`text` with nothing that PDF/A refuses: a character that no font has appears as 〔U+2A6D6〕.

    Control characters and those that turn the direction of reading vanish, line ends stay: a value must not
    rearrange a paper.
    """
    have = _characters()
    return "".join(_shown(character, have) for character in text if _is_visible(character))


def _is_visible(character: str) -> bool:
    return character == "\n" or unicodedata.category(character) not in {"Cc", "Cf", "Cs", "Zl", "Zp"}


def _shown(character: str, have: bytes) -> str:
    if have[ord(character)] or character == "\n" or unicodedata.name(character, "").startswith("VARIATION"):
        return character
    return f"〔U+{ord(character):04X}〕"


@cache
def _characters() -> bytes:
    """One byte for each code point: 1 where one of the fonts has it."""
    have = bytearray(_ENDS)
    for path in (path for folder in FOLDERS for path in sorted(folder.glob("*.ot[fc]*"))):
        with path.open("rb") as file, mmap(file.fileno(), 0, access=ACCESS_READ) as font:
            for first, last in _ranges(font):
                have[first : last + 1] = b"\1" * (last + 1 - first)
    return bytes(have)


def _ranges(font: mmap) -> Iterator[tuple[int, int]]:
    """First and last code point of each run in a font's character map (OpenType `cmap`, 32-bit form).

    A collection holds the same map for each of its fonts: the first one speaks for all.
    """
    start = struct.unpack_from(">I", font, 12)[0] if font[:4] == b"ttcf" else 0
    tables = struct.unpack_from(">H", font, start + 4)[0]
    records = (struct.unpack_from(">4sIII", font, start + 12 + 16 * index) for index in range(tables))
    map_at = next(offset for tag, _checksum, offset, _length in records if tag == b"cmap")
    for index in range(struct.unpack_from(">H", font, map_at + 2)[0]):
        offset = struct.unpack_from(">HHI", font, map_at + 4 + 8 * index)[2] + map_at
        if struct.unpack_from(">H", font, offset)[0] == _SUBTABLE_32_BIT:
            runs = struct.unpack_from(">I", font, offset + 12)[0]
            for run in range(runs):
                first, last, _glyph = struct.unpack_from(">III", font, offset + 16 + 12 * run)
                yield first, last
