"""What every provider does: take a few parcels, and say of each what became of it.

The words are few on purpose. Only a provider knows its protocol; the rest of Segue knows these four answers.
"""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar, TypeVar
from uuid import UUID

from channels import retry
from channels.rendering_mail import Mail, Wire
from channels.retry import Schedule

#: Shorter ones stand in too many words to be told apart.
_SHORTEST_SECRET = 5


class Outcome(StrEnum):
    #: The provider answers for the message from here on.
    ACCEPTED = "accepted"
    #: It will never take this message; do not ask again.
    REFUSED = "refused"
    #: It did not take the message, and may later. Nothing was sent.
    TRY_LATER = "try_later"
    #: It may or may not have taken the message.
    UNCERTAIN = "uncertain"


@dataclass(frozen=True, slots=True)
class Result:
    """One answer. ``code`` is short and stable, ``detail`` the provider's words, ``retry_after`` seconds.

    ``address_ended``: nobody is to be written to at this address again (no such mailbox, ended subscription).
    Where a message was not ``begun`` nobody was asked about it: that is no attempt.
    """

    outcome: Outcome
    code: str = ""
    detail: str = ""
    provider_message_id: str = ""
    retry_after: float | None = None
    address_ended: bool = False
    begun: bool = True


@dataclass(frozen=True, slots=True)
class Button:
    """What a button says and where it leads."""

    words: str
    link: str


@dataclass(frozen=True, slots=True)
class Placing:
    """How a push or an in-app message looks, where the latter may be shown, and until when (None: no end).

    Without a ``place`` it is in the inbox only. ``pages`` are paths in which ``*`` stands for anything;
    none: every page. Of several messages the one of the highest ``importance`` is shown.
    """

    place: str = ""
    pages: tuple[str, ...] = ()
    image: str = ""
    button: str = ""
    importance: int = 50
    until: datetime | None = None
    #: The question that it asks, as browsers read it.
    survey: Mapping[str, Any] = field(default_factory=dict)
    #: A push's small picture, and its buttons, each with a link of its own.
    icon: str = ""
    buttons: tuple[Button, ...] = ()


@dataclass(frozen=True, slots=True)
class Words:
    """What a text message, a push or an in-app message says. ``link`` is where it leads.

    ``receipt`` is an address to which whoever shows a push sends a POST when it did.
    """

    text: str
    title: str = ""
    link: str = ""
    placing: Placing = Placing()
    receipt: str = ""


@dataclass(frozen=True, slots=True)
class Parcel:
    """One finished message. ``key`` is the same for each attempt at it. ``extra`` belongs to the address."""

    message_id: int
    created_at: datetime
    key: UUID
    channel: str
    address: str
    content: Mail | Wire | Words
    extra: Mapping[str, Any] = field(default_factory=dict)


#: Writes down, durably, that the parcels are about to be handed over, and returns those that still may be:
#: a worker that was thought dead gets fewer back. Called right before the point of no return.
Mark = Callable[[Sequence[Parcel]], Sequence[Parcel]]


@dataclass(frozen=True, slots=True)
class Setting:
    """One thing that an account must know, for its form."""

    name: str
    label: str
    help: str = ""
    default: str = ""
    secret: bool = False
    required: bool = False
    #: Of several lines: a key in PEM, a table.
    lines: bool = False
    #: The only values that it may have, each with what people read.
    choices: tuple[tuple[str, str], ...] = ()
    #: Reads what was written; raises ValueError, in plain words, where it cannot be used.
    reads: Callable[[str], object] | None = None


