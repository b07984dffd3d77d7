"""Loads what decisions about a batch of messages rest on, with a constant number of statements."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime, timedelta
from typing import Any

import msgspec

from channels import charter, policy, visiting
from channels.charter_parts import Charter
from channels.lifecycle import COUNTED, Ref, State
from channels.models import ProviderAccount, Template
from channels.policy_facts import COMPETING, Candidate, Person, Planned, Touch, tags_from
from contacts import consent, statements


@dataclass(frozen=True, slots=True)
class Row:
    """A message as the policy's pulse reads it."""

    id: int
    created_at: datetime
    slot: int
    contact_id: int
    state: int
    due_at: datetime
    channel: str
    reason: str
    purpose: str
    transactional: bool
    wanted: list[str]
    content: dict[str, str]
    priority: int
    value: float
    conditions: Any
    on_hold: str
    deadline_at: datetime | None
    entered_at: datetime | None
    origin_kind: str
    origin_id: int | None
    origin_slug: str
    origin_step: str
    tags: str
    held_since: datetime | None
    smart_channel: bool
    best_by: datetime | None

    def touch(self, at: datetime) -> Touch:
        """The place that this message takes, once it was let out."""
        return Touch(self.channel, self.purpose, at, self.transactional, tags_from(self.tags))

    @property
    def ref(self) -> Ref:
        return Ref(self.id, self.created_at, self.slot)

    def candidate(self, around: Surroundings, conditions: bool | None = None) -> Candidate:
        """This message as the policy sees it."""
        return Candidate(
            id=self.id,
            purpose=self.purpose,
            wanted=tuple(self.wanted),
            due_at=self.due_at,
            transactional=self.transactional or self.purpose in around.service,
            priority=self.priority,
            value=self.value,
            on_hold=self.on_hold,
            deadline_at=self.deadline_at,
            conditions=conditions,
            answer=self.origin_kind == "reply",
            tags=around.tags_of(self.content),
            held_since=self.held_since,
            smart_channel=self.smart_channel,
            best_by=self.best_by,
            wanted_at=self.created_at,
        )


_NAMES = [column.name for column in fields(Row)]
_COLUMNS = ", ".join(f"m.{name}" for name in _NAMES)
_JSON = [_NAMES.index(name) for name in ("wanted", "content", "conditions")]


@dataclass(slots=True)
class Surroundings:
    """What is the same for every decision of a batch."""

    charter: Charter
    #: Channel to (account, paused), for the channels that somebody carries.
    providers: dict[str, tuple[int, bool]]
    service: frozenset[str]
    #: Who visited after this instant is reached by in-app messages.
    visited_since: datetime
    #: Slug of a template to its tags, for those that have some.
    tags: dict[str, frozenset[str]] = field(default_factory=dict)

    @property
    def paused(self) -> dict[str, bool]:
        return {channel: paused for channel, (_account, paused) in self.providers.items()}

    def tags_of(self, content: Mapping[str, str]) -> dict[str, frozenset[str]]:
        """The tags that a message would have on each channel, by its templates of now."""
        if not self.tags:
            return {}
        return {channel: self.tags[slug] for channel, slug in content.items() if slug in self.tags}


@dataclass(slots=True)
class History:
    """What one person received, what is on its way, and what waits for later."""

    touches: list[Touch] = field(default_factory=list)
    planned: list[Planned] = field(default_factory=list)
    waiting: list[Row] = field(default_factory=list)


def surroundings(now: datetime) -> Surroundings:
    providers: dict[str, tuple[int, bool]] = {}
    days = visiting.USUAL_DAYS
    for account in ProviderAccount.objects.filter(active=True).order_by("position", "id"):
        if account.channel not in providers and account.kind == visiting.KIND:
            days = visiting.days_of(account.settings)
        providers.setdefault(account.channel, (account.pk, account.paused))
    since = now - timedelta(days=days)
    tagged = Template.objects.exclude(tags="").values_list("slug", "tags")
    tags = {slug: tags_from(kept) for slug, kept in tagged}
    return Surroundings(charter.current(now), providers, consent.transactional_purposes(), since, tags)


def slots_with_work(now: datetime) -> list[int]:
    return [
        row[0]
        for row in statements.rows(
            "SELECT s FROM generate_series(0, 63) AS s WHERE EXISTS (SELECT 1 FROM channels_message m"
            " WHERE m.slot = s AND m.state IN (1, 2) AND m.due_at <= %b)",
            [now],
        )
    ]


