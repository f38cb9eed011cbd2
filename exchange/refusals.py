"""Why nothing is provided: each with a stable code and the sentence that a receiver or a clerk reads."""

from django.utils.translation import gettext_lazy as _

from config.errors import Refusal

ARTICLE = "第二十四条"


# ── Proposing and keeping a grant ─────────────────────────────────────────────────────────────────────────
class TermsRefused(Refusal):
    """What is wrong with a proposal, field by field."""

    code, status, rule, article = "terms_refused", 422, "EX-2", ARTICLE
    message = _("有 {count} 处需要更正，尚未提交审批。")


class AlreadyProposed(Refusal):
    code, status, rule = "already_proposed", 409, "EX-2"
    message = _("同一接收方、同一用途和范围的对外提供正在审批，请勿重复提交；需要修改的，请先撤回原办件。")


class GrantNotLive(Refusal):
    code, status, rule = "grant_not_live", 409, "EX-2"
    message = _("该对外提供当前为“{state}”，不能进行此操作。请刷新后再看。")


class ReasonMissing(Refusal):
    code, status, rule = "reason_missing", 422, "EX-2"
    message = _("请写明理由（不少于 6 个字），它将与该项授权一并长期保存。")


class AddressesWrong(Refusal):
    code, status, rule = "addresses_wrong", 422, "AP-2"
    message = _("请逐行填写允许访问的地址或网段（如 203.0.113.7 或 203.0.113.0/28），网段不大于 /{widest}。")


class TooManyClients(Refusal):
    code, status, rule = "too_many_clients", 409, "AP-2"
    message = _("一项授权最多保留 {most} 个客户端，请先停用不再使用的。")


# ── Asked by a client ─────────────────────────────────────────────────────────────────────────────────────
class GrantRefused(Refusal):
    """A grant or client that gives nothing at this moment."""

    status, article = 403, ARTICLE


class ClientStopped(GrantRefused):
    code, rule = "client_stopped", "AP-2"
    message = _("该客户端已停用，不再提供数据。请联系批准单位。")


class GrantStopped(GrantRefused):
    code, rule = "grant_stopped", "EX-2"
    message = _("该项对外提供已停止（{state}），不再提供数据。请联系批准单位。")


class GrantExpired(GrantRefused):
    code, rule = "grant_expired", "EX-2"
    message = _("该项对外提供已于 {day} 到期，不再提供数据。需要继续的，请由主管部门重新审批。")


class GrantNotYet(GrantRefused):
    code, rule = "grant_not_yet", "EX-2"
    message = _("该项对外提供自 {day} 起生效，现在还不提供数据。")


class AddressNotAllowed(GrantRefused):
    code, rule = "address_not_allowed", "AP-2"
    message = _("来访地址不在该客户端登记的地址范围内。请从登记的地址访问，或请批准单位更新。")


class ServiceNotGranted(GrantRefused):
    code, rule = "service_not_granted", "AP-3"
    message = _("该项授权不包括此服务，没有提供数据。")


class TokenUnknown(Refusal):
    code, status, rule = "token_unknown", 401, "AP-2"
    message = _("访问令牌无效或已过期（有效期十分钟），请重新取得令牌。")


class TooFast(Refusal):
    code, status, rule = "too_fast", 429, "AP-6"
    message = _("请求过于频繁，请在 {seconds} 秒后再试。")


class QuotaSpent(Refusal):
    code, status, rule = "quota_spent", 429, "AP-6"
    message = _("今日额度 {quota} 条已用完，明日零点恢复（{seconds} 秒后）。")


class LimitsUnavailable(Refusal):
    """Without the counters nothing is provided (AP-6)."""

    code, status, rule = "limits_unavailable", 503, "AP-6"
    message = _("系统暂时无法核对访问额度，因此没有提供数据。请稍后再试。")