class NotReadyError(Exception):
    """The provider cannot be reached or will not have us. Nothing was sent; the message is in plain words."""

    def __init__(self, message: str, code: str = "connect", retry_after: float | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.retry_after = retry_after

    def later(self) -> Result:
        """What it means for a message."""
        return Result(Outcome.TRY_LATER, self.code, str(self), retry_after=self.retry_after)


_Made = TypeVar("_Made")


class Provider(ABC):
    """One way out. Made for an account, used by one thread, closed after.

    ``send`` calls ``mark`` once it is ready and before anything can be accepted, sends only what ``mark``
    returns, and answers for exactly those parcels. What it must not do is raise.
    """

    kind: ClassVar[str]
    label: ClassVar[str]
    channels: ClassVar[frozenset[str]]
    #: How addresses begin that it takes, where a channel has several kinds; empty: all.
    addresses: ClassVar[tuple[str, ...]] = ()
    settings: ClassVar[tuple[Setting, ...]] = ()
    #: What the provider is to be told: what for, and the path, with ``<id>`` for the account's number.
    callbacks: ClassVar[tuple[tuple[str, str], ...]] = ()
    #: Parcels handed over between two commits: what a crash can leave uncertain.
    chunk: ClassVar[int] = 16
    #: And how many at most, once it has shown that it takes them in no time.
    largest: ClassVar[int] = 0
    #: Seconds after which no further message of a chunk is begun: leases are short, and a slow provider
    #: must not outlive them.
    patience: ClassVar[float] = 15.0
    #: The same key twice is one message there, so what is uncertain may be sent again.
    honours_key: ClassVar[bool] = False
    #: When it is asked again what it would not take: marketing, and what somebody waits for.
    schedules: ClassVar[tuple[Schedule, Schedule]] = (retry.MARKETING, retry.TRANSACTIONAL)
    #: It sends an email as it is given, so mails may come finished (``Wire``).
    takes_wire: ClassVar[bool] = False

    def __init__(self, account_id: int, values: Mapping[str, Any]) -> None:
        """``values`` are the account's settings and secrets together."""
        self.account_id = account_id
        self.values = values
        #: Receiving domains that kept a connection silent, and until when (monotonic) that is told.
        self.silent: dict[str, float] = {}

    @abstractmethod
    def send(self, parcels: Sequence[Parcel], mark: Mark, now: datetime) -> dict[int, Result]:
        """Hand over ``parcels``; answers by message id. At most ``chunk`` (or ``largest``) of them."""

    def each(self, parcels: Sequence[Parcel], send_one: Callable[[Parcel], Result]) -> dict[int, Result]:
        """Answers of ``send_one`` for each parcel that could be begun in time; the others come later.

        None is begun any more where the provider asked to be left alone.
        """
        began, wait = time.monotonic(), 0.0
        results = {}
        for parcel in parcels:
            if wait:
                results[parcel.message_id] = Result(Outcome.TRY_LATER, "busy", retry_after=wait, begun=False)
            elif time.monotonic() - began > self.patience:
                results[parcel.message_id] = Result(Outcome.TRY_LATER, "slow", begun=False)
            else:
                result = send_one(parcel)
                results[parcel.message_id] = replace(result, detail=self.hushed(result.detail))
                wait = retry.believed(result.retry_after)
        return results

    def each_when_ready(
        self,
        parcels: Sequence[Parcel],
        mark: Mark,
        prepare: Callable[[], _Made],
        send_one: Callable[[Parcel, _Made], Result],
    ) -> dict[int, Result]:
        """``each`` with what ``prepare`` made, such as a token; where that cannot be had, all come later."""
        try:
            made = prepare()
        except NotReadyError as error:
            return every(parcels, error.later())
        return self.each(mark(parcels), lambda parcel: send_one(parcel, made))

    def hushed(self, text: str) -> str:
        """``text`` of the other side's, without our secrets, which some repeat when they refuse them."""
        for setting in self.settings if text else ():
            secret = str(self.values.get(setting.name) or "") if setting.secret else ""
            if len(secret) >= _SHORTEST_SECRET and secret in text:
                text = text.replace(secret, "…")
        return text

    def check(self) -> str:
        """Try the connection, send nothing; what was found, in plain words. Raises NotReadyError."""
        return "Nothing to connect to."

    def close(self) -> None:  # noqa: B027 (most have nothing to let go of)
        """Let go of connections."""

    def value(self, name: str) -> str:
        """A setting as text, or its default."""
        default = next((setting.default for setting in self.settings if setting.name == name), "")
        return str(self.values.get(name) or default)


def every(parcels: Sequence[Parcel], result: Result) -> dict[int, Result]:
    """The same answer for all of ``parcels``."""
    return {parcel.message_id: result for parcel in parcels}
