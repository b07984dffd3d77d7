"""What this room keeps about people, table by table. Children before parents: so they are erased."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from contacts.privacy.inventory import LOOSE, OWN, Impersonal, Table
from contacts.privacy.inventory_kinds import Act, Kind

_TOTALS = "Figures of journeys stay right; the row names nobody."

PEOPLE: tuple[Table, ...] = (
    Table(
        "journeys.EndpointCall",
        {
            Kind.CONTENT: "body answer",
            Kind.TECHNICAL: "journey_id run_id step visit endpoint key state due_at give_up_at attempts"
            " status error",
        },
        heading=_("What journeys told servers of ours about you"),
        left_out="due_at give_up_at",
        retention="steps",
        since="created_at",
    ),
    Table(
        "journeys.CampaignRecipient",
        {Kind.TECHNICAL: "occurrence_id state"},
        heading=_("Campaigns that you were meant to receive"),
        retention="messages",
        since="due_at",
    ),
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
        " outcome = CASE WHEN t.state = 1 THEN 'erased' ELSE t.outcome END, due_at = NULL,"
        " ended_at = coalesce(t.ended_at, %(now)b), state = CASE WHEN t.state = 1 THEN 4 ELSE t.state END",
        why=_TOTALS,
        stop="UPDATE journeys_run t SET state = 4, due_at = NULL, ended_at = %(now)b, outcome = 'erased'"
        f" WHERE {OWN} AND t.state = 1",
        heading=_("Journeys you went through"),
        retention="steps",
    ),
)

IMPERSONAL: tuple[Impersonal, ...] = (
    Impersonal("journeys.Endpoint", "a server of ours"),
    Impersonal("journeys.Campaign", "a broadcast, not who receives it"),
    Impersonal("journeys.CampaignOccurrence", "how many received it, and by which rule"),
    Impersonal("journeys.ClockMark", "up to when a journey's schedule was followed"),
    Impersonal("journeys.BacktestRun", "counts, and numbers of examples that lead nowhere once erased"),
    Impersonal("journeys.BacktestPart", "counts, and numbers of examples that lead nowhere once erased"),
    Impersonal("journeys.Outlook", "counts of what is to come"),
    Impersonal("journeys.Journey", "a path, not who walks it"),
    Impersonal("journeys.JourneyVersion", "a path, not who walks it"),
    Impersonal("journeys.Redirect", "how many went from one step to another"),
    Impersonal("journeys.PublishRequest", "what the team asked of itself"),
)
