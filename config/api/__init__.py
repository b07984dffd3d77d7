"""Endpoints over what several apps know together."""
