"""What an API key may be allowed to do, as one table: scope, its words, and the permission that equals it.

A person who is signed in needs the permission where a key needs the scope. A guarded scope may only be
given by somebody who holds its permission: whoever manages keys could otherwise reach further than they may.
"""

from typing import Any, NamedTuple

from django.utils.translation import gettext_lazy as _


class Scope(NamedTuple):
    words: Any
    permission: str
    guarded: bool = False


SCOPES: dict[str, Scope] = {
    "contacts:read": Scope(_("Read contacts, merges and attributes"), "contacts.view_contact"),
    "contacts:write": Scope(_("Create and change contacts"), "contacts.edit_contact"),
    "merges:write": Scope(_("Merge contacts and undo merges"), "contacts.merge_contact"),
    "events:read": Scope(_("Read what happened to contacts"), "contacts.view_event"),
    "events:write": Scope(_("Read and replay dead letters"), "contacts.change_deadletter"),
    "sources:read": Scope(_("Read sources and their counts"), "contacts.view_source"),
    "sources:write": Scope(
        _("Create and change sources, their keys and the tracking plan"),
        "contacts.change_source",
        guarded=True,
    ),
    "identity:read": Scope(_("Read the identity rules"), "contacts.view_identityversion"),
    "identity:write": Scope(_("Change the identity rules"), "contacts.add_identityversion", guarded=True),
    "suppressions:read": Scope(_("Read addresses not to write to"), "contacts.view_suppression"),
    "suppressions:write": Scope(_("Suppress addresses"), "contacts.add_suppression"),
    "suppressions:lift": Scope(
        _("Let suppressed addresses be written to again"), "contacts.delete_suppression", guarded=True
    ),
    "consents:read": Scope(_("Read consents and their history"), "contacts.view_consententry"),
    "consents:write": Scope(_("Record consents"), "contacts.add_consententry"),
    "segments:read": Scope(_("Read segments and who is in them"), "contacts.view_segment"),
    "segments:write": Scope(_("Create, change and delete segments"), "contacts.change_segment"),
    "imports:read": Scope(_("Follow imports"), "contacts.view_import"),
    "imports:write": Scope(_("Start imports"), "contacts.add_import"),
    "exports:read": Scope(_("Follow exports"), "contacts.view_export"),
    "exports:write": Scope(_("Take contacts along in files"), "contacts.add_export", guarded=True),
    "privacy:read": Scope(_("Follow requests of access and erasure"), "contacts.view_privacyrequest"),
    "privacy:write": Scope(_("Export and erase people"), "contacts.approve_privacyrequest", guarded=True),
    "journeys:read": Scope(_("Read journeys and runs"), "journeys.view_journey"),
    "journeys:write": Scope(_("Change journeys, start and end runs"), "journeys.change_journey"),
    "journeys:publish": Scope(
        _("Publish, pause, resume and stop journeys, mend runs"), "journeys.publish_journey", guarded=True
    ),
    "campaigns:read": Scope(_("Read campaigns and how they get on"), "journeys.view_campaign"),
    "campaigns:write": Scope(_("Write and change drafts of campaigns"), "journeys.change_campaign"),
    "campaigns:send": Scope(
        _("Schedule, pause, resume and cancel campaigns"), "journeys.send_campaign", guarded=True
    ),
    "backtests:write": Scope(_("Play journeys against the past"), "journeys.run_backtestrun"),
    "templates:read": Scope(_("Read templates, content blocks and content tests"), "channels.view_template"),
    "templates:write": Scope(
        _("Change drafts of templates, blocks and content tests"), "channels.change_template"
    ),
    "templates:publish": Scope(
        _("Publish templates and blocks, start and end content tests"),
        "channels.publish_template",
        guarded=True,
    ),
    "feeds:read": Scope(_("Read data feeds"), "channels.view_datafeed"),
    "feeds:write": Scope(
        _("Change data feeds and ask their servers"), "channels.change_datafeed", guarded=True
    ),
    "audiences:read": Scope(_("Read audiences and who is in them"), "channels.view_audience"),
    "audiences:write": Scope(
        _("Change audiences, put people in and take them out"), "channels.change_audience", guarded=True
    ),
    "calls:read": Scope(_("Read the call centre's lists"), "channels.view_calltask"),
    "calls:write": Scope(_("Take calls and say how they ended"), "channels.change_calltask"),
    "surveys:read": Scope(_("Read surveys and answers"), "channels.view_surveyanswer"),
    "surveys:write": Scope(_("Change surveys"), "channels.change_survey"),
    "surveys:publish": Scope(_("Publish surveys"), "channels.publish_survey", guarded=True),
    "charter:read": Scope(_("Read the charter and its versions"), "channels.view_charterversion"),
    "charter:write": Scope(_("Draft charters"), "channels.change_charterversion"),
    "charter:publish": Scope(_("Publish the charter"), "channels.publish_charterversion", guarded=True),
    "messages:read": Scope(_("Read messages and decisions"), "channels.view_message"),
    "messages:write": Scope(_("Ask for messages"), "channels.add_message"),
    "messages:settle": Scope(
        _("Say what became of uncertain messages"), "channels.change_message", guarded=True
    ),
    "providers:read": Scope(_("Read how provider accounts are doing"), "channels.view_provideraccount"),
    "providers:write": Scope(
        _("Pause, resume and try provider accounts"), "channels.change_provideraccount", guarded=True
    ),
    "promises:read": Scope(_("Read whether promises hold"), "contacts.view_promisestate"),
    "reports:read": Scope(_("Read figures"), "analytics.view_dailykpi"),
}
