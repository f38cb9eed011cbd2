"""Materials over the API; routed as /api/v1/materials/ by the root of the API."""

from typing import Any

from django.conf import settings
from rest_framework import serializers, status
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.api import StrictSerializer
from archives.models import Material
from archives.services import UPLOADERS, add_material, refuse_oversized


class UploadSerializer(StrictSerializer):
    file = serializers.FileField()
    kind = serializers.ChoiceField(Material.Kind.choices)
    evidence_type = serializers.CharField(max_length=2, required=False, default="")


class MaterialView(APIView):
    """POST multipart file, kind, evidence_type → 201 {"id": …}; the same service as the form's upload."""

    parser_classes = [MultiPartParser]
    required_rights = UPLOADERS

    def post(self, request: Request) -> Response:
        refuse_oversized(request._request)
        sent = UploadSerializer(data=request.data)
        sent.is_valid(raise_exception=True)
        values: dict[str, Any] = sent.validated_data
        material = add_material(
            values["file"].read(settings.FILE_UPLOAD_MAX_MEMORY_SIZE),
            kind=values["kind"],
            evidence_type=values["evidence_type"],
            actor=request.user,  # type: ignore[arg-type]
        )
        return Response({"id": material.public_id}, status.HTTP_201_CREATED)
