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


def read(text: str) -> Asked:
    """What ``text`` asks for. Case, accents and punctuation do not matter.

    STOP counts as the first of a few words; the others only when they stand alone, so that "yes please call
    me" switches nothing on.
    """
    plain = unicodedata.normalize("NFKD", text[:400]).upper()
    spaced = "".join(
        sign if sign.isalnum() else " " for sign in plain if not unicodedata.combining(sign) and sign != "-"
    )
    words = spaced.split()
    if not words:
        return Asked.NOTHING
    found = _MEANS.get(words[0], Asked.NOTHING)
    if found is Asked.STOP:
        return found if len(words) <= _MOST_WORDS else Asked.NOTHING
    return found if len(words) == 1 else Asked.NOTHING
