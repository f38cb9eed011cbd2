from django.apps import AppConfig


class ReportsApp(AppConfig):
    name = "reports"
    verbose_name = "统计报表"
