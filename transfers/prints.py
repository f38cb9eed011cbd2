"""From a case, or a pupil's record, to the values of a printed form (archives.printing).

Paper shows what the page shows: masked where the page masks, the card alone where the reader does not see the
pupil. Whoever prints leaves a trace; the caller records it.
"""

from collections.abc import Callable, Mapping
from typing import Any

from django.conf import settings
from django.urls import reverse
from django.utils import timezone

from accounts.models import Organization, User
from archives.models import Handover, Material
from archives.printing.blocks import Opinion
from archives.printing.forms import FORMS
from archives.printing.render import render
from archives.services import open_material
from config.clock import now
from config.errors import NotFound
from registry.codes import label
from registry.fields import BY_KEY
from registry.models import SchoolClass, StatusChange, Student
from registry.queries.dossier import Dossier
from registry.queries.sight import mask
from registry.status import STATUSES
from transfers import asking
from transfers.casefile import CaseFile
from transfers.models import Case, Step
from transfers.tracking import code_of, forecast

RECEIPT, CARD = "case_receipt", "status_card"
# Papers of a certain moment: before it there is nothing to certify.
_AT_THE_END = frozenset(("transfer_certificate",))

# value of the form: key of the record
_PERSON = {
    "name": "name", "sex": "sex", "birth_date": "birth_on", "student_number": "status_number",
    "ethnic_group": "ethnic_group", "document_type": "id_type", "document_number": "id_number",
    "hukou_address": "hukou_division", "current_address": "current_address", "guardian": "member1_name",
    "guardian_relation": "member1_relation", "guardian_phone": "member1_phone", "grade": "grade",
    "entry_month": "entry_month",
}  # fmt: skip
_ON_CARD = _PERSON | {
    "former_name": "former_name", "nationality": "nationality", "political_status": "political_status",
    "health": "health_status", "native_place": "native_place", "birthplace": "birthplace",
    "hukou_place": "hukou_division", "hukou_type": "hukou_type", "overseas_status": "overseas_status",
    "inclusive_education": "inclusive_education", "disability_type": "disability", "is_orphan": "orphan",
    "is_only_child": "only_child", "left_behind": "left_behind", "is_migrant": "migrant_child",
    "is_martyr_child": "martyr_child", "admission_mode": "admission_mode",
    "attendance_mode": "attendance_mode", "home_address": "home_address", "phone": "phone",
    "postcode": "postcode",
}  # fmt: skip


def papers_of(file: CaseFile) -> list[tuple[str, str]]:
    """The forms that can be printed for a case now: code and title."""
    if file.case.student_id is None:
        return []
    codes = [RECEIPT, *file.kind.prints]
    is_done = file.case.state == Case.State.DONE
    return [(code, FORMS[code].title) for code in codes if is_done or code not in _AT_THE_END]


def print_case(file: CaseFile, code: str, user: User) -> bytes:
    """The form `code` of a case as PDF. Raises NotFound for a form that it does not have now."""
    if code not in {known for known, _title in papers_of(file)}:
        raise NotFound()
    case = file.case
    values: dict[str, Any] = {
        **_of_case(file),
        **_extras(code, file),
        "number": case.number,
        "url": address("transfers:track", code_of(case.number)),
        "caption": "扫码查询办理进度",
        "generated_at": now(),
        "printed_by": f"{user.acting_office_name} {user.name}",
        "evidence": [(paper.label, 1, "") for paper in file.papers if paper.type],
        "opinions": [_opinion(stage.step) for stage in file.stages] or None,
    }
    return _rendered(code, values)


def print_card(student: Student, dossier: Dossier, user: User) -> bytes:
    """学籍卡 of a pupil, with her photo and what changed. The QR leads to the record, for who may see it."""
    spell = dossier.record.enrolment
    photo = Material.objects.filter(student=student, kind=Material.Kind.PHOTO).order_by("-pk").first()
    changes = StatusChange.objects.filter(student=student).select_related("from_school", "to_school")
    values = {
        **_shown(dossier, _ON_CARD),
        "number": mask("status_number", student.number) or "未签发",
        "url": address("registry:student", student.public_id),
        "caption": "扫码打开学籍(须登录)",
        "generated_at": now(),
        "printed_by": f"{user.acting_office_name} {user.name}",
        "school": spell.school.name,
        "school_code": spell.school.code,
        "class_name": spell.school_class.name if spell.school_class else "",
        "status": dossier.status_name,
        "photo": open_material(photo) if photo else None,
        "family": [
            (
                mask(f"member{one.ordinal}_name", dossier.values.get(f"member{one.ordinal}_name", "")),
                label("guardian_relation_form", one.relation) if one.relation else "",
                "是" if one.is_guardian else "否",
                dossier.values.get(f"member{one.ordinal}_employer", ""),
                mask(f"member{one.ordinal}_phone", dossier.values.get(f"member{one.ordinal}_phone", "")),
            )
            for one in dossier.record.family
        ],
        "changes": [_change(one) for one in changes.order_by("-id")],
    }
    return _rendered(CARD, values)


