"""Tables of analytics: what it was worth."""

from analytics.models.kpi import DailyKpi
from analytics.models.learning import Learning

__all__ = ["DailyKpi", "Learning"]
