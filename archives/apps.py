from django.apps import AppConfig


class ArchivesApp(AppConfig):
    name = "archives"
    verbose_name = "档案"

    def ready(self) -> None:
        """Tell accounts, which may not ask, what of ours stands in a person's name."""
        from accounts import handover
        from archives import handing_over

        handover.KINDS.extend(handing_over.KINDS)
