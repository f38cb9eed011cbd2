"""From values to a PDF that can be kept for ever (PDF/A-2b), set by Typst.

Values reach the template as JSON and are drawn as characters, never read as markup. The template lies in a
folder of its own, may read nothing outside it and fetches nothing.
"""

import base64
import json
import re
from collections.abc import Sequence
from datetime import datetime
from functools import cache
from pathlib import Path
from threading import Lock
from typing import Any, Literal

import typst
from django.utils.timezone import is_aware, localtime

from archives.printing.blocks import MUST, Form, Values, WrongValues, words
from archives.printing.fonts import fonts
from archives.printing.forms import FORMS
from archives.printing.qr import square

TEMPLATES = Path(__file__).parent / "templates"
_JPEG = b"\xff\xd8\xff"
_compiling = Lock()


class PrintingFailed(RuntimeError):
    """The template does not draw: a fault of ours. Says where, without the values."""


def render(code: str, values: Values) -> bytes:
    """The form `code` of FORMS with `values`, as PDF/A-2b; the same values make the same bytes.

    `Form.keys()` lists what a form prints; what is missing stays blank. A value is a text, a number, a date
    or a datetime; the rows of a Table and the Opinions are lists. Raises WrongValues for a key that the form
    does not print, for a missing number, url or generated_at, and for a photo that is no JPEG.
    """
    return draw(FORMS[code], [values], "pdf")[0]


def render_all(code: str, papers: Sequence[Values]) -> bytes:
    """The form once for each of `papers`, each on pages of its own, as one PDF; otherwise as `render`."""
    return draw(FORMS[code], papers, "pdf")[0]


def draw(
    form: Form, papers: Sequence[Values], output: Literal["pdf", "png"], ppi: float = 144
) -> list[bytes]:
    """The form as one PDF, or as one picture for each page."""
    data = json.dumps([drawn(form, values) for values in papers], ensure_ascii=False)
    try:
        # The compiler keeps fonts and layouts from paper to paper, and refuses a second thread.
        with _compiling:
            made = compiler().compile(
                sys_inputs={"data": data},
                format=output,
                ppi=ppi,
                pdf_standards="a-2b" if output == "pdf" else [],
            )
    except typst.TypstError as error:
        # Typst quotes what it could not set; that may be a name.
        raise PrintingFailed(f"{form.code}: {re.sub('`[^`]*`', '…', str(error))}") from None
    return [page for page in (made if isinstance(made, list) else [made]) if page]


def drawn(form: Form, values: Values) -> dict[str, Any]:
    """What the template gets: words and numbers only."""
    if strange := sorted(values.keys() - form.keys()):
        raise WrongValues(f"{form.code} does not print {', '.join(strange)}")
    if missing := [key for key in MUST if not values.get(key)]:
        raise WrongValues(f"{form.code} lacks {', '.join(missing)}")
    moment: datetime = values["generated_at"]
    moment = localtime(moment) if is_aware(moment) else moment
    return {
        "title": form.title,
        "number_label": form.number_label,
        "number": words(values["number"]),
        "square": square(values["url"]),
        "square_in_corner": form.square_in_corner,
        "caption": words(values.get("caption")) or form.caption,
        "generated": words(moment),
        "moment": [moment.year, moment.month, moment.day, moment.hour, moment.minute, moment.second],
        "printed_by": words(values.get("printed_by")),
        "photo": _photo(values.get("photo")),
        "sizes": form.sizes,
        "blocks": [block.drawn(values) for block in form.blocks],
        "notes": list(form.notes),
    }


def _photo(jpeg: bytes | None) -> str:
    """The picture inside an SVG: Typst reads no base64, and bytes as JSON are four times as long."""
    if not jpeg:
        return ""
    if not jpeg.startswith(_JPEG):
        raise WrongValues("the photo is no JPEG")
    data = base64.b64encode(jpeg).decode()
    return (
        '<svg xmlns="http://www.w3.org/2000/svg" width="260" height="320">'
        f'<image width="260" height="320" href="data:image/jpeg;base64,{data}"/></svg>'
    )


@cache
def compiler() -> typst.Compiler:
    """The one compiler of this process; it reads the templates' folder only."""
    return typst.Compiler(str(TEMPLATES / "form.typ"), root=str(TEMPLATES), font_paths=fonts())
