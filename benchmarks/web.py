"""Servers and a web process for the benchmarks of intake: durable PostgreSQL, granian, one source."""

import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
KEY = "wk_benchmark_key_of_one_source"


@contextmanager
def servers() -> Iterator[None]:
    """Our own durable PostgreSQL in a new folder, migrated, with one source; Django set up for it."""
    with tempfile.TemporaryDirectory(prefix="segue-bench-") as home:
        Path(home).chmod(0o755)
        os.environ["SEGUE_HOME"] = home
        # Counted for each request as always, but out of reach: it is the server's limit that is looked for.
        os.environ["SEGUE_INTAKE_RATE"] = "100000000"
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
        import django

        django.setup()
        from django.core.management import call_command

        from config.embedded import Servers, point_settings_at
        from contacts.intake_keys import digest
        from contacts.models import Source, SourceKey

        with Servers(Path(home)) as running:
            os.environ["DATABASE_URL"], os.environ["BROKER_URL"] = running.database_url, running.broker_url
            point_settings_at(running.database_url, running.broker_url)
            call_command("migrate", verbosity=0)
            source = Source.objects.create(name="Benchmark", slug="benchmark")
            SourceKey.objects.create(source=source, prefix=KEY[:8], digest=digest(KEY))
            yield


@contextmanager
def web(application: str, *, workers: int, threads: int) -> Iterator[int]:
    """granian with `application`; gives its port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    command = [sys.executable, "-m", "granian", "--interface", "wsgi", "--host", "127.0.0.1"]
    command += ["--port", str(port), "--workers", str(workers), "--blocking-threads", str(threads)]
    process = subprocess.Popen([*command, "--no-ws", "--log-level", "error", application], cwd=ROOT)
    try:
        for _ in range(200):
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                break
            except OSError:
                time.sleep(0.1)
        time.sleep(1)
        yield port
    finally:
        process.terminate()
        process.wait(20)


def empty_inbox() -> None:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE contacts_inboxitem")


def inbox_size() -> int:
    from contacts.models import InboxItem

    return InboxItem.objects.count()
