"""What every page about contacts shares.

Not registered here: the pages show journeys and messages too, which this room does not know, so config adds
them and registers all.
"""

from __future__ import annotations

from django.http import HttpRequest
from unfold.admin import ModelAdmin

from contacts.models import Contact


class ContactAdmin(ModelAdmin):
    # Contacts come from events and imports, and go by the act that erases them everywhere.
    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Contact | None = None) -> bool:
        return False
