"""代办: for a time a colleague holds the post of somebody absent; both names sign (R-ACC-08, AZ-7)."""

from datetime import date, timedelta

from django.db import IntegrityError, transaction
from django.db.backends.postgresql.psycopg_any import DateRange
from django.db.models import Q, QuerySet
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from accounts.models import Post, User, trainings_valid
from accounts.notices import notify
from accounts.rights import explain
from accounts.roles import ADMINISTRATIONS, ROLES, Right
from audit.services import record
from config.clock import today
from config.errors import Refusal

# Ours: who is away for longer is not stood in for, somebody is appointed.
MOST_DAYS = 60
REASON_AT_LEAST = 4  # characters


class OwnSubstitute(Refusal):
    code, status = "own_substitute", 422
    message = _("本人不能代本人办理，请另选一位同事。")


class SubstituteSealed(Refusal):
    code, status = "substitute_sealed", 409
    rule, article = "R-ACC-04", "第二十四条"
    message = _("{name}的账号已封存或停用，不能代办。请另选一位同事，或由上级单位解封。")


class SubstituteUntrained(Refusal):
    code, status = "substitute_untrained", 409
    rule, article = "R-ACC-06", "第二十二条"
    message = _("{name}在代办期内没有有效的培训记录，先培训后上岗。请另选一位已培训的同事。")


class SubstituteOverlaps(Refusal):
    code, status = "substitute_overlaps", 409
    rule = "AC-9"
    message = _("该岗位在这段时间内已有代办人，或{name}本来就任该岗位。请调整日期，或先结束原来的代办。")


class SubstituteDates(Refusal):
    code, status = "substitute_dates", 422
    message = _("代办须从今天或以后开始，结束不早于开始，最长 {most} 天，并在原岗位任期之内。请调整日期。")


class SubstituteReason(Refusal):
    code, status = "substitute_reason", 422
    message = _("请写明代办事由（不少于 4 个字），例如“外出培训”。")


class TwoAdministrations(Refusal):
    code, status = "two_administrations", 409
    rule = "R-ACC-10"
    message = _("管理员岗位与业务岗位不能由同一人兼任，代办也不例外。请另选一位同事。")


class SubstituteOver(Refusal):
    code, status = "substitute_over", 409
    message = _("这项代办已经结束，请刷新后再看。")


# ── Who, for whom ─────────────────────────────────────────────────────────────────────────────────────────
def may_arrange(user: User) -> bool:
    """Whether she arranges it for everybody at the office she acts for, or for herself only."""
    return user.may_act_at(Right.MANAGE_ACCOUNTS, user.acting_path)


def posts_to_fill(user: User) -> "QuerySet[Post]":
    """Posts at her office that somebody may stand in for, by her word."""
    posts = _posts_here(user).filter(stands_for=None)
    return posts if may_arrange(user) else posts.filter(user=user)


def colleagues(user: User) -> "QuerySet[User]":
    """Everybody with a post of their own at her office today. Who is sealed too: it is said, not hidden."""
    own = _posts_here(user).filter(stands_for=None)
    return User.objects.filter(pk__in=own.values("user")).order_by("name", "pk")


def arranged(user: User) -> "QuerySet[Post]":
    """What is arranged at her office, today or later: all of it for who arranges, else what concerns her."""
    here = Post.objects.filter(office__path=user.acting_path, stands_for__isnull=False)
    coming = here.filter(valid__endswith__gt=today()).select_related("user", "stands_for", "office")
    concerned = coming if may_arrange(user) else coming.filter(Q(user=user) | Q(stands_for=user))
    return concerned.order_by("valid", "pk")


def _posts_here(user: User) -> "QuerySet[Post]":
    here = Post.objects.filter(office__path=user.acting_path, valid__contains=today())
    return here.select_related("user", "office").order_by("role", "user__name", "pk")


