from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, Self

from journeys.fields import Fields, Form, Input, _, next_input
from journeys.outcomes import Advance, Facts, Move, Outcome, Standing
from journeys.steps.step import Step, read_next

_OUTCOMES = {"add": "added", "remove": "removed"}


@dataclass(frozen=True, slots=True)
class ChangeAudience(Step):
    """Puts the contact into a retargeting audience, or takes it out."""

    kind: ClassVar = "audience"
    example: ClassVar = {"audience": "cart-abandoners", "action": "add"}

    form: ClassVar = Form(
        _("Retargeting audience"),
        _("Puts the person into an audience at an advertising platform, or takes them out."),
        (
            Input("audience", "audience", _("Audience"), required=True),
            Input(
                "action", "choice", _("Do"), default="add",
                choices=(("add", _("put in")), ("remove", _("take out"))),
            ),
            next_input(),
        ),
        group="outside",
    )  # fmt: skip

    move: Move
    next: str | None

    @classmethod
    def read(cls, step_id: str, fields: Fields) -> Self:
        return cls(id=step_id, move=read_move(fields), next=read_next(fields))

    def decide(self, run: Standing, facts: Facts, now: datetime) -> Outcome:
        return Advance(self.next, _OUTCOMES[self.move.action], moves=(self.move,))

    def edges(self) -> tuple[tuple[str, str | None], ...]:
        return (("next", self.next),)

    def words(self) -> str:
        return move_words(self.move)


def read_move(fields: Fields) -> Move:
    audience = fields.text("audience", required=True, most=60)
    action = fields.choice("action", tuple(_OUTCOMES), "add")
    return Move(audience, "remove" if action == "remove" else "add")


def move_words(move: Move) -> str:
    return (
        f"Add to audience “{move.audience}”"
        if move.action == "add"
        else f"Remove from audience “{move.audience}”"
    )
