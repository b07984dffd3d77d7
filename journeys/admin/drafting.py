"""The draft of a journey: written as YAML, checked and previewed before it is saved."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.admin import ModelAdmin

from journeys import library, notation, publishing
from journeys.admin.flow import flow_of
from journeys.admin.pages import page
from journeys.fields import Problem
from journeys.graph import Graph
from journeys.models import Journey

_BEGINNING = """\
name: My journey
timezone: Europe/Paris
trigger: {event: Signed Up}
entry: {mode: once}
goal: {event: Order Completed, value: total, window: 14 days}
start: hello
steps:
  hello:
    type: send
    channels: [email]
    content: {email: welcome-email}
    purpose: news
    next: rest
  rest: {type: wait, for: 13 days}
"""


class DraftForm(forms.ModelForm):
    """Name, address and definition of a journey."""

    text = forms.CharField(
        label=gettext_lazy("Definition"),
        max_length=notation.LARGEST,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 34, "spellcheck": "false", "class": "is-code", "wrap": "off"}),
        help_text=gettext_lazy("YAML or JSON. The reference of every field is in docs/how-to/journeys.md."),
    )

    class Meta:
        model = Journey
        fields = ["name", "slug", "description"]
        widgets = {"description": forms.Textarea(attrs={"rows": 2})}
        help_texts = {"slug": gettext_lazy("Used in rules and reports; cannot change once published.")}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk and self.instance.live_version_id:
            self.fields["slug"].disabled = True

    def read(self) -> tuple[Any, Graph | None, list[Problem]]:
        """The data, the graph and what is wrong with the text as it was sent."""
        data, problems = notation.read(self["text"].value() or "")
        if problems:
            return None, None, problems
        return data, *publishing.check(data)


def edit(admin: ModelAdmin, request: HttpRequest, journey: Journey | None) -> HttpResponse:
    """Show the form; check on request; save a draft that can be read, in order or not yet."""
    if request.method == "POST":
        form = DraftForm(request.POST, instance=journey)
        data, graph, problems = form.read()
        if "save" in request.POST and form.is_valid() and isinstance(data, dict):
            return _save(admin, request, form, data, problems, new=journey is None)
    else:
        form = DraftForm(instance=journey, initial={"text": _text(request, journey)})
        data, graph, problems = form.read()
    return page(
        admin,
        request,
        "journeys/edit.html",
        title=_("Edit %s") % journey if journey else _("New journey"),
        journey=journey,
        form=form,
        graph=graph,
        problems=problems,
        chains=flow_of(graph, {}) if graph else [],
        checked=request.method == "POST",
    )


def _text(request: HttpRequest, journey: Journey | None) -> str:
    return notation.write(journey.draft) if journey and journey.draft else _BEGINNING


def _save(
    admin: ModelAdmin, request: HttpRequest, form: DraftForm, data: Any, problems: list[Problem], *, new: bool
) -> HttpResponse:
    journey = form.save(commit=False)
    journey.draft = data
    journey.save()
    if new:
        admin.log_addition(request, journey, "Created the draft")
    else:
        admin.log_change(request, journey, "Changed the draft")
    if problems:
        messages.warning(request, _("Draft saved. It cannot be published before its problems are mended."))
    else:
        messages.success(request, _("Draft saved. Publish it when it is ready."))
    return HttpResponseRedirect(
        reverse("admin:journeys_journey_change", args=[journey.pk]) + "?version=draft"
    )


def not_loaded() -> int:
    """How many ready-made journeys are not in the list yet."""
    slugs = [each.slug for each in library.maps()]
    return len(slugs) - Journey.objects.filter(slug__in=slugs).count()


def load_library(admin: ModelAdmin, request: HttpRequest) -> HttpResponse:
    """Add the ready-made journeys as drafts."""
    if request.method == "POST":
        before = not_loaded()
        for journey in library.load():
            admin.log_addition(request, journey, "Taken from the library")
        messages.success(request, _("%d ready-made journeys added as drafts.") % before)
    return HttpResponseRedirect(reverse("admin:journeys_journey_changelist"))
