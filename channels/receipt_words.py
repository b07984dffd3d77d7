"""What came back about a message, in words: what it was, who did it, and what told that it was no person."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

_KINDS: dict[str, Any] = {
    "delivered": gettext_lazy("Delivered"),
    "opened": gettext_lazy("Opened"),
    "clicked": gettext_lazy("Clicked"),
    "dismissed": gettext_lazy("Dismissed"),
    "bounced": gettext_lazy("Bounced"),
    "deferred": gettext_lazy("Put off"),
    "rejected": gettext_lazy("Rejected"),
    "complained": gettext_lazy("Complained"),
    "replied": gettext_lazy("Replied"),
    "unsubscribed": gettext_lazy("Unsubscribed"),
}
_ACTORS: dict[str, Any] = {
    "human": gettext_lazy("A person"),
    "proxy": gettext_lazy("A mailbox's proxy"),
    "prefetch": gettext_lazy("A program that loads ahead"),
    "scanner": gettext_lazy("A scanner"),
}
_WHYS: dict[str, Any] = {
    "hidden_link": gettext_lazy("It followed a link that nobody sees, or came with who did."),
    "too_soon": gettext_lazy("It came too soon after the message was taken for a person to have read it."),
    "ahead": gettext_lazy("It said that it loads ahead."),
    "bare_agent": gettext_lazy("It said nothing of itself, as proxies of mailboxes do."),
    "crawler": gettext_lazy("It calls itself a crawler."),
    "many_links": gettext_lazy("It followed many links within seconds."),
}


def kind(code: str) -> str:
    return str(_KINDS.get(code, code))


def actor(code: str) -> str:
    """Who it was; empty where that is not asked, as of a provider's word."""
    return str(_ACTORS.get(code, code))


def why(detail: Mapping[str, Any] | None) -> str:
    """What told that it was no person; empty for people and for what providers say."""
    code, _colon, what = str((detail or {}).get("why", "")).partition(":")
    if code == "agent":
        return _("It calls itself “%(name)s”.") % {"name": what}
    if code == "method":
        return _("It asked by %(method)s, which no browser does when somebody reads.") % {"method": what}
    return str(_WHYS.get(code, code))
