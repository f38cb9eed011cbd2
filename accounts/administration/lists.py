"""An uploaded list of accounts from upload to its printed first codes (R-ACC-01, AC-4, RD-8)."""

from datetime import timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from accounts.administration import creating, workbook
from accounts.administration.reach import administered
from accounts.codes import Slip
from accounts.models import AccountList, Organization, User
from accounts.rights import explain
from accounts.roles import Right
from audit.services import record_many
from config.clock import now
from config.crypto import seal_json, unseal_json
from config.errors import NotFound, Refusal
from config.rules import rule

_TABLE = "accounts_accountlist"


class ListFaulty(Refusal):
    code, status = "list_faulty", 409
    message = _("表格中有 {count} 行有误，一个账号也没有建立。请按各行的说明改正后重新上传。")


class ListDone(Refusal):
    code, status = "list_done", 409
    message = _("这份名单已经办理或已删除。验证码只显示一次，遗失的请在人员页面重新发放。")


@transaction.atomic
def upload(content: bytes, file_name: str, *, actor: User) -> AccountList:
    """Read and keep a list, sealed, until its uploader says yes or its days are over.

    Raises NotAllowed, ListUnreadable or ListEmpty.
    """
    explain(actor, Right.MANAGE_ACCOUNTS, at=actor.acting_path).or_raise()
    rows = workbook.read(content)
    kept = AccountList(
        office=actor.own_office, created_by=actor, file_name=file_name[:200], count=len(rows)
    )  # fmt: skip
    cells = [[row.number, row.cells] for row in rows]
    kept.rows = seal_json(cells, _TABLE, str(kept.public_id), "rows")
    kept.save()
    return kept


def own_lists(actor: User) -> "QuerySet[AccountList]":
    """The lists she uploaded for the office she acts for; one that is done has no rows any more."""
    return AccountList.objects.filter(created_by=actor, office__path=actor.acting_path)


def checked_rows(kept: AccountList, actor: User) -> list[workbook.Row]:
    """Its rows as things stand now, each with what is wrong with it. Raises ListDone."""
    if kept.rows is None:
        raise ListDone()
    cells = unseal_json(kept.rows, _TABLE, str(kept.public_id), "rows")
    rows = [workbook.Row(number, list(texts)) for number, texts in cells]
    workbook.check(rows, actor)
    return rows


@transaction.atomic
def confirm(public_id: UUID, *, actor: User) -> list[Slip]:
    """Create them all, or none; answers the slips, which stand nowhere else. The offices are held, so that
    two lists cannot give a school two administrators.

    Raises NotAllowed, NotFound, ListDone, ListFaulty, UsernameTaken or SecondAccount.
    """
    explain(actor, Right.MANAGE_ACCOUNTS, at=actor.acting_path).or_raise()
    kept = own_lists(actor).select_for_update().filter(public_id=public_id).first()
    if kept is None:
        raise NotFound()
    offices = Organization.objects.filter(pk__in=administered(actor).values("pk"))
    list(offices.select_for_update(no_key=True).order_by("pk").values_list("pk"))
    rows = checked_rows(kept, actor)
    if wrong := sum(bool(row.faults) for row in rows):
        raise ListFaulty(count=str(wrong))
    sound = [(row.new, row.wanted) for row in rows if row.new and row.wanted]
    slips = creating.create_all(sound, office=kept.office, actor=actor)
    AccountList.objects.filter(pk=kept.pk).update(rows=None, done_at=Now())
    record_many(
        "accounts.list.confirm", "accountlist", [(kept.pk, kept.office.path)], actor=actor, count=len(slips)
    )  # fmt: skip
    return slips


def drop(public_id: UUID, *, actor: User) -> None:
    """Forget a list that was not confirmed. Raises NotFound."""
    if not own_lists(actor).filter(public_id=public_id, done_at=None).delete()[0]:
        raise NotFound()


def purge() -> int:
    """Nightly: lists that nobody decided on within the days of an upload (RD-8). Safe to repeat."""
    oldest = now() - timedelta(days=rule("UPLOAD_KEEP_DAYS").number)
    return AccountList.objects.filter(done_at=None, created_at__lt=oldest).delete()[0]
