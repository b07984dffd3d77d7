"""Messages, the decisions about them, and the attempts to hand them over.

The three tables are partitioned by month; SQL in the second migration makes them.
"""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from contacts.models import Contact


class Message(models.Model):
    """One intended message: one row from intent to its single terminal state.

    The allowed moves between states are in ``channels.lifecycle``. ``conditions`` is a rule that must
    still hold when the message leaves, so that channels knows no journey. ``origin_*`` say who wants it.
    """

    class State(models.IntegerChoices):
        INTENDED = 1, _("intended")
        HELD = 2, _("held")
        QUEUED = 3, _("queued")
        CLAIMED = 4, _("claimed")
        TRANSMITTING = 5, _("transmitting")
        ACCEPTED = 6, _("accepted")
        REJECTED = 7, _("rejected")
        DROPPED = 8, _("dropped")
        CANCELLED = 9, _("cancelled")
        EXPIRED = 10, _("expired")
        UNCERTAIN = 11, _("uncertain")

    id = models.BigAutoField(primary_key=True)
    created_at = models.DateTimeField()
    slot = models.SmallIntegerField()
    contact = models.ForeignKey(Contact, models.DO_NOTHING, db_constraint=False, related_name="messages")
    key = models.UUIDField()
    origin_kind = models.TextField(default="journey")  # journey, campaign, api, test
    origin_id = models.IntegerField(null=True)  # journey or campaign
    origin_version = models.IntegerField(null=True)
    origin_run = models.BigIntegerField(null=True)
    origin_step = models.TextField(default="")
    origin_slug = models.TextField(default="")  # what the journey or campaign is called in the log
    entered_at = models.DateTimeField(null=True)  # "since_entry" windows of the conditions begin here
    purpose = models.TextField(default="")
    transactional = models.BooleanField(default=False)
    wanted = models.JSONField(default=list)  # channels in order of preference
    content = models.JSONField(default=dict)  # channel -> slug of a template
    variables = models.JSONField(default=dict)  # extra values for the template
    priority = models.SmallIntegerField(default=50)  # higher goes first
    value = models.FloatField(default=0)
    conditions = models.JSONField(null=True)  # rule re-checked at dispatch
    on_hold = models.TextField(default="wait")  # wait, reroute, drop
    deadline_at = models.DateTimeField(null=True)
    smart_channel = models.BooleanField(default=False, db_default=False)  # the channel they answer on first
    best_by = models.DateTimeField(null=True)  # until when the person's best hour is looked for
    state = models.SmallIntegerField(choices=State.choices, default=State.INTENDED)
    due_at = models.DateTimeField(null=True)  # next time somebody must look at it; null when terminal
    channel = models.TextField(default="")  # decided channel
    provider_id = models.IntegerField(null=True)
    address = models.TextField(default="")
    lease_until = models.DateTimeField(null=True)
    fence = models.BigIntegerField(default=0)  # grows with each claim; a late worker's write matches no row
    attempts = models.SmallIntegerField(default=0)
    accepted_at = models.DateTimeField(null=True)
    provider_message_id = models.TextField(default="")
    reason = models.TextField(default="")  # code of the last decision or of the terminal state
    delivered_at = models.DateTimeField(null=True)
    opened_at = models.DateTimeField(null=True)  # first human, consented open
    clicked_at = models.DateTimeField(null=True)  # first human click
    bounced_at = models.DateTimeField(null=True)
    tags = models.TextField(default="")  # of its template when it was let out, separated by commas
    held_since = models.DateTimeField(null=True)  # when it was held for the first time

    class Meta:
        db_table = "channels_message"
        verbose_name = _("message")
        verbose_name_plural = _("messages")

    def __str__(self) -> str:
        return f"message {self.pk}"


class Decision(models.Model):
    """What the policy said about one message at one instant, and why."""

    class Outcome(models.IntegerChoices):
        SEND = 1, _("send")
        HOLD = 2, _("hold")
        DROP = 3, _("drop")
        CANCEL = 4, _("cancel")

    id = models.BigAutoField(primary_key=True)
    decided_at = models.DateTimeField()
    slot = models.SmallIntegerField()
    contact = models.ForeignKey(Contact, models.DO_NOTHING, db_constraint=False, related_name="decisions")
    message_id = models.BigIntegerField()
    message_created_at = models.DateTimeField()
    outcome = models.SmallIntegerField(choices=Outcome.choices)
    channel = models.TextField(default="")
    until = models.DateTimeField(null=True)
    reason = models.TextField()
    charter_number = models.IntegerField(null=True)
    # [[rule, verdict, inputs], ...] in the order in which the policy asked.
    trace = models.JSONField(default=list)
    origin_kind = models.TextField(default="", db_default="")  # of the message, to find examples by
    origin_id = models.IntegerField(null=True)
    # What it rested on, packed (see policy_kept), to be taken again; null where nothing was asked.
    facts = models.BinaryField(null=True, editable=False)

    class Meta:
        db_table = "channels_decision"
        verbose_name = _("decision")
        verbose_name_plural = _("decisions")

    def __str__(self) -> str:
        return f"{self.get_outcome_display()}: {self.reason.replace('_', ' ')}"


class Attempt(models.Model):
    """One try to hand a message to a provider."""

    id = models.BigAutoField(primary_key=True)
    started_at = models.DateTimeField()
    slot = models.SmallIntegerField()
    message_id = models.BigIntegerField()
    message_created_at = models.DateTimeField()
    provider_id = models.IntegerField()
    number = models.SmallIntegerField()
    outcome = models.TextField()  # accepted, refused, try_later, uncertain
    code = models.TextField(default="")
    detail = models.TextField(default="")
    finished_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "channels_attempt"
        verbose_name = _("attempt")
        verbose_name_plural = _("attempts")

    def __str__(self) -> str:
        return f"attempt {self.number}: {self.outcome}"
