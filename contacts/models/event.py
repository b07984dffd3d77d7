"""The event log, the cursors of its readers, and the keys of what happens only once."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class Event(models.Model):
    """One thing that happened. Append-only; partitioned by month of ``occurred_at``.

    ``lane`` is the slot at the time of writing and never changes, so that readers' cursors stay right;
    ``slot`` and ``contact_id`` follow the contact when anonymous history is linked. ``xid`` is the
    writing transaction: readers go in commit order (see ``contacts.event_log``). The table has no
    unique id across partitions; ``contacts.once`` keeps message ids unique.
    """

    class Kind(models.IntegerChoices):
        TRACK = 1, _("track")
        IDENTIFY = 2, _("identify")
        PAGE = 3, _("page")
        SCREEN = 4, _("screen")
        GROUP = 5, _("group")
        ALIAS = 6, _("alias")
        SYSTEM = 7, _("system")
        # History from a file: it counts for rules and figures, and starts no journey.
        IMPORTED = 8, _("imported")

    id = models.BigAutoField(primary_key=True)
    lane = models.SmallIntegerField()
    slot = models.SmallIntegerField()
    contact_id = models.BigIntegerField()
    source_id = models.IntegerField(null=True)
    kind = models.SmallIntegerField(choices=Kind.choices)
    name = models.TextField()
    occurred_at = models.DateTimeField()
    received_at = models.DateTimeField()
    message_id = models.TextField(null=True)
    properties = models.JSONField(default=dict)
    context = models.JSONField(null=True)

    class Meta:
        db_table = "contacts_event"
        verbose_name = _("event")
        verbose_name_plural = _("events")

    def __str__(self) -> str:
        return f"{self.name} {self.occurred_at:%Y-%m-%d %H:%M}"


class Cursor(models.Model):
    """How far one reader has read one lane of the event log: the last (xid, id) it finished."""

    reader = models.CharField(max_length=64)
    lane = models.SmallIntegerField()
    # xid8 has no Django field; it travels as a decimal number.
    xid = models.DecimalField(max_digits=20, decimal_places=0, default=0)
    event_id = models.BigIntegerField(default=0)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["reader", "lane"], name="cursor_reader_lane")]

    def __str__(self) -> str:
        return f"{self.reader}/{self.lane}"


class OnceKey(models.Model):
    """The key of something that may happen once: an event's message id, an intent, a receipt."""

    key = models.UUIDField(primary_key=True)
    seen_on = models.DateField()

    def __str__(self) -> str:
        return str(self.key)
