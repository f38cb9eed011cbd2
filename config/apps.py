import gc

from django.apps import AppConfig


class ConfigApp(AppConfig):
    name = "config"
    verbose_name = "基础"

    def ready(self) -> None:
        """The collector, which settings.py stopped, looks at what comes from now on."""
        gc.freeze()
        gc.enable()
