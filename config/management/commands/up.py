"""`manage.py up`: everything that Segue needs, in one process tree."""

import os
import signal
import socket
import subprocess
import sys
import time
from argparse import ArgumentParser
from http.client import HTTPConnection, HTTPException
from typing import Any

from django.conf import settings
from django.core.management import get_commands
from django.core.management.base import BaseCommand, CommandError
from django.core.management.commands import migrate
from django.db import connections

from channels import starter
from config import celery_app, env, roles
from config.embedded import Servers, point_settings_at
from config.preparing import ADMIN, ensure_admin, ensure_pulses, ensure_write_key
from config.processes import ends_with_parent
from config.server_place import ServerError
from config.supervisor import Program, Supervisor
from contacts import clock, starter_consent, starter_purposes
from contacts.models import Contact
from contacts.privacy import restoring

_LAST_ONE_ENDS = 3.0
"Seconds given to an installation that is just going down."
_MANAGE = str(settings.BASE_DIR / "manage.py")


class Command(BaseCommand):
    help = "Start the servers, web, worker and beat; Ctrl-C stops all of them."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--no-demo", action="store_true", help="leave an empty database empty")

    def handle(self, *args: Any, no_demo: bool, **options: Any) -> None:
        began = time.monotonic()
        refuse_a_taken_port()
        for number in (signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.default_int_handler)
        servers = Servers(settings.SEGUE_HOME)
        try:
            start(servers)
            password, key = prepare()
            if not no_demo and "demo" in get_commands():
                self._warn(fill_if_empty())
            connections.close_all()
            supervisor = Supervisor(programs(), look_after=lambda: start(servers))
            supervisor.run(lambda: self._greet_when_ready(began, password, key))
        except ServerError as error:
            raise CommandError(str(error)) from error
        except KeyboardInterrupt:
            pass
        finally:
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
                signal.signal(number, signal.SIG_IGN)
            servers.stop()
        self.stdout.write("Stopped. Everything is kept for the next start.")

    def _warn(self, text: str) -> None:
        if text:
            self.stderr.write(text)

    def _greet_when_ready(self, began: float, password: str | None, key: str) -> bool:
        if not web_answers():
            return False
        address = settings.SEGUE_BASE_URL
        login = f"{ADMIN} / {password}" if password else "the account you made"
        self.stdout.write(
            f"""
  Segue is ready after {time.monotonic() - began:.0f} s.

    Back office   {address}/
    Login         {login}

  Try first: open Contacts and pick one to see everything that happened; then send an event of your own
  and watch it arrive on that page:

    curl -u {key}: {address}/v1/track -d '{{"userId": "you", "event": "Product Added"}}'

  Ctrl-C stops everything and keeps the data.
"""
        )
        self.stdout.flush()
        return True


def start(servers: Servers) -> bool:
    """Start what does not answer; True where an address is new."""
    changed = servers.start(database=not _named("DATABASE_URL"), broker=not _named("BROKER_URL"))
    if changed:
        point_settings_at(servers.database_url, servers.broker_url)
    return changed


_GIVEN = {name: env.text(name) for name in ("DATABASE_URL", "BROKER_URL")}


def _named(variable: str) -> bool:
    return bool(_GIVEN[variable])


def prepare() -> tuple[str | None, str]:
    """The administrator's password as long as it is the first one, and a key to try the intake with."""
    migrate.Command().run_from_argv([_MANAGE, "migrate", "--no-input", "--verbosity", "0"])
    # A backup may have been put in place since the last start; where none was, this looks and does nothing.
    restoring.restore(clock.now())
    ensure_pulses(celery_app)
    roles.ensure()
    starter_purposes.load()
    starter_consent.load(clock.now())
    starter.load_needed(clock.now())
    home = settings.SEGUE_HOME
    return ensure_admin(home / "admin_password"), ensure_write_key(home / "write_key")


def fill_if_empty() -> str:
    """Load the demo into an empty installation; what to say about it, if anything went wrong."""
    unfinished = settings.SEGUE_HOME / "demo.unfinished"
    if not Contact.objects.exists():
        unfinished.touch()
        done = subprocess.run(
            [sys.executable, _MANAGE, "demo"],
            check=False,
            env=os.environ | server_variables(),
            start_new_session=True,  # a Ctrl-C is ours to answer
            preexec_fn=ends_with_parent(signal.SIGKILL),
        )
        if done.returncode == 0:
            unfinished.unlink()
    if unfinished.exists():
        return f"The demo was not loaded to its end. To load it again, stop and delete {settings.SEGUE_HOME}."
    return ""


def server_variables() -> dict[str, str]:
    """What a child needs to find the servers. Without a variable it reads the file that `Servers` writes."""
    return {name: address for name, address in _GIVEN.items() if address}


def programs() -> list[Program]:
    python, port = sys.executable, str(settings.SEGUE_PORT)
    environment = {
        "PYTHONUNBUFFERED": "1",
        "SEGUE_SUPERVISED": "1",
        # Tasks come without payload and as JSON, so the usual reason for this warning does not hold.
        "PYTHONWARNINGS": "ignore:You're running the worker with superuser",
    }
    web = [python, "-m", "granian", "--interface", "wsgi", "--host", settings.SEGUE_HOST, "--port", port]
    web += [
        "--workers",
        str(settings.SEGUE_WEB_WORKERS),
        "--blocking-threads",
        str(settings.SEGUE_WEB_THREADS),
    ]
    web += ["--respawn-failed-workers", "--workers-kill-timeout", "5", "--no-ws", "--log-level", "error"]
    celery = [python, "-m", "celery", "--quiet", "--app", "config"]
    worker = [*celery, "worker", "--pool", "prefork", "--concurrency", str(settings.SEGUE_TASK_WORKERS)]
    worker += ["--without-gossip", "--without-mingle", "--without-heartbeat", "--loglevel", "WARNING"]
    beat = [*celery, "beat", "--loglevel", "WARNING", "--pidfile", ""]
    return [
        Program("web", [*web, "config.wsgi:application"], environment),
        Program("worker", worker, environment),
        Program("beat", beat, environment),
    ]


def web_answers() -> bool:
    connection = HTTPConnection("127.0.0.1", settings.SEGUE_PORT, timeout=2)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status == 200
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()


def refuse_a_taken_port() -> None:
    """Said before anything starts: the web server would share the port and answer every second request."""
    ends = time.monotonic() + _LAST_ONE_ENDS
    while time.monotonic() < ends:
        try:
            socket.create_connection(("127.0.0.1", settings.SEGUE_PORT), timeout=1).close()
        except OSError:
            return
        time.sleep(0.2)
    raise CommandError(
        f"Port {settings.SEGUE_PORT} is in use, perhaps by another Segue. "
        "Stop that, or choose another one: SEGUE_PORT=8001 make run"
    )
