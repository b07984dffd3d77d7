"""Fill an empty installation with the demo."""

from __future__ import annotations

import json
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import connection

from config.demo import history, loading, play
from contacts import clock
from contacts.models import Contact


class Command(BaseCommand):
    help = "Load a year of real retail history and play the ready-made journeys over the last 30 days."

    def handle(self, *args: Any, **options: Any) -> None:
        now = clock.now()
        if Contact.objects.exists():
            raise CommandError("There are contacts already: the demo fills an empty installation only.")
        with connection.cursor() as cursor:
            # Nothing here was promised to anybody: a load that is cut short starts afresh.
            cursor.execute("SET synchronous_commit = off")
        try:
            stage = loading.load(now)
        except history.MissingDataError as error:
            raise CommandError(str(error)) from error
        played = play.play(stage, now)
        rate = stage.loaded / stage.seconds
        self.stdout.write(
            f"Loaded {stage.loaded:,} real events in {stage.seconds:.0f} s ({rate:,.0f}/s);"
            f" played {played.events:,} events and {played.messages:,} messages"
            f" of the last {loading.PLAY_DAYS} days in {played.seconds:.0f} s."
        )
        told = {"loaded": stage.loaded, "load_rate": round(rate), "played": played.events}
        (settings.SEGUE_HOME / "demo.json").write_text(json.dumps(told), encoding="utf-8")
