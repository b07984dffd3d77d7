"""Homes of installations that somebody has migrated already: made once for a schema, then copied."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
import tempfile
from hashlib import sha256
from pathlib import Path

import psycopg
from psycopg import sql

from config.embedded import Servers
from config.server_place import place_for

ROOT = Path(__file__).resolve().parent.parent
_KEPT = ROOT / ".segue" / "test"
_MARK = "schema"
"The file beside a database that says which schema it has."


def schema_fingerprint() -> str:
    """Changes with whatever may change the schema."""
    files = sorted(ROOT.glob("*/migrations/*")) + sorted(ROOT.glob("*/models/*.py"))
    files += [ROOT / "requirements" / "base.txt", ROOT / "config" / "settings.py"]
    digest = sha256()
    for file in files:
        if file.is_file():
            digest.update(str(file.relative_to(ROOT)).encode())
            digest.update(file.read_bytes())
    return digest.hexdigest()[:12]


def template_database() -> str:
    """The migrated database that each home has besides its own, to copy from."""
    return f"segue_template_{schema_fingerprint()}"


def fill(home: Path) -> None:
    """Give ``home``, of which no server runs, a migrated database, unless it has one of this schema."""
    folder = place_for(home, durable=False).folder
    mark = folder / _MARK
    if mark.is_file() and mark.read_text(encoding="utf-8") == schema_fingerprint():
        return
    _empty(folder)
    _copy(_template(), folder)


def _template() -> Path:
    _KEPT.mkdir(parents=True, exist_ok=True)
    kept = _KEPT / f"home-{schema_fingerprint()}"
    with (_KEPT / "home.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not kept.is_dir():
            for old in _KEPT.glob("home-*"):
                shutil.rmtree(old)
            _make(kept)
    return kept


def _make(kept: Path) -> None:
    home = Path(tempfile.mkdtemp(prefix="segue-home-"))
    home.chmod(0o755)  # the servers' account has to pass
    servers = Servers(home, durable=False)
    try:
        servers.start(broker=False)
        try:
            _migrate(home, servers.database_url)
        finally:
            servers.stop()
        assert servers.folder is not None
        (servers.folder / _MARK).write_text(schema_fingerprint(), encoding="utf-8")
        draft = kept.with_name("draft-of-home")
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir()
        _copy(servers.folder, draft)
        draft.rename(kept)
    finally:
        shutil.rmtree(home)


def _migrate(home: Path, address: str) -> None:
    subprocess.run(
        [sys.executable, "manage.py", "migrate", "--no-input", "--verbosity", "0"],
        cwd=ROOT,
        env=os.environ | {"SEGUE_HOME": str(home), "DATABASE_URL": address},
        check=True,
    )
    name = sql.Identifier(template_database())
    with psycopg.connect(f"{address.rpartition('/')[0]}/postgres", autocommit=True) as server:
        server.execute(sql.SQL("CREATE DATABASE {} TEMPLATE segue").format(name))


def _empty(folder: Path) -> None:
    for entry in folder.iterdir():
        if entry.is_dir():
            shutil.rmtree(entry)
        else:
            entry.unlink()


def _copy(source: Path, into: Path) -> None:
    # With its owners: the servers' account is another than root's.
    subprocess.run(["cp", "-a", f"{source}/.", into], check=True)
