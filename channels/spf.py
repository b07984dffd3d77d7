"""SPF (RFC 7208), as far as it says whether a server is allowed: all, ip4, ip6, a, mx, include, redirect."""

from __future__ import annotations

import ipaddress
from typing import Protocol


class Known(Protocol):
    """What SPF asks the DNS."""

    def texts(self, name: str) -> list[str]: ...
    def addresses(self, name: str) -> list[str]: ...
    def mail_servers(self, name: str) -> list[str]: ...


class Spf:
    """One look at a policy. ``asked`` counts the names that it made us look up."""

    MOST = 10
    _DEEPEST = 12

    def __init__(self, known: Known) -> None:
        self._known = known
        self._seen: set[str] = set()

    @property
    def asked(self) -> int:
        return len(self._seen)

    def allows(self, domain: str, address: str) -> bool:
        """Whether ``address`` may send for ``domain``; what is not clear is not allowed."""
        return self._allows(domain, ipaddress.ip_address(address), 0)

    def includes(self, domain: str, other: str) -> bool:
        """Whether the policy of ``domain`` leads to that of ``other``, itself or through others."""
        return self._includes(domain, other.lower(), 0)

    def _policy(self, domain: str) -> list[str]:
        found = [text for text in self._known.texts(domain) if text.lower().split(" ")[0] == "v=spf1"]
        return found[0].lower().split()[1:] if len(found) == 1 else []

    def _allows(self, domain: str, ip: ipaddress.IPv4Address | ipaddress.IPv6Address, depth: int) -> bool:
        if depth > self._DEEPEST:
            return False
        terms = self._policy(domain)
        for term in terms:
            sign, bare = (term[0], term[1:]) if term[0] in "+-~?" else ("+", term)
            if self._matches(bare, domain, ip, depth):
                return sign == "+"
        further = next((term[9:] for term in terms if term.startswith("redirect=")), "")
        return bool(further) and self._allows(self._count(further), ip, depth + 1)

    def _matches(
        self, term: str, domain: str, ip: ipaddress.IPv4Address | ipaddress.IPv6Address, depth: int
    ) -> bool:
        name, _colon, value = term.partition(":")
        if name == "all":
            return True
        if name in ("ip4", "ip6"):
            try:
                return ip in ipaddress.ip_network(value, strict=False)
            except ValueError:
                return False
        if name == "include":
            return self._allows(self._count(value), ip, depth + 1)
        kind, _slash, _length = name.partition("/")
        place = (value.partition("/")[0] or domain) if value else domain
        if kind == "a":
            return str(ip) in self._known.addresses(self._count(place))
        if kind == "mx":
            servers = self._known.mail_servers(self._count(place))[:10]
            return any(str(ip) in self._known.addresses(server) for server in servers)
        return False

    def _includes(self, domain: str, other: str, depth: int) -> bool:
        if depth > self._DEEPEST:
            return False
        for term in self._policy(domain):
            for prefix in ("include:", "redirect="):
                if term.lstrip("+").startswith(prefix):
                    further = self._count(term.lstrip("+")[len(prefix) :])
                    if further == other or self._includes(further, other, depth + 1):
                        return True
        return False

    def _count(self, name: str) -> str:
        self._seen.add(name)
        return name
