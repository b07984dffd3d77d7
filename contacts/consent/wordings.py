"""The words under which people agree: versions, of which one that was used never changes."""

from __future__ import annotations

from datetime import datetime

from django.db.models import CharField, Exists, Max, OuterRef, QuerySet, Value
from django.db.models.functions import Cast, Concat

from contacts.models import ConsentEntry, Wording

#: Wordings that Segue's own pages use, each under this name.
PREFERENCES, CONFIRMATION, MEASURING = "preferences", "confirmation", "measuring"

_STARTERS = {
    PREFERENCES: (
        """I agree to receive the messages that I choose here. I can change this at any time, on this page or
        by the link in each message.""",
        """J’accepte de recevoir les messages choisis ici. Je peux changer d’avis à tout moment, sur cette
        page ou par le lien de chaque message.""",
    ),
    CONFIRMATION: (
        "I confirm that I want to receive these messages, and that this address is mine.",
        "Je confirme vouloir recevoir ces messages et que cette adresse est la mienne.",
    ),
    MEASURING: (
        """You may measure whether I open your messages and which links I follow, to send me fewer and better
        ones.""",
        """Vous pouvez mesurer si j’ouvre vos messages et quels liens je suis, pour m’en envoyer moins et de
        meilleurs.""",
    ),
}


def current(slug: str, now: datetime) -> Wording | None:
    """The version in use at ``now``."""
    return (
        Wording.objects.filter(slug=slug, effective_at__lte=now).order_by("-effective_at", "-number").first()
    )


def reference(slug: str, now: datetime) -> str:
    """How the ledger names the version in use; the first one where nobody wrote any."""
    version = current(slug, now)
    return version.reference if version else f"{slug}-1"


def next_number(slug: str) -> int:
    """The number of a new version."""
    return int(Wording.objects.filter(slug=slug).aggregate(latest=Max("number"))["latest"] or 0) + 1


def with_use(versions: QuerySet[Wording]) -> QuerySet[Wording]:
    """The versions with ``agreed``: whether a line of the ledger names them. A look at an index for each."""
    name = Concat(OuterRef("slug"), Value("-"), Cast(OuterRef("number"), CharField()))
    lines = ConsentEntry.objects.filter(wording=name).exclude(wording="")
    return versions.annotate(agreed=Exists(lines))


def load(now: datetime) -> int:
    """Make the starters where there is no wording at all; returns how many."""
    if Wording.objects.exists():
        return 0
    made = Wording.objects.bulk_create(
        Wording(
            slug=slug,
            number=1,
            text=" ".join(text.split()),
            text_fr=" ".join(text_fr.split()),
            effective_at=now,
        )
        for slug, (text, text_fr) in _STARTERS.items()
    )
    return len(made)
