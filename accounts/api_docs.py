"""The API's own document, for programs (JSON, YAML) and for people (an interactive page)."""

from functools import cache
from typing import Any

import yaml
from django.conf import settings
from django.utils import translation
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.utils import extend_schema
from drf_spectacular.views import SpectacularSwaggerSplitView
from rest_framework.renderers import BaseRenderer, JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.api import read_query


@cache
def document() -> dict[str, Any]:
    """The OpenAPI document: the same for everybody, in Chinese, made once a process."""
    with translation.override(settings.LANGUAGE_CODE):
        made: dict[str, Any] = SchemaGenerator().get_schema(request=None, public=True)
    return made


@cache
def document_as_yaml() -> bytes:
    """The same as text, which takes half a second: once a process."""
    return _as_yaml(document())


@extend_schema(exclude=True)
class ApiDocument(APIView):
    """GET openapi.json."""

    required_rights = ()
    renderer_classes = [JSONRenderer]

    def get(self, request: Request) -> Response:
        read_query(request)
        return Response(document())


class _Dumper(yaml.SafeDumper):
    """Codes such as "08" stay texts: unquoted, newer readers take them for numbers."""

    def ignore_aliases(self, data: Any) -> bool:
        return True

    def represent_text(self, text: str) -> yaml.ScalarNode:
        style = '"' if text.isdigit() else "|" if "\n" in text else None
        return self.represent_scalar("tag:yaml.org,2002:str", text, style)


_Dumper.add_representer(str, _Dumper.represent_text)


def _as_yaml(data: Any) -> bytes:
    return yaml.dump(data, Dumper=_Dumper, allow_unicode=True, sort_keys=False, width=1000).encode()


class Yaml(BaseRenderer):
    media_type, format = "application/yaml", "yaml"

    def render(self, data: Any, accepted_media_type: Any = None, renderer_context: Any = None) -> bytes:
        return document_as_yaml() if data is document() else _as_yaml(data)


@extend_schema(exclude=True)
class ApiDocumentYaml(ApiDocument):
    """GET openapi.yaml."""

    renderer_classes = [Yaml]


class ApiDocs(SpectacularSwaggerSplitView):
    """GET docs: page and script are two requests, so that the policy against inline script holds (WB-1)."""

    required_rights = ()
    url_name = "api-document"
    template_name = "accounts/api_docs.html"
