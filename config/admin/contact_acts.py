"""What the acts on one contact's page share: finding the contact, asking first, telling the history."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import reverse

from contacts.admin.contacts import ContactAdmin
from contacts.models import Contact


class ContactActs(ContactAdmin):
    """Base of the pages around one contact."""

    def contact_for(self, request: HttpRequest, contact_id: int, *permissions: str) -> Contact:
        """The contact, for somebody who may see it and holds all ``permissions``."""
        contact = Contact.objects.filter(pk=contact_id).first()
        if contact is None:
            raise Http404
        if not self.has_view_permission(request, contact) or not request.user.has_perms(permissions):
            raise PermissionDenied
        return contact

    @staticmethod
    def page_of(contact: Contact) -> str:
        return reverse("admin:contacts_contact_change", args=[contact.pk])

    def ask(
        self,
        request: HttpRequest,
        contact: Contact,
        *,
        title: Any,
        form: forms.Form | None,
        button: Any,
        note: Any = "",
        empty: Any = "",
        danger: bool = False,
        **more: Any,
    ) -> HttpResponseBase:
        """A page that asks before it acts. Without a form there is nothing to do, and ``empty`` says why."""
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "original": contact,
            "title": title,
            "contact": contact,
            "form": form,
            "note": note,
            "button": button,
            "danger": danger,
            "empty": empty,
            "page": self.page_of(contact),
            **more,
        }
        return TemplateResponse(request, "config/contact_act.html", context)
