"""The home page: what is held, whether it keeps up, what to try first. A few cheap statements."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.contrib.humanize.templatetags.humanize import intcomma
from django.db import connection
from django.http import HttpRequest
from django.urls import reverse
from django.utils.timesince import timesince
from django.utils.translation import gettext as _

from channels import organisation
from channels.models import Message
from config import approvals, health
from config.navigation import ListLink
from config.timeline import Mark, Placed
from config.timeline_names import load
from config.timeline_words import Entry, entries
from contacts import clock, slots
from contacts.models import Contact, Event, Source
from contacts.paging import CappedPaginator
from journeys.models import Journey

LATEST = 8
_LATE = timedelta(minutes=1)
_VERY_LATE = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Tile:
    label: str
    value: int
    note: str
    address: str = ""
    tone: str = ""


@dataclass(frozen=True, slots=True)
class Reading:
    """One thing of the health strip: good, warn or bad, and what it says."""

    label: str
    value: str
    tone: str


@dataclass(frozen=True, slots=True)
class Happening:
    contact: Contact
    entry: Entry


def fill(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """What the home page shows, each part only to those who may see its rows."""
    now = clock.now()
    may = request.user.has_perm
    figures = _figures(now)
    context.update(
        title=_("Home"),
        tiles=_tiles(figures, request),
        readings=readings(figures, now),
        approvals=approvals.waiting_for(request.user),
        journeys=_live_journeys() if may("journeys.view_journey") else None,
        latest=_latest(now) if may("contacts.view_event") and may("contacts.view_contact") else None,
        contact_list=_list(request, "contacts.Contact"),
        journey_list=_list(request, "journeys.Journey"),
        decision_list=_list(request, "channels.Decision"),
        command=_command() if may("contacts.view_sourcekey") else "",
        demo=_demo(),
        setup=reverse("setup") if may("channels.change_provideraccount") and _is_trial() else "",
    )
    return context


def _is_trial() -> bool:
    """Whether no email leaves yet."""
    account = organisation.email_account()
    return account is None or account.kind == "sandbox"


def _figures(now: datetime) -> dict[str, Any]:
    with connection.cursor() as cursor:
        cursor.execute(
            _FIGURES,
            {
                "today": now.date(),
                "week": now.date() - timedelta(days=6),
                "now": now,
                "last_slot": slots.SLOTS - 1,
            },
        )
        names = [column.name for column in cursor.description or ()]
        return dict(zip(names, cursor.fetchone() or (), strict=True))


# Partial indexes serve the states; a minimum over each slot reads one index entry a slot.
_FIGURES = """
SELECT
  (SELECT coalesce(sum(accepted), 0) FROM contacts_sourcecount WHERE day >= %(week)s)::bigint AS events_week,
  (SELECT coalesce(sum(accepted), 0) FROM contacts_sourcecount WHERE day = %(today)s)::bigint AS events_today,
  (SELECT coalesce(sum(count), 0) FROM analytics_dailykpi
    WHERE kpi = 'sent' AND day >= %(week)s)::bigint AS sent_week,
  (SELECT coalesce(sum(count), 0) FROM analytics_dailykpi
    WHERE kpi = 'sent' AND day = %(today)s)::bigint AS sent_today,
  (SELECT count(*) FROM channels_message WHERE state = 2) AS held,
  (SELECT count(*) FROM channels_message WHERE state = 11) AS uncertain,
  (SELECT received_at FROM contacts_inboxitem ORDER BY id LIMIT 1) AS oldest_inbox,
  (SELECT min(due.due_at) FROM generate_series(0, %(last_slot)s) AS s(slot)
    CROSS JOIN LATERAL (SELECT due_at FROM journeys_run WHERE slot = s.slot AND state = 1
                        ORDER BY due_at LIMIT 1) AS due) AS oldest_run,
  (SELECT min(due.due_at) FROM generate_series(0, %(last_slot)s) AS s(slot)
    CROSS JOIN LATERAL (SELECT due_at FROM channels_message WHERE slot = s.slot AND state = 3
                        ORDER BY due_at LIMIT 1) AS due) AS oldest_message,
  (SELECT max(last_run_at) FROM django_celery_beat_periodictask WHERE enabled) AS last_pulse
"""


def _tiles(figures: Mapping[str, Any], request: HttpRequest) -> list[Tile]:
    may = request.user.has_perm
    tiles = []
    if may("contacts.view_contact"):
        contacts = CappedPaginator(Contact.objects.order_by("pk"), 1).count
        tiles.append(
            Tile(_("Contacts"), contacts, _("known and anonymous"), _list(request, "contacts.Contact"))
        )
        today = _("%s today") % intcomma(figures["events_today"])
        tiles.append(Tile(_("Events, 7 days"), figures["events_week"], today))
    if may("channels.view_message"):
        messages = _list(request, "channels.Message")
        today = _("%s today") % intcomma(figures["sent_today"])
        tiles.append(Tile(_("Messages sent, 7 days"), figures["sent_week"], today, messages))
        tiles.append(
            Tile(
                _("Held"),
                figures["held"],
                _("waiting for their moment: see why"),
                reverse("admin:channels_decision_reasons") + "?outcome=hold"
                if may("channels.view_decision")
                else _only(messages, Message.State.HELD),
            )
        )
        uncertain = figures["uncertain"]
        note = _("handed over without an answer") if uncertain else _("every outcome is known")
        address = _only(messages, Message.State.UNCERTAIN)
        tiles.append(Tile(_("Uncertain"), uncertain, note, address, "bad" if uncertain else ""))
    return tiles


def _list(request: HttpRequest, model: str) -> str:
    """The address of a model's list, empty where there is none for this person."""
    return ListLink("", "", model).address(request) or ""


