"""Tables of analytics: what it was worth."""

from analytics.models.kpi import DailyKpi

__all__ = ["DailyKpi"]
