"""Where a person is, as far as laws and public holidays ask: their country and state. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple

import holidays
import phonenumbers


class Place(NamedTuple):
    """Two-letter countries of the person and of their phone number, and the state; empty when unknown."""

    country: str = ""
    destination: str = ""
    state: str = ""

    def countries(self, channel: str) -> frozenset[str]:
        """Whose laws concern a message on ``channel``: the person's, and for texts the number's too."""
        found = {self.country, self.destination} if channel == "sms" or not self.country else {self.country}
        return frozenset(found - {""})

    def states(self) -> dict[str, str]:
        """The state by its country."""
        return {self.country or self.destination: self.state} if self.state else {}


def place(country: str, phone: str, state: object) -> Place:
    """Where somebody is, from what is kept of them. ``state`` is a code or a name, such as FL or Florida."""
    own, destination = country.upper(), country_of(phone)
    return Place(own, destination, _state(own or destination, state) if isinstance(state, str) else "")


def towards(place: Place, channel: str, address: str) -> Place:
    """Where somebody is for a message to this very address: a text goes where its number belongs."""
    return place._replace(destination=country_of(address)) if channel == "sms" else place


@lru_cache(maxsize=65_536)
def country_of(phone: str) -> str:
    """The country of a number in E.164; empty when there is none to be told."""
    if not phone:
        return ""
    try:
        return phonenumbers.region_code_for_number(phonenumbers.parse(phone, None)) or ""
    except phonenumbers.NumberParseException:
        return ""


@lru_cache(maxsize=4_096)
def _state(country: str, text: str) -> str:
    word = text.strip().upper().removeprefix(f"{country}-")
    return _states(country).get(word, "")


@lru_cache(maxsize=512)
def _states(country: str) -> Mapping[str, str]:
    """Codes and names of a country's states, in capitals, to codes."""
    try:
        known = holidays.country_holidays(country)
    except NotImplementedError:
        return {}
    codes = {str(code).upper(): str(code) for code in known.subdivisions}
    names = {str(name).upper(): str(code) for name, code in known.subdivisions_aliases.items()}
    return names | codes
