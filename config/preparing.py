"""What a start makes sure of first: pulses that tick, somebody who can sign in, a key to try."""

import secrets
from collections.abc import Iterable
from hashlib import sha256
from pathlib import Path

from celery import Celery
from django.contrib.auth.models import User
from django.db import transaction
from django_celery_beat.models import IntervalSchedule, PeriodicTask

from config.celery import PULSES, Pulse
from contacts.models import Source, SourceKey

_PREFIX = "Pulse: "
ADMIN = "admin"


def ensure_pulses(app: Celery, pulses: Iterable[Pulse] = PULSES) -> list[str]:
    """Make the scheduler's table match the table of pulses; returns the names that tick.

    A pulse that somebody switched off in the back office stays off.
    """
    app.loader.import_default_modules()
    present = [pulse for pulse in pulses if pulse.task in app.tasks]
    with transaction.atomic():
        for pulse in present:
            interval, _ = IntervalSchedule.objects.get_or_create(
                every=pulse.every, period=IntervalSchedule.SECONDS
            )
            wanted = {
                "task": pulse.task,
                "interval": interval,
                # Ticks that waited for a busy worker are worth nothing: the next one is already there.
                "expire_seconds": max(pulse.every, 5),
            }
            task, made = PeriodicTask.objects.get_or_create(name=_PREFIX + pulse.name, defaults=wanted)
            changed = [name for name, value in wanted.items() if getattr(task, name) != value]
            if changed and not made:
                for name in changed:
                    setattr(task, name, wanted[name])
                task.save()
        names = [_PREFIX + pulse.name for pulse in present]
        PeriodicTask.objects.filter(name__startswith=_PREFIX).exclude(name__in=names).delete()
    return [pulse.name for pulse in present]


def ensure_admin(kept_in: Path) -> str | None:
    """The first administrator's password while it is still the one made here, else None."""
    if not User.objects.filter(is_superuser=True).exists():
        password = secrets.token_urlsafe(9)
        kept_in.unlink(missing_ok=True)
        kept_in.touch(mode=0o600)
        kept_in.write_text(password, encoding="utf-8")
        User.objects.create_superuser(ADMIN, "", password)
        return password
    if not kept_in.is_file():
        return None
    password = kept_in.read_text(encoding="utf-8").strip()
    user = User.objects.filter(username=ADMIN, is_active=True).first()
    return password if user and user.check_password(password) else None


def ensure_write_key(kept_in: Path) -> str:
    """A write key of the source "First steps", to try the intake with."""
    if not kept_in.is_file():
        kept_in.touch(mode=0o600)
        kept_in.write_text(secrets.token_urlsafe(24), encoding="utf-8")
    key = kept_in.read_text(encoding="utf-8").strip()
    source, _ = Source.objects.get_or_create(slug="first-steps", defaults={"name": "First steps"})
    SourceKey.objects.get_or_create(
        digest=sha256(key.encode()).hexdigest(), defaults={"source": source, "prefix": key[:6]}
    )
    return key
