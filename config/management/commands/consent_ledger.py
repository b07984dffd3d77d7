"""Walk through the whole consent ledger and say whether it is as it was written."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from contacts import clock
from contacts.consent import anchoring, verifying


class Command(BaseCommand):
    help = "Verify every line, chain and anchor of the consent ledger; fails where something is broken."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--anchor", action="store_true", help="first anchor the lines that have none")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["anchor"]:
            while lines := anchoring.anchor(clock.now(), even_young=True):
                self.stdout.write(f"Anchored {lines:,} lines.")
        check = verifying.verify(clock.now())
        for fault in check.faults:
            self.stdout.write("Broken: " + ", ".join(f"{name} {value}" for name, value in fault.items()))
        if check.faults:
            raise CommandError(f"The ledger is not as it was written; the first fault is {check.faults[0]}.")
        self.stdout.write(
            f"{check.lines:,} lines and {check.anchors:,} anchors are as they were written"
            f" ({check.older:,} lines are older than the chain)."
        )
