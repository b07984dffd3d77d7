"""What becomes of rows that may exist once a contact, when two contacts turn out to be one person."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class MergeRule:
    """Declared by a model as ``on_merge`` where the default (the remaining contact's row stays) is wrong.

    ``once`` names the columns that, with the contact, may exist once among the rows where ``among`` holds.
    Of several rows the first by ``keep`` stays; the others are deleted, or changed by ``instead``. The
    texts are SQL over the table's own columns, written by us; ``instead`` may use the parameter
    ``%(now)b``. ``first`` is a statement that runs before the choice. The table is called ``t``; ``who``
    lists all (contact_id, winner) of the merges, winners among them.
    """

    once: tuple[str, ...]
    among: str = "true"
    keep: str = ""
    instead: str = ""
    first: str = ""
