"""Is this server able to work? Asked by load balancers, monitors and the supervisor."""

import redis
from django.conf import settings
from django.db import DatabaseError, connection
from django.http import HttpRequest, JsonResponse
from psycopg_pool import PoolTimeout

from config.server_valkey import ONCE
from contacts import event_log_healing


def database_answers() -> bool:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except (DatabaseError, PoolTimeout):
        return False
    return True


def broker_answers() -> bool:
    """Only Redis-like brokers are asked; any other is taken at its word."""
    address: str = settings.CELERY_BROKER_URL
    if not address.startswith(("redis://", "rediss://")):
        return True
    try:
        with redis.Redis.from_url(address, socket_timeout=1, socket_connect_timeout=1, retry=ONCE) as client:
            return bool(client.ping())
    except (redis.RedisError, OSError):
        return False


def log_flows() -> bool:
    """False where a backup was restored and its readers wait for numbers that lie far ahead."""
    try:
        return not event_log_healing.standing().stalled
    except (DatabaseError, PoolTimeout):
        return False


def healthz(request: HttpRequest) -> JsonResponse:
    """`{"database": bool, "broker": bool, "log": bool}`: 200 when the database answers, else 503.

    A missing broker only makes things slower (the tables hold all work), so it does not turn traffic away.
    Nor does a log whose readers wait: events are taken in, and `manage.py restored` lets them be read.
    """
    state = {"database": database_answers(), "broker": broker_answers(), "log": log_flows()}
    response = JsonResponse(state, status=200 if state["database"] else 503)
    response["Cache-Control"] = "no-store"
    return response
