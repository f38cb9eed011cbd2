"""A batch's case as its page shows it: figures, warnings, a random sample, and all rows in pages."""

import secrets
from dataclasses import dataclass, field
from typing import Any

from django.db.models import CharField, Count, Min, Value
from django.db.models.functions import MD5, Cast, Concat
from django.utils.translation import gettext_lazy

from accounts.models import User
from accounts.roles import Right
from audit.services import record_list
from config.clock import today
from config.errors import NotFound
from config.rules import RuleInForce, rule
from registry.codes import label
from registry.fields import BY_KEY
from registry.models import Enrolment, ImportBatch, ImportFinding, ImportRow, SchoolClass, Student
from registry.queries.rosters import last_documents
from registry.queries.sight import HEALTH_KEYS, mask_in_list
from registry.services.intake_rules import Seats, seats_left
from registry.status import STATUSES
from transfers.models import Case, rows_of

PAGE = 50
SAMPLE = 5
GROUPS = {
    "minority": gettext_lazy("少数民族"),
    "migrant": gettext_lazy("随迁子女"),
    "left_behind": gettext_lazy("留守儿童"),
    "no_number": gettext_lazy("没有证件号码"),
    "continued": gettext_lazy("接续原学籍"),
    "distinct": gettext_lazy("确认不是同一人"),
}


@dataclass(frozen=True, slots=True)
class ClassLine:
    """The pupils of one class in this batch, and the class with them in it."""

    name: str
    grade: str
    boys: int
    girls: int
    seats: Seats

    @property
    def total(self) -> int:
        return self.boys + self.girls


@dataclass(frozen=True, slots=True)
class Doubt:
    """One kind of warning that the check gave, and at how many rows."""

    field: str
    message: str
    rule: str
    article: str
    rows: int


@dataclass(slots=True)
class BatchFile:
    """What the reviewer sees of a batch beside route and checks. Counts, no pupil."""

    batch: ImportBatch
    count: int
    returned: int
    is_attested: bool
    copies_within: RuleInForce
    classes: list[ClassLine] = field(default_factory=list)
    ages: list[tuple[int, int]] = field(default_factory=list)
    groups: list[tuple[str, str, int]] = field(default_factory=list)
    doubts: list[Doubt] = field(default_factory=list)


def open_batch_file(case: Case, user: User) -> BatchFile:
    """A constant number of queries, however many rows there are."""
    assert case.batch is not None
    figures: dict[str, int] = case.payload["figures"]
    ages = sorted((int(key[4:]), count) for key, count in figures.items() if key.startswith("age."))
    return BatchFile(
        batch=case.batch,
        count=case.count,
        returned=_all_rows(case, user).exclude(returned_case="").count(),
        is_attested=bool(case.payload["attested"]),
        copies_within=rule("ARCHIVE_DEADLINE", at=case.to_path, on=today()),
        classes=_classes(figures),
        ages=ages,
        groups=[(key, str(words), figures.get(key, 0)) for key, words in GROUPS.items()],
        doubts=_doubts(case, user),
    )


def _classes(figures: dict[str, int]) -> list[ClassLine]:
    counted: dict[int, dict[str, int]] = {}
    for key, count in figures.items():
        part, _dot, rest = key.partition(".")
        if part == "class":
            pk, _dot, sex = rest.partition(".")
            counted.setdefault(int(pk), {})[sex] = count
    seats = seats_left(counted, today())
    classes = SchoolClass.objects.filter(pk__in=counted).order_by("grade", "number")
    return [
        ClassLine(name, label("grade", grade), counted[pk].get("1", 0), counted[pk].get("2", 0), seats[pk])
        for pk, name, grade in classes.values_list("pk", "name", "grade")
    ]


def _findings(case: Case, user: User) -> Any:
    """Warnings about the pupils of the case; those on health for who may see health (AZ-4)."""
    found = ImportFinding.objects.visible_to(user, Right.VIEW_CASE).filter(level="warning")
    found = found.filter(batch=case.batch_id, row__in=rows_of(case.batch_id).values("pk"))
    if any(case.to_path.startswith(path) for path in user.scope_paths(Right.VIEW_HEALTH)):
        return found
    return found.exclude(field__in=HEALTH_KEYS)


def _doubts(case: Case, user: User) -> list[Doubt]:
    groups = _findings(case, user).values("field", "code", "rule", "article").order_by()
    counted = groups.annotate(rows=Count("number", distinct=True), message=Min("message"))
    return [
        Doubt(_label(row["field"]), row["message"], row["rule"], row["article"], row["rows"])
        for row in counted.order_by("-rows", "field", "code")
    ]


