"""Back-office pages of channels, a file for each noun."""

from channels.admin import templates

__all__ = ["templates"]
