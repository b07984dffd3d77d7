"""The speed, the warm-up and the breakers of accounts, kept in rows that all workers share.

Claiming asks ``admit`` in its transaction; what came of a chunk is told to ``note``. Where an account has no
limits and no trouble, neither reads nor writes a row.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from typing import Protocol, TypeVar

from django.db import transaction

from channels import flow_rules
from channels.flow_rules import Breaker, Bucket, Warmup
from channels.models import Flow, ProviderAccount
from channels.providers.base import Outcome, Result
from channels.retry import believed

#: These say that the provider itself cannot be reached or will not have us.
UNREACHABLE = frozenset({"connect", "timeout", "tls", "auth", "421", "settings"})
#: The part of an address that names somebody; these rows are about no person.
_NAMES = re.compile(r"[^\s<>\"'(),:;]+@")
#: How long a probe may take before another one is let through.
_PROBE = timedelta(seconds=60)


class Going(Protocol):
    """A message about to leave."""

    @property
    def id(self) -> int: ...
    @property
    def address(self) -> str: ...
    @property
    def transactional(self) -> bool: ...


T = TypeVar("T", bound=Going)


@dataclass(slots=True)
class Gates:
    """The rows of some accounts as they stood a moment ago: who may go at all, and who is watched."""

    accounts: dict[int, ProviderAccount]
    flows: dict[tuple[int, str], Flow] = field(default_factory=dict)

    def open(self, account_id: int, now: datetime) -> bool:
        """Whether messages of the account may be claimed at all."""
        flow = self.flows.get((account_id, ""))
        return flow is None or _breaker(flow).state(now) != "shut"

    def watched(self, account_id: int, domain: str = "") -> bool:
        """Whether a success there would change anything."""
        flow = self.flows.get((account_id, domain))
        return flow is not None and (flow.failures > 0 or flow.shut_until is not None)

    def troubled(self, account_id: int, domain: str) -> bool:
        """Whether a receiving domain failed lately, so that its messages should keep to themselves."""
        return bool(domain) and self.watched(account_id, domain)


def gates(accounts: Iterable[ProviderAccount]) -> Gates:
    """What stands in the way of these accounts; one statement."""
    own = {account.id: account for account in accounts}
    return Gates(own, {(one.account_id, one.domain): one for one in Flow.objects.filter(account_id__in=own)})


def admit(
    messages: Sequence[T], account_of: Callable[[T], ProviderAccount | None], known: Gates, now: datetime
) -> tuple[list[T], dict[int, datetime]]:
    """Those that may go now, and for each other one when to look at it again. Belongs to the caller's
    transaction, whose end lets go of the rows."""
    by_account: dict[int, list[T]] = defaultdict(list)
    free: list[T] = []
    later: dict[int, datetime] = {}
    for message in messages:
        account, domain = account_of(message), flow_rules.domain_of(message.address)
        if account is None:
            free.append(message)
        elif (until := _closed(account, domain, known, now)) is not None:
            # Its row says so already: nobody has to wait in line for it.
            later[message.id] = until
        elif _limited(account, known) or _domain_limited(account, domain, known):
            by_account[account.id].append(message)
        else:
            free.append(message)
    for account_id, own in by_account.items():
        # What somebody waits for goes first.
        own.sort(key=lambda message: not message.transactional)
        free += _admit(known.accounts[account_id], own, known, now, later)
    return free, later


def _admit(
    account: ProviderAccount, messages: Sequence[T], known: Gates, now: datetime, later: dict[int, datetime]
) -> list[T]:
    domains = {message.id: flow_rules.domain_of(message.address) for message in messages}
    asked = {domain for domain in domains.values() if _domain_limited(account, domain, known)}
    flows = _locked(account, {"", *asked})
    warm = _Warm(account, flows[""], now)
    whole = _Gate(flows[""], float(account.rate_per_second or 0), flow_rules.ACCOUNT_FAILURES)
    gates = {
        domain: _Gate(flows[domain], _domain_rate(account, domain), flow_rules.DOMAIN_FAILURES)
        for domain in asked
    }
    going = []
    for message in messages:
        own = gates.get(domains[message.id])
        until = (own.asked(now) if own else None) or whole.asked(now) or warm.asked(now)
        until = until or (own.taken(now) if own else None) or whole.taken(now)
        if until is None:
            warm.take()
            going.append(message)
        else:
            later[message.id] = until
    for gate in (whole, *gates.values()):
        gate.keep()
    Flow.objects.bulk_update(flows.values(), _KEPT)
    return going


_KEPT = (
    "tokens", "filled_at", "horizon", "failures", "trips", "shut_until", "probe_until", "day", "day_taken",
)  # fmt: skip


class _Gate:
    """One row's bucket and breaker while a batch passes."""

    def __init__(self, flow: Flow, rate: float, most: int) -> None:
        self._flow = flow
        self._bucket = Bucket(rate, flow.tokens, flow.filled_at, flow.horizon) if rate else None
        self._breaker = _breaker(flow, most)

    def asked(self, now: datetime) -> datetime | None:
        return self._breaker.admit(now, _PROBE)

    def taken(self, now: datetime) -> datetime | None:
        return self._bucket.take(now) if self._bucket else None

    def keep(self) -> None:
        self._flow.probe_until = self._breaker.probe_until
        if self._bucket:
            self._flow.tokens = self._bucket.tokens
            self._flow.filled_at, self._flow.horizon = self._bucket.filled_at, self._bucket.horizon


