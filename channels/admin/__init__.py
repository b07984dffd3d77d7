"""Back-office pages of channels, a file for each noun."""

from channels.admin import (
    audiences,
    blocks,
    calls,
    charter,
    content_tests,
    decisions,
    feeds,
    messages,
    providers,
    sandbox,
    surveys,
    templates,
)

__all__ = [
    "audiences",
    "blocks",
    "calls",
    "charter",
    "content_tests",
    "decisions",
    "feeds",
    "messages",
    "providers",
    "sandbox",
    "surveys",
    "templates",
]
