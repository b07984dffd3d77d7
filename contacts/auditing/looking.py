"""Looking whether promises hold, and keeping what is found.

Each look is a transaction of its own with a limit of time; one that fails says so in its row and stops no
other. Several workers may look at once: who moves ``looked_at`` first has the look.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import msgspec
from django.db import connection, transaction
from django.db.models import Q

from contacts import statements
from contacts.auditing.promise import Asked, Found, Passing, Promise, Standing
from contacts.auditing.registry import promises
from contacts.models import Breach, PromiseState

#: Breaches of one promise that are kept; more are "and more".
MOST = 1_000
PORTION = 20_000
"Rows that one portion of a passing look asks about."
_AGAIN = 50
"Open breaches of a passing look that are looked at again each time."
_LONGEST = 5.0
"Seconds after which a passing look goes on next time."
_LIMIT_MS = 10_000
_KEPT = timedelta(days=90)
"Breaches that are over are kept so long."


def pulse(now: datetime) -> int:
    """Look after every promise whose turn it is; returns how many were looked at."""
    known = promises()
    made = set(PromiseState.objects.values_list("name", flat=True))
    if missing := known.keys() - made:
        PromiseState.objects.bulk_create((PromiseState(name=name) for name in missing), ignore_conflicts=True)
    looked = sum(_turn(known[name], now) for name in known)
    Breach.objects.filter(over_at__lt=now - _KEPT).delete()
    return looked


def everything(now: datetime) -> list[PromiseState]:
    """Look after all promises at once over every row, however young; for tests and the command line."""
    known = promises()
    PromiseState.objects.bulk_create((PromiseState(name=name) for name in known), ignore_conflicts=True)
    for promise in known.values():
        _look(promise, now, settled=timedelta(0))
    return list(PromiseState.objects.filter(name__in=known).order_by("name"))


def _turn(promise: Promise, now: datetime) -> bool:
    due = Q(looked_at__isnull=True) | Q(looked_at__lte=now - promise.every) | Q(looked_at__gt=now)
    if not PromiseState.objects.filter(due, name=promise.name).update(looked_at=now):
        return False
    _look(promise, now)
    return True


def _look(promise: Promise, now: datetime, settled: timedelta | None = None) -> None:
    began = time.perf_counter()
    try:
        _keep(promise, now, settled)
    except Exception as error:  # noqa: BLE001 (a look that fails must say so and stop no other)
        values: dict[str, Any] = {"error": f"{type(error).__name__}: {error}"[:300]}
    else:
        values = {"error": "", "known_at": now}
    took = int((time.perf_counter() - began) * 1000)
    PromiseState.objects.filter(name=promise.name).update(looked_at=now, took_ms=took, **values)


def _keep(promise: Promise, now: datetime, settled: timedelta | None) -> None:
    look = promise.look
    if isinstance(look, Asked) and look.outside:
        # Others may take their time: no transaction waits for them.
        found = list(look.ask(now, 0, 0))
        with transaction.atomic():
            state = PromiseState.objects.select_for_update().get(name=promise.name)
            _settle(state, found, now, all_of_it=True)
        return
    until = time.monotonic() + _LONGEST
    while True:
        with _limited():
            state = PromiseState.objects.select_for_update().get(name=promise.name)
            if isinstance(look, Standing):
                _settle(state, _standing(look, now), now, all_of_it=True)
                return
            if isinstance(look, Asked) and not look.table:
                _settle(state, list(look.ask(now, 0, 0)), now, all_of_it=True)
                return
            more = _portion(state, look, now, settled)
        if not more or time.monotonic() > until:
            return


@contextmanager
def _limited() -> Iterator[None]:
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT set_config('statement_timeout', %s, true)", [str(_LIMIT_MS)])
        yield
        with connection.cursor() as cursor:
            # Inside a test's own transaction the limit would outlive the look.
            cursor.execute("SET LOCAL statement_timeout TO DEFAULT")


def _standing(look: Standing, now: datetime) -> list[Found]:
    return [_found(row) for row in statements.rows(look.sql, {"now": now, "most": MOST + 1})]


def _portion(state: PromiseState, look: Passing | Asked, now: datetime, settled: timedelta | None) -> bool:
    """Look at the next rows, and at those that were broken; whether more is there."""
    after = state.mark
    young = now - (look.settled if settled is None else settled)
    upto, more = _next(look, after, young)
    found = _passing(look, now, after, upto) if upto > after else []
    open_ = state.breaches.filter(over_at__isnull=True, row__isnull=False, row__lte=after).order_by("id")
    again = [(one.key, one.row) for one in open_[:_AGAIN] if one.row is not None]
    still = {one.key for _key, row in again for one in _passing(look, now, row - 1, row)}
    state.mark = upto
    over = {key for key, _row in again if key not in still}
    _settle(state, found, now, over=over)
    return more


def _next(look: Passing | Asked, after: int, young: datetime) -> tuple[int, bool]:
    """The id up to which rows can be asked about now, and whether there are more behind it."""
    if isinstance(look, Passing) and look.ahead:
        upto, more = statements.rows(look.ahead, {"after": after})[0]
        return (after if upto is None else upto), bool(more)
    rows = statements.rows(
        "SELECT max(id), count(*), min(id) FILTER (WHERE at > %(young)b)"  # noqa: S608
        f" FROM (SELECT id, {look.since} AS at FROM {look.table}"
        " WHERE id > %(after)b ORDER BY id LIMIT %(portion)b) AS r",
        {"after": after, "portion": PORTION, "young": young},
    )
    upto, count, first_young = rows[0]
    # Ids come in order of time but for what is written at the same moment: the first young row ends it.
    if first_young is not None:
        return max(first_young - 1, after), False
    return (after if upto is None else upto), count == PORTION


def _passing(look: Passing | Asked, now: datetime, after: int, upto: int) -> list[Found]:
    if isinstance(look, Asked):
        return list(look.ask(now, after, upto))
    rows = statements.rows(look.sql, {"now": now, "after": after, "upto": upto})
    return [_found(row) for row in rows]


def _settle(
    state: PromiseState,
    found: Sequence[Found],
    now: datetime,
    *,
    all_of_it: bool = False,
    over: Collection[str] = (),
) -> None:
    """Write down what is broken, and what is not any more."""
    standing = state.breaches.filter(over_at__isnull=True)
    if not found and not standing.exists():
        # As nearly always: one look and one write.
        state.open, state.since, state.oldest = 0, None, None
        state.save(update_fields=["mark", "open", "since", "oldest"])
        return
    keys = {one.key for one in found}
    if all_of_it and len(found) <= MOST:
        standing.exclude(key__in=keys).update(over_at=now)
    elif over:
        standing.filter(key__in=over).update(over_at=now)
    room = MOST - standing.count()
    known = set(standing.filter(key__in=keys).values_list("key", flat=True))
    fresh = list({one.key: one for one in found if one.key not in known}.values())[: max(room, 0)]
    Breach.objects.bulk_create(
        (
            Breach(
                promise=state, key=one.key[:120], at=one.at, about=dict(one.about), row=one.row, found_at=now
            )
            for one in fresh
        ),
        ignore_conflicts=True,
    )
    still = standing.filter(settled_at__isnull=True)
    state.open = still.count()
    state.since = still.order_by("found_at").values_list("found_at", flat=True).first()
    # Since when it waits, which may be long before anybody looked.
    state.oldest = still.exclude(at=None).order_by("at").values_list("at", flat=True).first()
    state.save(update_fields=["mark", "open", "since", "oldest"])


def _found(row: Sequence[Any]) -> Found:
    key, at, about, *rest = row
    return Found(str(key), at, msgspec.json.decode(about) if isinstance(about, str) else about, *rest)


class Account(NamedTuple):
    """What there is to say in one line."""

    broken: int
    "Promises that do not hold."
    violations: int
    uncertain: int
    oldest: datetime | None
    "When the oldest of what is uncertain or broken began."
    unknown: int
    "Promises of which the last look failed, or that nobody has looked after for long."
    looked_at: datetime | None


#: Nobody having looked for this long says that the auditor itself stands still.
SILENT = timedelta(minutes=5)


def account(now: datetime) -> Account:
    """The state of all promises together. One statement."""
    known = promises()
    states = list(PromiseState.objects.filter(name__in=known))
    alarms = [one for one in states if known[one.name].alarms]
    oldest = [one.oldest for one in states if one.open and one.oldest]
    late = [
        one
        for one in states
        if one.error or one.known_at is None or one.known_at < now - max(SILENT, known[one.name].every * 3)
    ]
    return Account(
        broken=sum(one.open > 0 for one in alarms),
        violations=sum(one.open for one in alarms),
        uncertain=sum(one.open for one in states if not known[one.name].alarms),
        oldest=min(oldest, default=None),
        unknown=len(late) + len(known) - len(states),
        looked_at=max((one.looked_at for one in states if one.looked_at), default=None),
    )


def settle_by_hand(breaches: Iterable[int], name: str, who: str, now: datetime) -> int:
    """Take breaches for dealt with: they alarm no more, and stay to be read. Returns how many."""
    with transaction.atomic():
        state = PromiseState.objects.select_for_update().get(name=name)
        chosen = state.breaches.filter(pk__in=list(breaches), over_at__isnull=True, settled_at__isnull=True)
        settled = chosen.update(settled_at=now, settled_by=who[:150])
        _settle(state, [], now)
    return settled
