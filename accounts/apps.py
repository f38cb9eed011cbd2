from django.apps import AppConfig


class AccountsApp(AppConfig):
    name = "accounts"
    verbose_name = "账号与单位"
