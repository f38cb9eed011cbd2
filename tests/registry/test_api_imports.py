"""批量导入 over the API, from upload to commit, as a program does it (ARCHITECTURE 6, 9)."""

import pytest
from django.urls import reverse

from registry.models import Enrolment, ImportBatch
from tests import make
from tests.registry.importing import as_file, checked, work
from tests.registry.workbooks import FIRST_ROW, line, lines, workbook

pytestmark = pytest.mark.usefixtures("nation")


@pytest.fixture
def school(client):
    found = {"class": make.make_class(), "registrar": make.make_registrar()}
    client.force_login(found["registrar"])
    return found


def upload(client, content: bytes, key: str = "key-00000001"):
    return client.post(reverse("import-list"), {"file": as_file(content)}, headers={"Idempotency-Key": key})


def post(client, batch: ImportBatch, act: str, body: dict | None = None):
    address = reverse(f"import-{act}", args=[batch.public_id])
    return client.post(address, body or {}, content_type="application/json")


@pytest.mark.rule("R-EST-10", "G-22", "AP-4")
def test_upload_errors_cells_preview_commit(client, school):
    content = workbook([*lines(school["class"], 2), line(school["class"], phone="12")])
    sent = upload(client, content)
    assert (sent.status_code, sent.json()["state"]) == (201, "waiting")
    again = upload(client, content)
    assert (again.status_code, again.json()["id"]) == (201, sent.json()["id"])
    batch = work(ImportBatch.objects.get(public_id=sent.json()["id"]))
    about = client.get(sent["Location"]).json()
    assert (about["rows"], about["wrong"], about["progress"]["is_running"]) == (3, 1, False)
    errors = client.get(reverse("import-errors", args=[batch.public_id]), {"level": "error"}).json()
    assert errors["total"] == 1
    found = errors["results"][0]
    assert (found["row"], found["field"], found["rule"]) == (FIRST_ROW + 2, "phone", "C1")
    assert found["value"] != "12"  # masked (RD-1)
    preview = post(client, batch, "preview").json()
    refused = post(client, batch, "commit", {"hash": preview["hash"], "is_attested": True})
    assert (refused.status_code, refused.json()["code"]) == (422, "import_rows_wrong")
    mended = post(
        client, batch, "cells", {"cells": [{"row": FIRST_ROW + 2, "field": "phone", "value": "13800138000"}]}
    )
    assert (mended.status_code, mended.json()["state"]) == (200, "checking")
    batch = work(batch)
    stale = post(client, batch, "commit", {"hash": preview["hash"], "is_attested": True})
    assert (stale.status_code, stale.json()["code"]) == (409, "import_moved")
    preview = post(client, batch, "preview").json()
    assert preview["counts"]["create"] == 3
    done = post(client, batch, "commit", {"hash": preview["hash"], "is_attested": True})
    assert (done.status_code, done.json()["state"]) == (200, "committing")
    batch = work(batch)
    rows = client.get(reverse("import-rows", args=[batch.public_id])).json()
    assert [row["action"] for row in rows["results"]] == ["create"] * 3
    assert all(row["student"] for row in rows["results"])
    assert Enrolment.objects.filter(school_class=school["class"]).count() == 3


@pytest.mark.rule("AZ-5", "R-EST-10")
def test_what_the_api_refuses_leaves_the_batch_as_it_was(client, school):
    batch = checked(lines(school["class"], 2), actor=school["registrar"])
    version = batch.version
    for body, status in (
        ({"cells": [{"row": 999, "field": "phone", "value": "1"}]}, 404),
        ({"cells": [{"row": FIRST_ROW, "field": "org_path", "value": "CN."}]}, 400),
        ({"cells": [], "reasons": [{"row": FIRST_ROW, "reason": "短"}]}, 422),
        ({"cells": [], "state": "committed"}, 400),
    ):
        assert post(client, batch, "cells", body).status_code == status, body
    assert post(client, batch, "commit", {"hash": "0" * 64, "is_attested": False}).status_code == 422
    assert post(client, batch, "commit", {"hash": "0" * 64, "is_attested": True}).status_code == 409
    batch.refresh_from_db()
    assert (batch.state, batch.version) == ("checked", version)
    assert post(client, batch, "cancel").json()["state"] == "cancelled"
    assert post(client, batch, "preview").status_code == 409