def due(slots: Sequence[int], now: datetime, limit: int) -> list[Row]:
    """The oldest due messages of the slots (about ``limit``), and what else of the same people is due.

    What is held for them competes too, before its time: else a place that has just become free would go to
    whichever message comes first, and not to the best.
    """
    share = max(1, -(-limit // len(slots)))
    return [
        _row(row)
        for row in statements.rows(
            "WITH first AS (SELECT DISTINCT oldest.slot, oldest.contact_id FROM unnest(%b::int2[]) AS s(slot)"  # noqa: S608
            " CROSS JOIN LATERAL (SELECT m.slot, m.contact_id FROM channels_message m WHERE m.slot = s.slot"
            " AND m.state IN (1, 2) AND m.due_at <= %b ORDER BY m.due_at LIMIT %b) AS oldest)"
            f" SELECT {_COLUMNS} FROM first JOIN channels_message m"
            " ON m.slot = first.slot AND m.contact_id = first.contact_id"
            " WHERE m.state IN (1, 2) AND (m.due_at <= %b OR (m.state = 2 AND m.reason = ANY(%b::text[])))",
            [list(slots), now, share, now, list(COMPETING)],
        )
    ]


def histories(contact_ids: Collection[int], now: datetime, since: datetime) -> dict[int, History]:
    """Per person: messages accepted after ``since``, and those not finished; what ``due`` finds is left out.

    A message on its way takes its place at ``now``, since that is the earliest it can arrive.
    """
    ids = list(contact_ids)
    found: dict[int, History] = {contact_id: History() for contact_id in ids}
    rows = statements.rows(
        # Of a message that may have arrived, the last attempt tells when.
        "SELECT coalesce((SELECT max(a.started_at) FROM channels_attempt a"  # noqa: S608
        f" WHERE m.state = 11 AND a.message_id = m.id), m.created_at), {_COLUMNS}"
        " FROM channels_message m WHERE m.contact_id = ANY(%b::int8[]) AND m.state IN (3, 4, 5, 11)"
        f" UNION ALL SELECT m.due_at, {_COLUMNS} FROM channels_message m"
        " WHERE m.contact_id = ANY(%b::int8[]) AND m.state IN (1, 2) AND m.due_at > %b"
        " AND NOT (m.state = 2 AND m.reason = ANY(%b::text[]))",
        [ids, ids, now, list(COMPETING)],
    )
    # Of what arrived, no more than takes a place is read: there may be much of it.
    for contact_id, channel, purpose, arrived, transactional, tags in statements.rows(
        "SELECT m.contact_id, m.channel, m.purpose, m.accepted_at, m.transactional, m.tags"
        " FROM channels_message m"
        " WHERE m.contact_id = ANY(%b::int8[]) AND m.state = 6 AND m.accepted_at > %b",
        [ids, since],
    ):
        touch = Touch(channel, purpose, arrived, transactional, tags_from(tags))
        found[contact_id].touches.append(touch)
    for at, *columns in rows:
        row, history = _row(columns), found[columns[3]]
        if State(row.state) not in COUNTED:
            history.waiting.append(row)
            continue
        on_its_way = row.state in {State.QUEUED, State.CLAIMED, State.TRANSMITTING}
        arrives = now if on_its_way else at
        history.touches.append(row.touch(arrives))
        if on_its_way:
            history.planned.append(Planned(row.id, row.channel, now, row.transactional))
    return found


def own_rules(message_ids: Collection[int]) -> list[tuple[int, str, tuple[str, ...]]]:
    """Of these messages: the id, what to do when held, and the channels that it may take."""
    if not message_ids:
        return []
    asked = "SELECT id, on_hold, wanted::text FROM channels_message WHERE id = ANY(%b::int8[])"
    return [
        (key, on_hold, tuple(msgspec.json.decode(wanted)))
        for key, on_hold, wanted in statements.rows(asked, [list(message_ids)])
    ]


def plans(history: History, person: Person, around: Surroundings) -> list[Planned]:
    """Everything of this person that will leave later, on the channel it will most likely take."""
    found = list(history.planned)
    for row in history.waiting:
        candidate = row.candidate(around)
        channel = row.channel or policy.likely_channel(candidate, person, around.charter)
        found.append(Planned(row.id, channel, row.due_at, candidate.transactional))
    return found


def charter_number(now: datetime) -> int | None:
    """Number of the charter in force; None for the default rules."""
    version = charter.in_force(now)
    return version.number if version else None


def _row(columns: Sequence[Any]) -> Row:
    """A row from the columns as they come: Django's connections leave JSON as text."""
    values = list(columns)
    for i in _JSON:
        values[i] = None if values[i] is None else msgspec.json.decode(values[i])
    return Row(*values)
