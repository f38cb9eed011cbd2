"""Read what a data grant (对外提供) gives: a token, then pupils page by page, or one signed yes or no.

    XUEJI_BASE=https://xueji.example XUEJI_CLIENT_ID=… XUEJI_CLIENT_SECRET=… python read_provided.py students
    … python read_provided.py classes
    … python read_provided.py enrolled < person.json     {"name": "…", "id_type": "1", "id_number": "…"}

Standard library only. Names and numbers go into bodies and come out of standard input, never into an
address or an argument: both are kept in logs and process lists. Rows are printed as JSON lines.
"""

import base64
import json
import os
import sys
import time
from collections.abc import Iterator
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import Request, urlopen

BASE = os.environ["XUEJI_BASE"].rstrip("/")
_TIMEOUT = 30


def ask(request: Request) -> Any:
    """The JSON answer; waits and asks again where the server says so."""
    while True:
        try:
            with urlopen(request, timeout=_TIMEOUT) as answer:  # noqa: S310  (the address is yours)
                return json.load(answer)
        except HTTPError as error:
            wait = int(error.headers.get("Retry-After") or 0)
            if error.code == 429 and 0 < wait <= 60:  # the minute's pace; a spent day is not waited for
                time.sleep(wait)
                continue
            raise SystemExit(error.read().decode()) from None


def token() -> str:
    """A token of ten minutes (client credentials, RFC 6749 section 4.4)."""
    pair = f"{os.environ['XUEJI_CLIENT_ID']}:{os.environ['XUEJI_CLIENT_SECRET']}"
    head = {"Authorization": "Basic " + base64.b64encode(pair.encode()).decode()}
    body = urlencode({"grant_type": "client_credentials"}).encode()
    return str(ask(Request(f"{BASE}/exchange/token", body, head))["access_token"])  # noqa: S310


def pages(service: str, bearer: dict[str, str]) -> Iterator[Any]:
    """All rows; the address of the next page is taken as it comes."""
    following: str | None = f"{BASE}/api/v1/provided/{service}/"
    while following:
        page = ask(Request(following, headers=bearer))  # noqa: S310
        yield from page["results"]
        following = page["next"]


def main() -> None:
    service = sys.argv[1] if len(sys.argv) > 1 else "students"
    bearer = {"Authorization": f"Bearer {token()}"}
    if service == "enrolled":
        head = bearer | {"Content-Type": "application/json"}
        address = f"{BASE}/api/v1/provided/enrolled/"
        print(json.dumps(ask(Request(address, sys.stdin.read().encode(), head))))  # noqa: S310
        return
    for row in pages(service, bearer):
        print(json.dumps(row, ensure_ascii=False))


if __name__ == "__main__":
    main()
