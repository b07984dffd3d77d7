"""Segue's settings with nothing that a plain view of links does not need."""

from config.settings import *  # noqa: F403

INSTALLED_APPS = ["django.contrib.auth", "django.contrib.contenttypes", "channels", "contacts"]
MIDDLEWARE = []
ROOT_URLCONF = "benchmarks.plain_tracking_view"
