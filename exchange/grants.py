"""A grant's life: proposed as a case, in force when two leaders approved, ended by one act (EX-2)."""

import calendar
import re
import secrets
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from allauth.idp.oidc.models import Token
from django.db import IntegrityError, transaction
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from accounts.models import Organization, User
from accounts.rights import explain
from accounts.roles import Right
from archives.models import Material
from audit.services import record
from audit.warnings import warn
from config.clock import today
from config.crypto import next_ids, seal
from config.errors import NotAllowed
from config.rules import rule
from exchange.given import COARSE, KEYS
from exchange.models import DataGrant
from exchange.refusals import ARTICLE, AlreadyProposed, GrantNotLive, ReasonMissing, TermsRefused
from registry.findings import Finding
from transfers.models import Case
from transfers.services import file_case

State, Basis, Service = DataGrant.State, DataGrant.Basis, DataGrant.Service
_CODE = re.compile("[0-9A-HJ-NPQRTUWXY]{2}[0-9]{6}[0-9A-HJ-NPQRTUWXY]{10}")
_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"


@dataclass(slots=True)
class Terms:
    """What is proposed, as typed and chosen; `check` says what is wrong with it."""

    receiver_name: str = ""
    receiver_code: str = ""
    purpose: str = ""
    basis: str = ""
    law: str = ""
    document_no: str = ""
    document_by: str = ""
    document_level: str = ""
    document_on: date | None = None
    services: list[str] = field(default_factory=list)
    fields: list[str] = field(default_factory=list)
    clear: list[str] = field(default_factory=list)
    starts_on: date | None = None
    ends_on: date | None = None
    quota: int = 0


def is_credit_code(text: str) -> bool:
    """Whether `text` is a unified social credit code with a right check character (GB 32100-2015)."""
    if not _CODE.fullmatch(text):
        return False
    total = sum(_ALPHABET.index(one) * pow(3, place, 31) for place, one in enumerate(text[:17]))
    return _ALPHABET[(31 - total % 31) % 31] == text[17]


