"""What the DNS says of a sender's domain, in plain words, and the record to add where something is missing.

Asks through a dns.resolver.Resolver that is passed in; each question is answered within seconds or counts as
not answered.
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from enum import StrEnum

import dns.exception
import dns.name
import dns.resolver
import dns.reversename
from django.utils.translation import gettext as _

from channels.spf import Spf

SECONDS = 4.0


class State(StrEnum):
    GOOD = "good"
    WARN = "warn"
    BAD = "bad"


@dataclass(frozen=True, slots=True)
class Finding:
    """One check. ``record`` is what to add to the DNS: name, type, text."""

    title: str
    state: State
    words: str
    record: tuple[str, str, str] | None = None


@dataclass(frozen=True, slots=True)
class Asked:
    """``server``: the host that hands our mail to the world, where that is our own SMTP server.

    ``include``: what a service wants in SPF. ``keys``: DKIM selectors, each with its record's text where we
    know it. ``tracking``: the host of links and pixels.
    """

    domain: str
    server: str = ""
    include: str = ""
    keys: tuple[tuple[str, str], ...] = ()
    tracking: str = ""


class NoAnswerError(Exception):
    """The DNS did not answer in time, which says nothing about the domain."""


class Dns:
    """Questions with their failures told apart: no such record is an empty answer."""

    def __init__(self, resolver: dns.resolver.Resolver) -> None:
        self._resolver = resolver

    def texts(self, name: str) -> list[str]:
        return [b"".join(one.strings).decode("utf-8", "replace") for one in self._ask(name, "TXT")]

    def addresses(self, name: str) -> list[str]:
        return [str(one) for kind in ("A", "AAAA") for one in self._ask(name, kind)]

    def mail_servers(self, name: str) -> list[str]:
        return [str(one.exchange).rstrip(".") for one in self._ask(name, "MX")]

    def names(self, address: str) -> list[str]:
        return [str(one).rstrip(".") for one in self._ask(str(dns.reversename.from_address(address)), "PTR")]

    def _ask(self, name: str, kind: str) -> list[dns.resolver.Answer]:
        try:
            return list(self._resolver.resolve(name, kind, lifetime=SECONDS))
        except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer, dns.name.LabelTooLong, dns.name.EmptyLabel):
            return []
        except dns.exception.DNSException:
            raise NoAnswerError(name) from None


def look(asked: Asked, resolver: dns.resolver.Resolver) -> list[Finding]:
    """All findings, in the order in which one would mend them."""
    known = Dns(resolver)
    checks = [_spf, _dkim, _dmarc, _receiving]
    if asked.server:
        checks.append(_reverse)
    if asked.tracking:
        checks.append(_tracking)
    findings = []
    for check in checks:
        try:
            findings += check(asked, known)
        except NoAnswerError as error:
            words = _("The DNS does not answer about %s. Look again in a while.") % error
            findings.append(Finding(_TITLES[check.__name__], State.WARN, words))
    return findings


_TITLES = {
    "_spf": "SPF", "_dkim": "DKIM", "_dmarc": "DMARC", "_receiving": "MX", "_reverse": "PTR",
    "_tracking": "Links",
}  # fmt: skip


def _spf(asked: Asked, known: Dns) -> list[Finding]:
    policies = [text for text in known.texts(asked.domain) if text.lower().split(" ")[0] == "v=spf1"]
    server = known.addresses(asked.server) if asked.server else []
    wanted = f"include:{asked.include}" if asked.include else " ".join(map(_mechanism, server)) or "mx"
    if not policies:
        words = _("There is no SPF record, so nobody can tell your mail from a forger's.")
        return [Finding("SPF", State.BAD, words, (asked.domain, "TXT", f"v=spf1 {wanted} ~all"))]
    if len(policies) > 1:
        words = _("There are %d SPF records. Only one is allowed, and two count as none: join them.")
        return [Finding("SPF", State.BAD, words % len(policies))]
    spf = Spf(known)
    (policy,) = policies
    missing = [one for one in server if not spf.allows(asked.domain, one)]
    if asked.include and not spf.includes(asked.domain, asked.include):
        missing.append(asked.include)
    if spf.asked > Spf.MOST:
        words = _("The SPF record asks %(count)d other names, and receivers stop at %(most)d: shorten it.")
        return [Finding("SPF", State.BAD, words % {"count": spf.asked, "most": Spf.MOST})]
    if "+all" in policy.lower().split() or "all" in policy.lower().split():
        words = _("The SPF record ends in +all: it lets anybody send in your name.")
        return [Finding("SPF", State.BAD, words, (asked.domain, "TXT", f"v=spf1 {wanted} ~all"))]
    if missing:
        words = _("The SPF record does not allow %s to send in your name.") % ", ".join(missing)
        head, _space, rest = policy.partition(" ")
        return [Finding("SPF", State.BAD, words, (asked.domain, "TXT", f"{head} {wanted} {rest}".strip()))]
    return [Finding("SPF", State.GOOD, _("The SPF record allows who carries your mail."))]


def _mechanism(address: str) -> str:
    return f"ip{ipaddress.ip_address(address).version}:{address}"


def _dkim(asked: Asked, known: Dns) -> list[Finding]:
    if not asked.keys:
        words = _("No DKIM selector is known. Write the one that your service shows into the account.")
        return [Finding("DKIM", State.WARN, words)]
    findings = []
    for selector, wanted in asked.keys:
        name = f"{selector}._domainkey.{asked.domain}"
        texts = [text for text in known.texts(name) if "p=" in text]
        record = (name, "TXT", wanted) if wanted else None
        if not texts:
            words = _("There is no DKIM key at %s, so nobody can check our signature.") % name
            findings.append(Finding("DKIM", State.BAD, words, record))
        elif not _key_of(texts[0]):
            words = _("The DKIM key at %s has been withdrawn: its p= is empty.") % name
            findings.append(Finding("DKIM", State.BAD, words, record))
        elif wanted and _key_of(texts[0]) != _key_of(wanted):
            words = (
                _("The DKIM key at %s is another one than ours, so our signatures count as forged.") % name
            )
            findings.append(Finding("DKIM", State.BAD, words, record))
        else:
            findings.append(Finding("DKIM", State.GOOD, _("There is a DKIM key at %s.") % name))
    return findings


def _key_of(text: str) -> str:
    return next((part.split("=", 1)[1] for part in _tags(text) if part.startswith("p=")), "")


def _tags(text: str) -> list[str]:
    return ["".join(part.split()) for part in text.split(";")]


def _dmarc(asked: Asked, known: Dns) -> list[Finding]:
    parts = asked.domain.split(".")
    # A domain without a policy of its own follows the one above it.
    for at in range(max(1, len(parts) - 1)):
        above = ".".join(parts[at:])
        found = [text for text in known.texts(f"_dmarc.{above}") if text.lower().startswith("v=dmarc1")]
        if len(found) > 1:
            return [Finding("DMARC", State.BAD, _("There are several DMARC records, which count as none."))]
        if found:
            return [_policy(found[0], above)]
    words = _("There is no DMARC record. Gmail and Yahoo turn away bulk mail of domains without one.")
    record = f"v=DMARC1; p=none; rua=mailto:dmarc@{asked.domain}"
    return [Finding("DMARC", State.BAD, words, (f"_dmarc.{asked.domain}", "TXT", record))]


def _policy(text: str, domain: str) -> Finding:
    tags = dict(part.split("=", 1) for part in _tags(text.lower()) if "=" in part)
    if tags.get("p") not in ("none", "quarantine", "reject"):
        return Finding("DMARC", State.BAD, _("The DMARC record of %s has no policy (p=).") % domain)
    if tags["p"] == "none":
        words = _("%s has a DMARC record that only watches (p=none). When its reports are clean, go further.")
        return Finding(
            "DMARC",
            State.WARN,
            words % domain,
            (f"_dmarc.{domain}", "TXT", text.replace("p=none", "p=quarantine")),
        )
    return Finding("DMARC", State.GOOD, _("%(domain)s protects itself with DMARC (p=%(policy)s).") % {
        "domain": domain, "policy": tags["p"]})  # fmt: skip


def _receiving(asked: Asked, known: Dns) -> list[Finding]:
    if known.mail_servers(asked.domain):
        return [Finding("MX", State.GOOD, _("The domain receives mail, so bounces and answers can arrive."))]
    words = _("The domain receives no mail: answers and bounces are lost, and some refuse such senders.")
    return [Finding("MX", State.WARN, words)]


def _reverse(asked: Asked, known: Dns) -> list[Finding]:
    findings = []
    for address in known.addresses(asked.server)[:4]:
        names = known.names(address)
        if not names:
            words = _(
                "%s has no name (PTR). Most receivers turn its mail away; who rents you the address sets it."
            )
            findings.append(Finding("PTR", State.BAD, words % address))
        elif not any(address in known.addresses(name) for name in names[:4]):
            words = _("%(address)s is called %(name)s, but that name does not lead back to it.")
            findings.append(Finding("PTR", State.BAD, words % {"address": address, "name": names[0]}))
        else:
            words = _("%(address)s is called %(name)s, and that name leads back to it.")
            findings.append(Finding("PTR", State.GOOD, words % {"address": address, "name": names[0]}))
    if not findings:
        words = _("The server %s has no address, so nothing can be said about its name.") % asked.server
        return [Finding("PTR", State.WARN, words)]
    return findings


def _tracking(asked: Asked, known: Dns) -> list[Finding]:
    title = str(_("Links"))
    if _bare(asked.tracking):
        words = _("Links lead to the bare address %s. Give the site a name, best one in your own domain.")
        return [Finding(title, State.WARN, words % asked.tracking)]
    if not known.addresses(asked.tracking):
        words = _("%s, to which links and pixels lead, has no address: nobody can follow a link.")
        return [Finding(title, State.BAD, words % asked.tracking)]
    if _owner(asked.tracking) != _owner(asked.domain):
        words = _(
            "Links lead to %(host)s, which is not part of %(domain)s. Filters trust mail more whose links"
            " stay in the sender's own domain."
        )
        return [Finding(title, State.WARN, words % {"host": asked.tracking, "domain": asked.domain})]
    return [Finding(title, State.GOOD, _("Links lead to %s, in your own domain.") % asked.tracking)]


def _bare(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return host == "localhost"
    return True


def _owner(host: str) -> str:
    return ".".join(host.lower().split(".")[-2:])
