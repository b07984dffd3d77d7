"""Message templates and their published versions."""

from __future__ import annotations

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from channels.models.provider import Channel


class Template(models.Model):
    """A message for one channel. Its text lives in versions; the newest published one is sent."""

    name = models.CharField(_("name"), max_length=120, unique=True)
    slug = models.SlugField(_("slug"), max_length=60, unique=True)
    channel = models.CharField(_("channel"), max_length=16, choices=Channel.choices)
    description = models.CharField(_("description"), max_length=300, blank=True, default="")
    tags = models.CharField(
        _("tags"),
        max_length=300,
        blank=True,
        default="",
        db_default="",
        validators=[
            RegexValidator(r"^[a-z0-9-]+(,[a-z0-9-]+)*$", _("Small letters, digits and hyphens only."))
        ],
        help_text=_("Separated by commas, such as promotion,summer. The charter can limit messages by tag."),
    )
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    class Meta:
        verbose_name = _("template")
        verbose_name_plural = _("templates")
        ordering = ["name"]
        permissions = [("publish_template", _("Can publish template"))]

    def __str__(self) -> str:
        return self.name


class TemplateVersion(models.Model):
    """The words of a template in one language. Published versions never change."""

    template = models.ForeignKey(Template, models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField(_("version"))
    language = models.CharField(_("language"), max_length=16, default="en")
    subject = models.TextField(
        _("subject"),
        blank=True,
        default="",
        help_text=_("Subject of an email, title of a push or an in-app message (Liquid)."),
    )
    body = models.TextField(_("body"), help_text=_("MJML or HTML for email, text for all others (Liquid)."))
    text = models.TextField(
        _("plain text"), blank=True, default="", help_text=_("Empty: made from the HTML.")
    )
    link = models.TextField(
        _("link"), blank=True, default="", help_text=_("Where it leads, with https:// (Liquid).")
    )
    # How a push and an in-app message look, and where the latter is shown.
    icon = models.TextField(
        _("icon"),
        blank=True,
        default="",
        db_default="",
        help_text=_("Address of a small square picture (Liquid). Empty: the picture itself."),
    )
    image = models.TextField(
        _("image"), blank=True, default="", db_default="", help_text=_("Address of a picture (Liquid).")
    )
    button = models.TextField(
        _("button"), blank=True, default="", db_default="", help_text=_("What the link says (Liquid).")
    )
    button_link = models.TextField(
        _("where the button leads"),
        blank=True,
        default="",
        db_default="",
        help_text=_("Empty: where the message itself leads (Liquid)."),
    )
    second_button = models.TextField(
        _("second button"), blank=True, default="", db_default="", help_text=_("What it says (Liquid).")
    )
    second_link = models.TextField(
        _("where the second button leads"),
        blank=True,
        default="",
        db_default="",
        help_text=_("Empty: where the message itself leads (Liquid)."),
    )
    place = models.SlugField(
        _("place"),
        max_length=60,
        blank=True,
        default="",
        db_default="",
        help_text=_("Name of the place on the page, as in segue.slot(). Empty: in the inbox only."),
    )
    pages = models.TextField(
        _("pages"),
        blank=True,
        default="",
        db_default="",
        help_text=_("Paths on which it may show, one a line; * stands for anything. Empty: every page."),
    )
    importance = models.PositiveSmallIntegerField(
        _("importance"),
        default=50,
        db_default=50,
        validators=[MaxValueValidator(100)],
        help_text=_("0 to 100: which message is shown first where several want one place."),
    )
    days = models.PositiveSmallIntegerField(
        _("shown for days"),
        default=14,
        db_default=14,
        validators=[MinValueValidator(1), MaxValueValidator(365)],
        help_text=_("After so many days it is shown no more."),
    )
    # HTML compiled from MJML when published, so that sending never compiles.
    compiled = models.TextField(blank=True, default="", editable=False)
    # Block -> version that was taken in when it was published.
    blocks = models.JSONField(default=dict, db_default={}, editable=False)
    published_at = models.DateTimeField(_("published"), null=True, blank=True, editable=False)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, editable=False
    )

    class Meta:
        verbose_name = _("template version")
        verbose_name_plural = _("template versions")
        ordering = ["template", "language", "-number"]
        constraints = [
            models.UniqueConstraint(fields=["template", "language", "number"], name="template_version_once")
        ]

    def __str__(self) -> str:
        return f"{self.template} v{self.number} ({self.language})"
