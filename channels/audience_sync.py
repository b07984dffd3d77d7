"""Closing the gap between who is wanted in an audience and who is in it at its destination."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime, timedelta

import psycopg
from django.db import connection

from channels import audience_keeping, retry, sealing
from channels.alone import alone
from channels.models import Audience, AudienceDeparture, AudienceMember
from channels.providers import PROVIDERS
from channels.providers.audience import ADD, REMOVE, hashed_digits, hashed_email, hashed_phone
from channels.providers.base import Outcome, Parcel, Provider, Result, Words
from contacts import once

_State = AudienceMember.State
_BATCH = 1_000
_WORK = "channels.audience_sync"
#: A member reaches this state when its destination took the change.
_DONE = {_State.ADDING.value: _State.IN.value, _State.REMOVING.value: _State.OUT.value}


def sync(now: datetime, *, batch: int = _BATCH) -> int:
    """Tell each destination a batch of changes; returns how many were taken.

    Nothing is in a transaction while somebody is told. What was not taken stays for the next time; telling
    twice does no harm, and a change that came meanwhile is told on its own. One worker at a time tells an
    audience's changes, so that no joining arrives after the leaving that followed it.
    """
    taken = 0
    # Limits are the account's: what one of its lists was told holds for the others.
    resting = set(Audience.objects.filter(not_before__gt=now).values_list("provider_id", flat=True))
    audiences = Audience.objects.select_related("provider", "purpose").filter(
        provider__active=True, provider__paused=False, provider__kind__in=PROVIDERS
    )
    for audience in audiences:
        account = audience.provider
        if account is None:
            continue
        try:
            provider = PROVIDERS[account.kind](account.pk, sealing.values_of(account))
        except (sealing.SecretsUnreadableError, ValueError):
            continue
        try:
            with alone(_WORK, audience.pk) as free:
                if free:
                    audience_keeping.keep(audience, now)
                    if account.pk not in resting:
                        taken += _tell_all(audience, provider, now, batch)
                    if audience.not_before and audience.not_before > now:
                        resting.add(account.pk)
        finally:
            provider.close()
    return taken


def _tell_all(audience: Audience, provider: Provider, now: datetime, batch: int) -> int:
    done, told = _tell(audience, provider, now, batch)
    if _asked_away(audience, told, now):
        return done
    gone, told = _tell_gone(audience, provider, now, batch)
    _asked_away(audience, told, now)
    return done + gone


def _asked_away(audience: Audience, told: Iterable[Result], now: datetime) -> bool:
    """Whether the destination asked to be left alone, which is kept then, and never believed too long."""
    waits = [one.retry_after for one in told if one.outcome is Outcome.TRY_LATER and one.retry_after]
    seconds = min(max(waits, default=0.0), retry.LONGEST_WAIT.total_seconds())
    if seconds <= 0:
        return False
    audience.not_before = now + timedelta(seconds=seconds)
    Audience.objects.filter(pk=audience.pk).update(not_before=audience.not_before)
    return True


def _tell(
    audience: Audience, provider: Provider, now: datetime, batch: int
) -> tuple[int, Collection[Result]]:
    """How many changes were taken, and every answer."""
    waiting = list(
        AudienceMember.objects.filter(audience=audience, state__in=list(_DONE))
        .select_related("contact")
        .order_by("changed_at", "contact_id")[:batch]
    )
    if not waiting:
        return 0, ()
    parcels = {member.contact_id: _parcel(audience, member, now) for member in waiting}
    # Nobody can be found elsewhere by nothing: such a change is done as soon as it is wanted.
    empty = [one for one in waiting if not parcels[one.contact_id].address and not one.contact.phone]
    told = [one for one in waiting if one not in empty]
    answers = (
        provider.send([parcels[one.contact_id] for one in told], lambda going: going, now) if told else {}
    )
    done = [one for one in told if answers[one.contact_id].outcome is Outcome.ACCEPTED]
    refused = [one for one in told if answers[one.contact_id].outcome is Outcome.REFUSED]
    _settle(audience, [*done, *empty, *refused])
    failed = [one for one in answers.values() if one.outcome is not Outcome.ACCEPTED]
    trouble = provider.hushed(f"{failed[0].code} {failed[0].detail}".strip())[:300] if failed else ""
    Audience.objects.filter(pk=audience.pk).update(synced_at=now, trouble=trouble)
    return len(done), answers.values()


def _tell_gone(
    audience: Audience, provider: Provider, now: datetime, batch: int
) -> tuple[int, Collection[Result]]:
    """Let the destination remove those who were erased, of whom digests are all that is left."""
    gone = list(AudienceDeparture.objects.filter(audience=audience).order_by("id")[:batch])
    if not gone:
        return 0, ()
    parcels = [
        Parcel(
            one.pk,
            now,
            once.key("audience", audience.pk, "gone", one.pk),
            "audience",
            one.email_sha256,
            Words(REMOVE),
            {
                "audience": audience.slug,
                "remote": audience.remote_id,
                "action": REMOVE,
                "phone": one.phone_sha256,
                "digits": one.digits_sha256,
            },
        )
        for one in gone
    ]
    answers = provider.send(parcels, lambda going: going, now)
    told = [pk for pk, answer in answers.items() if answer.outcome in (Outcome.ACCEPTED, Outcome.REFUSED)]
    AudienceDeparture.objects.filter(pk__in=told).delete()
    return len(told), answers.values()


def _parcel(audience: Audience, member: AudienceMember, now: datetime) -> Parcel:
    action = ADD if member.state == _State.ADDING else REMOVE
    contact = member.contact
    return Parcel(
        member.contact_id,
        now,
        once.key("audience", audience.pk, member.contact_id, action, member.changed_at),
        "audience",
        hashed_email(contact.email),
        Words(action),
        {
            "audience": audience.slug,
            "remote": audience.remote_id,
            "contact": member.contact_id,
            "action": action,
            "phone": hashed_phone(contact.phone),
            "digits": hashed_digits(contact.phone),
        },
    )


def _settle(audience: Audience, members: Sequence[AudienceMember]) -> None:
    """Move the members whose wish is still the one that was told."""
    connection.ensure_connection()
    with psycopg.Cursor(connection.connection) as cursor:
        cursor.execute(
            "UPDATE channels_audiencemember m SET state = u.next"
            " FROM unnest(%b::int8[], %b::int2[], %b::text[], %b::text[], %b::timestamptz[])"
            " AS u(contact_id, slot, state, next, changed_at)"
            " WHERE m.audience_id = %b::int8 AND m.contact_id = u.contact_id AND m.slot = u.slot"
            " AND m.state = u.state AND m.changed_at = u.changed_at",
            [
                [one.contact_id for one in members],
                [one.slot for one in members],
                [one.state for one in members],
                [_DONE[one.state] for one in members],
                [one.changed_at for one in members],
                audience.pk,
            ],
        )
