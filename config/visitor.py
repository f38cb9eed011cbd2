"""A browser without a screen, for asking a running system over real HTTP: cookies, CSRF, redirects."""

from dataclasses import dataclass, field
from http.cookiejar import CookieJar
from urllib.error import HTTPError, URLError
from urllib.parse import urlencode
from urllib.request import HTTPCookieProcessor, OpenerDirector, Request, build_opener
from uuid import uuid4

from django.conf import settings
from django.urls import reverse

TIMEOUT_SECONDS = 30


@dataclass(frozen=True, slots=True)
class Answer:
    """`path` is where redirects ended; status 0 means that nobody answered."""

    status: int
    path: str
    text: str


@dataclass(slots=True)
class Visitor:
    """One visitor with cookies of her own at the system under `base`."""

    base: str
    opener: OpenerDirector = field(init=False)
    jar: CookieJar = field(init=False)

    def __post_init__(self) -> None:
        self.jar = CookieJar()
        self.opener = build_opener(HTTPCookieProcessor(self.jar))

    def get(self, path: str) -> Answer:
        return self._ask(Request(self.base + path))  # noqa: S310  (the caller's own server)

    def post(self, path: str, values: dict[str, str] | list[tuple[str, str]]) -> Answer:
        """Post a form with the CSRF token of the last page."""
        pairs = list(values.items()) if isinstance(values, dict) else values
        body = urlencode([*pairs, ("csrfmiddlewaretoken", self._token())]).encode()
        return self._ask(Request(self.base + path, body, self._headers(path)))  # noqa: S310

    def upload(self, path: str, values: dict[str, str], name: str, content: bytes, kind: str) -> Answer:
        """Post a form with one file in it, as `name` and of media type `kind`."""
        boundary = uuid4().hex
        parts = [
            f'--{boundary}\r\nContent-Disposition: form-data; name="{key}"\r\n\r\n{text}\r\n'.encode()
            for key, text in {**values, "csrfmiddlewaretoken": self._token()}.items()
        ]
        parts.append(
            f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"; filename="{name}"\r\n'
            f"Content-Type: {kind}\r\n\r\n".encode()
        )
        body = b"".join([*parts, content, f"\r\n--{boundary}--\r\n".encode()])
        headers = self._headers(path) | {"Content-Type": f"multipart/form-data; boundary={boundary}"}
        return self._ask(Request(self.base + path, body, headers))  # noqa: S310

    def enter_as(self, username: str) -> Answer:
        """Sign in as a person of the demonstration: a program holds no second factor."""
        address = reverse("accounts:personas")
        self.get(address)
        return self.post(address, {"username": username})

    def _token(self) -> str:
        return next(
            (cookie.value or "" for cookie in self.jar if cookie.name == settings.CSRF_COOKIE_NAME), ""
        )

    def _headers(self, path: str) -> dict[str, str]:
        return {"Referer": self.base + path, "Origin": self.base}

    def _ask(self, request: Request) -> Answer:
        try:
            with self.opener.open(request, timeout=TIMEOUT_SECONDS) as answer:
                return Answer(answer.status, self._path(answer.url), answer.read().decode("utf-8", "replace"))
        except HTTPError as error:
            with error:
                return Answer(error.code, self._path(error.url), error.read().decode("utf-8", "replace"))
        except (URLError, OSError) as error:
            return Answer(0, request.full_url, f"没有应答({type(error).__name__})")

    def _path(self, url: str) -> str:
        return url.removeprefix(self.base)
