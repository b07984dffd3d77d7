from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar, Self

from journeys.fields import Fields, Form, Input, _, next_input
from journeys.outcomes import Advance, Facts, Listing, Outcome, Standing
from journeys.steps.step import Step, read_next

_OUTCOMES = {"add": "added", "remove": "removed"}


@dataclass(frozen=True, slots=True)
class ChangeList(Step):
    """Puts the contact onto a list that is kept by hand, or takes it off."""

    kind: ClassVar = "list"
    example: ClassVar = {"list": "vip-by-hand", "action": "add"}
    form: ClassVar = Form(
        _("List"),
        _("Puts the person onto a list that is kept by hand, or takes them off."),
        (
            Input("list", "list", _("List"), required=True),
            Input(
                "action", "choice", _("Do"), default="add",
                choices=(("add", _("put on")), ("remove", _("take off"))),
            ),
            next_input(),
        ),
        group="person",
    )  # fmt: skip

    listing: Listing
    next: str | None

    @classmethod
    def read(cls, step_id: str, fields: Fields) -> Self:
        name = fields.text("list", required=True, most=60)
        action = fields.choice("action", tuple(_OUTCOMES), "add")
        return cls(
            id=step_id,
            listing=Listing(name, "remove" if action == "remove" else "add"),
            next=read_next(fields),
        )

    def decide(self, run: Standing, facts: Facts, now: datetime) -> Outcome:
        return Advance(self.next, _OUTCOMES[self.listing.action], listings=(self.listing,))

    def edges(self) -> tuple[tuple[str, str | None], ...]:
        return (("next", self.next),)

    def words(self) -> str:
        if self.listing.action == "add":
            return f"Put on list “{self.listing.list}”"
        return f"Take off list “{self.listing.list}”"