def _only(messages: str, state: Message.State) -> str:
    return f"{messages}?state__exact={state.value}" if messages else ""


def readings(figures: Mapping[str, Any], now: datetime) -> list[Reading]:
    """Whether each part keeps up: how long its oldest piece of work has waited."""
    broker = health.broker_answers()
    found = [
        Reading(_("Database"), _("answers"), "good"),
        Reading(
            _("Broker"),
            _("answers") if broker else _("silent: slower, nothing lost"),
            "good" if broker else "warn",
        ),
    ]
    for label, since in (
        (_("Inbox"), figures["oldest_inbox"]),
        (_("Journeys"), figures["oldest_run"]),
        (_("Delivery"), figures["oldest_message"]),
    ):
        found.append(_waiting(label, since, now))
    last = figures["last_pulse"]
    if last is None:
        found.append(Reading(_("Pulses"), _("never ran"), "warn"))
    else:
        # The scheduler writes its times down every three minutes.
        tone = "good" if now - last < _VERY_LATE else "bad"
        found.append(Reading(_("Pulses"), _("ran %s ago") % _span(last, now), tone))
    return found


def _waiting(label: str, since: datetime | None, now: datetime) -> Reading:
    if since is None or now - since < timedelta(seconds=5):
        return Reading(label, _("up to date"), "good")
    late = now - since
    tone = "good" if late < _LATE else "warn" if late < _VERY_LATE else "bad"
    return Reading(label, _("%s behind") % _span(since, now), tone)


def _span(since: datetime, now: datetime) -> str:
    seconds = int((now - since).total_seconds())
    return _("%d s") % max(seconds, 0) if seconds < 60 else timesince(since, now, depth=1)


def _live_journeys() -> list[dict[str, Any]]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT journey_id, count(*) FROM journeys_run WHERE state = 1 GROUP BY journey_id")
        running: dict[int, int] = dict(cursor.fetchall())
    rows = Journey.objects.filter(
        status__in=[Journey.Status.LIVE, Journey.Status.PAUSED], kind=Journey.Kind.JOURNEY
    ).order_by("name")
    return [{"journey": row, "running": running.get(row.pk, 0)} for row in rows]


def _latest(now: datetime) -> list[Happening]:
    """The newest events of the last days, in the order in which they were written down."""
    with connection.cursor() as cursor:
        # Each lane's index gives its newest at once; the bound on time leaves old partitions alone.
        cursor.execute(
            "SELECT e.id, e.occurred_at FROM generate_series(0, %s) AS l(lane) CROSS JOIN LATERAL ("
            " SELECT id, xid, occurred_at FROM contacts_event WHERE lane = l.lane AND occurred_at > %s"
            " ORDER BY lane DESC, xid DESC, id DESC LIMIT %s) AS e ORDER BY e.xid DESC, e.id DESC LIMIT %s",
            [slots.SLOTS - 1, now - timedelta(days=3), LATEST, LATEST],
        )
        keys: list[tuple[int, datetime]] = cursor.fetchall()
    if not keys:
        return []
    ids = [key[0] for key in keys]
    rows = {row.pk: row for row in Event.objects.filter(pk__in=ids, occurred_at__in={key[1] for key in keys})}
    placed = [Placed(Mark(rows[pk].occurred_at, 0, pk), rows[pk]) for pk in ids if pk in rows]
    contacts = Contact.objects.in_bulk([rows[one.mark.id].contact_id for one in placed])
    words = entries(placed, load(placed), ZoneInfo("UTC"))
    return [
        Happening(contacts[contact_id], entry)
        for one, entry in zip(placed, words, strict=True)
        if (contact_id := rows[one.mark.id].contact_id) in contacts
    ]


def _command() -> str:
    """A command that sends one event, with the key that `up` made for trying things where there is one."""
    kept = settings.SEGUE_HOME / "write_key"
    key = kept.read_text(encoding="utf-8").strip() if kept.is_file() else "WRITE_KEY"
    body = '{"userId": "you", "event": "Product Added", "properties": {"name": "Mango box", "price": 12.5}}'
    return f"curl -u {key}: {settings.SEGUE_BASE_URL}/v1/track \\\n  -d '{body}'"


def _demo() -> dict[str, int]:
    """What the demo noted when it was loaded: ``loaded`` events, ``load_rate`` a second; {} without."""
    kept = settings.SEGUE_HOME / "demo.json"
    if not kept.is_file() or not Source.objects.filter(slug="tills", name="Shop tills").exists():
        return {}
    noted: dict[str, int] = json.loads(kept.read_text(encoding="utf-8"))
    return noted
