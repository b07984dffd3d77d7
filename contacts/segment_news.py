"""What a batch of events says about whom: by their names, and apart from what only a file told. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from contacts.event_log import LogEvent


def by_name(events: Iterable[LogEvent]) -> dict[str, set[int]]:
    """The contacts of ``events`` by the events' names."""
    found: dict[str, set[int]] = {}
    for event in events:
        found.setdefault(event.name, set()).add(event.contact_id)
    return found


def moved(events: Sequence[LogEvent], contacts: Mapping[str, set[int]], names: frozenset[str]) -> set[int]:
    """Whom more than a file gives a reason to be judged again by those who look at events of ``names``.

    ``contacts`` is what ``by_name`` says of ``events``.
    """
    named = set().union(*(contacts[name] for name in names))
    live = [event for event in events if not event.is_history]
    # Whoever was merged is judged without an event of these names; then any event of theirs is a reason.
    return {one.contact_id for one in live if one.name in names or one.contact_id not in named}
