import os
import random
import secrets
from collections.abc import Iterator

import pytest
from pytest_django import DjangoDbBlocker

from tests.servers import TestServers, adjust_settings, own_database

_servers = pytest.StashKey[TestServers]()


def pytest_configure(config: pytest.Config) -> None:
    os.environ.setdefault("SEGUE_SEED", str(secrets.randbelow(1_000_000)))
    worker = os.environ.get("PYTEST_XDIST_WORKER", "main")
    only_hands_out = worker == "main" and config.getoption("dist", "no") != "no"
    if not only_hands_out and not config.option.collectonly:
        config.stash[_servers] = TestServers(worker)
        config.stash[_servers].start()
        adjust_settings()


def pytest_unconfigure(config: pytest.Config) -> None:
    if _servers in config.stash:
        config.stash[_servers].stop()


def pytest_report_header() -> str:
    return f"seed: {os.environ['SEGUE_SEED']} (set SEGUE_SEED to repeat it)"


@pytest.fixture(scope="session")
def django_db_setup(django_test_environment: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    name = f"test_{os.getpid()}_{os.environ.get('PYTEST_XDIST_WORKER', 'main')}"
    with django_db_blocker.unblock(), own_database(name):
        yield


@pytest.fixture(scope="session")
def seed() -> int:
    """The run's seed, for generators of a test's own."""
    return int(os.environ["SEGUE_SEED"])


@pytest.fixture(autouse=True)
def _same_dice(seed: int) -> None:
    random.seed(seed)
