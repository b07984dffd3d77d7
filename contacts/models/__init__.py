"""Tables of contacts: who they are, what they did, what they allow."""

from contacts.models.api import ApiKey, KeptAnswer
from contacts.models.auditing import Breach, PromiseState
from contacts.models.consent import ConsentEntry, ConsentRequest, ConsentState, Suppression
from contacts.models.consent_terms import ConsentAnchor, ConsentCheck, Purpose, TrackingRule, Wording
from contacts.models.contact import ChannelAddress, Contact, Identifier, IdentityVersion, Merge
from contacts.models.event import Cursor, Event, OnceKey
from contacts.models.exchange import Export, ExportDownload, Import, ImportedContact, RejectedLine
from contacts.models.merge_rule import MergeRule
from contacts.models.plan import LatestArrival, PlannedEvent, PlanViolation, SeenEvent
from contacts.models.prediction import Prediction
from contacts.models.privacy import (
    PrivacyEntry,
    PrivacyFile,
    PrivacyPolicy,
    PrivacyRequest,
    RetentionPeriod,
    Tombstone,
)
from contacts.models.segment import Segment, SegmentDay, SegmentMembership, SegmentVersion
from contacts.models.source import DeadLetter, InboxItem, Source, SourceCount, SourceKey

__all__ = [
    "ApiKey",
    "Breach",
    "ChannelAddress",
    "ConsentAnchor",
    "ConsentCheck",
    "ConsentEntry",
    "ConsentRequest",
    "ConsentState",
    "Contact",
    "Cursor",
    "DeadLetter",
    "Event",
    "Export",
    "ExportDownload",
    "Identifier",
    "IdentityVersion",
    "Import",
    "ImportedContact",
    "InboxItem",
    "KeptAnswer",
    "LatestArrival",
    "Merge",
    "MergeRule",
    "OnceKey",
    "PlanViolation",
    "PlannedEvent",
    "Prediction",
    "PrivacyEntry",
    "PrivacyFile",
    "PrivacyPolicy",
    "PrivacyRequest",
    "PromiseState",
    "Purpose",
    "RejectedLine",
    "RetentionPeriod",
    "SeenEvent",
    "Segment",
    "SegmentDay",
    "SegmentMembership",
    "SegmentVersion",
    "Source",
    "SourceCount",
    "SourceKey",
    "Suppression",
    "Tombstone",
    "TrackingRule",
    "Wording",
]
