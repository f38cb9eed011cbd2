"""Refusals and errors as pages and as API bodies: what happened, what to do, a reference number (WB-5)."""

from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template import loader
from django.utils.translation import gettext as _

from config.errors import Refusal
from config.requestid import reference


def _texts() -> dict[int, tuple[str, str]]:
    return {
        400: (_("提交的内容有误"), _("请返回上一页检查后重新提交；您填写的内容没有被保存。")),
        401: (_("没有登录"), _("请先登录；登录已过期的，请重新登录。")),
        403: (
            _("没有权限"),
            _("您可以看到该内容所在的机构，但不能执行此操作。请联系本单位系统管理员确认岗位。"),
        ),
        404: (_("没有找到"), _("该内容不存在，或不在您的管理范围内。请检查地址，或用上方搜索框重新查找。")),
        405: (_("不支持的操作"), _("该地址不支持这种请求方法。请从页面上的按钮进入；接口请查阅接口文档。")),
        406: (_("不能给出所要的格式"), _("接口只以 JSON 应答，请把 Accept 请求头设为 application/json。")),
        409: (_("操作未能完成"), _("内容已发生变化，请刷新后再试。")),
        413: (_("文件过大"), _("请压缩后重新上传。")),
        415: (
            _("不能识别的内容类型"),
            _("请按接口文档设置 Content-Type 请求头：一般为 application/json，上传为 multipart/form-data。"),
        ),
        422: (_("没有办成"), _("请返回上一页检查后重新提交；您填写的内容没有被保存。")),
        429: (_("操作过于频繁"), _("请稍后再试。")),
        500: (_("系统出错"), _("本次操作没有保存。请稍后再试；若仍出错，请把参考号告诉上级主管部门。")),
        503: (_("系统暂时不可用"), _("请稍后再试，已提交的业务不会丢失。")),
    }


def wants_json(request: HttpRequest) -> bool:
    return request.path.startswith("/api/")


def error_body(code: str, detail: str, rule: str = "", fields: Any = None) -> dict[str, Any]:
    """The one error form of the API (ARCHITECTURE 9)."""
    return {"code": code, "detail": detail, "rule": rule, "fields": fields or {}, "reference": reference()}


def error_response(
    request: HttpRequest,
    status: int,
    code: str = "",
    detail: str = "",
    refusal: Refusal | None = None,
    fields: Any = None,
) -> HttpResponse:
    """The page, fragment or JSON body for a status; `refusal` adds its sentence, rule and article, `fields`
    the single faults of what an API client sent.
    """
    title, advice = _texts().get(status, _texts()[500])
    detail = detail or (refusal.detail if refusal else advice)
    if wants_json(request):
        rule = refusal.rule if refusal else ""
        faults = refusal.fields() if refusal else fields
        body = error_body(code or f"http_{status}", detail, rule, faults)
        return JsonResponse(body, status=status, json_dumps_params={"ensure_ascii": False})
    context = {
        "status": status,
        "title": title,
        "detail": detail,
        "advice": advice if refusal or detail != advice else "",
        "code": code or f"http_{status}",
        "refusal": refusal,
        "reference": reference(),
    }
    is_fragment = bool(request.headers.get("HX-Request"))
    template = "errors/_refusal.html" if is_fragment else "errors/error.html"
    response = HttpResponse(loader.render_to_string(template, context, request), status=status)
    if is_fragment:
        response["HX-Retarget"], response["HX-Reswap"] = "#refusal", "innerHTML show:window:top"
    return response


def refusal_response(request: HttpRequest, refusal: Refusal) -> HttpResponse:
    response = error_response(request, refusal.status, refusal.code, refusal=refusal)
    if seconds := refusal.data.get("seconds"):  # a limit that says when it ends (AP-6)
        response["Retry-After"] = seconds
    return response


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    return error_response(request, 400)


def permission_denied(request: HttpRequest, exception: Exception) -> HttpResponse:
    return error_response(request, 403)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    # One body for hidden and missing: the exception's own words never reach the page (AZ-2).
    return error_response(request, 404, "not_found")


def server_error(request: HttpRequest) -> HttpResponse:
    try:
        return error_response(request, 500)
    except Exception:  # the last resort: templates or the frame are what failed
        return HttpResponse(
            f"系统出错，请稍后再试。参考号 {reference()}", status=500, content_type="text/plain"
        )


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    return error_response(request, 403, "csrf", _("页面已过期，请刷新后重新提交；您填写的内容仍在浏览器中。"))
