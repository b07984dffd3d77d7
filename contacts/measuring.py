"""Whether a person's reading may be measured, when they were never asked: by country and date, as data."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, datetime

from contacts import statements
from contacts.consent import standing
from contacts.models import TrackingRule
from contacts.permission import TRACKING

#: Country (empty: everywhere else), from when, measured until they refuse, source. These hold where nobody
#: wrote rules, and are what a new installation starts with; to be checked by whoever runs it.
STARTERS = (
    ("", date(2018, 5, 25), True, "What holds where no country says otherwise"),
    ("FR", date(2026, 1, 1), False, "CNIL 2026-042: a tracking pixel needs a separate consent before"),
)

_Rules = dict[str, list[tuple[date, bool]]]


def allowed(wanted: Collection[tuple[int, str, datetime]]) -> set[tuple[int, str, datetime]]:
    """Of (contact, channel, when something was fetched), those that may be kept on the person.

    Their own answer counts: who agrees later is measured from then on, who refuses is measured no more, not
    even for what was fetched before. Without an answer the rule of their country on that day holds, and
    where there is none, nothing is measured. Three statements, whatever the number.
    """
    people = {contact_id for contact_id, _channel, _at in wanted}
    standings = standing.load(people)
    countries: dict[int, str] = dict(
        statements.rows("SELECT id, country FROM contacts_contact WHERE id = ANY(%b::int8[])", [list(people)])
    )
    rules = _rules()
    found = set()
    for contact_id, channel, at in wanted:
        held = standings.get((contact_id, channel), {}).get(TRACKING)
        if held is None or held.why:
            yes = _unasked(rules, countries.get(contact_id, ""), at.date())
        else:
            yes = held.at(at)[0] and held.since <= at
        if yes:
            found.add((contact_id, channel, at))
    return found


def _rules() -> _Rules:
    found: _Rules = {}
    stored = TrackingRule.objects.order_by("effective_on")
    rules = list(stored.values_list("country", "effective_on", "unasked")) or [one[:3] for one in STARTERS]
    for country, day, unasked in rules:
        found.setdefault(country, []).append((day, unasked))
    return found


def _unasked(rules: _Rules, country: str, day: date) -> bool:
    """What the country's latest rule by that day says, else the one for everywhere."""
    for name in (country.upper(), "") if country else ("",):
        in_force = [unasked for begins, unasked in rules.get(name, []) if begins <= day]
        if in_force:
            return in_force[-1]
    return False
