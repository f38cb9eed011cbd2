"""Cases over the API: the services and queries of the pages, acts instead of updates (ARCHITECTURE 9)."""

from typing import Any

from django.urls import reverse
from rest_framework import serializers, status
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.viewsets import ViewSet

from accounts.api import StrictSerializer
from accounts.models import User
from accounts.roles import Right
from archives.services import find_uploads
from audit.services import record_list, record_read
from registry.queries.rosters import MOST_COUNTED
from transfers import services
from transfers.casefile import CaseFile, open_file
from transfers.forms import ASKED_KEYS, expect
from transfers.idempotency import body_digest, claim
from transfers.kinds import KINDS
from transfers.kinds.registration import REGISTRATION
from transfers.models import Case, Step
from transfers.queries import open_case, read_cases, read_filters
from transfers.views.registration import own_school

_RIGHTS = {
    "create": (Right.FILE,),
    "withdraw": (Right.FILE,),
    "decide": (Right.REVIEW, Right.DECIDE),
}


class FileSerializer(StrictSerializer):
    """What a new registration brings. `values` are the form's keys, as typed: codes or labels."""

    kind = serializers.ChoiceField([REGISTRATION.code])
    class_id = serializers.IntegerField(min_value=1)
    values = serializers.DictField(child=serializers.CharField(allow_blank=True, max_length=500))  # type: ignore[assignment]
    materials = serializers.ListField(child=serializers.UUIDField(), max_length=20, default=list)
    is_disputed = serializers.BooleanField(default=False)
    distinct_reason = serializers.CharField(default="", allow_blank=True, max_length=200)

    def validate_values(self, given: dict[str, str]) -> dict[str, str]:
        if unknown := sorted(set(given) - ASKED_KEYS):
            raise serializers.ValidationError({key: ["不认识的字段。"] for key in unknown})
        return given


class DecisionSerializer(StrictSerializer):
    decision = serializers.ChoiceField(Step.Decision.choices)
    reason = serializers.CharField(default="", allow_blank=True, max_length=400)
    ticked = serializers.ListField(child=serializers.CharField(max_length=2), max_length=30, default=list)


class ReasonSerializer(StrictSerializer):
    reason = serializers.CharField(default="", allow_blank=True, max_length=400)


