"""What this room keeps about people, table by table. Children before parents: so they are erased."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from contacts.privacy.inventory import LOOSE, OWN, Impersonal, Table
from contacts.privacy.inventory_kinds import Act, Basis, Kind

_OF_THEIR_MESSAGES = (
    "t.message_id IN (SELECT m.id FROM channels_message m"
    " WHERE m.contact_id = ANY(%(contacts)b::int8[]) AND m.slot = ANY(%(slots)b::int2[]))"
)
_TOTALS = "Figures of what was sent and came back stay right; the row names nobody."

PEOPLE: tuple[Table, ...] = (
    Table(
        "channels.Hit",
        {Kind.BEHAVIOUR: "kind data", Kind.TECHNICAL: "message_id link_id provider_id receipt_key"},
        find=_OF_THEIR_MESSAGES,
        heading=_("Opens and clicks that wait to be read"),
        retention="hits",
        since="received_at",
    ),
    Table(
        "channels.SandboxMessage",
        {
            Kind.CONTACT: "channel address",
            Kind.CONTENT: "subject text link packed_html headers",
            Kind.TECHNICAL: "account_id message_id",
        },
        find=f"{_OF_THEIR_MESSAGES} OR t.address = ANY(%(values)b::text[])",
        heading=_("Messages that a trial kept back"),
        retention="messages",
        since="received_at",
        left_out="packed_html headers",
    ),
    Table(
        "channels.Attempt",
        {Kind.TECHNICAL: "message_id provider_id number code detail", Kind.BEHAVIOUR: "outcome"},
        Act.ANONYMISE,
        find=_OF_THEIR_MESSAGES,
        change="detail = '', slot = 0",
        done="t.detail = '' AND t.slot = 0",
        why=_TOTALS,
        heading=_("Tries to deliver messages to you"),
        retention="messages",
        since="started_at",
    ),
    Table(
        "channels.Receipt",
        {Kind.BEHAVIOUR: "kind actor detail", Kind.TECHNICAL: "message_id provider_id link_id"},
        Act.ANONYMISE,
        change=f"{LOOSE}, detail = '{{}}'",
        why=_TOTALS,
        heading=_("What came back about messages to you"),
        retention="messages",
        since="received_at",
    ),
    Table(
        "channels.InAppMessage",
        {
            Kind.CONTENT: "title text link image button place pages survey",
            Kind.TECHNICAL: "key message_id account_id importance",
        },
        heading=_("Messages that wait for you on our website or in our app"),
        retention="messages",
        since="created_at",
        left_out="pages survey",
    ),
    Table(
        "channels.SurveyAnswer",
        {
            Kind.CONTENT: "answer text",
            Kind.BEHAVIOUR: "score channel journey step",
            Kind.TECHNICAL: "survey_id number key",
        },
        heading=_("What you answered when we asked you"),
        retention="messages",
        since="answered_at",
    ),
    Table(
        "channels.CallTask",
        {
            Kind.BEHAVIOUR: "state outcome note tries",
            Kind.TECHNICAL: "account_id audience_id agent_id",
        },
        heading=_("Calls that we were to make to you, and how they ended"),
        retention="messages",
        since="created_at",
    ),
    Table(
        "channels.LastOpen",
        {},
        heading=_("The day on which you last opened a message"),
    ),
    Table(
        "channels.Decision",
        {
            Kind.BEHAVIOUR: "outcome channel reason trace facts",
            Kind.TECHNICAL: "message_id charter_number origin_kind origin_id",
        },
        Act.ANONYMISE,
        change=f"{LOOSE}, trace = '[]', facts = NULL",
        why=_TOTALS,
        heading=_("What was decided about messages to you, and why"),
        retention="messages",
        since="decided_at",
        # The trace says the same in words.
        left_out="facts",
    ),
    Table(
        "channels.Message",
        {
            Kind.CONTACT: "address channel",
            Kind.CONTENT: "content variables purpose tags",
            Kind.BEHAVIOUR: "state reason held_since",
            Kind.TECHNICAL: "key origin_kind origin_id origin_version origin_run origin_step origin_slug"
            " transactional wanted priority value conditions on_hold provider_id fence attempts"
            " provider_message_id smart_channel",
        },
        Act.ANONYMISE,
        change=f"{LOOSE}, address = '', variables = '{{}}', conditions = NULL, provider_message_id = '',"
        " key = gen_random_uuid(), origin_run = NULL, lease_until = NULL, due_at = NULL,"
        " transactional = t.transactional AND t.state NOT IN (5, 11),"
        " state = CASE WHEN t.state IN (1, 2, 3, 4) THEN 9 WHEN t.state = 5 THEN 11 ELSE t.state END",
        why=_TOTALS,
        # A worker that has claimed one finds that it is no longer its own; one that is being handed over
        # may leave, and is waited for.
        stop="UPDATE channels_message t SET state = 9, due_at = NULL, reason = 'erased'"
        f" WHERE {OWN} AND t.state IN (1, 2, 3, 4)",
        busy="t.state = 5",
        heading=_("Messages to you"),
        retention="messages",
        since="created_at",
    ),
    Table(
        "channels.AudienceMember",
        {Kind.INFERRED: "state reason audience_id"},
        basis=Basis.CONSENT,
        # The destinations know people by digests of their addresses; these are kept until they are told.
        first="INSERT INTO channels_audiencedeparture (audience_id, email_sha256, phone_sha256,"
        " digits_sha256, wanted_at)"
        " SELECT t.audience_id, CASE WHEN c.email = '' THEN ''"
        " ELSE encode(sha256(convert_to(lower(trim(c.email)), 'UTF8')), 'hex') END,"
        " CASE WHEN c.phone = '' THEN ''"
        " ELSE encode(sha256(convert_to(regexp_replace(c.phone, '[^0-9+]', '', 'g'), 'UTF8')), 'hex') END,"
        " CASE WHEN c.phone = '' THEN ''"
        " ELSE encode(sha256(convert_to(regexp_replace(c.phone, '[^0-9]', '', 'g'), 'UTF8')), 'hex') END,"
        " %(now)b FROM channels_audiencemember t JOIN contacts_contact c ON c.id = t.contact_id"
        f" WHERE {OWN} AND t.state <> 'out' AND (c.email <> '' OR c.phone <> '')",
        heading=_("Audiences elsewhere that you are in"),
    ),
)

IMPERSONAL: tuple[Impersonal, ...] = (
    Impersonal("channels.Audience", "a list's name and destination"),
    Impersonal("channels.AudienceDeparture", "digests that a destination still has to be told to remove"),
    Impersonal("channels.HitSpool", "how far files of hits were taken in"),
    Impersonal("channels.EngagementTotal", "opens and clicks that are kept on nobody"),
    Impersonal("channels.DecisionTotal", "how many messages were held or dropped a day, and why"),
    Impersonal("channels.CharterRequest", "what the team asked of itself"),
    Impersonal("channels.BestSeller", "products that many people bought"),
    Impersonal("channels.ContentBlock", "texts that are the same for everybody"),
    Impersonal("channels.BlockVersion", "texts that are the same for everybody"),
    Impersonal("channels.ContentTest", "which templates stand for another one"),
    Impersonal("channels.DataFeed", "what another server says to everybody"),
    Impersonal("channels.CharterVersion", "rules of pressure, and who on the team wrote them"),
    Impersonal("channels.ProviderAccount", "settings and sealed secrets of providers"),
    Impersonal("channels.Flow", "speed and failures of accounts and receiving domains, addresses taken out"),
    Impersonal("channels.TrackedLink", "addresses of pages, shared by all messages"),
    Impersonal("channels.Survey", "questions that are the same for everybody"),
    Impersonal("channels.SurveyVersion", "questions that are the same for everybody"),
    Impersonal("channels.Template", "texts that are the same for everybody"),
    Impersonal("channels.TemplateVersion", "texts that are the same for everybody"),
)
