"""Forms of the charter's parts that are about when: hours, laws, days."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from channels.admin.charter_fields import (
    ListField,
    SpanField,
    ZoneField,
)
from channels.admin.charter_form import (
    WHICH_CHANNELS,
    WHICH_COUNTRIES,
    WHICH_PURPOSES,
    WHICH_TAGS,
    PartForm,
    ticks,
)
from channels.charter_parts import PATIENCE
from channels.law_packs import packs


class QuietForm(PartForm):
    begins = forms.TimeField(label=_("From"), widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M"))
    ends = forms.TimeField(
        label=_("To"),
        widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M"),
        help_text=_(
            "On the person's clock. An earlier hour is that of the next day; the same hour is all day."
        ),
    )
    channels = ticks(_("Channels"), WHICH_CHANNELS)
    days = ticks(_("On days"), _("On which the hours begin. None: every day."))

    def shown(self, data: Mapping[str, Any]) -> dict[str, Any]:
        return {**data, "begins": data.get("from"), "ends": data.get("to")}

    def data_of(self) -> dict[str, Any]:
        data = super().data_of()
        begins, ends = self.cleaned_data["begins"], self.cleaned_data["ends"]
        rest = {name: value for name, value in data.items() if name not in ("begins", "ends")}
        return {**rest, "from": f"{begins:%H:%M}", "to": f"{ends:%H:%M}"}


class LawForm(PartForm):
    pack = forms.ChoiceField(
        label=_("Law"),
        choices=lambda: [
            (f"{pack.slug}|{variant}", pack.name + (f", {variant}" if variant else ""))
            for pack in packs().values()
            for variant in pack.variants
        ],
        help_text=_(
            "Dated data with its sources, not legal advice. Asked for people who are in the country."
        ),
    )

    def shown(self, data: Mapping[str, Any]) -> dict[str, Any]:
        pack = packs().get(str(data.get("pack", "")))
        return {"pack": f"{pack.slug}|{data.get('variant', pack.variant)}"} if pack else {}

    def data_of(self) -> dict[str, Any]:
        slug, _bar, variant = self.cleaned_data["pack"].partition("|")
        return {"pack": slug, "variant": variant} if variant else {"pack": slug}


class BlackoutForm(PartForm):
    name = forms.CharField(
        label=_("Name"), max_length=100, required=False, help_text=_("How the ledger calls it.")
    )
    first = forms.DateField(
        label=_("From"), widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )
    last = forms.DateField(
        label=_("To"),
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        help_text=_("Both days included."),
    )
    every_year = forms.BooleanField(label=_("The same days every year"), required=False)
    countries = ListField(label=_("For people in"), required=False, upper=True, help_text=WHICH_COUNTRIES)
    channels = ticks(_("Channels"), WHICH_CHANNELS)
    purposes = ticks(_("Purposes"), WHICH_PURPOSES)
    tags = ListField(label=_("Tags"), required=False, help_text=WHICH_TAGS)

    def shown(self, data: Mapping[str, Any]) -> dict[str, Any]:
        return {**data, "first": data.get("from"), "last": data.get("to")}

    def clean(self) -> dict[str, Any]:
        values = super().clean() or self.cleaned_data
        if values.get("first") and values.get("last") and values["last"] < values["first"]:
            self.add_error("last", _("This day lies before the first one."))
        return values

    def data_of(self) -> dict[str, Any]:
        data = super().data_of()
        first, last = data.pop("first"), data.pop("last")
        return {**data, "from": first.isoformat(), "to": last.isoformat()}


class HolidayForm(PartForm):
    countries = ListField(
        label=_("Public holidays of"), required=False, upper=True,
        help_text=_("Two letters each, separated by commas. Empty: of the country where each person is."),
    )  # fmt: skip
    channels = ticks(_("Channels"), WHICH_CHANNELS)
    purposes = ticks(_("Purposes"), WHICH_PURPOSES)
    tags = ListField(label=_("Tags"), required=False, help_text=WHICH_TAGS)


class TimeForm(PartForm):
    unknown_zone = forms.ChoiceField(
        label=_("Where a time zone is unknown"),
        choices=(
            ("every", _("every zone of the person's country must allow it")),
            ("default", _("the zone below decides")),
        ),
    )
    default_zone = ZoneField(label=_("Zone where nothing is known"), initial="UTC")
    jitter = SpanField(label=_("Held messages leave spread over"), required=False)
    patience = SpanField(
        label=_("Held for so long, a message goes first"), required=False, initial=f"{PATIENCE.days} days"
    )

    def shown(self, data: Mapping[str, Any]) -> dict[str, Any]:
        return {"patience": f"{PATIENCE.days} days", "default_zone": "UTC", **data}
