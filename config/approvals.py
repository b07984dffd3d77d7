"""What waits for a second person: drafts whose publication was asked for, and where each is decided."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.contrib.auth.models import AnonymousUser, User
from django.urls import reverse
from django.utils.translation import gettext as _

from channels.models import CharterRequest
from contacts.two_people import RequestToPublish
from journeys.models import PublishRequest

#: So many of each kind are shown, the oldest first.
_MOST = 10


@dataclass(frozen=True, slots=True)
class Waiting:
    """One request. ``own`` ones are decided by somebody else; they are shown to say that they still wait."""

    what: str
    address: str
    asked_by: str
    asked_at: datetime
    note: str
    own: bool


def waiting_for(user: User | AnonymousUser) -> list[Waiting]:
    """What ``user`` may decide, and what they asked for themselves; one statement a kind."""
    open_ones = {"state": RequestToPublish.State.OPEN}
    found: list[Waiting] = []
    if user.has_perm("channels.view_charterversion"):
        decides = user.has_perm("channels.publish_charterversion")
        for one in CharterRequest.objects.filter(**open_ones).select_related("version", "asked_by")[:_MOST]:
            address = reverse("admin:channels_charterversion_publish_ask", args=[one.version_id])
            found += _shown(one, _("Charter v%s") % one.version.number, address, user, decides)
    if user.has_perm("journeys.view_journey"):
        decides = user.has_perm("journeys.publish_journey")
        for asked in PublishRequest.objects.filter(**open_ones).select_related("journey", "asked_by")[:_MOST]:
            address = reverse("admin:journeys_journey_act", args=[asked.journey_id, "publish"])
            found += _shown(asked, asked.journey.name, address, user, decides)
    return sorted(found, key=lambda one: one.asked_at)


def _shown(
    request: RequestToPublish, what: str, address: str, user: User | AnonymousUser, decides: bool
) -> list[Waiting]:
    own = request.asked_by_id == user.pk
    if not decides and not own:
        return []
    name = request.asked_by.get_full_name() or request.asked_by.get_username()
    return [Waiting(what, address, name, request.asked_at, request.note, own)]
