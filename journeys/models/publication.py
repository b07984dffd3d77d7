"""What surrounds a publication: who asked for it, and where the people inside go."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from contacts.two_people import RequestToPublish
from journeys.models.journey import Journey, JourneyVersion


class Redirect(models.Model):
    """What people do who stood on one step of an older version when a new one was published.

    Worked off in batches by the id of the run, so that each run is looked at once. Without a row they stay.
    """

    class Act(models.TextChoices):
        MOVE = "move", _("move to a step")
        LEAVE = "leave", _("leave")

    journey = models.ForeignKey(Journey, models.CASCADE, related_name="redirects")
    source = models.ForeignKey(JourneyVersion, models.CASCADE, related_name="redirects_away")
    target = models.ForeignKey(JourneyVersion, models.CASCADE, related_name="redirects_here")
    step = models.CharField(_("step"), max_length=60)
    act = models.CharField(_("act"), max_length=5, choices=Act.choices)
    to_step = models.CharField(_("to step"), max_length=60, blank=True, default="")
    asked_at = models.DateTimeField(_("asked"))
    # Runs beyond the upper id began later; those up to the last one were looked at.
    upper_id = models.BigIntegerField()
    last_id = models.BigIntegerField(default=0)
    handled = models.IntegerField(_("people"), default=0)
    done_at = models.DateTimeField(_("done"), null=True)

    class Meta:
        verbose_name = _("redirect")
        verbose_name_plural = _("redirects")
        constraints = [
            models.UniqueConstraint(fields=["source", "target", "step"], name="redirect_once"),
            models.CheckConstraint(
                condition=models.Q(act="leave", to_step="") | models.Q(act="move") & ~models.Q(to_step=""),
                name="redirect_move_has_step",
            ),
        ]
        indexes = [models.Index(fields=["id"], condition=models.Q(done_at=None), name="redirect_open")]

    def __str__(self) -> str:
        return f"{self.step}: {self.act} {self.to_step}".rstrip()


class PublishRequest(RequestToPublish):
    """Somebody asks that a draft be published, with what the people inside shall do; another one decides."""

    journey = models.ForeignKey(Journey, models.CASCADE, related_name="publish_requests")
    choices = models.JSONField(default=list)

    class Meta:
        verbose_name = _("request to publish")
        verbose_name_plural = _("requests to publish")
        constraints = [
            models.UniqueConstraint(
                fields=["journey"], condition=models.Q(state="open"), name="publish_request_one_open"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.journey}: {self.get_state_display()}"
