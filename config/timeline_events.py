"""Words for events of the log: shop events, visits, and what our own rooms report back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from django.utils.translation import gettext as _

from config.timeline_names import Names, channel_label
from contacts.models import Event


class Words(NamedTuple):
    icon: str
    title: str
    text: str = ""
    tone: str = ""


_ICONS = {
    "Products Searched": "search",
    "Product List Viewed": "grid_view",
    "Product Viewed": "visibility",
    "Product Added": "add_shopping_cart",
    "Product Removed": "remove_shopping_cart",
    "Cart Viewed": "shopping_cart",
    "Checkout Started": "shopping_cart_checkout",
    "Order Completed": "shopping_bag",
    "Order Refunded": "undo",
    "Order Cancelled": "cancel",
    "Coupon Applied": "sell",
    "Product Added to Wishlist": "favorite",
    "Signed Up": "how_to_reg",
    "Contact Created": "person_add",
    "Identified": "badge",
    "Page Viewed": "public",
    "Screen Viewed": "smartphone",
    "Group Joined": "groups",
    "Aliased": "link",
}
_GOOD = {"Order Completed", "Signed Up"}
_MESSAGE_EVENTS = {
    "Message Delivered": ("mark_email_read", ""),
    "Message Opened": ("drafts", "good"),
    "Message Clicked": ("ads_click", "good"),
    "Message Dismissed": ("close", ""),
    "Message Withdrawn": ("undo", ""),
    "Message Bounced": ("error", "bad"),
    "Message Complained": ("report", "bad"),
    "Message Replied": ("reply", "good"),
    "Message Unsubscribed": ("unsubscribe", "bad"),
}
_TOLD_FIRST = ("name", "title", "product", "query", "coupon", "url", "path", "category", "plan")


def event_words(event: Event, properties: Mapping[str, Any], names: Names) -> Words:
    """Icon, title, remark and tone of one event."""
    if event.kind == Event.Kind.SYSTEM:
        room = event.name.partition(" ")[0]
        words = _OF_OUR_ROOMS.get(room)
        if words is not None:
            return words(event.name, properties, names)
    tone = "good" if event.name in _GOOD else "bad" if event.name == "Order Refunded" else "accent"
    return Words(_ICONS.get(event.name, "bolt"), event.name, _remark(event.name, properties), tone)


def _message_event(name: str, properties: Mapping[str, Any], names: Names) -> Words:
    icon, tone = _MESSAGE_EVENTS.get(name, ("send", ""))
    channel = str(properties.get("channel") or "")
    label = channel_label(channel) or _("Message")
    done = name.removeprefix("Message ").lower()
    parts = [names.template(properties.get("template")), names.journey(properties.get("journey"))]
    if properties.get("url"):
        parts.append(_place(str(properties["url"])))
    return Words(icon, f"{label} {done}", " · ".join(part for part in parts if part), tone)


def _place(url: str) -> str:
    """Where a link leads, without what it carries: our own links hold a person's keys."""
    parts = urlsplit(url)
    place = f"{parts.netloc}{parts.path}"
    return place if len(place) <= 60 else place[:40] + "…"


def _journey_event(name: str, properties: Mapping[str, Any], names: Names) -> Words:
    journey = names.journey(properties.get("journey"))
    if name == "Journey Entered":
        return Words("login", _("Entered %s") % journey, tone="info")
    if name == "Journey Converted":
        value = properties.get("value")
        return Words("emoji_events", _("Converted in %s") % journey, _amount(value, properties), "good")
    return Words("logout", _("Left %s") % journey, str(properties.get("outcome") or "").replace("_", " "))


def _segment_event(name: str, properties: Mapping[str, Any], names: Names) -> Words:
    slug = str(properties.get("segment") or "")
    segment = names.segments.get(slug, slug)
    if name == "Segment Entered":
        return Words("category", _("Entered segment %s") % segment, tone="info")
    return Words("category", _("Left segment %s") % segment)


def _survey_event(name: str, properties: Mapping[str, Any], names: Names) -> Words:
    survey = names.surveys.get(str(properties.get("survey")), str(properties.get("survey") or ""))
    said = " · ".join(str(properties[name]) for name in ("answer", "text") if properties.get(name))
    return Words("quiz", _("Answered %s") % survey, _short(said), "good")


_OF_OUR_ROOMS = {
    "Message": _message_event,
    "Journey": _journey_event,
    "Segment": _segment_event,
    "Survey": _survey_event,
}


def _remark(name: str, properties: Mapping[str, Any]) -> str:
    """A few words from the properties: what was bought, seen or searched."""
    if name.startswith("Order ") or name in ("Checkout Started", "Cart Viewed"):
        return _basket(properties)
    parts = [str(properties[key]) for key in _TOLD_FIRST if _scalar(properties.get(key))][:2]
    if _scalar(properties.get("price")):
        parts.append(_amount(properties["price"], properties))
    if not parts:
        parts = [f"{key}: {value}" for key, value in properties.items() if _scalar(value)][:3]
    return _short(" · ".join(parts))


def _basket(properties: Mapping[str, Any]) -> str:
    amount = next(
        (properties[key] for key in ("total", "revenue", "value") if _scalar(properties.get(key))), None
    )
    products = properties.get("products")
    parts = [_amount(amount, properties)] if amount is not None else []
    if isinstance(products, list) and products:
        named = [str(one["name"]) for one in products if isinstance(one, dict) and one.get("name")]
        parts.append(_short(", ".join(named[:3])) if named else _("%d products") % len(products))
        if len(named) > 3:
            parts.append(_("and %d more") % (len(named) - 3))
    return _short(" · ".join(parts))


def _amount(value: Any, properties: Mapping[str, Any]) -> str:
    if not _scalar(value):
        return ""
    try:
        figure = f"{float(value):,.2f}"
    except ValueError:
        figure = str(value)
    return f"{figure} {properties.get('currency') or ''}".strip()


def _scalar(value: Any) -> bool:
    return value not in (None, "") and isinstance(value, str | int | float)


def _short(text: str) -> str:
    return text if len(text) <= 160 else text[:159] + "…"
