"""Whether the addresses of a template answer: asked on demand, through the one guarded way out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from channels import rendering_markup as markup
from channels.providers.outgoing import NoAnswerError, NotAllowedError, NotSentError, Outgoing
from channels.rendering import Letter

MOST = 40
_AT_ONCE = 8
_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class Checked:
    """One address and what came of it: ``good``, ``moved``, ``broken``, ``refused`` or ``silent``."""

    address: str
    verdict: str
    detail: str


Ask = Callable[[str], Checked]


def addresses(letter: Letter, own: str) -> list[str]:
    """The web addresses a finished letter leads to, each once, our own pages left out."""
    found = [*_hrefs(letter.html), *_hrefs(letter.text)]
    if letter.link:
        found.append(letter.link)
    return [one for one in dict.fromkeys(found) if not one.startswith(own)][:MOST]


def check(asked: Sequence[str], ask: Ask | None = None) -> list[Checked]:
    """What came of each address, in their order; as slow as the slowest few."""
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        return list(pool.map(ask or _ask, asked))


def _hrefs(text: str) -> list[str]:
    marked = markup.mark_html(text) if "<" in text else markup.mark_text(text)
    return markup.addresses(marked)


def _ask(address: str) -> Checked:
    outgoing = Outgoing(read_seconds=_SECONDS)
    try:
        # Some servers answer HEAD wrongly, and few bytes of an answer are read anyway.
        answer = outgoing.call("GET", address)
    except NotAllowedError as error:
        return Checked(address, "refused", str(error))
    except (NotSentError, NoAnswerError) as error:
        return Checked(address, "silent", str(error))
    finally:
        outgoing.close()
    if answer.status < 300:
        return Checked(address, "good", str(answer.status))
    if answer.status < 400:
        return Checked(address, "moved", answer.headers.get("location", "")[:200])
    return Checked(address, "broken", str(answer.status))
