"""办理时效 over the API: the same figures as the page."""

from typing import Any

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.api import Id, Query, page, read_query
from accounts.openapi import Page, describe
from accounts.roles import Right
from transfers.pace import Figures, read_pace
from transfers.views.clock import read_month


class PaceFigures(serializers.Serializer[Any]):
    decided = serializers.IntegerField(help_text="已作决定的环节数")
    on_time = serializers.IntegerField(help_text="其中按期的")
    late = serializers.IntegerField(help_text="其中超期的")
    share = serializers.IntegerField(allow_null=True, help_text="按期率，百分数，只舍不入；没有决定的为 null")
    median = serializers.FloatField(allow_null=True, help_text="从送达到决定的工作日中位数")


class PaceNow(PaceFigures):
    waiting = serializers.IntegerField(help_text="现在等待办理的")
    overdue = serializers.IntegerField(help_text="其中已经超期的")


class PaceMonth(PaceFigures):
    month = serializers.RegexField("^[0-9]{4}-[0-9]{2}$", help_text="月份")


class PaceOffice(PaceNow):
    id = serializers.IntegerField(help_text="机构编号")
    path = serializers.CharField(help_text="机构路径")
    name = serializers.CharField(help_text="机构名称")


class PaceAnswer(Page):
    own = PaceOffice(help_text="所选岗位的机构最近十二个月")
    months = PaceMonth(many=True, help_text="所选岗位的机构逐月的情况，本月在前")
    results = PaceOffice(many=True, help_text="直接下级机构；县级还包括辖区内的学校")


class PaceQuery(Query):
    month = serializers.RegexField(
        "^20[0-9]{2}-(0[1-9]|1[0-2])$", required=False, help_text="下级机构只看这个月；须在最近十二个月内"
    )
    after = Id(required=False, help_text="上一页最后一个下级机构的编号，取自 next")


_FIGURES = {"decided": 120, "on_time": 114, "late": 6, "share": 95, "median": 4.0}
_OWN = {"id": 3301, "path": "CN.44.03.05.", "name": "示例区教育局"} | _FIGURES | {"waiting": 9, "overdue": 1}


class PaceView(APIView):
    """GET pace/."""

    required_rights = (Right.VIEW_CASE,)

    @describe(
        "办理时效",
        "各单位的办理时效",
        "所选岗位的机构最近十二个月的按期办理情况，以及直接下级机构的情况。其他机构的情况看不到。",
        query=PaceQuery,
        answer=PaceAnswer,
        example={
            "own": _OWN,
            "months": [{"month": "2026-09"} | _FIGURES],
            "results": [_OWN | {"id": 8801, "path": "CN.44.03.05.2144000001.", "name": "示例市第一小学"}],
            "next": None,
            "total": 1,
            "total_is_exact": True,
        },
    )
    def get(self, request: Request) -> Response:
        asked = read_query(request, PaceQuery)
        found = read_pace(request.user, asked.get("after"), read_month(asked.get("month", "")))  # type: ignore[arg-type]
        below = [_office(office, figures) for office, figures in found.below]
        answer = page(request, PaceOffice(below, many=True).data, found.after, found.total)
        months = [{"month": f"{one:%Y-%m}", **_said(figures)} for one, figures in found.months]
        answer.data |= {
            "own": PaceOffice(_office(found.office, found.own)).data,
            "months": PaceMonth(months, many=True).data,
        }
        return answer


def _office(office: Any, figures: Figures) -> dict[str, Any]:
    return {"id": office.pk, "path": office.path, "name": office.name, **_said(figures)}


def _said(figures: Figures) -> dict[str, Any]:
    names = ("decided", "on_time", "late", "share", "median", "waiting", "overdue")
    return {name: getattr(figures, name) for name in names}
