"""The privacy officer's desk: requests with their deadlines, what becomes of them, and the settings."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import F, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, StreamingHttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin
from unfold.decorators import display

from contacts import clock, pulse
from contacts.models import Contact, PrivacyPolicy, PrivacyRequest
from contacts.paging import CappedPaginator
from contacts.privacy import certifying, copying, erasing, requests, retention, tombstones
from contacts.privacy.inventory_kinds import ACT_WORDS
from contacts.privacy.requests import OPEN, Kind, NotPossibleError, State

_TONES = {
    State.ASKED: "warning",
    State.WAITING: "info",
    State.RUNNING: "info",
    State.DONE: "success",
    State.REFUSED: "danger",
    State.CANCELLED: "default",
}


class PolicyForm(forms.ModelForm):
    class Meta:
        model = PrivacyPolicy
        fields = ["wait_hours", "copy_days", "returning", "organisation", "address", "officer"]


@admin.register(PrivacyRequest)
class PrivacyRequestAdmin(ModelAdmin):
    list_display = ["asked_at", "what", "person", "shown_state", "shown_deadline", "origin"]
    list_display_links = ["asked_at", "what"]
    list_filter = ["state", "kind"]
    search_fields = ["names", "reference"]
    list_per_page = 50
    paginator = CappedPaginator
    show_full_result_count = False
    # What is open comes first, the nearest deadline on top.
    ordering = [F("settled_at").desc(nulls_first=True), "due_at", "-id"]

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view
        return [
            path("ask/<int:contact_id>/<str:kind>/", view(self.ask), name="contacts_privacy_ask"),
            path("<int:pk>/act/", view(self.act), name="contacts_privacy_act"),
            path("<int:pk>/copy/", view(self.copy), name="contacts_privacy_copy"),
            path("<int:pk>/certificate/", view(self.certificate), name="contacts_privacy_certificate"),
            path("retention/", view(self.retention), name="contacts_retention"),
            *super().get_urls(),
        ]

    @display(description=_("what"))
    def what(self, request: PrivacyRequest) -> str:
        return str(request.get_kind_display())

    @display(description=_("person"))
    def person(self, request: PrivacyRequest) -> str:
        return request.names or gettext("no longer known")

    @display(description=_("state"), label={str(tone): tone for tone in set(_TONES.values())})
    def shown_state(self, request: PrivacyRequest) -> tuple[str, str]:
        return _TONES[State(request.state)], str(request.get_state_display())

    @display(description=_("deadline"), ordering="due_at")
    def shown_deadline(self, request: PrivacyRequest) -> str:
        if request.state not in OPEN:
            return "–"
        days = (request.due_at - clock.now()).days
        return gettext("%d days left") % days if days >= 0 else gettext("%d days late") % -days

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        found = self._found(request, int(object_id) if object_id.isdigit() else 0)
        contact = Contact.objects.filter(pk=found.contact_id).first() if found.contact_id else None
        erases = found.kind == Kind.ERASURE
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": str(found),
            "original": found,
            "asked": found,
            "contact": contact,
            "late": found.state in OPEN and found.due_at < clock.now(),
            "rows": _rows(erasing.preview(contact, clock.now()))
            if erases and contact and _open(found)
            else [],
            "entries": list(found.entries.all()),
            "may_decide": request.user.has_perm("contacts.approve_privacyrequest"),
            "may_call_off": found.state in (State.ASKED, State.WAITING),
            "phrase": _phrase(contact) if contact else "",
            "has_copy": found.kind == Kind.ACCESS and found.pieces.exists(),
            "has_certificate": erases and found.state == State.DONE,
            "policy": tombstones.policy(),
        }
        return TemplateResponse(request, "contacts/privacy/request.html", context)

    def ask(self, request: HttpRequest, contact_id: int, kind: str) -> HttpResponse:
        """Ask on somebody's behalf. An erasure shows what would go and wants the address typed."""
        contact = Contact.objects.filter(pk=contact_id).first()
        if contact is None or kind not in Kind.values:
            raise Http404
        if not self.has_add_permission(request):
            raise PermissionDenied
        phrase, wrong = _phrase(contact), False
        if request.method == "POST":
            typed = request.POST.get("typed", "").strip().lower()
            wrong = kind == Kind.ERASURE and typed != phrase.lower()
            if not wrong:
                return self._file(request, contact, Kind(kind))
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": Kind(kind).label,
            "contact": contact,
            "kind": kind,
            "phrase": phrase,
            "wrong": wrong,
            "rows": _rows(erasing.preview(contact, clock.now())) if kind == Kind.ERASURE else [],
            "policy": tombstones.policy(),
            "back": reverse("admin:contacts_contact_change", args=[contact.pk]),
        }
        return TemplateResponse(request, "contacts/privacy/ask.html", context)

    def _file(self, request: HttpRequest, contact: Contact, kind: Kind) -> HttpResponse:
        filed = requests.ask(
            contact,
            kind,
            clock.now(),
            origin="staff",
            by=request.user.get_username(),
            language="fr" if contact.language.startswith("fr") else "en",
            note=request.POST.get("note", ""),
        )
        self.log_addition(request, filed, f"Asked for {kind}")
        messages.success(request, gettext("Filed. A privacy officer decides about it at this desk."))
        return HttpResponseRedirect(reverse("admin:contacts_privacyrequest_change", args=[filed.pk]))

    def act(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Approve, refuse or call off, by POST."""
        found = self._found(request, pk)
        page = reverse("admin:contacts_privacyrequest_change", args=[pk])
        wanted, by, now = request.POST.get("act", ""), request.user.get_username(), clock.now()
        decides = request.user.has_perm("contacts.approve_privacyrequest")
        if request.method != "POST" or wanted not in ("approve", "refuse", "call_off"):
            return HttpResponse(status=405)
        if not (decides or (wanted == "call_off" and self.has_change_permission(request))):
            raise PermissionDenied
        reason = request.POST.get("reason", "").strip()
        if wanted == "refuse" and not reason:
            messages.error(request, gettext("A refusal needs its reason: the person is told."))
            return HttpResponseRedirect(page)
        try:
            if wanted == "approve":
                requests.approve(found, now, by)
            elif wanted == "refuse":
                requests.refuse(found, now, by, reason)
            else:
                requests.call_off(found, now, by)
        except NotPossibleError as error:
            messages.error(request, gettext("Not possible any more: %s") % error)
        else:
            self.log_change(request, found, f"Decided: {wanted}")
            pulse.wake("privacy")
            messages.success(request, gettext("Done."))
        return HttpResponseRedirect(page)

    def copy(self, request: HttpRequest, pk: int) -> HttpResponse | StreamingHttpResponse:
        """The archive made for the person."""
        found = self._found(request, pk)
        if not request.user.has_perm("contacts.approve_privacyrequest"):
            raise PermissionDenied
        if not found.pieces.exists():
            raise Http404
        requests.note_down(found, clock.now(), request.user.get_username(), "copy fetched")
        self.log_change(request, found, "Fetched the copy")
        return copying.answer(found)

    def certificate(self, request: HttpRequest, pk: int) -> HttpResponse:
        """The certificate of an erasure, to print or as text."""
        found = self._found(request, pk)
        if found.kind != Kind.ERASURE or found.state != State.DONE:
            raise Http404
        if request.GET.get("as") == "text":
            answer = HttpResponse(certifying.text(found), content_type="text/plain; charset=utf-8")
            answer["Content-Disposition"] = f'attachment; filename="erasure-{found.reference}.txt"'
            return answer
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": gettext("Certificate of erasure"),
            "asked": found,
            "stated": certifying.stated(found),
        }
        return TemplateResponse(request, "contacts/privacy/certificate.html", context)

    def retention(self, request: HttpRequest) -> HttpResponse:
        """How long things are kept: what would go is shown before it is saved."""
        if not request.user.has_perm("contacts.view_retentionperiod"):
            raise PermissionDenied
        may, now = request.user.has_perm("contacts.change_retentionperiod"), clock.now()
        faults: dict[str, str] = {}
        wanted: dict[str, int | None] = retention.settings()
        previews: dict[str, list[retention.Doomed]] = {}
        form = PolicyForm(request.POST or None, instance=tombstones.policy())
        if request.method == "POST":
            if not may:
                raise PermissionDenied
            wanted, faults = _periods(request.POST)
            if "preview" in request.POST:
                previews = {name: retention.preview(name, days, now) for name, days in wanted.items() if days}
            elif not faults and form.is_valid():
                return self._save(request, wanted, form)
        rows = [
            (period, wanted.get(name), faults.get(name, ""), previews.get(name))
            for name, period in retention.PERIODS.items()
        ]
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": gettext("Retention"),
            "rows": rows,
            "form": form,
            "may": may,
            "previewed": bool(previews),
        }
        return TemplateResponse(request, "contacts/privacy/retention.html", context)

    def _save(self, request: HttpRequest, wanted: dict[str, int | None], form: PolicyForm) -> HttpResponse:
        now, before = clock.now(), retention.settings()
        changed = {name: days for name, days in wanted.items() if days != before[name]}
        for name, days in changed.items():
            retention.save(name, days, now)
        policy = form.save()
        said = ", ".join(f"{name}: {before[name]} → {days}" for name, days in changed.items())
        self.log_change(request, policy, f"Retention {said}" if said else "Privacy policy")
        messages.success(request, gettext("Saved. The next hourly round lets go what is older."))
        return HttpResponseRedirect(reverse("admin:contacts_retention"))

    def _found(self, request: HttpRequest, pk: int) -> PrivacyRequest:
        found = PrivacyRequest.objects.filter(pk=pk).first()
        if found is None:
            raise Http404
        if not self.has_view_permission(request, found):
            raise PermissionDenied
        return found

    def get_queryset(self, request: HttpRequest) -> QuerySet[PrivacyRequest]:
        return super().get_queryset(request).defer("certificate")  # type: ignore[no-any-return]

    # Requests are proof: they are answered, never deleted.
    def has_delete_permission(self, request: HttpRequest, obj: PrivacyRequest | None = None) -> bool:
        return False

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        messages.info(request, gettext("Pick the person: their page files a request for them."))
        return HttpResponseRedirect(reverse("admin:contacts_contact_changelist"))


def _open(request: PrivacyRequest) -> bool:
    return request.state in (State.ASKED, State.WAITING)


def _phrase(contact: Contact) -> str:
    """What has to be typed: something of the person that nobody types by mistake."""
    return contact.email or contact.phone or str(contact.public_id)[:8]


def _rows(found: list[Any]) -> list[tuple[str, int, str]]:
    return [(table.title, count, str(ACT_WORDS[table.act])) for table, count in found]


def _periods(posted: Any) -> tuple[dict[str, int | None], dict[str, str]]:
    wanted: dict[str, int | None] = {}
    faults: dict[str, str] = {}
    for name, period in retention.PERIODS.items():
        text = posted.get(name, "").strip()
        if not text:
            wanted[name] = None
        elif not text.isdigit() or not period.least <= int(text) <= 36_500:
            faults[name] = gettext("A number of days, at least %d.") % period.least
            wanted[name] = retention.days(name)
        else:
            wanted[name] = int(text)
    return wanted, faults
