"""What a password must be, and choosing one (AC-1, AC-2)."""

import re
from collections.abc import Iterator
from typing import Any

from django.contrib.auth.hashers import Argon2PasswordHasher, check_password, make_password
from django.contrib.auth.password_validation import CommonPasswordValidator
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models.functions import Now
from django.utils.translation import gettext as _

from accounts.factors import FactorNeeded, Type, types_of
from accounts.models import FormerPassword, Organization, User
from accounts.sign_ins import end_all, note
from config.rules.catalogue import PASSWORD_HISTORY, PASSWORD_LENGTH
from config.scope import ancestors

SHORTEST, LONGEST = int(str(PASSWORD_LENGTH.value)), 128
LONG_ENOUGH = 20  # characters from which a sentence needs no other classes
NO_WORD = 4  # a shorter piece of a name or number occurs in any password
# What everybody of this trade thinks of first.
_TRADE = (
    *(
        "xueji",
        "xuesheng",
        "xuexiao",
        "jiaoyu",
        "jiaoyuju",
        "jiaoyubu",
        "laoshi",
        "zhongxiaoxue",
        "guanliyuan",
    ),
    *(
        "mima",
        "woaini",
        "password",
        "passwort",
        "admin",
        "school",
        "county",
        "student",
        "education",
        "teacher",
    ),
    *(
        "qwerty",
        "asdfgh",
        "zxcvbn",
        "1qaz2wsx",
        "iloveyou",
        "letmein",
        "welcome",
        "123456",
        "654321",
        "888888",
    ),
)
_LEET = str.maketrans("013457@$!", "oieastasi")
_PLACE = re.compile("省|市|自治区|自治州|区|县|镇|乡|教育厅|教育局|教育部|小学|中学|学校|幼儿园")


class Argon2id(Argon2PasswordHasher):
    """AC-1: 19 MiB, 2 passes, 1 lane."""

    time_cost = 2
    memory_cost = 19456
    parallelism = 1


class Rules:
    """Django's own interface to the rules below; every door that sets a password asks it."""

    def __init__(self) -> None:
        self.common = CommonPasswordValidator().passwords

    def validate(self, password: str, user: Any = None) -> None:
        """Raises ValidationError with a sentence and a code for every rule that the password breaks."""
        person = user if isinstance(user, User) and user.pk else None
        found = [*_form(password), *self._words(password, person), *_used_before(password, person)]
        if found:
            raise ValidationError([ValidationError(text, code=code) for code, text in found])

    def get_help_text(self) -> str:
        return _(
            "至少{shortest}个字；不足{long}个字的，大写字母、小写字母、数字、符号四类中须有三类。"
            "不得含本人姓名、账号、单位名称的拼音和常见词，不得与最近{count}个密码相同。"
        ).format(shortest=SHORTEST, long=LONG_ENOUGH, count=PASSWORD_HISTORY.value)

    def _words(self, password: str, user: User | None) -> Iterator[tuple[str, str]]:
        folded = password.casefold()
        plain = folded.translate(_LEET)
        core = folded.strip("0123456789!@#$%^&*()-_=+.,?~ ")
        if {folded, plain, core} & self.common or len(set(folded)) < 5:
            yield "password_common", _("这是很多人用的密码，或由少数几个字重复而成。请换一个。")
        elif any(word in folded or word in plain for word in _TRADE):
            yield "password_trade_word", _("密码含有“学籍”“学校”一类容易被猜到的词或连续的按键。请换一个。")
        for code, text, words in _own_words(user) if user else ():
            if any(len(word) >= NO_WORD and word in folded for word in words):
                yield code, text


def _form(password: str) -> Iterator[tuple[str, str]]:
    if len(password) < SHORTEST:
        yield "password_short", _("密码至少{n}个字。").format(n=SHORTEST)
    if len(password) > LONGEST:
        yield "password_long", _("密码最多{n}个字；超出的不会被截断，请改短。").format(n=LONGEST)
    kinds = (str.islower, str.isupper, str.isdigit, lambda letter: not letter.isalnum())
    held = sum(any(kind(letter) for letter in password) for kind in kinds)
    if len(password) < LONG_ENOUGH and held < 3:
        yield (
            "password_classes",
            _("不足{n}个字的密码，大写字母、小写字母、数字、符号四类中须有三类。").format(n=LONG_ENOUGH),
        )


def _own_words(user: User) -> Iterator[tuple[str, str, set[str]]]:
    """What of her own may not occur: her name, her account and numbers, the names of her offices."""
    from pypinyin import lazy_pinyin  # a third of a second, which most commands never need

    syllables = lazy_pinyin(user.name)
    name = {"".join(syllables), "".join(syllables[1:] + syllables[:1]), user.name.casefold()}
    yield (
        "password_own_name",
        _("密码不得含本人姓名的拼音。"),
        {word for word in name if len(word) >= NO_WORD},
    )
    numbers = {user.username.casefold(), *re.findall(r"\d+", f"{user.username} {user.phone}")}
    yield "password_own_number", _("密码不得含本人的账号或电话号码。"), numbers
    names = Organization.objects.filter(path__in=ancestors(user.path)).values_list("name", flat=True)
    places = {part for name in names for part in _PLACE.split(name) if len(part) > 1}
    yield (
        "password_own_office",
        _("密码不得含本单位或所在地区名称的拼音。"),
        {"".join(lazy_pinyin(place)) for place in places},
    )


def _used_before(password: str, user: User | None) -> Iterator[tuple[str, str]]:
    if user is None:
        return
    count = int(str(PASSWORD_HISTORY.value))
    newest = user.former_passwords.order_by("-pk").values_list("password", flat=True)[:count]
    hashes = dict.fromkeys((user.password, *newest)) if user.has_usable_password() else newest
    if any(check_password(password, one) for one in list(hashes)[:count]):
        yield "password_used", _("不得使用最近{n}个密码中的任何一个。").format(n=count)


def choose(user: User, password: str) -> None:
    """Keep the password that she chose, and end her sign-ins; the rules have been asked before."""
    with transaction.atomic():
        locked = User.objects.select_for_update().get(pk=user.pk)
        locked.set_password(password)
        User.objects.filter(pk=user.pk).update(password=locked.password, password_chosen_at=Now())
        FormerPassword.objects.create(user=user, password=locked.password)
        older = user.former_passwords.order_by("-pk").values("pk")[int(str(PASSWORD_HISTORY.value)) :]
        FormerPassword.objects.filter(pk__in=list(older.values_list("pk", flat=True))).delete()
        note("accounts.user.password", user)
        end_all(user, reason="password")
    user.refresh_from_db(fields=["password", "password_chosen_at"])


def drop(user: User) -> None:
    """Leave the account with its passkeys alone. Raises FactorNeeded when there is none."""
    with transaction.atomic():
        User.objects.select_for_update().get(pk=user.pk)
        if Type.WEBAUTHN not in types_of(user):
            raise FactorNeeded()
        User.objects.filter(pk=user.pk).update(password=make_password(None), password_chosen_at=None)
        note("accounts.user.password_drop", user)
        end_all(user, reason="password")
