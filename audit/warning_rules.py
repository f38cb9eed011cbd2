"""The rules of early warning as data (SECURITY 11): what is suspicious, how bad, and what happens at once.

Thresholds are parameters, inherited down the levels. A rule without a row here cannot warn.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.utils.translation import gettext_lazy as _

from audit.models_warnings import EarlyWarning

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

HINT, WARNING, SEVERE = EarlyWarning.Level.HINT, EarlyWarning.Level.WARNING, EarlyWarning.Level.SEVERE

# What a warning stops. The app that performs the act asks `audit.warnings.refuse_stopped` for its kind.
EXPORTS, REVEALS, LOOK_UPS, ADDRESS, CASE, ROW = "exports", "reveals", "look_ups", "address", "case", "row"


@dataclass(frozen=True, slots=True)
class WarningRule:
    """One rule: when it warns (a sentence for people), its level, and what stops for the warning's key.

    A stop ends with the warning, or at the next midnight with `until_tomorrow`.
    """

    code: str
    title: "StrOrPromise"
    when: "StrOrPromise"
    level: EarlyWarning.Level
    at_once: "StrOrPromise"
    parameters: tuple[str, ...] = ()
    stops: str = ""
    until_tomorrow: bool = False


RULES: dict[str, WarningRule] = {
    row.code: row
    for row in (
        WarningRule(
            "W1", _("大量导出"), _("一次导出的行数过多，或一人数日内多次导出"), WARNING,
            _("第三次导出须经主管领导确认"), ("W1_ROWS", "W1_EXPORTS", "W1_DAYS"),
        ),
        WarningRule(
            "W3", _("频繁查看明文"), _("短时间内多次查看敏感信息明文，或查阅限额用尽"), WARNING,
            _("查看明文须再次验证身份"), ("W3_REVEALS", "W3_MINUTES"), stops=REVEALS,
        ),
        WarningRule(
            "W5", _("频繁跨范围查重"), _("一日内查重次数过多，或多次查重而没有随后的办件"), WARNING,
            _("当日停止查重"), ("W5_LOOKUPS", "W5_WITHOUT_CASE"), stops=LOOK_UPS, until_tomorrow=True,
        ),
        WarningRule(
            "W7", _("登录失败异常"), _("一个单位短时间内多次登录失败，或同一地址尝试多个账号"), WARNING,
            _("该地址的登录放缓"), ("W7_FAILURES", "W7_ACCOUNTS", "W7_MINUTES"), stops=ADDRESS,
        ),
        WarningRule(
            "W9", _("一人多岗或一机多人"),
            _("一人以两个岗位办理同一办件，或经办人与审核领导先后在同一设备上登录"), SEVERE,
            _("有关办件停止办理"), ("W9_MINUTES",), stops=CASE,
        ),
        WarningRule(
            "W14", _("对外提供异常"),
            _("客户端超出每日额度、索取授权之外的数据项，授权临近到期，或接收方发生变更"), WARNING,
            _("超出额度的当日停止提供，接收方变更的暂停提供"), ("W14_DAYS",),
        ),
        WarningRule(
            "W15", _("数据校验不符"), _("记录、密文、日志或检查点校验不符，备份或演练失败，日志封存停滞"),
            SEVERE, _("有关记录停止办理业务"), stops=ROW,
        ),
        WarningRule(
            "W16", _("系统运行异常"),
            _("时钟跳变、批量操作超限、任务积压、磁盘空间不足，或夜间核对发现统计与名单不符"), WARNING,
            _("批量操作停止，待两人确认；统计已按名单更正"), ("STATISTICS_DRIFT",),
        ),
    )
}  # fmt: skip
