"""批量学籍注册: the pupils of one committed workbook, decided as one case (R-EST-04, R-EST-10). What can be
wrong is asked of all of them at once and named by row; single rows may be returned before the decision.
"""

from collections.abc import Iterable
from typing import Any

from django.db.models import Q
from django.utils.translation import gettext as _

from accounts.models import Organization, User
from archives.models import Material
from audit.services import Actor
from config.clock import today
from config.faults import fault
from config.scope import NATION
from registry.identity import NO_NUMBER_NEEDED
from registry.models import Enrolment, IdentityDocument, ImportBatch, ImportRow, SchoolClass
from registry.record import school_year_start
from registry.services.batches import confirm_all, continue_all, lock_pupils, take_back_all
from registry.services.intake_rules import ENTRY_GRADES, plan_state, quota_state, seats_left, stage_of
from registry.services.numbering import issue_temporary_all
from registry.status import PENDING
from transfers.kind import Advice, Facts, Kind, Party, Requirement, Subject
from transfers.kinds.effects import change_of
from transfers.kinds.enrolment import ENTERED, tell_destinations
from transfers.kinds.entry import OMITTED_REQUEST
from transfers.kinds.registration import DISPUTE_PAPERS, REASONS, ROUTE
from transfers.models import Case, rows_of
from transfers.outbox import NUMBER_BATCH, owe

# Pupils of one national check. An owed pack is named by its first row: whoever performs it counts from there.
PACK = 500
_MOST_NAMED = 8
Action = ImportRow.Action


def open_batch(school: Organization, *, payload: dict[str, Any], actor: User, batch: ImportBatch) -> Subject:
    """The pupils are pending already; nothing of theirs changes at filing."""
    return Subject(batch=batch)


def register_all(case: Case, actor: Actor) -> None:
    """The effect: continued records moved here, normal statuses, L numbers, and the national check promised
    in packs. All in the caller's transaction, under the case's reach.
    """
    rows = list(rows_of(case.batch_id).select_related("school_class").order_by("pk"))
    ids = sorted(row.student_id for row in rows if row.student_id is not None)
    pupils = lock_pupils(ids)
    continued = [row for row in rows if row.action == Action.CONTINUE]
    if continued:
        school = Organization.objects.get(path=case.to_path)
        graduates = continue_all(continued, school, change_of(case, ENTERED), actor=actor)
        grades = {row.student_id: row.school_class.grade for row in continued if row.school_class}
        tell_destinations(case, {pk: grade for pk, grade in grades.items() if pk in graduates}, actor=actor)
        held = Material.objects.filter(student_id__in=[row.student_id for row in continued])
        held.update(org_path=case.to_path)
        pupils = lock_pupils(ids)
    fault("batch.continued")
    confirm_all(ids, case.to_path, actor=actor)
    fault("batch.confirmed")
    issue_temporary_all(pupils, actor=actor)
    fault("batch.numbered")
    forget_cells(case)
    for row in rows[::PACK]:
        owe(NUMBER_BATCH, row.pk, NATION)


def undo(case: Case, actor: Actor, reason: str) -> None:
    """Take back what the batch still decides on; the same file may be handed in again."""
    assert case.batch_id is not None
    rows = rows_of(case.batch_id)
    created, continued = (
        list(rows.filter(action=action).values_list("student_id", flat=True))
        for action in (Action.CREATE, Action.CONTINUE)
    )
    take_back_all(created, continued, case.to_path, actor=actor, reason=reason)
    forget_cells(case)
    ImportBatch.objects.filter(pk=case.batch_id).update(state=ImportBatch.State.CANCELLED)


def forget_cells(case: Case) -> None:
    """What a continuation kept of its row until now is erased (RD-8)."""
    ImportRow.objects.filter(batch=case.batch_id, cells__isnull=False).update(cells=None)


# ── Conditions: an empty text when met, else which rows, what is wrong and what to do ────────────────────
def _named(numbers: Iterable[int]) -> str:
    """Row numbers in words, the first few by name; empty when there are none."""
    found = sorted(numbers)
    shown = "、".join(map(str, found[:_MOST_NAMED]))
    if len(found) > _MOST_NAMED:
        return _("第 {rows} 等 {n} 行").format(rows=shown, n=len(found))
    return _("第 {rows} 行").format(rows=shown) if found else ""


def _new_pupils(facts: Facts) -> dict[int, int]:
    """Pupil → row. A continued pupil keeps the document by which she was found, at another school."""
    rows = rows_of(facts.batch.pk).filter(action=Action.CREATE)
    return dict(rows.values_list("student_id", "number"))


def all_pending(facts: Facts) -> str:
    spells = Enrolment.objects.filter(org_path=facts.to_path, status=PENDING, is_void=False)
    pending = set(spells.values_list("student_id", flat=True))
    pupils = rows_of(facts.batch.pk).values_list("student_id", "number")
    rows = _named(number for pk, number in pupils if pk not in pending)
    return _("{rows}的学生已不是待核准状态，请退回这些学生。").format(rows=rows) if rows else ""


