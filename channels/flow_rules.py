"""Speed limits, warm-up and circuit breakers as functions of their arguments. Pure.

A bucket fills at its rate and holds one second of it (at least one message). What finds it empty is spread
over the time in which it will fill again, behind those that were spread before.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from channels.retry import believed

#: So many failures in a row shut a way out, so many of one receiving domain shut that domain.
ACCOUNT_FAILURES, DOMAIN_FAILURES = 3, 5
FIRST_SHUT, LONGEST_SHUT = timedelta(seconds=30), timedelta(minutes=15)


@dataclass(slots=True)
class Bucket:
    """Tokens as of ``filled_at``; ``horizon`` is the end of the time over which others were spread."""

    rate: float
    tokens: float = 0.0
    filled_at: datetime | None = None
    horizon: datetime | None = None

    @property
    def holds(self) -> float:
        return max(1.0, self.rate)

    def fill(self, now: datetime) -> None:
        """Bring the tokens up to ``now``. A clock that went back fills nothing and empties nothing."""
        if self.filled_at is None:
            self.tokens, self.filled_at = self.holds, now
        elif now > self.filled_at:
            gained = (now - self.filled_at).total_seconds() * self.rate
            self.tokens, self.filled_at = min(self.holds, self.tokens + gained), now
        else:
            self.tokens = min(self.holds, self.tokens)

    def take(self, now: datetime) -> datetime | None:
        """None when the message may go now, else the time at which it should be looked at again."""
        self.fill(now)
        if self.tokens >= 1:
            self.tokens -= 1
            return None
        step = timedelta(seconds=1 / self.rate)
        self.horizon = max(self.horizon or now, now) + step
        return self.horizon


@dataclass(frozen=True, slots=True)
class Warmup:
    """A new sender's ramp: ``first`` messages on its first day, ``growth`` percent more on each next one."""

    began: date
    first: int
    growth: int
    target: int

    def allowed(self, day: date) -> int | None:
        """How many may go on ``day``; None once the ramp has reached its target."""
        days = (day - self.began).days
        if days < 0:
            return 0
        amount = float(self.first)
        for _day in range(min(days, 400)):
            amount = max(amount + 1, amount * (1 + self.growth / 100))
            if amount >= self.target:
                return None
        return int(amount) if amount < self.target else None

    def plan(self) -> list[int]:
        """The days of the ramp, until it has reached its target."""
        amounts = []
        for days in range(401):
            amount = self.allowed(self.began + timedelta(days=days))
            if amount is None:
                break
            amounts.append(amount)
        return amounts


@dataclass(slots=True)
class Breaker:
    """Whether something may go: closed, shut until a time, or half-open, when one probe decides."""

    most: int
    failures: int = 0
    trips: int = 0
    shut_until: datetime | None = None
    probe_until: datetime | None = None

    def state(self, now: datetime) -> str:
        if self.shut_until is None:
            return "closed"
        if now < self.shut_until:
            return "shut"
        # Who was asked to come back at this time, and not too often already, needs no probe.
        return "half_open" if self.trips or self.failures >= self.most else "closed"

    def admit(self, now: datetime, patience: timedelta) -> datetime | None:
        """None when a message may go, else when to look again. Half-open lets one through at a time."""
        state = self.state(now)
        if state == "closed":
            return None
        if state == "shut":
            return self.shut_until
        if self.probe_until is not None and self.probe_until > now:
            return min(self.probe_until, now + timedelta(seconds=10))
        self.probe_until = now + patience
        return None

    def failed(self, now: datetime, count: int = 1, retry_after: float | None = None) -> None:
        """``count`` more failures; a server that says when to come back is left alone until then."""
        state = self.state(now)
        self.probe_until = None
        if wait := believed(retry_after):
            # What others have under way is told the same; that is one failure.
            self.failures += count if state != "shut" else 0
            asked = now + timedelta(seconds=wait)
            self.shut_until = max(asked, self.shut_until or asked)
            return
        self.failures += count
        if state == "half_open" or (self.failures >= self.most and state == "closed"):
            self.shut_until = now + min(FIRST_SHUT * 2 ** min(self.trips, 10), LONGEST_SHUT)
            self.trips += 1

    def worked(self, now: datetime) -> None:
        """A success closes it, unless it was asked to stay away until later."""
        if self.shut_until is not None and now < self.shut_until:
            return
        self.failures = self.trips = 0
        self.shut_until = self.probe_until = None


def domain_of(address: str) -> str:
    """The receiving domain of an email address; empty for every other kind."""
    return address.rpartition("@")[2].lower() if "@" in address else ""


def read_rates(text: str) -> dict[str, float]:
    """``gmail.com 20`` a line to messages per second by domain, ``*`` for others. Raises ValueError."""
    rates: dict[str, float] = {}
    for number, line in enumerate(text.splitlines(), 1):
        words = line.split()
        if not words:
            continue
        domain, rate = (words[0].lower(), words[1]) if len(words) == 2 else ("", "")
        try:
            value = float(rate)
        except ValueError:
            value = 0.0
        if not domain or not 0.01 <= value <= 100_000 or ("." not in domain and domain != "*"):
            raise ValueError(f"line {number}: write a domain and messages per second, such as “gmail.com 20”")
        rates[domain] = value
    return rates


def written_rates(rates: dict[str, float]) -> str:
    """The other way round, for a form."""
    return "\n".join(f"{domain} {rate:g}" for domain, rate in sorted(rates.items()))
