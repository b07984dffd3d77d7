"""What makes mailboxes distrust an email, or show it badly, as far as its words tell. Pure."""

from __future__ import annotations

import html
import re
from urllib.parse import urlsplit

#: What filters and readers have learned to distrust, in English and French.
_PHRASES = (
    "100% free", "100 % gratuit", "act now", "agissez maintenant", "cash bonus", "cliquez ici", "click here",
    "double your income", "earn money", "gagnez de l'argent", "argent facile", "guaranteed winner", "no risk",
    "sans risque", "risk-free", "urgent!!", "vous avez gagné", "winner!!", "you have won",
)  # fmt: skip
_SHORTENERS = frozenset({"bit.ly", "tinyurl.com", "t.co", "goo.gl", "ow.ly", "is.gd", "buff.ly"})
_LIQUID = re.compile(r"\{[{%].*?[%}]\}", re.DOTALL)
_LINK = re.compile(r"<(?:a|mj-button)\b[^>]*?href\s*=\s*[\"']([^\"']*)[\"'][^>]*>(.*?)</(?:a|mj-button)>",
                   re.IGNORECASE | re.DOTALL)  # fmt: skip
_IMAGE = re.compile(r"<(?:img|mj-image)\b[^>]*>", re.IGNORECASE)
_TAG = re.compile(r"<[^>]*>")
_PLACEHOLDERS = ("example.com", "example.org", "localhost", "lorem ipsum", "todo", "xxx")


def suspicious(subject: str, body: str) -> list[tuple[str, str, str]]:
    """(part, code, what was found) of everything that filters may count against an email."""
    found: list[tuple[str, str, str]] = []
    plain = _LIQUID.sub("", subject)
    letters = [sign for sign in plain if sign.isalpha()]
    if len(letters) > 7 and sum(sign.isupper() for sign in letters) > 0.7 * len(letters):
        found.append(("subject", "shouting", plain.strip()))
    if re.search(r"[!?]{2,}|[$€£]{2,}", plain):
        found.append(("subject", "marks", plain.strip()))
    if len(plain) > 90:
        found.append(("subject", "long_subject", str(len(plain))))
    text = " ".join(html.unescape(_TAG.sub(" ", _LIQUID.sub("", body))).lower().split())
    for part, words in (("subject", plain.lower()), ("body", text)):
        found += [(part, "phrase", phrase) for phrase in _PHRASES if phrase in words]
    found += [("body", "placeholder", word) for word in _PLACEHOLDERS if word in text.split()]
    images = _IMAGE.findall(body)
    if images and len(text) < 60 * len(images):
        found.append(("body", "images", str(len(images))))
    without = sum(not re.search(r"\balt\s*=", image, re.IGNORECASE) for image in images)
    if without:
        found.append(("body", "alt", str(without)))
    return found + _links(body)


def _links(body: str) -> list[tuple[str, str, str]]:
    found = []
    for href, inner in _LINK.findall(body):
        host = _host(href)
        shown = _host(html.unescape(_TAG.sub("", inner)).strip())
        if host in _SHORTENERS:
            found.append(("body", "shortener", host))
        if href.startswith("http://"):
            found.append(("body", "insecure", href[:80]))
        if shown and host and "{" not in href and shown.removeprefix("www.") != host.removeprefix("www."):
            found.append(("body", "other_host", f"{shown} → {host}"))
    return found


def _host(address: str) -> str:
    if not address.lower().startswith(("http://", "https://", "www.")):
        return ""
    try:
        return urlsplit(address if "//" in address else f"//{address}").hostname or ""
    except ValueError:
        return ""
