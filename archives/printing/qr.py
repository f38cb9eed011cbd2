"""The square that a telephone reads."""

from io import BytesIO

import segno


def square(url: str) -> str:
    """An SVG of `url`, which still reads when a seventh of it is soiled."""
    out = BytesIO()
    segno.make(url, error="m", micro=False).save(out, kind="svg", border=1, xmldecl=False, svgclass=None)
    return out.getvalue().decode()
