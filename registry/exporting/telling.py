"""Notices of an export: to who may approve it where it was asked, and to who asked (UI.md)."""

from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.notices import notify
from accounts.rights import seated
from accounts.roles import Right
from registry.models import Export


def tell_approvers(export: Export) -> None:
    """Somebody asks; an office without a holder of the right is approved for by the one above, which sees it
    in its list.
    """
    seat = (export.org_path, str(Right.APPROVE_EXPORT))
    people = set(seated([seat])[seat]) - {export.requested_by_id}
    words = _("{who}申请导出{place} {count} 人的数据，请审批").format(
        who=export.requested_by_name, place=export.scope_name, count=export.row_cap
    )
    _tell(people, words, export)


def tell_requester(export: Export) -> None:
    """What became of her request."""
    words = _("您申请的导出{state}").format(state=export.get_state_display())
    _tell({export.requested_by_id}, words, export)


def _tell(people: set[int], words: str, export: Export) -> None:
    address = reverse("registry:export", args=[export.public_id])
    notify(people, "export", words[:300], address, about=export.approval_number)