class _Warm:
    """What is left of the day of an account that is being warmed up."""

    def __init__(self, account: ProviderAccount, flow: Flow, now: datetime) -> None:
        self._flow = flow
        self._ramp = warmup(account)
        today = now.astimezone(UTC).date()
        if flow.day != today:
            flow.day, flow.day_taken = today, 0
        self._allowed = self._ramp.allowed(today) if self._ramp else None
        self._tomorrow = datetime.combine(today + timedelta(days=1), time(), UTC)
        self._put_off = 0

    def asked(self, now: datetime) -> datetime | None:
        if self._allowed is None or self._flow.day_taken < self._allowed:
            return None
        # Spread, so that the next day does not begin with all of them at once.
        self._put_off += 1
        return self._tomorrow + timedelta(seconds=self._put_off)

    def take(self) -> None:
        if self._ramp is not None:
            self._flow.day_taken += 1


def note(
    account: ProviderAccount,
    answers: Mapping[int, Result],
    addresses: Mapping[int, str],
    known: Gates,
    now: datetime,
) -> None:
    """Write down what a chunk says of its account and of the receiving domains. Its own short transaction."""
    answers = {one: answer for one, answer in answers.items() if answer.begun}
    if not answers:
        return
    failed: dict[str, list[Result]] = {}
    worked: set[str] = set()
    for domain, results in _by_domain(answers, addresses).items():
        if any(one.outcome is Outcome.ACCEPTED for one in results):
            worked.add(domain)
        elif domain and all(_about_the_way(one) for one in results):
            failed[domain] = results
    asked_away = [one for one in answers.values() if believed(one.retry_after)]
    unreachable = all(one.code in UNREACHABLE or one.retry_after is not None for one in answers.values())
    if unreachable or asked_away:
        failed = {"": asked_away or list(answers.values())}
        worked = set()
    elif any(one.outcome in (Outcome.ACCEPTED, Outcome.REFUSED) for one in answers.values()):
        worked.add("")  # it talks to us, whatever it says of single messages
    worked = {domain for domain in worked if known.watched(account.id, domain)}
    if failed or worked:
        _write(account, failed, worked, now)


