import os
import random
import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_django import DjangoDbBlocker

from tests import emptying, examples
from tests.granian import WebServer
from tests.servers import TestServers, adjust_settings, own_database

_TESTS = Path(__file__).parent
#: They take longest or wait more than they work, and nobody shall wait for them at the end.
_FIRST = tuple(
    str(_TESTS / name)
    for name in (
        "faults/test_whole_loop.py",
        "config/test_supervisor.py",
        "contacts/privacy/test_restoring.py",
        "journeys/backtest/test_truth.py",
        "flows/test_sdks.py",
        "properties/",
        "contacts/test_intake_server.py",
    )
)
_servers = pytest.StashKey[TestServers]()


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    os.environ.setdefault("SEGUE_SEED", str(secrets.randbelow(1_000_000)))
    examples.prepare()
    # Hypothesis rolls the same dice.
    config.option.hypothesis_seed = config.option.hypothesis_seed or os.environ["SEGUE_SEED"]
    worker = os.environ.get("PYTEST_XDIST_WORKER", "main")
    only_hands_out = worker == "main" and config.getoption("dist", "no") != "no"
    if not only_hands_out and not config.option.collectonly:
        config.stash[_servers] = TestServers(worker)
        config.stash[_servers].start()
        adjust_settings()
        emptying.instead_of_flushing()


def pytest_unconfigure(config: pytest.Config) -> None:
    if _servers in config.stash:
        config.stash[_servers].stop()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: not str(item.path).startswith(_FIRST))


def pytest_report_header() -> str:
    return f"seed: {os.environ['SEGUE_SEED']} (set SEGUE_SEED to repeat it)"


@pytest.fixture(scope="session")
def django_db_setup(django_test_environment: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    name = f"test_{os.getpid()}_{os.environ.get('PYTEST_XDIST_WORKER', 'main')}"
    with django_db_blocker.unblock(), own_database(name):
        yield


@pytest.fixture(scope="session")
def one_web_server(django_db_setup: None) -> Iterator[WebServer]:
    with WebServer() as running:
        yield running


@pytest.fixture
def web_server(one_web_server: WebServer) -> WebServer:
    """The real server over the test's database, one for all tests of a process."""
    if not one_web_server.running:
        one_web_server.start()
    return one_web_server


@pytest.fixture(scope="session")
def seed() -> int:
    """The run's seed, for generators of a test's own."""
    return int(os.environ["SEGUE_SEED"])


@pytest.fixture
def months(monkeypatch: pytest.MonkeyPatch) -> None:
    """A test's database has no months of its own; what the others promise is not about that."""
    monkeypatch.setattr("contacts.partitions.missing", lambda _at: [])


@pytest.fixture(autouse=True)
def _same_dice(seed: int) -> None:
    random.seed(seed)
