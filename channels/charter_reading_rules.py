"""Reads the rules of a charter one by one: each takes its data and where it stands. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from channels.charter_parts import (
    CHANNELS,
    PERSON,
    REACHING,
    About,
    Bands,
    Cap,
    Closed,
    Combination,
    Raised,
    Redundancy,
    Tone,
)
from channels.charter_reading import Reader
from channels.law_packs import packs
from channels.policy_time import DAYS, PERIODS, QuietHours

_ABOUT = {"channels", "purposes", "tags"}
_LONGEST_WINDOW = timedelta(days=366)
#: What templates can be asked to have; the address and the way out are known by these names in them.
REQUIRED = ("message.unsubscribe_url", "message.preferences_url", "organisation.address", "organisation.name")


class RuleReader(Reader):
    """Reads whole rules."""

    def bands(self, data: object, path: str) -> Bands:
        part = self.fields(data, path, {"source", "bands", "unknown"})
        usual = Bands()
        names = tuple(name.lower() for name in self.words(part, f"{path}.bands")) or usual.names
        unknown = self.text(part, f"{path}.unknown", usual.unknown if usual.unknown in names else names[0])
        if unknown not in names:
            self.wrong(f"{path}.unknown", f"must be one of {', '.join(names)}")
        return Bands(self.text(part, f"{path}.source", usual.source), names, unknown)

    def cap(self, bands: Bands) -> Callable[[object, str], Cap]:
        def read(data: object, path: str) -> Cap:
            keys = {"name", "limit", "rolling", "calendar", "zone", "bands", "count_transactional"}
            keys |= {"wait"} | _ABOUT
            part = self.fields(data, path, keys)
            limit = self.whole(part, f"{path}.limit", 0, 1000)
            if ("rolling" in part) == ("calendar" in part):
                self.wrong(path, "needs either “rolling” or “calendar”")
            rolling = self.duration(part, f"{path}.rolling") if "rolling" in part else None
            if rolling is not None and not timedelta() < rolling <= _LONGEST_WINDOW:
                self.wrong(f"{path}.rolling", "must be more than nothing and at most 366 days")
            for band in (own := self.words(part, f"{path}.bands")):
                if band not in bands.names:
                    self.wrong(f"{path}.bands", f"“{band}” is none of the bands {', '.join(bands.names)}")
            return Cap(
                **self._about(part, path),
                name=str(part.get("name", "")),
                limit=limit,
                rolling=rolling,
                calendar=self.choice(part, f"{path}.calendar", PERIODS) if "calendar" in part else "",
                zone=self.zone(part, f"{path}.zone", PERSON, also=PERSON),
                bands=frozenset(own),
                count_transactional=self.flag(part, f"{path}.count_transactional"),
                wait=self.duration(part, f"{path}.wait") if "wait" in part else None,
            )

        return read

    def quiet(self, data: object, path: str) -> QuietHours:
        part = self.fields(data, path, {"channels", "from", "to", "days"})
        days = [day.lower() for day in self.words(part, f"{path}.days")]
        for day in days:
            if day not in DAYS:
                self.wrong(f"{path}.days", f"“{day}” is not a day of the week")
        return QuietHours(
            channels=frozenset(self.channels(part, f"{path}.channels", REACHING)),
            begins=self.clock(part, f"{path}.from"),
            ends=self.clock(part, f"{path}.to"),
            days=frozenset(DAYS.index(day) for day in days if day in DAYS) or frozenset(range(7)),
        )

    def law(self, data: object, path: str) -> tuple[str, str]:
        part = self.fields(data, path, {"pack", "variant"})
        pack = packs().get(str(part.get("pack", "")))
        if pack is None:
            self.wrong(f"{path}.pack", f"must be one of {', '.join(packs())}")
            return "", ""
        return pack.slug, self.choice(part, f"{path}.variant", tuple(pack.variants), pack.variant)

    def blackout(self, data: object, path: str) -> Closed:
        part = self.fields(data, path, {"name", "from", "to", "every_year", "countries"} | _ABOUT)
        first, last = self.day(part, f"{path}.from"), self.day(part, f"{path}.to")
        every_year = self.flag(part, f"{path}.every_year")
        if last < first:
            self.wrong(f"{path}.to", "must not lie before “from”")
        elif every_year and (last - first).days > 365:
            self.wrong(f"{path}.to", "lies more than a year after “from”")
        return Closed(
            **self._about(part, path),
            name=self.text(part, f"{path}.name"),
            first=first,
            last=last,
            every_year=every_year,
            countries=self.countries(part, f"{path}.countries"),
        )

    def holidays(self, data: object, path: str) -> Closed:
        part = self.fields(data, path, {"countries"} | _ABOUT)
        return Closed(**self._about(part, path), countries=self.countries(part, f"{path}.countries"))

    def redundancy(self, data: object, path: str) -> Redundancy:
        part = self.fields(data, path, {"drop", "when", "ahead", "behind"})
        if part.get("drop") == part.get("when"):
            self.wrong(path, "“drop” and “when” must differ")
        return Redundancy(
            drop=self.choice(part, f"{path}.drop", CHANNELS),
            when=self.choice(part, f"{path}.when", CHANNELS),
            ahead=self.duration(part, f"{path}.ahead"),
            behind=self.duration(part, f"{path}.behind"),
        )

    def combination(self, data: object, path: str) -> Combination:
        part = self.fields(data, path, {"with", "apart"} | _ABOUT)
        one = About(**self._about(part, path))
        if one == About():
            self.wrong(path, "needs channels, purposes or tags")
        if "with" not in part:
            if "apart" in part:
                self.wrong(f"{path}.apart", "needs “with”: from which messages")
            return Combination(one)
        second = self.fields(part["with"], f"{path}.with", _ABOUT)
        apart = self.duration(part, f"{path}.apart")
        if not timedelta() < apart <= _LONGEST_WINDOW:
            self.wrong(f"{path}.apart", "must be more than nothing and at most 366 days")
        return Combination(one, About(**self._about(second, f"{path}.with")), apart)

    def raised(self, data: object, path: str) -> Raised:
        part = self.fields(data, path, {"add", "purposes", "segments"})
        purposes = frozenset(self.words(part, f"{path}.purposes"))
        segments = frozenset(self.words(part, f"{path}.segments"))
        if not purposes and not segments:
            self.wrong(path, "needs purposes or segments: for all alike it changes nothing")
        return Raised(self.whole(part, f"{path}.add", -100, 100), purposes, segments)

    def role(self, data: object, path: str) -> tuple[str, frozenset[str]]:
        part = self.fields(data, path, {"channel", "purposes"})
        purposes = frozenset(self.words(part, f"{path}.purposes"))
        if not purposes:
            self.wrong(f"{path}.purposes", "names none: take the channel out of the order instead")
        return self.choice(part, f"{path}.channel", CHANNELS), purposes

    def tone(self, data: object, path: str) -> Tone:
        part = self.fields(data, path, {"forbidden", "capitals", "exclamations", "required"})
        return Tone(
            forbidden=tuple(self.words(part, f"{path}.forbidden")),
            capitals=self.whole(part, f"{path}.capitals", 0, 100) if "capitals" in part else None,
            exclamations=self.whole(part, f"{path}.exclamations", 0, 100) if "exclamations" in part else None,
            required=self.each(part, f"{path}.required", self._required),
        )

    def _required(self, data: object, path: str) -> tuple[str, str]:
        part = self.fields(data, path, {"channel", "part"})
        wanted = self.text(part, f"{path}.part")
        if not wanted.strip():
            self.wrong(f"{path}.part", "must not be empty")
        return self.choice(part, f"{path}.channel", CHANNELS), wanted

    def _about(self, part: Mapping[str, Any], path: str) -> dict[str, Any]:
        return {
            "channels": frozenset(self.channels(part, f"{path}.channels")),
            "purposes": frozenset(self.words(part, f"{path}.purposes")),
            "tags": frozenset(self.words(part, f"{path}.tags")),
        }
