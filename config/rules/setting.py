"""How a level sets a parameter for itself: within the national bound, by a document, from a day on."""

from datetime import date
from typing import Any

from django.db import IntegrityError, transaction
from django.db.backends.postgresql.psycopg_any import DateRange
from django.db.models import JSONField, Value
from django.utils.translation import gettext_lazy as _

from config.clock import today
from config.errors import Refusal
from config.models import RuleValue
from config.rules.catalogue import PARAMETERS
from config.rules.parameter import Level, Parameter, freeze
from config.scope import NATION
from config.workdays import ONE_DAY

NEVER = DateRange(empty=True)
NO_VALUE = Value(None, JSONField())  # JSON's null: the column itself is never empty


class RuleRefused(Refusal):
    """A local value is declined; the article of the parameter is named."""

    def __init__(self, parameter: Parameter, **data: Any) -> None:
        self.parameter = parameter
        self.article = parameter.article
        super().__init__(source=parameter.citation, text=parameter.text, **data)


class RuleOutOfBound(RuleRefused):
    code, status = "rule_out_of_bound", 422
    message = _("{source}：{text}。{bound}，不能设为“{value}”。请改填范围内的值。")


class RuleMalformed(RuleRefused):
    code, status = "rule_malformed", 422
    message = _("{source}：{text}。“{value}”不是该参数可用的值，请按说明重新填写。")


class RuleNotYours(RuleRefused):
    code, status = "rule_not_yours", 403
    message = _("{source}：{text}。该参数只能由{levels}设定，{level}不能设定。请向有权设定的上级提出。")


class RuleWithoutDocument(RuleRefused):
    code, status = "rule_without_document", 422
    message = _("{source}：{text}。设定该参数须写明依据文件的名称或文号。")


class RulePeriodWrong(RuleRefused):
    code, status = "rule_period_wrong", 422
    message = _("{source}：{text}。{day}不能作为{what}。请核对施行的起止日期。")


class RuleEnded(RuleRefused):
    code, status = "rule_ended", 409
    message = _("{source}：{text}。该设定已经终止或撤回，无须再次终止。请刷新后核对。")


class RuleOverlaps(RuleRefused):
    code, status = "rule_overlaps", 409
    message = _("{source}：{text}。该机构在这段时间内已有设定，且不能改写已经过去的设定。请核对生效日期。")


def set_rule(
    key: str | Parameter,
    value: object,
    *,
    at: str,
    level: str,
    document: str,
    set_by_name: str,
    created_by_name: str,
    starts: date | None = None,
    until: date | None = None,
) -> RuleValue:
    """Set a parameter for the office `at` and all under it, from `starts` (today) until before `until`.

    A value already in force there ends on `starts`; if `until` is given it comes back on that day. What was
    in force on past days stays as it was, so that a case can be judged by the rules it began under. The
    caller has asked whether the person may act for the office, and records the act; `level` is that office's.
    Raises RuleMalformed, RuleOutOfBound, RuleNotYours, RuleWithoutDocument, RulePeriodWrong (`until` is not
    after `starts`) or RuleOverlaps; KeyError for an unknown parameter.
    """
    parameter = key if isinstance(key, Parameter) else PARAMETERS[key]
    starts = starts or today()
    _check(parameter, value, at=at, level=level, document=document)
    if until is not None and until <= starts:
        raise RulePeriodWrong(parameter, day=(until - ONE_DAY).isoformat(), what=_("施行的最后一日"))
    try:
        with transaction.atomic():  # a savepoint: a refusal leaves the caller's work intact
            _make_room(parameter, at, starts, until)
            return RuleValue.objects.create(
                path=at,
                key=parameter.key,
                value=value,
                valid=(starts, until),
                document=document.strip(),
                set_by_name=set_by_name,
                created_by_name=created_by_name,
            )
    except IntegrityError as error:  # two officers at once, or a value that already waits for its day
        raise RuleOverlaps(parameter) from error


def end_rule(
    row: RuleValue, *, ends: date, document: str, set_by_name: str, created_by_name: str
) -> RuleValue:
    """End a local value before the day `ends`; from then on the offices above decide again.

    Nothing is deleted: the row keeps the days on which it held, and a mark without a value keeps who ended
    it by which document. A value that still waits for its first day is withdrawn: it never holds. The caller
    has asked whether the person may act for the office, and records the act. Raises RuleWithoutDocument,
    RuleEnded or RulePeriodWrong (`ends` lies in the past, before its first day or after its last).
    """
    parameter = PARAMETERS[row.key]
    if not document.strip():
        raise RuleWithoutDocument(parameter)
    with transaction.atomic():
        held = RuleValue.objects.select_for_update().get(pk=row.pk)
        first, last = held.valid.lower, held.valid.upper
        if held.value is None or held.valid.isempty or (last is not None and last <= today()):
            raise RuleEnded(parameter)
        gone = NEVER
        if first > today():
            held.valid = NEVER
        elif ends < today() or ends <= first or (last is not None and ends >= last):
            raise RulePeriodWrong(parameter, day=ends.isoformat(), what=_("不再施行的第一日"))
        else:
            held.valid, gone = DateRange(first, ends), DateRange(ends, last)
        held.save(update_fields=["valid"])
        return RuleValue.objects.create(
            path=held.path,
            key=held.key,
            value=NO_VALUE,
            valid=gone,
            document=document.strip(),
            set_by_name=set_by_name,
            created_by_name=created_by_name,
        )


def _check(parameter: Parameter, value: object, *, at: str, level: str, document: str) -> None:
    # The national path is the nation's alone: otherwise a province could decide for all others.
    if not parameter.may_be_set_by(level) or (at == NATION and level != Level.NATION):
        named = Level(level).label if level in set(Level) else _("本级")
        raise RuleNotYours(parameter, levels=parameter.levels(), level=named)
    if not parameter.is_well_formed(freeze(value)):
        raise RuleMalformed(parameter, value=_plain(value))
    if not parameter.allows(value):
        shown = parameter.display(freeze(value))
        raise RuleOutOfBound(parameter, value=shown, bound=parameter.bound_in_words())
    if not document.strip():
        raise RuleWithoutDocument(parameter)


def _make_room(parameter: Parameter, at: str, starts: date, until: date | None) -> None:
    """End the value in force on `starts`; keep the rest of it for the time after `until`."""
    # A mark of an end that is still to come holds no place: a new value may begin where an older one ends.
    coming = RuleValue.objects.filter(path=at, key=parameter.key, valid__startswith__gte=max(starts, today()))
    coming.filter(value=None, valid__overlap=(starts, until)).update(valid=NEVER)
    before = RuleValue.objects.select_for_update().filter(
        path=at, key=parameter.key, valid__contains=starts, valid__startswith__lt=starts
    )
    for old in before:
        if starts < today():
            raise RuleOverlaps(parameter)
        ends: date | None = old.valid.upper
        RuleValue.objects.filter(pk=old.pk).update(valid=(old.valid.lower, starts))
        if until is not None and (ends is None or until < ends):
            old.pk, old.valid = None, (until, ends)
            old.value = NO_VALUE if old.value is None else old.value
            old._state.adding = True
            old.save(force_insert=True)


def _plain(value: object) -> str:
    return "、".join(str(word) for word in value) if isinstance(value, list | tuple) else str(value)
