"""`manage.py pulses`: the table of pulses into the scheduler, after an upgrade. `up` does it by itself."""

from typing import Any

from django.core.management.base import BaseCommand

from config import celery_app
from config.preparing import ensure_pulses


class Command(BaseCommand):
    help = "Make the scheduler tick for every pulse of config.celery."

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(f"Pulses: {', '.join(ensure_pulses(celery_app))}")
