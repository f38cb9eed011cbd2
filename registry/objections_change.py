"""Objections to a proposed change of key data (R-UPD-03, R-UPD-05, R-UPD-07, R-UPD-08)."""

from django.utils.translation import gettext_lazy as _

from registry.findings import Objection
from registry.objections import ARTICLE_TRUE

NOTHING_PROPOSED = Objection(
    "nothing_proposed",
    _("没有填写要变更的内容。"),
    _("请至少填写一项；不变的不填。"),
    rule="R-UPD-07",
    article=ARTICLE_TRUE,
)
SAME_NAME = Objection(
    "same_name",
    _("新的姓名与现登记的相同。"),
    _("姓名不变的，请不填这一项。"),
    rule="R-UPD-08",
    article=ARTICLE_TRUE,
)
SAME_VALUE = Objection(
    "same_value",
    _("“{label}”与现登记的相同。"),
    _("不变的，请不填这一项。"),
    rule="R-UPD-07",
    article=ARTICLE_TRUE,
)
NOT_KEY = Objection(
    "not_key",
    _("“{label}”不属于关键数据。"),
    _("请在“修改信息”中直接修改。"),
    rule="R-UPD-05",
    article=ARTICLE_TRUE,
)
OWN_PROCEDURE = Objection(
    "own_procedure",
    _("“{label}”不在关键数据变更中办理。"),
    _("请发起“调班”；年级变动的，发起留级、跳级等业务。"),
    rule="R-UPD-10",
    article=ARTICLE_TRUE,
)
HAPPENED_WHEN = Objection(
    "happened_when",
    _("变更发生的日期应在出生之后、今天之前（含当日）。"),
    _("请按户口簿或证件上的登记日期填写，如20260301；不填按今天计。"),
    rule="R-UPD-03",
    article=ARTICLE_TRUE,
)
