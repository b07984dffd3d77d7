"""Hits in the spool: once each, whatever dies, is full or is away."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import psycopg
import pytest

from channels import hit_files
from channels.hit_spool import Spool, Table, bring_in
from channels.hits import NewHit, encoded, write
from channels.models import Hit, HitSpool
from contacts.group_commit import StoreDown
from tests import elsewhere
from tests.factories import NOON


def hit(number: int = 1, **values: object) -> NewHit:
    return NewHit(NOON, "open", number, NOON, data={"agent": "Agent ü", "n": number}, **values)  # type: ignore[arg-type]


class Books:
    """A place of the spool in memory; ``down`` while nobody answers."""

    def __init__(self) -> None:
        self.rows: list[bytes] = []
        self.upto: dict[str, int] = {}
        self.down = False

    def taken(self, name: str) -> int:
        return self.upto.get(name, 0)

    def take(self, name: str, rows: Sequence[bytes], upto: int) -> None:
        if self.down:
            raise psycopg.OperationalError("away")
        self.rows += rows
        self.upto[name] = upto

    def forget(self, name: str) -> None:
        self.upto.pop(name, None)


@pytest.mark.django_db(transaction=True)
def test_what_is_written_down_is_taken_in_as_it_was(tmp_path: Path) -> None:
    whole = [hit(1, link_id=3), hit(2), NewHit(NOON, "delivered", provider_id=7, receipt_key="é")]
    spool = Spool(tmp_path, Table())
    spool.store(whole)
    assert spool.settle()
    write(whole)
    columns = [one.name for one in Hit._meta.fields if one.name != "id"]
    rows = list(Hit.objects.order_by("id").values_list(*columns))
    assert rows[:3] == rows[3:]
    assert HitSpool.objects.count() == 1
    spool.close()
    assert list(tmp_path.iterdir()) == []
    assert not HitSpool.objects.exists()


def test_hits_wait_while_the_place_is_away_and_none_is_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("channels.hit_spool._AFTER_FAILURE", 0.01)
    books = Books()
    books.down = True
    spool = Spool(tmp_path, books)
    spool.store([hit(number) for number in range(50)])
    assert not spool.settle(0.05)
    books.down = False
    assert spool.settle()
    assert books.rows == [encoded(hit(number)) for number in range(50)]
    spool.close()


def test_files_that_grow_large_are_left_for_new_ones(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("channels.hit_spool._LARGEST", 500)
    books = Books()
    spool = Spool(tmp_path, books)
    for number in range(100):
        spool.store([hit(number)])
    spool.close()
    # A new file may be taken in a moment before the one that became full: hits do not rest on each other.
    assert sorted(books.rows) == sorted(encoded(hit(number)) for number in range(100))
    assert list(tmp_path.iterdir()) == []


def test_a_torn_end_hides_nothing_before_it_and_damage_is_kept_to_be_seen(tmp_path: Path) -> None:
    whole = hit_files.framed(encoded(hit(number)) for number in range(20))
    torn, damaged = tmp_path / "a.hits", tmp_path / "b.hits"
    torn.write_bytes(whole[:-5])
    damaged.write_bytes(whole[:30] + b"\0" * 5000)
    books = Books()
    spool = Spool(tmp_path, books)
    spool.store([hit(99)])
    spool.close()
    assert books.rows == [*(encoded(hit(number)) for number in range(19)), encoded(hit(99))]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["b.damaged"]


def test_a_file_that_somebody_holds_is_left_alone(tmp_path: Path) -> None:
    books, others = Books(), Books()
    others.down = True
    holder = Spool(tmp_path, others)
    holder.store([hit()])
    second = Spool(tmp_path, books)
    second.close()
    assert books.rows == []
    others.down = False
    assert holder.settle()
    holder.close()


def test_a_full_disk_keeps_what_was_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    books = Books()
    spool = Spool(tmp_path, books)
    spool.store([hit(1)])
    real = os.write
    with monkeypatch.context() as full:
        full.setattr(os, "write", lambda handle, data: real(handle, data[:7]))
        with pytest.raises(StoreDown):
            spool.store([hit(2)])
    spool.store([hit(3)])
    spool.close()
    assert books.rows == [encoded(hit(1)), encoded(hit(3))]


_DIES = """
import os, time
from channels.hit_spool import Spool, Table
from tests.channels.test_hit_spool import hit
spool = Spool(folder, Table())
told = journal.open("ab", buffering=0)
for number in range(300):
    spool.store([hit(number)])
    told.write(b"%d\\n" % number)
    if number == 100:
        spool.settle()
time.sleep(waits)
os.kill(os.getpid(), 9)
"""


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("point", ["", "spool.before_commit:2", "spool.after_commit:2"])
def test_what_was_answered_before_a_kill_comes_in_once(tmp_path: Path, point: str) -> None:
    folder = tmp_path / "spool"
    folder.mkdir()
    journal = tmp_path / "answered"
    died = elsewhere.run(_DIES, folder=folder, journal=journal, waits=30 if point else 0, crashpoint=point)
    assert died in (-9, 137)
    answered = set(map(int, journal.read_text().split()))
    bring_in(folder)
    kept = list(Hit.objects.values_list("message_id", flat=True))
    assert answered <= set(kept)
    assert len(kept) == len(set(kept))
    assert list(folder.iterdir()) == []
