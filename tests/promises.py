"""All promises at once, after a test that made a flow or a fault."""

from __future__ import annotations

from datetime import datetime

from contacts.auditing import looking
from contacts.auditing.registry import promises
from contacts.models import Breach

#: What a test's own clock does not keep: servers and pulses that no test runs.
_OF_THE_HOUSE = {"short_transactions", "disk_room", "months_ready"}


def broken(now: datetime) -> dict[str, list[str]]:
    """Name of each promise that does not hold at ``now``, with the keys of what breaks it."""
    states = looking.everything(now)
    failed = {one.name: [one.error] for one in states if one.error}
    known = promises()
    for state in states:
        if state.open and known[state.name].alarms and state.name not in _OF_THE_HOUSE:
            open_ = Breach.objects.filter(promise=state, over_at__isnull=True)
            failed[state.name] = [f"{one.key} {one.about}" for one in open_]
    return failed


def assert_promises_hold(now: datetime) -> None:
    assert broken(now) == {}
