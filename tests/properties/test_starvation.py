"""Nobody waits for ever: however good the messages are that keep coming, the least of them leaves in time."""

from __future__ import annotations

from datetime import datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from channels import charter_rules, policy_replay
from channels.policy_facts import SEND
from channels.policy_replay import Wanted
from tests.channels.policy_cases import NOW, OPEN, alice, offer
from tests.examples import examples

HOUR, DAY = timedelta(hours=1), timedelta(days=1)

WINDOWS = st.sampled_from([("6 hours", 6), ("12 hours", 12), ("1 day", 24)])


@examples(15)
@given(
    window=WINDOWS,
    patience=st.integers(1, 2),
    limit=st.integers(1, 2),
    every=st.integers(6, 12),
    before=st.lists(st.integers(0, 30), max_size=2),
    jitter=st.sampled_from(["0 minutes", "15 minutes"]),
)
def test_the_least_message_leaves_within_the_stated_bound(
    window: tuple[str, int], patience: int, limit: int, every: int, before: list[int], jitter: str
) -> None:
    """Better messages come all the time; the bound is the patience and a window for each older one."""
    words, hours = window
    charter = charter_rules.parse(
        {
            "caps": [{"limit": limit, "rolling": words}],
            "time": {"patience": f"{patience} days", "jitter": jitter},
        }
    )
    wish = NOW + timedelta(hours=31)
    older = [_wanted(10 + i, NOW + at * HOUR, priority=1) for i, at in enumerate(before)]
    earlier = len(older) + 31 // every + 1  # these, and the better ones that came before it
    bound = patience * DAY + (earlier + 1) * (hours * HOUR + timedelta(minutes=15))
    until = wish + bound
    better = [
        _wanted(100 + n, NOW + n * every * HOUR, priority=100)
        for n in range(int((until - NOW) / (every * HOUR)) + 1)
    ]
    least = _wanted(1, wish, priority=0)
    fates = policy_replay.play(
        [least, *older, *better], lambda _at: alice(), charter, OPEN, (), until, most=100_000
    )
    assert fates[1].what == SEND
    assert fates[1].at - wish <= bound


def _wanted(number: int, at: datetime, priority: int) -> Wanted:
    return Wanted(offer(number, due_at=at, priority=priority))
