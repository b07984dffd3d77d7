"""Fields for a charter's rules: durations, lists of words, channels in order."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.text import format_lazy
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from channels import explaining, policy_time
from channels.charter_parts import CHANNELS

UNITS = (
    ("minutes", gettext_lazy("minutes")),
    ("hours", gettext_lazy("hours")),
    ("days", gettext_lazy("days")),
    ("weeks", gettext_lazy("weeks")),
)


def channel_choices() -> list[tuple[str, str]]:
    return [(name, explaining.channel_name(name)) for name in CHANNELS]


class SpanWidget(forms.MultiWidget):
    """A number and its unit."""

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        number = forms.NumberInput(
            attrs={
                "min": 0,
                "max": 100_000,
                "inputmode": "numeric",
                "aria-label": gettext_lazy("How many"),
            }
        )
        unit = forms.Select(choices=UNITS, attrs={"aria-label": gettext_lazy("Of what")})
        super().__init__([number, unit], attrs)

    def decompress(self, value: Any) -> list[Any]:
        match = re.match(r"^\s*(\d+)\s+(minute|hour|day|week)s?\s*$", value or "")
        return [match[1], f"{match[2]}s"] if match else [None, "hours"]


class SpanField(forms.MultiValueField):
    """A duration as the charter keeps it: “12 hours”; empty when no number is given."""

    def __init__(self, **kwargs: Any) -> None:
        # A browser sends the unit even where no number was given.
        number = forms.IntegerField(min_value=0, max_value=100_000, required=False)
        parts = (number, forms.ChoiceField(choices=UNITS))
        super().__init__(parts, widget=SpanWidget, require_all_fields=False, **kwargs)

    def compress(self, data_list: list[Any]) -> str:
        if not data_list or data_list[0] in (None, ""):
            if self.required:
                raise ValidationError(self.error_messages["required"])
            return ""
        return f"{data_list[0]} {data_list[1]}"


class ListField(forms.CharField):
    """Words, separated by commas."""

    def __init__(self, *, upper: bool = False, **kwargs: Any) -> None:
        self.upper = upper
        super().__init__(**kwargs)

    def prepare_value(self, value: Any) -> Any:
        return ", ".join(value) if isinstance(value, list) else value

    def to_python(self, value: Any) -> Any:
        text = super().to_python(value)
        words = [word.strip() for word in (text or "").split(",") if word.strip()]
        return [word.upper() for word in words] if self.upper else words


class LinesField(forms.CharField):
    """Words and phrases, one a line."""

    widget = forms.Textarea

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(value) if isinstance(value, list) else value

    def to_python(self, value: Any) -> Any:
        return [line.strip() for line in (super().to_python(value) or "").splitlines() if line.strip()]


class TickField(forms.MultipleChoiceField):
    """Some of few; what is kept but no longer offered stays choosable, so that saving loses nothing."""

    widget = forms.CheckboxSelectMultiple

    def offer(self, choices: Iterable[tuple[str, str]], kept: Iterable[str]) -> None:
        offered = list(choices)
        known = {name for name, _label in offered}
        self.choices = offered + [(name, name) for name in kept if name not in known]


class ZoneField(forms.CharField):
    """The name of a time zone, checked."""

    def clean(self, value: Any) -> Any:
        name = super().clean(value)
        if name and name not in policy_time.zone_names():
            raise ValidationError(_("This is not a time zone such as Europe/Paris."))
        return name


class OrderWidget(forms.MultiWidget):
    """One choice for each place."""

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        choices = [("", gettext_lazy("none")), *channel_choices()]
        places = [
            forms.Select(choices=choices, attrs={"aria-label": format_lazy(gettext_lazy("Place {n}"), n=n)})
            for n, _channel in enumerate(CHANNELS, 1)
        ]
        super().__init__(places, attrs)

    def decompress(self, value: Any) -> list[Any]:
        return [*(value or []), *([""] * len(CHANNELS))][: len(CHANNELS)]


class OrderField(forms.MultiValueField):
    """Channels from first to last. One that is not named is switched off."""

    def __init__(self, **kwargs: Any) -> None:
        choices = [("", ""), *channel_choices()]
        parts = [forms.ChoiceField(choices=choices, required=False) for _place in CHANNELS]
        super().__init__(parts, widget=OrderWidget, require_all_fields=False, **kwargs)

    def compress(self, data_list: list[Any]) -> list[str]:
        return [channel for channel in data_list if channel]
