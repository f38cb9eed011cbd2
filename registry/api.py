"""Pupils, classes and schools to read: same scope, same masks, same trace as the pages. No writing here."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.http import QueryDict
from django.utils.translation import gettext as _
from rest_framework import serializers, viewsets
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.models import User
from accounts.roles import Right
from audit.services import record_list, record_read
from config.errors import BadRequest, NotFound
from registry.queries import rosters
from registry.queries import schools as places
from registry.queries.dossier import Block, Dossier, open_dossier
from registry.queries.sight import open_record


class StudentRow(serializers.Serializer[Any]):
    """One pupil on a list: nothing that a page's list does not show."""

    id = serializers.UUIDField(source="public_id")
    name = serializers.CharField()
    sex = serializers.CharField()
    grade = serializers.CharField()
    status = serializers.CharField()
    status_name = serializers.CharField()
    number = serializers.CharField()
    document_last4 = serializers.CharField(source="document")
    entry_month = serializers.CharField()
    school_id = serializers.IntegerField()
    school_name = serializers.CharField()
    class_id = serializers.IntegerField(source="school_class_id", allow_null=True)
    class_name = serializers.CharField()


class ClassRow(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    name = serializers.CharField()
    number = serializers.CharField()
    grade = serializers.CharField()
    type = serializers.CharField()
    head_teacher = serializers.CharField()
    pupils = serializers.IntegerField(source="count")
    school_id = serializers.IntegerField()
    school_name = serializers.CharField()


class SchoolRow(serializers.Serializer[Any]):
    id = serializers.IntegerField(source="organization_id")
    code = serializers.CharField()
    name = serializers.CharField(source="organization__name")
    division = serializers.CharField(source="organization__division")
    running_type = serializers.CharField()
    stages = serializers.ListField(child=serializers.CharField())
    schooling = serializers.CharField()


def _known_only(query: QueryDict, known: Iterable[str]) -> None:
    """Refuse what the list does not know: a misspelt filter must not look like a wider answer."""
    if unknown := sorted(set(query) - set(known)):
        raise BadRequest(why=_("不认识的参数 {names}").format(names="、".join(unknown)[:100]))


def _page(request: Request, rows: Any, after: int | None, total: int) -> Response:
    """One page: rows, the address of the next one, and the count (exact up to ten thousand)."""
    following = None
    if after is not None:
        query = request._request.GET.copy()
        query["after"] = str(after)
        following = request.build_absolute_uri(f"{request.path}?{query.urlencode()}")
    body = {
        "results": rows,
        "next": following,
        "total": min(total, rosters.MOST_COUNTED),
        "total_is_exact": total <= rosters.MOST_COUNTED,
    }
    return Response(body)


class StudentViewSet(viewsets.ViewSet):
    """GET students/?office=&grade=&class=&sex=&status=&kind=&after= and students/<id>/."""

    required_rights = (Right.VIEW_STUDENT, Right.VIEW_OWN_CLASS)

    def list(self, request: Request) -> Response:
        user: Any = request.user
        query = request._request.GET
        _known_only(query, ("office", "grade", "class", "sex", "status", "kind", "after"))
        page = rosters.read_page(user, rosters.read_filters(query, user), query.get("after", ""))
        record_list(
            "student", [row["student_id"] for row in page.rows], actor=user, route="api:students-list"
        )
        return _page(request, StudentRow(page.rows, many=True).data, page.after, page.total)

    def retrieve(self, request: Request, pk: str) -> Response:
        user: User = request.user  # type: ignore[assignment]
        try:
            public_id = UUID(pk)
        except ValueError:
            raise NotFound() from None
        student, sight = open_record(user, public_id)
        dossier = open_dossier(student, sight)
        record_read(student, actor=user, route="api:students-detail", fields=["basic", "family"])
        return Response(_record(dossier))


def _record(dossier: Dossier) -> dict[str, Any]:
    """A record by section, masked as on the page; revealing is for pages only."""
    student, spell = dossier.student, dossier.record.enrolment
    return {
        "id": str(student.public_id),
        "version": student.version,
        "name": student.name,
        "number": dossier.masked_number,
        "status": dossier.status,
        "status_name": dossier.status_name,
        "school": {"id": spell.school_id, "name": spell.school.name},
        "class": {"id": spell.school_class_id, "name": spell.school_class.name}
        if spell.school_class
        else None,
        "sections": [_section(block) for block in (*dossier.blocks(), *dossier.family_blocks())],
    }


def _section(block: Block) -> dict[str, Any]:
    fields = [
        {
            "key": line.key,
            "label": line.label,
            "value": line.shown,
            "masked": line.is_masked,
            "change": line.change,
        }
        for line in block.lines
    ]
    return {"key": block.key, "title": block.title, "fields": fields}


class ClassViewSet(viewsets.ViewSet):
    """GET classes/?office=&grade=&after=."""

    required_rights = (Right.VIEW_CLASS, Right.VIEW_OWN_CLASS)

    def list(self, request: Request) -> Response:
        user: Any = request.user
        query = request._request.GET
        _known_only(query, ("office", "grade", "after"))
        page = places.read_classes(user, query)
        return _page(request, ClassRow(page.rows, many=True).data, page.after, page.total)


class SchoolViewSet(viewsets.ViewSet):
    """GET schools/?after=."""

    required_rights = (Right.VIEW_OFFICE,)

    def list(self, request: Request) -> Response:
        user: Any = request.user
        query = request._request.GET
        _known_only(query, ("after",))
        rows, after, total = places.read_schools(user, query.get("after", ""))
        return _page(request, SchoolRow(rows, many=True).data, after, total)
