"""What each column of a file means, guessed from its name and its values, and chosen by a person. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from datetime import UTC
from typing import Literal

import msgspec

from contacts import normalise
from contacts.exchange import cells
from contacts.exchange.cells import Unreadable

CONTACTS, EVENTS, SUPPRESSIONS = "contacts", "events", "suppressions"
#: Identifiers, strongest first, and the targets that bring them.
IDENTIFIERS = ("user_id", "email", "phone", "anonymous_id")
#: Targets that only one column may have, by what is imported.
SINGLE: dict[str, tuple[str, ...]] = {
    CONTACTS: (
        *IDENTIFIERS, "first_name", "last_name", "name", "language", "timezone", "country",
        "consent_at", "consent_proof", "consent_wording",
    ),
    EVENTS: (*IDENTIFIERS, "event", "time", "message_id"),
    SUPPRESSIONS: ("email", "phone", "note"),
}  # fmt: skip
#: Targets that are followed by a name of the person's own choice.
NAMED: dict[str, tuple[str, ...]] = {
    CONTACTS: ("attribute", "consent"),
    EVENTS: ("property",),
    SUPPRESSIONS: (),
}
KINDS = ("text", "number", "date", "time", "boolean")

_SYNONYMS = {
    "user_id": "user id|userid|customer id|client id|id client|identifiant|numero client|no client"
    "|external id|externalid|crm id|customer number|client number|id",
    "email": "email|e mail|mail|email address|adresse email|adresse mail|courriel"
    "|adresse e mail|adresse courriel",
    "phone": "phone|mobile|cell|telephone|tel|portable|phone number|mobile phone|numero de telephone|gsm"
    "|telephone portable|telephone mobile|msisdn|sms",
    "anonymous_id": "anonymous id|anonymousid|visitor id|cookie id|device id",
    "first_name": "first name|firstname|given name|forename|prenom",
    "last_name": "last name|lastname|surname|family name|nom|nom de famille",
    "name": "name|full name|fullname|nom complet|nom et prenom|contact",
    "language": "language|lang|locale|langue",
    "timezone": "timezone|time zone|fuseau horaire|fuseau|tz",
    "country": "country|country code|pays|code pays",
    "consent_at": "opt in date|optin date|consent date|date consentement|date optin|date opt in|subscribed at"
    "|confirmation time|optin time",
    "consent_proof": "consent proof|proof|preuve|preuve consentement|optin ip|consent ip",
    "consent_wording": "wording|consent wording|texte consentement|mention",
    "event": "event|event name|evenement|action|type",
    "time": "time|date|timestamp|occurred at|created at|event time|date evenement|order date"
    "|date commande|heure",
    "message_id": "message id|messageid|event id|order id|order number|numero commande|transaction id",
    "note": "note|reason|raison|motif|comment|commentaire",
}  # fmt: skip
_TARGETS = {word: target for target, words in _SYNONYMS.items() for word in words.split("|")}
_CONSENTS = {
    "email": "newsletter|email optin|email opt in|optin email|opt in email|email consent|consentement email"
    "|optin|opt in|marketing|accepts marketing|subscribed",
    "sms": "sms optin|sms opt in|optin sms|opt in sms|sms consent|consentement sms",
}
_WISHES = {word: channel for channel, words in _CONSENTS.items() for word in words.split("|")}
_NOT_A_WORD = re.compile(r"[^a-z0-9]+")
_KEY = re.compile(r"[^\w.]+")


class Column(msgspec.Struct, frozen=True, omit_defaults=True):
    """What one column means. ``to`` is empty for a column that is left out."""

    to: str = ""
    kind: str = "text"


class Constant(msgspec.Struct, frozen=True):
    """The same value for every line."""

    to: str
    value: str


class Mapping(msgspec.Struct, frozen=True, omit_defaults=True):
    """How lines become contacts, events or suppressions. Each value is checked when it is read."""

    columns: tuple[Column, ...] = ()
    constants: tuple[Constant, ...] = ()
    mode: Literal["upsert", "create", "update"] = "upsert"
    #: By which identifiers people are found.
    match: tuple[str, ...] = IDENTIFIERS
    empty: Literal["keep", "clear"] = "keep"
    faulty: Literal["reject", "leave_out"] = "reject"
    #: Country of phone numbers that name none.
    region: str = ""
    zone: str = "UTC"
    basis: str = "consent"
    wording: str = ""
    segment: int | None = None
    journeys: bool = False
    source: str = "imports"


class MappingError(ValueError):
    """The mapping cannot be used; the argument is the reason's code."""


