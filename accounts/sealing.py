"""Sealing of idle accounts (第二十四条, R-ACC-04, AC-8): warned two weeks before, sealed by night, unsealed
only by the office above.

Both jobs work by set, in batches, and may run twice, at once, or be cut: only accounts still open are taken.
The database's clock decides.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.db.models import QuerySet
from django.db.models.functions import Now
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.administration.reach import administered, office_above
from accounts.models import Sealing, SignIn, User
from accounts.notices import Line, notify, notify_each
from accounts.rights import explain, seated
from accounts.roles import Right
from accounts.sign_ins import end_many
from audit.services import System, record_many
from config import breaker
from config.clock import today
from config.errors import Refusal
from config.faults import fault
from config.rules import rule
from config.scope import NATION, scoped_transaction

BATCH = 500
REASON_AT_LEAST = 6  # characters
RULE, ARTICLE = "R-ACC-04", "第二十四条"


class NotSealed(Refusal):
    code, status, rule, article = "account_not_sealed", 409, RULE, ARTICLE
    message = gettext_lazy("{name}的账号没有封存，或已由他人解封。请刷新后再看。")


class UnsealReason(Refusal):
    code, status, rule, article = "unseal_reason", 422, RULE, ARTICLE
    message = gettext_lazy("请写明解封理由（不少于 6 个字），例如“产假期满返岗”。")


# ── Who is idle ───────────────────────────────────────────────────────────────────────────────────────────
# Since when an account lies unused: its last sign-in, else its creation; an unsealing counts as use, or the
# next night would seal it again. Her office is that of her highest post, of today if she has any.
_IDLE = """
SELECT u.id AS user_id, u.name, idle.since
FROM accounts_user u
CROSS JOIN LATERAL (
    SELECT greatest(coalesce(u.last_login, u.created_at), (
        SELECT max(s.unsealed_at) FROM accounts_sealing s WHERE s.user_id = u.id)) AS since
) idle
WHERE u.is_active AND u.sealed_at IS NULL
  AND coalesce(u.last_login, u.created_at) <= statement_timestamp() - %(days)s * interval '1 day'
  AND idle.since <= statement_timestamp() - %(days)s * interval '1 day'
"""
_HOME = """
LEFT JOIN LATERAL (
    SELECT o.id, o.path, o.name
    FROM accounts_post p JOIN accounts_organization o ON o.id = p.office_id
    WHERE p.user_id = {person} AND p.stands_for_id IS NULL
    ORDER BY p.valid @> %(day)s::date DESC, o.path LIMIT 1
) home ON true
"""
_SEAL = f"""
WITH due AS ({_IDLE} ORDER BY u.id LIMIT %(batch)s FOR UPDATE OF u SKIP LOCKED),
sealed AS (
    UPDATE accounts_user u SET sealed_at = now() FROM due WHERE u.id = due.user_id RETURNING u.id
)
INSERT INTO accounts_sealing (user_id, office_id, path, idle_since, reason)
SELECT due.user_id, home.id, coalesce(home.path, '{NATION}'), due.since, ''
FROM due JOIN sealed ON sealed.id = due.user_id {_HOME.format(person="due.user_id")}
ON CONFLICT (user_id) WHERE unsealed_at IS NULL DO UPDATE
    SET sealed_at = now(), idle_since = excluded.idle_since, path = excluded.path
RETURNING user_id, path
"""  # noqa: S608  (constants of this module)
_SOON = f"""
SELECT idle.user_id, idle.name, idle.since, coalesce(home.path, '{NATION}'), coalesce(home.name, '')
FROM ({_IDLE}) idle {_HOME.format(person="idle.user_id")}
WHERE EXISTS (
    SELECT FROM unnest(%(paths)s::text[]) near WHERE starts_with(coalesce(home.path, '{NATION}'), near))
