"""Back-office pages of contacts, a file for each noun."""

from contacts.admin import contacts

__all__ = ["contacts"]
