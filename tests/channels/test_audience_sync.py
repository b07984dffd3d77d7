"""Audiences at their destinations: those who are wanted in, and nobody else."""

import csv
import hashlib
import zlib
from datetime import timedelta
from pathlib import Path

import pytest
from pytest_django import Settings

from channels import audience_sync, audiences, sealing
from channels.models import Audience, AudienceDeparture, AudienceMember
from contacts.group_commit import connect
from contacts.privacy import erasing
from tests.contracts.http_peer import http_peer
from tests.factories import NOON, make_contact, make_provider

pytestmark = pytest.mark.django_db


def _sha(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    account = make_provider("audience", kind="audience_csv", settings={"folder": str(tmp_path)})
    Audience.objects.create(name="Cart", slug="cart", provider=account)
    return tmp_path


def _rows(folder: Path) -> list[list[str]]:
    with (folder / "cart.csv").open(newline="") as file:
        return list(csv.reader(file))[1:]


def test_who_joins_is_in_the_file_by_hash_and_who_leaves_is_not(folder: Path) -> None:
    ann = make_contact(email="Ann@Example.com", phone="+33 6 12 34 56 78")
    bob = make_contact(email="bob@example.com")
    audiences.add([ann.id, bob.id], "cart", "test", NOON)
    assert audience_sync.sync(NOON) == 2
    assert sorted(_rows(folder)) == sorted(
        [[_sha("ann@example.com"), _sha("+33612345678")], [_sha("bob@example.com"), ""]]
    )
    audiences.remove([ann.id], "cart", "ordered", NOON + timedelta(hours=1))
    assert audience_sync.sync(NOON + timedelta(hours=1)) == 1
    assert _rows(folder) == [[_sha("bob@example.com"), ""]]
    assert set(AudienceMember.objects.values_list("contact_id", "state")) == {(ann.id, "out"), (bob.id, "in")}
    assert audience_sync.sync(NOON) == 0


def test_who_has_no_address_is_settled_without_being_told(folder: Path) -> None:
    nobody = make_contact(email="", phone="")
    audiences.add([nobody.id], "cart", "test", NOON)
    assert audience_sync.sync(NOON) == 0
    assert AudienceMember.objects.get().state == "in"
    assert not (folder / "cart.csv").exists()


def test_an_audience_is_told_by_one_worker_at_a_time(folder: Path) -> None:
    audiences.add([make_contact(email="ann@example.com").id], "cart", "test", NOON)
    audience = Audience.objects.get()
    with connect() as other:
        other.execute(
            "SELECT pg_advisory_lock(%s, %s)",
            [zlib.crc32(b"channels.audience_sync") & 0x7FFFFFFF, audience.pk],
        )
        assert audience_sync.sync(NOON) == 0
    assert audience_sync.sync(NOON) == 1


def test_a_destination_that_cannot_be_written_to_is_told_later(folder: Path) -> None:
    account = Audience.objects.get().provider
    assert account
    account.settings = {"folder": "/proc/nothing"}
    account.save()
    audiences.add([make_contact().id], "cart", "test", NOON)
    assert audience_sync.sync(NOON) == 0
    assert AudienceMember.objects.get().state == "adding"


def test_who_was_erased_leaves_by_digest(folder: Path) -> None:
    ann = make_contact(email="Ann@Example.com", phone="+33612345678")
    audiences.add([ann.id], "cart", "test", NOON)
    audience_sync.sync(NOON)
    assert len(_rows(folder)) == 1
    erasing.erase_unasked([ann.id], NOON)
    assert not AudienceMember.objects.exists()
    assert audience_sync.sync(NOON) == 1
    assert _rows(folder) == []
    assert not AudienceDeparture.objects.exists()


@pytest.mark.parametrize(
    ("mode", "wait"),
    [("busy", 120), ("busy_date", 300), ("busy_long", 6 * 3600), ("busy_negative", 0), ("busy_silent", 300)],
)
def test_no_list_of_an_account_is_told_before_the_time_that_its_destination_named(
    settings: Settings, mode: str, wait: int
) -> None:
    settings.SEGUE_LOCAL_HOSTS = ["127.0.0.1"]
    with http_peer() as peer:
        account = make_provider(
            "audience", kind="audience_meta", settings={"api_url": peer.url("v25.0")},
            secrets=sealing.seal({"token": "t"}),
        )  # fmt: skip
        for slug in ("cart", "story"):
            Audience.objects.create(name=slug, slug=slug, provider=account, remote_id="7")
            audiences.add([make_contact().id], slug, "test", NOON)
        peer.choose = lambda _asked: mode
        audience_sync.sync(NOON)
        asked = len(peer.asked)
        assert asked == (1 if wait else 2)
        peer.choose = lambda _asked: "ok"
        if wait:
            assert audience_sync.sync(NOON + timedelta(seconds=wait - 1)) == 0
            assert len(peer.asked) == asked
        assert audience_sync.sync(NOON + timedelta(seconds=wait)) == 2
