"""Segue's settings with nothing that a plain view does not need, for what intake is measured against."""

from config.settings import *  # noqa: F403

INSTALLED_APPS = ["contacts"]
MIDDLEWARE = []
ROOT_URLCONF = "benchmarks.plain_view"
