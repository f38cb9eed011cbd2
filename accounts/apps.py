from django.apps import AppConfig


class AccountsApp(AppConfig):
    name = "accounts"
    verbose_name = "账号与单位"

    def ready(self) -> None:
        """Let early warning and budgets reach people: audit stands below and knows no notices."""
        from accounts import warned
        from audit import budgets, warnings

        warnings.TELLERS.append(warned.tell_of_warning)
        budgets.TELLERS.append(warned.tell_of_budget)
