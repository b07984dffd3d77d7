"""What this room keeps about people, table by table. Children before parents: so they are erased."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from contacts.exchange import withdrawing
from contacts.privacy.inventory import LOOSE, OWN, Impersonal, Place, Table
from contacts.privacy.inventory_kinds import Act, Basis, Kind

# What no check ever saw is searched as text: quoted as JSON quotes a value, phones by their last digits.
_IN_TEXT = (
    "EXISTS (SELECT FROM unnest(%(needles)b::text[]) AS n WHERE strpos(lower(t.payload), n) > 0)"
    " OR EXISTS (SELECT FROM unnest(%(digits)b::text[]) AS n"
    " WHERE strpos(regexp_replace(t.payload, '[^0-9]+', '', 'g'), n) > 0)"
)

PEOPLE: tuple[Table, ...] = (
    Table(
        "contacts.Event",
        {Kind.BEHAVIOUR: "kind name properties context", Kind.TECHNICAL: "lane source_id message_id"},
        find="t.contact_id = ANY(%(contacts)b::int8[])",
        heading=_("What you did"),
        retention="events",
        # Read to its end first, so that a day's totals count what happened until then.
        busy="EXISTS (SELECT FROM contacts_cursor c WHERE c.lane = t.lane"
        " AND (c.xid::text::xid8, c.event_id) < (t.xid, t.id))",
        since="occurred_at",
    ),
    Table(
        "contacts.SegmentMembership",
        {Kind.INFERRED: "segment_id"},
        first="UPDATE contacts_segment s SET size = greatest(s.size - o.gone, 0) FROM ("
        "SELECT t.segment_id, count(*) AS gone FROM contacts_segmentmembership t"
        f" WHERE {OWN} GROUP BY t.segment_id) AS o WHERE s.id = o.segment_id",
        heading=_("Groups you belong to"),
    ),
    Table(
        "contacts.Prediction",
        {Kind.INFERRED: "name number value reason"},
        heading=_("What was inferred about you"),
        retention="predictions",
        since="computed_at",
    ),
    Table(
        "contacts.ConsentState",
        {Kind.PROOF: "channel purpose allowed why", Kind.TECHNICAL: "entry_id settled"},
        basis=Basis.OBLIGATION,
        heading=_("What you allow now"),
    ),
    Table(
        "contacts.ConsentEntry",
        {
            Kind.PROOF: "channel purpose action basis wording origin proof",
            Kind.TECHNICAL: "chain seq salt personal previous digest anchor",
        },
        Act.ANONYMISE,
        # The chain covers a salted digest of the proof: without salt nobody can tell what it was.
        change=f"{LOOSE}, proof = '{{}}', salt = NULL",
        why="That somebody agreed or refused, and to which words, stays countable; who it was does not.",
        basis=Basis.OBLIGATION,
        heading=_("What you agreed to and refused"),
        retention="forever",
    ),
    Table(
        "contacts.ConsentRequest",
        {Kind.PROOF: "channel purpose origin wording proof", Kind.TECHNICAL: "key mails"},
        basis=Basis.OBLIGATION,
        heading=_("What waits for your confirmation"),
    ),
    Table(
        "contacts.ChannelAddress",
        {Kind.CONTACT: "channel address", Kind.TECHNICAL: "data active"},
        basis=Basis.CONSENT,
        heading=_("Where you can be reached besides"),
    ),
    Table(
        "contacts.Suppression",
        {Kind.CONTACT: "channel address", Kind.PROOF: "reason note"},
        find="t.address = ANY(%(values)b::text[])",
        basis=Basis.OBLIGATION,
        heading=_("Addresses that are not written to"),
        retention="forever",
    ),
    Table(
        "contacts.Merge",
        {
            Kind.IDENTIFIER: "winner_id loser_id loser_public_id",
            Kind.PROFILE: "snapshot",
            Kind.TECHNICAL: "reason rules_version",
        },
        find="t.winner_id = ANY(%(contacts)b::int8[]) OR t.loser_id = ANY(%(contacts)b::int8[])",
        # Of an undone merge the other one is somebody else.
        copied="t.undone_at IS NULL",
        heading=_("Profiles that were joined into yours"),
        retention="contact",
    ),
    Table(
        "contacts.DeadLetter",
        {Kind.BEHAVIOUR: "payload", Kind.TECHNICAL: "code reason source_id server"},
        find=_IN_TEXT,
        heading=_("What arrived and could not be read"),
        retention="dead_letters",
        since="received_at",
    ),
    Table(
        "contacts.RejectedLine",
        {Kind.CONTACT: "cells", Kind.TECHNICAL: "import_id line code column"},
        find=_IN_TEXT.replace("t.payload", "t.cells::text"),
        heading=_("Lines of files that could not be read"),
        retention="imports",
    ),
    Table(
        "contacts.ImportedContact",
        {Kind.TECHNICAL: "import_id"},
        heading=_("The file that brought you"),
        retention="contact",
    ),
    Table(
        "contacts.KeptAnswer",
        {Kind.PROFILE: "body", Kind.TECHNICAL: "request_digest status"},
        find="EXISTS (SELECT FROM unnest(%(needles)b::text[]) AS n WHERE strpos(lower(t.body), n) > 0)"
        " OR EXISTS (SELECT FROM unnest(%(publics)b::uuid[]) AS p WHERE strpos(t.body, p::text) > 0)",
        heading=_("What programs were just answered about you"),
        retention="answers",
        since="answered_at",
    ),
    Table(
        "contacts.LatestArrival",
        {Kind.BEHAVIOUR: "call name who payload", Kind.TECHNICAL: "source_id outcome reason"},
        # ``who`` names "kind value" after "kind value", with commas between.
        find=f"{_IN_TEXT} OR EXISTS (SELECT FROM unnest(%(values)b::text[]) AS v"
        " WHERE strpos(', ' || t.who || ', ', ' ' || v || ', ') > 0)",
        heading=_("What arrived within the last hour"),
        retention="inbox",
    ),
    Table(
        "contacts.PlanViolation",
        {Kind.BEHAVIOUR: "example", Kind.TECHNICAL: "source_id event code property count message_id"},
        Act.ANONYMISE,
        find=_IN_TEXT.replace("t.payload", "t.example"),
        change="example = ''",
        why="That a sender differs from the plan, and how often, names nobody.",
        heading=_("Values that arrived in another form than expected"),
        retention="dead_letters",
    ),
    Table(
        "contacts.InboxItem",
        {Kind.BEHAVIOUR: "payload", Kind.TECHNICAL: "lane source_id rejection server"},
        Act.KEEP,
        find="false",
        why="Waits for some seconds; ingest drops what comes from an erased person (see the tombstones).",
        retention="inbox",
        heading=_("What is just arriving"),
    ),
    Table(
        "contacts.Identifier",
        {Kind.IDENTIFIER: "kind value", Kind.TECHNICAL: "origin"},
        heading=_("What you are recognised by"),
    ),
    Table(
        "contacts.Contact",
        {
            Kind.IDENTIFIER: "public_id",
            Kind.CONTACT: "email phone",
            Kind.PROFILE: "first_name last_name language timezone country attributes origins",
            Kind.INFERRED: "inferred",
            Kind.TECHNICAL: "known",
        },
        find="t.id = ANY(%(contacts)b::int8[])",
        heading=_("Your profile"),
    ),
    Table(
        "contacts.PrivacyRequest",
        {
            Kind.PROOF: "kind state origin language",
            Kind.TECHNICAL: "reference progress certificate note names size",
        },
        Act.ANONYMISE,
        change="note = '', names = ''",
        why="That a request was made and met is what the law asks to be shown.",
        basis=Basis.OBLIGATION,
        heading=_("Your requests"),
        retention="forever",
        swept=False,
    ),
    Table(
        "contacts.PrivacyEntry",
        {Kind.PROOF: "what detail by"},
        Act.KEEP,
        find="t.request_id IN (SELECT id FROM contacts_privacyrequest"
        " WHERE contact_id = ANY(%(contacts)b::int8[]))",
        why="That a request was made and met is what the law asks to be shown.",
        basis=Basis.OBLIGATION,
        heading=_("The history of your requests"),
        retention="forever",
    ),
    Table(
        "contacts.PrivacyFile",
        {Kind.TECHNICAL: "number data"},
        find="t.request_id IN (SELECT id FROM contacts_privacyrequest"
        " WHERE contact_id = ANY(%(contacts)b::int8[]))",
        heading=_("Copies made for you"),
        retention="copies",
        left_out="data",
    ),
    Table(
        "contacts.Tombstone",
        {Kind.IDENTIFIER: "key", Kind.TECHNICAL: "kind"},
        Act.KEEP,
        find="false",
        why="A keyed digest without which an erased person would come back with the next import.",
        basis=Basis.OBLIGATION,
        heading=_("Marks of erased people"),
        retention="forever",
    ),
)

IMPERSONAL: tuple[Impersonal, ...] = (
    Impersonal("contacts.PromiseState", "how often a promise was looked after"),
    Impersonal("contacts.Breach", "numbers of rows that are not as promised"),
    Impersonal("contacts.ApiKey", "digests of keys, and who on the team made them"),
    Impersonal("contacts.Purpose", "topics that can be allowed, the same for everybody"),
    Impersonal("contacts.Wording", "what people are asked, the same for everybody"),
    Impersonal("contacts.TrackingRule", "what holds in a country"),
    Impersonal("contacts.ConsentAnchor", "digests over many lines"),
    Impersonal("contacts.ConsentCheck", "numbers of lines that are not as they were written"),
    Impersonal("contacts.Cursor", "how far readers have read"),
    Impersonal("contacts.OnceKey", "digests of message ids, which name no person"),
    Impersonal("contacts.Segment", "a rule, not whom it holds for"),
    Impersonal("contacts.SegmentDay", "sums by day"),
    Impersonal("contacts.SegmentVersion", "a rule, and who on the team wrote it"),
    Impersonal("contacts.Source", "touchpoints"),
    Impersonal(
        "contacts.Import", "a file's name, its columns and counts; its lines lie in the file until it is done"
    ),
    Impersonal(
        "contacts.Export",
        "which columns were taken out and by whom; the file is withdrawn if it names an erased one",
    ),
    Impersonal("contacts.ExportDownload", "who on the team fetched a file, and when"),
    Impersonal("contacts.SourceKey", "digests of keys"),
    Impersonal("contacts.IdentityVersion", "settings, and who on the team made them"),
    Impersonal("contacts.PlannedEvent", "names and types that are expected of events"),
    Impersonal("contacts.SeenEvent", "names and types of events, and how often they came"),
    Impersonal("contacts.SourceCount", "counts by day"),
    Impersonal("contacts.RetentionPeriod", "settings"),
    Impersonal("contacts.PrivacyPolicy", "settings"),
)

PLACES: tuple[Place, ...] = (Place("files of exports", withdrawing.count, withdrawing.withdraw),)
