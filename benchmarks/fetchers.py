"""A cheap load of GETs over kept connections, from a process of its own: the order as JSON on its input.

Prints {"requests", "rate", "p99"}. With ``--until-cut`` connections may break off: what was answered counts.
"""

import json
import selectors
import socket
import sys
import time
from typing import Any


def load(order: dict[str, Any], *, until_cut: bool) -> dict[str, float]:
    requests = [
        f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nUser-Agent: {order['agent']}\r\n\r\n".encode()
        for path in order["paths"]
    ]
    waiting = selectors.DefaultSelector()
    sent: dict[int, float] = {}
    place = 0
    for _ in range(order["connections"]):
        peer = socket.create_connection(("127.0.0.1", order["port"]))
        peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        waiting.register(peer, selectors.EVENT_READ)
        peer.sendall(requests[place])
        sent[peer.fileno()] = time.perf_counter()
        place = (place + 1) % len(requests)
    latencies: list[float] = []
    began = time.perf_counter()
    end, open_ = began + order["seconds"], order["connections"]
    while open_:
        for key, _events in waiting.select():
            found = key.fileobj
            assert isinstance(found, socket.socket)
            peer = found
            try:
                answer = peer.recv(65536)
                now = time.perf_counter()
                if answer:
                    assert answer[9:12] in (b"200", b"302"), answer
                    latencies.append(now - sent[peer.fileno()])
                    if now < end:
                        peer.sendall(requests[place])
                        sent[peer.fileno()] = now
                        place = (place + 1) % len(requests)
                        continue
                elif not until_cut:
                    raise ConnectionResetError
            except ConnectionError:
                if not until_cut:
                    raise
            waiting.unregister(peer)
            peer.close()
            open_ -= 1
    taken = time.perf_counter() - began
    latencies.sort()
    count = len(latencies)
    return {"requests": count, "rate": count / taken, "p99": latencies[count * 99 // 100] if count else 0.0}


if __name__ == "__main__":
    print(json.dumps(load(json.loads(sys.stdin.read()), until_cut="--until-cut" in sys.argv)))
