"""A line between two programs that can go silent: a TCP proxy with a switch."""

from __future__ import annotations

import select
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress


class Line:
    """Carries bytes between whoever connects to ``port`` and the ``target`` port, on this machine."""

    def __init__(self, target: int) -> None:
        self._target = target
        self._open = threading.Event()
        self._open.set()
        self._ended = threading.Event()
        self._door = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._door.getsockname()[1]
        self._pairs: list[tuple[socket.socket, socket.socket]] = []
        threading.Thread(target=self._serve, daemon=True).start()

    def silence(self) -> None:
        """From now on nothing passes, and nobody is told."""
        self._open.clear()

    def speak(self) -> None:
        self._open.set()

    def cut(self) -> None:
        """Reset every connection."""
        for pair in self._pairs:
            for end in pair:
                with suppress(OSError):
                    end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
                    end.close()
        self._pairs.clear()

    def close(self) -> None:
        self._ended.set()
        self._open.set()
        self._door.close()
        self.cut()

    def _serve(self) -> None:
        while not self._ended.is_set():
            try:
                caller, _address = self._door.accept()
            except OSError:
                return
            threading.Thread(target=self._carry, args=[caller], daemon=True).start()

    def _carry(self, caller: socket.socket) -> None:
        # While the line is silent a caller's connection is taken by the machine and answered by nobody.
        self._open.wait()
        with suppress(OSError, ValueError):
            called = socket.create_connection(("127.0.0.1", self._target))
            self._pairs.append((caller, called))
            other = {caller: called, called: caller}
            while not self._ended.is_set():
                ready, _, _ = select.select([caller, called], [], [], 0.2)
                for end in ready:
                    piece = end.recv(65536)
                    self._open.wait()
                    if not piece:
                        other[end].shutdown(socket.SHUT_WR)
                        return
                    other[end].sendall(piece)


@contextmanager
def line(target: int) -> Iterator[Line]:
    running = Line(target)
    try:
        yield running
    finally:
        running.close()