def _write(
    account: ProviderAccount, failed: Mapping[str, list[Result]], worked: set[str], now: datetime
) -> None:
    with transaction.atomic():
        for domain, flow in _locked(account, {*failed, *worked}).items():
            breaker = _breaker(flow, flow_rules.DOMAIN_FAILURES if domain else flow_rules.ACCOUNT_FAILURES)
            if domain in failed:
                results = failed[domain]
                waits = [one.retry_after for one in results if one.retry_after is not None]
                breaker.failed(now, len(results) if domain else 1, max(waits, default=None))
                flow.last_code, flow.last_error = (
                    results[-1].code[:40],
                    _NAMES.sub("…@", results[-1].detail)[:1000],
                )
                flow.last_error_at = now
            else:
                breaker.worked(now)
                flow.last_success_at = now
            flow.failures, flow.trips = breaker.failures, breaker.trips
            flow.shut_until, flow.probe_until = breaker.shut_until, breaker.probe_until
            flow.save()


def _by_domain(answers: Mapping[int, Result], addresses: Mapping[int, str]) -> dict[str, list[Result]]:
    grouped: dict[str, list[Result]] = defaultdict(list)
    for message_id, answer in answers.items():
        grouped[flow_rules.domain_of(addresses.get(message_id, ""))].append(answer)
    return grouped


def _about_the_way(answer: Result) -> bool:
    """It failed for now or nobody knows: not a refusal, which is about one message."""
    return answer.outcome in (Outcome.TRY_LATER, Outcome.UNCERTAIN) and answer.code not in UNREACHABLE


def _limited(account: ProviderAccount, known: Gates) -> bool:
    if account.rate_per_second or account.warmup_from:
        return True
    own = known.flows.get((account.id, ""))
    return own is not None and (own.shut_until is not None or own.horizon is not None)


def _closed(account: ProviderAccount, domain: str, known: Gates, now: datetime) -> datetime | None:
    """When to look again, where a receiving domain is shut or tried by somebody else just now."""
    own = known.flows.get((account.id, domain)) if domain else None
    if own is None:
        return None
    breaker = _breaker(own)
    free_to_try = breaker.state(now) == "half_open" and (own.probe_until is None or own.probe_until <= now)
    return None if free_to_try else breaker.admit(now, _PROBE)


def _domain_limited(account: ProviderAccount, domain: str, known: Gates) -> bool:
    if not domain:
        return False
    flow = known.flows.get((account.id, domain))
    if _domain_rate(account, domain):
        return True
    return flow is not None and (flow.shut_until is not None or flow.horizon is not None)


def _domain_rate(account: ProviderAccount, domain: str) -> float:
    rates = account.domain_rates or {}
    return float(rates.get(domain) or rates.get("*") or 0)


def _locked(account: ProviderAccount, domains: set[str]) -> dict[str, Flow]:
    """The rows of these domains, made where missing, locked in the order of domains."""
    Flow.objects.bulk_create(
        (Flow(account=account, domain=domain) for domain in sorted(domains)), ignore_conflicts=True
    )
    rows = Flow.objects.select_for_update().filter(account=account, domain__in=domains).order_by("domain")
    return {flow.domain: flow for flow in rows}


def _breaker(flow: Flow, most: int = flow_rules.ACCOUNT_FAILURES) -> Breaker:
    return Breaker(most, flow.failures, flow.trips, flow.shut_until, flow.probe_until)


def warmup(account: ProviderAccount) -> Warmup | None:
    """The account's ramp; None without one."""
    if account.warmup_from is None:
        return None
    return Warmup(account.warmup_from, account.warmup_first, account.warmup_growth, account.warmup_target)


def let_through(account: ProviderAccount, domain: str | None = None) -> int:
    """Close the breakers of an account, or of one receiving domain, by hand; returns how many there were."""
    rows = Flow.objects.filter(account=account).exclude(shut_until=None)
    if domain is not None:
        rows = rows.filter(domain=domain)
    return rows.update(failures=0, trips=0, shut_until=None, probe_until=None)