# ── Acts ──────────────────────────────────────────────────────────────────────────────────────────────────
@transaction.atomic
def name_substitute(
    post: Post, colleague: User, *, first: date, last: date, reason: str, actor: User
) -> Post:
    """Let `colleague` hold `post` from `first` to `last`, both included.

    By the office's system administrator or the holder herself. Raises NotAllowed, and a refusal of this
    module for the colleague, the dates or the reason; a constraint decides whether somebody stands there.
    """
    if post.user_id != actor.pk:
        explain(actor, Right.MANAGE_ACCOUNTS, at=post.path).or_raise()
    if not _fit(post, first, last):
        raise SubstituteDates(most=str(MOST_DAYS))
    _check_colleague(post, colleague, first, last)
    if len(reason.strip()) < REASON_AT_LEAST:
        raise SubstituteReason()
    try:
        with transaction.atomic():  # a savepoint: the refusal leaves the caller's work intact
            made = Post.objects.create(
                user=colleague, office=post.office, role=post.role, stands_for=post.user,
                valid=DateRange(first, last + timedelta(days=1)), reason=reason.strip(),
                appointed_by_name=actor.name,
            )  # fmt: skip
    except IntegrityError as error:
        raise SubstituteOverlaps(name=colleague.name) from error
    record(
        "accounts.post.substitute", made, actor=actor, reason=reason.strip(),
        **_in_words(made), first=first.isoformat(), last=last.isoformat(),
    )  # fmt: skip
    _tell(made, f"{first:%Y-%m-%d}至{last:%Y-%m-%d}，{colleague.name}代{post.user.name}办理", actor)
    return made


@transaction.atomic
def end_substitute(post: Post, *, actor: User) -> None:
    """End it now, by whoever could arrange it or by the substitute. Raises NotAllowed, SubstituteOver."""
    if actor.pk not in (post.user_id, post.stands_for_id):
        explain(actor, Right.MANAGE_ACCOUNTS, at=post.path).or_raise()
    day = today()
    # Of one day or not yet begun nothing is left: no range without a day could be said otherwise.
    left = DateRange(post.valid.lower, day) if post.valid.lower < day else DateRange(empty=True)
    ended = Post.objects.filter(pk=post.pk, stands_for__isnull=False, valid__endswith__gt=day)
    if not ended.update(valid=left):
        raise SubstituteOver()
    record("accounts.post.substitute_end", post, actor=actor, **_in_words(post))
    assert post.stands_for is not None, "a substitute's post"
    _tell(post, f"{post.user.name}代{post.stands_for.name}办理已结束", actor)


def _check_colleague(post: Post, colleague: User, first: date, last: date) -> None:
    role = ROLES[post.role]
    if colleague.pk == post.user_id:
        raise OwnSubstitute()
    if not colleague.is_active or colleague.sealed_at is not None:
        raise SubstituteSealed(name=colleague.name)
    if role.needs_training and not all(
        trainings_valid(day).filter(user=colleague).exists() for day in (first, last)
    ):
        raise SubstituteUntrained(name=colleague.name)
    held = set(
        Post.objects.filter(user=colleague, valid__overlap=DateRange(first, last, "[]")).values_list(
            "role", flat=True
        )
    )
    if held != {post.role} and ADMINISTRATIONS & {*held, post.role}:
        raise TwoAdministrations()


def _fit(post: Post, first: date, last: date) -> bool:
    if not today() <= first <= last < first + timedelta(days=MOST_DAYS):
        return False
    ends = post.valid.upper
    return post.valid.lower <= first and (ends is None or last < ends)


def _in_words(post: Post) -> dict[str, str]:
    assert post.stands_for is not None, "a substitute's post"
    return {"name": post.user.name, "instead_of": post.stands_for.name, "role": ROLES[post.role].name}


def _tell(post: Post, text: str, actor: User) -> None:
    """Both learn of it, but for the one who did it."""
    concerned = {pk for pk in (post.user_id, post.stands_for_id) if pk is not None} - {actor.pk}
    words = f"{post.office.name}{ROLES[post.role].name}：{text}"
    notify(concerned, "substitute", words, reverse("accounts:substitutes"))
