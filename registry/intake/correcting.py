"""The registrar mends a checked batch in the page: cells, continuations, reasons. Then the rows are compared
again by the same job that compared them first.
"""

from collections.abc import Mapping

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from accounts.rights import explain
from accounts.roles import Right
from audit.services import record
from config.clock import today
from config.errors import BadRequest, NotFound, Refusal
from registry.fields import BY_KEY
from registry.intake.arriving import CHECK, NotNow, State, begin
from registry.intake.rows import RowChecker
from registry.models import COLUMNS, ImportBatch, ImportFinding, ImportRow

MOST_CELLS = 500  # a request; more is a new file
_CELL_MOST = 500  # characters


class TooManyCells(Refusal):
    code, status, rule = "import_too_many_cells", 422, "R-EST-10"
    message = _("一次最多修改 {most} 个单元格；更多改动请下载标注文件，改好后重新上传。")


class ReasonTooShort(Refusal):
    code, status, rule = "import_reason_short", 422, "R-EST-08"
    message = _("请写明确认不是同一人的依据，至少 {least} 个字。")


Cells = Mapping[int, Mapping[str, str]]  # row number → field key → text as typed


@transaction.atomic
def correct(
    batch: ImportBatch, cells: Cells, *, actor: User, reasons: "Mapping[int, str] | None" = None
) -> None:
    """Write `cells` and `reasons` (why a row is another child) into a checked batch and compare it again.

    Raises NotAllowed, NotNow, NotFound for a row the batch does not have, BadRequest for an unknown column,
    TooManyCells, ReasonTooShort.
    """
    explain(actor, Right.FILE, at=batch.org_path).or_raise()
    reasons = reasons or {}
    _refuse_malformed(cells, reasons)
    locked = ImportBatch.objects.select_for_update().get(pk=batch.pk)
    if locked.state != State.CHECKED:
        raise NotNow(state=locked.get_state_display())
    checker = RowChecker(locked, today())
    wanted = {*cells, *reasons}
    rows = {row.number: row for row in locked.rows.filter(number__in=wanted)}
    if wanted - rows.keys():
        raise NotFound()
    for number, texts in cells.items():
        _rewrite(rows[number], texts, checker)
    for number, reason in reasons.items():
        locked.rows.filter(number=number).update(distinct_reason=reason.strip())
    record(
        "registry.import.correct", locked, actor=actor, basis="R-EST-10", rows=sorted(wanted)[:50],
        fields=sorted({key for texts in cells.values() for key in texts}),
    )  # fmt: skip
    begin(locked, CHECK, State.CHECKING, actor=actor)


def _refuse_malformed(cells: Cells, reasons: Mapping[int, str]) -> None:
    if sum(len(texts) for texts in cells.values()) + len(reasons) > MOST_CELLS:
        raise TooManyCells(most=MOST_CELLS)
    for texts in cells.values():
        if unknown := [key for key in texts if key not in COLUMNS]:
            raise BadRequest(why=_("没有“{key}”这一列").format(key=unknown[0][:40]))
        if long := [key for key, text in texts.items() if len(text) > _CELL_MOST]:
            raise BadRequest(why=_("{label}过长").format(label=BY_KEY[long[0]].label_zh))
    if any(0 < len(reason.strip()) < _REASON_LEAST for reason in reasons.values()):
        raise ReasonTooShort(least=_REASON_LEAST)


_REASON_LEAST = 6


def _rewrite(row: ImportRow, texts: Mapping[str, str], checker: RowChecker) -> None:
    typed = row.open_cells().typed | dict(texts)
    fresh, findings = checker.check(row.number, typed)
    fresh.pk, fresh.distinct_reason = row.pk, row.distinct_reason
    fresh.save(force_update=True)
    row.findings.all().delete()
    for finding in findings:
        finding.row_id = row.pk
    ImportFinding.objects.bulk_create(findings)
