"""A mail server that is the truth outside the system: it writes down each mail before it says yes.

Run as a program: ``python -m tests.faults.witness PORT LOG``. One line a mail, "recipient message-id", on
disk before the reply, so that what it acknowledged is in the log whatever is killed.
"""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path


class Witness:
    def __init__(self, log: Path) -> None:
        self.log = log.open("a", encoding="utf-8")

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 witness\r\n")
        recipient = ""
        try:
            while line := await reader.readline():
                command = line.strip().upper()
                if command.startswith((b"EHLO", b"HELO")):
                    writer.write(b"250-witness\r\n250-PIPELINING\r\n250 8BITMIME\r\n")
                elif command.startswith(b"RCPT"):
                    recipient = line.split(b"<", 1)[1].split(b">", 1)[0].decode()
                    writer.write(b"250 ok\r\n")
                elif command == b"DATA":
                    writer.write(b"354 go on\r\n")
                    await writer.drain()
                    self._write_down(recipient, await self._body(reader))
                    writer.write(b"250 taken\r\n")
                elif command == b"QUIT":
                    writer.write(b"221 bye\r\n")
                    break
                else:
                    writer.write(b"250 ok\r\n")
                await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # a killed client is what this is for
        finally:
            writer.close()

    async def _body(self, reader: asyncio.StreamReader) -> list[bytes]:
        lines = []
        while (line := await reader.readline()) not in (b".\r\n", b""):
            lines.append(line)
        if not line:
            raise ConnectionError
        return lines

    def _write_down(self, recipient: str, lines: list[bytes]) -> None:
        headers = (line.decode("ascii", "replace").strip().partition(":") for line in lines)
        message_id = next((value.strip() for name, _, value in headers if name.lower() == "message-id"), "")
        self.log.write(f"{recipient} {message_id}\n")
        self.log.flush()
        os.fsync(self.log.fileno())


async def main(port: int, log: Path) -> None:
    server = await asyncio.start_server(Witness(log).serve, "127.0.0.1", port)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), Path(sys.argv[2])))
