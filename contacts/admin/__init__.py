"""Back-office pages of contacts, a file for each noun."""

from contacts.admin import consent, contacts, dead_letters, merges, segments, sources

__all__ = ["consent", "contacts", "dead_letters", "merges", "segments", "sources"]
