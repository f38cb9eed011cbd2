"""The ground every wing stands on; it knows nothing of pupils."""

from config.celery import app as celery_app

__all__ = ["celery_app"]
