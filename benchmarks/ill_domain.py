"""How long mails to a healthy domain take while another one says nothing, on the same mail server.

Mails come at a steady pace and leave by the workers of an installation; a delay runs from when a mail was
due to when the server had it. First the healthy domain alone, then with one mail in ten to one that never
answers. A part of ``benchmarks.delivery``.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
import uuid
from datetime import UTC, datetime

from django.conf import settings
from django.db import connection

from channels.delivery import Crew
from channels.models import Message, ProviderAccount
from contacts import slots
from contacts.models import Contact

_PACE = 100
_SECONDS = 30
_TIMEOUT = 5
_STEP = 0.05
#: The first one only warms up.
_PARTS = ("warm", "alone", "beside")


def clock(shift: float) -> datetime:
    """The time of day at which nothing is held back, going on as time does."""
    return datetime.fromtimestamp(time.time() + shift, UTC)


def work(shift: float) -> None:
    """One worker process, until it is killed."""
    crew = Crew()
    connection.ensure_connection()
    print("up", flush=True)
    while True:
        if not crew.deliver(lambda: clock(shift)):
            time.sleep(0.01)


def measure(noon: datetime) -> None:
    """Print the p95 of both halves and how much the delay grew. The database holds people and a template."""
    shift = (noon - datetime.now(UTC)).total_seconds()
    with tempfile.TemporaryFile("w+") as log:
        sink = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.smtp_sink", "log"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log, text=True,
        )  # fmt: skip
        assert sink.stdout
        account = ProviderAccount.objects.get(name="sink")
        account.settings |= {"port": int(sink.stdout.readline()), "timeout": _TIMEOUT}
        account.save()
        command = [sys.executable, "-m", "benchmarks.ill_domain", str(shift)]
        workers = [
            subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            for _ in range(settings.SEGUE_TASK_WORKERS)
        ]
        try:
            for worker in workers:
                assert worker.stdout
                worker.stdout.readline()
            people = list(Contact.objects.order_by("id")[:_PACE])
            due = {name: _offer(people, name, shift, ill=name == "beside") for name in _PARTS}
            time.sleep(2 * _TIMEOUT)
        finally:
            for process in (*workers, sink):
                process.kill()
                process.wait()
        log.seek(0)
        _tell(due, log.read().splitlines())


def _offer(people: list[Contact], name: str, shift: float, *, ill: bool) -> dict[str, float]:
    """Let mails fall due at a steady pace; when each did, by address (Unix time)."""
    due: dict[str, float] = {}
    began = time.monotonic()
    offered = 0
    while offered < _PACE * _SECONDS:
        count = min(int((time.monotonic() - began) * _PACE), _PACE * _SECONDS) - offered
        now, moment = time.time(), clock(shift)
        rows = []
        for place in range(offered, offered + count):
            address = f"{name}{place}@" + ("ill.example" if ill and place % 10 == 0 else "fine.example")
            due[address] = now
            rows.append(_message(people[place % len(people)], address, moment))
        Message.objects.bulk_create(rows)
        offered += count
        time.sleep(_STEP)
    return due


def _message(person: Contact, address: str, moment: datetime) -> Message:
    return Message(
        created_at=moment, due_at=moment, slot=slots.of(person.id), contact=person, key=uuid.uuid4(),
        purpose="offers", channel="email", address=address, state=Message.State.QUEUED,
        content={"email": "cart-reminder-email"}, variables={},
    )  # fmt: skip


def _tell(due: dict[str, dict[str, float]], log: list[str]) -> None:
    came = {line.partition("<")[2].partition(">")[0]: float(line.partition(" ")[0]) for line in log}
    found = {}
    for name in _PARTS[1:]:
        mails = due[name]
        delays = sorted(came[one] - at for one, at in mails.items() if "@fine" in one and one in came)
        whole = sum("@fine" in one for one in mails)
        found[name] = delays[int(0.95 * (len(delays) - 1))] if delays else float("inf")
        print(f"healthy domain, {name}: {len(delays)} of {whole} mails, p95 {1000 * found[name]:.0f} ms")
    grown = found["beside"] / found["alone"] - 1
    print(f"a healthy domain's delay grows by {grown:.0%} while another one times out (under 20 % wanted)")


if __name__ == "__main__":
    work(float(sys.argv[1]))
