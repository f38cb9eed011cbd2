"""The Celery application and its timetable."""

import os

from celery import Celery
from celery.schedules import crontab
from celery.signals import beat_init, worker_init
from django.core.exceptions import ImproperlyConfigured

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

app = Celery("xueji")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()

# Static, reviewable, no tables. Deadlines live in the database and these tasks look for what is due.
app.conf.beat_schedule = {
    "sweep-outbox": {"task": "transfers.tasks.sweep_outbox", "schedule": 60.0},
    "send-notices": {"task": "accounts.tasks.send_notices", "schedule": 60.0},
    "purge-notices": {"task": "accounts.tasks.purge_notices", "schedule": crontab(hour="3", minute="40")},
    "remind-and-escalate": {
        "task": "transfers.tasks.remind_and_escalate",
        "schedule": crontab(minute="*/15"),
    },
    "resume-intake": {"task": "registry.tasks.resume_intake", "schedule": 60.0},
    "resume-photos": {"task": "archives.tasks.resume_photos", "schedule": 60.0},
    "purge-imports": {"task": "registry.tasks.purge_imports", "schedule": crontab(hour="3", minute="20")},
    "purge-materials": {"task": "archives.tasks.purge_materials", "schedule": crontab(hour="3", minute="0")},
    "gather-stragglers": {
        "task": "transfers.tasks.gather_stragglers",
        "schedule": crontab(hour="4", minute="40"),
    },
    "fold-lane-paces": {
        "task": "transfers.tasks.fold_lane_paces",
        "schedule": crontab(hour="4", minute="10"),
    },
    "watch-suspensions": {
        "task": "transfers.tasks.watch_suspensions",
        "schedule": crontab(hour="6", minute="10"),
    },
    # R-NUM-06: a scheduled job beside the run that follows each completion.
    "issue-numbers": {"task": "transfers.tasks.issue_numbers", "schedule": crontab(hour="2", minute="30")},
}


@worker_init.connect
@beat_init.connect
def refuse_dangerous_role(**_: object) -> None:
    """Stop the start of a process whose database role could pass the wall (ARCHITECTURE 8)."""
    from config import roles  # needs the loaded applications

    try:
        roles.refuse_dangerous_role()
    except ImproperlyConfigured as error:
        raise SystemExit(str(error)) from error  # any other exception would only be logged
