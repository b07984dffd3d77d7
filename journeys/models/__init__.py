"""Tables of journeys: what should happen to whom, and when."""

from journeys.models.journey import Journey, JourneyVersion
from journeys.models.run import Run, StepEntry

__all__ = ["Journey", "JourneyVersion", "Run", "StepEntry"]
