"""Two messages to each of 500,000 people, decided under caps in six windows, quiet hours and priorities.

Ours is the pulse that decides, in two workers. The baseline asks the database about one message at a time, as
it is written first: lock the person, read consent and suppression, count each window, write the outcome. Then
everybody's past is made ten times as long and the same is decided again: the cost must not grow with it.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, datetime, time, timedelta
from typing import Any

from django.db import connection, transaction

from benchmarks import harness
from channels import charter, deciding
from channels.models import Decision, Message, ProviderAccount
from contacts import partitions, slots
from contacts.models import ConsentState, Contact, Purpose, Suppression

RULES: dict[str, Any] = {
    "caps": [
        {"limit": 1, "rolling": "12 hours"},
        {"limit": 3, "rolling": "7 days"},
        {"limit": 60, "rolling": "30 days"},
        {"limit": 2, "calendar": "day"},
        {"limit": 4, "calendar": "week"},
        {"limit": 90, "calendar": "month", "zone": "UTC"},
    ],
    "quiet_hours": [
        {"channels": ["sms"], "from": "20:00", "to": "08:00"},
        {"channels": ["email"], "from": "22:00", "to": "06:00"},
    ],
    "priorities": [{"add": 10, "purposes": ["offers"]}],
    "time": {"unknown_zone": "every", "default_zone": "Europe/Paris", "jitter": "15 minutes"},
}
_ZONES = ("Europe/Paris", "Europe/London", "America/New_York", "Asia/Tokyo", "Europe/Berlin")
_PAST_DAYS = 28

_CONTACTS = """
WITH new AS (SELECT nextval('contacts_contact_id_seq') AS i FROM generate_series(1, %(people)s))
INSERT INTO contacts_contact (id, slot, public_id, email, phone, first_name, last_name, language, timezone,
    country, attributes, inferred, known, first_seen_at, last_seen_at, updated_at)
SELECT i, i %% %(slots)s, gen_random_uuid(), 'person' || i || '@example.com',
    '+336' || lpad((i %% 100000000)::text, 8, '0'), '', '', 'en',
    (%(zones)s::text[])[1 + i %% %(zone_count)s],
    'FR', '{}', '{}', true, %(now)s, %(now)s, %(now)s
FROM new
"""
_CONSENTS = """
INSERT INTO contacts_consentstate (contact_id, slot, channel, purpose, allowed, entry_id, since)
SELECT id, slot, channel, '*', id %% 10 > 0, 0, %(now)s
FROM contacts_contact CROSS JOIN unnest(ARRAY['email', 'sms']) AS asked(channel)
"""
#: Spread over four weeks, so that the windows of most people have room.
_HISTORY = """
INSERT INTO channels_message (created_at, slot, contact_id, key, purpose, wanted, content, state, channel,
    address, accepted_at)
SELECT at, slot, id, gen_random_uuid(), 'news', '["email"]', '{}', 6, 'email', 'x', at
FROM contacts_contact CROSS JOIN generate_series(1, %(history)s) AS n
CROSS JOIN LATERAL (SELECT %(now)s - make_interval(secs => 86400
    + (hashint8extended(id, n) & 1048575)::float8 / 1048576 * 86400 * %(days)s) AS at) AS made
"""
_INTENTS = """
INSERT INTO channels_message (created_at, slot, contact_id, key, purpose, wanted, content, state, due_at,
    priority, value)
SELECT %(now)s, slot, id, gen_random_uuid(), (ARRAY['offers', 'news'])[n], (ARRAY['["email", "sms"]',
    '["sms", "email"]'])[1 + id %% 2]::jsonb, '{}', 1, %(now)s, 40 + id %% 20, n
FROM contacts_contact CROSS JOIN generate_series(1, 2) AS n
"""


def now() -> datetime:
    """Today at 13:00, when it is night in Tokyo and day elsewhere."""
    return datetime.combine(datetime.now(UTC).date(), time(13), UTC)


def stage(people: int) -> None:
    moment = now()
    charter.publish(charter.draft(RULES), moment - timedelta(days=1))
    for channel in ("email", "sms"):
        ProviderAccount.objects.get_or_create(
            name=channel, defaults={"channel": channel, "kind": "sandbox", "active": True}
        )
    for slug in ("offers", "news"):
        Purpose.objects.get_or_create(slug=slug, defaults={"name": slug.title()})
    for table in partitions.tables():
        partitions.ensure(table, (moment - timedelta(days=10 * _PAST_DAYS + 3)).date(), moment.date())
    values = {"people": people, "slots": slots.SLOTS, "zones": list(_ZONES), "zone_count": len(_ZONES)}
    _run([_CONTACTS, _CONSENTS], {**values, "now": moment})


def wish(history: int, stretch: int = 1) -> None:
    """Everybody's past, over four weeks times ``stretch``, and two messages for each of them."""
    _run(
        ["TRUNCATE channels_message, channels_decision, contacts_event", _HISTORY, _INTENTS],
        {"now": now(), "history": history, "days": _PAST_DAYS * stretch},
    )
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
        cursor.execute("CHECKPOINT")


