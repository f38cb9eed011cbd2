"""The registrar's last word on a checked batch: commit what was looked at (R-EST-10, G-22)."""

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from accounts.rights import explain
from accounts.roles import Right
from audit.services import record
from config.errors import Refusal
from config.models import Job
from registry.intake.arriving import COMMIT, State, begin
from registry.intake.preview import NothingToCommit, PreviewMoved, RowsWrong
from registry.models import ImportBatch


class NotAttested(Refusal):
    """R-EST-03: somebody has seen the documents."""

    code, status = "import_not_attested", 422
    rule, article = "R-EST-03", "第六条"
    message = _("请先确认：已逐一核验本批学生的有效身份证件原件。")


@transaction.atomic
def commit(
    batch: ImportBatch, digest: str, *, actor: User, skips_wrong: bool = False, is_attested: bool = False
) -> Job:
    """Hand the batch, exactly as it was previewed, to the job that writes it; the job.

    Raises NotAllowed, NotAttested, RowsWrong unless the skipping of faulty rows is chosen, NothingToCommit,
    PreviewMoved when `digest` is not that of the last preview, NotNow.
    """
    explain(actor, Right.FILE, at=batch.org_path).or_raise()
    if not is_attested:
        raise NotAttested()
    if batch.state == State.CHECKED:
        if batch.rows_wrong and not skips_wrong:
            raise RowsWrong(wrong=batch.rows_wrong, good=batch.rows_good)
        if not batch.rows_good:
            raise NothingToCommit()
        if not digest or batch.preview.get("hash") != digest:
            raise PreviewMoved(moved=_("批次在核对之后又改动或重新核对过。"))
    job = begin(batch, COMMIT, State.COMMITTING, actor=actor, skips_wrong=skips_wrong)
    record("registry.import.commit", batch, actor=actor, basis="R-EST-10", rows=batch.rows_good)
    return job
