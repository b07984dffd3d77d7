"""What stands beside a draft, however it is written: previews, findings, tests, the languages."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from unfold.admin import ModelAdmin

from channels import charter, drafting, link_checking, previewing, rendering_lint, template_words, trying
from channels.addresses import AddressError
from channels.link_checking import Checked
from channels.models import DataFeed, Template, TemplateVersion
from channels.providers.base import NotReadyError
from channels.rendering_lint import Known
from channels.rendering_liquid import TemplateError
from channels.trying import NotTriedError
from contacts import clock
from contacts.models import Contact

LANGUAGES = [("en", _("English")), ("fr", _("French")), ("de", _("German")), ("es", _("Spanish")),
             ("it", _("Italian")), ("nl", _("Dutch")), ("pt", _("Portuguese"))]  # fmt: skip


def language_of(request: HttpRequest) -> str:
    """The language that is worked on."""
    asked = request.GET.get("language", "")
    return asked if asked in dict(LANGUAGES) else "en"


def tabs(present: set[str], current: str) -> list[dict[str, Any]]:
    """The languages to choose from; ``present`` are those in which something is written."""
    return [
        {"code": code, "name": name, "is_present": code in present, "is_current": code == current}
        for code, name in LANGUAGES
    ]


def beside(request: HttpRequest, template: Template, version: TemplateVersion) -> dict[str, Any]:
    """What channels/template_beside.html shows of a draft."""
    contact_words = request.GET.get("contact", "")
    shown = version if version.pk else drafting.latest(template, version.language)
    return {
        "template": template,
        "version": version,
        "language": version.language,
        "shown": shown,
        "findings": findings(version) if version.body else [],
        "links": _links(request, shown),
        "look": {"phone": "phone" in request.GET, "dark": "dark" in request.GET},
        "samples": Contact.objects.filter(known=True).order_by("-id")[:3],
        "may_try": template.channel in trying.CHANNELS,
        "contact_words": contact_words,
        "contact": previewing.find(contact_words),
    }


def findings(version: TemplateVersion) -> list[rendering_lint.Finding]:
    return rendering_lint.lint_version(version, charter.current(clock.now()), _known())


def told(finding: rendering_lint.Finding) -> str:
    """A finding on one line, with its place."""
    place = _("%(part)s, line %(line)d") if finding.line else "%(part)s"
    return f"{place % {'part': finding.part, 'line': finding.line}}: {finding.message}"


def save(admin: ModelAdmin, request: HttpRequest, version: TemplateVersion) -> str:
    """Keep a draft and do what was asked with it, told in messages; the address of where to go on, if any."""
    drafting.save(version, request.user)  # type: ignore[arg-type]
    if "publish" in request.POST:
        return reverse("admin:channels_template_publish", args=[version.template_id, version.pk])
    if "try" in request.POST:
        _try(admin, request, version)
    elif "test" in request.POST:
        try:
            previewing.send_to_sandbox(version, previewing.find(request.POST.get("contact", "")), clock.now())
        except TemplateError as error:
            messages.error(request, _("Not sent: %s") % error)
        else:
            messages.success(request, _("Saved, and a test is in the sandbox outbox."))
    else:
        messages.success(request, _("The draft is saved."))
    return ""


def _try(admin: ModelAdmin, request: HttpRequest, version: TemplateVersion) -> None:
    """Send it to the address that was named, and say what the provider said."""
    contact = previewing.find(request.POST.get("contact", ""))
    try:
        result = trying.send(version, contact, request.POST.get("address", ""), clock.now())
    except (NotTriedError, NotReadyError, AddressError, TemplateError) as error:
        messages.error(request, _("Not sent: %s") % error)
        return
    admin.log_change(request, version.template, "sent a test to an address")
    if result.outcome == "accepted":
        messages.success(request, _("Saved, and the provider has taken the test."))
    else:
        messages.error(request, _("Not sent: %s") % (result.detail or result.code or result.outcome))


def _links(request: HttpRequest, version: TemplateVersion | None) -> list[Checked] | None:
    """What came of the template's addresses, where somebody asked."""
    if "links" not in request.GET or version is None:
        return None
    try:
        letter = previewing.letter(version, previewing.find(request.GET.get("contact", "")), clock.now())
    except TemplateError:
        return []
    return link_checking.check(link_checking.addresses(letter, settings.SEGUE_BASE_URL))


def _known() -> Known:
    feeds = DataFeed.objects.filter(active=True).values_list("slug", flat=True)
    return Known(template_words.attributes(), frozenset(feeds))
