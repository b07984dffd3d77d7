"""Surveys: the words in each language, publishing, and what people answered."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponseBase, HttpResponseRedirect, StreamingHttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin
from unfold.decorators import display

from channels.admin import template_beside
from channels.models import Survey, SurveyAnswer, SurveyVersion
from channels.models.provider import Channel
from channels.surveys import results, versions, wording
from channels.surveys.wording import QUESTION, Fault
from contacts import clock
from contacts.exchange.guarding import guard

_LABELS = {
    "question": _("Question"),
    "choices": _("Choices"),
    "low": _("What the lowest answer means"),
    "high": _("What the highest answer means"),
    "comment": _("Question for a comment"),
    "thanks": _("Thanks"),
}
_HELP = {
    "choices": _("One a line, in the same order in each language. None: the answer is free text."),
    "comment": _("Empty: no comment is asked for."),
    "thanks": _("What the page says afterwards."),
}
_FAULTS = {
    "missing": _("A question in one language at least is needed."),
    "too_long": _("is longer than 300 characters"),
    "other_number": _("are not as many as in the first language"),
    "number": _("are two to ten, or none"),
    "unclear": _("must differ from each other and have at most 100 characters"),
}


class WordsForm(forms.Form):
    """The words in one language; ``days`` are the survey's own."""

    question = forms.CharField(max_length=wording.LONGEST, required=False)
    choices = forms.CharField(required=False, widget=forms.Textarea(attrs={"rows": 5}))
    low = forms.CharField(max_length=wording.LONGEST, required=False)
    high = forms.CharField(max_length=wording.LONGEST, required=False)
    comment = forms.CharField(max_length=wording.LONGEST, required=False)
    thanks = forms.CharField(max_length=wording.LONGEST, required=False)
    days = forms.IntegerField(
        label=_("Open for days"), min_value=1, max_value=365,
        help_text=_("For so many days after the message an answer is taken."),
    )  # fmt: skip

    def __init__(self, *args: Any, kind: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name in ("low", "high") if kind == QUESTION else ("choices",):
            del self.fields[name]
        for name, field in self.fields.items():
            field.label = _LABELS.get(name, field.label)
            field.help_text = _HELP.get(name, field.help_text)

    def words(self) -> dict[str, Any]:
        """As they are stored."""
        told = {name: value for name, value in self.cleaned_data.items() if name != "days"}
        if "choices" in told:
            told["choices"] = [line.strip() for line in told["choices"].splitlines() if line.strip()]
        return told


@admin.register(Survey)
class SurveyAdmin(ModelAdmin):
    list_display = ["title", "kind_shown", "state"]
    list_filter = ["kind"]
    search_fields = ["name", "slug", "description"]
    prepopulated_fields = {"slug": ["name"]}
    fields = ["name", "slug", "kind", "description"]
    compressed_fields = True

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).prefetch_related("versions")

    @display(description=_("survey"), header=True, ordering="name")
    def title(self, survey: Survey) -> tuple[str, str]:
        return survey.name, survey.description or survey.slug

    @display(description=_("kind"), ordering="kind", label=True)
    def kind_shown(self, survey: Survey) -> str:
        return survey.kind.upper() if survey.kind != QUESTION else str(_("Question"))

    @display(description=_("state"), label={"live": "success", "draft": "warning"})
    def state(self, survey: Survey) -> tuple[str, Any]:
        live = any(version.published_at for version in survey.versions.all())
        return ("live", _("Published")) if live else ("draft", _("Not published yet"))

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        # Its answers are kept, and journeys name it.
        return False

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        return [
            path("<int:pk>/results/", view(self.results), name="channels_survey_results"),
            path("<int:pk>/answers.csv", view(self.answers), name="channels_survey_answers"),
            path("<int:pk>/publish/", view(self.publish), name="channels_survey_publish"),
            *super().get_urls(),
        ]

    def response_add(self, request: HttpRequest, obj: Survey, post_url_continue: Any = None) -> Any:
        return HttpResponseRedirect(reverse("admin:channels_survey_change", args=[obj.pk]))

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponseBase:
        survey = self._survey(request, object_id)
        language = template_beside.language_of(request)
        version = versions.editable(survey)
        form = WordsForm(request.POST or None, kind=survey.kind, initial=_initial(version, language))
        if request.method == "POST":
            if not self.has_change_permission(request, survey):
                raise PermissionDenied
            if form.is_valid():
                return self._save(request, version, language, form)
        said = wording.read(version.words)
        context = {
            **self._page(request, survey, "words"),
            "form": form,
            "version": version,
            "language": language,
            "languages": template_beside.tabs(set(said), language),
            "faults": [_fault(fault) for fault in wording.faults(survey.kind, said)] if said else [],
            "history": survey.versions.all()[:20],
            "may_change": self.has_change_permission(request, survey),
        }
        return TemplateResponse(request, "channels/survey_words.html", context)

    def _save(
        self, request: HttpRequest, version: SurveyVersion, language: str, form: WordsForm
    ) -> HttpResponseBase:
        version.words = {**version.words, language: form.words()}
        version.days = form.cleaned_data["days"]
        versions.save(version, request.user)  # type: ignore[arg-type]
        here = reverse("admin:channels_survey_change", args=[version.survey_id])
        if "publish" in request.POST:
            return HttpResponseRedirect(reverse("admin:channels_survey_publish", args=[version.survey_id]))
        messages.success(request, _("The draft is saved."))
        return HttpResponseRedirect(f"{here}?language={language}")

    def publish(self, request: HttpRequest, pk: int) -> HttpResponseBase:
        """Ask, then make the draft the version that is asked."""
        survey = self._survey(request, str(pk))
        version = survey.versions.filter(published_at=None).first()
        if not self._may_publish(request):
            raise PermissionDenied
        here = reverse("admin:channels_survey_change", args=[pk])
        if version is None:
            return HttpResponseRedirect(here)
        faults = wording.faults(survey.kind, wording.read(version.words))
        if request.method == "POST" and not faults:
            faults = versions.publish(version, clock.now())
            if not faults:
                self.log_change(request, survey, f"published version {version.number}")
                messages.success(request, _("Published: it is asked from now on."))
                return HttpResponseRedirect(here)
        context = {
            **self._page(request, survey, "words"),
            "title": _("Publish %s?") % version,
            "words": _(
                "Whoever is asked from now on is asked in these words. Answers to earlier messages are taken"
                " under the words they were asked in."
            ),
            "lines": [(code, one.question) for code, one in wording.read(version.words).items()],
            "faults": [_fault(fault) for fault in faults],
            "refused": _("It cannot be published before this is put right:"),
            "button": _("Publish"),
            "back": here,
            "back_words": _("Back to the draft"),
        }
        return TemplateResponse(request, "channels/ask.html", context)

    def results(self, request: HttpRequest, pk: int) -> HttpResponseBase:
        """Score, distribution, trend and comments of a period."""
        survey = self._survey(request, str(pk))
        self._may_read(request)
        days, channel = _days(request), _channel(request)
        found = results.of(survey, days, clock.now(), channel)
        comments = (
            results.chosen(survey, days, clock.now(), channel).exclude(text="").select_related("contact")
        )
        if survey.kind == QUESTION and not found.bars:
            comments = results.chosen(survey, days, clock.now(), channel).select_related("contact")
        context = {
            **self._page(request, survey, "results"),
            "found": found,
            "most": max((week.count for week in found.weeks), default=0),
            "comments": comments[:50],
            "periods": results.PERIODS,
            "days": days,
            "channel": channel,
            "channels": [(one.value, one.label) for one in Channel if one.value in _ASKING],
        }
        return TemplateResponse(request, "channels/survey_results.html", context)

    def answers(self, request: HttpRequest, pk: int) -> HttpResponseBase:
        """Every answer of a period as a file."""
        survey = self._survey(request, str(pk))
        self._may_read(request)
        if not request.user.has_perm("contacts.view_contact"):
            raise PermissionDenied
        rows = results.chosen(survey, _days(request), clock.now(), _channel(request))
        self.log_change(request, survey, "took answers along as a file")
        response = StreamingHttpResponse(_lines(rows), content_type="text/csv; charset=utf-8")
        response["Content-Disposition"] = f'attachment; filename="{survey.slug}-answers.csv"'
        response["Cache-Control"] = "no-store"
        return response

    def _page(self, request: HttpRequest, survey: Survey, tab: str) -> dict[str, Any]:
        return {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": survey.name,
            "survey": survey,
            "tab": tab,
            "may_read": request.user.has_perm("channels.view_surveyanswer"),
            "may_publish": self._may_publish(request),
        }

    def _survey(self, request: HttpRequest, object_id: str) -> Survey:
        survey = Survey.objects.filter(pk=object_id).first() if object_id.isdigit() else None
        if survey is None:
            raise Http404
        if not self.has_view_permission(request, survey):
            raise PermissionDenied
        return survey

    def _may_publish(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm("channels.publish_survey"))

    def _may_read(self, request: HttpRequest) -> None:
        if not request.user.has_perm("channels.view_surveyanswer"):
            raise PermissionDenied


