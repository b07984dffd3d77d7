"""Names and slugs that somebody else has already: answered in one way, wherever something is kept."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import IntegrityError, transaction

from contacts.api.errors import Refused


@contextmanager
def refused_if_taken(words: str, field: str = "slug") -> Iterator[None]:
    """Save within; where a unique name is taken the answer is 409 ``taken``, and nothing was kept."""
    try:
        with transaction.atomic():
            yield
    except IntegrityError:
        raise Refused(409, "taken", words, field) from None
