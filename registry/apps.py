from django.apps import AppConfig


class RegistryApp(AppConfig):
    name = "registry"
    verbose_name = "学籍"
