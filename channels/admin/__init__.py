"""Back-office pages of channels, a file for each noun."""

from channels.admin import (
    audiences,
    calls,
    charter,
    decisions,
    messages,
    providers,
    sandbox,
    surveys,
    templates,
)

__all__ = [
    "audiences",
    "calls",
    "charter",
    "decisions",
    "messages",
    "providers",
    "sandbox",
    "surveys",
    "templates",
]
