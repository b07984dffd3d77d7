"""Lists kept by hand: found by what people paste, filled from another segment, frozen from a rule."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from django.db import transaction
from django.db.models import Q
from django.utils.text import slugify

from contacts import normalise, segment_members, slots
from contacts.models import Contact, Identifier, Segment

_A_BATCH = 5_000


@dataclass(slots=True)
class Found:
    """What became of pasted lines: each is found, unknown or a repetition of another."""

    contacts: set[int] = field(default_factory=set)
    unknown: list[str] = field(default_factory=list)
    lines: int = 0
    repeated: int = 0


def find(lines: Iterable[str]) -> Found:
    """Contacts by the emails, phones or user ids that ``lines`` name. Two statements for each 5,000."""
    found = Found()
    wanted: dict[str, set[str]] = {}
    for line in (line.strip() for line in lines):
        if not line:
            continue
        found.lines += 1
        if line in wanted:
            found.repeated += 1
        else:
            wanted[line] = {form for form in _forms(line) if form}
    named = list(wanted)
    for start in range(0, len(named), _A_BATCH):
        _look(named[start : start + _A_BATCH], wanted, found)
    return found


def _forms(line: str) -> tuple[str | None, ...]:
    return (line, normalise.identifier(line), normalise.email(line), normalise.phone(line))


def _look(named: list[str], wanted: dict[str, set[str]], found: Found) -> None:
    values = {form for line in named for form in wanted[line]}
    kinds = [Identifier.Kind.USER, Identifier.Kind.EMAIL, Identifier.Kind.PHONE]
    owners = dict(
        Identifier.objects.filter(kind__in=kinds, value__in=values).values_list("value", "contact_id")
    )
    by_column = Contact.objects.filter(email__in=[value for value in values if "@" in value])
    owners |= dict(by_column.values_list("email", "id"))
    for line in named:
        contact = next((owners[form] for form in wanted[line] if form in owners), None)
        if contact is None:
            found.unknown.append(line)
        elif contact in found.contacts:
            found.repeated += 1
        else:
            found.contacts.add(contact)


def fill(segment: Segment, source: Segment, now: datetime) -> int:
    """Add everybody in ``source`` to a list kept by hand; returns how many were not in it."""
    if segment.kind != Segment.Kind.STATIC:
        raise ValueError(f"{segment.slug} is kept by its rule")
    with transaction.atomic():
        segment_members.hold(range(slots.SLOTS))
        segment = Segment.objects.select_for_update().get(pk=segment.pk)
        both = Q(memberships__segment_id=segment.pk) | Q(memberships__segment_id=source.pk)
        change = segment_members.replace(segment, Contact.objects.filter(both).distinct(), now)
        segment.size = segment.memberships.count()
        segment.save(update_fields=["size"])
        segment_members.note_day({segment.pk: change}, now)
    return len(change.entered)


def freeze(source: Segment, name: str, now: datetime) -> Segment:
    """A new list by hand of those who are in ``source`` now."""
    with transaction.atomic():
        frozen = Segment.objects.create(
            name=name,
            slug=free_slug(name),
            kind=Segment.Kind.STATIC,
            description=source.description,
            tags=source.tags,
            stale=False,
            computed_at=now,
        )
        fill(frozen, source, now)
    return frozen


def copy(source: Segment, name: str) -> Segment:
    """A new segment with the same rule, to be computed by the next pulse."""
    return Segment.objects.create(
        name=name,
        slug=free_slug(name),
        kind=Segment.Kind.DYNAMIC,
        description=source.description,
        tags=source.tags,
        rule=source.rule,
    )


def free_name(name: str) -> str:
    """The name, or the first with a number after it that nobody has."""
    taken = set(Segment.objects.filter(name__startswith=name[:100]).values_list("name", flat=True))
    names = (name[:110] if number == 1 else f"{name[:110]} ({number})" for number in range(1, 1000))
    return next(each for each in names if each not in taken)


def free_slug(name: str) -> str:
    """A slug from a name that no other segment has."""
    base = slugify(name)[:52] or "segment"
    taken = set(Segment.objects.filter(slug__startswith=base).values_list("slug", flat=True))
    slugs = (base if number == 1 else f"{base}-{number}" for number in range(1, 1000))
    return next(each for each in slugs if each not in taken)
