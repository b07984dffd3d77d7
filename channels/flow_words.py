"""How an account is doing, in words and figures: for its page and for the API."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.db import connection
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from channels import flow, flow_rules
from channels.models import Flow, ProviderAccount
from channels.models.message import Message

#: A provider's answers in words; others are shown as they came.
CODES = {
    "connect": _("The server cannot be reached"),
    "timeout": _("The server does not answer"),
    "tls": _("No encrypted connection could be made"),
    "auth": _("The user name or the password is refused"),
    "settings": _("The settings cannot be used"),
    "421": _("The server is too busy and sent us away"),
    "429": _("It asked us to come back later"),
    "no_answer": _("It took messages and did not answer"),
    "lost": _("The connection broke"),
    "slow": _("It was too slow"),
}
_MOST_COUNTED = 100_000
_STATES = {
    "off": _("Off"),
    "paused": _("Paused"),
    "shut": _("Left alone for now"),
    "half_open": _("Trying one message"),
    "on": _("Sending"),
}
TONES = {"off": "is-bad", "paused": "is-warn", "shut": "is-bad", "half_open": "is-warn", "on": "is-good"}


@dataclass(frozen=True, slots=True)
class Trouble:
    """A receiving domain that failed lately, or has a limit; ``state`` as of an account."""

    domain: str
    state: str
    label: Any
    tone: str
    failures: int
    until: datetime | None
    error: str
    error_at: datetime | None


@dataclass(frozen=True, slots=True)
class Health:
    """One account, as of now."""

    state: str
    label: Any
    tone: str
    until: datetime | None
    error: str
    error_at: datetime | None
    waiting: int
    spread_until: datetime | None
    sent_today: int
    allowed_today: int | None
    warmup_day: int | None
    warmup_days: int | None
    uncertain: int
    domains: list[Trouble]

    @property
    def share_of_day(self) -> int:
        """Percent of today's allowance that has gone."""
        return min(100, 100 * self.sent_today // self.allowed_today) if self.allowed_today else 0


def state_of(account: ProviderAccount, row: Flow | None, now: datetime) -> str:
    if not account.active:
        return "off"
    if account.paused:
        return "paused"
    breaker = _state(row, now)
    return "on" if breaker == "closed" else breaker


def states(accounts: list[ProviderAccount], now: datetime) -> dict[int, str]:
    """The state of each account; one statement."""
    rows = {one.account_id: one for one in Flow.objects.filter(account__in=accounts, domain="")}
    return {one.pk: state_of(one, rows.get(one.pk), now) for one in accounts}


def label(state: str) -> Any:
    return _STATES[state]


def health(account: ProviderAccount, now: datetime) -> Health:
    """How the account is doing; a constant number of statements."""
    rows = {one.domain: one for one in Flow.objects.filter(account=account)}
    own = rows.pop("", None)
    today = now.astimezone(UTC).date()
    ramp = flow.warmup(account)
    plan = ramp.plan() if ramp else []
    allowed = ramp.allowed(today) if ramp else None
    state = state_of(account, own, now)
    return Health(
        state=state,
        label=_STATES[state],
        tone=TONES[state],
        until=own.shut_until if own and state == "shut" else None,
        error=words(own),
        error_at=own.last_error_at if own else None,
        waiting=_count(Message.State.QUEUED, account),
        spread_until=own.horizon if own and own.horizon and own.horizon > now else None,
        sent_today=own.day_taken if own and own.day == today else 0,
        allowed_today=allowed,
        warmup_day=(today - ramp.began).days + 1 if ramp and allowed is not None else None,
        warmup_days=len(plan) if plan else None,
        uncertain=_count(Message.State.UNCERTAIN, account),
        domains=[_trouble(one, now) for _domain, one in sorted(rows.items())],
    )


def words(row: Flow | None) -> str:
    """The last error as somebody would say it."""
    if row is None or not row.last_code:
        return ""
    said = str(CODES.get(row.last_code) or gettext("It answered %s") % row.last_code)
    return f"{said}: {row.last_error}" if row.last_error else said


def _trouble(row: Flow, now: datetime) -> Trouble:
    state = _state(row, now)
    state = "on" if state == "closed" else state
    until = row.shut_until if state == "shut" else None
    return Trouble(
        row.domain, state, _STATES[state], TONES[state], row.failures, until, words(row), row.last_error_at
    )


def _state(row: Flow | None, now: datetime) -> str:
    if row is None:
        return "closed"
    return flow_rules.Breaker(1, row.failures, row.trips, row.shut_until, row.probe_until).state(now)


def _count(state: Message.State, account: ProviderAccount) -> int:
    """How many of the account's messages are in a state for which there is a small index."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM (SELECT FROM channels_message WHERE state = %s AND state IN (3, 11)"
            " AND provider_id = %s LIMIT %s) AS few",
            [int(state), account.pk, _MOST_COUNTED],
        )
        found: int = (cursor.fetchone() or (0,))[0]
        return found
