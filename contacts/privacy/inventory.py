"""The inventory of personal data: what each table holds about people, and what becomes of it.

Each app declares its own tables in its ``personal_data`` module, as data; the registry finds these modules
by their name, so that this room need not know the apps above it. Access export, erasure, retention and the
register of processing all work through this one list, so none can forget a table that another knows.

Conditions and changes are SQL over the table's own columns, written by us. The table is called ``t``. They
may use what is known of the people in question:

======================  ============================================================================
``%(contacts)b``        int8[], ids, with those of contacts that were merged into them
``%(slots)b``           int2[], the slots of these ids
``%(publics)b``         uuid[], public ids
``%(values)b``          text[], every identifier and address, as stored
``%(needles)b``         text[], the same as a text that was never checked would hold them
``%(digits)b``          text[], the last digits of phone numbers
``%(now)b``             timestamptz, the instant of the erasure
======================  ============================================================================
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import Any

from django.apps import apps
from django.db.models import Model

from contacts import conventions
from contacts.privacy.inventory_kinds import Act, Basis, Kind

#: Rows of these people's own. Names the slot, so that only their partition of the work is looked at.
OWN = "t.contact_id = ANY(%(contacts)b::int8[]) AND t.slot = ANY(%(slots)b::int2[])"
#: Whom a row belongs to that is kept for the totals after its person was erased.
NOBODY = 0
#: The change that cuts a row loose from its person.
LOOSE = f"contact_id = {NOBODY}, slot = {NOBODY}"


@dataclass(frozen=True, slots=True)
class Table:
    """One table. ``kinds`` classes every column that is not a key or a time: kind to names, spaced.

    ``act`` is what erasure does; ``change`` its SET for an anonymised row, ``why`` the reason for keeping.
    ``retention`` names a period of ``contacts.privacy.retention``; ``since`` is the column it counts from.
    """

    model: str
    kinds: Mapping[Kind, str]
    act: Act = Act.DELETE
    find: str = OWN
    change: str = ""
    #: Holds of an anonymised row that is still found.
    done: str = ""
    why: str = ""
    basis: Basis = Basis.INTEREST
    heading: Any = ""
    retention: str = "contact"
    since: str = ""
    #: Columns that say nothing to the person, such as a packed copy of another one.
    left_out: str = ""
    #: Holds of the rows that a copy for the person may show: others tell of somebody else as well.
    copied: str = "true"
    #: A statement that runs as soon as an erasure begins, such as calling off what waits.
    stop: str = ""
    #: Holds of a row that somebody is still busy with; erasure waits for them a while.
    busy: str = ""
    #: A statement that runs in the transaction that ends the rows, just before.
    first: str = ""
    #: Another worker may still write here while a person goes: looked through again for some minutes.
    swept: bool = True

    @property
    def name(self) -> str:
        return str(self._model()._meta.db_table)

    @property
    def title(self) -> str:
        return str(self.heading or self._model()._meta.verbose_name_plural)

    def _model(self) -> type[Model]:
        return apps.get_model(self.model)

    def classed(self) -> dict[str, Kind]:
        """Column to kind, for the columns that have one."""
        return {column: kind for kind, columns in self.kinds.items() for column in columns.split()}

    def labels(self) -> dict[str, str]:
        """Column to the words that a person reads."""
        fields = self._model()._meta.concrete_fields
        return {one.column: str(one.verbose_name) for one in fields if one.column}

    def shown(self) -> list[str]:
        """The columns that an access export shows: all but technical ones and keys to other tables."""
        left = set(self.left_out.split())
        kinds = self.classed()
        return [
            one.column
            for one in self._model()._meta.concrete_fields
            if one.column
            and one.column not in left
            and (kinds.get(one.column) not in (None, Kind.TECHNICAL) or _a_time(one))
        ]


@dataclass(frozen=True, slots=True)
class Impersonal:
    """A table about nobody outside the team; ``why`` says so for its texts and JSON fields."""

    model: str
    why: str


@dataclass(frozen=True, slots=True)
class Place:
    """Somewhere beside the tables that may name people, such as files.

    ``count`` says how often it names one of these, ``end`` takes that away and says how often it did.
    """

    name: str
    count: Callable[[Sequence[str]], int]
    end: Callable[[Sequence[str], datetime], int]


@dataclass(frozen=True, slots=True)
class Inventory:
    """All declarations, people's tables in the order in which they are erased: children first."""

    people: tuple[Table, ...]
    impersonal: tuple[Impersonal, ...] = field(default=())
    places: tuple[Place, ...] = ()

    def fingerprint(self) -> str:
        """Names this state of the inventory in certificates."""
        said = sorted(f"{one.model} {one.act} {sorted(one.classed().items())}" for one in self.people)
        return hashlib.sha256("\n".join(said).encode()).hexdigest()[:16]


@lru_cache(maxsize=1)
def inventory() -> Inventory:
    """Everything that the installed apps declare, the uppermost room first."""
    people: list[Table] = []
    impersonal: list[Impersonal] = []
    places: list[Place] = []
    for module in conventions.modules("personal_data").values():
        people += getattr(module, "PEOPLE", ())
        impersonal += getattr(module, "IMPERSONAL", ())
        places += getattr(module, "PLACES", ())
    return Inventory(tuple(people), tuple(impersonal), tuple(places))


def unclassed() -> list[str]:
    """What the declarations forgot, as ``app.Model`` or ``app.Model.column``: empty when all is well."""
    known = inventory()
    people = {one.model: one for one in known.people}
    impersonal = {one.model for one in known.impersonal}
    found = []
    for model in apps.get_models():
        label = model._meta.label
        if label in people:
            classed = people[label].classed()
            found += [f"{label}.{column}" for column in _must_be_classed(model) if column not in classed]
        elif label not in impersonal:
            found.append(label)
    return found


def _must_be_classed(model: type[Model]) -> Iterator[str]:
    for one in model._meta.concrete_fields:
        key = one.primary_key or one.is_relation
        if one.column and not key and not _a_time(one) and one.column not in {"slot", "contact_id"}:
            yield one.column


def _a_time(one: Any) -> bool:
    return one.get_internal_type() in {"DateTimeField", "DateField"}