class CaseViewSet(ViewSet):
    """`/api/v1/cases/`: list (`kind`, `state`; `after` = last number), one, file, decide, withdraw."""

    lookup_field = "number"
    lookup_value_regex = "[A-Z]{2}[0-9]{6,18}"

    @property
    def required_rights(self) -> tuple[Right, ...]:
        return _RIGHTS.get(self.action or "", (Right.VIEW_CASE,))

    def list(self, request: Request) -> Response:
        user: Any = request.user
        query = request._request.GET
        expect(query, "kind", "state", "after")
        page = read_cases(user, read_filters(query), query.get("after", ""))
        record_list("case", [row["id"] for row in page.rows], actor=user, route="case-list")
        following = query.copy()
        following["after"] = str(page.after)
        address = request.build_absolute_uri(f"{request.path}?{following.urlencode()}")
        body = {
            "results": [_row(row) for row in page.rows],
            "next": address if page.after else None,
            "total": min(page.total, MOST_COUNTED),
            "total_is_exact": page.total <= MOST_COUNTED,
        }
        return Response(body)

    def retrieve(self, request: Request, number: str) -> Response:
        user: Any = request.user
        return Response(self.read(request, user, open_case(user, number)))

    def create(self, request: Request) -> Response:
        """POST a registration with an `Idempotency-Key`; same key and body, same answer."""
        user: Any = request.user
        held = claim(user, "case-list", request.headers.get("Idempotency-Key", ""), body_digest(request.data))
        if held.location:
            first = open_case(user, held.location.rstrip("/").rsplit("/", 1)[1])
            return Response(self.read(request, user, first), held.status, headers={"Location": held.location})
        sent = FileSerializer(data=request.data)
        sent.is_valid(raise_exception=True)
        given: dict[str, Any] = sent.validated_data
        case = services.file_case(
            KINDS[given["kind"]],
            own_school(user),
            actor=user,
            materials=find_uploads(given["materials"], actor=user),
            payload={key: given[key] for key in ("class_id", "is_disputed", "distinct_reason")},
            values=given["values"],
            class_id=given["class_id"],
        )
        location = reverse("case-detail", args=[case.number])
        held.answer(status.HTTP_201_CREATED, location)
        case.refresh_from_db()
        body = self.read(request, user, case)
        return Response(body, status.HTTP_201_CREATED, headers={"Location": location})

    @action(detail=True, methods=["post"])
    def decide(self, request: Request, number: str) -> Response:
        """POST {"decision": "approve", "reason": "…", "ticked": ["01"]}: as the page's button."""
        user: Any = request.user
        case = self.subject(request, user, number)
        sent = DecisionSerializer(data=request.data)
        sent.is_valid(raise_exception=True)
        services.decide(case, actor=user, **sent.validated_data)
        return Response(self.read(request, user, open_case(user, number)))

    @action(detail=True, methods=["post"])
    def withdraw(self, request: Request, number: str) -> Response:
        user: Any = request.user
        case = self.subject(request, user, number)
        sent = ReasonSerializer(data=request.data)
        sent.is_valid(raise_exception=True)
        services.withdraw(case, actor=user, reason=sent.validated_data["reason"])
        return Response(self.read(request, user, open_case(user, number)))

    def subject(self, request: Request, user: User, number: str) -> Case:
        """The case an act is about; a refusal's trace names it."""
        case = open_case(user, number)
        request._request.subject = case  # type: ignore[attr-defined]
        return case

    def read(self, request: Request, user: User, case: Case) -> dict[str, Any]:
        """One case in words, with its trace (RD-3)."""
        record_read(case, actor=user, route="case-detail", purpose=KINDS[case.kind].name)
        return _detail(open_file(case, user))


def _row(row: dict[str, Any]) -> dict[str, Any]:
    return {
        "number": row["number"],
        "kind": row["kind"],
        "state": row["state"],
        "pupil": row["pupil"],
        "from": row["from_name"],
        "to": row["to_name"],
        "waits_at": row["at"],
        "due_on": row["due_on"],
        "filed_by": row["filed_by_name"],
        "filed_at": row["filed_at"],
        "ended_at": row["ended_at"],
    }


def _detail(file: CaseFile) -> dict[str, Any]:
    case = file.case
    return {
        "number": case.number,
        "kind": case.kind,
        "state": case.state,
        "sentence": file.sentence,
        "from": {"path": case.from_path, "name": case.from_name},
        "to": {"path": case.to_path, "name": case.to_name},
        "pupil": {key: file.card.get(key, "") for key in ("name", "sex", "birth_on", "id_mask")},
        "student": file.student.public_id if file.student else None,
        "filed_by": case.filed_by_name,
        "filed_at": case.filed_at,
        "ended_at": case.ended_at,
        "rulebook": case.rulebook,
        "steps": [
            {
                "ordinal": stage.step.ordinal,
                "label": stage.step.label,
                "office": stage.step.office_name,
                "is_current": stage.step.is_current,
                "due_on": stage.step.due_on,
                "decision": stage.step.decision,
                "decided_by": stage.step.decided_by_name,
                "decided_at": stage.step.decided_at,
                "reason": stage.step.reason,
            }
            for stage in file.stages
        ],
        "checks": [
            {
                "code": requirement.code,
                "label": requirement.label,
                "rule": requirement.rule,
                "article": requirement.article,
                "is_met": not why,
                "detail": why,
            }
            for requirement, why in file.checks
        ],
        "materials": [
            {"id": paper.material.public_id, "type": paper.type, "label": paper.label}
            for paper in file.papers
        ],
        "may": {"decide": file.turn is not None, "withdraw": file.may_withdraw, "why_not": file.why_not},
    }
