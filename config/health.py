"""Is this server able to work? Asked by load balancers, monitors and the supervisor."""

import shutil

import redis
from django.conf import settings
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, JsonResponse

from config import lags
from config.server_valkey import ONCE
from contacts import clock, event_log_healing
from contacts.contention import STORE_FAULTS


def database_answers() -> bool:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except STORE_FAULTS:
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
    except STORE_FAULTS:
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


def livez(request: HttpRequest) -> JsonResponse:
    """200 as long as this process answers at all; asks nobody else."""
    response = JsonResponse({"alive": True})
    response["Cache-Control"] = "no-store"
    return response


def readyz(request: HttpRequest) -> JsonResponse:
    """`{"ready": bool, "reasons": [...], "remarks": [...]}`: 200 where traffic may come here, else 503.

    Remarks are about other parts: with them events are taken in all the same, and nothing is lost.
    """
    reasons, remarks = [], []
    if not database_answers():
        reasons.append("the database does not answer")
    elif not _tables_current():
        reasons.append("the tables are older than the code: run manage.py migrate")
    if shutil.disk_usage(settings.SEGUE_HOME).free < _LEAST_ROOM:
        reasons.append("the disk is full")
    if not reasons:
        if not broker_answers():
            remarks.append("the broker is silent: slower, nothing lost")
        if not log_flows():
            remarks.append("readers of the log wait after a restore: run manage.py restored")
        now = clock.now()
        remarks += [
            f"{lag.pulse}: work is due for {lag.seconds(now):.0f} s and nobody takes any"
            for lag in lags.read(now)
            if not lag.moving(now)
        ]
    response = JsonResponse(
        {"ready": not reasons, "reasons": reasons, "remarks": remarks}, status=503 if reasons else 200
    )
    response["Cache-Control"] = "no-store"
    return response


_LEAST_ROOM = 16 * 2**20
"Bytes without which not even a spool or a file can be written."
_current: list[bool] = []


def _tables_current() -> bool:
    """Whether every migration of this code was applied; once it was, this process asks no more."""
    if not _current:
        try:
            executor = MigrationExecutor(connection)
            if executor.migration_plan(executor.loader.graph.leaf_nodes()):
                return False
        except STORE_FAULTS:
            return False
        _current.append(True)
    return True