def documents_seen(facts: Facts) -> str:
    """The registrar has seen the originals; each new pupil has a document or, type Z, needs none."""
    if not facts.payload.get("attested"):
        return _("学校没有确认已逐一核验本批学生的有效身份证件原件，请退回学校。")
    pupils = _new_pupils(facts)
    usable = IdentityDocument.objects.filter(student_id__in=pupils).filter(
        Q(type=NO_NUMBER_NEEDED) | ~Q(mask="")
    )
    missing = pupils.keys() - set(usable.values_list("student_id", flat=True))
    if rows := _named(pupils[pk] for pk in missing):
        return _("{rows}的学生没有登记有效身份证件，请退回这些学生。").format(rows=rows)
    numberless = usable.filter(type=NO_NUMBER_NEEDED).values_list("student_id", flat=True)
    if rows := _named(pupils[pk] for pk in set(numberless)):
        said = _("{rows}的学生没有证件，须逐人补交在校就读证明（学生、监护人签字，学校盖章）。")
        return Advice(said.format(rows=rows))
    return ""


def disputes_have_evidence(facts: Facts) -> str:
    if facts.evidence_types & set(DISPUTE_PAPERS):
        return ""
    pupils = _new_pupils(facts)
    disputed = IdentityDocument.objects.filter(student_id__in=pupils, is_disputed=True)
    rows = _named(pupils[pk] for pk in set(disputed.values_list("student_id", flat=True)))
    return _("{rows}的证件号码存疑，没有佐证。请退回，逐人上传佐证。").format(rows=rows) if rows else ""


def _classes(facts: Facts) -> dict[int | None, tuple[str, str]]:
    """Class → name and grade, of the classes the batch fills; a closed one has no name."""
    wanted = rows_of(facts.batch.pk).values_list("school_class", flat=True).distinct()
    classes = SchoolClass.objects.filter(pk__in=[pk for pk in wanted if pk], is_open=True)
    known = {pk: (name, grade) for pk, name, grade in classes.values_list("pk", "name", "grade")}
    return {pk: known.get(pk or 0, ("", "")) for pk in wanted}


def seats_free(facts: Facts) -> str:
    classes = _classes(facts)
    if not all(name for name, _grade in classes.values()):
        return _("有班级已停用，请退回学校重新分班。")
    seats = seats_left((pk for pk in classes if pk), today())
    over = sorted((classes[pk][0], *seat) for pk, seat in seats.items() if seat.taken > seat.cap)
    if not over:
        return ""
    words = "；".join(
        _("{name}已有 {taken} 人，上限 {cap} 人").format(name=name, taken=taken, cap=cap)
        for name, taken, cap, _why in over[:_MOST_NAMED]
    )
    return f"{words}。{over[0][3]}"


def plan_kept(facts: Facts) -> str:
    year, school = school_year_start(today()).year, facts.batch.school.school
    stages = {stage_of(grade) for _name, grade in _classes(facts).values() if grade in ENTRY_GRADES}
    states = [plan_state(school, year, stage, today()) for stage in sorted(stages)]
    over = [places for places in states if places is not None and places.over]
    if not over:
        return ""
    said = "".join(
        _("已注册新生 {taken} 人，超出计划 {over} 人。{why}").format(
            taken=places.taken, over=places.over, why=places.why
        )
        for places in over
    )
    return said if any(places.mode == "block" for places in over) else Advice(said)


def quota_kept(facts: Facts) -> str:
    stages = {stage_of(grade) for _name, grade in _classes(facts).values() if grade}
    states = [quota_state(facts.batch.school.school, stage, today()) for stage in sorted(stages)]
    return "".join(
        _("该学段现有学籍 {taken} 人，超出总量 {over} 人。{why}").format(
            taken=places.taken, over=places.over, why=places.why
        )
        for places in states
        if places is not None and places.over
    )


def omitted_has_request(facts: Facts) -> str:
    if not facts.payload.get("is_omitted") or OMITTED_REQUEST in facts.evidence_types:
        return ""
    return Advice(_("含非起始年级或注册截止后登记的学生，按补录由县级核准，请核对加盖学校公章的补录申请。"))


REGISTRATION_BATCH = Kind(
    code="registration_batch",
    name="批量学籍注册",
    prefix="ZC",
    article="第六条",
    started_by=Party.TAKE_OVER_SCHOOL,
    open=open_batch,
    requirements=(
        Requirement("pending", "学籍待核准", "R-EST-04", "第六条", all_pending),
        Requirement("document", "凭有效身份证件登记", "R-EST-03", "第六条", documents_seen),
        Requirement("dispute", "存疑号码有佐证", "R-EST-08", "第九条", disputes_have_evidence),
        Requirement("seat", "班额未超", "C5", "国家班额标准", seats_free),
        Requirement("plan", "招生计划未超", "INTAKE_PLAN", "地方招生入学规定", plan_kept),
        Requirement("quota", "学籍总量未超", "QUOTA", "地方学籍总量规定", quota_kept),
        Requirement("omitted", "补录申请", "R-EST-13", "地方学籍管理规定", omitted_has_request),
    ),
    reasons=REASONS,
    route=ROUTE,
    effect=register_all,
    undo=undo,
)
