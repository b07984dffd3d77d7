"""How far the clock's triggers were followed."""

from __future__ import annotations

from django.db import models

from journeys.models.journey import Journey


class ClockMark(models.Model):
    """Up to when a journey's schedule or date was followed; while a turn is under way, how far it got."""

    journey = models.OneToOneField(Journey, models.CASCADE, primary_key=True, related_name="clock_mark")
    at = models.DateTimeField()
    #: The turn under way covers what falls after ``at`` up to here.
    until = models.DateTimeField(null=True)
    #: Contacts up to this id have been looked at in this turn.
    after_id = models.BigIntegerField(default=0)

    class Meta:
        verbose_name = "clock mark"
        verbose_name_plural = "clock marks"

    def __str__(self) -> str:
        return f"{self.journey_id} up to {self.at}"
