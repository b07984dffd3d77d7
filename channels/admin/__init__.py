"""Back-office pages of channels, a file for each noun."""

from channels.admin import audiences, charter, decisions, messages, providers, sandbox, surveys, templates

__all__ = ["audiences", "charter", "decisions", "messages", "providers", "sandbox", "surveys", "templates"]
