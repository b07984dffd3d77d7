"""What staff may do to a contact: change an attribute, put on lists, start a journey, send a test event."""

from __future__ import annotations

import json
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponseBase, HttpResponseRedirect
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from config.admin.contact_acts import ContactActs
from contacts import clock, editing, pulse, segments, sending_tests
from contacts.editing import NotUsableError, TakenError
from contacts.models import Contact, Segment, SegmentMembership, Source
from contacts.profile import COLUMNS, LONGEST_KEY
from contacts.sending_tests import UnknownToSourcesError
from journeys import runs, versions
from journeys.models import Journey

_TEXT, _NUMBER, _YES_NO = "text", "number", "yes_no"


class AttributeForm(forms.Form):
    """One declared value; an empty one removes it."""

    name = forms.CharField(label=_("Attribute"), max_length=LONGEST_KEY)
    kind = forms.ChoiceField(
        label=_("Kind"), choices=[(_TEXT, _("Text")), (_NUMBER, _("Number")), (_YES_NO, _("Yes or no"))]
    )
    value = forms.CharField(
        label=_("Value"),
        required=False,
        max_length=2000,
        help_text=_("Leave it empty to remove the attribute."),
    )

    def clean(self) -> dict[str, Any]:
        given: dict[str, Any] = super().clean() or self.cleaned_data
        try:
            given["value"] = _typed(given.get("value", ""), given.get("kind", _TEXT))
        except ValueError:
            self.add_error("value", _("This is not of the kind chosen: a number, or yes or no."))
        return given


def _typed(text: str, kind: str) -> Any:
    if text == "" or kind == _TEXT:
        return text or None
    if kind == _NUMBER:
        number = json.loads(text.replace(",", "."))
        if isinstance(number, bool) or not isinstance(number, int | float) or abs(number) > 1e15:
            raise ValueError(text)
        return number
    answers = {"yes": True, "true": True, "no": False, "false": False}
    if text.lower() not in answers:
        raise ValueError(text)
    return answers[text.lower()]


