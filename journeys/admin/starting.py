"""A new journey: from a ready-made map, or from nothing."""

from __future__ import annotations

from typing import Any

from django import forms
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.admin import ModelAdmin

from channels.models import Audience
from journeys import graph, library
from journeys.admin import canvas
from journeys.admin.pages import page
from journeys.building import edits, sketch
from journeys.models import Journey


class NewJourneyForm(forms.Form):
    """The name, and what to start from."""

    name = forms.CharField(label=gettext_lazy("Name"), max_length=120)
    map = forms.CharField(required=False, max_length=60, widget=forms.HiddenInput)

    def clean_name(self) -> str:
        name: str = self.cleaned_data["name"]
        if Journey.objects.filter(name=name).exists():
            raise forms.ValidationError(_("Another journey has this name."))
        return name


def begin(admin: ModelAdmin, request: HttpRequest) -> HttpResponse:
    """Offer the library and an empty sheet; on POST, make the draft and open the builder."""
    form = NewJourneyForm(request.POST or None)
    maps = library.maps()
    if request.method == "POST" and form.is_valid():
        chosen = next((each for each in maps if each.slug == form.cleaned_data["map"]), None)
        journey = _made(form.cleaned_data["name"], chosen)
        admin.log_addition(request, journey, "Created the draft")
        return HttpResponseRedirect(reverse("admin:journeys_journey_build", args=[journey.pk]))
    shown = [
        {
            "map": each,
            "steps": [
                {"icon": canvas.icon(step.kind), "title": canvas.title(step)}
                for step in sketch.sketch(each.data).values()
            ],
        }
        for each in maps
    ]
    return page(admin, request, "journeys/build/start.html", title=_("New journey"), form=form, maps=shown)


def _made(name: str, chosen: library.Map | None) -> Journey:
    draft: dict[str, Any] = edits.empty(name)
    if chosen:
        draft = {**chosen.data, "name": name}
        for slug in graph.parse(chosen.data).audiences().values():
            Audience.objects.get_or_create(slug=slug, defaults={"name": slug.replace("-", " ").capitalize()})
    return Journey.objects.create(
        name=name, slug=_free_slug(name), description=chosen.description if chosen else "", draft=draft
    )


def _free_slug(name: str) -> str:
    stem = slugify(name)[:54] or "journey"
    slug, number = stem, 2
    while Journey.objects.filter(slug=slug).exists():
        slug, number = f"{stem}-{number}", number + 1
    return slug
