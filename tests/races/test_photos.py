"""kill -9 in the middle of a class's photos: every file once, every pupil one photo (RE-1, RE-9)."""

from pathlib import Path
from typing import Any

import pytest

from archives.models import Material, PhotoBatch, PhotoFile
from archives.photos import open_photo
from audit.models import Event
from config.scope import NATION, scoped_transaction
from tests.archives.photo_zips import JPEG, hand_in, results
from tests.races.ground import make_pupil, open_office
from tests.races.processes import Nursery
from transfers.models import Case
from transfers.photos import submit_photos
from transfers.services import decide


@pytest.mark.rule("RE-1", "RE-9", "C4")
def test_photos_are_cut_at_each_point_and_come_out_once(worker: Nursery, tmp_path: Path) -> None:
    office = open_office()
    made = [make_pupil(office) for _n in range(3)]
    registrar = office.registrar.user

    def turn(plan: str, order: str, **given: Any) -> bool:
        """One turn of a worker, cut at `plan`; whether it was cut."""
        log = tmp_path / plan
        child = worker.child(**({"XUEJI_FAULT": plan, "XUEJI_FAULT_LOG": str(log)} if plan else {}))
        answer = child.ask(order, **given)
        child.kill()
        assert answer is None or "error" not in answer, answer
        return answer is None

    with scoped_transaction(office.path):
        batch = hand_in(office.school_class, {f"{pupil.name}.jpg": JPEG for pupil in made}, actor=registrar)
    for plan in ("photos.row@1", "photos.row@2", "photos.checked"):
        assert turn(plan, "photos", job=batch.job_id), plan
    for _turn in range(2):  # and a message that comes twice
        assert not turn("", "photos", job=batch.job_id)
    with scoped_transaction(office.path):
        batch = PhotoBatch.objects.get(pk=batch.pk)
        assert (batch.state, batch.stored_as) == ("checked", "")
        assert list(results(batch).values()) == [pupil.pk for pupil in made]
        assert all(open_photo(file) for file in PhotoFile.objects.filter(batch=batch))
        assert Event.objects.filter(action="archives.photo.check", subject_id=batch.pk).count() == 1
    with scoped_transaction(NATION):
        case = submit_photos(batch, actor=registrar, skips_wrong=False)
        for person in (office.leader, office.reviewer):
            decide(Case.objects.get(pk=case.pk), "approve", actor=person.user)
    for plan in ("photos.filed", "performed", "before_commit"):
        assert turn(plan, "work", cases=[case.pk], students=[]), plan
    assert not turn("", "work", cases=[case.pk], students=[])
    with scoped_transaction(NATION):
        assert Case.objects.get(pk=case.pk).state == "done"
        have = Material.objects.filter(student__in=made, kind="photo").values_list("student_id", flat=True)
        assert sorted(have) == sorted(pupil.pk for pupil in made)
        events = Event.objects.filter(action="archives.photo.attach", subject_id__in=[p.pk for p in made])
        assert events.count() == 3
