"""Tables of journeys: what should happen to whom, and when."""

from journeys.models.backtest import BacktestPart, BacktestRun
from journeys.models.campaign import Campaign, CampaignOccurrence, CampaignRecipient
from journeys.models.clock_mark import ClockMark
from journeys.models.endpoint import Endpoint, EndpointCall
from journeys.models.journey import Journey, JourneyVersion
from journeys.models.outlook import Outlook
from journeys.models.publication import PublishRequest, Redirect
from journeys.models.run import Run, StepEntry

__all__ = [
    "BacktestPart",
    "BacktestRun",
    "Campaign",
    "CampaignOccurrence",
    "CampaignRecipient",
    "ClockMark",
    "Endpoint",
    "EndpointCall",
    "Journey",
    "JourneyVersion",
    "Outlook",
    "PublishRequest",
    "Redirect",
    "Run",
    "StepEntry",
]
