"""The ZIP that a class's photos come in: read by our own reader, under limits, never extracted (SECURITY
FI-2, FI-5).
"""

import re
import unicodedata
from collections.abc import Iterator

from archives.photo_refusals import BadZip, NestedZip, PhotoBroken
from archives.refusals import FileTooLarge
from config.rules import rules
from registry.identity import fold_number, mask_number, search_keys
from registry.intake.archive import Archive, directory
from registry.intake.sheet import BadWorkbook, Limits

LIMIT_KEYS = ("PHOTO_ZIP_MB", "PHOTO_ZIP_MOST", "INTAKE_UNPACKED_MB", "INTAKE_RATIO")
_ENCODINGS = ("utf-8", "gb18030")  # Chinese Windows writes names in its own code page
_ARCHIVES = (b"PK\x03\x04", b"Rar!", b"7z\xbc\xaf", b"\x1f\x8b")
_LITTER = frozenset(("thumbs.db", "desktop.ini"))
_LONG_NUMBER = re.compile(r"\d{14,}[\dXxＸｘ]?")
_NUMBER = re.compile(r"[A-Z]{0,3}[0-9]{6,}[0-9A-Z]{0,3}")


class PhotoZip:
    """The files of one ZIP in its own order, without folders and the litter that systems leave."""

    def __init__(self, content: bytes) -> None:
        """Raises BadZip for everything that the directory tells; nothing is inflated."""
        held = rules(LIMIT_KEYS)
        megabytes, most, unpacked, ratio = (held[key].number for key in LIMIT_KEYS)
        limits = Limits(megabytes * 1024**2, 0, 0, 0, most, unpacked * 1024**2, ratio, 0, 0)
        if len(content) > limits.file_bytes:
            raise BadZip("file_too_big", limit=megabytes)
        if not content.startswith(_ARCHIVES[0]):
            is_empty = not content or content.startswith(b"PK\x05\x06")
            raise BadZip("file_empty" if is_empty else "file_other")
        try:
            self._archive = Archive(content, limits, directory(content, limits, _ENCODINGS))
        except BadWorkbook as fault:
            raise _refusal(fault) from None
        self.names = [name for name in self._archive.parts if not is_litter(name)]
        if not self.names:
            raise BadZip("no_photos")

    def scan(self) -> None:
        """Inflate everything once and count it, before anything is kept. Raises BadZip."""
        for name in self._archive.parts:
            for _chunk in self._chunks(name):
                pass

    def read(self, name: str, limit_kb: int) -> bytes:
        """One file. Raises FileTooLarge, PhotoBroken, NestedZip."""
        content = b""
        for chunk in self._chunks(name, is_one=True):
            content += chunk
            if len(content) > limit_kb * 1024:
                raise FileTooLarge(limit=limit_kb)
        if content.startswith(_ARCHIVES) or name.lower().endswith((".zip", ".rar", ".7z")):
            raise NestedZip()
        return content

    def _chunks(self, name: str, *, is_one: bool = False) -> Iterator[bytes]:
        try:
            yield from self._archive.chunks(name)
        except BadWorkbook as fault:
            if fault.code != "damaged":
                raise _refusal(fault) from None
            if is_one:
                raise PhotoBroken() from None


def _refusal(fault: BadWorkbook) -> BadZip:
    # The part's name may be an identity number: it stays out of sentences.
    return BadZip(fault.code, limit=fault.words.get("limit", ""))


def is_litter(name: str) -> bool:
    """Folders, and what macOS and Windows put beside the files."""
    own = name.rsplit("/", 1)[-1]
    return not own or own.startswith(".") or name.startswith("__MACOSX/") or own.lower() in _LITTER


def stem_of(name: str) -> str:
    """What the file is called, without folder and ending."""
    own = unicodedata.normalize("NFC", name.rsplit("/", 1)[-1])
    return own.rpartition(".")[0] or own


def shown_name(name: str, *, is_number: bool) -> str:
    """The file's name as it is kept and shown: a document's number, or what looks like one, is masked."""
    own, stem = unicodedata.normalize("NFC", name.rsplit("/", 1)[-1]), stem_of(name)
    number = fold_number(stem)
    if is_number or (search_keys(stem) and _NUMBER.fullmatch(number)):
        own = mask_number(number) + own[len(stem) :]
    return _LONG_NUMBER.sub(lambda found: mask_number(found[0]), own)[:100]