def _label(key: str) -> str:
    return BY_KEY[key].label_zh if key in BY_KEY else ""


# ── Rows ─────────────────────────────────────────────────────────────────────────────────────────────────
@dataclass(slots=True)
class Rows:
    """Some rows of a batch, masked as lists are; `after` is the row number to go on after."""

    rows: list[dict[str, Any]]
    total: int
    after: int | None = None
    seed: int = 0

    def leave_trace(self, user: User, route: str, purpose: str = "") -> None:
        """One access entry with the pupils shown (RD-3)."""
        ids = [row["student_id"] for row in self.rows]
        record_list("student", ids, actor=user, route=route, purpose=purpose)


def _all_rows(case: Case, user: User) -> Any:
    """Rows that became pupils, returned ones too."""
    rows = ImportRow.objects.visible_to(user, Right.VIEW_CASE).filter(batch=case.batch_id)
    return rows.filter(student__isnull=False).exclude(action=ImportRow.Action.WRONG)


def draw_sample(case: Case, user: User, seed: str) -> Rows:
    """A few rows by chance: the smallest MD5 of "seed:row number". The same seed draws the same rows of the
    same batch, so that what was looked at can be drawn again from the trace. Raises NotFound for no seed.
    """
    chosen = _number(seed) if seed else secrets.randbelow(10**9)
    rows = rows_of(case.batch_id).visible_to(user, Right.VIEW_CASE)
    draw = MD5(Concat(Value(f"{chosen}:"), Cast("number", CharField())))
    found = list(rows.annotate(draw=draw).defer("cells").order_by("draw")[:SAMPLE])
    return Rows(_dress(sorted(found, key=lambda row: row.number), case, user), case.count, seed=chosen)


def read_rows(case: Case, user: User, after: str) -> Rows:
    """The rows after the one of that number, in the order of the workbook. Constant queries."""
    rows = _all_rows(case, user)
    total = rows.count()
    if after:
        last = rows.filter(number=_number(after)).values_list("number", flat=True).first()
        if last is None:
            raise NotFound()
        rows = rows.filter(number__gt=last)
    found = list(rows.defer("cells").order_by("number")[: PAGE + 1])
    following = found[PAGE - 1].number if len(found) > PAGE else None
    return Rows(_dress(found[:PAGE], case, user), total, following)


def _dress(rows: list[ImportRow], case: Case, user: User) -> list[dict[str, Any]]:
    """What lists show of these rows. The spell tells name and class; the record of a continued pupil lies at
    another school until the case is decided, so it is asked for apart.
    """
    ids = [row.student_id for row in rows if row.student_id is not None]
    own = Enrolment.objects.visible_to(user, Right.VIEW_STUDENT).filter(student_id__in=ids)
    own = own.filter(org_path=case.to_path).order_by("student_id", "-id").distinct("student_id")
    spells = {spell["student_id"]: spell for spell in own.values("student_id", "name", "sex", "status")}
    names = SchoolClass.objects.filter(pk__in={row.school_class_id for row in rows})
    classes = dict(names.values_list("pk", "name"))
    seen = Student.objects.visible_to(user, Right.VIEW_STUDENT).filter(pk__in=ids)
    students = {
        pk: (public_id, number) for pk, public_id, number in seen.values_list("pk", "public_id", "number")
    }
    documents = last_documents(ids, user)
    doubts: dict[int, list[str]] = {}
    for row_id, message in _findings(case, user).filter(row__in=rows).values_list("row_id", "message"):
        doubts.setdefault(row_id, []).append(message)
    dressed = []
    for row in rows:
        pk = row.student_id or 0
        spell = spells.get(pk)
        public_id, number = students.get(pk, (None, ""))
        dressed.append({
            "row": row.number,
            "student_id": pk,
            "public_id": public_id,
            "name": spell["name"] if spell else "",
            "sex_name": label("sex", spell["sex"]) if spell else "",
            "class_name": classes.get(row.school_class_id or 0, ""),
            "number": mask_in_list(number),
            "document": documents.get(pk, ""),
            "status": spell["status"] if spell else "",
            "status_name": STATUSES[spell["status"]].name if spell else "",
            "continues": row.action == ImportRow.Action.CONTINUE,
            "distinct_reason": row.distinct_reason,
            "doubts": doubts.get(row.pk, []),
            "returned_case": row.returned_case,
            # A continued pupil has left without a case of her own.
            "is_ended": row.returned_case == case.number,
        })  # fmt: skip
    return dressed


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise NotFound()
    return int(text)
