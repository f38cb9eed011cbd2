"""A sealed value that does not open, met while answering: nothing is shown, and W15 warns (KE-2)."""

from functools import partial

from django.utils.translation import gettext_lazy as _

from accounts.models import User
from audit.warnings import warn
from config.crypto import DoesNotOpen
from config.errors import Refusal


class SealBroken(Refusal):
    code, status, rule = "does_not_open", 500, "KE-2"
    message = _(
        "一项加密内容与它所在的记录不符，系统没有显示，并已向安全管理员发出严重预警。"
        "请不要反复尝试，把参考号告诉上级主管部门。"
    )


def alarm(error: DoesNotOpen, user: User) -> SealBroken:
    """The refusal to answer with; its warning survives the rollback."""
    place = str(error)[:100]
    path = user.acting_path
    told = partial(warn, "W15", path=path, key=_key(place), place=place)
    return SealBroken(afterwards=told if path else None)


def _key(place: str) -> str:
    """A pupil's own row stops acts on her (`student:5`); anything else is named as it was met."""
    table, _space, rest = place.partition(" ")
    row = rest.partition(" ")[0]
    return f"student:{row}" if table == "registry_student" and row.isdigit() else place
