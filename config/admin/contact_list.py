"""The list of contacts as a page: search, filters, pages, and acts on those chosen or on all that match."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, time, timedelta
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import OperationalError, transaction
from django.db.models import QuerySet
from django.http import (
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    HttpResponseRedirect,
    QueryDict,
    StreamingHttpResponse,
)
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from config import timeline_names
from config.admin.contact_acts import ContactActs
from contacts import clock, consent, listing, segments
from contacts.exchange.guarding import guard
from contacts.listing import Asked
from contacts.models import Contact, Purpose, Segment, Suppression

MOST = 50_000
"Contacts that one act may take at once; more go by a segment or an export."
_CHUNK = 5_000
_EXPORTED = (
    "public_id", "email", "phone", "first_name", "last_name", "language", "timezone", "country", "known",
    "first_seen_at", "last_seen_at",
)  # fmt: skip
#: Acts on many: permission, word on the button, whether it is dangerous.
ACTS: dict[str, tuple[str, Any, bool]] = {
    "list": ("contacts.change_segment", _("Add to a list"), False),
    "unlist": ("contacts.change_segment", _("Take off a list"), False),
    "suppress": ("contacts.add_suppression", _("Suppress"), True),
    "export": ("contacts.export_contact", _("Export as CSV"), False),
}


class ListForm(forms.Form):
    """Filters of the list; days are days in UTC."""

    q = forms.CharField(
        label=_("Search"),
        required=False,
        max_length=100,
        widget=forms.TextInput(
            attrs={"type": "search", "placeholder": _("Email, phone, name or user id, or a part of it")}
        ),
    )
    segment = forms.ChoiceField(label=_("Segment"), required=False)
    reach = forms.ChoiceField(label=_("Reachable by"), required=False)
    consent = forms.ChoiceField(label=_("Consent"), required=False)
    known = forms.ChoiceField(
        label=_("Kind"),
        required=False,
        choices=[("", _("Any")), ("yes", _("Known")), ("no", _("Anonymous"))],
    )
    country = forms.CharField(
        label=_("Country"), required=False, max_length=2, widget=forms.TextInput(attrs={"placeholder": "FR"})
    )
    language = forms.CharField(
        label=_("Language"), required=False, max_length=8, widget=forms.TextInput(attrs={"placeholder": "fr"})
    )
    since = forms.DateField(
        label=_("Seen from"),
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )
    until = forms.DateField(
        label=_("Seen to"), required=False, widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")
    )

    def __init__(self, data: QueryDict) -> None:
        super().__init__(data)
        any_one = [("", _("Any"))]
        channels = [(one, timeline_names.channel_label(one)) for one in consent.CHANNELS]
        purposes = list(Purpose.objects.filter(transactional=False).values_list("slug", "name"))
        said = [
            (f"{channel}:{slug}:{answer}", f"{label} · {name}: {word}")
            for channel, label in channels
            for slug, name in purposes
            for answer, word in (("in", gettext("allowed")), ("out", gettext("refused")))
        ]
        known = list(Segment.objects.order_by("name").values_list("slug", "name"))
        for name, choices in (("segment", known), ("reach", channels), ("consent", said)):
            self.fields[name].choices = any_one + choices  # type: ignore[attr-defined]

    def asked(self) -> Asked:
        """What can be read of it; what cannot is left out and shown as wrong by the form."""
        self.is_valid()
        given = self.cleaned_data
        return Asked(
            words=given.get("q", "").strip(),
            segment=given.get("segment", ""),
            reach=given.get("reach", ""),
            consent=given.get("consent", ""),
            known={"yes": True, "no": False}.get(given.get("known", "")),
            country=given.get("country", "").upper(),
            language=given.get("language", ""),
            since=_midnight(given["since"]) if given.get("since") else None,
            until=_midnight(given["until"] + timedelta(days=1)) if given.get("until") else None,
        )


class HandListForm(forms.Form):
    segment = forms.ModelChoiceField(
        Segment.objects.filter(kind=Segment.Kind.STATIC).order_by("name"), label=_("List"), empty_label=None
    )


class StopForm(forms.Form):
    channels = forms.MultipleChoiceField(
        label=_("Addresses"),
        choices=[("email", _("Email")), ("sms", _("SMS"))],
        widget=forms.CheckboxSelectMultiple,
    )
    note = forms.CharField(label=_("Why"), max_length=300)


def _midnight(day: Any) -> datetime:
    return datetime.combine(day, time(), tzinfo=UTC)


class ContactList(ContactActs):
    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponseBase:
        if not self.has_view_permission(request):
            raise PermissionDenied
        if request.method not in ("GET", "HEAD"):
            return HttpResponse(status=405)
        form = ListForm(request.GET)
        asked, now = form.asked(), clock.now()
        page, count, exact, slow = _read(request, asked, now)
        acts = [
            (name, label, danger)
            for name, (permission, label, danger) in ACTS.items()
            if request.user.has_perm(permission)
        ]
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": _("Contacts"),
            "crumbs": [(_("Contacts"), "")],
            "form": form,
            "asked": asked,
            "segment": Segment.objects.filter(slug=asked.segment).first() if asked.segment else None,
            "contacts": page.contacts,
            "count": count,
            "exact": exact,
            "slow": slow,
            "older": _link(request, below=page.older.text()) if page.older else "",
            "newer": _link(request, above=page.newer.text()) if page.newer else "",
            "first": _link(request),
            "first_page": not {"below", "above"} & request.GET.keys(),
            "query": _link(request).removeprefix("?"),
            "acts": acts,
            "narrowed": sum(bool(request.GET.get(name)) for name in form.fields if name != "q"),
            "now": now,
            **(extra_context or {}),
        }
        return TemplateResponse(request, "config/contacts.html", context)

    def bulk(self, request: HttpRequest) -> HttpResponseBase:
        """Say how many an act would take, ask, then do it."""
        page = reverse("admin:contacts_contact_changelist")
        act = request.POST.get("act", "")
        if request.method != "POST" or act not in ACTS:
            return HttpResponseRedirect(page)
        permission, label, danger = ACTS[act]
        if not self.has_view_permission(request) or not request.user.has_perm(permission):
            raise PermissionDenied
        query = QueryDict(request.POST.get("query", "")[:2000])
        back = f"{page}?{query.urlencode()}"
        ids = _chosen(request, query)
        if not ids or len(ids) > MOST:
            said = _("Nobody is chosen.") if not ids else _("More than %d at once: filter further.") % MOST
            messages.warning(request, said)
            return HttpResponseRedirect(back)
        form = _form(act, request.POST if "confirmed" in request.POST else None)
        if "confirmed" in request.POST and (form is None or form.is_valid()):
            return self._do(request, act, ids, form, back)
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": label,
            "act": act,
            "danger": danger,
            "count": len(ids),
            "sample": Contact.objects.filter(pk__in=ids[:8]).order_by("-last_seen_at", "-id"),
            "form": form,
            "possible": form is None or act == "suppress" or form.fields["segment"].queryset.exists(),  # type: ignore[attr-defined]
            "chosen": [] if request.POST.get("which") == "all" else ids,
            "which": request.POST.get("which", ""),
            "query": query.urlencode(),
            "back": back,
        }
        return TemplateResponse(request, "config/contacts_bulk.html", context)

    def _do(
        self, request: HttpRequest, act: str, ids: list[int], form: forms.Form | None, back: str
    ) -> HttpResponseBase:
        now = clock.now()
        if act == "export":
            self.log_bulk(request, f"Exported {len(ids)} contacts")
            return _as_csv(ids, now)
        given = form.cleaned_data if form else {}
        if act == "suppress":
            count = _suppress(ids, given["channels"], given["note"], now)
            self.log_bulk(request, f"Suppressed {count} addresses of {len(ids)} contacts: {given['note']}")
            messages.success(request, _("%d addresses will not be written to any more.") % count)
            return HttpResponseRedirect(back)
        segment, change = given["segment"], segments.add if act == "list" else segments.remove
        count = sum(change(segment, chunk, now) for chunk in _chunks(ids))
        said = _("%(count)d contacts are new on %(list)s.") if act == "list" else _(
            "%(count)d contacts were taken off %(list)s."
        )  # fmt: skip
        self.log_change(request, segment, f"{'Added' if act == 'list' else 'Removed'} {count} contacts")
        messages.success(request, said % {"count": count, "list": segment.name})
        return HttpResponseRedirect(back)

    def log_bulk(self, request: HttpRequest, said: str) -> None:
        """An entry of the history that is about no single contact."""
        self.log_change(request, Contact(pk=0, first_name=gettext("many contacts")), said)


def _read(request: HttpRequest, asked: Asked, now: datetime) -> tuple[listing.Page, int, bool, bool]:
    """A page, about how many there are, whether that is exact, and whether it took too long to find out."""
    try:
        with transaction.atomic():
            rows = listing.matching(asked, now)
            page = listing.read(
                rows,
                below=listing.mark_from(request.GET.get("below", "")),
                above=listing.mark_from(request.GET.get("above", "")),
            )
            return page, *listing.size(asked, rows, page), False
    except OperationalError:
        return listing.Page([]), 0, True, True


def _chosen(request: HttpRequest, query: QueryDict) -> list[int]:
    """Ids of those ticked, or of all that match, MOST and one more at most."""
    if request.POST.get("which") == "all":
        rows: QuerySet[Contact] = listing.matching(ListForm(query).asked(), clock.now())
        return list(rows.values_list("id", flat=True)[: MOST + 1])
    given = request.POST.getlist("contact")[: MOST + 1]
    return sorted({int(text) for text in given if text.isdecimal() and len(text) < 19})


def _form(act: str, data: QueryDict | None) -> forms.Form | None:
    if act == "export":
        return None
    return StopForm(data) if act == "suppress" else HandListForm(data)


def _chunks(ids: Iterable[int]) -> Iterator[list[int]]:
    rest = list(ids)
    return (rest[start : start + _CHUNK] for start in range(0, len(rest), _CHUNK))


def _suppress(ids: list[int], channels: list[str], note: str, now: datetime) -> int:
    count = 0
    for chunk in _chunks(ids):
        rows = Contact.objects.filter(pk__in=chunk).values_list("email", "phone")
        own = [{"email": email, "sms": phone} for email, phone in rows]
        pairs = [(channel, addresses[channel]) for addresses in own for channel in channels]
        count += len(consent.suppress(pairs, Suppression.Reason.MANUAL, now, note=note))
    return count


class _Line:
    """What csv writes to: it hands each line back."""

    def write(self, text: str) -> str:
        return text


def _as_csv(ids: list[int], now: datetime) -> StreamingHttpResponse:
    writer = csv.writer(_Line())

    def lines() -> Iterator[str]:
        yield "\ufeff" + str(writer.writerow(_EXPORTED))
        for chunk in _chunks(ids):
            for row in Contact.objects.filter(pk__in=chunk).order_by("id").values_list(*_EXPORTED):
                yield str(writer.writerow([guard("" if cell is None else str(cell)) for cell in row]))

    answer = StreamingHttpResponse(lines(), content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="contacts-{now:%Y-%m-%d}.csv"'
    return answer


def _link(request: HttpRequest, **changes: str) -> str:
    """The list's address at another place; filters of now stay."""
    query = request.GET.copy()
    for name in ("below", "above"):
        query.pop(name, None)
    for name, value in changes.items():
        query[name] = value
    for name in [name for name, value in query.items() if not value]:
        del query[name]
    return f"?{query.urlencode()}"
