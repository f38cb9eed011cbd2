"""Materials over the API; routed as /api/v1/materials/ by the root of the API."""

from typing import Any

from django.conf import settings
from django.urls import reverse
from rest_framework import serializers, status
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.api import StrictSerializer, claim_key, read_body, read_query
from accounts.idempotency import upload_digest
from accounts.openapi import describe
from archives.models import Material
from archives.services import UPLOADERS, add_material, refuse_oversized
from registry.codes import choices


class MaterialUpload(StrictSerializer):
    file = serializers.FileField(help_text="JPG 或 PNG 图片；材料也可以是 PDF")
    kind = serializers.ChoiceField(Material.Kind.choices, help_text="种类")
    evidence_type = serializers.ChoiceField(
        choices("evidence_type"), required=False, default="", allow_blank=True, help_text="材料类型；照片不填"
    )


class Uploaded(serializers.Serializer[Any]):
    id = serializers.UUIDField(help_text="材料编号，发起办件时填入 materials")


class MaterialView(APIView):
    """POST multipart file, kind, evidence_type → 201 {"id": …}; the same service as the form's upload."""

    parser_classes = [MultiPartParser]
    required_rights = UPLOADERS

    @describe(
        "材料",
        "上传材料",
        "上传一张照片或证明材料。图片和 PDF 的各页重新编码后加密保存，PDF 中的脚本、附件和元数据不保留；"
        "七日内未随业务提交的自动清除。",
        body={"multipart/form-data": MaterialUpload},
        answer=Uploaded,
        example={"id": "01990000-2222-7333-8444-555566667777"},
        creates=True,
    )
    def post(self, request: Request) -> Response:
        user: Any = request.user
        read_query(request)
        refuse_oversized(request._request)
        sent = read_body(request, MaterialUpload)
        content = sent["file"].read(settings.FILE_UPLOAD_MAX_MEMORY_SIZE)
        about = {key: sent[key] for key in ("kind", "evidence_type")}
        held = claim_key(request, "material-list", upload_digest(content, about))
        if not held.location:
            material = add_material(content, actor=user, **about)
            held.answer(status.HTTP_201_CREATED, reverse("archives:material", args=[str(material.public_id)]))
        body = {"id": held.location.rsplit("/", 1)[1]}
        return Response(body, held.status, headers={"Location": held.location})
