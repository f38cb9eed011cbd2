"""Acts of the services as requests, for clerks that are processes: what stands before them is the real thing,
session, middleware, request transaction and recorded refusal. The real pages are there too.
"""

import json
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from django.db import transaction
from django.http import HttpRequest, JsonResponse
from django.urls import include, path
from django.views.decorators.csrf import csrf_exempt

from accounts.models import User
from archives.models import Material
from config.faults import fault
from registry.models import Student
from registry.services.editing import update_normal
from transfers import services
from transfers.key_data import propose
from transfers.kinds.registration import REGISTRATION
from transfers.models import Case


def file_pupil(user: User, class_id: int, material: int, values: dict[str, str]) -> dict[str, Any]:
    office = user.acting_post.office  # type: ignore[union-attr]
    case = services.file_case(
        REGISTRATION,
        office,
        actor=user,
        materials=[Material.objects.get(pk=material)],
        payload={"class_id": class_id},
        values=values,
        class_id=class_id,
    )
    return {"case": case.pk, "student": case.student_id}


def decide(
    user: User, case: int, decision: str, reason: str = "", ticked: Sequence[str] = ("01",)
) -> dict[str, Any]:
    step = services.decide(Case.objects.get(pk=case), decision, actor=user, reason=reason, ticked=ticked)
    return {"step": step.ordinal}


def withdraw(user: User, case: int, reason: str) -> dict[str, Any]:
    services.withdraw(Case.objects.get(pk=case), actor=user, reason=reason)
    return {}


def update(user: User, student: int, version: int, values: dict[str, str]) -> dict[str, Any]:
    changed = update_normal(Student.objects.get(pk=student), values, version=version, actor=user)
    return {"changed": changed}


def propose_name(user: User, student: int, new_name: str, material: int) -> dict[str, Any]:
    office = user.acting_post.office  # type: ignore[union-attr]
    case = propose(
        Student.objects.get(pk=student), office, {"name": new_name}, actor=user,
        materials=[Material.objects.get(pk=material)],
    )  # fmt: skip
    return {"case": case.pk}


ACTS: dict[str, Callable[..., dict[str, Any]]] = {
    "file": file_pupil,
    "decide": decide,
    "withdraw": withdraw,
    "update": update,
    "propose_name": propose_name,
}


@csrf_exempt
def act(request: HttpRequest, name: str) -> JsonResponse:
    # Registered before the act's own, so it runs after the commit and before the queue hears of anything.
    transaction.on_commit(partial(fault, "unoffered"))
    user: Any = request.user
    return JsonResponse(ACTS[name](user, **json.loads(request.body)))


# Under /api/ a refusal is answered as JSON with its code.
urlpatterns = [path("api/races/<str:name>", act), path("", include("config.urls"))]
handler500 = "config.errorpages.server_error"