def _rendered(code: str, values: Mapping[str, Any]) -> bytes:
    """The form with those of `values` that it prints."""
    printed = FORMS[code].keys()
    return render(code, {key: value for key, value in values.items() if key in printed})


def address(route: str, *args: Any) -> str:
    """A page of ours in full, for a square that a telephone reads."""
    return settings.ORIGIN.rstrip("/") + reverse(route, args=args)


def _shown(dossier: Dossier, wanted: Mapping[str, str]) -> dict[str, str]:
    """Values of a record as its page shows them: only what she may see, masked where it is."""
    found = {}
    for name, key in wanted.items():
        item, value = BY_KEY[key], dossier.values.get(key, "")
        if shown := dossier.sight.show(item, value):
            found[name] = shown
    return found


def _of_case(file: CaseFile) -> dict[str, Any]:
    """What every form of a case may say: the pupil, the schools, the answers."""
    case, answers = file.case, asking.answers_of(file.case, file.card)
    office = Organization.objects.get(path=case.to_path)
    said = dict(asking.in_words(file.kind, answers, asking.Asking(office, file.student)))
    by_key = {ask.key: said.get(ask.label, "") for ask in file.kind.asks}
    values: dict[str, Any] = {
        "name": file.card.get("name", ""),
        "sex": file.card.get("sex", ""),
        "birth_date": file.card.get("birth_on", ""),
        "document_number": file.card.get("id_mask", ""),
        "kind": file.kind.name,
        "office": case.to_name,
        "from_name": case.from_name,
        "to_name": case.to_name,
        "from_school": case.from_name,
        "to_school": case.to_name,
        "school": case.from_name,
        "filed_at": case.filed_at,
        "handler": case.filed_by_name,
        "phone": case.filed_by.phone if case.filed_by else "",
        "ground": by_key.get("reason", ""),
        "reason": by_key.get("statement", ""),
        **{
            key: by_key.get(key, "")
            for key in ("hospital", "diagnosed_on", "destination", "notice_served_on")
        },
        "tracking_code": _grouped(code_of(case.number)),
        "issued_on": timezone.localdate(case.ended_at or case.filed_at),
    }
    if file.dossier is not None:
        spell = file.dossier.record.enrolment
        values |= _shown(file.dossier, _PERSON)
        values |= {"school_code": spell.school.code,
                   "class_name": spell.school_class.name if spell.school_class else ""}  # fmt: skip
    return values


def _extras(code: str, file: CaseFile) -> dict[str, Any]:
    return _EXTRAS[code](file) if code in _EXTRAS else {}


def _receipt(file: CaseFile) -> dict[str, Any]:
    expected = forecast(file.case)
    phones = dict(
        Organization.objects.filter(path__in={stage.step.office_path for stage in file.stages}).values_list(
            "path", "contact_phone"
        )
    )
    return {
        "expected_on": f"约 {expected.half:%Y-%m-%d} 至 {expected.most:%Y-%m-%d}" if expected else "",
        "steps": [
            (stage.step.label, stage.step.office_name, f"到达后 {stage.step.days} 个工作日",
             phones.get(stage.step.office_path, ""))
            for stage in file.stages
        ],
        "remarks": "",
    }  # fmt: skip


