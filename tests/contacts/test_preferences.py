from datetime import timedelta
from uuid import uuid4

import pytest

from contacts import permission, preferences, wishes
from contacts.models import Event
from contacts.preferences import Grant, TokenExpiredError, TokenInvalidError, Use
from tests.factories import NOON, make_contact

GRANT = Grant(uuid4(), "email", "offers", uuid4())


def test_a_token_says_what_was_put_in() -> None:
    assert preferences.read(preferences.token(GRANT, Use.UNSUBSCRIBE, NOON), Use.UNSUBSCRIBE, NOON) == GRANT


def test_a_token_for_one_use_opens_nothing_else() -> None:
    with pytest.raises(TokenInvalidError):
        preferences.read(preferences.token(GRANT, Use.UNSUBSCRIBE, NOON), Use.PREFERENCES, NOON)


def test_a_token_ends() -> None:
    token = preferences.token(GRANT, Use.UNSUBSCRIBE, NOON)
    last = NOON + preferences.LIFETIME[Use.UNSUBSCRIBE]
    assert preferences.read(token, Use.UNSUBSCRIBE, last) == GRANT
    with pytest.raises(TokenExpiredError):
        preferences.read(token, Use.UNSUBSCRIBE, last + timedelta(seconds=1))


def test_no_change_to_a_token_goes_unnoticed() -> None:
    token = preferences.token(GRANT, Use.UNSUBSCRIBE, NOON)
    for i in range(len(token)):
        for other in ("A", "_", "é", ""):
            changed = token[:i] + other + token[i + 1 :]
            if changed != token:
                with pytest.raises(TokenInvalidError):
                    preferences.read(changed, Use.UNSUBSCRIBE, NOON)


@pytest.mark.parametrize("text", ["", "x", "A" * 40, "A" * 5000, "../..", "%00"])
def test_nonsense_is_no_token(text: str) -> None:
    with pytest.raises(TokenInvalidError):
        preferences.read(text, Use.UNSUBSCRIBE, NOON)


@pytest.mark.django_db
def test_what_a_person_chooses_on_their_pages_is_theirs_by_origin() -> None:
    contact = make_contact(language="en", attributes={"plan": "gold"})
    preferences.speak(contact, "fr", NOON)
    wishes.pause(contact, 30, NOON)
    wishes.limit(contact, 2, None, NOON)
    contact.refresh_from_db()
    own = ["person", int(NOON.timestamp())]
    assert contact.origins["declared"] == {
        "language": own, permission.PAUSE: own, permission.WEEKLY: own
    }  # fmt: skip
    assert Event.objects.get(contact_id=contact.pk).properties == {"language": "fr"}
    wishes.pause(contact, 0, NOON)
    contact.refresh_from_db()
    assert permission.PAUSE not in contact.origins["declared"]
    assert contact.attributes == {"plan": "gold", permission.WEEKLY: 2}
