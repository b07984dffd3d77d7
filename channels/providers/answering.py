"""What the answers of HTTP services mean, in the four words. Pure, but for the call itself."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from channels import sms_prices
from channels.providers.base import NotReadyError, Outcome, Result, Setting
from channels.providers.outgoing import Answer, NoAnswerError, NotAllowedError, NotSentError, Outgoing

#: What providers of texts are told about their price.
PRICES = (
    Setting(
        "prices",
        "Prices a segment",
        "A country a line, such as FR 0.0725",
        lines=True,
        reads=sms_prices.read,
    ),
    Setting("currency", "Currency of the prices", default="EUR"),
)
#: Answers that are about us and not about the message: wrong key, wrong address, no money, too many.
OURS_TO_FIX = frozenset({401, 402, 403, 404, 405, 408, 425, 429})
_LONGEST = 300


def ask(
    outgoing: Outgoing, url: str, body: bytes, headers: Mapping[str, str], *, keyed: bool = False,
    method: str = "POST",
) -> Answer | Result:  # fmt: skip
    """The answer, or what it means that there is none. ``keyed``: repeating does no harm."""
    try:
        return outgoing.call(method, url, body=body, headers=headers)
    except NotAllowedError as error:
        return Result(Outcome.TRY_LATER, "settings", str(error))
    except NotSentError as error:
        return Result(Outcome.TRY_LATER, "connect", str(error))
    except NoAnswerError as error:
        return Result(Outcome.TRY_LATER if keyed else Outcome.UNCERTAIN, "no_answer", str(error))


def refusal(answer: Answer, now: datetime, *, keyed: bool = False, words: str = "", code: str = "") -> Result:
    """What an answer that is not a success means for the message."""
    code = code or str(answer.status)
    words = (words or answer.body.decode("utf-8", "replace"))[:_LONGEST]
    # A service that fails half-way may have sent it all the same; 503 says that it did not begin.
    half_way = answer.status >= 500 and answer.status not in (501, 503)
    if half_way and not keyed:
        return Result(Outcome.UNCERTAIN, code, words)
    if answer.status >= 500 or answer.status in OURS_TO_FIX or 300 <= answer.status < 400:
        return Result(Outcome.TRY_LATER, code, words, retry_after=answer.retry_after(now))
    return Result(Outcome.REFUSED, code, words)


def told(answer: Answer) -> dict[str, Any]:
    """The JSON object of an answer, or an empty one."""
    try:
        value = json.loads(answer.body)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def check_prices(text: str) -> None:
    """Raise NotReadyError where the prices of segments cannot be read."""
    try:
        sms_prices.read(text)
    except ValueError as error:
        raise NotReadyError(str(error), "settings") from None
