"""Refusals: the one way in which the registry declines to act."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from django.utils.translation import gettext_lazy as _


class Refusal(Exception):
    """The registry declines to act, and nothing was changed.

    Subclasses set `code` (stable), `status` (HTTP), `message` (Chinese; keywords fill it) and, where one
    exists, the handbook `rule` and the `article` it rests on. `findings` are the single faults of a form,
    `afterwards` is work that must survive the rollback (a duplicate finding, a count): it runs in the short
    transaction that records the refusal.
    """

    code: str = "refused"
    status: int = 409
    message: Any = _("操作未能完成。")
    rule: str = ""
    article: str = ""

    def __init__(
        self, *, findings: Sequence[Any] = (), afterwards: Callable[[], None] | None = None, **data: Any
    ) -> None:
        self.findings = list(findings)
        self.afterwards = afterwards
        self.data = data
        super().__init__(str(self.message).format(**data))

    @property
    def detail(self) -> str:
        """The sentence a person reads."""
        return str(self.args[0])

    def in_words(self) -> dict[str, str]:
        """What a job keeps of a refusal, for whoever comes back later."""
        return {
            "code": self.code, "detail": self.detail, "rule": self.rule, "article": str(self.article)
        }  # fmt: skip

    def fields(self) -> dict[str, list[dict[str, str]]]:
        """Findings by field name, as pages and the API show them."""
        grouped: dict[str, list[dict[str, str]]] = {}
        for finding in self.findings:
            grouped.setdefault(finding.field, []).append(finding_as_dict(finding))
        return grouped


def finding_as_dict(finding: Any) -> dict[str, str]:
    """One fault of a form in words only, for JSON and templates."""
    names: Iterable[str] = ("code", "message", "rule", "article", "remedy", "level")
    return {name: str(getattr(finding, name)) for name in names}


class NotFound(Refusal):
    """Hidden and missing look alike (AZ-2)."""

    code, status = "not_found", 404
    message = _("没有找到该内容，或它不在您的管理范围内。请检查地址，或从首页重新查找。")


class NotAllowed(Refusal):
    code, status = "not_allowed", 403
    message = _("您没有“{right}”的权限。{who}")


class BadRequest(Refusal):
    code, status = "bad_request", 400
    message = _("提交的内容有误：{why}")


class StoreUnavailable(Refusal):
    """The trace cannot be written, so nothing is shown (RD-3)."""

    code, status = "trace_unavailable", 503
    message = _("系统暂时无法记录本次操作，因此没有执行。请稍后再试。")