def _transfer(file: CaseFile) -> dict[str, Any]:
    case = file.case
    change = StatusChange.objects.filter(case_no=case.number).first()
    handover = Handover.objects.filter(case_no=case.number).first()
    codes = dict(
        Organization.objects.filter(path__in=(case.from_path, case.to_path)).values_list("path", "code")
    )
    payload = case.payload
    return {
        "from_code": codes.get(case.from_path, ""),
        "to_code": codes.get(case.to_path, ""),
        "from_grade": label("grade", payload["grade"]) if payload.get("grade") else "",
        "grade": label("grade", payload["grade"]) if payload.get("grade") else "",
        "from_class": payload.get("from_class", ""),
        "class_name": payload.get("from_class", ""),
        "to_grade": label("grade", payload["to_grade"]) if payload.get("to_grade") else "",
        "to_class": payload.get("to_class", ""),
        "route": _ROUTES.get(str(case.lane).split(".")[1] if "." in case.lane else "", ""),
        "moved_on": change.effective_on if change else None,
        "pieces": str(handover.materials) if handover else "",
        "received_on": timezone.localdate(handover.received_at)
        if handover and handover.received_at
        else None,
        "receiver": handover.received_by_name if handover else "",
        "addressee": case.from_name,
        "issuer": case.to_name,
    }


def _certificate(file: CaseFile) -> dict[str, Any]:
    """The release school certifies: its own officer stands on the paper."""
    steps = [stage.step for stage in file.stages if stage.step.office_path == file.case.from_path]
    signer = steps[-1].decided_by if steps else None
    return _transfer(file) | {
        "handler": steps[-1].decided_by_name if steps else "",
        "phone": signer.phone if signer else "",
    }


_ROUTES = {"same": "同一主管部门", "city": "市内跨县区", "province": "省内跨市", "across": "跨省"}


def _change_of_state(file: CaseFile) -> dict[str, Any]:
    asked = file.case.payload.get("asked", {})
    to_class = _class_of(asked.get("class_id", ""), file.case.to_path)
    running = StatusChange.objects.filter(student=file.case.student_id, until__isnull=False).order_by("-id")
    last = running.first()
    return {
        "suspended_from": _day(asked.get("starts_on") or (last.effective_on if last else None)),
        "suspended_until": _day(asked.get("until") or (last.until if last else None)),
        "is_extension": "是" if file.kind.code == "extension" else "否",
        "suspension_ground": label("suspension_reason", last.reason) if last and last.reason else "",
        "suspension_number": last.case_no if last else "",
        "resumed_on": _day(asked.get("resumed_on") or asked.get("happened_on")),
        "to_grade": label("grade", to_class[0]) if to_class[0] else "",
        "to_class": to_class[1],
        "left_on": _day(asked.get("happened_on")),
    }


def _key_change(file: CaseFile) -> dict[str, Any]:
    return {"changes": [(one.label, one.before, one.after, "") for one in file.changes]}


_EXTRAS: dict[str, Callable[[CaseFile], dict[str, Any]]] = {
    RECEIPT: _receipt,
    "transfer_application": _transfer,
    "transfer_certificate": _certificate,
    "contact_letter": _transfer,
    "suspension_form": _change_of_state,
    "resumption_form": _change_of_state,
    "withdrawal_form": _change_of_state,
    "key_change_form": _key_change,
}


def _opinion(step: Step) -> Opinion:
    words = {"approve": "同意", "return": "退回补正", "refuse": "不同意"}.get(step.decision, "")
    text = "；".join(part for part in (words, step.reason) if part)
    on = timezone.localdate(step.decided_at) if step.decided_at else None
    return Opinion(step.label, text, step.office_name, step.decided_by_name, on)


def _change(one: StatusChange) -> tuple[str, str, str, str, str]:
    moved = one.to_school is not None and one.to_school_id != one.from_school_id
    before = one.from_school.name if moved else _where(one.from_grade, one.from_class, one.from_status)
    after = (
        one.to_school.name if moved and one.to_school else _where(one.to_grade, one.to_class, one.to_status)
    )
    return (
        one.effective_on.isoformat(), label("status_change_category", one.category), before, after,
        one.case_no,
    )  # fmt: skip


def _where(grade: str, school_class: str, status: str) -> str:
    return " ".join(part for part in (label("grade", grade) if grade else "", school_class,
                                      STATUSES[status].name) if part)  # fmt: skip


def _class_of(class_id: str, path: str) -> tuple[str, str]:
    if not class_id:
        return "", ""
    found = SchoolClass.objects.filter(pk=int(class_id), org_path=path).values_list("grade", "name").first()
    return found or ("", "")


def _day(value: Any) -> Any:
    return value or ""


def _grouped(code: str) -> str:
    return " ".join(code[n : n + 4] for n in range(0, len(code), 4))
