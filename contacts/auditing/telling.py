"""Writing to people when a promise breaks and when it holds again: once each, and never often.

All news goes in one mail. Who is told is in the settings, or else holds the permission to be. A mail that
could not be sent is tried again: its news stay untold.
"""

from __future__ import annotations

import zlib
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from smtplib import SMTPException
from typing import NamedTuple

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.mail import EmailMessage, get_connection
from django.db import connection, transaction
from django.db.models import Max
from django.utils.translation import gettext as _
from django.utils.translation import override

from contacts.auditing.promise import Promise
from contacts.auditing.registry import promises
from contacts.models import PromiseState

_LOCK = zlib.crc32(b"contacts.telling") & 0x7FFFFFFF
_PERMISSION = "contacts.hear_promisestate"
_EXAMPLES = 5


class News(NamedTuple):
    state: PromiseState
    promise: Promise
    broken: bool


def tell(now: datetime) -> int:
    """Write what people have not been told yet; returns how many promises the mail was about.

    One worker at a time; a mail at most every ``SEGUE_ALERT_MINUTES``, and of each promise that breaks and
    heals again and again no more than one in the double of that.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [_LOCK])
        if not (cursor.fetchone() or (False,))[0]:
            return 0
        news = _news(now)
        if not news:
            return 0
        _note(news, now)
    # Noted before it is sent, so that no second worker writes the same; taken back where it was not sent.
    if _send(news, now):
        return len(news)
    _take_back(news)
    return 0


def recipients() -> list[str]:
    """Whom to write to: the addresses of the settings, else everybody active who holds the permission."""
    if settings.SEGUE_ALERTS:
        return list(settings.SEGUE_ALERTS)
    people = get_user_model().objects.with_perm(
        _PERMISSION, backend="django.contrib.auth.backends.ModelBackend"
    )
    return sorted({one.email for one in people.exclude(email="")})


def _news(now: datetime) -> list[News]:
    known = promises()
    pause = timedelta(minutes=settings.SEGUE_ALERT_MINUTES)
    states = [one for one in PromiseState.objects.filter(name__in=known) if known[one.name].alarms]
    last = PromiseState.objects.aggregate(last=Max("told_at"))["last"]
    if last is not None and now - pause < last <= now:
        return []
    found = []
    for state in states:
        promise = known[state.name]
        broken = state.open > 0 and state.since is not None and now - state.since >= promise.look.patience
        if broken == state.told_broken or (state.open > 0) != broken:
            continue
        if state.told_at is not None and now - pause * 2 < state.told_at <= now:
            continue
        found.append(News(state, promise, broken))
    return found


def _note(news: Collection[News], now: datetime) -> None:
    for one in news:
        PromiseState.objects.filter(pk=one.state.pk).update(told_broken=one.broken, told_at=now)


def _take_back(news: Collection[News]) -> None:
    for one in news:
        PromiseState.objects.filter(pk=one.state.pk, told_broken=one.broken).update(
            told_broken=not one.broken, told_at=one.state.told_at
        )


def _send(news: Sequence[News], now: datetime) -> bool:
    to = recipients()
    if not to:
        return True
    with override("en"):
        broken = sum(one.broken for one in news)
        if broken == 1:
            subject = _("Segue: a promise is broken")
        elif broken:
            subject = _("Segue: %d promises are broken") % broken
        else:
            subject = _("Segue: what was broken holds again")
        body = "\n\n".join(_words(one) for one in news)
        page = f"{settings.SEGUE_BASE_URL}/admin/promises/"
        body += "\n\n" + _("All promises: %s") % page + f"\n{now:%Y-%m-%d %H:%M:%S} UTC\n"
    mail = EmailMessage(
        subject, body, settings.DEFAULT_FROM_EMAIL, to, headers={"Auto-Submitted": "auto-generated"}
    )
    try:
        mail.connection = get_connection()
        return bool(mail.send())
    except (SMTPException, OSError):
        return False


def _words(news: News) -> str:
    state, promise = news.state, news.promise
    if not news.broken:
        return _("Holds again: %s") % str(promise.title)
    lines = [
        _("Broken: %s") % promise.title,
        _("%(count)s violations since %(since)s UTC.")
        % {"count": state.open, "since": f"{state.since:%Y-%m-%d %H:%M:%S}" if state.since else "?"},
        str(promise.meaning),
        str(promise.remedy),
    ]
    open_ = state.breaches.filter(over_at__isnull=True, settled_at__isnull=True).order_by("id")
    examples = (
        ", ".join(f"{name} {value}" for name, value in one.about.items()) for one in open_[:_EXAMPLES]
    )
    return "\n".join([*lines, *(f"- {example}" for example in examples)])
