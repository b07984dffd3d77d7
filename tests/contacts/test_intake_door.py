import base64

import pytest

from contacts.group_commit import StoreDown
from contacts.intake import Row
from contacts.intake_door import basic_key
from contacts.intake_keys import Sender
from contacts.intake_quota import Quota
from contacts.models import InboxItem
from tests.contacts.sender import KEY, OTHER_KEY, Inbox, make_door, send, track

GOOD = track()


class Broken:
    """A store that is down."""

    def store(self, rows: list[Row]) -> None:
        raise StoreDown("no connection")


class Clock:
    def __init__(self) -> None:
        self.time = 0.0

    def __call__(self) -> float:
        return self.time


def test_preflight_allows_what_senders_in_browsers_need() -> None:
    answer = send("/v1/batch", b"", key=None, method="OPTIONS")
    assert (answer.status, answer.body) == (204, b"")
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert answer.headers["Access-Control-Allow-Headers"] == "authorization, content-type, x-retry-count"
    assert "POST" in answer.headers["Access-Control-Allow-Methods"]


@pytest.mark.django_db
def test_every_answer_may_be_read_by_any_page() -> None:
    for answer in (send("/v1/t", GOOD), send("/v1/t", GOOD, key="no"), send("/v1/t", b"{")):
        assert answer.headers["Access-Control-Allow-Origin"] == "*"
        assert "Access-Control-Allow-Credentials" not in answer.headers


@pytest.mark.django_db
@pytest.mark.parametrize("kind", ["", "text/plain", "application/x-www-form-urlencoded", "nonsense"])
def test_the_content_type_does_not_matter(kind: str) -> None:
    assert send("/v1/track", GOOD, CONTENT_TYPE=kind).status == 200


@pytest.mark.parametrize("key", ["unknown", "x" * 100_000, "ключ", "\x00"])
def test_an_unknown_key_is_refused(key: str) -> None:
    answer = send("/v1/track", GOOD, key=key)
    assert (answer.status, answer.json["code"]) == (401, "unknown_key")


def test_a_request_without_key_is_refused() -> None:
    for path, body in (("/v1/track", GOOD), ("/v1/batch", {"batch": [GOOD]})):
        answer = send(path, body, key=None)
        assert (answer.status, answer.json["code"], answer.json["field"]) == (401, "missing_key", "writeKey")


def test_a_write_key_that_is_no_text_is_refused() -> None:
    assert send("/v1/track", {**GOOD, "writeKey": 5}, key=None).status == 400


def test_other_methods_and_paths_are_refused_with_a_code() -> None:
    answer = send("/v1/track", b"", method="GET")
    assert (answer.status, answer.json["code"], answer.headers["Allow"]) == (
        405,
        "method_not_allowed",
        "POST, OPTIONS",
    )
    answer = send("/v1/explode", GOOD)
    assert (answer.status, answer.json["code"]) == (404, "unknown_path")


def test_a_store_that_is_down_is_a_503_with_retry_after_and_never_a_200() -> None:
    for path, body in (("/v1/track", GOOD), ("/v1/batch", {"batch": [GOOD]}), ("/v1/track", {"userId": "a"})):
        answer = send(path, body, door=make_door(store=Broken()))
        assert (answer.status, answer.json["code"]) == (503, "store_unavailable")
        assert int(answer.headers["Retry-After"]) > 0


def test_keys_that_cannot_be_read_are_a_503_and_not_a_401() -> None:
    def sender_of(key: str) -> Sender | None:
        raise StoreDown("keys cannot be read")

    answer = send("/v1/track", GOOD, door=make_door(sender_of=sender_of))
    assert answer.status == 503


def test_an_error_of_our_own_is_answered_so_that_the_sender_tries_again() -> None:
    class Faulty:
        def store(self, rows: list[Row]) -> None:
            raise ZeroDivisionError

    answer = send("/v1/track", GOOD, door=make_door(store=Faulty()))
    assert (answer.status, answer.json["code"]) == (503, "internal_error")
    assert int(answer.headers["Retry-After"]) > 0


@pytest.mark.django_db
class TestQuota:
    def test_a_source_that_sends_too_fast_is_told_when_to_come_back(self) -> None:
        clock = Clock()
        door = make_door(quota=Quota(2, clock))
        assert [send("/v1/track", GOOD, door=door).status for _ in range(3)] == [200, 200, 429]
        answer = send("/v1/track", GOOD, door=door)
        assert answer.json["code"] == "too_many_events"
        clock.time += int(answer.headers["Retry-After"])
        assert send("/v1/track", GOOD, door=door).status == 200
        assert InboxItem.objects.count() == 3

    def test_the_rate_decides_how_much_passes(self) -> None:
        for rate in (1, 4):
            door = make_door(quota=Quota(rate, Clock()))
            assert [send("/v1/t", GOOD, door=door).status for _ in range(6)].count(200) == rate

    def test_rate_zero_sets_no_limit(self) -> None:
        door = make_door(quota=Quota(0, Clock()))
        assert {send("/v1/t", GOOD, door=door).status for _ in range(50)} == {200}

    def test_one_source_does_not_use_up_anothers_share(self) -> None:
        door = make_door(quota=Quota(1, Clock()))
        assert send("/v1/t", GOOD, door=door).status == 200
        assert send("/v1/t", GOOD, door=door).status == 429
        assert send("/v1/t", GOOD, door=door, key=OTHER_KEY).status == 200

    def test_a_batch_larger_than_the_rate_passes_once_and_is_paid_off(self) -> None:
        clock = Clock()
        door = make_door(quota=Quota(10, clock))
        assert send("/v1/b", {"batch": [GOOD] * 40}, door=door).status == 200
        answer = send("/v1/b", {"batch": [GOOD]}, door=door)
        assert (answer.status, answer.headers["Retry-After"]) == (429, "4")


@pytest.mark.django_db
def test_a_key_in_the_body_is_limited_too() -> None:
    door = make_door(quota=Quota(1, Clock()))
    answers = [send("/v1/t", {**GOOD, "writeKey": KEY}, key=None, door=door).status for _ in range(2)]
    assert answers == [200, 429]


@pytest.mark.django_db
def test_the_header_wins_over_a_write_key_in_the_body() -> None:
    assert send("/v1/track", {**GOOD, "writeKey": "wrong"}).status == 200
    assert send("/v1/track", {**GOOD, "writeKey": KEY}, key="wrong").status == 401
    assert len(Inbox().events()) == 1


@pytest.mark.parametrize(
    ("header", "key"),
    [
        ("Basic " + base64.b64encode(b"abc:").decode(), "abc"),
        ("basic " + base64.b64encode(b"abc:password").decode(), "abc"),
        ("Basic " + base64.b64encode(b"abc").decode(), "abc"),
        ("Basic " + base64.b64encode(b":").decode(), None),
        ("Basic %%%", None),
        ("Basic " + base64.b64encode(b"\xff\xfe:").decode(), None),
        ("Bearer abc", None),
        ("", None),
    ],
)
def test_the_key_is_the_user_name_of_basic_auth(header: str, key: str | None) -> None:
    assert basic_key(header) == key
