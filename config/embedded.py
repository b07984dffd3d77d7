"""PostgreSQL and Valkey of our own, from wheels: nothing to install, nothing left running.

`Servers(home).start()` starts what does not run yet and adopts what does; whoever started a server stops it.
A server whose starter was killed shuts itself down. "Running" means "answers", never "has a process id".
"""

import json
from pathlib import Path
from typing import Self

from config.server_place import Address, Place, Server, alone, ensure_running, place_for, write_privately
from config.server_postgres import Postgres
from config.server_valkey import Valkey


class Servers:
    """Both servers of one home. Use as `with Servers(home) as servers`, from the main thread."""

    def __init__(self, home: Path, *, durable: bool = True) -> None:
        self._home = home
        self._durable = durable
        self._ours: list[Server] = []
        self.database_url = ""
        self.broker_url = ""

    def start(self, *, database: bool = True, broker: bool = True) -> None:
        """Start or adopt, and write the addresses to `home/servers.json`, where the settings find them."""
        self._home.mkdir(parents=True, exist_ok=True)
        place = place_for(self._home, durable=self._durable)
        try:
            with alone(place.folder):
                if database:
                    postgres = Postgres(place)
                    address = self._run(postgres, place)
                    postgres.ensure_database(address)
                    self.database_url = (
                        f"postgresql://segue:{address.password}@127.0.0.1:{address.port}/segue"
                    )
                if broker:
                    address = self._run(Valkey(place), place)
                    self.broker_url = f"redis://:{address.password}@127.0.0.1:{address.port}/0"
                write_privately(
                    self._home / "servers.json",
                    json.dumps({"database_url": self.database_url, "broker_url": self.broker_url}),
                )
        except BaseException:
            self.stop()
            raise

    def _run(self, server: Server, place: Place) -> Address:
        # Listed before it runs, so that an interrupted start stops what it began.
        self._ours.append(server)
        address, started_here = ensure_running(server, place)
        if not started_here:
            self._ours.remove(server)
        return address

    def failed(self) -> bool:
        """Whether a server that was started here has ended by itself."""
        return any(server.exited() for server in self._ours)

    def stop(self) -> None:
        """Stop what was started here, the last one first; adopted servers stay."""
        while self._ours:
            self._ours.pop().stop()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
