"""What this room keeps about people, table by table. Children before parents: so they are erased."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from contacts.privacy.inventory import LOOSE, Impersonal, Table
from contacts.privacy.inventory_kinds import Act, Kind

_TOTALS = "Figures of journeys stay right; the row names nobody."

PEOPLE: tuple[Table, ...] = (
    Table(
        "journeys.StepEntry",
        {Kind.BEHAVIOUR: "step outcome detail", Kind.TECHNICAL: "run_id journey_id version_id visit"},
        Act.ANONYMISE,
        change=f"{LOOSE}, run_id = 0, detail = NULL",
        why=_TOTALS,
        heading=_("Steps taken in journeys"),
        retention="steps",
        since="at",
    ),
    Table(
        "journeys.Run",
        {
            Kind.BEHAVIOUR: "journey_id step outcome entry",
            Kind.TECHNICAL: "version_id key state visit watching",
        },
        Act.ANONYMISE,
        change=f"{LOOSE}, key = '', entry = '{{}}', watching = '[]',"
        " outcome = CASE WHEN state = 1 THEN 'erased' ELSE outcome END,"
        " ended_at = coalesce(ended_at, %(now)b), due_at = NULL,"
        " state = CASE WHEN state = 1 THEN 4 ELSE state END",
        why=_TOTALS,
        heading=_("Journeys you went through"),
        retention="steps",
    ),
)

IMPERSONAL: tuple[Impersonal, ...] = (
    Impersonal("journeys.Journey", "a path, not who walks it"),
    Impersonal("journeys.JourneyVersion", "a path, not who walks it"),
)
