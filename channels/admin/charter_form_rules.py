"""Forms of the charter's parts that are about how much, by which channel and in which tone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from channels import charter_words
from channels.admin.charter_fields import (
    LinesField,
    ListField,
    OrderField,
    SpanField,
    TickField,
    ZoneField,
    channel_choices,
)
from channels.admin.charter_form import (
    WHICH_CHANNELS,
    WHICH_PURPOSES,
    WHICH_TAGS,
    PartForm,
    ticks,
)
from channels.charter_parts import CHANNELS, Bands
from channels.smart import ALWAYS, ASKED, NEVER, Smart


class CapForm(PartForm):
    name = forms.CharField(
        label=_("Name"), max_length=100, required=False, help_text=_("How the ledger calls it.")
    )
    limit = forms.IntegerField(label=_("At most so many messages"), min_value=0, max_value=1000)
    window = forms.ChoiceField(
        label=_("Counted"),
        choices=(
            ("rolling", _("in a time that moves along")),
            ("day", _("each calendar day")),
            ("week", _("each calendar week, from Monday")),
            ("month", _("each calendar month")),
        ),
    )
    rolling = SpanField(
        label=_("In so much time"), required=False, help_text=_("Only for a time that moves along.")
    )
    zone = ZoneField(
        label=_("Whose calendar"),
        required=False,
        help_text=_("Empty: the person's own. Or a zone such as Europe/Paris."),
    )
    channels = ticks(_("Channels"), WHICH_CHANNELS)
    purposes = ticks(_("Purposes"), WHICH_PURPOSES)
    tags = ListField(label=_("Tags"), required=False, help_text=WHICH_TAGS)
    bands = ticks(_("For people of this engagement"), _("None: everybody."))
    count_transactional = forms.BooleanField(
        label=_("Service messages take places too"), required=False, help_text=_("They are never held.")
    )
    wait = SpanField(
        label=_("Wait for a place at most"),
        required=False,
        help_text=_(
            "What would have to wait longer is not sent. 0: nothing waits. "
            "Empty: each message says itself whether it waits, and until when."
        ),
    )

    def shown(self, data: Mapping[str, Any]) -> dict[str, Any]:
        zone = data.get("zone", "")
        return {**data, "window": data.get("calendar", "rolling"), "zone": "" if zone == "person" else zone}

    def clean(self) -> dict[str, Any]:
        values = super().clean() or self.cleaned_data
        if values.get("window") == "rolling" and not values.get("rolling"):
            self.add_error("rolling", _("Say in how much time."))
        return values

    def data_of(self) -> dict[str, Any]:
        data = super().data_of()
        window = data.pop("window")
        if window != "rolling":
            data.pop("rolling", None)
            data["calendar"] = window
        else:
            data.pop("zone", None)
        return {**data, "limit": self.cleaned_data["limit"]}


class RedundancyForm(PartForm):
    drop = forms.ChoiceField(label=_("Leave out"), choices=channel_choices)
    when = forms.ChoiceField(label=_("Where there is"), choices=channel_choices)
    ahead = SpanField(label=_("Scheduled within"), required=False)
    behind = SpanField(label=_("Or sent within the last"), required=False)

    def clean(self) -> dict[str, Any]:
        values = super().clean() or self.cleaned_data
        if values.get("drop") == values.get("when"):
            self.add_error("when", _("Choose another channel than the one that is left out."))
        return values


class CombinationForm(PartForm):
    channels = ticks(_("Channels"), WHICH_CHANNELS)
    purposes = ticks(_("Purposes"), WHICH_PURPOSES)
    tags = ListField(label=_("Tags"), required=False, help_text=WHICH_TAGS)
    apart = SpanField(
        label=_("Only so long after"),
        required=False,
        help_text=_("Empty: such a message is never sent at all."),
    )
    with_channels = ticks(_("After messages by channels"), WHICH_CHANNELS)
    with_purposes = ticks(_("After messages about"), WHICH_PURPOSES)
    with_tags = ListField(label=_("After messages tagged"), required=False, help_text=WHICH_TAGS)

    def shown(self, data: Mapping[str, Any]) -> dict[str, Any]:
        return {**data, **{f"with_{name}": value for name, value in data.get("with", {}).items()}}

    def clean(self) -> dict[str, Any]:
        values = super().clean() or self.cleaned_data
        if not any(values.get(name) for name in ("channels", "purposes", "tags")):
            self.add_error("purposes", _("Name channels, purposes or tags."))
        # Left out in silence it would mean “never at all”.
        other = any(values.get(f"with_{name}") for name in ("channels", "purposes", "tags"))
        if other and not values.get("apart") and "apart" not in self.errors:
            self.add_error("apart", _("Say how long after those messages."))
        return values

    def data_of(self) -> dict[str, Any]:
        data = super().data_of()
        other = {
            name.removeprefix("with_"): data.pop(name) for name in list(data) if name.startswith("with_")
        }
        return {**data, "with": other} if "apart" in data else data


class PriorityForm(PartForm):
    add = forms.IntegerField(
        label=_("Add to the priority"),
        min_value=-100,
        max_value=100,
        help_text=_("Less than 0: they give way."),
    )
    purposes = ticks(_("Of messages about"), WHICH_PURPOSES)
    segments = ticks(_("To people in"), _("None: everybody."))

    def clean(self) -> dict[str, Any]:
        values = super().clean() or self.cleaned_data
        if not values.get("purposes") and not values.get("segments"):
            self.add_error("purposes", _("Name purposes or segments: for all alike it changes nothing."))
        return values

    def data_of(self) -> dict[str, Any]:
        return {**super().data_of(), "add": self.cleaned_data["add"]}


class RoleForm(PartForm):
    channel = forms.ChoiceField(label=_("Channel"), choices=channel_choices)
    purposes = TickField(label=_("Carries nothing but"))


class SpacingForm(PartForm):
    one_a_day = forms.BooleanField(label=_("Never two messages to a person on one day"), required=False)
    apart = SpanField(label=_("At least so long between two messages"), required=False)


class ChannelsForm(PartForm):
    order = OrderField(label=_("Channels in order"), help_text=_("One that is not named is switched off."))
    order_by = forms.ChoiceField(
        label=_("Try them in"),
        choices=(("message", _("the message's own order")), ("charter", _("this order"))),
    )
    fallback = forms.ChoiceField(
        label=_("Go on to the next channel"),
        choices=(
            ("refused", _("where one cannot be used at all")),
            ("held", _("also where one cannot be used just now")),
        ),
    )


_WHEN_CHOSEN = (
    (ASKED, _("where a message asks for it")),
    (ALWAYS, _("for every message")),
    (NEVER, _("for none, even if it asks")),
)


class SmartForm(PartForm):
    channel = forms.ChoiceField(
        label=_("Try first the channel that the person answers on"),
        choices=_WHEN_CHOSEN,
        help_text=_("Of channels that the message offers and that reach the person. All other rules hold."),
    )
    time = forms.ChoiceField(
        label=_("Wait for the hour in which the person answers most"),
        choices=_WHEN_CHOSEN,
        help_text=_("Only hours that caps, spacing and quiet hours leave free."),
    )
    within = SpanField(
        label=_("Wait so long at most"),
        required=False,
        help_text=_("Where every message waits: a message that asks says so itself. At most 7 days."),
    )
    explore = forms.IntegerField(
        label=_("Left to chance, in percent of such messages"),
        min_value=0,
        max_value=50,
        help_text=_(
            "They take a channel or hour by lot, so that we go on learning. 0: nothing new is learned."
        ),
    )
    control = forms.IntegerField(
        label=_("Left as they are, in percent of people"),
        min_value=0,
        max_value=50,
        help_text=_(
            "For them nothing is chosen, to compare with. 0: what the choice is worth stays unknown."
        ),
    )

    def shown(self, data: Mapping[str, Any]) -> dict[str, Any]:
        usual = Smart()
        found = {"channel": usual.channel, "time": usual.hour, "within": charter_words.length(usual.within)}
        return {**found, "explore": usual.explore, "control": usual.control, **data}

    def data_of(self) -> dict[str, Any]:
        # A share of nothing is said too: left out, it would be the usual one.
        return {name: value for name, value in self.cleaned_data.items() if value != ""}


class ConsentForm(PartForm):
    unasked = forms.ChoiceField(
        label=_("People who were never asked"),
        choices=(("refuse", _("are not written to")), ("allow", _("are written to, until they refuse"))),
    )


class EngagementForm(PartForm):
    source = forms.CharField(
        label=_("Prediction or attribute"), required=False, max_length=60,
        help_text=_("Whose label or value is the band. Empty: engagement_band."),
    )  # fmt: skip
    bands = ListField(
        label=_("Bands"), required=False, help_text=_("From cold to warm, separated by commas.")
    )
    unknown = forms.CharField(label=_("Band of people of whom none is known"), required=False, max_length=60)

    def shown(self, data: Mapping[str, Any]) -> dict[str, Any]:
        usual = Bands()
        return {"source": usual.source, "bands": list(usual.names), "unknown": usual.unknown, **data}


class ToneForm(PartForm):
    forbidden = LinesField(
        label=_("Words that no template may have"), required=False, help_text=_("One word or phrase a line.")
    )
    capitals = forms.IntegerField(
        label=_("Largest share of capital letters, in percent"), required=False, min_value=0, max_value=100
    )
    exclamations = forms.IntegerField(
        label=_("Most exclamation marks in a template"), required=False, min_value=0, max_value=100
    )
    required_email = LinesField(
        label=_("Every email template must have"), required=False,
        help_text=_("One a line: words, or a value such as organisation.address."),
    )  # fmt: skip
    required_sms = LinesField(label=_("Every SMS template must have"), required=False)
    required_push = LinesField(label=_("Every push template must have"), required=False)
    required_inapp = LinesField(label=_("Every in-app template must have"), required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, field in self.fields.items():
            if isinstance(field, LinesField):
                field.widget.attrs["rows"] = 4 if name == "forbidden" else 2

    def shown(self, data: Mapping[str, Any]) -> dict[str, Any]:
        found: dict[str, Any] = dict(data)
        for one in data.get("required", ()):
            found.setdefault(f"required_{one['channel']}", []).append(one["part"])
        return found

    def data_of(self) -> dict[str, Any]:
        values = self.cleaned_data
        data = {
            name: values[name]
            for name in ("forbidden", "capitals", "exclamations")
            if values[name] not in (None, [])
        }
        required = [
            {"channel": channel, "part": part}
            for channel in CHANNELS
            for part in values[f"required_{channel}"]
        ]
        return {**data, "required": required} if required else data
