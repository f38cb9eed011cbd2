"""The English catalogue: found in code and templates, kept as a .po file, compiled with Babel (no gettext
on the machine).
"""

import re
from collections.abc import Iterator
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po
from django.conf import settings

Message = str | tuple[str, str]  # a pair: singular and plural
_KEYWORDS = {"_": None, "_lazy": None, "gettext": None, "gettext_lazy": None, "ngettext": (1, 2)}
FOLDERS = ("config", "audit", "accounts", "registry", "archives", "transfers")
_TRANSLATE = re.compile(r"""\{%-?\s*(?:translate|trans)\s+(?:"([^"]+)"|'([^']+)')""")
_BLOCK = re.compile(r"\{%\s*blocktranslate[^%]*%\}(.*?)\{%\s*endblocktranslate\s*%\}", re.DOTALL)
_PLURAL = re.compile(r"\{%\s*plural\s*%\}")
_VARIABLE = re.compile(r"\{\{\s*([\w.]+)\s*\}\}")


def _trimmed(text: str) -> str:
    return " ".join(line.strip() for line in text.splitlines() if line.strip())


def po_file() -> Path:
    return Path(settings.LOCALE_PATHS[0]) / "en" / "LC_MESSAGES" / "django.po"


def found_messages() -> Iterator[tuple[Message, str]]:
    """(message, file) of every string marked for translation."""
    for folder in FOLDERS:
        for path in sorted((settings.BASE_DIR / folder).rglob("*.py")):
            with path.open("rb") as source:
                for _line, message, _comments, _context in extract("python", source, keywords=_KEYWORDS):
                    if isinstance(message, tuple) and all(message):
                        yield (message[0], message[1]), str(path.relative_to(settings.BASE_DIR))
                    elif isinstance(message, str) and message:
                        yield message, str(path.relative_to(settings.BASE_DIR))
    for path in sorted((settings.BASE_DIR / "templates").rglob("*.html")):
        text, name = path.read_text(), str(path.relative_to(settings.BASE_DIR))
        for double, single in _TRANSLATE.findall(text):
            yield double or single, name
        for block in _BLOCK.findall(text):
            words = [_trimmed(part) for part in _PLURAL.split(_VARIABLE.sub(r"%(\1)s", block))]
            yield (words[0], words[1]) if len(words) == 2 else words[0], name


def read_catalogue() -> Catalog:
    with po_file().open("rb") as source:
        return read_po(source, locale="en")


def update() -> tuple[int, int]:
    """Bring the .po file to what the code says, keeping translations; (messages, untranslated)."""
    fresh = Catalog(locale="en", project="Xueji", charset="utf-8", fuzzy=False)
    known = read_catalogue() if po_file().exists() else Catalog(locale="en")
    for message, place in found_messages():
        old = known.get(message)
        fresh.add(message, string=old.string if old else "", locations=[(place, 0)])
    po_file().parent.mkdir(parents=True, exist_ok=True)
    with po_file().open("wb") as target:
        write_po(target, fresh, width=100, include_lineno=False, sort_output=True, omit_header=False)
    rows = [row for row in fresh if row.id]
    return len(rows), sum(not row.string for row in rows)


def compile_catalogue() -> Path:
    target = po_file().with_suffix(".mo")
    with target.open("wb") as handle:
        write_mo(handle, read_catalogue())
    return target
