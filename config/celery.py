"""The Celery application and its timetable."""

import os

from celery import Celery
from celery.schedules import crontab
from celery.signals import beat_init, worker_init
from django.core.exceptions import ImproperlyConfigured

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

app = Celery("xueji", task_cls="config.fence:FencedTask")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
app.autodiscover_tasks(["audit"], related_name="warning_tasks")

# Static, reviewable, no tables. Deadlines live in the database and these tasks look for what is due.
app.conf.beat_schedule = {
    "sweep-outbox": {"task": "transfers.tasks.sweep_outbox", "schedule": 60.0},
    # A pass that waited while another ran has nothing left to do.
    "seal-log": {"task": "audit.tasks.seal_log", "schedule": 5.0, "options": {"expires": 5}},
    "sign-checkpoint": {"task": "audit.tasks.sign_checkpoint", "schedule": crontab(minute="0")},
    "write-checkpoints": {
        "task": "audit.tasks.write_checkpoints",
        "schedule": crontab(hour="0", minute="10"),
    },
    "watch-sealer": {"task": "audit.tasks.watch_sealer", "schedule": crontab(minute="*/15")},
    "send-notices": {"task": "accounts.tasks.send_notices", "schedule": 60.0},
    "purge-sign-ins": {"task": "accounts.tasks.purge_sign_ins", "schedule": crontab(minute="50")},
    "purge-notices": {"task": "accounts.tasks.purge_notices", "schedule": crontab(hour="3", minute="40")},
    "seal-dormant-accounts": {
        "task": "accounts.tasks.seal_dormant_accounts",
        "schedule": crontab(hour="1", minute="30"),
    },
    "warn-idle-accounts": {
        "task": "accounts.tasks.warn_idle_accounts",
        "schedule": crontab(hour="8", minute="20"),
    },
    "warn-ending-trainings": {
        "task": "accounts.tasks.warn_ending_trainings",
        "schedule": crontab(hour="8", minute="10"),
    },
    "purge-account-lists": {
        "task": "accounts.tasks.purge_account_lists",
        "schedule": crontab(hour="3", minute="45"),
    },
    "watch-upkeep": {"task": "accounts.tasks.watch_upkeep", "schedule": crontab(hour="7", minute="0")},
    "watch-mass-runs": {"task": "accounts.tasks.watch_mass_runs", "schedule": 60.0},
    "remind-and-escalate": {
        "task": "transfers.tasks.remind_and_escalate",
        "schedule": crontab(minute="*/15"),
    },
    "evaluate-warnings": {"task": "audit.warning_tasks.evaluate_warnings", "schedule": 120.0},
    "purge-attempts": {
        "task": "audit.warning_tasks.purge_attempts",
        "schedule": crontab(hour="3", minute="50"),
    },
    "resume-intake": {"task": "registry.tasks.resume_intake", "schedule": 60.0},
    "resume-verification": {"task": "registry.tasks.resume_verification", "schedule": 60.0},
    "escalate-findings": {
        "task": "registry.tasks.escalate_findings",
        "schedule": crontab(hour="6", minute="20"),
    },
    "resume-photos": {"task": "archives.tasks.resume_photos", "schedule": 60.0},
    "resume-exports": {"task": "registry.tasks.resume_exports", "schedule": 60.0},
    "purge-exports": {"task": "registry.tasks.purge_exports", "schedule": crontab(minute="5")},
    "go-on-with-promotion": {"task": "registry.tasks.go_on_with_promotion", "schedule": 60.0},
    "purge-imports": {"task": "registry.tasks.purge_imports", "schedule": crontab(hour="3", minute="20")},
    "watch-absences": {"task": "registry.tasks.watch_absences", "schedule": crontab(hour="5", minute="10")},
    "end-dropouts": {"task": "registry.tasks.end_dropouts", "schedule": crontab(hour="5", minute="30")},
    "make-dropout-reports": {
        "task": "registry.tasks.make_dropout_reports",
        "schedule": crontab(hour="0", minute="40"),
    },
    "fold-watch-list": {"task": "registry.tasks.fold_watch_list", "schedule": crontab(hour="2", minute="10")},
    "resume-households": {"task": "registry.tasks.resume_households", "schedule": 60.0},
    "purge-households": {
        "task": "registry.tasks.purge_households",
        "schedule": crontab(hour="3", minute="25"),
    },
    "purge-sheets": {"task": "archives.tasks.purge_sheets", "schedule": crontab(minute="35")},
    "purge-materials": {"task": "archives.tasks.purge_materials", "schedule": crontab(hour="3", minute="0")},
    "compare-country": {"task": "registry.tasks.compare_country", "schedule": crontab(hour="1", minute="0")},
    "settle-ended-problems": {
        "task": "transfers.tasks.settle_ended_problems",
        "schedule": crontab(hour="1", minute="40"),
    },
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
    "clean-graduating-business": {
        "task": "transfers.tasks.clean_graduating_business",
        "schedule": crontab(hour="0", minute="20"),
    },
    # A province that waited while it was counted has nothing left to count.
    "count-statistics": {
        "task": "reports.tasks.count_statistics",
        "schedule": crontab(minute="*/5"),
        "options": {"expires": 240},
    },
    "fold-statistics": {
        "task": "reports.tasks.fold_statistics",
        "schedule": 60.0,
        "options": {"expires": 60},
    },
    "check-statistics": {
        "task": "reports.tasks.check_statistics",
        "schedule": crontab(hour="2", minute="10"),
    },
    "resume-reports": {"task": "reports.tasks.resume_reports", "schedule": 60.0},
    "purge-reports": {"task": "reports.tasks.purge_reports", "schedule": crontab(minute="25")},
    "watch-grants": {"task": "exchange.tasks.watch_grants", "schedule": crontab(hour="6", minute="30")},
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