def decode(data: object) -> Mapping:
    """A stored or sent mapping. Raises MappingError."""
    try:
        return msgspec.convert(data, Mapping)
    except msgspec.ValidationError as error:
        raise MappingError(str(error)) from error


def check(what: str, mapping: Mapping) -> None:
    """Raise MappingError unless lines can be read by ``mapping``."""
    targets = [column.to for column in mapping.columns if column.to] + [one.to for one in mapping.constants]
    for target in targets:
        head, _colon, name = target.partition(":")
        if not (target in SINGLE[what] or (head in NAMED[what] and name)):
            raise MappingError("unknown_target")
        if head == "consent" and len(name.split(":")) != 2:
            raise MappingError("unknown_target")
    if len(targets) != len(set(targets)):
        raise MappingError("twice")
    wanted = {"email", "phone"} if what == SUPPRESSIONS else set(mapping.match) & set(IDENTIFIERS)
    if not wanted & set(targets):
        raise MappingError("no_identifier")
    if what == EVENTS and not {"event", "time"} <= set(targets):
        raise MappingError("no_event")
    if any(column.kind not in KINDS for column in mapping.columns):
        raise MappingError("unknown_kind")
    if mapping.region and normalise.country(mapping.region) is None:
        raise MappingError("unknown_region")
    if normalise.time_zone(mapping.zone) is None:
        raise MappingError("unknown_zone")


def guess(
    what: str, names: Sequence[str], samples: Sequence[Sequence[str]], decimal: str
) -> tuple[Column, ...]:
    """A meaning for each column; nothing is guessed twice."""
    taken: set[str] = set()
    found = []
    for place, name in enumerate(names):
        values = [row[place].strip() for row in samples if place < len(row) and row[place].strip()]
        column = _one(what, name, values, decimal)
        if column.to in taken:
            column = Column()
        taken.add(column.to)
        found.append(column)
    return tuple(found)


def _one(what: str, name: str, values: Sequence[str], decimal: str) -> Column:
    bare = _bare(name)
    target = _TARGETS.get(bare)
    if target in SINGLE[what]:
        return Column(target)
    if what == CONTACTS and bare in _WISHES and _most(values, cells.boolean):
        return Column(f"consent:{_WISHES[bare]}:offers", "boolean")
    if values and _most(values, normalise.email):
        return Column("email")
    if name.isdigit() or what == SUPPRESSIONS:
        # A file without a header: what its columns are called, nobody knows.
        return Column()
    named = {CONTACTS: "attribute", EVENTS: "property"}[what]
    return Column(f"{named}:{_KEY.sub('_', name.strip()).strip('_').lower()[:100]}", kind_of(values, decimal))


def kind_of(values: Sequence[str], decimal: str) -> str:
    """The narrowest kind that nearly all of ``values`` have. A leading zero says that it is no number."""
    if not values:
        return "text"
    if _most(values, cells.boolean) and not all(value in {"0", "1"} for value in values):
        return "boolean"
    zeros = any(re.match(r"[-+]?0\d", value) for value in values)
    if not zeros and _most(values, lambda value: cells.number(value, decimal)):
        return "number"
    if all(re.search(r"[/.\-]", value) for value in values):
        for order in ("ymd", "dmy", "mdy"):
            if _most(values, lambda value, order=order: cells.moment(value, order, UTC)):  # type: ignore[misc]
                return "time" if any(":" in value for value in values) else "date"
    return "text"


def _most(values: Sequence[str], read: cells.Convert) -> bool:
    """Whether ``read`` makes sense of all, or of three in four where there are some to judge by."""
    failed = 0
    for value in values:
        try:
            if read(value) is None:
                failed += 1
        except Unreadable:
            failed += 1
    return bool(values) and failed * 4 <= (len(values) if len(values) > 3 else 0)


def _bare(name: str) -> str:
    """Lower case, without accents and signs: «Prénom» is ``prenom``."""
    text = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return _NOT_A_WORD.sub(" ", text).strip()
