"""The three ledgers, one suspicion with its written report, one dropout (R-DRP-02, R-DRP-04, R-DRP-07)."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods

from accounts.models import Organization
from accounts.offices import authority_of
from accounts.rights import explain, requires
from accounts.roles import Right
from audit.services import record_list, record_read
from config.clock import today
from config.errors import NotFound, Refusal
from registry.codes import label
from registry.dropout import absences, handing, ledgers, suspicions
from registry.dropout.hosting import is_hosted, reaching
from registry.dropout.reading import CHOICES, visits_of
from registry.dropout.views.absences import shown_refusal
from registry.dropout.views.sent import VISIT_FIELDS, act_in, day_in, words_in
from registry.models import DropoutEntry, HandedDropout, Student, SuspectedDropout
from registry.protection import hidden_from
from registry.queries.rosters import PAGE, number_in
from registry.queries.snapshots import blocks_of, sight_on

# From the ledgers to what belongs to them, for whoever may enter there.
_WAYS = (
    (gettext_lazy("报告"), "dropout:reports", Right.VIEW_REPORT),
    (gettext_lazy("户籍比对"), "dropout:households", Right.DECIDE),
    (gettext_lazy("档案转交"), "dropout:handed", Right.DECIDE),
    (gettext_lazy("下发名单"), "dropout:push", Right.PUSH_DROPOUT),
)
_SUSPICION_ACTS: dict[str, tuple[str, ...]] = {"report": (), "confirm": ("proof",), "visit": VISIT_FIELDS}
_ENTRY_ACTS: dict[str, tuple[str, ...]] = {"visit": VISIT_FIELDS, "hand": ()}


@requires(Right.VIEW_STUDENT)
@require_GET
def ledger_page(request: HttpRequest) -> HttpResponse:
    """One ledger of one office with the way down; one access entry with the pupils that were shown."""
    user: Any = request.user
    asked = ledgers.read_asked(user, request.GET)
    ledger = ledgers.read_ledger(user, asked)
    shown = [row["student_id"] for row in ledger.rows]
    record_list("student", shown, actor=user, route="dropout:ledgers", purpose=_("控辍保学"))
    context = {
        "ledger": ledger, "asked": asked, "totals": ledgers.read_totals(user, asked),
        "below": ledgers.read_below(user, asked.office), "ledgers": ledgers.LEDGERS,
        "shows": ledgers.SHOWS, "today": today(),
        "ways": [(words, route) for words, route, right in _WAYS if user.holds(right)],
    }  # fmt: skip
    return render(request, "dropout/ledgers.html", context)


@requires(Right.VIEW_STUDENT)
@require_http_methods(["GET", "POST"])
def suspicion(request: HttpRequest, pk: int) -> HttpResponse:
    """One suspected dropout; POST with an act: the written report, the authority's word, a visit."""
    user: Any = request.user
    entry = found_suspicion(user, pk)
    request.subject = entry  # type: ignore[attr-defined]
    refusal: Refusal | None = None
    if request.method == "POST":
        act = act_in(request, _SUSPICION_ACTS)
        try:
            messages.success(request, _suspicion_act(request, entry, act))
            return redirect("dropout:suspicion", pk)
        except Refusal as refused:
            refusal = shown_refusal(request, refused)
    context = _paper(user, entry, "dropout:suspicion", _("控辍保学"))
    above = authority_of(context["school"])
    context |= {
        "today": today(), "is_late": ledgers.is_late(entry), "choices": CHOICES,
        "sent": words_in(request), "refusal": refusal,
        "may_report": user.may_act_at(Right.REVIEW, entry.org_path) and not entry.reported_at,
        "may_answer": user.may_act_at(Right.FILE, entry.org_path),
        "may_confirm": above is not None and user.may_act_at(Right.DECIDE, above.path),
    }  # fmt: skip
    return render(request, "dropout/suspicion.html", context, status=refusal.status if refusal else 200)


def found_suspicion(user: Any, pk: int) -> SuspectedDropout:
    """Raises NotFound."""
    found: SuspectedDropout = _found(user, SuspectedDropout, pk)
    return found


def _paper(user: Any, entry: SuspectedDropout, route: str, purpose: str) -> dict[str, Any]:
    """What both pages of a suspicion show, also to the county that hosts the school; the look leaves its
    trace. Raises NotFound.
    """
    with reaching(user, entry):
        shown = {
            "entry": entry, "school": Organization.objects.get(path=entry.org_path),
            "visits": visits_of(entry.student_id), "card": ledgers.card_of(entry.student),
            "is_hosted": is_hosted(user, entry),
        }  # fmt: skip
    pupil = Student(pk=entry.student_id, org_path=entry.org_path)
    record_read(pupil, actor=user, route=route, purpose=purpose)
    return shown


