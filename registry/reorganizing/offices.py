"""The offices themselves: founding, names, posts, what they had set, their place in the tree, their end."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from django.db import connection
from django.db.backends.postgresql.psycopg_any import DateRange

from accounts.models import OfficeGrant, Organization, Post
from audit.services import record
from config.models import RuleValue
from registry.models import OfficeVersion, School
from registry.reorganizing.plan import ALTER, LABELS, MERGE, OF_SCHOOL

if TYPE_CHECKING:
    from registry.reorganizing.execute import Run

# The columns of a post are copied as they are, whatever is added to it.
_NOT_COPIED = ("id", "office_id", "valid")


def found(run: Run, room: int) -> int:
    """设立: the office, and what a school is beyond it. Safe to repeat: the path is unique."""
    plan, values = run.plan, run.plan.values
    if Organization.objects.filter(path=plan.new_path).exists():
        return 0
    assert plan.parent is not None
    parent = Organization.objects.get(pk=plan.parent)
    office = Organization.objects.create(
        kind=plan.office_kind,
        code=values["code"],
        name=values["name"],
        path=plan.new_path,
        parent=parent,
        division=parent.division if plan.is_school else values["code"],
        is_authority=not plan.is_school,
        valid=DateRange(run.day, None),
        contact_phone=values.get("phone", ""),
    )
    if plan.is_school:
        School.objects.create(
            organization=office,
            code=values["code"],
            running_type=values["running_type"],
            ownership=values["ownership"],
            stages=values["stages"].split(","),
            schooling=values["schooling"],
            address=values.get("address", ""),
            principal=values.get("principal", ""),
            phone=values.get("phone", ""),
        )
    _tell(run, office)
    return 1


def rename(run: Run, room: int) -> int:
    """更名: the code stays; open cases keep the name under which they were filed."""
    office = _own(run)
    _keep_version(run, office)
    office.name = run.plan.values["name"]
    office.save(update_fields=["name"])
    _tell(run, office, before=run.plan.office_name)
    return 1


def alter(run: Run, room: int) -> int:
    """关键信息变更: what the code base says about the school; a new code voids the old one."""
    office, values = _own(run), run.plan.values
    if not run.plan.moves:
        _keep_version(run, office)
    changed = [key for key in (*OF_SCHOOL, "code") if values.get(key)]
    if run.plan.is_school:
        fields: dict[str, Any] = {key: values[key] for key in changed if key != "stages"}
        if "stages" in changed:
            fields["stages"] = values["stages"].split(",")
        School.objects.filter(pk=office.pk).update(**fields)
    _tell(run, office, what="、".join(LABELS[key] for key in changed))
    return 1


def hand_over_posts(run: Run, room: int) -> int:
    """Whoever holds a post at the office holds it at the successor from the day on; with the office closed,
    the posts end.
    """
    columns = [str(one.column) for one in Post._meta.concrete_fields if one.column not in _NOT_COPIED]
    listed = ", ".join(columns)
    plan, day = run.plan, run.day
    running = "p.office_id = %s AND (upper_inf(p.valid) OR upper(p.valid) > %s)"
    ahead = "daterange(greatest(lower(p.valid), %s), upper(p.valid))"
    with connection.cursor() as cursor:
        if plan.kind == MERGE:
            cursor.execute(
                f"INSERT INTO accounts_post (office_id, valid, {listed}) SELECT %s, {ahead}, {listed}"
                f" FROM accounts_post p WHERE {running} AND NOT EXISTS (SELECT FROM accounts_post o WHERE"
                f" o.office_id = %s AND o.user_id = p.user_id AND o.role = p.role AND o.valid && {ahead})",
                [plan.target, day, plan.office, day, plan.target, day],
            )
        cursor.execute(
            "UPDATE accounts_post p SET valid = daterange(lower(p.valid), greatest(lower(p.valid), %s))"
            f" WHERE {running}",
            [day, plan.office, day],
        )
        return int(cursor.rowcount)


def end_settings(run: Run, room: int) -> int:
    """Rules set at the office and grants on it end with it; a grant on the successor is a new decision."""
    count = 0
    for rows in (
        RuleValue.objects.filter(path=run.plan.old_path, valid__contains=run.day),
        OfficeGrant.objects.filter(content_object=run.plan.office, valid__contains=run.day),
    ):
        for row in rows:
            row.valid = DateRange(row.valid.lower, max(run.day, row.valid.lower + timedelta(days=1)))
            row.save(update_fields=["valid"])
            count += 1
    return count


def keep_versions(run: Run, room: int) -> int:
    """What every office that moves was called and where it stood, for those who read the past."""
    offices = Organization.objects.within(run.plan.old_path)
    if run.plan.ends_office:
        offices = offices.exclude(pk=run.plan.office)
    known = set(OfficeVersion.objects.filter(case_no=run.case_no).values_list("office", flat=True))
    rows = [_version(run, office) for office in offices if office.pk not in known]
    OfficeVersion.objects.bulk_create(rows, batch_size=500)
    return 0


def move_offices(run: Run, room: int) -> int:
    """The tree: paths of everything below, and the superior of what stood directly under the office."""
    plan = run.plan
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE accounts_organization SET path = %s || substr(path, %s)"
            " WHERE path >= %s AND path < %s AND NOT (id = %s AND %s)",
            [plan.new_path, len(plan.old_path) + 1, plan.old_path, f"{plan.old_path}~", plan.office,
             plan.ends_office],
        )  # fmt: skip
        count = int(cursor.rowcount)
    if plan.ends_office:
        Organization.objects.filter(parent=plan.office).update(parent=plan.target)
        return count
    office = _own(run)
    office.parent_id = plan.parent
    if plan.values.get("code"):
        office.code = plan.values["code"]
        if not plan.is_school:
            office.division = plan.values["code"]
    office.save(update_fields=["parent", "code", "division"])
    if plan.kind != ALTER:
        _tell(run, office)
    return count


def end_office(run: Run, room: int) -> int:
    """The office ends on the day; its code is void for ever. After a merger the successor names it."""
    office = _own(run)
    _keep_version(run, office)
    office.valid = _until(office.valid, run.day)
    office.is_authority = False
    office.save(update_fields=["valid", "is_authority"])
    assert run.plan.target is not None
    if run.plan.kind == MERGE:
        Organization.objects.get(pk=run.plan.target).predecessors.add(office)
    _tell(run, office, target=run.plan.target_name)
    return 1


def _own(run: Run) -> Organization:
    return Organization.objects.select_for_update(of=("self",)).get(pk=run.plan.office)


def _version(run: Run, office: Organization) -> OfficeVersion:
    last = (
        OfficeVersion.objects.filter(office=office).order_by("-pk").first()
        if office.pk == run.plan.office
        else None
    )
    since: date = last.valid.upper if last else office.valid.lower
    code = office.school.code if office.kind == Organization.Kind.SCHOOL else office.code
    return OfficeVersion(
        office=office,
        path=office.path,
        name=office.name,
        code=code,
        valid=DateRange(since, max(run.day, since + timedelta(days=1))),
        case_no=run.case_no,
    )


def _keep_version(run: Run, office: Organization) -> None:
    if not OfficeVersion.objects.filter(office=office, case_no=run.case_no).exists():
        _version(run, office).save(force_insert=True)


def _until(valid: DateRange, day: date) -> DateRange:
    return DateRange(valid.lower, max(day, valid.lower + timedelta(days=1)))


def _tell(run: Run, office: Organization, **words: Any) -> None:
    """One act about the office in the log, with the document it rests on."""
    values = run.plan.values
    record(
        f"registry.{run.plan.kind.replace('_', '.')}", office, actor=run.actor, basis=values["document_no"],
        number=run.case_no, name=office.name, **words,
    )  # fmt: skip
