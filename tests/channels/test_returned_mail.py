"""Mails that come back: bounces, complaints, answers, and what only looks like one."""

from __future__ import annotations

import pytest

from channels import returned_mail

NAME = "<0123456789abcdef0123456789abcdef.x@shop.example>"


def dsn(action: str = "failed", status: str = "5.1.1", words: str = "smtp; 550 5.1.1 no such user") -> bytes:
    return (
        "From: MAILER-DAEMON@mx.example\r\nMessage-ID: <b1@mx.example>\r\nSubject: Undelivered\r\n"
        "MIME-Version: 1.0\r\nContent-Type: multipart/report; report-type=delivery-status; boundary=b\r\n\r\n"
        "--b\r\nContent-Type: text/plain\r\n\r\nIt could not be delivered.\r\n"
        "--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.example\r\n\r\n"
        f"Final-Recipient: rfc822; ann@example.com\r\nAction: {action}\r\nStatus: {status}\r\n"
        f"Diagnostic-Code: {words}\r\n\r\n"
        f"--b\r\nContent-Type: text/rfc822-headers\r\n\r\nMessage-ID: {NAME}\r\nSubject: Hi\r\n\r\n--b--\r\n"
    ).encode()


@pytest.mark.parametrize(
    ("action", "status", "kind", "soft"),
    [
        ("failed", "5.1.1", "bounced", False), ("failed", "5.2.2", "bounced", True),
        ("failed", "5.7.1", "bounced", True), ("failed", "4.4.7", "bounced", True),
        ("failed", "5.2.1", "bounced", False), ("failed", "5.0.0", "bounced", False),
        ("delayed", "4.4.1", "deferred", False), ("relayed", "2.1.9", "delivered", False),
        ("Delivered", "2.0.0", "delivered", False),
    ],
)  # fmt: skip
def test_a_report_of_delivery_says_what_became_of_the_mail(
    action: str, status: str, kind: str, soft: bool
) -> None:
    found = returned_mail.read(dsn(action, status))
    assert found is not None
    assert (found.kind, found.soft) == (kind, soft)
    assert NAME in found.names


def test_a_whole_copy_names_the_mail_too() -> None:
    raw = dsn().replace(b"text/rfc822-headers", b"message/rfc822")
    found = returned_mail.read(raw)
    assert found is not None
    assert NAME in found.names


def test_a_complaint_is_read() -> None:
    raw = (
        "From: fbl@isp.example\r\nMIME-Version: 1.0\r\n"
        "Content-Type: multipart/report; report-type=feedback-report; boundary=b\r\n\r\n"
        "--b\r\nContent-Type: text/plain\r\n\r\nA complaint\r\n"
        "--b\r\nContent-Type: message/feedback-report\r\n\r\nFeedback-Type: abuse\r\nVersion: 1\r\n\r\n"
        f"--b\r\nContent-Type: message/rfc822\r\n\r\nMessage-ID: {NAME}\r\n\r\nHi\r\n--b--\r\n"
    ).encode()
    found = returned_mail.read(raw)
    assert found is not None
    assert (found.kind, NAME in found.names) == ("complained", True)


def test_a_bounce_in_a_servers_own_words_is_read() -> None:
    raw = (
        "From: MAILER-DAEMON@old.example\r\nSubject: failure notice\r\n\r\n"
        "Hi. This is the qmail-send program.\r\n<ann@example.com>:\r\n550 user unknown\r\n\r\n"
        f"--- Below this line is a copy of the message.\r\nMessage-ID: {NAME}\r\n"
    ).encode()
    found = returned_mail.read(raw)
    assert found is not None
    assert (found.kind, found.soft, NAME in found.names) == ("bounced", False, True)


@pytest.mark.parametrize(
    "line", ["Auto-Submitted: auto-replied", "Precedence: bulk", "X-Autoreply: yes",
    "Auto-Submitted: auto-generated; x"]
)  # fmt: skip
def test_nobody_answered_where_a_machine_did(line: str) -> None:
    assert (
        returned_mail.read(f"From: a@b.example\r\n{line}\r\nIn-Reply-To: {NAME}\r\n\r\nAway".encode()) is None
    )


def test_a_person_who_answers_is_heard() -> None:
    raw = f"From: a@b.example\r\nAuto-Submitted: no\r\nReferences: <x@y> {NAME}\r\n\r\nThanks".encode()
    found = returned_mail.read(raw)
    assert found is not None
    assert found.kind == "replied"


@pytest.mark.parametrize(
    "raw",
    [
        b"", b"\x00\xff" * 500, b"Content-Type: multipart/report; boundary=b\r\n\r\n--b\r\n" * 300,
        dsn().replace(b"Action: failed\r\n", b""), dsn("exploded"), b"a" * (returned_mail.LARGEST + 1),
        b"From: =?utf-8?q?=\r\nContent-Type: message/delivery-status; charset=\xff\r\n\r\n\r\n\r\n:\r\n",
    ],
)  # fmt: skip
def test_strange_mail_does_no_harm(raw: bytes) -> None:
    found = returned_mail.read(raw)
    assert found is None or found.kind == "replied"
