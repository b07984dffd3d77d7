"""How many examples a property is tried with: few enough for every run, many more when somebody asks."""

import os

from hypothesis import HealthCheck, settings

TIMES = int(os.environ.get("SEGUE_EXAMPLES", "1"))
"""SEGUE_EXAMPLES=20 searches twenty times as long."""


def examples(usual: int) -> settings:
    return settings(max_examples=usual * TIMES)


def prepare() -> None:
    """What holds for every property. A deadline or a health check would only say that the machine is busy."""
    settings.register_profile(
        "segue",
        max_examples=100 * TIMES,
        deadline=None,
        print_blob=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    settings.load_profile("segue")
