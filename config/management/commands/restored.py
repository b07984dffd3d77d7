"""`manage.py restored`: what to do after a backup was restored."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand

from contacts import clock
from contacts.privacy import restoring, tombstones


class Command(BaseCommand):
    help = "After a restore: erase again whom the backup still knew, and let readers of the log go on."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--tombstones", type=Path, help=f"the file to read, if not {tombstones.file().name} in SEGUE_HOME"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        done = restoring.restore(clock.now(), options["tombstones"], thorough=True)
        self.stdout.write(
            f"{done.tombstones} tombstones added, {done.people} people erased again, "
            + (f"the log's numbers moved on by {done.addend}." if done.addend else "the log was in order.")
        )
