"""Files that came in or went out: imports with what became of each line, exports with who took them."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from contacts.models.merge_rule import MergeRule


class Import(models.Model):
    """One file on its way in. ``offset`` is the byte up to which every line is accounted for."""

    class What(models.TextChoices):
        CONTACTS = "contacts", _("contacts")
        EVENTS = "events", _("past events")
        SUPPRESSIONS = "suppressions", _("suppressed addresses")

    class State(models.TextChoices):
        READING = "reading", _("being read")
        MAPPING = "mapping", _("waits for its columns")
        CHECKING = "checking", _("being checked")
        CHECKED = "checked", _("checked")
        RUNNING = "running", _("running")
        PAUSED = "paused", _("paused")
        FINISHED = "finished", _("finished")
        CANCELLED = "cancelled", _("cancelled")
        FAILED = "failed", _("failed")
        UNDOING = "undoing", _("being undone")
        UNDONE = "undone", _("undone")

    #: States in which a pulse has something to do.
    WORK = (State.READING, State.CHECKING, State.RUNNING, State.UNDOING)

    key = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    what = models.CharField(_("what"), max_length=16, choices=What.choices, default=What.CONTACTS)
    state = models.CharField(_("state"), max_length=16, choices=State.choices, default=State.READING)
    name = models.CharField(_("file"), max_length=200)
    size = models.BigIntegerField(_("bytes"), default=0)
    digest = models.CharField(max_length=64, default="", blank=True)
    format = models.JSONField(default=dict, blank=True)
    mapping = models.JSONField(default=dict, blank=True)
    # What checking found: outcomes it foresees, reasons, examples.
    forecast = models.JSONField(default=dict, blank=True)
    fault = models.CharField(_("fault"), max_length=200, default="", blank=True)
    offset = models.BigIntegerField(default=0)
    next_line = models.BigIntegerField(default=1)
    lines = models.BigIntegerField(_("lines"), default=0)
    created = models.BigIntegerField(_("created"), default=0)
    updated = models.BigIntegerField(_("updated"), default=0)
    unchanged = models.BigIntegerField(_("unchanged"), default=0)
    rejected = models.BigIntegerField(_("rejected"), default=0)
    merged = models.BigIntegerField(_("merged"), default=0)
    consents = models.BigIntegerField(_("consent entries"), default=0)
    seconds = models.FloatField(default=0)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, verbose_name=_("by"))
    made_at = models.DateTimeField(_("made"))
    started_at = models.DateTimeField(_("started"), null=True)
    ended_at = models.DateTimeField(_("ended"), null=True)

    class Meta:
        verbose_name = _("import")
        verbose_name_plural = _("imports")
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                condition=Q(lines=F("created") + F("updated") + F("unchanged") + F("rejected")),
                name="import_lines_add_up",
            )
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.pk})"


class RejectedLine(models.Model):
    """A line of a file that was not imported, with its reason."""

    job = models.ForeignKey(Import, models.CASCADE, related_name="rejects", db_column="import_id")
    line = models.BigIntegerField(_("line"))
    code = models.CharField(_("code"), max_length=40)
    column = models.CharField(_("column"), max_length=255, default="", blank=True)
    cells = models.JSONField(_("cells"))

    class Meta:
        verbose_name = _("rejected line")
        verbose_name_plural = _("rejected lines")
        indexes = [models.Index(fields=["job", "line"], name="rejected_line_job")]

    def __str__(self) -> str:
        return f"{self.line}: {self.code}"


class ImportedContact(models.Model):
    """A contact that an import made, for as long as the import may be undone."""

    pk = models.CompositePrimaryKey("job_id", "contact_id")
    job = models.ForeignKey(Import, models.CASCADE, related_name="made", db_column="import_id")
    contact_id = models.BigIntegerField()
    slot = models.SmallIntegerField()

    on_merge = MergeRule(once=("import_id",))

    class Meta:
        verbose_name = _("imported contact")
        verbose_name_plural = _("imported contacts")
        indexes = [models.Index(fields=["contact_id"], name="imported_contact")]

    def __str__(self) -> str:
        return f"{self.contact_id} by {self.job_id}"


class Export(models.Model):
    """One file on its way out: what it holds, who asked for it, how long it can be fetched."""

    class State(models.TextChoices):
        WAITING = "waiting", _("waiting")
        RUNNING = "running", _("running")
        READY = "ready", _("ready")
        CANCELLED = "cancelled", _("cancelled")
        FAILED = "failed", _("failed")
        EXPIRED = "expired", _("expired")

    WORK = (State.WAITING, State.RUNNING)

    class Format(models.TextChoices):
        CSV = "csv", "CSV"
        XLSX = "xlsx", "XLSX"

    key = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    what = models.CharField(_("what"), max_length=32)
    state = models.CharField(_("state"), max_length=16, choices=State.choices, default=State.WAITING)
    format = models.CharField(_("format"), max_length=4, choices=Format.choices, default=Format.CSV)
    columns = models.JSONField(_("columns"), default=list)
    filters = models.JSONField(_("filters"), default=dict, blank=True)
    rows = models.BigIntegerField(_("rows"), default=0)
    expected = models.BigIntegerField(_("expected rows"), default=0)
    size = models.BigIntegerField(_("bytes"), default=0)
    fault = models.CharField(_("fault"), max_length=200, default="", blank=True)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, verbose_name=_("by"))
    made_at = models.DateTimeField(_("made"))
    ended_at = models.DateTimeField(_("ended"), null=True)
    expires_at = models.DateTimeField(_("expires"), null=True)

    class Meta:
        verbose_name = _("export")
        verbose_name_plural = _("exports")
        ordering = ["-id"]

    def __str__(self) -> str:
        return f"{self.what} ({self.pk})"


class ExportDownload(models.Model):
    """Who fetched an export, and when."""

    export = models.ForeignKey(Export, models.CASCADE, related_name="downloads")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, verbose_name=_("by"))
    at = models.DateTimeField(_("when"))

    class Meta:
        verbose_name = _("download")
        verbose_name_plural = _("downloads")
        ordering = ["-at"]

    def __str__(self) -> str:
        return f"{self.export_id} {self.at:%Y-%m-%d %H:%M}"
