"""Back-office pages of contacts, a file for each noun."""

from contacts.admin import contacts, segments

__all__ = ["contacts", "segments"]
