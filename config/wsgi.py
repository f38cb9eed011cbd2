"""The web process. It refuses to start with a database role that could pass the wall."""

import os
import re
from collections.abc import Callable, Iterable
from typing import Any

import pypinyin  # noqa: F401  (its dictionary of readings is loaded before the first request)
from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

_django = get_wsgi_application()


def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    """Django's own, without the charset a request claims: everything here is UTF-8, and Python knows codecs
    that are no charsets, which take the request apart before any error page can answer.
    """
    if kind := environ.get("CONTENT_TYPE"):
        environ["CONTENT_TYPE"] = re.sub(r";\s*charset=[^;]*", "", kind, flags=re.IGNORECASE)
    return _django(environ, start_response)


from config.roles import refuse_dangerous_role  # noqa: E402  (needs the loaded settings)

refuse_dangerous_role()
