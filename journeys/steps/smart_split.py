from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, Self

from journeys.fields import Fields, Form, Input, _, next_input
from journeys.outcomes import Advance, Facts, Outcome, Predicted, Standing
from journeys.steps.split import Share, Split, deal
from journeys.steps.step import Step, read_next


@dataclass(frozen=True, slots=True)
class SmartSplit(Step):
    """Sends each person the way that a prediction speaks for, and deals by chance where there is none.

    A prediction names a way (its value has ``way``), or its number reaches a way's ``least``: the highest
    that it reaches counts. A fixed share of people is dealt by chance all the same, so that the prediction
    can be judged; who they are is as sticky as a split.
    """

    kind: ClassVar = "smart_split"
    example: ClassVar = {
        "prediction": "churn_risk",
        "ways": [{"name": "at risk", "least": 0.5, "share": 50}, {"name": "calm", "least": 0, "share": 50}],
        "explore": 5,
    }
    form: ClassVar = Form(
        _("Smart split"),
        _("Sends each person the way that a prediction speaks for; without one, by chance."),
        (
            Input("prediction", "prediction", _("Prediction"), required=True),
            Input(
                "ways", "entries", _("Ways"), required=True, least=2, most=20,
                inner=(
                    Input("name", "text", _("Name"), required=True, most=40),
                    Input("least", "number", _("From this number on"), least=-1e12, most=1e12),
                    Input(
                        "share", "number", _("Share without a prediction"), default=1, least=0, most=1e6
                    ),
                    next_input(),
                ),
            ),
            Input(
                "explore", "number", _("Dealt by chance all the same (%)"),
                _("So that the prediction can be judged."), default=5, least=0, most=100,
            ),
        ),
        group="decision",
    )  # fmt: skip

    prediction: str
    shares: tuple[Share, ...]
    least: tuple[float | None, ...]
    explore: float

    @classmethod
    def read(cls, step_id: str, fields: Fields) -> Self:
        shares: list[Share] = []
        least: list[float | None] = []
        for entry in fields.items("ways", least=2, most=20):
            name = entry.text("name", required=True, most=40)
            if name in {known.name for known in shares}:
                entry.problem("name", "must be a name of its own")
            low = float(entry.number("least", 0, least=-1e12, most=1e12)) if entry.has("least") else None
            entry.raw("least")
            least.append(low)
            share = float(entry.number("share", 1, least=0, most=1e6))
            shares.append(Share(name, share, read_next(entry)))
            entry.done()
        if shares and not sum(share.share for share in shares):
            fields.problem("ways", "the shares must add up to more than nothing")
        return cls(
            id=step_id,
            prediction=fields.text("prediction", required=True, most=60),
            shares=tuple(shares),
            least=tuple(least),
            explore=float(fields.number("explore", 5, least=0, most=100)),
        )

    def predicts(self) -> frozenset[str]:
        return frozenset({self.prediction})

    def decide(self, run: Standing, facts: Facts, now: datetime) -> Outcome:
        by_chance = Split(self.id, self.id, self.shares).variant(run.journey_id, run.contact_id)
        if deal(run.journey_id, f"{self.id}\x1fexplore", run.contact_id) * 100 < self.explore:
            return Advance(by_chance.next, by_chance.name, detail={"by": "exploring"})
        predicted = facts.predicted.get(self.prediction)
        chosen = self._spoken_for(predicted) if predicted else None
        if chosen is None:
            return Advance(by_chance.next, by_chance.name, detail={"by": "chance: no prediction"})
        return Advance(chosen.next, chosen.name, detail={"by": "prediction"})

    def _spoken_for(self, predicted: Predicted) -> Share | None:
        named = predicted.value.get("way")
        for share in self.shares:
            if share.name == named:
                return share
        if predicted.number is None:
            return None
        number = predicted.number
        reached = [(low, place) for place, low in enumerate(self.least) if low is not None and number >= low]
        return self.shares[max(reached)[1]] if reached else None

    def edges(self) -> tuple[tuple[str, str | None], ...]:
        return tuple((f"ways[{index}].next", share.next) for index, share in enumerate(self.shares))

    def ways(self) -> tuple[tuple[str, str, str | None], ...]:
        return tuple(
            (share.name, share.name if low is None else f"{share.name}: from {low:g}", share.next)
            for share, low in zip(self.shares, self.least, strict=True)
        )

    def words(self) -> str:
        return f"Choose by prediction “{self.prediction}”, by chance where there is none"
