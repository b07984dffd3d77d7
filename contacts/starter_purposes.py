"""The purposes that a new installation starts with, in English and French."""

from __future__ import annotations

from contacts.models import Purpose

#: slug, name, name in French, description, description in French, transactional
_STARTERS = (
    ("offers", "Offers", "Offres", "Deals, codes and reminders", "Promotions, codes et rappels", False),
    ("news", "News", "Actualités", "What is new", "Les nouveautés", False),
    ("service", "Service", "Service", "Receipts and your account", "Reçus et compte", True),
)


def load() -> int:
    """Make them where there is no purpose at all; returns how many. What somebody deleted stays away."""
    if Purpose.objects.exists():
        return 0
    made = Purpose.objects.bulk_create(
        Purpose(
            slug=slug,
            name=name,
            name_fr=name_fr,
            description=about,
            description_fr=about_fr,
            transactional=transactional,
        )
        for slug, name, name_fr, about, about_fr, transactional in _STARTERS
    )
    return len(made)
