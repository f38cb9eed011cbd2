from django.apps import AppConfig


class AuditApp(AppConfig):
    name = "audit"
    verbose_name = "审计"
