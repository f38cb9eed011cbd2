"""The breaker of mass acts (RE-4): a run over many rows, or after a jump of the clock, waits for two persons.

`allow` stands before every run that seals, purges, expires or promotes by set. The database clock decides.
"""

import time
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from celery import current_app
from django.db import connection, transaction
from django.db.models import Q, QuerySet
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from config.clock import today
from config.errors import Refusal
from config.models import MassRun
from config.rules import rule
from config.scope import NATION

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

CLOCK = "clock"


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of run: its name, what it would do, and the job that does it once it is confirmed."""

    label: "StrOrPromise"
    effect: "StrOrPromise"
    task: str = ""


KINDS: dict[str, Kind] = {
    "seal": Kind(
        _("账号封存"),
        _("封存半年以上未使用的账号，并结束其全部登录"),
        "accounts.tasks.seal_dormant_accounts",
    ),
    "purge_notices": Kind(
        _("清理通知"), _("删除已读满 90 天和一年未读的通知"), "accounts.tasks.purge_notices"
    ),
    "purge_imports": Kind(
        _("清理导入数据"), _("删除逾期未提交的导入批次中的学生信息"), "registry.tasks.purge_imports"
    ),
    "purge_exports": Kind(_("清理导出文件"), _("删除保留期已过的导出文件"), "registry.tasks.purge_exports"),
    "purge_materials": Kind(
        _("清理上传材料"),
        _("删除逾期未随业务提交的材料和照片"),
        "archives.tasks.purge_materials",
    ),
    "promote": Kind(
        _("统一升级"), _("非毕业年级正常在校学生升入下一年级"), "registry.tasks.go_on_with_promotion"
    ),
    "purge_households": Kind(
        _("清理户籍名单"), _("删除保留期已过的户籍比对名单"), "registry.tasks.purge_households"
    ),
    "end_dropouts": Kind(
        _("辍学台账到期销号"),
        _("义务教育年限届满的辍学台账按法定终止销号"),
        "registry.tasks.end_dropouts",
    ),
    "clean_graduating": Kind(
        _("毕业年级在办业务清理"),
        _("终止毕业年级到期未办结的业务，学生恢复到办理前的状态"),
        "transfers.tasks.clean_graduating_business",
    ),
    CLOCK: Kind(_("时钟跳变"), _("恢复自动封存、清理和到期处理；确认前请核对数据库服务器的时间")),
}


class MassRunHeld(Refusal):
    """The run would touch too much; nothing was done. Two persons look at the numbers and confirm."""

    code, status, rule = "mass_run_held", 409, "RE-4"
    message = _("{kind}一次涉及 {touched} 条，超过批量操作上限，已暂停，须由两人确认后执行。")


class ClockJumped(MassRunHeld):
    code = "clock_jumped"
    message = _("数据库时间在两次心跳之间跳变，{kind}已暂停。请核对服务器时间，由两人确认后恢复。")


class AlreadyConfirmed(Refusal):
    code, rule = "run_already_confirmed", "RE-4"
    message = _("该批量操作的数量或状态已经变化，请刷新后核对数字再确认。")


class SamePerson(Refusal):
    code, rule = "run_same_person", "RE-4"
    message = _("您已经确认过一次，须由另一人作第二次确认。")


class PlanWrong(Refusal):
    code, status, rule = "run_plan_wrong", 422, "RE-4"
    message = _("预先确认的日期不能早于今天，数量须为正数，同一天同一操作只能确认一次。请检查后重填。")


# ── Before a run ──────────────────────────────────────────────────────────────────────────────────────────
def allow(kind: str, *, path: str, touched: int, of: int) -> None:
    """Let a run of `kind` for the office at `path` touch `touched` rows, or hold it.

    `of` is the number of accounts there are, when accounts are touched; 0 for other rows. Call it outside the
    run's own transaction: what it writes must outlive the refusal. Raises MassRunHeld.
    """
    label = str(KINDS[kind].label)
    check_clock()
    if MassRun.objects.filter(kind=CLOCK, second_id=None).exists():
        raise ClockJumped(kind=label)
    agreed = MassRun.objects.filter(
        kind=kind, path=path, day=today(), second_id__isnull=False, touched__gte=touched
    )
    if agreed.update(used_at=Now()) or touched <= limit(of):
        return
    _hold(kind, path, touched, of)
    raise MassRunHeld(kind=label, touched=str(touched))


def limit(of: int) -> int:
    """How many rows a run may touch unconfirmed: 5,000, and of `of` accounts no more than 1 %."""
    most = rule("MASS_RUN_RECORDS").number
    if not of:
        return most
    # Of fifty accounts one is 2 %: a handful is no mass act.
    share = of * rule("MASS_RUN_PERCENT").number // 100
    return min(most, max(share, rule("MASS_RUN_HANDFUL").number))


def _hold(kind: str, path: str, touched: int, of: int) -> None:
    """Keep one open row of this kind with today's numbers; who had agreed to fewer rows is asked again."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO config_massrun AS held (kind, path, day, touched, of, is_planned,"
            "  first_name, second_name)"
            " VALUES (%(kind)s, %(path)s, %(day)s, %(touched)s, %(of)s, false, '', '')"
            " ON CONFLICT (kind, path) WHERE second_id IS NULL AND NOT is_planned DO UPDATE SET"
            "  day = excluded.day, touched = excluded.touched, of = excluded.of,"
            "  (first_id, first_at, first_name) = ("
            "   SELECT held.first_id, held.first_at, held.first_name"
            # Each jump of the clock is another matter, however small.
            "   WHERE excluded.touched <= held.touched AND held.kind <> 'clock'"
            "   UNION ALL SELECT NULL, NULL, ''"
            "   WHERE excluded.touched > held.touched OR held.kind = 'clock')",
            {"kind": kind, "path": path, "day": today(), "touched": touched, "of": of},
        )


