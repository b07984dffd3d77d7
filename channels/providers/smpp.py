"""Text messages over an SMPP 3.4 gateway, as carriers and aggregators run them."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from channels import retry, sms_senders
from channels.providers import reading, smpp_line
from channels.providers.answering import PRICES, check_prices
from channels.providers.base import (
    Mark,
    NotReadyError,
    Outcome,
    Parcel,
    Provider,
    Result,
    Setting,
    Words,
    every,
)
from channels.providers.smpp_line import Line, LostError
from channels.providers.smpp_pdu import Command, MalformedError, Pdu, name_of, submit

#: Statuses that are about this very message: no such number, no such length, refused for good.
_FOR_GOOD = frozenset({0x01, 0x0B, 0x33, 0x34, 0x50, 0x51, 0x65, 0x66, 0xC3})
_WORDS = {
    0x01: "too long", 0x0A: "the sender is not allowed", 0x0B: "no such number", 0x14: "its queue is full",
    0x45: "it could not send", 0x58: "too many at once", 0x64: "for now", 0x65: "for good", 0x66: "refused",
}  # fmt: skip
#: Gateways end what was silent for long; after so many seconds it is asked first.
_IDLE = 5.0


class Smpp(Provider):
    """One bound connection a worker; a few messages are on their way at a time.

    What gateways say of messages, and what people write, comes over a connection of its own: see
    ``channels.smpp_inbox``.
    """

    kind = "smpp"
    label = "SMPP gateway"
    channels = frozenset({"sms"})
    chunk = 8
    schedules = (retry.TEXTS, retry.TEXTS_TRANSACTIONAL)
    settings = (
        Setting("host", "Server", "For example smpp.example.com", required=True),
        Setting(
            "port",
            "Port",
            "3550 is usual with encryption, 2775 without",
            default="3550",
            reads=reading.whole(1, 65_535),
        ),
        Setting("tls", "Encrypted", default="yes", choices=reading.YES_NO),
        Setting("system_id", "User name", "SMPP calls it system_id; at most 15 signs", required=True),
        Setting("password", "Password", "At most 8 signs", secret=True),
        Setting("system_type", "System type", "Most gateways want none"),
        Setting("senders", "Senders", "Numbers and names with commas between", required=True),
        Setting(
            "alphabet",
            "The gateway's own alphabet",
            default="gsm",
            choices=(("gsm", "GSM"), ("latin-1", "Latin-1")),
        ),
        Setting(
            "receipt_ids",
            "Ids in receipts",
            "Decimal where the gateway first says an id in hexadecimal",
            default="same",
            choices=(("same", "The same"), ("decimal", "Decimal")),
        ),
        *PRICES,
        Setting(
            "timeout", "Longest wait for an answer, in seconds", default="10", reads=reading.number(1, 120)
        ),
    )

    def __init__(self, account_id: int, values: Mapping[str, Any]) -> None:
        super().__init__(account_id, values)
        self._senders = sms_senders.pool(self.value("senders"))
        self._line: Line | None = None

    @property
    def latin(self) -> bool:
        return self.value("alphabet") == "latin-1"

    def check(self) -> str:
        check_prices(self.value("prices"))
        if not self._senders:
            raise NotReadyError("There is no sender: a number or a name.", "settings")
        for name, known in (
            ("tls", ("yes", "no")), ("alphabet", ("gsm", "latin-1")), ("receipt_ids", ("same", "decimal")),
        ):  # fmt: skip
            if self.value(name) not in known:
                raise NotReadyError(f"“{name}” is one of {' and '.join(known)}.", "settings")
        for command in (Command.BIND_TRANSMITTER, Command.BIND_RECEIVER):
            self.open(command).close()
        words = "encrypted" if self.value("tls") == "yes" else "without encryption"
        return f"{self.value('host')}:{self.value('port')} takes us for sending and for receipts ({words})."

    def open(self, command: Command) -> Line:
        """A bound line. Raises NotReadyError."""
        try:
            port = int(self.value("port"))
        except ValueError:
            raise NotReadyError("The port is no number.", "settings") from None
        names = (self.value("system_id"), self.value("password"), self.value("system_type"))
        secure, timeout = self.value("tls") != "no", float(self.value("timeout"))
        return smpp_line.opened(self.value("host"), port, names, command, secure=secure, timeout=timeout)

    def send(self, parcels: Sequence[Parcel], mark: Mark, now: datetime) -> dict[int, Result]:
        try:
            line = self._standing()
        except NotReadyError as error:
            return every(parcels, Result(Outcome.TRY_LATER, error.code, self.hushed(str(error))))
        results: dict[int, Result] = {}
        waiting: dict[int, Parcel] = {}
        marked = list(mark(parcels))
        try:
            for parcel in marked:
                if (body := self._body(parcel, results)) is not None:
                    waiting[line.ask(Command.SUBMIT, body)] = parcel
            self._listen(line, waiting, results)
        except LostError as error:
            self._let_go(str(error), waiting, results)
        # What was not written when the connection broke was not sent.
        late = Result(Outcome.TRY_LATER, "lost", "the connection broke before it was sent")
        return {one.message_id: results.get(one.message_id, late) for one in marked}

    def close(self) -> None:
        if self._line is not None:
            self._line.close()
            self._line = None

    def _standing(self) -> Line:
        line = self._line
        if line is not None and time.monotonic() - line.spoken > _IDLE and not line.stands():
            line.drop()
            line = None
        self._line = line or self.open(Command.BIND_TRANSMITTER)
        return self._line

    def _body(self, parcel: Parcel, results: dict[int, Result]) -> bytes | None:
        if not isinstance(parcel.content, Words):
            results[parcel.message_id] = Result(Outcome.REFUSED, "channel", "only text messages go this way")
            return None
        sender = sms_senders.pick(self._senders, parcel.address)
        try:
            return submit(sender, parcel.address, parcel.content.text, latin=self.latin)
        except MalformedError as error:
            results[parcel.message_id] = Result(Outcome.REFUSED, "address", str(error))
            return None

    def _listen(self, line: Line, waiting: dict[int, Parcel], results: dict[int, Result]) -> None:
        until = time.monotonic() + float(self.value("timeout"))
        while waiting:
            pdu = line.hear(until - time.monotonic())
            if pdu is None:
                raise LostError("timed out")
            if pdu.command in (Command.SUBMIT_RESPONSE, Command.NACK) and pdu.sequence in waiting:
                results[waiting.pop(pdu.sequence).message_id] = self._result(pdu)

    def _result(self, pdu: Pdu) -> Result:
        if pdu.status == 0 and pdu.command == Command.SUBMIT_RESPONSE:
            return Result(Outcome.ACCEPTED, "0", provider_message_id=self._name(name_of(pdu.body)))
        outcome = Outcome.REFUSED if pdu.status in _FOR_GOOD else Outcome.TRY_LATER
        return Result(outcome, f"0x{pdu.status:08x}", _WORDS.get(pdu.status, ""))

    def _name(self, name: str) -> str:
        """The id by which receipts will call it."""
        try:
            return str(int(name, 16)) if self.value("receipt_ids") == "decimal" else name
        except ValueError:
            return name

    def _let_go(self, words: str, waiting: dict[int, Parcel], results: dict[int, Result]) -> None:
        """The connection is of no use any more; what was handed over without an answer is uncertain."""
        if self._line is not None:
            self._line.drop()
            self._line = None
        for parcel in waiting.values():
            results[parcel.message_id] = Result(Outcome.UNCERTAIN, "no_answer", self.hushed(words))
