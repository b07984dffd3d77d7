"""The invented part of the demo's people: names, addresses, zones and consents, drawn from a seed.

Every address is one that can reach nobody: example domains (RFC 2606), and telephone numbers kept for
fiction (555-01XX in North America; the others have none).
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Any

SEED = 20170101

_FIRST_NAMES = """
Ada Alice Amara Amir Ana Anouk Aria Bella Ben Camille Carlos Chloé Clara Daniel Daria David Diego
Elena Eli Elise Emma Eric Eva Fatima Felix Fiona Gabriel Grace Hana Hugo Ines Isaac Iris Jack Jade
James Jonas Julia Karim Kate Lara Léa Leo Lina Louis Lucas Lucy Luna Maeve Malik Manon Maria Marie
Marco Maya Mia Mila Nadia Nathan Nina Noah Nora Olga Oliver Omar Oscar Paul Petra Priya Quentin
Rania Raphaël Rita Rosa Ruth Sam Sara Selma Simon Sofia Sven Tara Théo Thomas Tim Uma Vera Victor
Wanda Will Yara Yusuf Zoé
"""
_LAST_NAMES = """
Adams Allen Almeida Andersson Baker Bernard Bianchi Bishop Boyer Brown Carter Castillo Chen Clark
Cole Cooper Costa Cruz Davies Dubois Duval Evans Faure Fischer Fontaine Foster Garcia Girard Gray
Green Haddad Hall Harris Hayes Henry Hill Hughes Ito Jensen Johnson Kaya Keller Kelly Khan Kim King
Klein Lambert Lee Lefèvre Lopez Marchand Martin Mason Mercier Meyer Moore Moreau Morris Murphy
Nguyen Nilsson Novak Okafor Olsen Ortiz Parker Patel Perez Petit Price Reed Renard Rivera Robin
Romano Rossi Roux Roy Santos Schmidt Scott Silva Singh Smith Stone Suzuki Taylor Turner Vidal Walker
Ward Weber White Wilson Wood Wright Young
"""
_FIRST, _LAST = _FIRST_NAMES.split(), _LAST_NAMES.split()


@dataclass(frozen=True, slots=True)
class Place:
    """Where some of the people live: weight, clock and tongue."""

    weight: int
    country: str
    zone: str
    language: str


_PLACES = (
    Place(46, "US", "America/New_York", "en"),
    Place(16, "US", "America/Chicago", "en"),
    Place(12, "US", "America/Los_Angeles", "en"),
    Place(16, "FR", "Europe/Paris", "fr"),
    Place(10, "GB", "Europe/London", "en"),
)


@dataclass(frozen=True, slots=True)
class Person:
    """One household as a contact. ``habits`` are the seeded chances that the play draws from."""

    household: int
    user_id: str
    zone: str
    language: str
    traits: dict[str, Any]
    allows: tuple[str, ...]
    push: bool
    opens: float
    clicks: float
    browses: float
    hour: int


def invent(household: int, known: dict[str, str]) -> Person:
    """The same person for the same household, always."""
    dice = random.Random(SEED * 1_000_003 + household)  # noqa: S311 - a story, not a secret
    place = dice.choices(_PLACES, [p.weight for p in _PLACES])[0]
    first, last = dice.choice(_FIRST), dice.choice(_LAST)
    plain = f"{first}.{last}.{household}".lower().translate(_PLAIN)
    traits: dict[str, Any] = {
        "first_name": first,
        "last_name": last,
        "country": place.country,
        "language": place.language,
        "loyalty_card": f"LC-{household:05d}",
        **known,
    }
    if dice.random() < 0.97:
        traits["timezone"] = place.zone
    if dice.random() < 0.95:
        traits["email"] = f"{plain}@{dice.choice(('example.com', 'example.net', 'example.org'))}"
    if place.zone in _AREAS and dice.random() < 0.8:
        traits["phone"] = _phone(place, household)
    push = dice.random() < 0.24
    chances = {"email": 0.84, "sms": 0.55, "push": 1.0 if push else 0.0}
    allows = tuple(channel for channel, chance in chances.items() if dice.random() < chance)
    opens = min(0.9, dice.gammavariate(2.0, 0.16))
    return Person(
        household=household,
        user_id=f"hh-{household}",
        zone=place.zone,
        language=place.language,
        traits=traits,
        allows=allows,
        push=push,
        opens=opens,
        clicks=min(0.6, opens * dice.uniform(0.1, 0.6)),
        browses=min(0.5, dice.gammavariate(1.6, 0.045)),
        hour=dice.choice((8, 12, 13, 17, 18, 19, 19, 20, 20, 21)),
    )


_PLAIN = str.maketrans("éèëöüïàâîôç", "eeeouiaaioc")


def _phone(place: Place, household: int) -> str:
    block, number = divmod(household - 1, 100)
    return f"+1{_AREAS[place.zone][block]}55501{number:02d}"


# Household numbers reach 2,500: 25 blocks of 100, one area code each, so that no number is given twice.
# ruff: noqa: SIM905 - a list of words reads better as words
_AREAS = {
    "America/New_York": (
        "212 201 202 203 207 215 216 239 240 267 301 302 304 305 321 347 352 386 401 404 407 410 412 413 419 "
    ).split(),
    "America/Chicago": (
        "205 214 217 218 225 228 251 254 256 262 281 309 312 314 316 318 319 320 325 331 334 337 361 402 405 "
    ).split(),
    "America/Los_Angeles": (
        "206 209 213 253 310 323 360 408 415 424 425 442 503 509 510 530 541 559 562 619 626 650 657 661 669 "
    ).split(),
}
