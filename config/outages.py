"""A server that is away for a moment is told in one line, not in eighty for each second."""

import logging

import psycopg
from django.db import InterfaceError, OperationalError
from kombu.exceptions import OperationalError as BrokerError
from redis.exceptions import ConnectionError as RedisConnectionError

_AWAY = (
    OperationalError,
    InterfaceError,
    psycopg.OperationalError,
    psycopg.InterfaceError,
    BrokerError,
    RedisConnectionError,
    ConnectionError,
)


class WithoutTraceback(logging.Filter):
    """Takes the traceback from records about a server that does not answer; the message stays."""

    def filter(self, record: logging.LogRecord) -> bool:
        if record.exc_info and isinstance(record.exc_info[1], _AWAY):
            error = record.exc_info[1]
            record.msg = f"{record.getMessage().splitlines()[0]} ({type(error).__name__})"
            record.args = None
            record.exc_info = record.exc_text = None
        return True
