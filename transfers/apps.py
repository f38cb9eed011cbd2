from django.apps import AppConfig


class TransfersApp(AppConfig):
    name = "transfers"
    verbose_name = "办件"
