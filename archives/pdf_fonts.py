"""The fonts of the drawing process: one, from a library, never those of the machine."""

import ctypes
from typing import Any

import pylopdf_fonts_zh_cn
import pypdfium2

_GB_2312 = 134
_EAST_ASIAN = frozenset((128, 129, _GB_2312, 136))  # shift-JIS, Hangul, Big5 beside it


class Fonts(pypdfium2.PdfSysfontBase):
    """Stands in for fonts that a PDF names and does not bring: without it, Chinese text would be blank.

    The names of the methods are the library's; the only font there is has the number 1.
    """

    def __init__(self) -> None:
        self._font = pylopdf_fonts_zh_cn.serif_path().read_bytes()
        super().__init__()

    def EnumFonts(self, *_: Any) -> None:  # noqa: N802
        """No look at the machine's own fonts."""

    def MapFont(self, _: Any, weight: int, italic: int, charset: int, *__: Any) -> int:  # noqa: N802
        return int(charset in _EAST_ASIAN)

    def GetFont(self, *_: Any) -> int:  # noqa: N802
        return 0

    def GetFontData(self, _: Any, font: Any, table: int, buffer: Any, size: int) -> int:  # noqa: N802
        if table:
            return 0  # the whole font is asked for next
        if size >= len(self._font):
            ctypes.memmove(buffer, self._font, len(self._font))
        return len(self._font)

    def GetFaceName(self, *_: Any) -> int:  # noqa: N802
        return 0

    def GetFontCharset(self, *_: Any) -> int:  # noqa: N802
        return _GB_2312

    def DeleteFont(self, *_: Any) -> None:  # noqa: N802
        """It stays until the process ends."""