# ── The clock ─────────────────────────────────────────────────────────────────────────────────────────────
def check_clock() -> int:
    """Each minute: compare the database's clock with the machine's running time; a jump holds every mass run.

    Answers the seconds of the jump, 0 for none. A machine that has just started has no running time to
    compare: then all the time since the last beat counts, for nobody can say how long it was.
    """
    boot, ticks = _since_start()
    with transaction.atomic(), connection.cursor() as cursor:
        # One statement, so that two beats at once compare with each other and not with the same former one.
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended('config_beat', 0))")
        cursor.execute(
            "SELECT CASE WHEN own.boot IS NOT NULL AND own.ticks <= %(ticks)s"
            "  THEN extract(epoch FROM clock_timestamp() - own.at) - (%(ticks)s - own.ticks)"
            "  ELSE extract(epoch FROM clock_timestamp() - (SELECT max(at) FROM config_beat)) END"
            " FROM (SELECT 1) one LEFT JOIN config_beat own ON own.boot = %(boot)s",
            {"boot": boot, "ticks": ticks},
        )
        drift = float(cursor.fetchone()[0] or 0)
        cursor.execute(
            "INSERT INTO config_beat (boot, at, ticks) VALUES (%s, clock_timestamp(), %s)"
            " ON CONFLICT (boot) DO UPDATE SET at = excluded.at, ticks = excluded.ticks",
            [boot, ticks],
        )
        jump = round(abs(drift)) if abs(drift) > rule("CLOCK_JUMP_MINUTES").number * 60 else 0
        if jump:
            _hold(CLOCK, NATION, jump, 0)
    return jump


def _since_start() -> tuple[str, float]:
    """Which start of which machine this is, and the seconds since then, sleep included."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        boot = "one"  # elsewhere than on Linux: the seconds themselves say when it started anew
    return boot, time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


# ── Two persons ───────────────────────────────────────────────────────────────────────────────────────────
def held() -> "QuerySet[MassRun]":
    """What waits for a confirmation now."""
    return MassRun.objects.filter(second_id=None).filter(Q(is_planned=False) | Q(day__gte=today()))


@transaction.atomic
def confirm(run_id: int, *, person: Any, seen: int) -> MassRun:
    """Add the word of `person` (pk and name), who saw the number `seen`; the second word starts a held run.

    Raises AlreadyConfirmed when number or state changed meanwhile, SamePerson for a second word of the first.
    """
    # Never across a day: a run held yesterday is confirmed for today, a planned one stays on its day.
    day = Q(is_planned=False) | Q(day__gte=today())
    open_run = MassRun.objects.filter(day, pk=run_id, second_id=None, touched=seen)
    if not open_run.filter(first_id=None).update(
        first_id=person.pk, first_name=person.name, first_at=Now()
    ) and not open_run.filter(first_id__isnull=False).exclude(first_id=person.pk).update(
        second_id=person.pk, second_name=person.name, second_at=Now()
    ):
        raise SamePerson() if open_run.filter(first_id=person.pk).exists() else AlreadyConfirmed()
    run = MassRun.objects.get(pk=run_id)
    if run.second_id and not run.is_planned:
        MassRun.objects.filter(pk=run.pk).update(day=today())
        transaction.on_commit(lambda: _start(run.kind), robust=True)
    return run


def plan(kind: str, *, path: str, day: date, expected: int, person: Any) -> MassRun:
    """Confirm beforehand, as the first of two, that a run may touch `expected` rows on `day`.

    Raises PlanWrong.
    """
    if kind not in KINDS or kind == CLOCK or day < today() or expected < 1:
        raise PlanWrong()
    made, is_new = MassRun.objects.get_or_create(
        kind=kind, path=path, day=day, is_planned=True,
        defaults={"touched": expected, "first_id": person.pk, "first_name": person.name, "first_at": Now()},
    )  # fmt: skip
    if not is_new:
        raise PlanWrong()
    return made


def agree(kind: str, *, path: str, day: date, touched: int, first: Any, second: Any) -> None:
    """Keep the words of two different persons, (pk, name, moment) each, who have looked at more than a number
    elsewhere; the database refuses two of one person.
    """
    MassRun.objects.create(
        kind=kind, path=path, day=day, touched=touched,
        first_id=first[0], first_name=first[1], first_at=first[2],
        second_id=second[0], second_name=second[1], second_at=second[2],
    )  # fmt: skip


def start_confirmed() -> int:
    """Each minute: offer again what was confirmed today and has not begun, for messages get lost."""
    late = MassRun.objects.filter(
        is_planned=False, second_id__isnull=False, day=today(), used_at=None, second_at__lt=Now()
    )
    kinds = set(late.values_list("kind", flat=True))
    for kind in kinds:
        _start(kind)
    return len(kinds)


def _start(kind: str) -> None:
    if task := KINDS[kind].task:
        current_app.send_task(task, retry=False)
