"""A mail server that takes everything and keeps nothing: ``python -m benchmarks.smtp_sink`` prints its port.

On its standard input a line asks how many mails it has taken since the last such line.
"""

from __future__ import annotations

import asyncio
import sys

_EHLO = b"250-sink\r\n250-PIPELINING\r\n250 8BITMIME\r\n"
_END = b"\r\n.\r\n"


class _Sink(asyncio.Protocol):
    """Answers once for all that came together, so that it takes little of the processors."""

    taken = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport
        self.buffer = bytearray()
        self.in_data = False
        transport.write(b"220 sink\r\n")  # type: ignore[attr-defined]

    def data_received(self, data: bytes) -> None:
        buffer, at, said = self.buffer, 0, []
        looked = max(0, len(buffer) - len(_END))
        buffer += data
        while True:
            if self.in_data:
                end = buffer.find(_END, max(at, looked))
                if end < 0:
                    break
                at, self.in_data = end + len(_END), False
                _Sink.taken += 1
                said.append(b"250 2.0.0 taken\r\n")
                continue
            end = buffer.find(b"\n", at)
            if end < 0:
                break
            verb, at = bytes(buffer[at : at + 4]).upper(), end + 1
            said.append(self.answer(verb))
        del buffer[:at]
        if said:
            self.transport.write(b"".join(said))  # type: ignore[attr-defined]
        if said and said[-1].startswith(b"221"):
            self.transport.close()

    def answer(self, verb: bytes) -> bytes:
        if verb == b"EHLO":
            return _EHLO
        if verb == b"DATA":
            self.in_data = True
            return b"354 go on\r\n"
        return b"221 bye\r\n" if verb == b"QUIT" else b"250 ok\r\n"


async def main() -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(_Sink, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    while await loop.run_in_executor(None, sys.stdin.readline):
        print(_Sink.taken, flush=True)
        _Sink.taken = 0


if __name__ == "__main__":
    asyncio.run(main())
