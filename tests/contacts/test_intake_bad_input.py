"""Bad input, by the numbers of the fault list: a 4xx that names the field or a documented reading of it,
never a 5xx, never a row that breaks a later reader, never a lost neighbour."""

import gzip
import json
import time
from typing import Any

import pytest
from django.db import connection

from contacts import intake_limits as limits
from contacts import once
from contacts.models import InboxItem
from tests.contacts.sender import NOW, OTHER_KEY, Answer, Inbox, send, track

pytestmark = pytest.mark.django_db


def with_properties(text: bytes) -> bytes:
    return b'{"type":"track","userId":"ada","event":"Hi","messageId":"bad","properties":' + text + b"}"


GOOD = b'{"type":"track","userId":"ada","event":"Good","messageId":"good"}'
BAD_EVENTS = {
    "B01 not JSON": (b"{]", "malformed_json"),
    "B01 wrong type": (b"5", "invalid_type"),
    "B01 list": (b"[]", "invalid_type"),
    "B01 properties a text": (with_properties(b'"x"'), "invalid_type"),
    "B01 event a number": (b'{"userId":"a","event":5,"type":"track"}', "invalid_type"),
    "B01 user id a list": (b'{"userId":["a"],"event":"x","type":"track"}', "invalid_type"),
    "B01 user id true": (b'{"userId":true,"event":"x","type":"track"}', "invalid_type"),
    "B03 NUL in a value": (with_properties(b'{"a":"x\\u0000y"}'), "forbidden_character"),
    "B03 NUL in a key": (with_properties(b'{"x\\u0000y":1}'), "forbidden_character"),
    "B03 NUL in the user id": (b'{"userId":"a\\u0000","event":"x","type":"track"}', "forbidden_character"),
    "B03 NUL in the event": (b'{"userId":"a","event":"x\\u0000","type":"track"}', "forbidden_character"),
    "B03 raw NUL": (with_properties(b'{"a":"x\x00y"}'), "malformed_json"),
    "B04 lone high surrogate": (with_properties(b'{"a":"\\ud800"}'), "malformed_json"),
    "B04 lone low surrogate": (with_properties(b'{"a":"\\udc00x"}'), "malformed_json"),
    "B04 surrogate in a key": (with_properties(b'{"\\ud800":1}'), "malformed_json"),
    "B04 invalid UTF-8": (with_properties(b'{"a":"\xff\xfe"}'), "malformed_json"),
    "B04 overlong UTF-8": (with_properties(b'{"a":"\xc0\xaf"}'), "malformed_json"),
    "B04 surrogate in UTF-8": (with_properties(b'{"a":"\xed\xa0\x80"}'), "malformed_json"),
    "B05 33 levels": (with_properties(b'{"a":' + b"[" * 32 + b"]" * 32 + b"}"), "too_deep"),
    "B05 10,000 levels": (with_properties(b"[" * 10_000 + b"]" * 10_000), "too_deep"),
    "B05 deep where nothing is kept": (b'{"x":' + b"[" * 10_000 + b"]" * 10_000 + b"}", "too_deep"),
    "B06 NaN": (with_properties(b'{"a":NaN}'), "malformed_json"),
    "B06 Infinity": (with_properties(b'{"a":-Infinity}'), "malformed_json"),
    "B06 1e400": (with_properties(b'{"a":1e400}'), "number_out_of_range"),
    "B06 1e100000": (with_properties(b'{"a":[1e100000]}'), "number_out_of_range"),
    "B06 1e-100000": (with_properties(b'{"a":1e-100000}'), "number_out_of_range"),
    "B06 0e999999": (with_properties(b'{"a":0e999999}'), "number_out_of_range"),
    "B06 5,000 digits": (with_properties(b'{"a":' + b"9" * 5_000 + b"}"), "number_out_of_range"),
    "B06 beyond 64 bits": (with_properties(b'{"a":{"b":18446744073709551616}}'), "number_out_of_range"),
    "B06 50 decimals": (with_properties(b'{"a":0.' + b"3" * 50 + b"}"), "number_out_of_range"),
    "B07 key of 5 KB": (with_properties(b'{"' + b"k" * 5_000 + b'":1}'), "key_too_long"),
    "B07 too many keys": (
        with_properties(json.dumps(dict.fromkeys(range(2_001), 1)).encode()),
        "too_many_keys",
    ),
    "B08 year 1970": (b'{"userId":"a","event":"x","type":"track","timestamp":"1970-01-01T00:00:00Z"}', None),
    "B09 message id of 101": (
        json.dumps(track(messageId="m" * 101)).encode(),
        "too_long",
    ),
    "B09 message id an object": (json.dumps(track(messageId={"a": 1})).encode(), "invalid_type"),
    "B09 message id with NUL": (json.dumps(track(messageId="\x00")).encode(), "forbidden_character"),
    "B10 user id of 10 KB": (json.dumps(track(userId="u" * 10_000)).encode(), "too_long"),
    "unknown type": (json.dumps(track(type="explode")).encode(), "unknown_type"),
    "event of 33 KB": (json.dumps(track(properties={"a": "x" * 33_000})).encode(), "event_too_large"),
}


