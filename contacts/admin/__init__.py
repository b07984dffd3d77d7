"""Back-office pages of contacts, a file for each noun."""

from contacts.admin import consent, contacts, segments

__all__ = ["consent", "contacts", "segments"]
