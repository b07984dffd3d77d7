import logging
import sys

import psycopg
import pytest
from django.db import OperationalError

from config.outages import WithoutTraceback


def record_of(error: Exception) -> logging.LogRecord:
    try:
        raise error  # noqa: TRY301 (it needs a traceback)
    except Exception:  # noqa: BLE001 (any error will do)
        return logging.LogRecord("beat", logging.ERROR, "", 0, "failed: %s", (error,), sys.exc_info())


@pytest.mark.parametrize("error", [OperationalError, psycopg.OperationalError])
def test_an_absent_database_is_told_in_one_line(error: type[Exception]) -> None:
    record = record_of(error("refused\nis it running?"))
    assert WithoutTraceback().filter(record)
    assert record.getMessage() == "failed: refused (OperationalError)"
    assert record.exc_info is None


def test_a_fault_of_ours_keeps_its_traceback() -> None:
    record = record_of(KeyError("name"))
    assert WithoutTraceback().filter(record)
    assert record.exc_info is not None
