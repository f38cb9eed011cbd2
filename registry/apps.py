from django.apps import AppConfig


class RegistryApp(AppConfig):
    name = "registry"
    verbose_name = "学籍"

    def ready(self) -> None:
        """Give the log the names of the form's fields: audit stands below and may not ask for them."""
        from audit.sentences import FIELD_LABELS
        from registry.fields import FIELDS

        FIELD_LABELS.update({field.key: field.label_zh for field in FIELDS})
