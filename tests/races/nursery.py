"""`python -m tests.races.nursery N`: a process that has loaded the registry once and forks for every order.

Each child is a process with connections of its own (this one opens none) and may be killed like any other;
it is there in milliseconds instead of seconds. N is an inherited socket: each message brings one end of a
child's own socket, over which the child obeys orders, one JSON line each, until it is closed or killed.
"""

import gc
import json
import os
import signal
import socket
import sys
import time
from collections.abc import Callable
from importlib import import_module
from typing import Any

from config.embedded import stop_with_parent

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

import django  # noqa: E402
import holidays  # noqa: E402

django.setup()

from django.conf import settings  # noqa: E402

settings.ROOT_URLCONF = "tests.races.acts"

from django.db import close_old_connections, connection  # noqa: E402
from django.db.models import Q  # noqa: E402
from django.test import Client  # noqa: E402
from django.urls import resolve  # noqa: E402

from accounts import sealing  # noqa: E402
from accounts.tasks import seal_dormant_accounts  # noqa: E402
from archives.photo_checking import check_batch as check_photos  # noqa: E402
from audit.services import System  # noqa: E402
from config.celery import app  # noqa: E402
from config.faults import fault  # noqa: E402
from config.models import Outbox  # noqa: E402
from config.scope import NATION, scoped_transaction  # noqa: E402
from registry.form_values import clean_record  # noqa: E402
from registry.intake.checking import check_batch  # noqa: E402
from registry.reorganizing import execute  # noqa: E402
from registry.school_year import runs as promotion  # noqa: E402
from registry.services.numbering import check_and_number  # noqa: E402
from registry.verification.running import verify as verify_schools  # noqa: E402
from tests import make  # noqa: E402
from transfers.completion import perform_owed  # noqa: E402
from transfers.outbox import COMPLETE_CASE, NUMBER_STUDENT  # noqa: E402
from transfers.submission import submit_batch  # noqa: E402
from transfers.tasks import remind_and_escalate  # noqa: E402

# Everything is loaded here, so that no child has to.
CLIENT = Client(raise_request_exception=False)
CLIENT.handler.load_middleware()
resolve("/api/races/file")
clean_record(make.valid_values(), "11")  # reads the code lists
holidays.country_holidays("CN")
app.finalize()
for late in ("kombu.transport.redis", "celery.bin.worker", "celery.worker.worker", "celery.concurrency.solo"):
    import_module(late)
gc.freeze()  # or every child would copy the memory that its first collection touches


def post(session: str, path: str, body: Any, form: bool = False, key: str = "") -> dict[str, Any]:
    """One request by whoever the session belongs to, through every middleware; `key` makes it idempotent."""
    CLIENT.cookies.clear()
    CLIENT.cookies[settings.SESSION_COOKIE_NAME] = session
    headers = {"Idempotency-Key": key} if key else None
    kind = {} if form else {"content_type": "application/json"}
    response = CLIENT.post(path, body, headers=headers, **kind)
    fault("unanswered")
    text = response.content.decode()
    is_json = response["Content-Type"].startswith("application/json")
    return {"status": response.status_code, "to": response.get("Location", "")} | (
        json.loads(text) if is_json else {"page": text if response.status_code >= 400 else ""}
    )


def perform(pk: int) -> dict[str, Any]:
    return {"done": perform_owed(pk)}


def number(student: int) -> dict[str, Any]:
    with scoped_transaction(NATION):
        return {"number": check_and_number(student, actor=System())}


def work(cases: list[int], students: list[int]) -> dict[str, Any]:
    """A worker without a queue: perform what is owed for these until nothing is."""
    about = Q(kind=COMPLETE_CASE, subject_id__in=cases) | Q(kind=NUMBER_STUDENT, subject_id__in=students)
    performed = 0
    owing = Outbox.objects.filter(about, done_at=None).order_by("id").values_list("pk", flat=True)
    while owed := list(owing.all()):
        performed += sum(perform_owed(pk) for pk in owed)
    return {"performed": performed}


def move(case: int, batch: int) -> dict[str, Any]:
    """A worker's turn at the merger of two schools, `batch` rows at a time."""
    execute.BATCH = batch
    return work([case], [])


def remind() -> dict[str, Any]:
    """What beat does each quarter of an hour."""
    return {"done": remind_and_escalate()}


def seal(batch: int) -> dict[str, Any]:
    """What beat does by night, `batch` accounts at a time."""
    sealing.BATCH = batch
    return {"sealed": seal_dormant_accounts()}


def promote(part: int) -> dict[str, Any]:
    """A worker's turn at one unit of a promotion."""
    promotion.work(part)
    return {}


def check(job: int) -> dict[str, Any]:
    """A worker's turn at a workbook."""
    check_batch(job)
    return {}


def verify(job: int) -> dict[str, Any]:
    """A worker's turn at a semester's verification."""
    return {"offices": verify_schools(job)}


def photos(job: int) -> dict[str, Any]:
    """A worker's turn at a ZIP of photos."""
    check_photos(job)
    return {}


def submit(job: int) -> dict[str, Any]:
    """A worker's turn at the commit of a checked batch."""
    submit_batch(job)
    return {}


def celery(*arguments: str) -> dict[str, Any]:
    """Become the worker that bin/run starts, in this process; does not return."""
    app.worker_main(list(arguments))
    return {}


def change_environment(**values: str) -> dict[str, Any]:
    os.environ.update(values)
    return {}


ORDERS: dict[str, Callable[..., dict[str, Any]]] = {
    "post": post,
    "perform": perform,
    "number": number,
    "work": work,
    "move": move,
    "remind": remind,
    "seal": seal,
    "promote": promote,
    "check": check,
    "photos": photos,
    "verify": verify,
    "submit": submit,
    "celery": celery,
    "environment": change_environment,
}


def obey(order: dict[str, Any]) -> dict[str, Any]:
    # Both sides of a race spin until the same moment.
    start_at = order.pop("start_at", 0)
    arguments = order.pop("arguments", [])
    close_old_connections()
    if start_at:
        connection.ensure_connection()
    while time.time() < start_at:
        pass
    began = time.time()
    try:
        answer = ORDERS[order.pop("order")](*arguments, **order)
    except Exception as error:  # the test decides what it means
        answer = {"error": type(error).__name__, "text": str(error)[:300]}
    finally:
        ended = time.time()
        connection.close()  # as at the end of a request
    return answer | {"began": began, "ended": ended}


def serve(own: socket.socket) -> None:
    stream = own.makefile("rw")
    said: dict[str, Any] = {"pid": os.getpid()}
    while True:
        stream.write(json.dumps(said) + "\n")
        stream.flush()
        line = stream.readline()
        if not line:
            return
        said = obey(json.loads(line))


def main() -> None:
    control = socket.socket(fileno=int(sys.argv[1]))
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the kernel buries the children
    while True:
        message, ends, _, _ = socket.recv_fds(control, 1, 1)
        if not message:
            return
        if os.fork() == 0:
            stop_with_parent(signal.SIGKILL)()
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            control.close()
            try:
                serve(socket.socket(fileno=ends[0]))
            finally:
                os._exit(0)
        os.close(ends[0])


if __name__ == "__main__":
    main()
