from django.apps import AppConfig


class RegistryApp(AppConfig):
    name = "registry"
    verbose_name = "学籍"

    def ready(self) -> None:
        """Tell the floors below what they may not ask for: the log the names of the form's fields, accounts
        how many pupils a post concerns and what stands in a person's name.
        """
        from accounts import handover, who_gains
        from audit.sentences import FIELD_LABELS
        from registry import handing_over
        from registry.fields import FIELDS

        FIELD_LABELS.update({field.key: field.label_zh for field in FIELDS})
        who_gains.PUPIL_COUNTS.append(handing_over.pupils_under)
        handover.KINDS.extend(handing_over.KINDS)
