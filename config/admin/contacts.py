"""The contact list with the page behind each line, which shows every room at once."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext_lazy as _

from channels import pressure_now
from config import contact_page
from config.admin import timeline_page
from config.admin.contact_addresses import AddressActs
from config.admin.contact_editing import EditActs
from config.admin.contact_list import ContactList
from config.admin.contact_merging import MergeActs
from contacts import clock
from contacts.models import Contact

#: What the page offers, by the permission it takes.
OFFERED = {
    "may_see_merges": "contacts.view_merge",
    "may_suppress": "contacts.add_suppression",
    "may_lift": "contacts.delete_suppression",
    "may_record": "contacts.add_consententry",
    "may_export": "contacts.export_contact",
    "may_edit": "contacts.edit_contact",
    "may_merge": "contacts.merge_contact",
    "may_list": "contacts.change_segment",
    "may_start": "journeys.enter_journey",
    "may_test": "contacts.test_contact",
    "may_ask": "contacts.add_privacyrequest",
}


_PRIVACY = (
    ("access", _("Copy for the person"), "folder_zip"),
    ("objection", _("Stop profiling"), "psychology_alt"),
    ("erasure", _("Erase"), "person_remove"),
)


def _of_privacy(request: HttpRequest, contact: Contact) -> list[tuple[Any, str, str]]:
    """What can be asked for on the person's behalf."""
    if not request.user.has_perm("contacts.add_privacyrequest"):
        return []
    return [
        (label, icon, reverse("admin:contacts_privacy_ask", args=[contact.pk, kind]))
        for kind, label, icon in _PRIVACY
    ]


@admin.register(Contact)
class ContactPageAdmin(ContactList, AddressActs, EditActs, MergeActs):
    def get_urls(self) -> list[URLPattern]:
        acts = {
            "suppress": self.suppress,
            "lift": self.lift,
            "consent": self.record_consent,
            "export": self.export,
            "edit": self.edit,
            "lists": self.lists,
            "journey": self.journey,
            "test-event": self.test_event,
            "merge": self.merge,
            "merge/<int:other_id>": self.compare,
            "unmerge/<int:merge_id>": self.unmerge,
        }
        own = [
            path(
                f"<int:contact_id>/{way}/",
                self.admin_site.admin_view(act),
                name=f"contacts_contact_{act.__name__}",
            )
            for way, act in acts.items()
        ]
        own.append(path("bulk/", self.admin_site.admin_view(self.bulk), name="contacts_contact_bulk"))
        return [*own, *super().get_urls()]

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponseBase:
        contact = self.contact_for(request, int(object_id) if object_id.isdecimal() else 0)
        if request.method not in ("GET", "HEAD"):
            return HttpResponse(status=405)
        now = clock.now()
        sees_messages = request.user.has_perm("channels.view_message")
        panels = contact_page.panels(contact)
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": str(contact),
            "original": contact,
            "contact": contact,
            "now": now,
            "panels": panels,
            "heading": contact_page.heading(contact, panels),
            "standing": pressure_now.standing(contact.pk, now) if sees_messages else None,
            **timeline_page.context(request, contact, contact_page.zone_of(contact)),
            **{name: request.user.has_perm(permission) for name, permission in OFFERED.items()},
            "more_acts": _of_privacy(request, contact),
            **(extra_context or {}),
        }
        return TemplateResponse(request, "config/contact.html", context)

    def export(self, request: HttpRequest, contact_id: int) -> HttpResponseBase:
        """The profile as a JSON file."""
        contact = self.contact_for(request, contact_id, "contacts.export_contact")
        self.log_change(request, contact, "Took the profile along as a file")
        answer = JsonResponse(
            contact_page.profile(contact), json_dumps_params={"indent": 2, "ensure_ascii": False}
        )
        answer["Content-Disposition"] = f'attachment; filename="contact-{contact.public_id}.json"'
        return answer
