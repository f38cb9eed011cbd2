"""What a change of a school or office would do, as data: made from the form, checked, and made again before
it is done.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from accounts.models import Organization
from config.clock import today
from config.scope import ancestors, common_path
from registry.codes import choices
from registry.findings import Finding, errors
from registry.form_values import parse_date
from registry.models import Attendance, Enrolment, OfficeVersion, School
from registry.reorganizing import objections as no
from registry.reorganizing.classes import renumbered
from registry.reorganizing.refusals import PlanRefused
from registry.services.intake_rules import stage_of
from registry.status import OPEN

Kind = Organization.Kind
FOUND, RENAME, MERGE = "office_found", "office_rename", "office_merge"
CLOSE, ALTER, REHANG = "office_close", "office_alter", "office_rehang"
NAMES = {
    FOUND: "单位设立",
    RENAME: "单位更名",
    MERGE: "单位合并",
    CLOSE: "单位撤销",
    ALTER: "关键信息变更",
    REHANG: "变更主管部门",
}
LABELS = {
    "office": "单位", "office_kind": "单位类型", "name": "名称", "code": "代码", "target": "承接单位",
    "parent": "主管部门", "running_type": "办学类型", "ownership": "办别", "stages": "学段",
    "schooling": "学制", "address": "地址", "principal": "校长", "phone": "电话", "document_no": "批复文号",
    "document_by": "批复机关", "document_on": "批复日期",
}  # fmt: skip
MOST = {"name": 100, "address": 200, "principal": 50, "phone": 30, "document_no": 100, "document_by": 100}
DOCUMENT = ("document_no", "document_by", "document_on")
OF_SCHOOL = ("running_type", "ownership", "stages", "schooling")
CATEGORY_STAGES = {"21": {"2"}, "31": {"2", "3"}, "34": {"2", "3", "4"}, "37": set("234"), "51": set("234A")}
TAUGHT = {"21": "2", "31": "3", "34": "4"}  # the stage that a category stands for
LISTS = {"running_type": "school_running_type", "ownership": "school_ownership", "stages": "school_stage"}
STAGES = ("2", "3", "4", "A")


@dataclass(frozen=True, slots=True)
class Plan:
    """One change, complete: which office, what it becomes, where its rows go. All that execution needs.

    `old_path` → `new_path` is the move; equal or empty when nothing moves. `classes` are id, number and name
    before and after.
    """

    kind: str
    kind_name: str
    at: str
    is_school: bool
    office: int | None
    office_name: str
    old_path: str
    new_path: str
    values: dict[str, str]
    target: int | None = None
    target_name: str = ""
    parent: int | None = None
    office_kind: str = ""
    division: str = ""
    classes: list[tuple[int, str, str, str, str]] = field(default_factory=list)

    @property
    def moves(self) -> bool:
        return bool(self.new_path) and self.old_path not in ("", self.new_path)

    @property
    def ends_office(self) -> bool:
        return self.kind in (MERGE, CLOSE)

    @property
    def frozen(self) -> list[str]:
        """The offices at which nothing new may begin while it runs."""
        joins = self.kind == MERGE and self.is_school
        return [path for path in (self.old_path, self.new_path if joins else "") if path]

    @property
    def reach(self) -> str:
        """The path that covers everything it touches."""
        ends = [path for path in (self.old_path, self.new_path) if path]
        return common_path(ends[0], ends[-1]) if ends else self.at

    def as_json(self) -> dict[str, Any]:
        return asdict(self) | {"classes": [list(one) for one in self.classes]}


def plan_of(data: Mapping[str, Any]) -> Plan:
    """The plan that a row keeps."""
    return Plan(**{**data, "classes": [tuple(one) for one in data["classes"]]})


def remade(plan: Plan) -> Plan:
    """The same intention planned from today's facts. Raises PlanRefused."""
    office = Organization.objects.filter(pk=plan.office).first() if plan.office else None
    return make_plan(plan.kind, Organization.objects.get(path=plan.at), office, plan.values)


