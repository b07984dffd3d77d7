import pytest
from django.utils import timezone

from contacts.group_commit import StoreDown
from contacts.intake_keys import Keyring, Sender, digest, issue, load
from contacts.models import Source, SourceKey


class Clock:
    def __init__(self) -> None:
        self.time = 0.0

    def __call__(self) -> float:
        return self.time


class Store:
    """Keys as the database would give them, counting how often it is asked."""

    def __init__(self) -> None:
        self.keys = {digest("known"): Sender(7)}
        self.asked = 0
        self.down = False

    def __call__(self) -> dict[str, Sender]:
        self.asked += 1
        if self.down:
            raise StoreDown("down")
        return dict(self.keys)


def test_a_known_key_costs_no_question_for_a_few_seconds() -> None:
    store, clock = Store(), Clock()
    ring = Keyring(store, clock)
    assert [ring.sender_of("known") for _ in range(100)] == [Sender(7)] * 100
    assert store.asked == 1


def test_a_revoked_key_is_refused_within_seconds() -> None:
    store, clock = Store(), Clock()
    ring = Keyring(store, clock)
    ring.sender_of("known")
    store.keys.clear()
    clock.time += 3.1
    assert ring.sender_of("known") is None


def test_a_key_made_a_moment_ago_is_found() -> None:
    store, clock = Store(), Clock()
    ring = Keyring(store, clock)
    assert ring.sender_of("new") is None
    store.keys[digest("new")] = Sender(8)
    clock.time += 0.6
    assert ring.sender_of("new") == Sender(8)


def test_strangers_cannot_make_us_ask_for_each_guess() -> None:
    store, clock = Store(), Clock()
    ring = Keyring(store, clock)
    assert {ring.sender_of(f"guess {number}") for number in range(1_000)} == {None}
    assert store.asked == 1


def test_keys_are_not_declared_unknown_while_the_store_is_down() -> None:
    store, clock = Store(), Clock()
    store.down = True
    with pytest.raises(StoreDown):
        Keyring(store, clock).sender_of("known")


@pytest.mark.django_db(transaction=True)
def test_only_keys_in_use_of_active_sources_are_loaded() -> None:
    shop = Source.objects.create(name="Shop", slug="shop")
    closed = Source.objects.create(name="Closed", slug="closed", active=False)
    _key, used = issue(shop, SourceKey.Scope.WRITE)
    revoked, _text = issue(shop, SourceKey.Scope.SERVER)
    SourceKey.objects.filter(pk=revoked.pk).update(revoked_at=timezone.now())
    issue(closed, SourceKey.Scope.WRITE)
    ended, _text = issue(shop, SourceKey.Scope.WRITE)
    SourceKey.objects.filter(pk=ended.pk).update(ends_at=timezone.now())
    assert load() == {digest(used): Sender(shop.pk)}


@pytest.mark.django_db
def test_a_key_is_kept_as_its_digest_only() -> None:
    shop = Source.objects.create(name="Shop", slug="shop")
    key, text = issue(shop, SourceKey.Scope.WRITE)
    row = SourceKey.objects.filter(pk=key.pk).values().get()
    assert text not in repr(row)
    assert text.startswith(row["prefix"])
    assert len(text) > 30
