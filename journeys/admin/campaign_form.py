"""The form of a campaign, in four parts: whom, what, when, how fast and what for."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

from django import forms
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from channels import explaining
from channels.models import Template
from contacts.models import Purpose, Segment
from journeys import local_time
from journeys.campaigns import drafting
from journeys.fields import Problem
from journeys.models import Campaign, Journey

WEEKDAYS = [
    (0, gettext_lazy("Monday")), (1, gettext_lazy("Tuesday")), (2, gettext_lazy("Wednesday")),
    (3, gettext_lazy("Thursday")), (4, gettext_lazy("Friday")), (5, gettext_lazy("Saturday")),
    (6, gettext_lazy("Sunday")),
]  # fmt: skip
MONTHDAYS = [(day, str(day)) for day in range(1, 31)] + [(31, gettext_lazy("last day"))]
_WAYS = ("way_1", "way_2", "way_3", "way_4")
_CLOCKS = [
    ("person", gettext_lazy("each person's own time")),
    ("zone", gettext_lazy("the clock of the time zone")),
]
_WHOM = [
    ("some", gettext_lazy("people in the segments below")),
    ("everyone", gettext_lazy("everybody")),
]
_LONGEST_GOAL = 90


def _check(label: Any, choices: Any, **more: Any) -> forms.TypedMultipleChoiceField:
    return forms.TypedMultipleChoiceField(
        label=label, choices=choices, coerce=int, required=False, widget=forms.CheckboxSelectMultiple, **more
    )


class CampaignForm(forms.Form):
    """A draft may be saved with gaps; what keeps it from being sent is said beside the fields."""

    name = forms.CharField(label=gettext_lazy("Name"), max_length=120)
    description = forms.CharField(
        label=gettext_lazy("Description"), required=False, widget=forms.Textarea({"rows": 2}), max_length=1000
    )
    whom = forms.ChoiceField(label=gettext_lazy("Who receives it"), choices=_WHOM, widget=forms.RadioSelect)
    segments = forms.MultipleChoiceField(
        label=gettext_lazy("In any of these segments and lists"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    excluded = forms.MultipleChoiceField(
        label=gettext_lazy("But nobody in these"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=gettext_lazy("Asked again when each message leaves."),
    )
    rule = forms.CharField(
        label=gettext_lazy("And only those for whom this rule holds"),
        required=False,
        widget=forms.Textarea({"rows": 3, "class": "is-code", "spellcheck": "false"}),
        help_text=gettext_lazy("Usually empty: a segment says the same and can be used again."),
    )
    purpose = forms.ChoiceField(
        label=gettext_lazy("Purpose"), required=False, help_text=gettext_lazy("What people must allow.")
    )
    way_1 = forms.ChoiceField(label=gettext_lazy("First choice"), required=False)
    way_2 = forms.ChoiceField(label=gettext_lazy("Who cannot be reached so"), required=False)
    way_3 = forms.ChoiceField(label=gettext_lazy("Nor so"), required=False)
    way_4 = forms.ChoiceField(label=gettext_lazy("Nor so either"), required=False)
    priority = forms.IntegerField(
        label=gettext_lazy("Priority, 0 to 100"),
        min_value=0,
        max_value=100,
        help_text=gettext_lazy("Who gets the last place under a cap. Journeys have 50."),
    )
    wait_hours = forms.IntegerField(
        label=gettext_lazy("Wait at most, hours"),
        min_value=1,
        max_value=drafting.LONGEST_WAIT,
        help_text=gettext_lazy("A message held by quiet hours or caps is not sent after that."),
    )
    every = forms.ChoiceField(label=gettext_lazy("When"), choices=Campaign.Every.choices)
    day = forms.DateField(
        label=gettext_lazy("Day"), required=False, widget=forms.DateInput({"type": "date"}, format="%Y-%m-%d")
    )
    at = forms.TimeField(
        label=gettext_lazy("At"), required=False, widget=forms.TimeInput({"type": "time"}, format="%H:%M")
    )
    weekdays = _check(gettext_lazy("Every week on"), WEEKDAYS)
    monthdays = _check(gettext_lazy("Every month on"), MONTHDAYS)
    until_day = forms.DateField(
        label=gettext_lazy("Last day"),
        required=False,
        widget=forms.DateInput({"type": "date"}, format="%Y-%m-%d"),
        help_text=gettext_lazy("Of one that comes again and again; empty: until it is cancelled."),
    )
    clock = forms.ChoiceField(label=gettext_lazy("On whose clock"), choices=_CLOCKS, widget=forms.RadioSelect)
    zone = forms.CharField(label=gettext_lazy("Time zone"), max_length=64)
    misfire_minutes = forms.IntegerField(
        label=gettext_lazy("Too late after, minutes"),
        min_value=1,
        max_value=drafting.LONGEST_MISFIRE,
        help_text=gettext_lazy("If the system was down for so long, it is skipped and said so."),
    )
    throttle = forms.IntegerField(
        label=gettext_lazy("At most so many people"),
        required=False,
        min_value=1,
        max_value=drafting.FASTEST,
        help_text=gettext_lazy("Empty: as fast as it goes."),
    )
    throttle_per = forms.ChoiceField(label=gettext_lazy("In"), choices=Campaign.Per.choices)
    goal_event = forms.CharField(
        label=gettext_lazy("Goal: this event happens"),
        required=False,
        max_length=200,
        help_text=gettext_lazy("Such as Order Completed. Whoever does it first is not written to any more."),
    )
    goal_value = forms.CharField(
        label=gettext_lazy("Its worth is the property"), required=False, max_length=60
    )
    goal_days = forms.IntegerField(
        label=gettext_lazy("Within days"), required=False, min_value=1, max_value=_LONGEST_GOAL
    )

    def __init__(self, campaign: Campaign, *args: Any, **kwargs: Any) -> None:
        kwargs.setdefault("initial", initial(campaign))
        super().__init__(*args, **kwargs)
        self.campaign = campaign
        segments = [
            (slug, name)
            for slug, name in Segment.objects.filter(active=True).values_list("slug", "name").order_by("name")
        ]
        self._choose("segments", segments)
        self._choose("excluded", segments)
        purposes = Purpose.objects.order_by("name").values_list("slug", "name")
        self._choose("purpose", [("", "–"), *purposes])
        for name in _WAYS:
            self._choose(name, _templates())
        for field in self.fields.values():
            if isinstance(field.widget, forms.Select):
                field.widget.attrs.setdefault("class", "segue-select")

    def part(self, *names: str) -> list[forms.BoundField]:
        return [self[name] for name in names]

    def clean_name(self) -> str:
        name = " ".join(self.cleaned_data["name"].split())
        if Journey.objects.filter(name=name).exclude(pk=self.campaign.pk).exists():
            raise forms.ValidationError(_("Another campaign or journey has this name."))
        return name

    def clean_zone(self) -> str:
        zone: str = self.cleaned_data["zone"]
        if not local_time.is_zone(zone):
            raise forms.ValidationError(_("Not a time zone such as Europe/Paris."))
        return zone

    def clean_rule(self) -> Any:
        text = self.cleaned_data["rule"].strip()
        if not text:
            return None
        try:
            return json.loads(text)
        except (ValueError, RecursionError) as error:
            raise forms.ValidationError(_("This is no JSON: %s") % error) from error

    def clean(self) -> dict[str, Any]:
        given: dict[str, Any] = super().clean() or self.cleaned_data
        channels = [given[name].partition(":")[0] for name in _WAYS if given.get(name)]
        if len(channels) != len(set(channels)):
            self.add_error("way_2", _("Each channel can be chosen once."))
        return given

    def fill(self) -> Campaign:
        """The campaign with what was given. Nothing is saved."""
        given, campaign = self.cleaned_data, self.campaign
        campaign.journey.name, campaign.journey.description = given["name"], given["description"]
        ways = [given[name].partition(":") for name in _WAYS if given[name]]
        campaign.channels = [channel for channel, _colon, _slug in ways]
        campaign.content = {channel: slug for channel, _colon, slug in ways}
        campaign.everyone = given["whom"] == "everyone"
        campaign.own_clock = given["clock"] == "person"
        for name in (
            "segments", "excluded", "rule", "purpose", "priority", "wait_hours", "every", "day", "at",
            "weekdays", "monthdays", "until_day", "zone", "misfire_minutes", "throttle", "throttle_per",
        ):  # fmt: skip
            setattr(campaign, name, given[name])
        campaign.goal = _goal(campaign.goal, given)
        campaign.__dict__.pop("schedule", None)
        return campaign

    def _choose(self, name: str, choices: Any) -> None:
        field: Any = self.fields[name]
        field.choices = choices


def initial(campaign: Campaign) -> dict[str, Any]:
    """What the form shows of a campaign."""
    goal = campaign.goal or {}
    ways = dict.fromkeys(_WAYS, "")
    for name, channel in zip(_WAYS, campaign.channels, strict=False):
        ways[name] = f"{channel}:{campaign.content.get(channel, '')}"
    window = local_time.span(goal["window"]) if goal.get("window") else timedelta(days=3)
    same = (
        "segments", "excluded", "purpose", "priority", "wait_hours", "every", "day", "at", "weekdays",
        "monthdays", "until_day", "zone", "misfire_minutes", "throttle", "throttle_per",
    )  # fmt: skip
    return {
        **{name: getattr(campaign, name) for name in same},
        **ways,
        "name": campaign.journey.name,
        "description": campaign.journey.description,
        "whom": "everyone" if campaign.everyone else "some",
        "clock": "person" if campaign.own_clock else "zone",
        "rule": json.dumps(campaign.rule) if campaign.rule else "",
        "goal_event": goal.get("event", ""),
        "goal_value": goal.get("value", ""),
        "goal_days": max(window.days, 1),
    }


def place(problem: Problem) -> str:
    """The field of the form that a problem of the settings belongs to; empty: none."""
    name = problem.path.partition(".")[0].partition("[")[0]
    return {"channels": "way_1", "content": "way_1", "goal": "goal_event"}.get(name, name)


def _goal(before: dict[str, Any] | None, given: dict[str, Any]) -> dict[str, Any] | None:
    if not given["goal_event"]:
        # A goal that is a rule came by the API; the form does not show it, so it leaves it alone.
        return before if before and "event" not in before else None
    goal: dict[str, Any] = {"event": given["goal_event"], "window": f"{given['goal_days'] or 3} days"}
    if before and before.get("event") == given["goal_event"] and before.get("where"):
        goal["where"] = before["where"]
    if given["goal_value"]:
        goal["value"] = given["goal_value"]
    return goal


def _templates() -> list[Any]:
    """Published templates by channel, as groups of choices."""
    groups: dict[str, list[tuple[str, str]]] = {}
    rows = Template.objects.filter(versions__published_at__isnull=False).distinct().order_by("name")
    for template in rows:
        way = capfirst(explaining.channel_name(template.channel))
        groups.setdefault(template.channel, []).append(
            (f"{template.channel}:{template.slug}", f"{way}: {template.name}")
        )
    return [("", "–"), *((explaining.channel_name(channel), found) for channel, found in groups.items())]
