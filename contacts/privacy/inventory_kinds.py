"""The words of the inventory: kinds of data, legal bases, and what erasure may do with a row."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from django.utils.translation import gettext_lazy as _


class Kind(StrEnum):
    """What a column says about a person."""

    IDENTIFIER = "identifier"
    CONTACT = "contact"
    PROFILE = "profile"
    BEHAVIOUR = "behaviour"
    CONTENT = "content"
    INFERRED = "inferred"
    PROOF = "proof"
    TECHNICAL = "technical"


class Basis(StrEnum):
    """Why the law lets it be kept (GDPR art. 6)."""

    CONSENT = "consent"
    CONTRACT = "contract"
    OBLIGATION = "legal obligation"
    INTEREST = "legitimate interest"


class Act(StrEnum):
    """What erasure does with a person's rows."""

    DELETE = "delete"
    ANONYMISE = "anonymise"
    KEEP = "keep"


KIND_WORDS: dict[Kind, Any] = {
    Kind.IDENTIFIER: _("identifiers"),
    Kind.CONTACT: _("contact data"),
    Kind.PROFILE: _("profile"),
    Kind.BEHAVIOUR: _("behaviour"),
    Kind.CONTENT: _("content of messages"),
    Kind.INFERRED: _("inferred data"),
    Kind.PROOF: _("proof"),
    Kind.TECHNICAL: _("technical data"),
}
BASIS_WORDS: dict[Basis, Any] = {
    Basis.CONSENT: _("consent (art. 6.1.a)"),
    Basis.CONTRACT: _("contract (art. 6.1.b)"),
    Basis.OBLIGATION: _("legal obligation (art. 6.1.c)"),
    Basis.INTEREST: _("legitimate interest (art. 6.1.f)"),
}
ACT_WORDS: dict[Act, Any] = {
    Act.DELETE: _("deleted"),
    Act.ANONYMISE: _("made anonymous"),
    Act.KEEP: _("kept"),
}