def make_plan(kind: str, at: Organization, office: Organization | None, given: Mapping[str, str]) -> Plan:
    """Plan `kind` for `office` (none for a new one) as the authority `at` asks for it.

    Raises PlanRefused with everything that is wrong.
    """
    draft = _Draft(
        kind, at, office, {key: " ".join(str(text).split()) for key, text in given.items() if text}
    )
    draft.check()
    found = errors(draft.found)
    if found:
        raise PlanRefused(findings=found, count=len(found))
    return draft.plan()


class _Draft:
    """A plan being made: values, offices they name, and what is wrong with them."""

    def __init__(
        self, kind: str, at: Organization, office: Organization | None, values: dict[str, str]
    ) -> None:
        self.kind, self.at, self.office, self.values = kind, at, office, values
        self.found: list[Finding] = []
        self.target: Organization | None = None
        self.parent: Organization | None = None
        self.new_path = ""
        self.school = School.objects.filter(organization=office).first() if office else None
        self.is_school = self.school is not None if office else values.get("office_kind") == Kind.SCHOOL

    def plan(self) -> Plan:
        office = self.office
        parent = self.parent or (office.parent if office and self.kind in (ALTER, REHANG) else None)
        return Plan(
            kind=self.kind,
            kind_name=NAMES[self.kind],
            at=self.at.path,
            is_school=self.is_school,
            office=office.pk if office else None,
            office_name=office.name if office else self.values["name"],
            old_path=office.path if office else "",
            new_path=self.new_path,
            values=self.values,
            target=self.target.pk if self.target else None,
            target_name=self.target.name if self.target else "",
            parent=parent.pk if parent else None,
            office_kind=office.kind if office else self.values["office_kind"],
            division=office.division if office else (self.parent.division if self.parent else ""),
            classes=self.joined_classes(),
        )

    def joined_classes(self) -> list[tuple[int, str, str, str, str]]:
        if self.kind != MERGE or not self.is_school or self.office is None or self.target is None:
            return []
        return renumbered(self.office, self.target)

    # ── Checks ────────────────────────────────────────────────────────────────────────────────────────────
    def say(self, objection: Any, key: str, **words: Any) -> None:
        self.found.append(objection.at(key, label=LABELS.get(key, key), **words))

    def check(self) -> None:
        self.document()
        if self.office is None and self.kind != FOUND:
            self.say(no.NOT_BELOW, "office")
            return
        if self.office is not None and not self.is_below(self.office):
            self.say(no.NOT_BELOW, "office")
            return
        match self.kind:
            case "office_found":
                self.founding()
            case "office_rename":
                self.renaming()
            case "office_merge":
                self.merging()
            case "office_close":
                self.closing()
            case "office_alter":
                self.altering()
            case "office_rehang":
                self.rehanging()

    def is_below(self, office: Organization) -> bool:
        below = office.path.startswith(self.at.path) and office.path != self.at.path
        return below and (office.valid.upper is None or office.valid.upper > today())

    def needs(self, *keys: str) -> bool:
        absent = [key for key in keys if not self.values.get(key)]
        for key in absent:
            self.say(no.MISSING, key)
        for key in keys:
            if len(self.values.get(key, "")) > MOST.get(key, 100):
                self.say(no.TOO_LONG, key, most=MOST.get(key, 100))
        return not absent

    def document(self) -> None:
        """文号, 发文机关, 日期: every change rests on a document."""
        if self.needs(*DOCUMENT):
            day = parse_date(self.values["document_on"])
            if day is None or day > today():
                self.say(no.NO_DAY, "document_on")
            else:
                self.values["document_on"] = day.isoformat()

    def named_office(self, key: str, *, or_at: bool = False) -> Organization | None:
        """The office that the form names under `key`, inside the authority's reach."""
        text = self.values.get(key, "")
        if not text:
            self.say(no.MISSING, key)
            return None
        found = Organization.objects.filter(pk=int(text) if text.isascii() and text.isdigit() else 0).first()
        if found is None or not (self.is_below(found) or (or_at and found.path == self.at.path)):
            self.say(no.NOT_BELOW, key)
            return None
        if self.office is not None and found.path.startswith(self.office.path):
            self.say(no.SAME_OFFICE, key)
            return None
        return found

    def name_is_free(self, parent: int | None, name: str) -> None:
        same = Organization.objects.filter(parent=parent, name=name, valid__contains=today())
        if same.exclude(pk=self.office.pk if self.office else 0).exists():
            self.say(no.NAME_TAKEN, "name", name=name)

    def founding(self) -> None:
        kind = self.values.get("office_kind", "")
        if kind not in (Kind.SCHOOL, Kind.COUNTY, Kind.CITY):
            self.say(no.UNKNOWN, "office_kind")
            return
        self.parent = self.named_office("parent", or_at=True)
        if not self.needs("name", "code") or self.parent is None:
            return
        self.name_is_free(self.parent.pk, self.values["name"])
        if kind == Kind.SCHOOL:
            self.needs(*OF_SCHOOL)
            self.school_values()
        self.code(self.values["code"], kind, self.parent)
        self.has_authority(self.parent)

    def renaming(self) -> None:
        assert self.office is not None
        if self.needs("name"):
            if self.values["name"] == self.office.name:
                self.say(no.SAME_NAME, "name")
            self.name_is_free(self.office.parent_id, self.values["name"])

    def merging(self) -> None:
        assert self.office is not None
        self.target = target = self.named_office("target")
        if target is None:
            return
        if target.kind != self.office.kind:
            self.say(no.OTHER_KIND, "target")
            return
        self.new_path = target.path
        if self.school is None:
            self.path_is_free(target.path)
            return
        there = target.school
        self.stages_taught(there.stages, target.name, "target")
        if there.schooling != self.school.schooling:
            self.say(no.SCHOOLING_DIFFERS, "target", here=self.school.schooling, there=there.schooling)
        pair = [self.office.pk, target.pk]
        if Attendance.objects.filter(host__in=pair, home__in=pair, valid__contains=today()).exists():
            self.say(no.GUESTS_BETWEEN, "target")

    def closing(self) -> None:
        """G-17: nobody is left, nothing stands below, the archives have somebody who keeps them."""
        assert self.office is not None
        pupils = Enrolment.objects.within(self.office.path).filter(status__in=OPEN, is_void=False).count()
        if pupils:
            self.say(no.PUPILS_LEFT, "office", count=pupils)
        below = Organization.objects.within(self.office.path).filter(valid__contains=today())
        below = below.exclude(pk=self.office.pk)
        if count := below.count():
            self.say(no.OFFICES_LEFT, "office", count=count)
        self.target = self.named_office("target", or_at=True)
        if self.target is not None:
            self.new_path = self.target.path

    def altering(self) -> None:
        assert self.office is not None
        self.parent = self.office.parent
        changes = {key for key in (*OF_SCHOOL, "code") if self.values.get(key)}
        if self.school is not None:
            present = {key: getattr(self.school, key) for key in OF_SCHOOL} | {"code": self.school.code}
            present["stages"] = ",".join(self.school.stages)
        else:
            present = {"code": self.office.division[:6]}
        changed = {key for key in changes if self.values[key] != present.get(key)}
        if not changed:
            self.say(no.NOTHING_NEW, "office")
            return
        self.school_values()
        if self.school is not None and self.values.get("stages"):
            self.stages_taught(self.values["stages"].split(","), self.office.name, "stages")
        if "code" in changed and self.parent is not None:
            self.code(self.values["code"], self.office.kind, self.parent)
        elif self.school is not None and {"stages"} & changed:
            self.code_fits(self.school.code)

    def rehanging(self) -> None:
        assert self.office is not None
        self.parent = parent = self.named_office("parent", or_at=True)
        if parent is None:
            return
        if parent.pk == self.office.parent_id:
            self.say(no.SAME_PARENT, "parent")
            return
        if parent.kind == Kind.SCHOOL:
            self.say(no.NO_AUTHORITY, "parent")
            return
        self.has_authority(parent)
        self.new_path = path_under(parent, self.office.kind, self.office.code, self.office)
        self.path_is_free(self.new_path)

    # ── What several kinds look at ────────────────────────────────────────────────────────────────────────
    def has_authority(self, parent: Organization) -> None:
        line = Organization.objects.filter(path__in=ancestors(parent.path), is_authority=True)
        if not line.exists():
            self.say(no.NO_AUTHORITY, "parent")

    def school_values(self) -> None:
        for key, name in LISTS.items():
            known = {code for code, _label in choices(name)}
            wanted = self.values.get(key, "").split(",") if self.values.get(key) else []
            if any(code not in known for code in wanted):
                self.say(no.UNKNOWN, key)
        if self.values.get("schooling", "6-3") not in ("6-3", "5-4"):
            self.say(no.UNKNOWN, "schooling")

    def code(self, code: str, kind: str, parent: Organization) -> None:
        """A code nobody ever had, of the right form, that makes a path nobody has (B3)."""
        if kind == Kind.SCHOOL:
            self.code_fits(code, parent)
        elif not _is_division(code, parent, kind):
            self.say(no.OFFICE_CODE_FORM, "code")
            return
        used = (
            School.objects.filter(code=code).exists()
            or Organization.objects.filter(code=code).exists()
            or OfficeVersion.objects.filter(code=code).exists()
        )
        if used:
            self.say(no.CODE_USED, "code", code=code)
            return
        self.new_path = path_under(parent, kind, code, None)
        if self.office is None and Organization.objects.filter(path=self.new_path).exists():
            self.say(no.CODE_USED, "code", code=code)
        elif self.office is not None:
            self.path_is_free(self.new_path)

    def code_fits(self, code: str, parent: Organization | None = None) -> None:
        if not (code.isascii() and code.isdigit() and len(code) == 10):
            self.say(no.CODE_FORM, "code")
            return
        if code[:2] not in CATEGORY_STAGES:
            self.say(no.CODE_CATEGORY, "code", digits=code[:2])
            return
        province = self.at.path if parent is None else parent.path
        digits = (province.split(".") + [""])[1]
        if digits and code[2:4] != digits:
            self.say(no.CODE_PROVINCE, "code", digits=code[2:4], province=digits)
        stages = self.values.get("stages", ",".join(self.school.stages) if self.school else "").split(",")
        wanted = TAUGHT.get(code[:2])
        if not set(stages) <= CATEGORY_STAGES[code[:2]] or (wanted and wanted not in stages):
            self.say(no.CODE_STAGES, "code")

    def stages_taught(self, stages: list[str], name: str, key: str) -> None:
        """Every stage of the office's open statuses is among `stages`."""
        assert self.office is not None
        grades = Enrolment.objects.filter(org_path=self.office.path, status__in=OPEN, is_void=False)
        have = {stage_of(grade) for grade in grades.order_by().values_list("grade", flat=True).distinct()}
        if missing := sorted(have - set(stages)):
            words = dict(choices("school_stage"))
            self.say(no.STAGES_MISSING, key, name=name, stages="、".join(words[one] for one in missing))

    def path_is_free(self, new_path: str) -> None:
        """No office that moves meets another one at its new path; the successor itself is expected there."""
        assert self.office is not None
        old = self.office.path
        moving = Organization.objects.within(old).exclude(pk=self.office.pk).values_list("path", flat=True)
        wanted = [new_path + path[len(old) :] for path in moving]
        if self.kind != MERGE:
            wanted.append(new_path)
        taken = Organization.objects.filter(path__in=wanted).order_by("path")
        if names := list(taken.values_list("name", flat=True)[:5]):
            self.say(no.PATH_TAKEN, "target" if self.kind == MERGE else "code", names="、".join(names))


def path_under(parent: Organization, kind: str, code: str, office: Organization | None) -> str:
    """Where an office of this kind and code stands under `parent`: schools by their code, divisions by the
    digits that their superior leaves open (docs/decisions/0002).
    """
    if kind in (Kind.COUNTY, Kind.CITY):
        digits = (office.division if office else code)[:6]
        above = 2 if kind == Kind.CITY or parent.kind == Kind.PROVINCE else 4
        return f"{parent.path}{digits[above : 6 if kind == Kind.COUNTY else 4]}."
    segment = office.path.rstrip(".").rpartition(".")[2] if office else code
    return f"{parent.path}{segment}."


def _is_division(code: str, parent: Organization, kind: str) -> bool:
    """Six digits that belong to the parent's division, of the level that is asked for."""
    if not (code.isascii() and code.isdigit() and len(code) == 6):
        return False
    kept = 2 if kind == Kind.CITY or parent.kind == Kind.PROVINCE else 4
    is_level = code.endswith("00") if kind == Kind.CITY else not code.endswith("00")
    return code[:kept] == parent.division[:kept] and is_level
