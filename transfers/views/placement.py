"""分班: pupils who came without a class, a proposed spread, and the placement that registers them (D7)."""

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from accounts.rights import requires
from accounts.roles import Right
from audit.services import record_list
from config.clock import today
from config.errors import BadRequest, NotFound, Refusal
from registry.codes import label
from registry.models import ImportBatch, SchoolClass
from registry.services.intake_rules import seats_left
from registry.services.placement import batches_waiting, placement_due, read_waiting, spread, unplaced
from transfers.forms import class_number
from transfers.placement import place_and_register
from transfers.views.registration import own_school

MOST_SHOWN = 300  # pupils on one page; the next ones follow when these have a class


@requires(Right.FILE)
@require_http_methods(["GET", "POST"])
def placement(request: HttpRequest) -> HttpResponse:
    """GET proposes a class for each pupil of the chosen workbook; POST places them as the form says."""
    user: Any = request.user
    school = own_school(user)
    waiting = batches_waiting(school.path)
    batch = _chosen(request, waiting)
    refusal: Refusal | None = None
    choice: dict[int, int] = {}
    if request.method == "POST":
        if batch is None:
            raise NotFound()
        choice = _choice(request)
        try:
            case, is_late = place_and_register(
                batch, choice, actor=user, attested=request.POST.get("attested") == "1"
            )
            said = _("已编班 {n} 人。").format(n=len(choice))
            if is_late:
                said += _("已超过规定的编班期限，已标记为逾期。")
            if case is None:
                messages.success(request, said)
                return redirect(f"{reverse('transfers:placement')}?batch={batch.public_id}")
            messages.success(
                request, said + _("本批学生已全部编班，学籍注册已提交，办件号 {n}。").format(n=case.number)
            )
            return redirect("transfers:case", case.number)
        except Refusal as refused:
            refusal = refused
            request.refusal = refused  # type: ignore[attr-defined]
    context = {
        "waiting": waiting,
        "batch": batch,
        "due": placement_due(school.path, today()),
        "is_late": today() > placement_due(school.path, today())[0],
        "refusal": refusal,
    }
    if batch is not None:
        context |= _proposal(request, batch, choice)
    return render(request, "transfers/placement.html", context, status=refusal.status if refusal else 200)


def _chosen(request: HttpRequest, waiting: list[ImportBatch]) -> ImportBatch | None:
    """The workbook the request names, else the oldest. Raises NotFound for one that does not wait here."""
    asked = request.POST.get("batch", "") or request.GET.get("batch", "")
    if not asked:
        return waiting[0] if waiting and request.method == "GET" else None
    found = next((batch for batch in waiting if str(batch.public_id) == asked), None)
    if found is None and not (request.method == "GET" and _is_own(request, asked)):
        raise NotFound()
    return found


def _is_own(request: HttpRequest, asked: str) -> bool:
    """Whether the workbook is one of her school's, all of whose pupils have a class by now."""
    user: Any = request.user
    try:
        public_id = UUID(asked)
    except ValueError:
        return False
    own = ImportBatch.objects.visible_to(user, Right.FILE)
    return bool(own.filter(org_path=user.acting_path, public_id=public_id).exists())


def _choice(request: HttpRequest) -> dict[int, int]:
    """Spell → class from fields `pupil_<spell>`; an empty one leaves the pupil for later."""
    choice = {}
    for key in request.POST:
        head, _line, spell = key.partition("_")
        if head == "pupil" and class_number(spell):
            if chosen := class_number(request.POST[key]):
                choice[class_number(spell)] = chosen
        elif key not in ("csrfmiddlewaretoken", "batch", "attested"):
            raise BadRequest(why=_("不认识的字段 {keys}。").format(keys=key[:100]))
    return choice


def _proposal(request: HttpRequest, batch: ImportBatch, choice: dict[int, int]) -> dict[str, Any]:
    """The pupils of the page, each with the class typed or proposed, and the classes with their seats."""
    user: Any = request.user
    spells = unplaced(batch.org_path, batch)
    pupils = read_waiting(spells, MOST_SHOWN)
    record_list("student", [pupil.student for pupil in pupils], actor=user, route="transfers:placement")
    own = SchoolClass.objects.visible_to(user, Right.FILE).filter(org_path=batch.org_path, is_open=True)
    classes = list(own.filter(grade__in={pupil.grade for pupil in pupils}).order_by("grade", "number"))
    seats = seats_left((one.pk for one in classes), today())
    proposed = choice or spread(pupils, {one.pk: (one.grade, seats[one.pk]) for one in classes})
    after: dict[int, int] = {}
    for class_id in proposed.values():
        after[class_id] = after.get(class_id, 0) + 1
    return {
        "total": spells.count(),
        "classes": [(one, seats[one.pk], after.get(one.pk, 0)) for one in classes],
        "rows": [
            {
                "pupil": pupil,
                "sex_name": label("sex", pupil.sex),
                "grade_name": label("grade", pupil.grade),
                "options": [one for one in classes if one.grade == pupil.grade],
                "chosen": proposed.get(pupil.spell),
            }
            for pupil in pupils
        ],
        "left_out": sum(pupil.spell not in proposed for pupil in pupils),
    }
