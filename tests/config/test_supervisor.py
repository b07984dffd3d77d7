import io
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from http.client import HTTPConnection
from pathlib import Path

import psycopg
import pytest

from config.server_place import free_port
from config.supervisor import Screen
from tests import homes
from tests.waiting import eventually

ROOT = Path(__file__).resolve().parent.parent.parent
# A supervisor over two programs: one that waits, one that ends again and again.
STORY = """
import sys, time
from config.supervisor import Program, Supervisor
waits = [sys.executable, "-uc", "import os, time; print('waiting as', os.getpid()); time.sleep(600)"]
ends = [sys.executable, "-uc", "print('half a line', end=''); raise SystemExit(3)"]
programs = [Program("waits", waits, {}), Program("ends", ends, {})]
Supervisor(programs, look_after=lambda: False).run(lambda: True)
print("stopped", flush=True)
"""


class Told:
    """What a process writes, line by line as it comes."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.lines: list[str] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        self.lines.extend(iter(self.process.stdout.readline, ""))

    def says(self, text: str, seconds: float = 15, times: int = 1) -> str:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            found = [line for line in list(self.lines) if text in line]
            if len(found) >= times:
                return found[-1].strip()
            time.sleep(0.02)
        raise AssertionError(f"{text!r} was not said in:\n{''.join(self.lines)}")

    def ends(self, seconds: float = 30) -> int:
        code = self.process.wait(seconds)
        self._reader.join(5)
        assert self.process.stdout is not None
        self.process.stdout.close()
        return code


def is_running(pid: int) -> bool:
    """Zombies do not count: their reaping is somebody else's business."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def start(command: list[str], **variables: str) -> Told:
    kept = {name: value for name, value in os.environ.items() if name not in {"DATABASE_URL", "BROKER_URL"}}
    process = subprocess.Popen(
        command, cwd=ROOT, env=kept | variables, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    return Told(process)


def test_lines_stand_behind_the_name_of_their_program() -> None:
    out = io.StringIO()
    screen = Screen(["web", "worker"], out)
    screen.line("web", "hello")
    screen.line("worker", "there")
    assert out.getvalue() == "web    │ hello\nworker │ there\n"


def test_a_program_that_ends_is_started_again_after_growing_pauses() -> None:
    told = start([sys.executable, "-uc", STORY])
    told.says("ends ended (exit status 3)", times=2)
    told.says("starting it again in 0.5 s")
    told.says("starting it again in 1 s")
    told.process.terminate()
    assert told.ends() == 0
    assert told.lines[-1] == "stopped\n"


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_programs_end_with_their_supervisor(how: signal.Signals) -> None:
    told = start([sys.executable, "-uc", STORY])
    pid = int(told.says("waiting as").rpartition(" ")[2])
    told.process.send_signal(how)
    told.ends()
    assert eventually(lambda: not is_running(pid))


@pytest.fixture
def home() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="segue-up-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


Up = Callable[[int], Told]


@pytest.fixture
def up(home: Path) -> Iterator[Up]:
    """Brings everything up on a port; what a failed test leaves running is killed."""
    started: list[Told] = []

    def begin(port: int) -> Told:
        variables = {"SEGUE_HOME": str(home), "SEGUE_PORT": str(port)}
        sizes = {"SEGUE_WEB_WORKERS": "1", "SEGUE_WEB_THREADS": "4", "SEGUE_TASK_WORKERS": "1"}
        started.append(start([sys.executable, "manage.py", "up", "--no-demo"], **variables, **sizes))
        return started[-1]

    yield begin
    for told in started:
        told.process.kill()


def get(port: int, path: str) -> tuple[int, str]:
    connection = HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        return response.status, response.read().decode()
    finally:
        connection.close()


def answers(port: int) -> bool:
    try:
        return get(port, "/healthz")[0] == 200
    except OSError:
        return False


def send_event(home: Path, port: int, person: str) -> None:
    connection = HTTPConnection("127.0.0.1", port, timeout=5)
    body = json.dumps(
        {"userId": person, "event": "Product Added", "writeKey": (home / "write_key").read_text()}
    )
    connection.request("POST", "/v1/track", body)
    assert connection.getresponse().status == 200
    connection.close()


def knows(home: Path, person: str) -> bool:
    address = json.loads((home / "servers.json").read_text())["database_url"]
    with psycopg.connect(address) as connection:
        return bool(
            connection.execute("SELECT 1 FROM contacts_identifier WHERE value = %s", [person]).fetchone()
        )


def command_line(pid: int) -> str:
    return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()


def family(pid: int) -> list[int]:
    """All descendants."""
    parents: dict[int, list[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = int(stat.read_text().rpartition(")")[2].split()[1])
        except (FileNotFoundError, ProcessLookupError):
            continue
        parents.setdefault(parent, []).append(int(stat.parent.name))
    found, queue = [], [pid]
    while queue:
        children = parents.get(queue.pop(), [])
        found += children
        queue += children
    return found


@pytest.mark.slow
def test_one_command_brings_everything_up_and_one_signal_takes_everything_down(up: Up) -> None:
    port = free_port(0)
    told = up(port)
    told.says("Segue is ready", seconds=240)
    assert told.says("Login").split()[1] == "admin"
    assert get(port, "/healthz") == (200, '{"database": true, "broker": true, "log": true}')
    assert get(port, "/admin/")[0] == 302
    second = up(port)
    second.says("is in use")
    assert second.ends() == 1
    members = family(told.process.pid)
    assert len(members) > 6
    told.process.terminate()
    assert told.ends() == 0
    assert not [pid for pid in members if is_running(pid)]


@pytest.mark.slow
def test_killed_parts_come_back_and_a_killed_supervisor_takes_all_with_it(home: Path, up: Up) -> None:
    port = free_port(0)
    homes.fill(home)
    told = up(port)
    told.says("Segue is ready", seconds=240)
    broker = next(pid for pid in family(told.process.pid) if "valkey" in command_line(pid))
    send_event(home, port, "before")
    assert eventually(lambda: knows(home, "before"), 60)
    os.kill(broker, signal.SIGKILL)
    send_event(home, port, "after")
    assert eventually(lambda: knows(home, "after"), 60), "the worker did not find the broker again"
    postmaster = int((home / "servers" / "postgres" / "postmaster.pid").read_text().split()[0])
    os.kill(postmaster, signal.SIGKILL)
    assert eventually(lambda: not is_running(postmaster))
    assert eventually(lambda: answers(port), 60)
    web = next(pid for pid in family(told.process.pid) if "granian" in command_line(pid))
    os.kill(web, signal.SIGKILL)
    told.says("web ended (SIGKILL)")
    assert eventually(lambda: answers(port), 60)
    members = family(told.process.pid)
    told.process.kill()
    told.ends()
    assert eventually(lambda: not [pid for pid in members if is_running(pid)])
    assert not answers(port)
