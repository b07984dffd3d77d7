"""What a text message from a person asks for, by its words in English and French. Pure."""

from __future__ import annotations

import unicodedata
from enum import StrEnum


class Asked(StrEnum):
    STOP = "stop"
    START = "start"
    HELP = "help"
    NOTHING = ""


_WORDS = {
    Asked.STOP: "STOP STOPALL STOPP ARRET ARRETE ARRETER ARRETEZ CANCEL END QUIT UNSUBSCRIBE REVOKE OPTOUT"
    " DESABONNER DESABONNEMENT DESINSCRIRE DESINSCRIPTION RESILIER",
    Asked.START: "START UNSTOP YES RESUME REPRENDRE RECOMMENCER DEBUT OUI",
    Asked.HELP: "HELP INFO AIDE",
}
_MEANS = {word: asked for asked, words in _WORDS.items() for word in words.split()}
#: After STOP gateways let people name a sender or a code, such as "STOP 36111".
_MOST_WORDS = 3
_POLITE = frozenset({"PLEASE", "PLS", "PLZ", "SVP"})
#: Words that begin a sentence about us, such as "stop sending me this", by what follows them; "stop by the
#: shop" and "cancel the order" are none.
_STOPPING = frozenset({"STOP", "STOPP", "ARRETE", "ARRETER", "ARRETEZ"})
_ABOUT_US = frozenset({
    "TEXTING", "SENDING", "MESSAGING", "WRITING", "CONTACTING", "SPAMMING", "ALL", "THESE", "YOUR",
    "MESSAGES", "TEXTS", "SMS", "PUB", "DE", "D", "CES", "VOS",
})  # fmt: skip


def read(text: str) -> Asked:
    """What ``text`` asks for. Case, accents and punctuation do not matter.

    STOP counts as the first of a few words, or of a sentence that says stop what; the others only when they
    stand alone, so that "yes please call me" switches nothing on.
    """
    plain = unicodedata.normalize("NFKD", text[:400]).upper()
    spaced = "".join(
        sign if sign.isalnum() else " " for sign in plain if not unicodedata.combining(sign) and sign != "-"
    )
    words = spaced.split()
    if not words:
        return Asked.NOTHING
    found = _MEANS.get(words[0], Asked.NOTHING)
    asked = words[1:] if words[0] in _POLITE else words
    if asked and _MEANS.get(asked[0]) is Asked.STOP:
        is_stop = len(asked) <= _MOST_WORDS or (asked[0] in _STOPPING and asked[1] in _ABOUT_US)
        return Asked.STOP if is_stop else Asked.NOTHING
    return found if len(words) == 1 else Asked.NOTHING