ORDER BY idle.since, idle.user_id LIMIT %(most)s
"""  # noqa: S608


@dataclass(frozen=True, slots=True)
class Idle:
    """An account that will be sealed on the night after `seals_at` unless she signs in."""

    user_id: int
    name: str
    since: datetime
    path: str
    office: str

    @property
    def seals_at(self) -> datetime:
        return self.since + timedelta(days=rule("ACCOUNT_SEAL_DAYS").number)

    @property
    def idle_days(self) -> int:
        return (timezone.now() - self.since).days


def _rows(sql: str, **values: Any) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, {"day": today()} | values)
        return cursor.fetchall() if cursor.description else []


def _counts() -> tuple[int, int]:
    """How many accounts the next run would seal, and how many there are."""
    days = rule("ACCOUNT_SEAL_DAYS").number
    due = _rows(f"SELECT count(*) FROM ({_IDLE}) idle", days=days)[0][0]  # noqa: S608
    return due, User.objects.filter(is_active=True, sealed_at=None).count()


# ── By night ──────────────────────────────────────────────────────────────────────────────────────────────
def seal_dormant() -> int:
    """Seal every account unused for ACCOUNT_SEAL_DAYS; how many. Raises breaker.MassRunHeld (RE-4).

    Each batch ends the sign-ins and writes one event per account in the transaction that seals.
    """
    due, accounts = _counts()
    if not due:
        return 0
    breaker.allow("seal", path=NATION, touched=due, of=accounts)
    done = 0
    # Never more than was looked at: what else falls due meanwhile waits for the next night.
    while done < due and (count := _seal_batch(min(BATCH, due - done))):
        done += count
    return done


def _seal_batch(most: int) -> int:
    with scoped_transaction(NATION):
        rows = _rows(_SEAL, days=rule("ACCOUNT_SEAL_DAYS").number, batch=most)
        fault("sealing.sealed")
        end_many([user for user, _path in rows], reason=SignIn.End.SEALED)
        record_many("accounts.user.seal", "user", rows, actor=System(), basis=ARTICLE)
        fault("sealing.recorded")
    return len(rows)


def warn_idle() -> int:
    """Tell whoever will be sealed within ACCOUNT_SEAL_NOTICE_DAYS, once for each time of idleness, and the
    administrators of her office; how many accounts.
    """
    idle = soon([NATION])
    lines = [
        Line(
            one.user_id,
            _("您的账号已 {days} 天未使用，{day:%Y-%m-%d}起将被封存。登录一次即可继续使用。").format(
                days=one.idle_days, day=timezone.localdate(one.seals_at)
            ),
            reverse("home"),
            once_key=f"seal.{one.since:%Y%m%d%H%M%S}",
        )
        for one in idle
    ]
    with transaction.atomic():
        notify_each("seal_soon", lines)
        _tell_administrators(idle)
    return len(idle)


def _tell_administrators(idle: list[Idle]) -> None:
    """One notice a week for each office: who signs in nowhere reads no notice in the page."""
    offices: dict[str, list[Idle]] = {}
    for one in idle:
        offices.setdefault(one.path, []).append(one)
    week = today().strftime("%G.%V")
    lines = []
    for (path, _right), administrators in seated((path, Right.MANAGE_ACCOUNTS) for path in offices).items():
        text = _("{office}有 {n} 个账号因长期未使用将被封存，请提醒本人登录。").format(
            office=offices[path][0].office, n=len(offices[path])
        )
        lines += [
            Line(user, text, reverse("accounts:sealings"), once_key=f"seal.week.{week}.{path[-20:]}")
            for user in administrators
        ]
    notify_each("seal_soon", lines)


def soon(paths: list[str], *, most: int | None = None) -> list[Idle]:
    """Accounts of these offices and below that will be sealed within the notice term, the nearest first."""
    days = rule("ACCOUNT_SEAL_DAYS").number - rule("ACCOUNT_SEAL_NOTICE_DAYS").number
    return [Idle(*row) for row in _rows(_SOON, days=days, paths=paths, most=most)]


# ── By the office above ───────────────────────────────────────────────────────────────────────────────────
def sealed_under(user: User) -> "QuerySet[Sealing]":
    """Sealed accounts of the offices that she administers or looks down on as an administrator."""
    here: QuerySet[Sealing] = Sealing.objects.visible_to(user, Right.MANAGE_ACCOUNTS)
    return here.filter(unsealed_at=None).select_related("user", "office")


def unsealing_path(sealing: Sealing) -> str:
    """The office that unseals: the one above; what belongs to no office, and the nation's own, the nation."""
    return office_above(sealing.office).path if sealing.office else NATION


def unsealable(user: User, sealings: list[Sealing]) -> set[int]:
    """Which of these she may unseal for the office she acts for; one query however many."""
    below = set(
        administered(user)
        .exclude(path=user.acting_path)
        .filter(pk__in={row.office_id for row in sealings if row.office_id})
        .values_list("pk", flat=True)
    )
    is_nation = user.may_act_at(Right.MANAGE_ACCOUNTS, NATION)
    return {row.pk for row in sealings if row.office_id in below or (is_nation and row.path == NATION)}


@transaction.atomic
def unseal(sealing: Sealing, *, actor: User, reason: str) -> None:
    """Open a sealed account again, by the administrator of the office above, with a reason; the caller has
    asked for a step-up (AC-7).

    Raises NotAllowed, UnsealReason or NotSealed. She signs in with her own password and factor as before.
    """
    explain(actor, Right.MANAGE_ACCOUNTS, at=unsealing_path(sealing)).or_raise()
    if len(reason.strip()) < REASON_AT_LEAST:
        raise UnsealReason()
    opened = Sealing.objects.filter(pk=sealing.pk, unsealed_at=None).update(
        unsealed_at=Now(), unsealed_by=actor, reason=reason.strip()
    )
    if not opened:
        raise NotSealed(name=sealing.user.name)
    User.objects.filter(pk=sealing.user_id).update(sealed_at=None)
    record_many(
        "accounts.user.unseal", "user", [(sealing.user_id, sealing.path)], actor=actor, reason=reason.strip(),
        basis=ARTICLE, name=sealing.user.name,
    )  # fmt: skip
    notify([sealing.user_id], "seal_soon", _("您的账号已解封，请及时登录。"), reverse("home"))
