"""What the forms of the charter's parts have in common: fields named as its data, ticks, words of help."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from channels.admin.charter_fields import (
    TickField,
    channel_choices,
)
from channels.charter_parts import Bands
from channels.policy_time import DAYS
from contacts.models import Purpose, Segment

_DAY_NAMES = dict(
    zip(
        DAYS,
        (_("Monday"), _("Tuesday"), _("Wednesday"), _("Thursday"), _("Friday"), _("Saturday"), _("Sunday")),
        strict=True,
    )
)


class PartForm(forms.Form):
    """Fields named as the charter's data names them; what is empty is left out of it.

    ``rules`` are those of the whole draft, for what one part must know of another.
    """

    def __init__(self, data: Any = None, *, rules: Mapping[str, Any], initial: Mapping[str, Any]) -> None:
        super().__init__(data, initial=self.shown(initial))
        kept = {name: value for name, value in self.initial.items() if isinstance(value, list)}
        for name, field in self.fields.items():
            if isinstance(field, TickField):
                field.offer(self.offered(name, rules), kept.get(name, ()))

    def offered(self, name: str, rules: Mapping[str, Any]) -> list[tuple[str, str]]:
        """What a field of ticks offers."""
        match name.removeprefix("with_"):
            case "channels":
                return channel_choices()
            case "purposes":
                return [(one.slug, one.name) for one in Purpose.objects.order_by("name")]
            case "segments":
                found = Segment.objects.filter(archived_at=None).order_by("name")
                return [(one.slug, one.name) for one in found]
            case "bands":
                return [(band, band) for band in rules.get("engagement", {}).get("bands") or Bands().names]
            case "days":
                return [(day, str(label)) for day, label in _DAY_NAMES.items()]
        return []

    def shown(self, data: Mapping[str, Any]) -> dict[str, Any]:
        """The data as the fields show it."""
        return dict(data)

    def data_of(self) -> dict[str, Any]:
        """What the form says, as data of the charter."""
        return {
            name: value for name, value in self.cleaned_data.items() if value not in (None, "", [], False)
        }


def ticks(label: Any, help_text: Any = "") -> TickField:
    return TickField(label=label, required=False, help_text=help_text)


WHICH_CHANNELS = _("None: every channel by which people are written to.")
WHICH_PURPOSES = _("None: all of them.")
WHICH_TAGS = _("Tags of templates, separated by commas. Empty: whatever the tags.")
WHICH_COUNTRIES = _("Two letters each, separated by commas, such as FR, BE.")