def _run(statements: Sequence[str], values: dict[str, Any]) -> None:
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL synchronous_commit = off")
        for statement in statements:
            cursor.execute(statement, values if "%(" in statement else None)


def decide() -> None:
    """One worker: decides until nothing is due."""
    moment = now()
    while deciding.decide_batch(moment):
        continue


def plainly(share: int, count: int) -> None:
    """The way that is written first, for every ``share``-th message: a few queries each, one transaction."""
    moment = now()
    due = Message.objects.filter(state=Message.State.INTENDED).order_by("id").values_list("id", flat=True)
    ids = list(due[: 2 * count])[share::2]
    for message_id in ids:
        with transaction.atomic():
            _one(Message.objects.select_for_update().get(pk=message_id), moment)


def _one(message: Message, moment: datetime) -> None:
    person = Contact.objects.select_for_update().get(pk=message.contact_id)
    rules = charter.current(moment)
    channel = message.wanted[0]
    allowed = ConsentState.objects.filter(contact=person, channel=channel, allowed=True).exists()
    barred = Suppression.objects.filter(channel=channel, address=person.email).exists()
    sent = Message.objects.filter(contact_id=person.pk, state__in=(3, 4, 5, 6, 11))
    full = any(sent.filter(accepted_at__gt=moment - cap.reach).count() >= cap.limit for cap in rules.caps)
    send = allowed and not barred and not full
    outcome = Decision.Outcome.SEND if send else Decision.Outcome.DROP
    Decision.objects.create(
        decided_at=moment, slot=message.slot, contact=person, message_id=message.pk,
        message_created_at=message.created_at, outcome=outcome, channel=channel, reason="", trace=[],
    )  # fmt: skip
    message.state, message.due_at = (3, moment) if send else (8, None)
    message.save(update_fields=["state", "due_at"])


def crew(workers: int, *arguments: str) -> harness.Spent:
    """Run so many workers to their end; they wait for each other before they begin."""
    command = [sys.executable, "-m", "benchmarks.policy", *arguments, "--worker"]
    pipe = subprocess.PIPE
    hands = [
        subprocess.Popen([*command, str(number)], env=os.environ, stdin=pipe, stdout=pipe, text=True)
        for number in range(workers)
    ]
    for hand in hands:
        assert hand.stdout
        hand.stdout.readline()
    with harness.stopwatch() as spent:
        for hand in hands:
            assert hand.stdin
            hand.stdin.write("\n")
            hand.stdin.flush()
        codes = [hand.wait() for hand in hands]
    if any(codes):
        raise SystemExit("a worker failed")
    return spent


def measure(people: int, history: int, workers: int, stretch: int = 1) -> float:
    """Decide two messages for everybody; returns decisions a second."""
    wish(history * stretch, stretch)
    with harness.Load() as load:
        spent = crew(workers)
    left = Message.objects.filter(state=Message.State.INTENDED).count()
    states = {str(Message.State(state).label): count for state, count in _counts()}
    if left:
        raise SystemExit(f"{left} messages were not decided")
    past = f"{history * stretch} messages a person in {stretch * _PAST_DAYS} days before"
    print(f"{past}: {spent.describe(2 * people, 'decision')}")
    print(f"{load}; {states}")
    return 2 * people / spent.wall


def _counts() -> list[tuple[int, int]]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT state, count(*) FROM channels_message WHERE purpose <> 'news' OR state <> 6 GROUP BY 1"
        )
        return [(int(state), int(count)) for state, count in cursor.fetchall()]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--people", type=int, default=500_000)
    parser.add_argument("--history", type=int, default=2, help="messages that everybody had before")
    parser.add_argument(
        "--plain", type=int, default=1_000, help="messages that the baseline decides a worker"
    )
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--worker", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--plainly", action="store_true", help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.worker is not None:
        connection.ensure_connection()
        charter.current(now())
        print("up", flush=True)
        sys.stdin.readline()
        plainly(chosen.worker, chosen.plain) if chosen.plainly else decide()
        return
    with harness.database():
        stage(chosen.people)
        wish(chosen.history)
        plain = crew(chosen.workers, "--plainly", "--plain", str(chosen.plain))
        count = Decision.objects.count()
        print(f"one message at a time: {plain.describe(count, 'decision')}")
        few = measure(chosen.people, chosen.history, chosen.workers)
        many = measure(chosen.people, chosen.history, chosen.workers, stretch=10)
        harness.report("policy_flat", ours=many, baseline=few)
        harness.report("policy", ours=few, baseline=count / plain.wall)


if __name__ == "__main__":
    main()
