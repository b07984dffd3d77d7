"""Pages of the back office that belong to no single room."""

from config.admin import contacts, people, pulses, segments

__all__ = ["contacts", "people", "pulses", "segments"]
