"""What is particular to Amazon SES among the services of anymail: keys, answers, Amazon's own library.

That library (boto3) is 33 MB and of use to nobody else, so it is installed apart: requirements/amazon.txt.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from channels.providers.base import NotReadyError, Outcome, Result
from channels.providers.outgoing import CONNECT_SECONDS, READ_SECONDS, Answer

NAME = "amazon_ses"
MISSING = "Sending over Amazon SES needs Amazon's library: pip install -r requirements/amazon.txt"
#: The request never got to Amazon.
_NOT_SENT = frozenset({"EndpointConnectionError", "ConnectTimeoutError", "ProxyConnectionError"})
#: About the account and not about the message, though Amazon answers 400 or 403.
_OURS = frozenset({
    "AccountSuspendedException", "SendingPausedException", "MailFromDomainNotVerifiedException",
    "LimitExceededException", "TooManyRequestsException", "Throttling", "ThrottlingException",
    "NotFoundException", "InvalidClientTokenId", "UnrecognizedClientException", "SignatureDoesNotMatch",
    "InvalidSignatureException", "AccessDeniedException", "ExpiredTokenException", "RequestExpired",
    "MissingAuthenticationTokenException", "ConflictException",
})  # fmt: skip


def options(given: Mapping[str, Any], secret: str) -> dict[str, Any]:
    """What anymail's backend takes, from an account's options and its secret access key.

    Repeats are ours alone: the library would send a second time what got no answer. Raises NotReadyError.
    """
    own = dict(given)
    region, key_id = own.pop("region", ""), own.pop("access_key_id", "")
    client = dict(own.pop("client_params", {}))
    if not (region and key_id and secret):
        words = 'Amazon SES needs {"region": …, "access_key_id": …} as options, and the secret access key.'
        raise NotReadyError(words, "settings")
    client |= {"region_name": region, "aws_access_key_id": key_id, "aws_secret_access_key": secret}
    client["config"] = {
        **client.get("config", {}), "connect_timeout": CONNECT_SECONDS, "read_timeout": READ_SECONDS,
        "retries": {"total_max_attempts": 1},
    }  # fmt: skip
    return {**own, "client_params": client}


def refusal(error: BaseException, words: str, now: Any) -> Result:
    """What an error of Amazon's library means for the message."""
    told = getattr(error, "response", None)
    if not isinstance(told, dict):
        name = type(error).__name__
        return Result(Outcome.TRY_LATER if name in _NOT_SENT else Outcome.UNCERTAIN, name, words)
    code = str(told.get("Error", {}).get("Code") or "")[:60]
    about = told.get("ResponseMetadata", {})
    status = int(about.get("HTTPStatusCode") or 0)
    wait = Answer(status, about.get("HTTPHeaders", {}), b"").retry_after(now)
    if code in _OURS or status in (401, 403, 429, 503):
        return Result(Outcome.TRY_LATER, code, words, retry_after=wait)
    if status >= 500:
        return Result(Outcome.UNCERTAIN, code, words)
    return Result(Outcome.REFUSED, code, words)