def _suspicion_act(request: HttpRequest, entry: SuspectedDropout, act: str) -> str:
    user: Any = request.user
    if is_hosted(user, entry):  # she looks on: what is to be done is the school's and its authority's
        explain(user, Right.FILE, at=entry.org_path).or_raise()
    if act == "report":
        suspicions.report_in_writing(entry, actor=user)
        return _("已书面报告，报告对象和时间已留存，可打印。")
    if act == "confirm":
        suspicions.confirm(entry, actor=user, proof=request.POST.get("proof", ""))
        return _("已核实在校，销号。")
    return _visit(request, entry.student)


def _visit(request: HttpRequest, student: Student) -> str:
    user: Any = request.user
    attempt = absences.attempt_from(words_in(request), day_in(request, "on"))
    absences.visit(student, attempt, actor=user)
    return _("已登记劝返情况。")


@requires(Right.VIEW_STUDENT)
@require_GET
def written(request: HttpRequest, pk: int) -> HttpResponse:
    """The written report, to be printed: who, since when, what was tried, who was told and when."""
    user: Any = request.user
    entry = found_suspicion(user, pk)
    context = _paper(user, entry, "dropout:written", _("打印疑似辍学书面报告"))
    return render(request, "dropout/written.html", context)


@requires(Right.VIEW_STUDENT)
@require_http_methods(["GET", "POST"])
def dropout_entry(request: HttpRequest, pk: int) -> HttpResponse:
    """One entry of the ledger of dropouts with its visits; it closes by a case only."""
    user: Any = request.user
    entry = _found(user, DropoutEntry, pk)
    request.subject = entry  # type: ignore[attr-defined]
    refusal: Refusal | None = None
    if request.method == "POST":
        act = act_in(request, _ENTRY_ACTS)
        try:
            if act == "hand":
                handing.hand_over(entry, actor=user)
                messages.success(request, _("档案已转交户籍地县级教育行政部门。"))
            else:
                messages.success(request, _visit(request, entry.student))
            return redirect("dropout:entry", pk)
        except Refusal as refused:
            refusal = shown_refusal(request, refused)
    record_read(entry.student, actor=user, route="dropout:entry", purpose=_("控辍保学"))
    above = authority_of(Organization.objects.get(path=entry.org_path))
    context = {
        "entry": entry, "card": ledgers.card_of(entry.student), "visits": visits_of(entry.student_id),
        "reason": label("dropout_reason", entry.reason), "today": today(), "choices": CHOICES,
        "may_visit": user.may_act_at(Right.FILE, entry.org_path), "sent": words_in(request),
        "handed": HandedDropout.objects.filter(entry=entry).first(),
        "may_hand": above is not None and user.may_act_at(Right.DECIDE, above.path) and not entry.closed_on,
        "refusal": refusal,
    }  # fmt: skip
    return render(request, "dropout/entry.html", context, status=refusal.status if refusal else 200)


@requires(Right.DECIDE)
@require_GET
def handed(request: HttpRequest) -> HttpResponse:
    """Archives of migrant dropouts that her office handed over or received, newest first."""
    user: Any = request.user
    after = request.GET.get("after", "")
    rows = handing.seen_by(user)
    if after:
        rows = rows.filter(pk__lt=number_in(after))
    ids = list(rows.newest_first(user.acting_path).values_list("pk", flat=True)[: PAGE + 1])
    shown = list(HandedDropout.objects.filter(pk__in=ids[:PAGE]).order_by("-pk"))
    record_list("student", [row.student_id for row in shown], actor=user, route="dropout:handed")
    following = ids[PAGE - 1] if len(ids) > PAGE else None
    return render(request, "dropout/handed.html", {"rows": shown, "after": following})


@requires(Right.DECIDE)
@require_http_methods(["GET", "POST"])
def handed_one(request: HttpRequest, pk: int) -> HttpResponse:
    """One archive as it was handed over, masked; POST confirms that it came."""
    user: Any = request.user
    found = handing.open_handed(user, pk)
    request.subject = found  # type: ignore[attr-defined]
    if request.method == "POST":
        handing.receive(found, actor=user)
        messages.success(request, _("已接收。"))
        return redirect("dropout:handed_one", pk)
    pupil = Student(pk=found.student_id, org_path=found.org_path)
    record_read(pupil, actor=user, route="dropout:handed_one", purpose=_("控辍保学"))
    blocks = blocks_of(found, sight_on(user, found))
    may_receive = found.received_at is None and user.may_act_at(Right.DECIDE, found.to_path)
    context = {"handed": found, "blocks": blocks, "may_receive": may_receive}
    return render(request, "dropout/handed_one.html", context)


def _found(user: Any, model: Any, pk: int) -> Any:
    """A row of a ledger in scope; protected pupils of other offices are as if missing. Raises NotFound."""
    rows = model.objects.visible_to(user, Right.VIEW_STUDENT).exclude(student_id__in=hidden_from(user))
    found = rows.filter(pk=pk).first()
    if found is None:
        raise NotFound()
    return found
