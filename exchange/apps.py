from django.apps import AppConfig


class ExchangeApp(AppConfig):
    name = "exchange"
    verbose_name = "对外提供"

    def ready(self) -> None:
        from exchange.kind import PROVISION
        from transfers.kinds import add_kind

        add_kind(PROVISION)
