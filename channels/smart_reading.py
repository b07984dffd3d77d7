"""The charter's part about choosing channel and hour, read from its data. Pure."""

from __future__ import annotations

from datetime import timedelta

from channels.charter_reading_rules import RuleReader
from channels.smart import WHEN, Smart


def smart(reader: RuleReader, data: object) -> Smart:
    """The part ``smart``; what is wrong with it is said to ``reader``."""
    part = reader.fields(data, "smart", {"channel", "time", "within", "explore", "control"})
    usual = Smart()
    within = reader.duration(part, "smart.within") if "within" in part else usual.within
    if not timedelta() < within <= timedelta(days=7):
        reader.wrong("smart.within", "must be more than nothing and at most 7 days")
    shares = {name: part.get(name, getattr(usual, name)) for name in ("explore", "control")}
    for name, share in shares.items():
        if not isinstance(share, int) or isinstance(share, bool) or not 0 <= share <= 50:
            reader.wrong(f"smart.{name}", "must be a whole number of per cent from 0 to 50")
            shares[name] = getattr(usual, name)
    return Smart(
        reader.choice(part, "smart.channel", WHEN), reader.choice(part, "smart.time", WHEN), within, **shares
    )