def months_after(day: date, months: int) -> date:
    """The same day some months later, or the month's last."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def check(terms: Terms, at: Organization, subtree: Organization | None) -> list[Finding]:
    """Everything that is wrong with a proposal of the office `at`, in the order of the form."""
    found: list[Finding] = []

    def wrong(name: str, code: str, message: str, remedy: str = "") -> None:
        found.append(Finding(name, code, message, "EX-2", ARTICLE, remedy))

    for name, most in (("receiver_name", 100), ("purpose", 200)):
        if not 4 <= len(getattr(terms, name)) <= most:
            wrong(name, "length", _("请填写 4 至 {most} 个字。").format(most=most))
    if not is_credit_code(terms.receiver_code):
        wrong("receiver_code", "format", _("统一社会信用代码为 18 位，末位校验码须相符。"))
    _check_basis(terms, wrong)
    if subtree is None or not subtree.path.startswith(at.path):
        wrong("office", "scope", _("提供范围须是本单位或下属单位。"), _("请填写单位代码或全称。"))
    if not terms.services or set(terms.services) - set(Service.values):
        wrong("services", "missing", _("请至少选择一项服务。"), _("能用在籍核验的，不提供数据。"))
    _check_fields(terms, wrong)
    _check_span(terms, at, wrong)
    most = rule("GRANT_RECORDS_A_DAY", at=at.path).number
    if not 1 <= terms.quota <= most:
        wrong("quota", "range", _("每日额度应为 1 至 {most} 条。").format(most=most))
    return found


def _check_basis(terms: Terms, wrong: Any) -> None:
    if terms.basis == Basis.LAW:
        if not 4 <= len(terms.law) <= 200:
            wrong("law", "missing", _("请写明法律、行政法规的名称和条款。"))
    elif terms.basis == Basis.DOCUMENT:
        for name, what in (("document_no", _("批准文号")), ("document_by", _("批准机关"))):
            if not getattr(terms, name):
                wrong(name, "missing", _("请填写{what}。").format(what=what))
        if terms.document_level not in DataGrant.Organ.values:
            wrong("document_level", "missing", _("批准机关须是县级以上人民政府，请选择级别。"))
        if terms.document_on is None or terms.document_on > today():
            wrong("document_on", "range", _("请填写批准日期，不晚于今天。"))
    else:
        wrong("basis", "missing", _("没有法律规定或县级以上人民政府批准的，不得提供。"))


def _check_fields(terms: Terms, wrong: Any) -> None:
    chosen, clear = set(terms.fields), set(terms.clear)
    if chosen - KEYS or clear - chosen:
        wrong("fields", "unknown", _("所选数据项有误，请重新勾选。"))
    elif chosen and Service.STUDENTS not in terms.services:
        wrong("fields", "unused", _("没有选择“学生信息”，不需要数据项。"))
    elif Service.STUDENTS in terms.services and not chosen:
        wrong("fields", "missing", _("请勾选要提供的数据项。"))
    elif chosen - clear - COARSE:
        wrong("fields", "no_coarse_form", _("所选数据项中有的没有去标识形式，只能在文件列明时以明文提供。"))
    elif clear and terms.basis != Basis.DOCUMENT:
        wrong("fields", "clear_without_document", _("以明文提供的数据项须由批准文件逐项列明。"))


def _check_span(terms: Terms, at: Organization, wrong: Any) -> None:
    if terms.starts_on is None or terms.starts_on < today():
        wrong("starts_on", "range", _("开始日期不早于今天。"))
    elif terms.ends_on is None or terms.ends_on < terms.starts_on:
        wrong("ends_on", "range", _("结束日期不早于开始日期。"))
    else:
        months = rule("GRANT_MONTHS", at=at.path).number
        if terms.ends_on > months_after(terms.starts_on, months):
            words = _("期限最长 {n} 个月；需要继续的，到期前重新审批。").format(n=months)
            wrong("ends_on", "too_long", words)


@transaction.atomic
def propose(
    terms: Terms, *, at: Organization, subtree: Organization | None, actor: User, materials: list[Material]
) -> DataGrant:
    """File a grant for two leaders to approve. Raises NotAllowed, TermsRefused, AlreadyProposed, and as
    file_case does.
    """
    from exchange.kind import PROVISION  # the kind's effect lives beside this module

    explain(actor, Right.PROPOSE_GRANT, at=at.path).or_raise()
    found = check(terms, at, subtree)
    if found or subtree is None:
        raise TermsRefused(count=len(found), findings=found)
    pk = next_ids("exchange_datagrant")[0]
    grant = DataGrant(
        pk=pk, org_path=at.path, org_name=at.name, subtree=subtree.path, subtree_name=subtree.name,
        key=seal(secrets.token_bytes(32), "exchange_datagrant", pk, "key"),
        proposed_by=actor.pk, proposed_by_name=actor.signing_name,
        **{name: getattr(terms, name) for name in Terms.__dataclass_fields__},
    )  # fmt: skip
    try:
        with transaction.atomic():
            grant.save(force_insert=True)
    except IntegrityError as error:
        raise AlreadyProposed() from error
    case = file_case(
        PROVISION, at, actor=actor, materials=materials, payload={"basis": terms.basis}, grant=grant
    )
    DataGrant.objects.filter(pk=pk).update(case_no=case.number)
    return DataGrant.objects.get(pk=pk)


def put_in_force(case: Case, approvals: list[dict[str, str]]) -> DataGrant:
    """The approved grant begins, with the names of those who approved it. Raises GrantNotLive."""
    grant = DataGrant.objects.get(pk=case.payload["grant"])
    changed = DataGrant.objects.filter(pk=grant.pk, state=State.PROPOSED).update(
        state=State.ACTIVE, approvals=approvals
    )
    if not changed:
        raise GrantNotLive(state=grant.state_shown[1])
    return grant


@transaction.atomic
def stop(grant: DataGrant, *, actor: User, reason: str) -> None:
    """End provision now: no client of this grant gets another answer. Raises NotAllowed, ReasonMissing,
    GrantNotLive.
    """
    _end(grant, State.STOPPED, (State.ACTIVE, State.SUSPENDED), actor, reason)
    record(
        "exchange.grant.stop", grant, actor=actor, reason=reason.strip(), basis=ARTICLE,
        receiver=grant.receiver_name, number=grant.case_no,
    )  # fmt: skip


@transaction.atomic
def note_receiver_changed(grant: DataGrant, *, name: str, actor: User, reason: str) -> int:
    """The receiver's name or business changed: all its running grants of this office and below are suspended
    until approved anew (EX-2); how many. Raises as `stop`.
    """
    same = DataGrant.objects.within(grant.org_path).filter(
        receiver_code=grant.receiver_code, state=State.ACTIVE
    )
    if not same.filter(pk=grant.pk).exists():
        raise GrantNotLive(state=grant.state_shown[1])
    found = list(same.order_by("pk"))
    for one in found:
        _end(one, State.SUSPENDED, (State.ACTIVE,), actor, reason, at=grant.org_path)
        record(
            "exchange.grant.suspend", one, actor=actor, reason=reason.strip(), basis=ARTICLE,
            receiver=one.receiver_name, name=name, number=one.case_no,
        )  # fmt: skip
    warn("W14", path=grant.org_path, key=f"receiver {grant.receiver_code}", count=len(found))
    return len(found)


def _end(
    grant: DataGrant, state: str, among: tuple[str, ...], actor: User, reason: str, at: str = ""
) -> None:
    may_end(actor, at or grant.org_path)
    if len("".join(reason.split())) < 6:
        raise ReasonMissing()
    changed = DataGrant.objects.filter(pk=grant.pk, state__in=among).update(
        state=state, ended_at=Now(), ended_by_name=actor.signing_name, ended_reason=reason.strip()[:200]
    )
    if not changed:
        raise GrantNotLive(state=DataGrant.objects.get(pk=grant.pk).state_shown[1])
    # The check at every request would do; a token that is gone cannot be overlooked.
    Token.objects.filter(client__bound__grant=grant).delete()


def may_end(actor: User, at: str) -> None:
    """Who proposes or approves there may end. Raises NotAllowed."""
    if not actor.may_act_at(Right.APPROVE_GRANT, at):
        explain(actor, Right.PROPOSE_GRANT, at=at).or_raise()


def is_keeper(actor: User, grant: DataGrant) -> bool:
    """Whether she may end the grant and give it clients."""
    try:
        may_end(actor, grant.org_path)
    except NotAllowed:
        return False
    return True
