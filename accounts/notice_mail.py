"""Sending notices by e-mail: kind, case number and link; nothing else leaves the house."""

import smtplib
from datetime import timedelta
from itertools import groupby
from typing import Any

import structlog
from django.conf import settings
from django.core.mail import EmailMessage, get_connection
from django.db import transaction
from django.db.models import QuerySet
from django.db.models.functions import Now
from django.urls import reverse
from django.utils.translation import override

from accounts.models import Notice
from accounts.notices import KINDS

log = structlog.get_logger(__name__)
PACK = 200  # notices; those of one person stand in one e-mail
STALE = timedelta(days=2)  # after an outage: by then she has seen it in the page


def send_waiting() -> int:
    """Send what waits, and answer how many e-mails went out. Nothing is sent where no mail is set up.

    A pack is claimed by its row locks: two workers never send the same. What a killed worker had not marked
    goes out again: twice is better than never.
    """
    sent, is_well = 0, settings.MAIL_IS_ON
    while is_well:
        with transaction.atomic():
            rows = list(_waiting().select_for_update(skip_locked=True, of=("self",))[:PACK])
            went_out, is_well = _send(rows)
        sent += went_out
        if len(rows) < PACK:
            break
    return sent


def _waiting() -> "QuerySet[Notice]":
    fresh = Notice.objects.filter(by_email=True, emailed_at=None, created_at__gt=Now() - STALE)
    able = fresh.filter(user__is_active=True, user__sealed_at=None).exclude(user__email="")
    return able.select_related("user").order_by("id")


def _send(rows: list[Notice]) -> tuple[int, bool]:
    """How many e-mails went out, and whether the server still takes them."""
    mailbox, sent = get_connection(), 0
    for person, group in groupby(sorted(rows, key=lambda row: (row.user_id, row.pk)), lambda row: row.user):
        notices = list(group)
        try:
            mailbox.send_messages([_message(person.email, notices)])
        except (smtplib.SMTPRecipientsRefused, smtplib.SMTPDataError) as error:
            # Her address, not the server: the others must not wait behind her.
            log.warning("notice_refused", user=person.pk, error=type(error).__name__)
            Notice.objects.filter(pk__in=[row.pk for row in notices]).update(by_email=False)
            continue
        except (smtplib.SMTPException, OSError) as error:
            log.warning("mail_server_away", error=type(error).__name__)
            return sent, False
        Notice.objects.filter(pk__in=[row.pk for row in notices]).update(emailed_at=Now())
        sent += 1
    return sent, True


def _message(address: str, notices: list[Notice]) -> EmailMessage:
    with override(settings.LANGUAGE_CODE):
        lines = [f"{KINDS[row.kind].label} {row.about}".strip() for row in notices]
        links = [settings.ORIGIN + row.target for row in notices]
        subject = lines[0] if len(lines) == 1 else f"{len(lines)} 条新通知"
        choices = settings.ORIGIN + reverse("accounts:notice_choices")
    body = "\n\n".join(f"{line}\n{link}" for line, link in zip(lines, links, strict=True))
    end = f"本邮件由学籍系统自动发出，请勿回复。不再接收请在通知设置中关闭：{choices}"
    headers: dict[str, Any] = {"Auto-Submitted": "auto-generated"}
    return EmailMessage(f"【学籍】{subject}", f"{body}\n\n{end}\n", to=[address], headers=headers)
