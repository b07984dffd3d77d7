"""A mail server that takes everything and keeps nothing: ``python -m benchmarks.smtp_sink`` prints its port.

It stands for a program in C on another machine, so it costs as little as Python can: one loop, and one answer
for all that came together. On its standard input a line asks what it did since the last such line; it says
how many mails it took and the microseconds of processor time that it spent. Whoever names a recipient at
``ill.example`` hears nothing more. With ``log`` it writes to standard error whom each mail was for and when.
"""

from __future__ import annotations

import select
import socket
import sys
import time

_EHLO = b"250-sink\r\n250-PIPELINING\r\n250 8BITMIME\r\n"
_END = b"\r\n.\r\n"


class Peer:
    """One connection. Of the text of a mail only the end is kept, to find the lone dot."""

    def __init__(self, connection: socket.socket, *, logs: bool) -> None:
        self.connection = connection
        self.logs = logs
        self.recipient = b""
        self.is_mute = False
        self.kept = b""
        self.in_data = False
        connection.send(b"220 sink\r\n")

    def hear(self, data: bytes) -> tuple[int, bool]:
        """Answer what came; how many mails ended in it, and whether the peer said goodbye."""
        data, at, taken, said = self.kept + data, 0, 0, b""
        while not self.is_mute:
            if self.in_data:
                end = data.find(_END, at)
                if end < 0:
                    # The dot may come in parts, but no more than four signs of its end are here.
                    at = max(at, len(data) - len(_END) + 1)
                    break
                at, self.in_data, taken = end + len(_END), False, taken + 1
                if self.logs:
                    print(time.time(), self.recipient.decode(), file=sys.stderr)
                said += b"250 2.0.0 taken\r\n"
            end = data.find(b"\n", at)
            if end < 0:
                break
            said += self.answer(data[at:end])
            at = end + 1
        self.kept = data[at:]
        if said:
            self.connection.send(said)
        return taken, said.endswith(b"221 bye\r\n")

    def answer(self, line: bytes) -> bytes:
        verb = line[:4].upper()
        if verb == b"RCPT":
            self.recipient = line
            self.is_mute = b"@ill.example" in line
            return b"" if self.is_mute else b"250 ok\r\n"
        if verb == b"EHLO":
            return _EHLO
        if verb == b"DATA":
            self.in_data = True
            return b"354 go on\r\n"
        return b"221 bye\r\n" if verb == b"QUIT" else b"250 ok\r\n"


class Sink:
    """Listens, and counts what its peers hand over."""

    def __init__(self) -> None:
        self.logs = sys.argv[1:] == ["log"]
        self.door = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.peers: dict[int, Peer] = {}
        self.poll = select.epoll()
        self.taken = 0
        self.spent = time.process_time()

    def run(self) -> None:
        """Serve until standard input ends."""
        asked, door = sys.stdin.fileno(), self.door.fileno()
        for one in (asked, door):
            self.poll.register(one, select.EPOLLIN)
        print(self.door.getsockname()[1], flush=True)
        while True:
            for handle, _events in self.poll.poll():
                if handle == door:
                    self.welcome()
                elif handle != asked:
                    self.serve(handle)
                elif not sys.stdin.readline():
                    return
                else:
                    self.tell()

    def welcome(self) -> None:
        connection, _address = self.door.accept()
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.peers[connection.fileno()] = Peer(connection, logs=self.logs)
        self.poll.register(connection.fileno(), select.EPOLLIN)

    def serve(self, handle: int) -> None:
        peer = self.peers[handle]
        try:
            data = peer.connection.recv(262_144)
            taken, gone = peer.hear(data) if data else (0, True)
        except OSError:
            taken, gone = 0, True
        self.taken += taken
        if gone:
            self.poll.unregister(handle)
            del self.peers[handle]
            peer.connection.close()

    def tell(self) -> None:
        now = time.process_time()
        print(self.taken, round(1e6 * (now - self.spent)), flush=True)
        self.taken, self.spent = 0, now


if __name__ == "__main__":
    Sink().run()
