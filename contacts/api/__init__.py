"""The JSON twins of pages about contacts."""
