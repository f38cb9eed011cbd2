"""编班即注册 (D7): placing the last pupil of a workbook files its case of 学籍注册."""

from collections.abc import Mapping

from django.db import transaction

from accounts.models import User
from registry.models import ImportBatch
from registry.services.placement import place, unplaced
from transfers.across import reach_of
from transfers.intake import file_batch_case
from transfers.models import Case


@transaction.atomic
def place_and_register(
    batch: ImportBatch, choice: Mapping[int, int], *, actor: User, attested: bool
) -> tuple[Case | None, bool]:
    """Place pupils of `batch`; when none of it is left without a class, file its case.

    `attested` as for the workbook itself (R-EST-03). Returns the case, if it was filed, and whether the
    placement is late. Raises what `place` and `file_batch_case` raise; a pupil of another workbook counts as
    placed meanwhile.
    """
    # Of two colleagues who place the last pupils at once, the second files the case.
    batch = ImportBatch.objects.select_for_update(no_key=True).get(pk=batch.pk)
    waiting = set(unplaced(batch.org_path, batch).values_list("pk", flat=True))
    is_late = place(batch.school, {pk: choice[pk] for pk in choice if pk in waiting}, actor=actor)
    if unplaced(batch.org_path, batch).exists():
        return None, is_late
    case = file_batch_case(batch, actor=actor, reach=reach_of(batch), attested=attested)
    return case, is_late
