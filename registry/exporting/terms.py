"""The terms of an export: read from what was sent, frozen by the approval, checked again at run and
collection.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hmac import compare_digest
from typing import Any
from urllib.parse import urlencode

from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.models import User
from accounts.rights import acting_at
from accounts.roles import Right
from config.crypto import keyed_digest
from config.errors import NotAllowed, NotFound
from config.rules import rule
from registry.exporting.columns import COLUMNS, NAME, may_see_clear, offered_to
from registry.exporting.refusals import (
    ClearNotYours,
    ExportIncomplete,
    FieldNotYours,
    NothingToExport,
    TermsChanged,
    TooManyRows,
)
from registry.models import Export
from registry.queries import rosters
from registry.queries.rosters import Filters

PURPOSES = {
    "roster": gettext_lazy("编制花名册"),
    "contact": gettext_lazy("联系学生与监护人"),
    "check": gettext_lazy("核对学籍数据"),
    "statistics": gettext_lazy("统计与上报"),
    "exam": gettext_lazy("考试与招生组织"),
    "aid": gettext_lazy("资助与营养改善"),
    "inspection": gettext_lazy("督查检查"),
    "other": gettext_lazy("其他（请写明）"),
}
SHORTEST_PURPOSE = 6  # characters, as for a reveal (RD-2)
FILTERS = ("office", "grade", "class", "sex", "status", "kind")


@dataclass(frozen=True, slots=True)
class Terms:
    """What is asked for. `filters` hold enumerations and ids, as the list's address has them."""

    purpose: str
    purpose_text: str
    fields: list[str]
    clear_fields: list[str]
    filters: dict[str, str]
    format: str


def read_terms(sent: Mapping[str, Any], user: User) -> Terms:
    """The terms in a form or body. Raises ExportIncomplete, FieldNotYours, ClearNotYours."""
    text = " ".join(str(sent.get("purpose_text", "")).split())
    if sent.get("purpose") not in PURPOSES or not SHORTEST_PURPOSE <= len(text) <= 200:
        raise ExportIncomplete(why=_("请选择用途并写明情况（6 至 200 个字）。"))
    if sent.get("format") not in Export.Format.values:
        raise ExportIncomplete(why=_("请选择文件格式。"))
    fields, clear = list(sent.get("fields", ())), list(sent.get("clear_fields", ()))
    filters = {key: str(sent[key]) for key in FILTERS if sent.get(key)}
    terms = Terms(
        sent["purpose"], text, _in_order([NAME, *fields]), _in_order(clear), filters, sent["format"]
    )
    if len(terms.fields) < 2:
        raise ExportIncomplete(why=_("请在姓名之外至少选择一项。"))
    refuse_foreign_fields(terms.fields, terms.clear_fields, user)
    return terms


def _in_order(keys: Sequence[str]) -> list[str]:
    if unknown := [key for key in keys if key not in COLUMNS]:
        raise ExportIncomplete(why=_("没有“{key}”这一项。").format(key=unknown[0][:40]))
    return [key for key in COLUMNS if key in keys]


def refuse_foreign_fields(fields: Sequence[str], clear: Sequence[str], user: User) -> None:
    """Raise FieldNotYours or ClearNotYours when she may not read one of the items as asked for."""
    offered = {column.key for column in offered_to(user)}
    for key in fields:
        if key not in offered:
            raise FieldNotYours(label=COLUMNS[key].label)
    for key in clear:
        if key not in fields or not COLUMNS[key].is_masked:
            raise ExportIncomplete(
                why=_("“{label}”不是所选的遮盖项目，不必以明文列出。").format(label=COLUMNS[key].label)
            )
        if not may_see_clear(user, key):
            raise ClearNotYours(label=COLUMNS[key].label)


def chosen_filters(filters: Mapping[str, str], user: User) -> Filters:
    """The filters as the list of pupils reads them, each resolved in her scope. Raises NotFound."""
    return rosters.read_filters(QueryDict(urlencode(filters)), user)


def rows_of(filters: Filters, user: User) -> Any:
    """The spells that the export holds; nothing beyond what she sees in the list."""
    return rosters.matching(user, filters)


def count_rows(filters: Filters, user: User) -> int:
    """How many, exactly. Raises TooManyRows, NothingToExport."""
    most = rule("EXPORT_ROWS", at=user.acting_path).number
    count = rows_of(filters, user).order_by().values("pk")[: most + 1].count()
    if count > most:
        raise TooManyRows(most=f"{most:,}")
    if not count:
        raise NothingToExport()
    return int(count)


def digest_of(export: Export) -> str:
    """The digest that freezes what was approved, for whom and by whom; nobody makes one without the key."""
    terms = [
        str(export.public_id), export.org_path, export.scope_path, export.purpose, export.purpose_text,
        export.fields, export.clear_fields, export.filters, export.format, export.row_cap,
        export.requested_by_id, export.decided_by_id,
    ]  # fmt: skip
    return keyed_digest("export terms", json.dumps(terms, ensure_ascii=False, sort_keys=True))


def requester_of(export: Export) -> User:
    """Whoever asked, under the post she asked by, with the rights of this moment (AZ-6).

    Raises TermsChanged when the terms are not those approved, or her rights no longer cover them.
    """
    if not compare_digest(digest_of(export), export.terms_digest):
        raise TermsChanged(why=_("导出内容与批准的不一致。"))
    try:
        user = acting_at(export.requested_by_id, Right.EXPORT, at=export.org_path)
        refuse_foreign_fields(export.fields, export.clear_fields, user)
        if chosen_filters(export.filters, user).path != export.scope_path:
            raise NotFound()
    except (NotAllowed, FieldNotYours, ClearNotYours):
        raise TermsChanged(why=_("申请人已不再具有导出这些内容的权限。")) from None
    except NotFound:
        raise TermsChanged(why=_("数据范围已不在申请人的管理范围内。")) from None
    return user
