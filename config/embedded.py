"""PostgreSQL and Valkey of our own, from wheels: nothing to install, nothing left running.

`Servers(home).start()` starts what does not run yet and adopts what does; whoever started a server stops it.
A server whose starter was killed shuts itself down. "Running" means "answers", never "has a process id".
"""

import json
from pathlib import Path
from typing import Self

from django.conf import settings
from django.db import connections

from config import env
from config.celery import app
from config.server_place import Place, alone, ensure_running, place_for, write_privately
from config.server_postgres import Postgres
from config.server_valkey import Valkey


class Servers:
    """Both servers of one home. Start them from the main thread: they end with it."""

    def __init__(self, home: Path, *, durable: bool = True) -> None:
        self._home = home
        self._durable = durable
        self._place: Place | None = None
        self._postgres: Postgres | None = None
        self._valkey: Valkey | None = None
        self.database_url = ""
        self.broker_url = ""

    def start(self, *, database: bool = True, broker: bool = True) -> bool:
        """Start what does not answer and adopt what does; True where an address is new.

        May be called again and again. The addresses also go to `home/servers.json`, where settings find them.
        """
        before = (self.database_url, self.broker_url)
        self._home.mkdir(parents=True, exist_ok=True)
        self._place = self._place or place_for(self._home, durable=self._durable)
        try:
            with alone(self._place.folder):
                if database:
                    self._start_postgres(self._place)
                if broker:
                    self._start_valkey(self._place)
                if changed := before != (self.database_url, self.broker_url):
                    addresses = {"database_url": self.database_url, "broker_url": self.broker_url}
                    write_privately(self._home / "servers.json", json.dumps(addresses))
        except BaseException:
            self.stop()
            raise
        return changed

    @property
    def folder(self) -> Path | None:
        """Where the servers keep their files, once they were started."""
        return self._place.folder if self._place else None

    def _start_postgres(self, place: Place) -> None:
        self._postgres = self._postgres or Postgres(place)
        address, started_here = ensure_running(self._postgres, place)
        if started_here or not self.database_url:
            self._postgres.ensure_database(address)
        self.database_url = f"postgresql://segue:{address.password}@127.0.0.1:{address.port}/segue"

    def _start_valkey(self, place: Place) -> None:
        self._valkey = self._valkey or Valkey(place)
        address, _ = ensure_running(self._valkey, place)
        self.broker_url = f"redis://:{address.password}@127.0.0.1:{address.port}/0"

    def stop(self) -> None:
        """Stop what was started here; adopted servers stay."""
        for server in (self._valkey, self._postgres):
            if server:
                server.stop()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def point_settings_at(database_url: str, broker_url: str) -> None:
    """Use these servers in a process that read its settings before they ran; an empty address is left out."""
    if database_url:
        # In place: connections hold on to this very dictionary.
        settings.DATABASES["default"].update(
            env.database("DATABASE_URL", database_url, pool=0, idle=settings.SEGUE_LEASE)
        )
        connections.close_all()
    if broker_url:
        settings.CELERY_BROKER_URL = broker_url
        app.conf.update(broker_url=broker_url)
