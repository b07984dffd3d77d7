"""A DNS server on loopback for tests: answers from a table of (name, type)."""

from __future__ import annotations

import socketserver
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.resolver
import dns.rrset


@contextmanager
def resolving(table: Mapping[tuple[str, str], Sequence[str]]) -> Iterator[dns.resolver.Resolver]:
    """A resolver that asks a server which knows ``table``; the text "silence" is never answered."""

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            raw, sock = self.request
            query = dns.message.from_wire(raw)
            asked = query.question[0]
            name, kind = str(asked.name).rstrip("."), dns.rdatatype.to_text(asked.rdtype)
            found = table.get((name, kind), ())
            if "silence" in found:
                return
            answer = dns.message.make_response(query)
            answer.flags |= dns.flags.RA
            if found:
                answer.answer.append(dns.rrset.from_text_list(asked.name, 60, "IN", kind, list(found)))
            elif not any(one == name for one, _kind in table):
                answer.set_rcode(dns.rcode.NXDOMAIN)
            sock.sendto(answer.to_wire(), self.client_address)

    with socketserver.ThreadingUDPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        resolver = dns.resolver.Resolver(configure=False)
        resolver.nameservers, resolver.port = ["127.0.0.1"], server.server_address[1]
        try:
            yield resolver
        finally:
            server.shutdown()
            thread.join()
