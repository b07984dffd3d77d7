"""The invented part of the play: visits to the web shop, carts, sign-ups, drawn from the seed."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from config.demo.people import SEED, Person
from contacts.intake_event import IntakeEvent

Told = tuple[str, IntakeEvent]

#: Of the real orders in the play, this share gets a web cart some hours before: those carts convert.
_ORDERS_WITH_CART = 0.18
_CART_PER_VISIT = 0.3
_SIGN_UPS_A_DAY = 9
_STRANGERS_A_DAY = 40
SHOP = "https://shop.example.com"


class Visits:
    """Draws what people do in the web shop. The same seed gives the same story."""

    def __init__(self, people: Sequence[Person], products: Sequence[dict[str, Any]]) -> None:
        self.people = list(people)
        self.products = list(products)
        self.dice = random.Random(SEED)  # noqa: S311 - a story, not a secret
        self.count = 0

    def all(self, begins: datetime, days: int, orders: Sequence[IntakeEvent]) -> list[Told]:
        """Every invented event of the play, in order of time."""
        by_id = {person.user_id: person for person in self.people}
        told: list[Told] = []
        for day in range(days):
            told += self._day(begins + timedelta(days=day))
        for order in orders:
            if self.dice.random() < _ORDERS_WITH_CART and order.user_id in by_id:
                before = order.occurred_at - timedelta(hours=self.dice.uniform(1, 20))
                if before >= begins:
                    told += self.visit(by_id[order.user_id], before, cart=True)
        return sorted(told, key=lambda item: item[1].occurred_at)

    def visit(self, person: Person, at: datetime, *, cart: bool | None = None, of: str = "") -> list[Told]:
        """One visit of a known person: pages, products and perhaps a cart."""
        seen = self.dice.sample(self.products, self.dice.randint(1, 5))
        told = [
            self._event(person.user_id, f"web-{person.household}", "page", "Home", at, {"url": f"{SHOP}/"})
        ]
        for product in seen:
            at += timedelta(seconds=self.dice.randint(15, 150))
            told.append(
                self._event(person.user_id, f"web-{person.household}", "track", "Product Viewed", at, product)
            )
        if cart if cart is not None else self.dice.random() < _CART_PER_VISIT:
            cart_id = f"cart-{person.household}-{self.count}"
            for product in seen[: self.dice.randint(1, 3)]:
                at += timedelta(seconds=self.dice.randint(5, 60))
                facts = {**product, "cart_id": cart_id, "quantity": self.dice.randint(1, 3), "campaign": of}
                told.append(
                    self._event(
                        person.user_id, f"web-{person.household}", "track", "Product Added", at, facts
                    )
                )
        return told

    def _day(self, day: datetime) -> Iterator[Told]:
        for person in self.people:
            if self.dice.random() < person.browses:
                yield from self.visit(person, self._moment(person, day))
        for person in self.dice.sample(self.people, _SIGN_UPS_A_DAY):
            at = self._moment(person, day)
            facts = {"method": self.dice.choice(("email", "card", "app"))}
            yield self._event(person.user_id, f"web-{person.household}", "track", "Signed Up", at, facts)
        for _stranger in range(_STRANGERS_A_DAY):
            anonymous = f"guest-{self.dice.getrandbits(40):010x}"
            at = day + timedelta(seconds=self.dice.randint(8 * 3600, 23 * 3600))
            for product in self.dice.sample(self.products, self.dice.randint(1, 3)):
                at += timedelta(seconds=self.dice.randint(10, 90))
                yield self._event(None, anonymous, "track", "Product Viewed", at, product)

    def _moment(self, person: Person, day: datetime) -> datetime:
        """A moment of that day around the person's usual hour, on the person's clock."""
        hour = min(22.9, max(7.0, self.dice.gauss(person.hour, 2.0)))
        local = datetime.combine(day.date(), time(int(hour), int(hour % 1 * 60)), ZoneInfo(person.zone))
        return local.astimezone(UTC) + timedelta(seconds=self.dice.randint(0, 59))

    def _event(
        self, user: str | None, anonymous: str, kind: str, name: str, at: datetime, facts: dict[str, Any]
    ) -> Told:
        self.count += 1
        return "web", IntakeEvent(
            type=kind,
            name=name,
            message_id=f"visit-{self.count}",
            occurred_at=at,
            user_id=user,
            anonymous_id=anonymous,
            properties=msgspec.Raw(msgspec.json.encode(facts)),
        )
