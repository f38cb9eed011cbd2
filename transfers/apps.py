from django.apps import AppConfig


class TransfersApp(AppConfig):
    name = "transfers"
    verbose_name = "办件"

    def ready(self) -> None:
        """Tell accounts, which may not ask, what of ours stands in a person's name."""
        from accounts import handover
        from transfers import handing_over

        handover.KINDS.extend(handing_over.KINDS)
