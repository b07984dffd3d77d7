"""A cheap load generator: kept connections, one request at a time on each, from a process of its own.

    python -m benchmarks.senders '{"port": 8000, "path": "/v1/track", "connections": 64, …}'

prints {"requests", "seconds", "p50", "p99", "statuses"} as JSON. A body is made of `pieces` around a number
that is never the same twice, so that no two events share a message id.
"""

import json
import selectors
import socket
import subprocess
import sys
import time
from collections import Counter
from typing import Any


class Connection:
    """One kept connection and the request that is under way on it."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.sent_at = 0.0
        self.received = b""

    def send(self, request: bytes) -> None:
        self.received = b""
        self.sent_at = time.perf_counter()
        self.socket.sendall(request)

    def answered(self) -> bool:
        """Read what has come; True when the answer is whole."""
        self.received += self.socket.recv(65536)
        head, found, body = self.received.partition(b"\r\n\r\n")
        if not found:
            return False
        length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r")[0])
        return len(body) >= length


def load(
    *, port: int, path: str, connections: int, seconds: float, headers: dict[str, str], pieces: list[str]
) -> dict[str, Any]:
    """Send for `seconds`; each request's body is `pieces` joined by numbers of twelve digits."""
    parts = [piece.encode() for piece in pieces]
    length = sum(map(len, parts)) + 12 * (len(parts) - 1)
    lines = [f"POST {path} HTTP/1.1", "Host: 127.0.0.1", f"Content-Length: {length}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    head = ("\r\n".join(lines) + "\r\n\r\n").encode()
    number = 0

    def request() -> bytes:
        nonlocal number
        body = [head, parts[0]]
        for part in parts[1:]:
            number += 1
            body += (b"%012d" % number, part)
        return b"".join(body)

    waiting = selectors.DefaultSelector()
    for _ in range(connections):
        connection = Connection(port)
        waiting.register(connection.socket, selectors.EVENT_READ, connection)
        connection.send(request())
    latencies: list[float] = []
    statuses: Counter[str] = Counter()
    started = time.perf_counter()
    end = started + seconds
    left = connections
    while left:
        for key, _events in waiting.select():
            connection = key.data
            if not connection.answered():
                continue
            now = time.perf_counter()
            latencies.append(now - connection.sent_at)
            statuses[connection.received[9:12].decode()] += 1
            if now < end:
                connection.send(request())
            else:
                left -= 1
    taken = time.perf_counter() - started
    latencies.sort()
    return {
        "requests": len(latencies),
        "seconds": taken,
        "p50": latencies[len(latencies) // 2],
        "p99": latencies[len(latencies) * 99 // 100],
        "statuses": dict(statuses),
    }


def send(**order: Any) -> dict[str, Any]:
    """Run `load` in a process of its own and return what it measured. Any answer but 200 stops the run."""
    command = [sys.executable, "-m", "benchmarks.senders", json.dumps(order)]
    output = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    measured: dict[str, Any] = json.loads(output)
    if set(measured["statuses"]) != {"200"}:
        raise SystemExit(f"answers other than 200: {measured['statuses']}")
    return measured


if __name__ == "__main__":
    print(json.dumps(load(**json.loads(sys.argv[1]))))