class ListForm(forms.Form):
    """Which lists kept by hand the contact shall be on."""

    lists = forms.ModelMultipleChoiceField(
        Segment.objects.filter(kind=Segment.Kind.STATIC).order_by("name"),
        label=_("On these lists"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )


class JourneyForm(forms.Form):
    journey = forms.ModelChoiceField(
        Journey.objects.filter(
            status=Journey.Status.LIVE, kind=Journey.Kind.JOURNEY, live_version_id__isnull=False
        ),
        label=_("Journey"),
        help_text=_("Live journeys only. Its entry rule, goal, exits and the charter hold as for everybody."),
    )


class EventForm(forms.Form):
    source = forms.ModelChoiceField(Source.objects.order_by("name"), label=_("As if from"), empty_label=None)
    name = forms.CharField(label=_("Event"), max_length=200, help_text=_("Such as: Order Completed"))
    properties = forms.JSONField(
        label=_("Properties"),
        required=False,
        initial=dict,
        widget=forms.Textarea(attrs={"rows": 5, "class": "is-code", "spellcheck": "false"}),
        help_text=_("A JSON object. “test”: true is added."),
    )

    def clean_properties(self) -> dict[str, Any]:
        given = self.cleaned_data["properties"] or {}
        if not isinstance(given, dict) or len(json.dumps(given)) > 10_000:
            raise forms.ValidationError(_("A JSON object of at most 10,000 signs."))
        if "\\u0000" in json.dumps(given):
            raise forms.ValidationError(_("A sign in it cannot be stored."))
        return given


class EditActs(ContactActs):
    def edit(self, request: HttpRequest, contact_id: int) -> HttpResponseBase:
        """Declare one value by hand."""
        contact = self.contact_for(request, contact_id, "contacts.edit_contact")
        form = AttributeForm(request.POST or None, initial=_now(contact, request.GET.get("name", "")))
        if request.method == "POST" and form.is_valid():
            name, value = form.cleaned_data["name"].strip(), form.cleaned_data["value"]
            try:
                before, after = editing.edit(
                    contact.pk, name, value, clock.now(), origin=f"staff:{request.user.get_username()}"
                )
            except TakenError as taken:
                form.add_error("value", _refused(taken, request))
            except NotUsableError as error:
                form.add_error("value", str(error))
            else:
                self.log_change(request, contact, f"{name}: {_short(before)} → {_short(after)}")
                messages.success(request, _("Saved. Segments follow within seconds."))
                return HttpResponseRedirect(self.page_of(contact))
        return self.ask(
            request,
            contact,
            title=_("Declare an attribute"),
            form=form,
            note=_(
                "Write down what the person said. It is declared by you, and wins over what was inferred."
            ),
            button=_("Save"),
        )

    def lists(self, request: HttpRequest, contact_id: int) -> HttpResponseBase:
        """Put the contact on lists kept by hand, or take it off."""
        contact = self.contact_for(request, contact_id, "contacts.change_segment")
        on = set(
            SegmentMembership.objects.filter(
                contact_id=contact.pk, segment__kind=Segment.Kind.STATIC
            ).values_list("segment_id", flat=True)
        )
        form = ListForm(request.POST if request.method == "POST" else None, initial={"lists": on})
        if request.method == "POST" and form.is_valid():
            now, wanted = clock.now(), {one.pk: one for one in form.cleaned_data["lists"]}
            for segment in Segment.objects.filter(pk__in=on ^ wanted.keys()):
                act = segments.add if segment.pk in wanted else segments.remove
                act(segment, [contact.pk], now)
                said = "Put on" if segment.pk in wanted else "Taken off"
                self.log_change(request, contact, f"{said} the list {segment.name}")
            messages.success(request, _("The lists are kept."))
            return HttpResponseRedirect(self.page_of(contact))
        known = Segment.objects.filter(kind=Segment.Kind.STATIC).exists()
        return self.ask(
            request,
            contact,
            title=_("Lists"),
            form=form if known else None,
            button=_("Save"),
            empty=_("There is no segment kept by hand yet."),
        )

    def journey(self, request: HttpRequest, contact_id: int) -> HttpResponseBase:
        """Put the contact into a live journey now."""
        contact = self.contact_for(request, contact_id, "journeys.enter_journey")
        form = JourneyForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            journey = form.cleaned_data["journey"]
            now = clock.now()
            version = versions.load([journey.live_version_id])[journey.live_version_id]
            if runs.enter(version, [runs.Entry(contact.pk, now)], now):
                pulse.wake("engine")
                self.log_change(request, contact, f"Put into the journey {journey.name}")
                messages.success(request, _("Entered %s.") % journey)
            else:
                messages.warning(
                    request, _("The entry rule of %s kept them out: they are or were in it.") % journey
                )
            return HttpResponseRedirect(self.page_of(contact))
        known = Journey.objects.filter(status=Journey.Status.LIVE).exists()
        return self.ask(
            request,
            contact,
            title=_("Start a journey"),
            form=form if known else None,
            note=_("The journey begins at once and may write to this person, as far as the charter allows."),
            button=_("Start"),
            empty=_("No journey is live."),
        )

    def test_event(self, request: HttpRequest, contact_id: int) -> HttpResponseBase:
        """Send an event the way that a source would."""
        contact = self.contact_for(request, contact_id, "contacts.test_contact")
        form = EventForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            given = form.cleaned_data
            try:
                sending_tests.send(
                    contact.pk, given["source"].pk, given["name"], given["properties"], clock.now()
                )
            except UnknownToSourcesError:
                form.add_error(
                    None, gettext("This contact has neither a user id nor an anonymous id to send it for.")
                )
            else:
                self.log_change(request, contact, f"Sent the test event {given['name']}")
                messages.success(request, _("Sent. It is in the timeline within seconds."))
                return HttpResponseRedirect(self.page_of(contact))
        return self.ask(
            request,
            contact,
            title=_("Send a test event"),
            form=form if Source.objects.exists() else None,
            note=_("It counts like any other event: segments and journeys react, and messages may leave."),
            button=_("Send"),
            empty=_("There is no source yet."),
            danger=True,
        )


def _now(contact: Contact, name: str) -> dict[str, Any]:
    """What the form begins with: the value of now."""
    value = getattr(contact, name) if name in COLUMNS else contact.attributes.get(name)
    if isinstance(value, bool):
        return {"name": name, "kind": _YES_NO, "value": "yes" if value else "no"}
    kind = _NUMBER if isinstance(value, int | float) else _TEXT
    return {"name": name, "kind": kind, "value": "" if value is None else str(value)}


def _refused(taken: TakenError, request: HttpRequest) -> Any:
    if not request.user.has_perm("contacts.merge_contact"):
        return str(taken)
    address = reverse("admin:contacts_contact_change", args=[taken.owner])
    return format_html('{} <a href="{}">{}</a>', str(taken), address, _("See the other contact"))


def _short(value: Any) -> str:
    text = "–" if value in (None, "") else str(value)
    return text if len(text) <= 60 else text[:59] + "…"
