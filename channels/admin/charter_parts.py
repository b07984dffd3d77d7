"""A draft of the charter, edited rule by rule: a page for each, with a form that anybody can fill in."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from unfold.admin import ModelAdmin

from channels import charter, charter_editing, charter_rules, charter_words
from channels.admin.charter_forms import SECTIONS, Section
from channels.models import CharterVersion
from contacts import clock

_CHANGED = gettext_lazy("Somebody else changed this meanwhile: nothing was saved. Look at it again.")
_WORDS_OF = {"roles": "channels"}


def sections(version: CharterVersion) -> list[dict[str, Any]]:
    """The parts of a draft as its page lists them: title, sentences, and where each rule is edited."""
    try:
        words = charter_words.by_part(charter_rules.parse(version.rules))
    except charter_rules.CharterError:
        words = {}
    doubts = charter.lint(version.rules, clock.now())
    return [_section(version, section, words, doubts) for section in SECTIONS.values()]


def _section(
    version: CharterVersion,
    section: Section,
    words: dict[str, list[str]],
    doubts: list[charter_rules.Problem],
) -> dict[str, Any]:
    said = words.get(_WORDS_OF.get(section.name, section.name), [])
    if section.name == "channels":
        said = said[:1]
    elif section.name == "roles":
        said = said[1:]
    path = "channels.roles" if section.name == "roles" else section.name
    return {
        "name": section.name,
        "title": section.title,
        "add": section.add,
        "many": section.many,
        "rules": [
            {"words": line, "place": place, "edit": _address(version, section, place)}
            for place, line in enumerate(said)
        ]
        if section.many
        else [],
        "said": [] if section.many else said,
        "new": _address(version, section, None),
        "problems": [one for one in doubts if one.path == path or one.path.startswith(f"{path}.")],
    }


def _address(version: CharterVersion, section: Section, place: int | None) -> str:
    name = "admin:channels_charterversion_part"
    if not section.many:
        return reverse(name, args=[version.pk, section.name])
    return reverse(f"{name}_rule", args=[version.pk, section.name, "new" if place is None else place])


def edit(
    admin: ModelAdmin, request: HttpRequest, version: CharterVersion, name: str, rule: str = ""
) -> HttpResponse:
    """One part, or one rule of a list: shown, saved, or taken out."""
    section = SECTIONS.get(name)
    back = reverse("admin:channels_charterversion_change", args=[version.pk])
    if section is None or section.many != bool(rule):
        raise Http404
    if not admin.has_change_permission(request, version):
        raise PermissionDenied
    place = _place(version, section, rule)
    own = charter_editing.part(version.rules, name)
    shown = (own or [])[place] if place is not None else ({} if section.many else own or {})
    mark = charter_editing.mark(shown)
    if request.method == "POST" and request.POST.get("mark", mark) != mark:
        messages.error(request, _CHANGED)
        return HttpResponseRedirect(f"{back}#{name}")
    if request.method == "POST" and "remove" in request.POST and place is not None:
        _keep(admin, request, version, charter_editing.without_rule(version.rules, name, place), section)
        return HttpResponseRedirect(f"{back}#{name}")
    form = section.form(request.POST or None, rules=version.rules, initial=shown)
    if request.method == "POST" and form.is_valid():
        data = form.data_of()
        if section.many:
            rules = charter_editing.with_rule(version.rules, name, data, place)
        else:
            rules = charter_editing.with_part(version.rules, name, data)
        at = len(own or []) if section.many and place is None else place
        wrong = [one for one in charter_editing.problems(rules, name, at) if not one.warning]
        for problem in wrong:
            form.add_error(None, f"{problem.path}: {problem.message}")
        if not wrong:
            _keep(admin, request, version, rules, section)
            return HttpResponseRedirect(f"{back}#{name}")
    context = {
        **admin.admin_site.each_context(request),
        "title": section.title,
        "version": version,
        "form": form,
        "section": section,
        "place": place,
        "mark": mark,
        "back": back,
        "opts": admin.opts,
    }
    return TemplateResponse(request, "channels/charter_part.html", context)


def _place(version: CharterVersion, section: Section, rule: str) -> int | None:
    """The rule's place in its list; None for a new one, and for a part that is no list."""
    if rule in ("", "new"):
        return None
    own = charter_editing.part(version.rules, section.name) or []
    if not rule.isdecimal() or int(rule) >= len(own):
        raise Http404
    return int(rule)


def _keep(
    admin: ModelAdmin, request: HttpRequest, version: CharterVersion, rules: dict[str, Any], section: Section
) -> None:
    # Only a draft is written to, and only as it was read, whatever happened to it meanwhile.
    draft = CharterVersion.objects.filter(pk=version.pk, published_at=None)
    if not draft.filter(rules=version.rules).update(rules=rules):
        if not draft.exists():
            raise PermissionDenied
        messages.error(request, _CHANGED)
        return
    admin.log_change(request, version, f"Changed {section.name}")
    messages.success(request, _("Saved in the draft. Nothing changes before it is published."))
