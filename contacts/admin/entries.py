"""The page on which staff write down what happened in the store or on the phone."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.admin.models import ADDITION, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from contacts import clock, entering, pulse
from contacts.directory import CARD, EMAIL, PHONE, USER
from contacts.intake_checks import Rejected
from contacts.models import Source
from contacts.plan.catalogue import Planned, Property

PERMISSION = "contacts.add_event"
_BY = [(EMAIL, _("Email")), (PHONE, _("Phone")), (CARD, _("Card number")), (USER, _("User id"))]


class WhoForm(forms.Form):
    """What happened where, and to whom."""

    what = forms.ChoiceField(label=_("What happened"))
    by = forms.ChoiceField(label=_("Found by"), choices=_BY)
    value = forms.CharField(
        label=_("Email, number or id"),
        max_length=512,
        help_text=_("Phone numbers with their country code: +33 6 12 34 59 87. Nobody found: a new contact."),
    )

    def __init__(self, *args: Any, offers: dict[Source, dict[str, Planned]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["what"].choices = [  # type: ignore[attr-defined]
            (source.name, [(f"{source.slug}|{name}", name) for name in events])
            for source, events in offers.items()
        ]


class EventForm(forms.Form):
    """When it happened, and the properties that the plan expects of it."""

    when = forms.DateTimeField(
        label=_("When"),
        required=False,
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}),
        help_text=_("Empty: just now."),
    )
    message_id = forms.CharField(widget=forms.HiddenInput, max_length=100)

    def __init__(self, *args: Any, planned: Planned, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["message_id"].initial = str(uuid.uuid4())
        self.names: dict[str, str] = {}
        for place, expected in enumerate(planned.properties):
            if expected.type not in ("list", "object"):
                self.names[f"property-{place}"] = expected.name
                self.fields[f"property-{place}"] = _field(expected)

    def properties(self) -> dict[str, Any]:
        found = {name: self.cleaned_data.get(field) for field, name in self.names.items()}
        return {
            name: value.isoformat() if isinstance(value, datetime) else value for name, value in found.items()
        }


def _field(expected: Property) -> forms.Field:
    options: dict[str, Any] = {
        "label": expected.name.replace("_", " ").capitalize(),
        "required": expected.required,
    }
    match expected.type:
        case "number":
            return forms.FloatField(**options)
        case "integer":
            return forms.IntegerField(**options)
        case "boolean":
            return forms.BooleanField(**{**options, "required": False})
        case "time":
            widget = forms.DateTimeInput(attrs={"type": "datetime-local"})
            return forms.DateTimeField(widget=widget, **options)
    return forms.CharField(max_length=500, **options)


def entry_page(request: HttpRequest, context: dict[str, Any]) -> HttpResponse:
    """GET asks what and who, then what is to be known of it; POST writes it down."""
    if not request.user.has_perm(PERMISSION):
        raise PermissionDenied
    offers = {source: entering.offered(source) for source in entering.touchpoints()}
    asked = WhoForm(request.GET or None, offers=offers)
    page: dict[str, Any] = {**context, "title": gettext("Write down a visit or call"), "asked": asked}
    page["touchpoints"] = offers
    if not asked.is_valid():
        return TemplateResponse(request, "contacts/entry.html", page)
    slug, _bar, name = asked.cleaned_data["what"].partition("|")
    source = next(one for one in offers if one.slug == slug)
    person = entering.person(asked.cleaned_data["by"], asked.cleaned_data["value"])
    if person is None:
        words = gettext("This cannot be anybody's. Check it, and the country code of a number.")
        asked.add_error("value", words)
        return TemplateResponse(request, "contacts/entry.html", page)
    form = EventForm(request.POST or None, planned=offers[source][name])
    if request.method == "POST" and form.is_valid() and _written(request, source, name, person, form):
        return HttpResponseRedirect(reverse("admin:contacts_source_entry"))
    page |= {"form": form, "person": person, "source": source, "event": name}
    page["may_see_contacts"] = request.user.has_perm("contacts.view_contact")
    return TemplateResponse(request, "contacts/entry.html", page)


def _written(
    request: HttpRequest, source: Source, name: str, person: entering.Person, form: EventForm
) -> bool:
    words = gettext("Wrote down %(event)s at %(source)s") % {"event": name, "source": source}
    try:
        with transaction.atomic():
            entering.enter(
                source,
                name,
                person.identifier,
                form.properties(),
                clock.now(),
                by=request.user.get_username(),
                occurred_at=form.cleaned_data["when"],
                message_id=form.cleaned_data["message_id"],
            )
            LogEntry.objects.create(
                user_id=request.user.pk or 0,
                content_type=ContentType.objects.get_for_model(person.contact or source),
                object_id=str((person.contact or source).pk),
                object_repr=str(person.contact or source)[:200],
                action_flag=ADDITION,
                change_message=words,
            )
    except Rejected as rejected:
        form.add_error(None, rejected.rejection.message)
        return False
    pulse.wake("ingest")
    messages.success(
        request, gettext("%s is written down. It is on the person's page within seconds.") % name
    )
    return True
