"""Surveys, their published versions, and what people answered."""

from __future__ import annotations

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from contacts.models import Contact


class Survey(models.Model):
    """One question that people are asked. Its words live in versions; the newest published one is asked."""

    class Kind(models.TextChoices):
        NPS = "nps", _("NPS: would you recommend us, 0 to 10")
        CSAT = "csat", _("CSAT: how satisfied are you, 1 to 5")
        QUESTION = "question", _("one question, with choices or free text")

    name = models.CharField(_("name"), max_length=120, unique=True)
    slug = models.SlugField(_("slug"), max_length=60, unique=True)
    kind = models.CharField(_("kind"), max_length=16, choices=Kind.choices, default=Kind.NPS)
    description = models.CharField(_("description"), max_length=300, blank=True, default="")
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    class Meta:
        verbose_name = _("survey")
        verbose_name_plural = _("surveys")
        ordering = ["name"]
        permissions = [("publish_survey", _("Can publish survey"))]

    def __str__(self) -> str:
        return self.name


class SurveyVersion(models.Model):
    """The words of a survey in all its languages. Published versions never change."""

    survey = models.ForeignKey(Survey, models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField(_("version"))
    # Language -> question, low, high, comment, thanks, choices; see channels.surveys.wording.
    words = models.JSONField(_("words"), default=dict)
    days = models.PositiveSmallIntegerField(
        _("open for days"),
        default=30,
        validators=[MinValueValidator(1), MaxValueValidator(365)],
        help_text=_("For so many days after the message an answer is taken."),
    )
    published_at = models.DateTimeField(_("published"), null=True, blank=True, editable=False)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, editable=False
    )

    class Meta:
        verbose_name = _("survey version")
        verbose_name_plural = _("survey versions")
        ordering = ["survey", "-number"]
        constraints = [models.UniqueConstraint(fields=["survey", "number"], name="survey_version_once")]

    def __str__(self) -> str:
        return f"{self.survey} v{self.number}"


class SurveyAnswer(models.Model):
    """What one person answered to one message, once. ``key`` is the message's."""

    slot = models.SmallIntegerField()
    contact = models.ForeignKey(Contact, models.DO_NOTHING, db_constraint=False, db_index=False)
    survey = models.ForeignKey(Survey, models.PROTECT, related_name="answers")
    number = models.PositiveIntegerField(_("version"))
    key = models.UUIDField(unique=True)
    channel = models.CharField(_("channel"), max_length=16)
    score = models.SmallIntegerField(_("score"), null=True)
    answer = models.TextField(_("answer"), default="")
    text = models.TextField(_("comment"), default="")
    journey = models.TextField(_("journey"), default="")
    step = models.TextField(_("step"), default="")
    answered_at = models.DateTimeField(_("answered"))

    class Meta:
        verbose_name = _("survey answer")
        verbose_name_plural = _("survey answers")
        indexes = [
            models.Index(fields=["survey", "-answered_at", "-id"], name="survey_answer_newest"),
            models.Index(fields=["contact", "-answered_at"], name="survey_answer_contact"),
        ]

    def __str__(self) -> str:
        return self.answer or str(self.score)
