from django.apps import AppConfig


class ConfigConfig(AppConfig):
    """Holds the management commands and checks of the project itself; has no table but the cache's."""

    name = "config"
    verbose_name = "Segue"
