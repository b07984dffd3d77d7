"""Back-office pages of contacts, a file for each noun."""

from contacts.admin import (
    api_keys,
    consent,
    consent_ledger,
    consent_terms,
    contacts,
    dead_letters,
    exports,
    identity_rules,
    imports,
    merges,
    plan,
    privacy,
    segments,
    sources,
)

__all__ = [
    "api_keys",
    "consent",
    "consent_ledger",
    "consent_terms",
    "contacts",
    "dead_letters",
    "exports",
    "identity_rules",
    "imports",
    "merges",
    "plan",
    "privacy",
    "segments",
    "sources",
]
