from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, Self

from journeys.fields import Fields, Form, Input, _, next_input
from journeys.outcomes import Advance, Facts, Outcome, Standing
from journeys.steps.step import Step, read_next

_ALL = 2.0**64


def deal(journey_id: int, experiment: str, contact_id: int) -> float:
    """A place from 0 to 1 (exclusive), always the same for the same contact and experiment."""
    text = f"{journey_id}\x1f{experiment}\x1f{contact_id}"
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8]) / _ALL


@dataclass(frozen=True, slots=True)
class Share:
    """One part of a split; ``share`` is its weight."""

    name: str
    share: float
    next: str | None


@dataclass(frozen=True, slots=True)
class Split(Step):
    """Deals people by chance, always the same way: a person keeps the variant while the shares stay."""

    kind: ClassVar = "split"
    example: ClassVar = {"shares": [{"name": "a", "share": 50}, {"name": "b", "share": 50}]}

    form: ClassVar = Form(
        _("Split by chance"),
        _("Deals people by chance. Each keeps the variant while the shares stay as they are."),
        (
            Input(
                "shares", "entries", _("Variants"), required=True, least=2, most=20,
                inner=(
                    Input("name", "text", _("Name"), required=True, most=40),
                    Input("share", "number", _("Share"), required=True, least=0, most=1e6),
                    next_input(),
                ),
            ),
            Input(
                "experiment", "text", _("Experiment"),
                _("Steps of the same experiment deal the same way. Empty: this step alone."), most=100,
            ),
        ),
        group="decision",
    )  # fmt: skip

    experiment: str
    shares: tuple[Share, ...]

    @classmethod
    def read(cls, step_id: str, fields: Fields) -> Self:
        shares: list[Share] = []
        for entry in fields.items("shares", least=2, most=20):
            name = entry.text("name", required=True, most=40)
            share = float(entry.number("share", 0, least=0, most=1e6))
            if name in {known.name for known in shares}:
                entry.problem("name", "must be a name of its own")
            shares.append(Share(name, share, read_next(entry)))
            entry.done()
        if shares and not sum(share.share for share in shares):
            fields.problem("shares", "must add up to more than nothing")
        return cls(id=step_id, experiment=fields.text("experiment", step_id, most=100), shares=tuple(shares))

    def variant(self, journey_id: int, contact_id: int) -> Share:
        """The share that a contact falls into, by hash of contact and experiment."""
        place = deal(journey_id, self.experiment, contact_id)
        end, total = 0.0, sum(share.share for share in self.shares)
        for share in self.shares:
            end += share.share / total
            if place < end:
                return share
        return next(share for share in reversed(self.shares) if share.share)

    def decide(self, run: Standing, facts: Facts, now: datetime) -> Outcome:
        share = self.variant(run.journey_id, run.contact_id)
        return Advance(share.next, share.name)

    def edges(self) -> tuple[tuple[str, str | None], ...]:
        return tuple((f"shares[{index}].next", share.next) for index, share in enumerate(self.shares))

    def ways(self) -> tuple[tuple[str, str, str | None], ...]:
        total = sum(share.share for share in self.shares) or 1
        return tuple(
            (share.name, f"{share.name}: {100 * share.share / total:.3g} %", share.next)
            for share in self.shares
        )

    def words(self) -> str:
        total = sum(share.share for share in self.shares) or 1
        return "Split " + ", ".join(
            f"{share.name} {100 * share.share / total:.3g} %" for share in self.shares
        )
