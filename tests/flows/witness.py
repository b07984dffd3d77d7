"""Stands between a sender and the server, passes all on, and writes down what the server answered."""

from __future__ import annotations

import threading
from collections import Counter
from http.client import HTTPConnection, HTTPException
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self


class Witness:
    """`url` is where to send to; `answers` counts the statuses, and "none" where the server was dead."""

    def __init__(self, port: int) -> None:
        self.answers: Counter[str] = Counter()
        witness = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                server = HTTPConnection("127.0.0.1", port, timeout=20)
                try:
                    server.request("POST", self.path, body, dict(self.headers))
                    response = server.getresponse()
                    content = response.read()
                except (OSError, HTTPException):
                    # The sender must see what it would have seen: a connection that ends.
                    witness.answers["none"] += 1
                    self.close_connection = True
                    return
                finally:
                    server.close()
                witness.answers[str(response.status)] += 1
                self.send_response(response.status)
                for name, value in response.getheaders():
                    if name.lower() not in ("date", "server"):
                        self.send_header(name, value)
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the base class says so)
                pass

        class Server(ThreadingHTTPServer):
            def handle_error(self, request: object, client_address: object) -> None:
                witness.answers["broken off"] += 1

        self._server = Server(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
