"""What a plan would touch, as a hash and in words: shown at the rehearsal, compared at the execution."""

import hashlib
import json
from typing import Any

from django.db import connection
from django.db.models import Count, Q

from accounts.models import OfficeGrant, Organization, Post
from accounts.roles import ROLES
from config.clock import today
from config.models import RuleValue
from registry.codes import label
from registry.models import Enrolment
from registry.reorganizing.plan import Plan
from registry.status import OPEN

# Table and what of its rows is hashed: who and what moves, from where. Papers, cases and findings follow
# whatever they are; a new one a minute later does not make the plan another one.
_BACKBONE = (
    ("accounts_organization", "path", "concat_ws('|', t.id, t.path, t.name, t.parent_id)", ""),
    (
        "registry_schoolclass", "org_path",
        "concat_ws('|', t.id, t.org_path, t.school_id, t.number, t.grade)", "",
    ),
    ("registry_student", "org_path", "concat_ws('|', t.id, t.org_path)", ""),
    (
        "registry_enrolment", "org_path",
        "concat_ws('|', t.id, t.org_path, t.school_id, t.school_class_id, t.grade, t.status)",
        f"AND NOT t.is_void AND t.status IN ({', '.join(repr(code) for code in OPEN)})",
    ),
)  # fmt: skip


def digest_of(plan: Plan) -> str:
    """SHA-256 over the plan and every office, post, class, pupil and open status that it moves, in order."""
    seal = hashlib.sha256(json.dumps(plan.as_json(), sort_keys=True, ensure_ascii=False).encode())
    if not plan.old_path:
        return seal.hexdigest()
    with connection.cursor() as cursor:
        for table, column, row, more in _BACKBONE:
            cursor.execute(
                "SELECT encode(sha256(convert_to(coalesce(string_agg("
                f"{row}, E'\\n' ORDER BY t.id), ''), 'UTF8')), 'hex')"
                f" FROM {table} t WHERE t.{column} >= %s AND t.{column} < %s {more}",
                [plan.old_path, f"{plan.old_path}~"],
            )
            seal.update(cursor.fetchone()[0].encode())
    for row in posts_of(plan).values_list("pk", "user", "role"):
        seal.update(repr(row).encode())
    return seal.hexdigest()


def posts_of(plan: Plan) -> Any:
    """The posts at the office itself that are or will be valid."""
    running = Q(valid__endswith__isnull=True) | Q(valid__endswith__gt=today())
    return Post.objects.filter(running, office=plan.office).order_by("pk")


def in_words(plan: Plan) -> dict[str, Any]:
    """What the page shows beside the counts: pupils by grade, classes, posts, what ends. No pupil's name."""
    if not plan.old_path:
        return {}
    spells = Enrolment.objects.within(plan.old_path).filter(status__in=OPEN, is_void=False)
    grades = spells.order_by().values("grade").annotate(count=Count("pk")).order_by("grade")
    offices = Organization.objects.within(plan.old_path).filter(valid__contains=today())
    shown: dict[str, Any] = {
        "pupils": spells.count(),
        "grades": [[label("grade", row["grade"]), row["count"]] for row in grades],
        "classes": [list(one) for one in plan.classes],
        "offices": [office.name for office in offices.exclude(pk=plan.office).order_by("path")[:20]],
    }
    if plan.ends_office:
        posts = posts_of(plan).select_related("user")
        rules = RuleValue.objects.filter(path=plan.old_path)
        grants = OfficeGrant.objects.filter(content_object=plan.office)
        shown |= {
            "posts": [[post.user.name, ROLES[post.role].name] for post in posts],
            "rules": rules.filter(valid__contains=today()).count(),
            "grants": grants.filter(valid__contains=today()).count(),
        }
    return shown
