"""Merging two contacts by hand: find the other, see both side by side, say so; and the way back."""

from __future__ import annotations

from typing import Any

from django import forms
from django.apps import apps
from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponseBase, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.utils.translation import gettext_lazy as _

from config import timeline_words
from config.admin.contact_acts import ContactActs
from contacts import clock, merging_by_hand, pulse, searching
from contacts.contention import ContendedTooLong
from contacts.merging_by_hand import Comparison, GoneError
from contacts.models import Contact, Merge
from contacts.unmerging import NotUndoableError, undo

_MOST_SHOWN = 20


class SureForm(forms.Form):
    """Said twice where both are verified people."""

    sure = forms.BooleanField(label=_("I know that they are one person, although each has a user id."))


class MergeActs(ContactActs):
    def merge(self, request: HttpRequest, contact_id: int) -> HttpResponseBase:
        """Find the other contact."""
        contact = self.contact_for(request, contact_id, "contacts.merge_contact")
        term = request.GET.get("q", "").strip()[:100]
        ids = searching.search(term) - {contact.pk} if term else set()
        found = Contact.objects.filter(pk__in=ids).order_by("-last_seen_at", "-id")[: _MOST_SHOWN + 1]
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "original": contact,
            "title": _("Merge with another contact"),
            "contact": contact,
            "term": term,
            "found": list(found[:_MOST_SHOWN]),
            "more": len(found) > _MOST_SHOWN,
            "page": self.page_of(contact),
        }
        return TemplateResponse(request, "config/contact_merge.html", context)

    def compare(self, request: HttpRequest, contact_id: int, other_id: int) -> HttpResponseBase:
        """Both side by side and what they would become; with the button that does it."""
        contact = self.contact_for(request, contact_id, "contacts.merge_contact")
        if contact_id == other_id:
            raise Http404
        try:
            shown = merging_by_hand.compare(contact_id, other_id)
        except GoneError:
            return self._gone(request, contact)
        form = SureForm(request.POST or None) if shown.two_user_ids else None
        if request.method == "POST" and (form is None or form.is_valid()):
            return self._merge(request, shown)
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "original": contact,
            "title": _("Merge two contacts"),
            "contact": contact,
            "shown": shown,
            "moves": _named(shown),
            "form": form,
            "page": self.page_of(contact),
        }
        return TemplateResponse(request, "config/contact_compare.html", context)

    def _merge(self, request: HttpRequest, shown: Comparison) -> HttpResponseBase:
        try:
            merging_by_hand.merge_two(
                shown.winner.pk, shown.loser.pk, clock.now(), by=request.user.get_username()
            )
        except GoneError:
            return self._gone(request, shown.winner)
        except ContendedTooLong:
            return self._contended(request, shown.winner)
        self.log_change(request, shown.winner, f"Merged with {shown.loser} (contact {shown.loser.pk})")
        messages.success(
            request,
            _("%(former)s is part of this contact now. The timeline has the way back.")
            % {"former": shown.loser},
        )
        return HttpResponseRedirect(self.page_of(shown.winner))

    def _gone(self, request: HttpRequest, contact: Contact) -> HttpResponseBase:
        messages.warning(request, _("The other contact is gone: merged or erased meanwhile."))
        return HttpResponseRedirect(self.page_of(contact))

    def _contended(self, request: HttpRequest, contact: Contact) -> HttpResponseBase:
        messages.warning(
            request, _("Others keep changing this contact just now. Nothing was done; try again.")
        )
        return HttpResponseRedirect(self.page_of(contact))

    def unmerge(self, request: HttpRequest, contact_id: int, merge_id: int) -> HttpResponseBase:
        """Ask, then make the former contact again."""
        contact = self.contact_for(request, contact_id, "contacts.merge_contact")
        merge = Merge.objects.filter(pk=merge_id, winner_id=contact.pk, undone_at=None).first()
        if merge is None:
            raise Http404
        former = timeline_words.former_name(merge)
        if request.method == "POST":
            try:
                again = undo(merge.pk, clock.now())
            except NotUndoableError as error:
                messages.warning(request, str(error))
            except ContendedTooLong:
                return self._contended(request, contact)
            else:
                pulse.wake("segments")
                self.log_change(request, contact, f"Undid the merge with {former} (contact {again})")
                messages.success(request, _("%s is a contact again.") % former)
            return HttpResponseRedirect(self.page_of(contact))
        return self.ask(
            request,
            contact,
            title=_("Undo the merge with %s") % former,
            form=forms.Form(),
            note=_(
                "The former contact comes back with its identifiers, history, consents and segments, and"
                " takes back what it brought to the profile. What happened since stays here."
            ),
            button=_("Undo the merge"),
            danger=True,
        )


def _named(shown: Comparison) -> list[tuple[str, str]]:
    """What would come along, as people call it."""
    names: dict[str, Any] = {
        model._meta.db_table: model._meta.verbose_name_plural for model in apps.get_models()
    }
    most = merging_by_hand.COUNTED_TO
    return sorted(
        (str(names.get(table, table)), f"{most:,}+" if count > most else f"{count:,}")
        for table, count in shown.moves.items()
    )
