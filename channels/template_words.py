"""What a template may use here and now: attributes, events, feeds, blocks, filters. Shown to marketers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from channels import rendering_liquid
from channels.models import ContentBlock, DataFeed
from contacts.models import PlannedEvent
from contacts.segmentation import vocabulary

#: Columns that templates do not see.
_HIDDEN = frozenset({"known", "first_seen_at", "last_seen_at"})

Shown = tuple[str, Any, str]
"""Name, what it does, an example."""

FILTERS: tuple[Shown, ...] = (
    (
        "default",
        gettext_lazy("what to write where nothing is known"),
        '{{ contact.first_name | default: "there" }}',
    ),
    ("money", gettext_lazy("an amount with its currency"), '{{ event.total | money: "EUR" }}'),
    ("date", gettext_lazy("a date in another form"), '{{ contact.renewal_date | date: "%d/%m/%Y" }}'),
    ("capitalize", gettext_lazy("first letter large"), "{{ contact.city | capitalize }}"),
    ("upcase", gettext_lazy("all letters large"), "{{ contact.country | upcase }}"),
    ("truncate", gettext_lazy("cut after so many signs"), "{{ event.name | truncate: 40 }}"),
    ("round", gettext_lazy("to so many decimals"), "{{ event.price | round: 1 }}"),
    ("plus", gettext_lazy("and minus, times, divided_by"), "{{ contact.points | default: 0 | plus: 100 }}"),
    ("join", gettext_lazy("a list as one text"), '{{ contact.interests | join: ", " }}'),
    ("first", gettext_lazy("and last, size: of a list"), "{{ products.first.name }}"),
    ("replace", gettext_lazy("one text for another"), '{{ event.name | replace: "&", "and" }}'),
)
TAGS: tuple[Shown, ...] = (
    (
        "if",
        gettext_lazy("only for those who"),
        "{% if contact.city %}In {{ contact.city }}{% else %}Near you{% endif %}",
    ),
    (
        "case",
        gettext_lazy("one of several"),
        '{% case contact.tier %}{% when "gold" %}…{% else %}…{% endcase %}',
    ),
    (
        "for",
        gettext_lazy("once for each"),
        "{% for product in products limit: 4 %}{{ product.name }}{% endfor %}",
    ),
    ("assign", gettext_lazy("a name for a value"), '{% assign city = contact.city | default: "Paris" %}'),
    ("block", gettext_lazy("a content block"), '{% block "footer" %}'),
)


@dataclass(frozen=True, slots=True)
class Name:
    """One name that a template may use, with what it holds and an example."""

    name: str
    type: str
    samples: tuple[str, ...] = ()
    note: str = ""


@dataclass(frozen=True, slots=True)
class Section:
    title: str
    names: list[Name]


def attributes() -> frozenset[str]:
    """Names under ``contact.`` that somebody has, from a bounded sample."""
    return frozenset(str(term.name) for term in vocabulary.attributes()) - _HIDDEN


def sections() -> list[Section]:
    """Everything, ready to be shown."""
    found = [Section(str(_("The person")), _contact())]
    found += [
        Section(str(_("When the journey began with “%s”") % event.name), names)
        for event in PlannedEvent.objects.order_by("name")[:60]
        if (names := _properties(event))
    ]
    found += [
        Section(
            str(_("The message")),
            [
                Name("message.unsubscribe_url", "link", note=str(_("This person's own page."))),
                Name("message.preferences_url", "link", note=str(_("This person's own page."))),
                Name("message.why_url", "link", note=str(_("Why this person got this message."))),
                Name("organisation.name", "text"),
                Name("organisation.address", "text"),
            ],
        ),
        Section(
            str(_("The survey that a message asks")),
            [
                Name("survey.question", "text"),
                Name("survey.choices[].label", "text"),
                Name("survey.choices[].url", "link", note=str(_("Answers once the person has confirmed."))),
                Name("survey.low", "text", note=str(_("What the lowest answer means."))),
                Name("survey.high", "text", note=str(_("What the highest answer means."))),
            ],
        ),
        Section(
            str(_("Recommendations")),
            [
                Name(f"products[].{name}", kind, note=str(_("For this person, else the best sellers.")))
                for name, kind in (("name", "text"), ("price", "number"), ("url", "link"), ("image", "link"))
            ],
        ),
    ]
    feeds = [
        Name(f"feeds.{feed.slug}", "object", _shape(feed.content), feed.name)
        for feed in DataFeed.objects.filter(active=True)
    ]
    if feeds:
        found.append(Section(str(_("Data feeds")), feeds))
    blocks = [
        Name(f'{{% block "{block.slug}" %}}', "block", note=block.description or block.name)
        for block in ContentBlock.objects.filter(versions__published_at__isnull=False).distinct()
    ]
    if blocks:
        found.append(Section(str(_("Content blocks")), blocks))
    return found


def filters() -> list[str]:
    """Every filter that there is, for the end of the page."""
    return sorted(rendering_liquid.TEXT.filters)


def _contact() -> list[Name]:
    return [
        Name(
            f"contact.{term.name}",
            term.type,
            () if term.name in vocabulary.PERSONAL else tuple(map(str, term.samples[:3])),
        )
        for term in vocabulary.attributes()
        if isinstance(term.name, str) and term.name not in _HIDDEN
    ]


def _properties(event: PlannedEvent) -> list[Name]:
    listed = event.properties if isinstance(event.properties, list) else []
    return [
        Name(f"event.{one['name']}", str(one.get("type", "")))
        for one in listed
        if isinstance(one, dict) and one.get("name")
    ]


def _shape(content: Any) -> tuple[str, ...]:
    if isinstance(content, dict):
        return tuple(str(name) for name in list(content)[:6])
    return (f"{len(content)} entries",) if isinstance(content, list) else ()