_ASKING = ("email", "sms", "push", "inapp")
_COLUMNS = ("answered_at", "contact", "score", "answer", "comment", "channel", "journey", "step", "version")


class _Echo:
    """A file that gives back what is written to it."""

    def write(self, text: str) -> str:
        return text


def _lines(rows: Any) -> Iterator[str]:
    writer = csv.writer(_Echo())
    yield writer.writerow(_COLUMNS)
    for row in rows.select_related("contact").iterator(chunk_size=2_000):
        yield writer.writerow([guard(str(cell)) for cell in _cells(row)])


def _cells(row: SurveyAnswer) -> list[Any]:
    score = "" if row.score is None else row.score
    return [
        row.answered_at.isoformat(), row.contact.public_id, score, row.answer, row.text, row.channel,
        row.journey, row.step, row.number,
    ]  # fmt: skip


def _initial(version: SurveyVersion, language: str) -> dict[str, Any]:
    told = version.words.get(language) or {}
    return {**told, "choices": "\n".join(told.get("choices") or []), "days": version.days}


def _fault(fault: Fault) -> str:
    if fault.code == "missing":
        return str(_FAULTS["missing"])
    return f"{dict(template_beside.LANGUAGES)[fault.language]}, {_LABELS[fault.field]}: {_FAULTS[fault.code]}"


def _days(request: HttpRequest) -> int:
    told = request.GET.get("days", "")
    return int(told) if told in map(str, results.PERIODS) else results.PERIODS[0]


def _channel(request: HttpRequest) -> str:
    told = request.GET.get("channel", "")
    return told if told in _ASKING else ""
