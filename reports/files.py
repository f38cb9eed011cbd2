"""A report as a workbook: asked for, written by a job with its definition sheet, fetched with a trace.

Numbers only, as the page shows them to the same person at that moment: small cells stay hidden (EX-4).
"""

from collections.abc import Sequence
from uuid import UUID

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.rights import acting_at, explain
from accounts.roles import Right
from audit.services import record, record_read
from config import sealed_files
from config.clock import now
from config.errors import NotFound, Refusal
from config.faults import fault
from config.jobs import JobCancelled, held, queue
from config.models import Job
from config.rules import rule
from config.scope import scoped_transaction
from registry.exporting.collecting import Collected
from registry.exporting.made import finish_file, give_up, open_for, request_by
from registry.exporting.sheets import XLSX, Workbook, file_name
from reports.definitions import REPORTS, SPLITS
from reports.models import ReportFile
from reports.tables import Choice, Row, Table, read_choice, read_table, value_label

RUN = "reports.tasks.write_report"
TABLE = "reports_reportfile"
State = ReportFile.State
HIDDEN = "＊"


@transaction.atomic
def ask(choice: Choice, *, actor: User) -> ReportFile:
    """Queue the workbook of one table. Raises NotAllowed."""
    explain(actor, Right.VIEW_REPORT, at=actor.acting_path).or_raise()
    made = ReportFile.objects.create(
        report=choice.report.code, place_path=choice.office.path, place_name=choice.office.name,
        choice=choice.as_query() | {"office": str(choice.office.pk)}, **request_by(actor, RUN),
    )  # fmt: skip
    made.refresh_from_db()
    record(
        "reports.file.ask",
        made,
        actor=actor,
        basis="EX-1",
        title=str(choice.report.title),
        place=made.place_name,
    )
    queue(made.job)
    return made


def write(job_id: int) -> None:
    """Write the workbook of one job; cut anywhere it begins anew, run twice it changes nothing."""
    with held(job_id) as job:
        if job is None:
            return
        try:
            _write(job)
        except (Refusal, JobCancelled) as why:
            give_up(ReportFile, job, why)


def _write(job: Job) -> None:
    sink = sealed_files.Writer(TABLE)
    try:
        with scoped_transaction(job.path):
            made = ReportFile.objects.filter(job=job, state=State.WAITING).first()
            if made is None:
                sink.abandon()
                return
            user = acting_at(made.requested_by_id, Right.VIEW_REPORT, at=made.org_path)
            choice = read_choice(user, made.report, made.choice)
            if choice.office.path != made.place_path:
                raise NotFound()
            table = read_table(user, choice)
            sheet = Workbook(sink, about(table, made), headings(table), _mark(made))
            sheet.add(cells(table))
            sheet.close()
            sink.finish()
            fault("reports.written")
            finish_file(made, job, sink)
    except BaseException:
        sink.abandon()
        raise


def _mark(made: ReportFile) -> str:
    moment = timezone.localtime(now())
    return f"{made.requested_by_name} {made.office_name} {moment:%Y-%m-%d %H:%M}"


def about(table: Table, made: ReportFile) -> list[tuple[str, str]]:
    """The definition sheet: what the file is, and for each column what is counted, when, from which table."""
    choice, report = table.choice, table.choice.report
    moment = timezone.localtime(table.as_of or now())
    lines = [
        (_("报表"), str(report.title)), (_("内容"), str(report.about)), (_("统计范围"), choice.office.name),
        (_("统计口径"), in_words(choice)), (_("统计时点"), str(report.day)),
        (_("数据截至"), f"{moment:%Y-%m-%d %H:%M}"), (_("依据"), report.article),
        (_("申请人"), f"{made.office_name} {made.requested_by_name}"),
    ]  # fmt: skip
    if table.hides:
        lines.append((HIDDEN, hiding_rule(choice.office.path)))
    return lines + [
        (str(one.label), _("{counts}。来源：{source}").format(counts=one.counts, source=one.source))
        for one in table.columns
    ]


def hiding_rule(path: str) -> str:
    least = rule("STATISTICS_MIN_CELL", at=path).number
    return _("涉及敏感信息、少于 {n} 人或可由其他格推算的数字不公布").format(n=least)


def in_words(choice: Choice) -> str:
    """Year, split and filters as people read them."""
    said = [_("{year} 学年").format(year=choice.year)] if choice.year else []
    said += [value_label(name, value, choice.report.code) for name, value in choice.where.items()]
    return "；".join(said) or _("全部")


def headings(table: Table) -> list[str]:
    return [split_label(table.choice), *(str(one.label) for one in table.columns)]


def split_label(choice: Choice) -> str:
    return str(choice.report.code_label if choice.split == "code" else SPLITS[choice.split])


def cells(table: Table) -> list[Sequence[str]]:
    """Every row as texts, the total first."""

    def line(row: Row, name: str) -> list[str]:
        values = [row.values.get(one.key) for one in table.columns]
        return [
            name,
            *(
                (HIDDEN if row.is_hidden(one) else "") if value is None else str(value)
                for one, value in zip(table.columns, values, strict=True)
            ),
        ]

    return [line(table.total, _("合计")), *(line(row, row.label) for row in table.rows)]


def open_file(user: User, public_id: UUID | str) -> ReportFile:
    """A file of her office or of one below it. Raises NotFound."""
    found = ReportFile.objects.visible_to(user, Right.VIEW_REPORT).filter(public_id=public_id).first()
    if found is None:
        raise NotFound()
    return found  # type: ignore[no-any-return]


@transaction.atomic
def collect(made: ReportFile, *, actor: User) -> Collected:
    """The file, for who asked for it. Raises NotYourFile, NotAllowed, FileNotReady, DoesNotOpen."""
    pieces = open_for(made, TABLE, actor=actor, right=Right.VIEW_REPORT)
    title = str(REPORTS[made.report].title)
    record(
        "reports.file.collect", made, actor=actor, basis="EX-5", title=title, place=made.place_name,
        count=made.downloads,
    )  # fmt: skip
    record_read(made, actor=actor, route="reports:file", purpose=title)
    name = file_name(f"{made.place_name}-{title}", f"TJ-{made.pk:08d}", "xlsx", kind="学籍统计")
    return Collected(name, XLSX, made.size, pieces)
