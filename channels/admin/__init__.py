"""Back-office pages of channels, a file for each noun."""

from channels.admin import charter, decisions

__all__ = ["charter", "decisions"]
