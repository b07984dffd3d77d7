"""The timeline part of a contact's page: what is asked for, the answer, and the links around it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.http import HttpRequest, QueryDict
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from config import timeline, timeline_names, timeline_words
from config.timeline import Asked
from contacts import consent, timeline_log
from contacts.models import Contact

KIND_LABELS = {
    "": (_("Everything"), "apps"),
    "activity": (_("Activity"), "bolt"),
    "messages": (_("Messages"), "send"),
    "decisions": (_("Decisions"), "rule"),
    "journeys": (_("Journeys"), "route"),
    "segments": (_("Segments"), "category"),
    "consent": (_("Consent"), "verified_user"),
    "merges": (_("Merges"), "merge"),
}
_PLACES = ("below", "above", "at")


class TimelineForm(forms.Form):
    """Filters of the timeline; days are days on the clock that the page shows."""

    name = forms.ChoiceField(label=_("Event"), required=False)
    channel = forms.ChoiceField(label=_("Channel"), required=False)
    since = forms.DateField(
        label=_("From"), required=False, widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )
    until = forms.DateField(
        label=_("To"), required=False, widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )
    q = forms.CharField(
        label=_("Words"),
        required=False,
        max_length=100,
        widget=forms.TextInput(attrs={"type": "search", "placeholder": _("Product, address, reason …")}),
    )
    kind = forms.CharField(required=False, widget=forms.HiddenInput)
    clock = forms.CharField(required=False, widget=forms.HiddenInput)

    def __init__(self, data: QueryDict, names: list[str]) -> None:
        super().__init__(data)
        asked = data.get("name", "")
        known = sorted({*names, *([asked] if asked else [])}, key=str.lower)
        self.fields["name"].choices = [("", _("Any"))] + [(one, one) for one in known]  # type: ignore[attr-defined]
        self.fields["channel"].choices = [("", _("Any"))] + [  # type: ignore[attr-defined]
            (one, timeline_names.channel_label(one)) for one in consent.CHANNELS
        ]

    def asked(self, zone: ZoneInfo) -> Asked:
        """What can be read of it; what cannot is left out and shown as wrong by the form."""
        self.is_valid()
        given = self.cleaned_data
        kind = given.get("kind", "")
        return Asked(
            kind=kind if kind in timeline.KINDS else "",
            name=given.get("name", ""),
            channel=given.get("channel", ""),
            since=_midnight(given["since"], zone) if given.get("since") else None,
            until=_midnight(given["until"] + timedelta(days=1), zone) if given.get("until") else None,
            words=given.get("q", "").strip(),
        )


def _midnight(day: Any, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(), tzinfo=zone)


def context(request: HttpRequest, contact: Contact, theirs: ZoneInfo) -> dict[str, Any]:
    """Everything that the template of the timeline needs."""
    may_see = request.user.has_perm
    house = timezone.get_default_timezone()
    on_ours = request.GET.get("clock") == "ours"
    zone = ZoneInfo(str(house)) if on_ours else theirs
    names = timeline_log.names(contact.pk) if may_see(timeline.EVENTS.permission) else []
    form = TimelineForm(request.GET, names[: timeline_log.MOST_NAMES])
    asked = form.asked(zone)
    page = _page(request, contact, asked)
    return {
        "zone": zone,
        "on_ours": on_ours,
        "house": house,
        "form": form,
        "asked": asked,
        "narrowed": bool(replace(asked, kind="")),
        "entries": timeline_words.entries(page.rows, timeline_names.load(page.rows), zone),
        "marked": request.GET.get("at", ""),
        "older": _link(request, below=page.older.text()) if page.older else "",
        "newer": _link(request, above=page.newer.text()) if page.newer else "",
        "newest": _link(request),
        "first_page": not any(name in request.GET for name in _PLACES),
        "unfiltered": _link(request, name="", channel="", since="", until="", q=""),
        "other_clock": _link(request, clock="" if on_ours else "ours"),
        "chips": [
            (key == asked.kind, _link(request, kind=key), label, icon)
            for key, (label, icon) in KIND_LABELS.items()
            if _sees(request, key)
        ],
    }


def _page(request: HttpRequest, contact: Contact, asked: Asked) -> timeline.Page:
    may_see = request.user.has_perm
    if at := timeline.mark_from(request.GET.get("at", "")):
        return timeline.read_from(contact, asked, at, may_see=may_see)
    return timeline.read(
        contact,
        asked,
        below=timeline.mark_from(request.GET.get("below", "")),
        above=timeline.mark_from(request.GET.get("above", "")),
        may_see=may_see,
    )


def _link(request: HttpRequest, **changes: str) -> str:
    """The page's address with other filters or at another place; filters of now stay."""
    query = request.GET.copy()
    for name in _PLACES:
        query.pop(name, None)
    for name, value in changes.items():
        query[name] = value
    for name in [name for name, value in query.items() if not value]:
        del query[name]
    return f"?{query.urlencode()}"


def _sees(request: HttpRequest, kind: str) -> bool:
    return not kind or any(
        kind in stream.kinds and request.user.has_perm(stream.permission) for stream in timeline.STREAMS
    )
