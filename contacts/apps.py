import gc

from django.apps import AppConfig

# Batches make a hundred thousand objects that all go by themselves. With the usual threshold of 700 a third
# of the time of imports and ingest went into looking for cycles among them.
_OBJECTS = 50_000


class ContactsConfig(AppConfig):
    name = "contacts"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        gc.set_threshold(_OBJECTS, 20, 100)