@pytest.mark.parametrize("name", BAD_EVENTS)
def test_a_bad_event_becomes_a_dead_letter_and_its_neighbours_are_stored(name: str) -> None:
    event, code = BAD_EVENTS[name]
    answer = send("/v1/batch", b'{"batch":[' + GOOD + b"," + event + b" , " + GOOD + b'],"sentAt":null}')
    assert answer.status == 200, answer.body
    assert [event.name for event in Inbox().events()] == ["Good", "Good"]
    (refusal,) = answer.json["rejected"]
    assert refusal["index"] == 1
    assert code is None or refusal["code"] == code
    (rejection,) = Inbox().rejections()
    assert rejection == f"{refusal['code']}: {refusal['message']}"
    assert_rows_can_be_read()


@pytest.mark.parametrize("name", [name for name in BAD_EVENTS if name not in ("B01 list", "unknown type")])
def test_the_same_event_alone_is_answered_with_a_4xx_that_says_why(name: str) -> None:
    answer = send("/v1/track", BAD_EVENTS[name][0])
    assert answer.status in (400, 413), answer.body
    assert set(answer.json) == {"code", "message", "field"}
    assert answer.json["message"]
    assert Inbox().events() == []
    assert_rows_can_be_read()


def assert_rows_can_be_read() -> None:
    """Ingest turns rejected payloads into text, and accepted ones into jsonb: both must work for all."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT CASE WHEN rejection = '' THEN length((convert_from(payload, 'utf8')::jsonb)::text)"
            " ELSE length(convert_from(payload, 'utf8')) END FROM contacts_inboxitem"
        )
        assert all(length <= 70_000 for (length,) in cursor.fetchall())


WHOLE_BODIES = {
    "B01 empty": b"",
    "B01 blank": b"  ",
    "B01 truncated": b'{"batch":[{"type":"track"',
    "B01 not an object": b'"batch"',
    "B01 a list": b"[{}]",
    "B01 byte order mark": b"\xef\xbb\xbf" + b'{"batch":[' + GOOD + b"]}",
    "B01 UTF-16": '{"batch":[]}'.encode("utf-16"),
    "B01 trailing text": b'{"batch":[' + GOOD + b"]} and more",
    "B01 form": b"data=%7B%7D",
    "B01 no batch": b"{}",
    "B01 batch an object": b'{"batch":{}}',
    "B01 empty batch": b'{"batch":[]}',
    "B01 context a text": b'{"batch":[' + GOOD + b'],"context":"x"}',
    "B03 raw NUL outside": b'{"batch":[' + GOOD + b"]\x00}",
    "B05 100,000 levels": b"[" * 100_000,
    "B05 100,000 levels in the batch": b'{"batch":' + b"[" * 100_000,
    "B06 NaN in the shared context": b'{"batch":[' + GOOD + b'],"context":{"a":NaN}}',
}


@pytest.mark.parametrize("name", WHOLE_BODIES)
def test_a_body_that_cannot_be_read_is_refused_whole_and_at_once(name: str) -> None:
    started = time.process_time()
    answer = send("/v1/batch", WHOLE_BODIES[name])
    assert time.process_time() - started < 0.5
    assert answer.status == 400
    assert answer.json["code"]
    assert answer.json["message"]
    assert not InboxItem.objects.exists()


def test_b01_of_duplicate_keys_the_last_counts_everywhere() -> None:
    send("/v1/track", b'{"userId":"a","userId":"b","event":"x","properties":{"k":1,"k":2}}')
    (event,) = Inbox().events()
    assert (event.user_id, event.properties_dict()) == ("b", {"k": 2})


class TestLimits:
    def test_b02_a_body_over_the_limit_is_refused_before_it_is_read(self) -> None:
        answer = send("/v1/batch", b"", CONTENT_LENGTH=str(limits.MAX_BODY_BYTES + 1))
        assert (answer.status, answer.json["code"]) == (413, "body_too_large")

    def test_b02_a_body_without_length_is_read_to_the_limit_only(self) -> None:
        answer = send("/v1/batch", b" " * 2_000_000, CONTENT_LENGTH="")
        assert (answer.status, answer.json["code"]) == (413, "body_too_large")

    def test_b02_a_body_without_length_may_be_good(self) -> None:
        assert send("/v1/track", GOOD, CONTENT_LENGTH="").status == 200

    def test_b02_a_body_shorter_than_announced_is_refused(self) -> None:
        assert send("/v1/track", GOOD, CONTENT_LENGTH=str(len(GOOD) + 1)).json["code"] == "body_cut_short"

    def test_b02_a_gzip_bomb_is_unpacked_to_the_limit_only(self) -> None:
        bomb = gzip.compress(b" " * 300_000_000, 9)
        started = time.process_time()
        answer = send("/v1/batch", bomb, HTTP_CONTENT_ENCODING="gzip")
        assert (answer.status, answer.json["code"]) == (413, "body_too_large")
        assert time.process_time() - started < 0.2

    def test_gzip_is_unpacked(self) -> None:
        assert send("/v1/track", gzip.compress(GOOD), HTTP_CONTENT_ENCODING="gzip").status == 200

    @pytest.mark.parametrize(
        "body", [b"not gzip", gzip.compress(GOOD)[:-9], b""], ids=["text", "cut off", "empty"]
    )
    def test_broken_gzip_is_refused(self, body: bytes) -> None:
        answer = send("/v1/track", body, HTTP_CONTENT_ENCODING="gzip")
        assert (answer.status, answer.json["code"]) == (400, "malformed_gzip")

    def test_an_unknown_encoding_is_refused(self) -> None:
        assert send("/v1/track", GOOD, HTTP_CONTENT_ENCODING="br").json["code"] == "unknown_encoding"

    def test_2500_events_are_taken_and_2501_are_not(self) -> None:
        small = {"type": "page", "userId": "a"}
        assert send("/v1/batch", {"batch": [small] * 2_500}).body == b'{"success": true}'
        answer = send("/v1/batch", {"batch": [small] * 2_501})
        assert (answer.status, answer.json["code"]) == (413, "batch_too_long")
        assert InboxItem.objects.count() == 2_500

    def test_a_common_context_cannot_unfold_to_gigabytes(self) -> None:
        small = {"type": "page", "userId": "a"}
        answer = send("/v1/batch", {"batch": [small] * 2_500, "context": {"a": "x" * 30_000}})
        assert (answer.status, answer.json["code"]) == (413, "context_too_large")

    def test_32_levels_and_a_key_of_256_are_taken(self) -> None:
        properties: dict[str, Any] = {"k" * 256: 1}
        for _level in range(31):
            properties = {"deeper": properties}
        assert send("/v1/track", track(properties=properties)).status == 200


@pytest.mark.parametrize("key", ["", "__proto__", "a.b", "$", 'quote"', "it's", "line\nbreak", "é", "\\"])
def test_b07_odd_keys_are_kept_exactly(key: str) -> None:
    assert send("/v1/track", track(properties={key: "value"})).status == 200
    (event,) = Inbox().events()
    assert event.properties_dict() == {key: "value"}
    assert_rows_can_be_read()


@pytest.mark.parametrize(
    "timestamp",
    [
        "0000-01-01T00:00:00Z",
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59-14:00",
        "12026-01-01T00:00:00Z",
        "1999-12-31T23:59:59Z",
        "infinity",
        "-292277022399",
        "yesterday",
        "2026-02-30T00:00:00Z",
        -292277022399,
        1e18,
        1773144000,
    ],
)
def test_b08_a_time_that_cannot_be_right_is_rejected(timestamp: object) -> None:
    answer = send("/v1/track", track(timestamp=timestamp))
    assert (answer.status, answer.json["field"]) == (400, "timestamp")


@pytest.mark.parametrize(
    ("timestamp", "taken_as"),
    [
        ("9999-12-31T23:59:59Z", NOW.isoformat()),
        ("2036-03-10T12:00:00Z", NOW.isoformat()),
        ("2026-03-10T12:00:00+14:00", "2026-03-09T22:00:00+00:00"),
        ("2016-12-31T23:59:60Z", "2017-01-01T00:00:00+00:00"),
        ("2026-03-01", "2026-03-01T00:00:00+00:00"),
        ("2026-03-01T00:00:00.123456789Z", "2026-03-01T00:00:00.123456+00:00"),
        ("", NOW.isoformat()),
    ],
)
def test_b08_a_time_that_can_be_read_is_read_by_rule(timestamp: str, taken_as: str) -> None:
    assert send("/v1/track", track(timestamp=timestamp)).status == 200
    (event,) = Inbox().events()
    assert event.occurred_at.isoformat() == taken_as


@pytest.mark.parametrize("sent_at", ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z"])
def test_b08_a_mad_sent_at_never_breaks_the_calendar(sent_at: str) -> None:
    answer = send("/v1/track", track(timestamp="2026-03-10T11:00:00Z", sentAt=sent_at))
    assert answer.status in (200, 400)


def test_b09_repeats_keep_their_message_id_and_sources_share_none() -> None:
    assert send("/v1/batch", {"batch": [track(), track()]}).status == 200
    assert send("/v1/track", track(), key=OTHER_KEY).status == 200
    keys = [
        once.key("event", source_id, event.message_id)
        for source_id, event in zip(
            InboxItem.objects.order_by("id").values_list("source_id", flat=True),
            Inbox().events(),
            strict=True,
        )
    ]
    assert keys[0] == keys[1] != keys[2]


@pytest.mark.parametrize("user_id", ["null", "undefined", "0", "-1", "Ａｄａ", " ada ", "a" * 512])
def test_b10_odd_identities_are_taken_as_they_are_for_identity_to_judge(user_id: str) -> None:
    answer: Answer = send("/v1/identify", {"userId": user_id})
    assert answer.status == 200
    (event,) = Inbox().events()
    assert event.user_id == user_id
