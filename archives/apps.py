from django.apps import AppConfig


class ArchivesApp(AppConfig):
    name = "archives"
    verbose_name = "档案"
