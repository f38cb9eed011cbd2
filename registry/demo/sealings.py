"""Accounts of the demonstration that lie unused: one sealed, some that soon will be."""

from collections.abc import Mapping
from datetime import timedelta

from django.db.models import F
from django.db.models.functions import Now
from django.utils import timezone

from accounts.models import Post, Sealing, User

SEALED_AFTER = timedelta(days=183)
UNUSED = (168, 172, 177)  # days, all within two weeks of sealing
SOON = ".teacher"


def leave_unused(people: Mapping[str, User]) -> None:
    """Let the sealed account be sealed as the nightly job does, and three teachers stay away for long."""
    sealed = User.objects.filter(sealed_at__isnull=False)
    sealed.update(last_login=F("sealed_at") - SEALED_AFTER)
    for post in Post.objects.filter(user__in=sealed).select_related("user", "office"):
        Sealing.objects.create(
            user=post.user, office=post.office, path=post.office.path,
            idle_since=timezone.now() - SEALED_AFTER,
        )  # fmt: skip
    teachers = sorted(name for name in people if SOON in name)[: len(UNUSED)]
    for name, days in zip(teachers, UNUSED, strict=False):
        User.objects.filter(pk=people[name].pk).update(last_login=Now() - timedelta(days=days))
