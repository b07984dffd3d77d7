"""The register of processing (GDPR art. 30), made from what is configured and stored at this moment."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from django.utils.translation import gettext as _

from channels.models import Audience, ProviderAccount
from contacts import consent
from contacts.models import Purpose, Segment, Source
from contacts.paging import estimate
from contacts.privacy import retention
from contacts.privacy.inventory import inventory
from contacts.privacy.inventory_kinds import BASIS_WORDS, KIND_WORDS, Basis, Kind
from journeys.models import Journey


@dataclass(frozen=True, slots=True)
class Activity:
    """One line: texts in the present language, lists joined by whoever shows them."""

    name: str
    purpose: str
    basis: str
    people: str
    data: list[str]
    sources: list[str]
    recipients: list[str]
    kept: str
    rows: int


def activities() -> list[Activity]:
    """Every processing that the present configuration amounts to."""
    sources = list(Source.objects.filter(active=True).exclude(kind="system").values_list("name", flat=True))
    carriers = _carriers()
    found = [
        _activity(
            _("Collecting what people do"),
            _("To know each person once, whatever they come by"),
            Basis.INTEREST,
            ("contacts.",),
            sources=sources,
            kept="events",
        )
    ]
    found += [_messages(purpose, carriers) for purpose in Purpose.objects.all()]
    if names := list(Journey.objects.filter(status="live").values_list("name", flat=True)):
        found.append(
            _activity(
                f"{_('Automatic journeys')} ({len(names)})",
                _("To do the fitting thing at the fitting moment"),
                Basis.INTEREST,
                ("journeys.",),
                sources=names,
                kept="steps",
            )
        )
    if segments := Segment.objects.filter(active=True).count():
        found.append(
            _activity(
                f"{_('Segments and predictions')} ({segments})",
                _("To choose who hears what; people may object"),
                Basis.INTEREST,
                ("contacts.SegmentMembership", "contacts.Prediction"),
                kept="predictions",
            )
        )
    if audiences := list(Audience.objects.values_list("name", flat=True)):
        found.append(
            _activity(
                f"{_('Audiences at advertising platforms')} ({len(audiences)})",
                _("To reach, or leave out, people elsewhere, by hashed addresses"),
                Basis.CONSENT,
                ("channels.AudienceMember",),
                recipients=carriers.get("audience", []),
                kept="",
            )
        )
    found.append(
        _activity(
            _("Requests about one’s own data"),
            _("To answer what people ask under the law"),
            Basis.OBLIGATION,
            ("contacts.PrivacyRequest", "contacts.ConsentEntry", "contacts.Tombstone"),
            kept="forever",
        )
    )
    return found


def _messages(purpose: Purpose, carriers: Mapping[str, list[str]]) -> Activity:
    return _activity(
        _("Messages: %s") % purpose.name,
        purpose.description or purpose.name,
        Basis.CONTRACT if purpose.transactional else Basis.CONSENT,
        ("channels.Message", "channels.Decision", "channels.Receipt", "channels.Attempt"),
        recipients=[name for channel in consent.CHANNELS for name in carriers.get(channel, [])],
        kept="messages",
    )


def as_data(now: datetime) -> dict[str, Any]:
    """The same for programs."""
    return {"as_of": now.isoformat(), "activities": [asdict(one) for one in activities()]}


def _activity(
    name: str,
    purpose: str,
    basis: Basis,
    models: tuple[str, ...],
    *,
    kept: str,
    sources: Iterable[str] = (),
    recipients: Iterable[str] = (),
) -> Activity:
    tables = [table for table in inventory().people if table.model.startswith(models)]
    kinds = {kind for table in tables for kind in table.classed().values()} - {Kind.TECHNICAL}
    return Activity(
        name=name,
        purpose=purpose,
        basis=str(BASIS_WORDS[basis]),
        people=f"{_('Known people')}, {_('Anonymous visitors')}",
        data=sorted(str(KIND_WORDS[kind]) for kind in kinds),
        sources=list(sources),
        recipients=list(recipients) or [_("nobody outside")],
        kept=_kept(kept),
        rows=estimate(*(table.name for table in tables)),
    )


def _kept(period: str) -> str:
    if period == "forever":
        return _("for ever")
    days = retention.days(period) if period in retention.PERIODS else None
    return _("%d days") % days if days else _("until erased")


def _carriers() -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for account in ProviderAccount.objects.filter(active=True).exclude(kind="sandbox"):
        found.setdefault(account.channel, []).append(f"{account.name} ({account.kind})")
    return found
