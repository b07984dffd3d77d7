"""What apps say by convention: each in a module of its own of the same name, such as ``promises``."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from types import ModuleType

from django.apps import apps


def modules(name: str) -> dict[str, ModuleType]:
    """The module ``name`` of each app that has one, by the app's label, in the order of INSTALLED_APPS."""
    return {
        config.label: import_module(f"{config.name}.{name}")
        for config in apps.get_app_configs()
        if find_spec(f"{config.name}.{name}")
    }
