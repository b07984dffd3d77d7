"""What is said of a sender's domain, asked of a DNS server on loopback."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest

from channels import dkim_signing, sender_domain
from channels.sender_domain import Asked, Finding, State
from tests.channels.dns_server import resolving

KEY = "v=DKIM1; k=rsa; p=QUJD"
GOOD: dict[tuple[str, str], Sequence[str]] = {
    ("shop.example", "TXT"): ['"v=spf1 include:_spf.host.example ~all"', '"other"'],
    ("_spf.host.example", "TXT"): ['"v=spf1 ip4:192.0.2.0/24 -all"'],
    ("s1._domainkey.shop.example", "TXT"): ['"v=DKIM1; k=rsa; p=QU" "JD"'],
    ("_dmarc.shop.example", "TXT"): ['"v=DMARC1; p=quarantine; rua=mailto:d@shop.example"'],
    ("shop.example", "MX"): ["10 mx.shop.example."],
    ("smtp.host.example", "A"): ["192.0.2.7"],
    ("7.2.0.192.in-addr.arpa", "PTR"): ["smtp.host.example."],
    ("news.shop.example", "A"): ["192.0.2.9"],
}
ASKED = Asked("shop.example", "smtp.host.example", "", (("s1", KEY),), "news.shop.example")


def _look(changed: Mapping[tuple[str, str], Sequence[str]] = {}, asked: Asked = ASKED) -> dict[str, Finding]:
    with resolving({**GOOD, **changed}) as resolver:
        return {one.title: one for one in sender_domain.look(asked, resolver)}


def test_a_domain_that_is_set_up_is_all_green() -> None:
    found = _look()
    assert set(found) == {"SPF", "DKIM", "DMARC", "MX", "PTR", "Links"}
    assert {one.state for one in found.values()} == {State.GOOD}


@pytest.mark.parametrize(
    ("title", "changed", "state", "words"),
    [
        ("SPF", {("shop.example", "TXT"): ['"x"']}, State.BAD, "no SPF record"),
        ("SPF", {("shop.example", "TXT"): ['"v=spf1 -all"', '"v=spf1 mx -all"']}, State.BAD, "2 SPF records"),
        ("SPF", {("shop.example", "TXT"): ['"v=spf1 +all"']}, State.BAD, "+all"),
        ("SPF", {("shop.example", "TXT"): ['"v=spf1 ip4:203.0.113.1 -all"']}, State.BAD,
        "does not allow 192.0.2.7"),
        ("SPF", {("shop.example", "TXT"): ['"v=spf1 include:shop.example -all"']}, State.BAD,
        "does not allow"),
        ("DKIM", {("s1._domainkey.shop.example", "TXT"): ()}, State.BAD, "no DKIM key"),
        ("DKIM", {("s1._domainkey.shop.example", "TXT"): ['"v=DKIM1; p="']}, State.BAD, "withdrawn"),
        ("DKIM", {("s1._domainkey.shop.example", "TXT"): ['"v=DKIM1; p=WFla"']}, State.BAD, "another one"),
        ("DMARC", {("_dmarc.shop.example", "TXT"): ()}, State.BAD, "no DMARC record"),
        ("DMARC", {("_dmarc.shop.example", "TXT"): ['"v=DMARC1; p=none"']}, State.WARN, "only watches"),
        ("MX", {("shop.example", "MX"): ()}, State.WARN, "receives no mail"),
        ("PTR", {("7.2.0.192.in-addr.arpa", "PTR"): ()}, State.BAD, "has no name"),
        ("PTR", {("7.2.0.192.in-addr.arpa", "PTR"): ["else.example."]}, State.BAD, "does not lead back"),
        ("Links", {("news.shop.example", "A"): ()}, State.BAD, "nobody can follow"),
    ],
)  # fmt: skip
def test_each_fault_is_named_with_the_record_to_add(
    title: str, changed: Mapping[tuple[str, str], Sequence[str]], state: State, words: str
) -> None:
    found = _look(changed)[title]
    assert found.state is state
    assert words in found.words
    others = {name for name, one in _look(changed).items() if one.state is not State.GOOD}
    assert others == {title}


def test_the_record_to_add_can_be_copied() -> None:
    record = _look({("shop.example", "TXT"): ['"x"']})["SPF"].record
    assert record == ("shop.example", "TXT", "v=spf1 ip4:192.0.2.7 ~all")
    widened = _look({("shop.example", "TXT"): ['"v=spf1 mx -all"']})["SPF"].record
    assert widened == ("shop.example", "TXT", "v=spf1 ip4:192.0.2.7 mx -all")
    own = dkim_signing.record(dkim_signing.new_key())
    asked = Asked("shop.example", keys=(("s2", own),))
    assert _look({}, asked)["DKIM"].record == ("s2._domainkey.shop.example", "TXT", own)


def test_a_services_include_is_looked_for() -> None:
    asked = Asked("shop.example", include="spf.mtasv.net")
    assert "spf.mtasv.net" in _look({}, asked)["SPF"].words
    assert _look({}, Asked("shop.example", include="_spf.host.example"))["SPF"].state is State.GOOD


def test_links_outside_of_the_domain_are_a_warning() -> None:
    asked = Asked("shop.example", tracking="smtp.host.example")
    assert _look({}, asked)["Links"].state is State.WARN
    assert "bare address" in _look({}, Asked("shop.example", tracking="127.0.0.1"))["Links"].words


def test_a_dns_that_is_silent_accuses_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sender_domain, "SECONDS", 0.2)
    found = _look({("_dmarc.shop.example", "TXT"): ["silence"]})["DMARC"]
    assert (found.state, "does not answer" in found.words) == (State.WARN, True)
