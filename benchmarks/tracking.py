"""Pixels and clicks over 64 connections, half of each, against a plain Django view in the same run.

The plain view inserts a row, commits and answers; ours checks the signature, puts the hit into the spool and
answers, while the spool goes on into the database. Both run under granian with two workers. A third run is
killed with `kill -9` while it is under load: every hit that was answered is in the database afterwards, once.

The load is made by `wrk` where there is one (apt-get install wrk), else by our own sender.
"""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path

import psutil
from django.conf import settings
from django.db import connection

from benchmarks.harness import Load, report, started, web
from channels import links
from channels.hit_spool import Spool, Table
from channels.models import Hit
from channels.tracking import CLICK, OPEN

SECONDS = float(os.environ.get("SECONDS", "6"))
CONNECTIONS = 64
OURS = [(2, 1), (2, 2), (2, 8), (2, 32)]
PLAIN = [(2, 2), (2, 8), (2, 32)]
AGENT = "Mozilla/5.0 (Macintosh; Intel Mac OS X 14_1) AppleWebKit/605.1.15 Version/18.4 Safari/605.1.15"
_MESSAGES = 2_000


def our_paths() -> list[str]:
    """A pixel and a link of each of many messages."""
    now = datetime.now(UTC)
    (link,) = links.ids(["https://elsewhere.example/spring?a=1"]).values()
    sign = links.signer().sign
    opens = [f"/t/o/{sign(OPEN, number, now)}.gif" for number in range(1, _MESSAGES)]
    clicks = [f"/t/c/{sign(CLICK, number, now, link)}" for number in range(1, _MESSAGES)]
    return [path for pair in zip(opens, clicks, strict=True) for path in pair]


def plain_paths() -> list[str]:
    (link,) = links.ids(["https://elsewhere.example/spring?a=1"]).values()
    return [path for number in range(1, _MESSAGES) for path in (f"/o/{number}", f"/c/{number}/{link}")]


def send(port: int, paths: list[str], seconds: float) -> dict[str, float]:
    """Ask for ``paths`` round and round; requests answered as they should be, rate and p99 in seconds."""
    if shutil.which("wrk") is None:
        return _by_hand(port, paths, seconds)
    with tempfile.TemporaryDirectory() as folder:
        listed = ",".join(f'"{path}"' for path in paths)
        script = Path(folder) / "paths.lua"
        script.write_text(
            f"local paths = {{{listed}}}\nlocal n = math.random(#paths)\n"
            "request = function() n = n % #paths + 1; return wrk.format('GET', paths[n]) end\n"
            "done = function(summary, latency, requests)\n"
            '  io.write(string.format("SAID %d %d %.6f %.6f\\n", summary.requests,'
            " summary.errors.status + summary.errors.read + summary.errors.write + summary.errors.timeout"
            " + summary.errors.connect, summary.duration / 1e6, latency:percentile(99) / 1e6))\nend\n"
        )
        command = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds:.0f}s", "-H", f"User-Agent: {AGENT}"]
        output = subprocess.run(
            [*command, "-s", str(script), f"http://127.0.0.1:{port}/"],
            check=True,
            capture_output=True,
            text=True,
        ).stdout
    said = re.search(r"SAID (\d+) (\d+) ([\d.]+) ([\d.]+)", output)
    assert said, output
    requests, errors, taken, p99 = (float(one) for one in said.groups())
    assert not errors, output
    return {"requests": requests, "rate": requests / taken, "p99": p99}


def _by_hand(port: int, paths: list[str], seconds: float) -> dict[str, float]:
    order = {"port": port, "paths": paths, "connections": CONNECTIONS, "seconds": seconds, "agent": AGENT}
    output = subprocess.run(
        [sys.executable, "-m", "benchmarks.fetchers"], input=json.dumps(order), check=True,
        stdout=subprocess.PIPE, text=True,
    ).stdout  # fmt: skip
    found: dict[str, float] = json.loads(output)
    return found


def measure(what: str, workers: int, threads: int, spool: Path) -> dict[str, float]:
    """Requests a second, and that every answered one is in the table in the end."""
    target, module, paths = {
        "ours": ("config.wsgi:application", "config.settings", our_paths()),
        "plain": ("benchmarks.plain_tracking_view:application", "benchmarks.plain_tracking", plain_paths()),
    }[what]
    empty()
    spool = spool / f"{what}-{threads}"
    variables = {"DJANGO_SETTINGS_MODULE": module, "SEGUE_SPOOL": str(spool)}
    with web(target, workers=workers, threads=threads, variables=variables) as port:
        warm = send(port, paths, 1.0)
        found = send(port, paths, SECONDS)
        late = wait_for(int(warm["requests"] + found["requests"]))
    print(
        f"  {what:<6} {workers} x {threads:<3} {found['rate']:7.0f}/s  p99 {found['p99'] * 1e3:5.1f} ms"
        f"  all in the table {late * 1e3:.0f} ms after the last answer"
    )
    return found


def wait_for(answered: int, patience: float = 60.0) -> float:
    """Seconds until the table holds all that was answered; a request cut off by the end may be one more."""
    began = time.monotonic()
    while (kept := Hit.objects.count()) < answered:
        assert time.monotonic() - began < patience, f"{answered - kept} answered hits are missing"
        time.sleep(0.02)
    assert kept <= answered + 2 * CONNECTIONS, f"{kept} hits of {answered} answers"
    return time.monotonic() - began


def killed(spool: Path) -> None:
    """Kill the workers under load, again and again; what was answered must be there, once."""
    empty()
    spool = spool / "killed"
    paths, answered = our_paths(), 0
    variables = {"SEGUE_SPOOL": str(spool)}
    for _round in range(3):
        with web(workers=2, threads=8, variables=variables) as port:
            order = {"port": port, "paths": paths, "connections": 16, "seconds": 1.5, "agent": AGENT}
            sender = subprocess.Popen(
                [sys.executable, "-m", "benchmarks.fetchers", "--until-cut"],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
            )  # fmt: skip
            assert sender.stdin
            sender.stdin.write(json.dumps(order))
            sender.stdin.close()
            time.sleep(1.0)
            (server,) = [one for one in psutil.Process().children() if "granian" in " ".join(one.cmdline())]
            for one in [*server.children(recursive=True), server]:
                one.send_signal(signal.SIGKILL)
            assert sender.stdout
            answered += int(json.loads(sender.stdout.read())["requests"])
            sender.wait()
    # Whoever comes next takes in what the dead left.
    Spool(spool, Table()).close()
    kept = Hit.objects.count()
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM (SELECT FROM channels_hit GROUP BY received_at, kind, message_id"
                       " HAVING count(*) > 1) AS d")  # fmt: skip
        (twice,) = cursor.fetchone() or (0,)
    assert kept >= answered, f"{answered - kept} answered hits are lost"
    assert not twice
    assert not list(spool.glob("*.hits"))
    print(
        f"  killed 3 times: {answered} answered, {kept} kept (those not yet answered may be), 0 lost, 0 twice"
    )


def empty() -> None:
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE channels_hit, channels_hitspool")


def main() -> None:
    with started(broker=False), tempfile.TemporaryDirectory(dir=settings.SEGUE_HOME) as folder:
        spool = Path(folder) / "spool"
        spool.mkdir()
        with Load() as used:
            plain = [measure("plain", *setting, spool) for setting in PLAIN]
            ours = [measure("ours", *setting, spool) for setting in OURS]
        print(f"  {used}")
        killed(spool)
        best = max(one["rate"] for one in ours)
        report("tracking", best, max(one["rate"] for one in plain))


if __name__ == "__main__":
    main()
